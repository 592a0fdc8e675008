/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/mirror.h"

#include <sys/file.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/text.h"
#include "base/words.h"
#include "rebuild/official.h"
#include "rebuild/policy.h"
#include "rebuild/sandbox.h"
#include "rebuild/task.h"

#define KEEP "refs/heads/unblend-keep/"

enum {
	LOCK_LOOK_MS = 100,
	OUTPUT_BYTES = 4096, /* of a git command's stdout */
	/* One that does not answer is given up for the next one, if all else
	 * allows more. */
	PLACE_SILENCE_MS = 180 * 1000
};

char *
mirror_path(const char *cache, const char *url)
{
	struct digest d = digest_of(url, strlen(url));
	char hex[DIGEST_HEX + 1];

	digest_hex(&d, hex);
	return xasprintf("%s/mirrors/%s.git", cache, hex);
}

static void
add_place(struct words *w, const char *url)
{
	if (policy_url_ok(url) && !words_has(w, url))
		words_add(w, url);
}

/* from is the first n bytes of url. */
static bool
applies(const char *url, const char *from, size_t n)
{
	return strlen(from) == n && strncmp(url, from, n) == 0;
}

const char *const *
mirror_places(const char *const *redirects, const char *url, struct arena *a)
{
	CLEANUP(words_fini)
	struct words places = {.arena = a};

	/* From the whole URL down to a prefix of one byte. */
	for (size_t n = strlen(url); redirects && n; n--)
		for (const char *const *r = redirects; r[0] && r[1]; r += 2) {
			char *place;

			if (!applies(url, r[0], n))
				continue;
			place = xasprintf("%s%s", r[1], url + n);
			add_place(&places, place);
			free(place);
		}
	add_place(&places, url);
	if (official_url(url))
		for (const char *const *p = official_places(); *p; p++)
			add_place(&places, *p);
	return words_take(&places);
}

/* A path as libgit2 reads it back from a file URL. */
static void
file_url(struct buf *out, const char *path)
{
	buf_str(out, "file://");
	for (; *path; path++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789/-_.~",
			    *path))
			buf_char(out, *path);
		else
			buf_printf(out, "%%%02X", (unsigned char)*path);
}

/* A value of a git configuration in quotes (git-config(1), Syntax). */
static void
config_quote(struct buf *out, const char *s)
{
	buf_char(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_char(out, '\\');
		if (*s == '\n')
			buf_str(out, "\\n");
		else
			buf_char(out, *s);
	}
	buf_char(out, '"');
}

void
mirror_config(const char *const *paths, const struct channel *channels,
	size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		/* file_url leaves nothing that a section's name must quote. */
		buf_str(out, "[url \"");
		file_url(out, paths[i]);
		buf_str(out, "\"]\n\tinsteadOf = ");
		config_quote(out, channels[i].url);
		buf_str(out, "\n[safe]\n\tdirectory = ");
		config_quote(out, paths[i]);
		buf_char(out, '\n');
	}
}

int
mirror_lock(const char *path, int64_t until_ms, const volatile int *stop,
	struct err *e)
{
	CLEANUP(own_fd)
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_sys(e, ERR_HOST, "%s", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, ERR_HOST, "%s: cannot lock", path);
		if ((stop && *stop) || clock_mono_ms() >= until_ms)
			return err_set(e, ERR_TRANSIENT,
				"%s: another unblend holds it", path);
		poll(NULL, 0, LOCK_LOOK_MS);
	}
	return steal_fd(&fd);
}

/* --- git ------------------------------------------------------------------- */

struct git {
	const struct mirror_options *o;
	const char *program; /* links resolved */
	const char *dir;     /* the mirror */
	const char *const *env;
	struct arena *a;
	struct buf *said; /* gets stdout; NULL: nobody does */
};

/*
 * Nothing of this machine's or user's configuration, no prompts, no hooks, no
 * helpers, and only the four transports; a repository that is fetched from has
 * no say in it.
 */
static const char *const settings[] = {"-c", "protocol.allow=never", "-c",
	"protocol.https.allow=always", "-c", "protocol.http.allow=always", "-c",
	"protocol.git.allow=always", "-c", "protocol.file.allow=always", "-c",
	"core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
	"credential.helper=", "-c", "core.askPass=true", "-c", "gc.auto=0",
	"-c", "maintenance.auto=false", "-c", "submodule.recurse=false", "-c",
	"fetch.recurseSubmodules=false", "-c", "fetch.fsckObjects=false", NULL};

static const char *const *
git_env(struct arena *a, const char *cache)
{
	static const char *const passed[] = {"PATH", "http_proxy",
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
		"no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"GIT_SSL_CAINFO", "GIT_EXEC_PATH"};
	CLEANUP(words_fini)
	struct words env = {.arena = a};
	char *s;

	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		const char *v = getenv(passed[i]);

		if (!v)
			continue;
		s = xasprintf("%s=%s", passed[i], v);
		words_add(&env, s);
		free(s);
	}
	s = xasprintf("GIT_CONFIG_GLOBAL=%s/mirrors/gitconfig", cache);
	words_add(&env, s);
	free(s);
	s = xasprintf("HOME=%s/mirrors", cache);
	words_add(&env, s);
	free(s);
	words_add(&env, "GIT_CONFIG_NOSYSTEM=1");
	words_add(&env, "GIT_TERMINAL_PROMPT=0");
	words_add(&env, "GIT_ATTR_NOSYSTEM=1");
	words_add(&env, "LC_ALL=C.UTF-8");
	return words_take(&env);
}

/* What a terminal would show in the end of lines that were written over. */
static void
add_settled(struct buf *out, struct slice s)
{
	while (s.n) {
		const char *end = memchr(s.p, '\n', s.n), *cr;
		size_t n = end ? (size_t)(end - s.p) : s.n, from = 0;

		while ((cr = memchr(s.p + from, '\r', n - from)) &&
			cr + 1 < s.p + n)
			from = (size_t)(cr - s.p) + 1;
		buf_add(out, s.p + from, n - from);
		buf_char(out, '\n');
		n += end != NULL;
		s = (struct slice){s.p + n, s.n - n};
	}
}

/* The path that git reads a file URL as, in a; NULL of another URL. */
static const char *
file_path(const char *url, struct arena *a)
{
	CLEANUP(buf_fini)
	struct buf path = {0};
	unsigned byte;

	if (strncmp(url, "file://", 7) != 0)
		return NULL;
	for (url += 7; *url; url++)
		if (*url == '%' && isxdigit((unsigned char)url[1]) &&
			isxdigit((unsigned char)url[2]) &&
			sscanf(url + 1, "%2x", &byte) == 1 && byte) {
			buf_char(&path, (char)byte);
			url += 2;
		} else {
			buf_char(&path, *url);
		}
	return arena_copy(a, path.p, path.n);
}

/* How the sandbox ended is not how git did: into *outcome what git did. */
static int
settle(const struct git *g, struct outcome *outcome, bool has_run, int code,
	struct slice log, struct err *e)
{
	if (outcome->end != CHILD_EXITED)
		return 0;
	if (!has_run) {
		const char *said = classify_last_lines(g->a, log, 1);

		return err_set(e, ERR_HOST, "the sandbox could not run git: %s",
			said ? said : "no word of why");
	}
	outcome->code = code;
	/* bwrap gives 128 and the signal; git itself gives 128 and 129. */
	if (code > 129) {
		outcome->end = CHILD_SIGNALLED;
		outcome->code = code - 128;
	}
	return 0;
}

/* Run git in the mirror; args is NULL-ended.  place: where it is to fetch from;
 * NULL: it has no network.  *log gets its messages. */
static int
git_run(struct git *g, const char *const *args, const char *place,
	struct buf *log, struct outcome *outcome, struct err *e)
{
	CLEANUP(words_fini)
	struct words argv = {.arena = g->a};
	CLEANUP(sandbox_fini)
	struct sandbox box;
	CLEANUP(own_free)
	char *config = xasprintf("%s/mirrors/gitconfig", g->o->cache);
	const char *readable[] = {config, getenv("SSL_CERT_FILE"),
		getenv("SSL_CERT_DIR"), getenv("GIT_SSL_CAINFO"),
		place ? file_path(place, g->a) : NULL, NULL};
	const char *shown[ARRAY_LEN(readable)] = {NULL};
	const char *const *words;
	int64_t left_ms = g->o->until_ms - clock_mono_ms();
	struct child_spec spec = {
		.env = g->env,
		.deadline_ms = left_ms > 1 ? left_ms : 1,
		.silence_ms = g->o->silence_ms < PLACE_SILENCE_MS
			? g->o->silence_ms
			: PLACE_SILENCE_MS,
		.out_cap = OUTPUT_BYTES,
		.log_cap = g->o->log_cap,
	};
	size_t before = log->n, n = 0;
	bool has_run;
	int code;

	for (size_t i = 0; i < ARRAY_LEN(readable); i++)
		if (readable[i])
			shown[n++] = readable[i];
	sandbox_plan_git(&box, g->program, g->dir, shown, place != NULL);
	words_add(&argv, g->program);
	for (const char *const *s = settings; *s; s++)
		words_add(&argv, *s);
	words_add(&argv, "--git-dir");
	words_add(&argv, g->dir);
	while (*args)
		words_add(&argv, *args++);
	words = words_take(&argv);
	if (place && g->o->ran)
		g->o->ran(g->o->ran_arg, words);
	if (sandbox_run(&box, words, spec, g->said, log, g->o->stop, outcome,
		    &has_run, &code, e) < 0)
		return e->kind == ERR_ABSENT
			? err_set(e, ERR_HOST, "there is no bwrap to run")
			: -1;
	if (settle(g, outcome, has_run, code, buf_get(log), e) < 0)
		return -1;
	if (place)
		add_settled(g->o->log,
			(struct slice){
				buf_text(log) + before, log->n - before});
	return 0;
}

/* 1 when git exits with 0, 0 when not. */
static int
git_ask(struct git *g, const char *const *args, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct outcome o;

	if (git_run(g, args, NULL, &log, &o, e) < 0)
		return -1;
	return o.end == CHILD_EXITED && o.code == 0;
}

/* What must be there of the channel: 1, 0 or -1. */
static int
has_commits(struct git *g, const struct channel *c, struct err *e)
{
	const char *commits[] = {c->commit, c->intro_commit};

	for (size_t i = 0; i < ARRAY_LEN(commits); i++) {
		CLEANUP(own_free)
		char *object = NULL;
		int rc;

		if (!commits[i])
			continue;
		object = xasprintf("%s^{commit}", commits[i]);
		rc = git_ask(g,
			(const char *const[]){"cat-file", "-e", object, NULL},
			e);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

/* A branch for it, and HEAD there: a clone checks out what HEAD names. */
static int
keep(struct git *g, const struct channel *c, struct err *e)
{
	CLEANUP(own_free)
	char *ref = xasprintf(KEEP "%s", c->commit);
	int rc = git_ask(g,
		(const char *const[]){"update-ref", ref, c->commit, NULL}, e);

	if (rc > 0)
		rc = git_ask(g,
			(const char *const[]){
				"symbolic-ref", "HEAD", ref, NULL},
			e);
	if (rc == 0)
		return err_set(
			e, ERR_HOST, "%s: git cannot write a branch", g->dir);
	return rc < 0 ? -1 : 0;
}

/* When the commit was made, as it says; of a channel, so it may say anything. */
static int
read_date(struct git *g, const struct channel *c, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf said = {0};
	struct git asking = *g;
	long long date = -1;
	int rc;

	if (!g->o->date_s)
		return 0;
	asking.said = &said;
	rc = git_ask(&asking,
		(const char *const[]){"log", "-1", "--no-show-signature",
			"--format=%ct", c->commit, "--", NULL},
		e);
	if (rc > 0 &&
		(sscanf(buf_text(&said), "%lld", &date) != 1 || date < 0 ||
			date > REBUILD_DATE_MAX))
		date = -1;
	*g->o->date_s = date;
	return rc < 0 ? -1 : 0;
}

static int
prepare(struct git *g, struct err *e)
{
	/* A repository of another user may be named by a file URL of the
	 * trust list; git reads this there only from a file. */
	static const char config[] = "[safe]\n\tdirectory = *\n";
	CLEANUP(own_free)
	char *path = xasprintf("%s/mirrors/gitconfig", g->o->cache);
	CLEANUP(own_free)
	char *head = xasprintf("%s/HEAD", g->dir);
	int rc;

	if (!path_exists(path) &&
		aside_write(path, config, sizeof(config) - 1, e) < 0)
		return -1;
	/* It is there before the sandbox that shows it. */
	if (path_mkdirs(g->dir, 0755, e) < 0)
		return -1;
	if (path_exists(head))
		return 0;
	rc = git_ask(g,
		(const char *const[]){
			"init", "--quiet", "--bare", "--template=", NULL},
		e);
	if (rc == 0)
		return err_set(e, ERR_HOST, "%s: git cannot make it", g->dir);
	return rc < 0 ? -1 : 0;
}

/* 1 when fetched, 0 with *why when not. */
static int
fetch(struct git *g, const char *place, struct diagnosis *why, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf log = {0};
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct outcome o;

	if (git_run(g,
		    (const char *const[]){"fetch", "--progress", "--no-tags",
			    "--no-auto-gc", "--no-write-fetch-head", "--",
			    place, "+refs/heads/*:refs/heads/*",
			    "+refs/tags/*:refs/tags/*", NULL},
		    place, &log, &o, e) < 0)
		return -1;
	if (o.end == CHILD_EXITED && o.code == 0)
		return 1;
	*why = (struct diagnosis){0};
	if (o.end == CHILD_EXITED) {
		classify(g->a, STEP_MIRROR, buf_get(&log), why);
		return 0;
	}
	buf_printf(&text, "git fetch of %s: ", place);
	child_describe(&o, &text);
	why->cause = arena_copy(g->a, buf_text(&text), text.n);
	/* Silent is as good as not there: others may have it. */
	why->end = o.end == CHILD_DEADLINE ? REBUILD_TIMEOUT
		: o.end == CHILD_SILENT    ? REBUILD_UNAVAILABLE
					   : REBUILD_NOT_TRIED;
	why->class_ = o.end == CHILD_DEADLINE ? "deadline"
		: o.end == CHILD_SILENT       ? "channel-unreachable"
		: o.end == CHILD_STOPPED      ? "stopped"
					      : "killed";
	return 0;
}

static void
say(struct diagnosis *why, struct arena *a, const struct channel *c,
	const struct buf *asked, bool is_reached)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (is_reached) {
		buf_printf(&text, "Commit %s of channel '", c->commit);
		text_clean(&text, slice_of(c->name), TEXT_ONE_LINE);
		buf_str(&text, "' (or its introduction) is nowhere.");
	} else {
		buf_str(&text, "Channel '");
		text_clean(&text, slice_of(c->name), TEXT_ONE_LINE);
		buf_str(&text, "' cannot be fetched.");
	}
	buf_str(&text, " Asked:");
	buf_slice(&text, buf_get(asked));
	buf_char(&text, '.');
	why->end = REBUILD_UNAVAILABLE;
	why->class_ = is_reached ? "commit-missing" : "channel-unreachable";
	why->cause = arena_copy(a, buf_text(&text), text.n);
	why->advice = "If the channel has moved, or somebody has a copy, name "
		      "the place: --mirror OLD=NEW.";
}

/* 1, 0, -1 as mirror_get. */
static int
fetch_all(struct git *g, const struct channel *c, struct diagnosis *why,
	struct err *e)
{
	const char *const *place = mirror_places(g->o->redirects, c->url, g->a);
	CLEANUP(buf_fini)
	struct buf asked = {0};
	bool is_reached = false;
	int rc;

	for (; *place; place++) {
		if (asked.n)
			buf_char(&asked, ';');
		rc = fetch(g, *place, why, e);
		if (rc < 0)
			return -1;
		if (rc == 0 && why->end != REBUILD_UNAVAILABLE)
			return 0;
		buf_printf(&asked, " %s (", *place);
		if (rc == 0) {
			buf_str(&asked, why->cause);
			buf_char(&asked, ')');
			continue;
		}
		is_reached = true;
		rc = has_commits(g, c, e);
		if (rc != 0)
			return rc;
		buf_str(&asked, "it does not have it)");
	}
	say(why, g->a, c, &asked, is_reached);
	return 0;
}

int
mirror_get(const struct mirror_options *o, const struct channel *c,
	struct arena *a, const char **path, struct diagnosis *why,
	struct err *e)
{
	CLEANUP(own_free)
	char *dir = mirror_path(o->cache, c->url);
	CLEANUP(own_free)
	char *lock_path = xasprintf("%s.lock", dir);
	CLEANUP(own_free)
	char *folder = path_dir(dir);
	CLEANUP(own_free)
	char *git = path_program("git");
	CLEANUP(own_fd)
	int lock = -1;
	struct git g = {o, git, dir, git_env(a, o->cache), a, NULL};
	int rc;

	*why = (struct diagnosis){0};
	if (!git)
		return err_set(e, ERR_ABSENT, "there is no git on PATH");
	if (path_mkdirs(folder, 0755, e) < 0)
		return -1;
	lock = mirror_lock(lock_path, o->until_ms, o->stop, e);
	if (lock < 0)
		return -1;
	if (prepare(&g, e) < 0)
		return -1;
	rc = has_commits(&g, c, e);
	if (rc == 0)
		rc = fetch_all(&g, c, why, e);
	if (rc <= 0)
		return rc;
	if (keep(&g, c, e) < 0 || read_date(&g, c, e) < 0)
		return -1;
	*path = arena_copy(a, dir, strlen(dir));
	return 1;
}
