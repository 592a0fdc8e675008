/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/guix.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/sexp.h"
#include "base/text.h"
#include "rebuild/closure.h"

enum {
	HASH_DIGITS = 32
};

bool
guix_is_store_path(struct slice s)
{
	size_t at = strlen(GUIX_STORE);

	if (!slice_starts(s, GUIX_STORE) || s.n < at + HASH_DIGITS + 2 ||
		s.n > at + HASH_DIGITS + 1 + GUIX_NAME_MAX)
		return false;
	for (size_t i = 0; i < HASH_DIGITS; i++)
		if (!s.p[at + i] ||
			!strchr("0123456789abcdfghijklmnpqrsvwxyz",
				s.p[at + i]))
			return false;
	at += HASH_DIGITS;
	if (s.p[at] != '-' || s.p[at + 1] == '.')
		return false;
	for (at++; at < s.n; at++)
		if (!s.p[at] ||
			!strchr("0123456789abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ+-._?=",
				s.p[at]))
			return false;
	return true;
}

bool
guix_is_drv(struct slice s)
{
	return guix_is_store_path(s) && slice_ends(s, ".drv");
}

static void
add_all(struct words *w, const char *const *words)
{
	while (*words)
		words_add(w, *words++);
}

void
guix_time_machine(struct words *cmd, const char *guix, const char *channels,
	const char *const *limits)
{
	words_add(cmd, guix);
	guix_travel(cmd, channels, limits);
}

void
guix_travel(struct words *cmd, const char *channels, const char *const *limits)
{
	words_add(cmd, "time-machine");
	add_all(cmd, limits);
	words_add(cmd, "-C");
	words_add(cmd, channels);
	words_add(cmd, "--");
}

void
guix_pack(struct words *cmd, const struct recipe *r, const char *manifest,
	const char *const *limits)
{
	words_add(cmd, "pack");
	add_all(cmd, limits);
	/* The lines of a build are signs of life. */
	words_add(cmd, "--verbosity=3");
	for (size_t i = 0; i < r->n_options; i++)
		words_add(cmd, r->options[i]);
	words_add(cmd, "-d");
	words_add(cmd, "-m");
	words_add(cmd, manifest);
}

bool
guix_log_line(struct slice *log, struct slice *line)
{
	/* U+2580 to U+259F, block elements: guix/progress.scm draws with
	 * them.  In UTF-8: e2 96 80 to e2 96 9f. */
	const unsigned char *p = (const unsigned char *)log->p;
	size_t i = 0, n = log->n, begin;

	for (;;) {
		while (i < n) {
			if (p[i] == '\n' || p[i] == '\r' || p[i] == ' ')
				i++;
			else if (i + 2 < n && p[i] == 0xe2 &&
				p[i + 1] == 0x96 && p[i + 2] >= 0x80 &&
				p[i + 2] <= 0x9f)
				i += 3;
			else if (p[i] == 0x1b && i + 1 < n && p[i + 1] == '[') {
				for (i += 2; i < n && p[i] < 0x40; i++)
					;
				i += i < n;
			} else {
				break;
			}
		}
		if (i == n) {
			*log = (struct slice){log->p + n, 0};
			return false;
		}
		begin = i;
		while (i < n && p[i] != '\n' && p[i] != '\r' && p[i] != 0x1b &&
			!(i + 2 < n && p[i] == 0xe2 && p[i + 1] == 0x96 &&
				p[i + 2] >= 0x80 && p[i + 2] <= 0x9f))
			i++;
		/* A lone escape cannot hold us up. */
		if (i == begin)
			i++;
		*line = (struct slice){log->p + begin, i - begin};
		*log = (struct slice){log->p + i, n - i};
		return true;
	}
}

const char *
guix_version(struct arena *a, struct slice out)
{
	/* guix (GNU Guix) 1.5.0 */
	const char *mark = "(GNU Guix) ";
	struct slice line;
	size_t n;

	if (!guix_log_line(&out, &line))
		return NULL;
	for (size_t i = 0; i + strlen(mark) < line.n; i++) {
		if (memcmp(line.p + i, mark, strlen(mark)) != 0)
			continue;
		i += strlen(mark);
		for (n = 0; i + n < line.n && n < 80 && line.p[i + n] > ' ' &&
			line.p[i + n] <= '~';
			n++)
			;
		return n ? arena_copy(a, line.p + i, n) : NULL;
	}
	return NULL;
}

const char *
guix_drv_printed(struct arena *a, struct slice out)
{
	struct slice line, found = {0};

	while (guix_log_line(&out, &line)) {
		if (!guix_is_drv(line))
			continue;
		if (found.p && !slice_eq(found, line))
			return NULL;
		found = line;
	}
	return found.p ? arena_copy(a, found.p, found.n) : NULL;
}

/* --- guix describe -f channels ------------------------------------------- */

static const char *
copy(struct arena *a, struct slice s)
{
	if (!s.p || memchr(s.p, '\0', s.n))
		return NULL;
	return arena_copy(a, s.p, s.n);
}

/* (make-channel-introduction "COMMIT" (openpgp-fingerprint "SIGNER")) */
static void
read_introduction(struct arena *a, const struct sexp *s, struct channel *c)
{
	const struct sexp *intro = sexp_at(s, 1), *signer = sexp_at(intro, 2);

	if (!sexp_is(intro, "make-channel-introduction"))
		return;
	c->intro_commit = copy(a, sexp_str(sexp_at(intro, 1)));
	c->intro_signer = copy(a, sexp_str(sexp_at(signer, 1)));
}

static int
read_channel(
	struct arena *a, const struct sexp *s, struct channel *c, struct err *e)
{
	/* 'name is (quote name) */
	const struct sexp *name = sexp_at(sexp_at(sexp_assoc(s, "name"), 1), 1);

	if (name && name->type == SEXP_SYMBOL)
		c->name = copy(a, name->text);
	c->is_named = c->name != NULL;
	c->url = copy(a, sexp_str(sexp_at(sexp_assoc(s, "url"), 1)));
	c->branch = copy(a, sexp_str(sexp_at(sexp_assoc(s, "branch"), 1)));
	c->commit = copy(a, sexp_str(sexp_at(sexp_assoc(s, "commit"), 1)));
	read_introduction(a, sexp_assoc(s, "introduction"), c);
	if (!c->name || !c->url || !c->commit)
		return err_set(e, ERR_INPUT,
			"line %u: a channel without name, url or commit",
			s->line);
	return 0;
}

int
guix_channels_parse(struct arena *a, struct slice out,
	struct channel **channels, size_t *n, struct err *e)
{
	const struct sexp *all = sexp_parse(a, out, e), *list;

	if (!all)
		return -1;
	list = sexp_at(all, 0);
	if (sexp_len(all) != 1 || !sexp_is(list, "list"))
		return err_set(e, ERR_INPUT, "this is no list of channels");
	*n = 0;
	*channels = arena_alloc(a, sexp_len(list) * sizeof(**channels));
	for (const struct sexp *s = list->first->next; s; s = s->next) {
		if (!sexp_is(s, "channel"))
			return err_set(e, ERR_INPUT,
				"line %u: this is no channel", s->line);
		if (read_channel(a, s, &(*channels)[(*n)++], e) < 0)
			return -1;
	}
	return 0;
}

/* ("NAME" VERSION ... (properties (source (repository ...)))): the entry of a
 * channel (guix/channels.scm, channel-instances->manifest). */
static int
read_entry(
	struct arena *a, const struct sexp *s, struct channel *c, struct err *e)
{
	const struct sexp *r =
		sexp_at(sexp_assoc(sexp_assoc(s, "properties"), "source"), 1);
	const struct sexp *intro = sexp_at(sexp_assoc(r, "introduction"), 1);
	const struct sexp *name = sexp_at(sexp_assoc(r, "name"), 1);

	if (!sexp_is(r, "repository"))
		return err_set(e, ERR_INPUT, "line %u: an entry of no channel",
			s->line);
	*c = (struct channel){
		.name = copy(a, sexp_str(sexp_at(s, 0))),
		.is_named = name && name->type == SEXP_SYMBOL,
		.url = copy(a, sexp_str(sexp_at(sexp_assoc(r, "url"), 1))),
		.branch =
			copy(a, sexp_str(sexp_at(sexp_assoc(r, "branch"), 1))),
		.commit =
			copy(a, sexp_str(sexp_at(sexp_assoc(r, "commit"), 1))),
	};
	if (sexp_is(intro, "channel-introduction")) {
		c->intro_commit = copy(
			a, sexp_str(sexp_at(sexp_assoc(intro, "commit"), 1)));
		c->intro_signer = copy(
			a, sexp_str(sexp_at(sexp_assoc(intro, "signer"), 1)));
	}
	if (!c->name || !c->url || !c->commit)
		return err_set(e, ERR_INPUT,
			"line %u: a channel without name, url or commit",
			s->line);
	return 0;
}

int
guix_instance_parse(struct arena *a, struct slice manifest,
	struct channel **channels, size_t *n, struct err *e)
{
	const struct sexp *all = sexp_parse(a, manifest, e), *list;

	if (!all)
		return -1;
	list = sexp_at(sexp_assoc(sexp_at(all, 0), "packages"), 1);
	if (sexp_len(all) != 1 || !sexp_is(sexp_at(all, 0), "manifest") ||
		!list)
		return err_set(e, ERR_INPUT, "this is no manifest");
	*n = 0;
	*channels = arena_alloc(a, (sexp_len(list) + 1) * sizeof(**channels));
	SEXP_FOREACH(s, list) {
		if (read_entry(a, s, &(*channels)[(*n)++], e) < 0)
			return -1;
	}
	return 0;
}

static bool
differs(struct buf *why, const char *name, const char *what, const char *want,
	const char *have)
{
	if (want && have && strcmp(want, have) == 0)
		return false;
	buf_str(why, "channel '");
	text_clean(why, slice_of(name), TEXT_ONE_LINE);
	buf_printf(why, "': the instance's %s is ", what);
	text_clean(why, slice_of(have ? have : "none"), TEXT_ONE_LINE);
	buf_str(why, ", the recipe's ");
	text_clean(why, slice_of(want ? want : "none"), TEXT_ONE_LINE);
	return true;
}

/* Fingerprints are the same with other spaces. */
static char *
without_spaces(const char *s)
{
	char *out = xstrdup(s ? s : ""), *to = out;

	for (const char *p = out; *p; p++)
		if (*p != ' ')
			*to++ = *p;
	*to = '\0';
	return out;
}

static bool
channel_differs(
	const struct channel *want, const struct channel *have, struct buf *why)
{
	CLEANUP(own_free)
	char *a = NULL;
	CLEANUP(own_free)
	char *b = NULL;

	if (differs(why, want->name, "URL", want->url, have->url) ||
		differs(why, want->name, "commit", want->commit, have->commit))
		return true;
	if (!want->intro_commit)
		return false;
	a = without_spaces(want->intro_signer);
	b = without_spaces(have->intro_signer);
	return differs(why, want->name, "introduction", want->intro_commit,
		       have->intro_commit) ||
		differs(why, want->name, "introduction's signer", a, b);
}

bool
guix_channels_match(const struct channel *want, size_t n_want,
	const struct channel *have, size_t n_have, struct buf *why)
{
	if (n_want != n_have) {
		buf_printf(why, "the instance has %zu channels, the recipe %zu",
			n_have, n_want);
		return false;
	}
	for (size_t i = 0; i < n_want; i++) {
		size_t k = 0;

		while (k < n_have && strcmp(want[i].name, have[k].name) != 0)
			k++;
		if (k == n_have) {
			buf_str(why, "the instance has no channel '");
			text_clean(why, slice_of(want[i].name), TEXT_ONE_LINE);
			buf_str(why, "'");
			return false;
		}
		if (channel_differs(&want[i], &have[k], why))
			return false;
	}
	return true;
}

/* --- logs of builds -------------------------------------------------------- */

bool
guix_told_built(const struct guix_told *t, const char *drv)
{
	for (size_t i = 0; i < t->n_built; i++)
		if (strcmp(t->built[i], drv) == 0)
			return true;
	return false;
}

void
guix_told_read(struct guix_told *t, struct arena *a, struct slice log)
{
	static const char done[] = "successfully built ";
	static const char substitute[] = "substituting " GUIX_STORE;
	struct slice line;

	while (guix_log_line(&log, &line)) {
		const char *drv;

		if (slice_starts(line, substitute)) {
			t->substituted++;
			continue;
		}
		if (!slice_starts(line, done))
			continue;
		line.p += strlen(done);
		line.n -= strlen(done);
		if (!guix_is_drv(line) || t->n_built == GUIX_BUILT_MAX)
			continue;
		drv = arena_copy(a, line.p, line.n);
		/* A --check says it twice. */
		if (guix_told_built(t, drv))
			continue;
		VEC_GROW(t->built, t->n_built, t->cap);
		t->built[t->n_built++] = drv;
	}
}

void
guix_told_fini(struct guix_told *t)
{
	free(t->built);
	*t = (struct guix_told){0};
}

const char *
guix_check_differs(
	struct arena *a, struct slice log, const char *drv, const char *output)
{
	/* guix build: error: derivation `DRV' may not be deterministic:
	 * output `PATH' differs from `PATH-check' */
	CLEANUP(own_free)
	char *want = xasprintf(
		"derivation `%s' may not be deterministic: output `%s' differs "
		"from `%s-check'",
		drv, output, output);
	CLEANUP(own_free)
	char *quoted = xasprintf(
		"derivation `%s' may not be deterministic: output `%s' differs "
		"from \u2018%s-check\u2019",
		drv, output, output);
	struct slice line;

	while (guix_log_line(&log, &line))
		if (slice_ends(line, want) || slice_ends(line, quoted)) {
			CLEANUP(own_free)
			char *path = xasprintf("%s-check", output);

			return arena_copy(a, path, strlen(path));
		}
	return NULL;
}

const char *
guix_kept_folder(struct arena *a, struct slice log, const char *drv)
{
	/* nix/libstore/build.cc, deleteTmpDir; the folder's name is
	 * guix-build-NAME.drv-N (startBuilder). */
	static const char note[] = "note: keeping build directory `";
	CLEANUP(own_free)
	char *base = xasprintf("/guix-build-%s-", closure_name(drv));
	struct slice line, found = {0};

	while (guix_log_line(&log, &line)) {
		size_t at, digits;

		if (!slice_starts(line, note) || !slice_ends(line, "'"))
			continue;
		line.p += strlen(note);
		line.n -= strlen(note) + 1;
		for (digits = 0;
			digits < line.n && line.p[line.n - 1 - digits] >= '0' &&
			line.p[line.n - 1 - digits] <= '9';
			digits++)
			;
		at = line.n - digits;
		/* A builder can say so too: nothing but such a folder. */
		if (digits && *line.p == '/' &&
			slice_ends((struct slice){line.p, at}, base) &&
			!memmem(line.p, line.n, "/../", 4) &&
			!memchr(line.p, '\0', line.n))
			found = line;
	}
	return found.n ? arena_copy(a, found.p, found.n) : NULL;
}

bool
guix_check_impossible(struct slice log, const char *drv)
{
	/* nix/libstore/build.cc, DerivationGoal::haveDerivation */
	CLEANUP(own_free)
	char *want = xasprintf("`%s' is missing outputs; ", drv);
	struct slice line;

	while (guix_log_line(&log, &line))
		if (slice_starts(line, "guix build: error: ") &&
			memmem(line.p, line.n, want, strlen(want)))
			return true;
	return false;
}
