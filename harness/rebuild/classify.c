/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/classify.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/text.h"
#include "rebuild/guix.h"

enum {
	ON_MIRROR = 1 << STEP_MIRROR,
	ON_INSTANCE = 1 << STEP_INSTANCE,
	ON_LOWER = 1 << STEP_LOWER,
	ON_BUILD = 1 << STEP_BUILD,
	ON_GUIX = ON_INSTANCE | ON_LOWER | ON_BUILD,

	ERRORS_MAX = 256 /* messages of one log that are looked at */
};

/*
 * Messages that decide.  The first row that any line matches is taken, so what
 * concerns the machine comes before what it brings about in a build.  Only
 * messages of Guix itself ("guix CMD: error: ") and of git ("fatal: ") are
 * looked at: a builder may print anything.
 */
struct rule {
	unsigned steps;
	const char *text; /* found in the line */
	const char *also; /* found in it as well; NULL: no matter */
	enum rebuild_end end;
	const char *class_;
	const char *cause;
	const char *advice;
};

#define DISK_ADVICE \
	"Free space (guix gc, or the cache's folder) and run it again."
#define DAEMON_ADVICE \
	"Start guix-daemon (unblend doctor says what it sees) and run it again."
#define AUTH_ADVICE                                                            \
	"Somebody changed the channel's history or the image's record of it. " \
	"Compare commit and introduction with what the channel's authors "     \
	"publish."
#define OTHER_PLACE \
	"If the channel has moved, name its new place: --mirror OLD=NEW."
#define MEMORY_ADVICE "Run fewer at a time (-j), or on a larger machine."
#define PACKAGE_ADVICE                                                      \
	"Its package came from somewhere else: a local file, or a channel " \
	"that the image does not record."
#define FAILED_ADVICE                                                        \
	"The log says why.  If the package was built before, its build may " \
	"depend on the date, the processor or chance."
#define DATE_ADVICE                                                         \
	"Take a substitute of it, or build it on a machine whose clock is " \
	"set back (Guix: virtual-build-machine-service-type)."

static const struct rule rules[] = {
	/* This machine. */
	{ON_GUIX, "failed to connect to", NULL, REBUILD_NOT_TRIED, "daemon",
		"The Guix daemon cannot be reached.", DAEMON_ADVICE},
	{ON_GUIX, "unexpected EOF", NULL, REBUILD_NOT_TRIED, "daemon",
		"The Guix daemon ended in the middle.", DAEMON_ADVICE},
	{ON_GUIX, "corrupt input while restoring archive", NULL,
		REBUILD_NOT_TRIED, "daemon",
		"The Guix daemon ended in the middle.", DAEMON_ADVICE},
	{ON_GUIX, "EPIPE", NULL, REBUILD_NOT_TRIED, "daemon",
		"The Guix daemon ended in the middle.", DAEMON_ADVICE},
	{ON_GUIX, "Connection reset by peer", NULL, REBUILD_NOT_TRIED, "daemon",
		"The Guix daemon ended in the middle.", DAEMON_ADVICE},
	{ON_GUIX | ON_MIRROR, "No space left on device", NULL,
		REBUILD_NOT_TRIED, "disk-full", "The disk is full.",
		DISK_ADVICE},
	{ON_GUIX, "database or disk is full", NULL, REBUILD_NOT_TRIED,
		"disk-full", "The disk is full.", DISK_ADVICE},
	{ON_GUIX, "Disk quota exceeded", NULL, REBUILD_NOT_TRIED, "disk-full",
		"The disk quota is used up.", DISK_ADVICE},
	{ON_GUIX | ON_MIRROR, "Cannot allocate memory", NULL, REBUILD_NOT_TRIED,
		"out-of-memory", "There was no memory left.", MEMORY_ADVICE},
	{ON_GUIX, "all build users are currently in use", NULL,
		REBUILD_NOT_TRIED, "build-users",
		"The Guix daemon has no build user free.",
		"Run fewer at a time (-j), or give the daemon more build "
		"users."},
	{ON_GUIX, "is locked by another process", NULL, REBUILD_NOT_TRIED,
		"lock", "Another process holds a lock that Guix needs.",
		"Run it again when that one is done."},
	{ON_GUIX, "database is locked", NULL, REBUILD_NOT_TRIED, "lock",
		"The store's database is locked.", "Run it again."},
	{ON_GUIX, "not privileged to build", NULL, REBUILD_NOT_TRIED, "daemon",
		"The Guix daemon does not let this user build.",
		"Run it as a user whom the daemon lets build."},
	{ON_BUILD, "is required to build", "but I am a", REBUILD_NOT_TRIED,
		"system", "This machine cannot build for that system.",
		"Run it on a machine of that system, or let the daemon "
		"emulate or offload."},

	/* Git, by us. */
	{ON_MIRROR, "Could not resolve host", NULL, REBUILD_UNAVAILABLE,
		"channel-unreachable",
		"The channel's host has no address here.", OTHER_PLACE},

	/* Guix authenticates channels (guix/git-authenticate.scm). */
	{ON_INSTANCE, "could not authenticate commit", NULL, REBUILD_REFUSED,
		"authentication", "Guix could not authenticate the channel.",
		AUTH_ADVICE},
	{ON_INSTANCE, "lacks a signature", NULL, REBUILD_REFUSED,
		"authentication", "A commit of the channel is not signed.",
		AUTH_ADVICE},
	{ON_INSTANCE, "signature verification failed", NULL, REBUILD_REFUSED,
		"authentication",
		"The signature of a commit of the channel is wrong.",
		AUTH_ADVICE},
	{ON_INSTANCE, "signature, which is not permitted", NULL,
		REBUILD_REFUSED, "authentication",
		"A commit is signed in a way that is not permitted.",
		AUTH_ADVICE},
	{ON_INSTANCE, "not signed by an authorized", NULL, REBUILD_REFUSED,
		"authentication",
		"A commit is signed by a key that the channel does not "
		"authorize.",
		AUTH_ADVICE},
	{ON_INSTANCE, "initial commit", "is signed by", REBUILD_REFUSED,
		"authentication",
		"The introductory commit is signed by another key than the "
		"introduction says.",
		AUTH_ADVICE},
	{ON_INSTANCE, "not a descendant of", NULL, REBUILD_REFUSED,
		"authentication",
		"The commit does not descend from the channel's introduction.",
		AUTH_ADVICE},
	{ON_INSTANCE, "remove '.guix-authorizations' file", NULL,
		REBUILD_REFUSED, "authentication",
		"A commit removes the channel's list of authorized keys.",
		AUTH_ADVICE},
	{ON_INSTANCE, "cannot be authenticated", NULL, REBUILD_REFUSED,
		"authentication",
		"The channel has no introduction and cannot be authenticated.",
		AUTH_ADVICE},

	/* The channels, seen from inside the sandbox. */
	{ON_INSTANCE, "object not found - no match for id", NULL,
		REBUILD_UNAVAILABLE, "commit-missing",
		"The channel has no such commit.", OTHER_PLACE},
	{ON_INSTANCE, "Git error: ", NULL, REBUILD_UNAVAILABLE,
		"channel-unreachable",
		"Guix could not fetch a channel that the image does not record "
		"(a dependency of one it does).",
		"The dependency is in the channel's .guix-channel file; "
		"channels of the corpus entry may name it."},
	{ON_INSTANCE, "is older than", NULL, REBUILD_UNBUILDABLE, "too-old",
		"Guix cannot travel back to that commit.",
		"Guix 0.16 is as far as it goes: nothing can be done here."},

	/* The recipe. */
	{ON_LOWER, "unknown package", NULL, REBUILD_UNBUILDABLE,
		"unknown-package",
		"The channels do not have a package of the image.",
		PACKAGE_ADVICE},
	{ON_LOWER, "package not found for version", NULL, REBUILD_UNBUILDABLE,
		"unknown-package",
		"The channels do not have this version of a package.",
		PACKAGE_ADVICE},
	{ON_LOWER, "lacks output", NULL, REBUILD_UNBUILDABLE, "unknown-package",
		"A package of the channels does not have that output.",
		PACKAGE_ADVICE},
	{ON_LOWER, "does not support `", NULL, REBUILD_UNBUILDABLE,
		"unsupported", "A package does not support that system.",
		"Look whether the image is for that system (unblend "
		"inspect)."},
	{ON_LOWER, "failed to load '", NULL, REBUILD_UNBUILDABLE, "recipe",
		"The recipe cannot be read by that Guix.",
		"unblend recipe -o DIR writes it, to be tried by hand."},
	{ON_LOWER, "unrecognized option", NULL, REBUILD_UNBUILDABLE, "recipe",
		"The Guix of that commit does not know an option of the "
		"recipe.",
		"Give the options that it knows: pack-options of the corpus "
		"entry."},
};

/* Where a line names the derivation that failed, and what that means. */
struct failure {
	const char *before, *after; /* around the derivation */
	enum rebuild_end end;
	const char *class_;
	const char *cause;
	const char *advice;
};

static const struct failure failures[] = {
	{"building of `", "' timed out after ", REBUILD_TIMEOUT, "silence",
		"A build was silent for too long: ",
		"Allow it a longer silence, or build it by hand to see where it "
		"hangs."},
	{"builder for `", "' failed due to signal 9", REBUILD_NOT_TRIED,
		"killed",
		"A build was killed, as when memory is short: ", MEMORY_ADVICE},
	{"builder for `", "' failed", REBUILD_UNBUILDABLE, "build-failed",
		"A build failed: ", FAILED_ADVICE},
	{"build of ", " failed", REBUILD_UNBUILDABLE, "build-failed",
		"A build failed: ", FAILED_ADVICE},
};

static bool
has(struct slice line, const char *text)
{
	return memmem(line.p, line.n, text, strlen(text)) != NULL;
}

/* "guix", then anything, then "error: ", or git's own "fatal: ". */
static bool
is_error(enum step step, struct slice line)
{
	if (step == STEP_MIRROR)
		return slice_starts(line, "fatal: ") ||
			slice_starts(line, "error: ");
	return slice_starts(line, "guix") && has(line, "error: ");
}

static const char *
clean(struct arena *a, struct slice s)
{
	CLEANUP(buf_fini)
	struct buf out = {0};

	if (s.n > CLASSIFY_LINE_BYTES)
		s.n = CLASSIFY_LINE_BYTES;
	text_clean(&out, s, TEXT_ONE_LINE);
	return arena_copy(a, buf_text(&out), out.n);
}

static const char *
join(struct arena *a, const char *x, const char *y, const char *z)
{
	char *s = xasprintf("%s%s%s", x, y, z);
	const char *copy = arena_copy(a, s, strlen(s));

	free(s);
	return copy;
}

const char *
classify_last_lines(struct arena *a, struct slice log, size_t n)
{
	CLEANUP(buf_fini)
	struct buf out = {0};
	struct slice last[CLASSIFY_LINES] = {{0}}, line;
	size_t seen = 0;

	if (n > CLASSIFY_LINES)
		n = CLASSIFY_LINES;
	while (n && guix_log_line(&log, &line))
		last[seen++ % n] = line;
	for (size_t i = seen > n ? seen - n : 0; i < seen; i++) {
		line = last[i % n];
		if (line.n > CLASSIFY_LINE_BYTES)
			line.n = CLASSIFY_LINE_BYTES;
		if (out.n)
			buf_char(&out, '\n');
		text_clean(&out, line, TEXT_ONE_LINE);
	}
	return out.n ? arena_copy(a, out.p, out.n) : NULL;
}

static const struct rule *
find_rule(enum step step, struct slice log, struct slice *where)
{
	struct slice errors[ERRORS_MAX];
	size_t n = 0;

	while (n < ERRORS_MAX && guix_log_line(&log, &errors[n]))
		n += is_error(step, errors[n]);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];

		for (size_t k = 0; r->steps & 1u << step && k < n; k++)
			if (has(errors[k], r->text) &&
				(!r->also || has(errors[k], r->also))) {
				*where = errors[k];
				return r;
			}
	}
	return NULL;
}

/* The derivation between before and after, which line holds. */
static const char *
failed_drv(struct arena *a, const struct failure *f, struct slice line)
{
	const char *end;
	size_t at = strlen(f->before);

	if (!slice_starts(line, f->before))
		return NULL;
	end = memmem(line.p + at, line.n - at, f->after, strlen(f->after));
	if (!end ||
		!guix_is_drv((struct slice){
			line.p + at, (size_t)(end - line.p) - at}))
		return NULL;
	return arena_copy(a, line.p + at, (size_t)(end - line.p) - at);
}

/* The log file that Guix names after the failure of drv. */
static const char *
named_log(struct arena *a, struct slice rest, const char *drv)
{
	static const char before[] = "View build log at '";
	struct slice line;

	while (guix_log_line(&rest, &line)) {
		const char *path;

		if (!slice_starts(line, before) || !slice_ends(line, "'."))
			continue;
		path = arena_copy(a, line.p + strlen(before),
			line.n - strlen(before) - 2);
		if (classify_is_log_of(path, drv))
			return path;
	}
	return NULL;
}

/* A line about the store item that drv is to make has a wrong hash. */
static void
look_for_hash(struct arena *a, struct slice log, struct diagnosis *d)
{
	struct slice line, lines = {0};

	while (guix_log_line(&log, &line)) {
		if (!has(line, " hash mismatch for " GUIX_STORE))
			continue;
		lines = line;
		/* Expected and actual are the next two lines. */
		for (int i = 0; i < 2 && guix_log_line(&log, &line); i++)
			if (has(line, "hash:"))
				lines.n = (size_t)(line.p + line.n - lines.p);
		d->end = REBUILD_UNAVAILABLE;
		d->class_ = "hash-mismatch";
		d->cause = join(
			a, "A source is not what it was: ", d->failed_drv, ".");
		d->advice = "Its upstream has changed it in place; an archive "
			    "may have the old one.";
		d->lines = classify_last_lines(a, lines, 3);
		return;
	}
}

static bool
find_failure(
	struct arena *a, enum step step, struct slice log, struct diagnosis *d)
{
	struct slice rest = log, line;

	while (guix_log_line(&rest, &line))
		for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
			const struct failure *f = &failures[i];

			d->failed_drv = failed_drv(a, f, line);
			if (!d->failed_drv)
				continue;
			d->end = f->end;
			d->class_ = f->class_;
			d->advice = f->advice;
			d->cause = join(a, f->cause, d->failed_drv, ".");
			d->log_file = named_log(a, rest, d->failed_drv);
			d->lines = classify_last_lines(a,
				(struct slice){log.p,
					(size_t)(line.p + line.n - log.p)},
				CLASSIFY_LINES);
			if (f->end == REBUILD_TIMEOUT &&
				!has(line, "of silence")) {
				d->class_ = "deadline";
				d->cause = join(a,
					"A build was not done in time: ",
					d->failed_drv, ".");
			}
			if (f->end == REBUILD_UNBUILDABLE)
				look_for_hash(a, log, d);
			if (step == STEP_INSTANCE &&
				d->end == REBUILD_UNBUILDABLE) {
				d->class_ = "channel-broken";
				d->cause =
					join(a, "A channel does not compile: ",
						d->failed_drv, ".");
				d->advice = "Its authors may know a commit "
					    "near it that does.";
			}
			return true;
		}
	return false;
}

/* The message that says most, else the last line. */
static const char *
last_error(struct arena *a, enum step step, struct slice log)
{
	struct slice rest = log, line, found = {0};

	/* git's last one is advice. */
	while (guix_log_line(&rest, &line))
		if (is_error(step, line) && (!found.p || step != STEP_MIRROR))
			found = line;
	return found.p ? clean(a, found) : classify_last_lines(a, log, 1);
}

void
classify(struct arena *a, enum step step, struct slice log,
	struct diagnosis *out)
{
	static const char *const classes[] = {
		[STEP_MIRROR] = "channel-unreachable",
		[STEP_INSTANCE] = "instance-failed",
		[STEP_LOWER] = "lower-failed",
		[STEP_BUILD] = "build-failed",
	};
	struct slice where;
	const struct rule *r = find_rule(step, log, &where);
	const char *last;

	*out = (struct diagnosis){0};
	if (r) {
		/* A failed build that was the machine's fault has a name too. */
		find_failure(a, step, log, out);
		out->end = r->end;
		out->class_ = r->class_;
		out->advice = r->advice;
		out->cause = join(a, r->cause, " ", clean(a, where));
		out->lines = classify_last_lines(a, log, CLASSIFY_LINES);
		return;
	}
	if (find_failure(a, step, log, out))
		return;
	last = last_error(a, step, log);
	out->end =
		step == STEP_MIRROR ? REBUILD_UNAVAILABLE : REBUILD_UNBUILDABLE;
	out->class_ = classes[step];
	out->cause = last ? last : "It failed without a word.";
	out->advice = step == STEP_MIRROR
		? OTHER_PLACE
		: "The log has all that Guix said; unblend recipe -o DIR "
		  "writes what to try by hand.";
	out->lines = classify_last_lines(a, log, CLASSIFY_LINES);
}

/*
 * What the log of a build says near its end, and makes of its failure.  A row
 * looks at the last lines only: tests of packages print such things in passing.
 */
struct omen {
	size_t lines;
	const char *text; /* found in a line, whatever the case of letters */
	enum rebuild_end end;
	const char *class_;
	const char *cause;
	const char *advice;
};

enum {
	NEAR_END = CLASSIFY_LINES,
	FAR_END = 200 /* after it come summaries and backtraces */
};

#define DISK(text)                                                        \
	{                                                                 \
		NEAR_END, text, REBUILD_NOT_TRIED, "disk-full",           \
			"The disk was full during a build: ", DISK_ADVICE \
	}
#define MEMORY(text)                                                \
	{                                                           \
		NEAR_END, text, REBUILD_NOT_TRIED, "out-of-memory", \
			"There was no memory left for a build: ",   \
			MEMORY_ADVICE                               \
	}
#define PROCESSES(text)                                                    \
	{                                                                  \
		NEAR_END, text, REBUILD_NOT_TRIED, "out-of-processes",     \
			"There were too many processes for another, in a " \
			"build: ",                                         \
			MEMORY_ADVICE                                      \
	}
#define DATE(text)                                                          \
	{                                                                   \
		FAR_END, text, REBUILD_UNBUILDABLE, "time-bomb",            \
			"A build failed, and its log says that a date has " \
			"passed: ",                                         \
			DATE_ADVICE                                         \
	}
#define TESTS(text)                                                    \
	{                                                              \
		FAR_END, text, REBUILD_UNBUILDABLE, "tests-failed",    \
			"A package's own tests failed: ", TESTS_ADVICE \
	}
#define TESTS_ADVICE                                                     \
	"Tests may depend on the number of cores, the file system, the " \
	"processor or the date: try a machine like the author's."

static const struct omen omens[] = {
	DISK("No space left on device"),
	DISK("Disk quota exceeded"),
	MEMORY("Cannot allocate memory"),
	MEMORY("virtual memory exhausted"),
	MEMORY("GC Warning: Out of Memory"),
	MEMORY("GC Warning: Failed to expand heap"),
	MEMORY("std::bad_alloc"),
	MEMORY("Killed signal terminated program"),
	/* fork(2), as Guile, shells, make and threads' libraries say it */
	PROCESSES("fork: Resource temporarily unavailable"),
	PROCESSES("fork: retry: Resource temporarily unavailable"),
	PROCESSES("can't fork"),
	PROCESSES("cannot fork"),
	PROCESSES("pthread_create: Resource temporarily unavailable"),
	DATE("certificate has expired"),
	DATE("certificate expired"),
	DATE("CertificateExpiredException"),
	DATE("CERT_HAS_EXPIRED"),
	DATE("signature has expired"),
	/* OpenJDK's GenerateCurrencyData */
	DATE("time is more than 10 years from present"),
	/* gnu-build-system and its kin (guix/build/gnu-build-system.scm): the
	 * phase's name is its own, whatever ran in it. */
	TESTS("phase `check' failed after"),
	TESTS("error: in phase 'check': "),
};

/* Packages whose tests are known to fail since a certificate in them expired;
 * their logs do not always say so. */
static const char *const bombs[] = {"gnutls-3.6.12", "openssl-1.1.1l",
	"openssl-1.1.1n", "openssl-1.1.1p", "libgit2-1.3.0"};

/* The last n lines of log, from the first of them on. */
static struct slice
tail(struct slice log, size_t n)
{
	const char *p = log.p + log.n;

	if (log.n && p[-1] == '\n')
		p--;
	while (p > log.p && (p[-1] != '\n' || --n > 0))
		p--;
	return (struct slice){p, (size_t)(log.p + log.n - p)};
}

static bool
has_omen(struct slice line, const char *text)
{
	size_t n = strlen(text);

	for (; line.n >= n; line.p++, line.n--)
		if (strncasecmp(line.p, text, n) == 0)
			return true;
	return false;
}

/* Where the first row stands that any line has, into *where; NULL: nowhere. */
static const struct omen *
find_omen(struct slice log, struct slice *where)
{
	for (size_t i = 0; i < ARRAY_LEN(omens); i++) {
		struct slice rest = tail(log, omens[i].lines), line;

		while (guix_log_line(&rest, &line))
			if (has_omen(line, omens[i].text)) {
				*where = line;
				return &omens[i];
			}
	}
	return NULL;
}

/* Lines up to the one that says it: a backtrace may come after. */
static const char *
decisive(struct arena *a, struct slice log, struct slice where)
{
	log.n = (size_t)(where.p + where.n - log.p);
	return classify_last_lines(a, log, CLASSIFY_LINES);
}

static bool
is_bomb(const char *drv)
{
	/* After the store and the hash. */
	const char *name = strchr(drv, '-');

	for (size_t i = 0; name && i < ARRAY_LEN(bombs); i++) {
		size_t n = strlen(bombs[i]);

		if (strncmp(name + 1, bombs[i], n) == 0 &&
			strcmp(name + 1 + n, ".drv") == 0)
			return true;
	}
	return false;
}

void
classify_build_log(
	struct arena *a, bool is_source, struct slice log, struct diagnosis *d)
{
	const char *lines = classify_last_lines(a, log, CLASSIFY_LINES);
	const struct omen *omen = NULL;
	struct slice where = {0};

	/* Which hash was expected says only Guix. */
	if (lines && strcmp(d->class_, "hash-mismatch") != 0)
		d->lines = lines;
	if (d->end != REBUILD_UNBUILDABLE || !d->failed_drv)
		return;
	if (lines)
		omen = find_omen(log, &where);
	/* A download has neither tests nor certificates of its own. */
	if (omen && (!is_source || omen->end == REBUILD_NOT_TRIED)) {
		d->end = omen->end;
		d->class_ = omen->class_;
		d->cause = join(a, omen->cause, d->failed_drv, ".");
		d->advice = omen->advice;
		if (omen->lines == FAR_END)
			d->lines = decisive(a, log, where);
	} else if (is_source) {
		d->end = REBUILD_UNAVAILABLE;
		d->class_ = "source-gone";
		d->cause = join(a,
			"A source cannot be had any more: ", d->failed_drv,
			".");
		d->advice = "An archive of sources, or a substitute server "
			    "that still has it, would help.";
	}
	if (d->end == REBUILD_UNBUILDABLE && is_bomb(d->failed_drv)) {
		d->class_ = "time-bomb";
		d->cause = join(a,
			"A build failed that is known to fail since a "
			"certificate of its tests expired: ",
			d->failed_drv, ".");
		d->advice = DATE_ADVICE;
	}
}

bool
classify_may_pass(const char *class_)
{
	/* What ended by this machine's state or by the network. */
	static const char *const passing[] = {"build-users",
		"channel-unreachable", "daemon", "disk-full", "git", "host",
		"killed", "lock", "out-of-memory", "out-of-processes",
		"sandbox", "stopped"};

	for (size_t i = 0; class_ && i < ARRAY_LEN(passing); i++)
		if (strcmp(passing[i], class_) == 0)
			return true;
	return false;
}

bool
classify_is_log_of(const char *log_file, const char *drv)
{
	/* .../drvs/ab/cdef...-name.drv.gz of /gnu/store/abcdef...-name.drv */
	const char *base = drv + strlen(GUIX_STORE);
	char *tail = NULL;
	bool is = false;
	static const char *const suffixes[] = {"", ".gz", ".bz2"};

	if (log_file[0] != '/' || strstr(log_file, "/../") ||
		!guix_is_drv(slice_of(drv)))
		return false;
	for (size_t i = 0; !is && i < ARRAY_LEN(suffixes); i++) {
		tail = xasprintf(
			"/drvs/%.2s/%s%s", base, base + 2, suffixes[i]);
		is = slice_ends(slice_of(log_file), tail);
		free(tail);
	}
	return is;
}
