/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/trust.h"

#include <string.h>

#include "base/path.h"
#include "base/sexp.h"
#include "base/text.h"
#include "rebuild/policy.h"

/* ERR_INPUT "FILE:LINE:COLUMN: what", at the place of s. */
static int
at(const char *path, const struct sexp *s, const char *what, struct err *e)
{
	return err_set(
		e, ERR_INPUT, "%s:%u:%u: %s", path, s->line, s->column, what);
}

/* The one string of (KEY "..."), into *out; a second one is a duplicate. */
static int
read_string(const char *path, const struct sexp *field, struct arena *a,
	const char **out, struct err *e)
{
	struct slice s = sexp_str(sexp_at(field, 1));

	if (*out)
		return at(path, field, "given twice", e);
	if (sexp_len(field) != 2 || !s.p || s.n == 0)
		return at(path, field, "one string was expected", e);
	if (memchr(s.p, '\0', s.n))
		return at(path, field, "a string holds a NUL", e);
	*out = arena_copy(a, s.p, s.n);
	return 0;
}

static bool
is_fingerprint(const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		if (*s == ' ')
			continue;
		if (!strchr("0123456789abcdefABCDEF", *s))
			return false;
		n++;
	}
	return n == 40;
}

static int
read_introduction(const char *path, const struct sexp *intro, struct trust *t,
	struct trusted *into, struct err *e)
{
	for (const struct sexp *f = intro->first->next; f; f = f->next) {
		const char **to = sexp_is(f, "commit") ? &into->intro_commit
			: sexp_is(f, "signer")         ? &into->intro_signer
						       : NULL;

		if (!to)
			return at(path, f,
				"unknown field of an introduction: commit and "
				"signer are known",
				e);
		if (read_string(path, f, &t->arena, to, e) < 0)
			return -1;
	}
	if (!into->intro_commit || !into->intro_signer)
		return at(path, intro,
			"an introduction has a commit and a signer", e);
	if (!policy_commit_ok(into->intro_commit))
		return at(
			path, intro, "a commit is 40 lower-case hex digits", e);
	if (!is_fingerprint(into->intro_signer))
		return at(path, intro,
			"a signer is an OpenPGP fingerprint of 40 hex digits",
			e);
	return 0;
}

static bool
same(const struct trusted *a, const struct trusted *b)
{
	if (strcmp(a->url, b->url) != 0 || !a->intro_commit != !b->intro_commit)
		return false;
	return !a->intro_commit ||
		(strcmp(a->intro_commit, b->intro_commit) == 0 &&
			trust_signer_eq(a->intro_signer, b->intro_signer));
}

static int
read_channel(const char *path, const struct sexp *channel, struct trust *t,
	struct err *e)
{
	struct trusted c = {0};

	for (const struct sexp *f = channel->first->next; f; f = f->next) {
		int rc;

		if (sexp_is(f, "url"))
			rc = read_string(path, f, &t->arena, &c.url, e);
		else if (!sexp_is(f, "introduction"))
			return at(path, f,
				"unknown field of a channel: url and "
				"introduction are known",
				e);
		else if (c.intro_commit)
			return at(path, f, "given twice", e);
		else
			rc = read_introduction(path, f, t, &c, e);
		if (rc < 0)
			return -1;
	}
	if (!c.url)
		return at(path, channel, "a channel has a url", e);
	if (!policy_url_ok(c.url))
		return at(path, channel,
			"the url is none that is fetched: https, http, git, or "
			"file with an absolute path",
			e);
	for (size_t i = 0; i < t->n; i++)
		if (same(&t->list[i], &c))
			return at(path, channel, "this channel is there twice",
				e);
	if (t->n == TRUST_ENTRIES)
		return at(path, channel, "too many channels", e);
	VEC_GROW(t->list, t->n, t->cap);
	t->list[t->n++] = c;
	return 0;
}

static int
read_version(const char *path, const struct sexp *f, bool *has, struct err *e)
{
	int64_t n;

	if (*has)
		return at(path, f, "given twice", e);
	if (sexp_len(f) != 2 || !sexp_int(sexp_at(f, 1), &n) || n != 0)
		return at(path, f, "only version 0 is known", e);
	*has = true;
	return 0;
}

static int
read_trust(const char *path, const struct sexp *all, struct trust *t,
	struct err *e)
{
	const struct sexp *top = sexp_at(all, 0);
	bool has_version = false;

	if (sexp_len(all) != 1 || !sexp_is(top, "trust"))
		return at(path, top ? top : all,
			"a trust file is one (trust ...)", e);
	for (const struct sexp *f = top->first->next; f; f = f->next) {
		int rc;

		if (sexp_is(f, "version"))
			rc = read_version(path, f, &has_version, e);
		else if (sexp_is(f, "channel"))
			rc = read_channel(path, f, t, e);
		else
			return at(path, f,
				"unknown field: version and channel are known",
				e);
		if (rc < 0)
			return -1;
	}
	if (!has_version)
		return at(path, top, "(version 0) is missing", e);
	return 0;
}

/* "line L column C: what" becomes what an editor jumps to. */
static void
place(const char *path, struct err *e)
{
	char what[sizeof(e->text)];
	unsigned line, column;
	int end = 0;

	memcpy(what, e->text, sizeof(what));
	if (sscanf(what, "line %u column %u: %n", &line, &column, &end) == 2 &&
		end > 0)
		(void)!err_set(e, ERR_INPUT, "%s:%u:%u: %s", path, line, column,
			what + end);
	else
		(void)!err_wrap(e, "%s", path);
}

struct trust *
trust_load(const char *path, struct err *e)
{
	CLEANUP(own_trust)
	struct trust *t = xcalloc(1, sizeof(*t));
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(arena_fini)
	struct arena a = {0};
	const struct sexp *all;

	if (!path)
		return STEAL(t);
	if (path_read(path, TRUST_FILE_BYTES, &text, e) < 0)
		return NULL;
	all = sexp_parse(&a, buf_get(&text), e);
	if (!all) {
		place(path, e);
		return NULL;
	}
	if (read_trust(path, all, t, e) < 0)
		return NULL;
	return STEAL(t);
}

void
trust_free(struct trust *t)
{
	if (!t)
		return;
	free(t->list);
	arena_fini(&t->arena);
	free(t);
}

void
own_trust(struct trust **t)
{
	trust_free(*t);
}
