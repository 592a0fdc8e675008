/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "provenance/profile.h"

int
profile_bad(const struct sexp *s, struct err *e, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_INPUT, "line %u column %u: %s", s->line,
		s->column, what);
}

int
profile_text(struct arena *a, const struct sexp *s, const char *what,
	const char **out, struct err *e)
{
	if (s->type != SEXP_STRING)
		return profile_bad(s, e, "%s is not a string", what);
	if (memchr(s->text.p, '\0', s->text.n))
		return profile_bad(s, e, "%s holds a NUL", what);
	*out = arena_copy(a, s->text.p, s->text.n);
	return 0;
}

/* Is s (KEY STRING)? */
static bool
is_text_field(const struct sexp *s, const char *key)
{
	return sexp_is(s, key) && sexp_len(s) == 2 && !s->dotted &&
		sexp_at(s, 1)->type == SEXP_STRING;
}

static bool
is_version_0(const struct sexp *s)
{
	int64_t version;

	return sexp_is(s, "version") && sexp_len(s) == 2 &&
		sexp_int(sexp_at(s, 1), &version) && version == 0;
}

/* (repository (version 0) (url S) (branch S) (commit S) ...), in this order:
 * Guix reads nothing else. */
static bool
is_repository(const struct sexp *s)
{
	return sexp_is(s, "repository") && is_version_0(sexp_at(s, 1)) &&
		is_text_field(sexp_at(s, 2), "url") &&
		is_text_field(sexp_at(s, 3), "branch") &&
		is_text_field(sexp_at(s, 4), "commit");
}

static bool
is_introduction(const struct sexp *s)
{
	return sexp_is(s, "channel-introduction") &&
		is_version_0(sexp_at(s, 1)) &&
		is_text_field(sexp_at(s, 2), "commit") &&
		is_text_field(sexp_at(s, 3), "signer");
}

static const struct sexp *
value_of(const struct sexp *repository, const char *key)
{
	SEXP_FOREACH(x, repository) {
		if (sexp_is(x, key) && sexp_len(x) == 2)
			return sexp_at(x, 1);
	}
	return NULL;
}

/* What a repository says; its name is NULL when none is recorded. */
static int
read_repository(
	struct arena *a, const struct sexp *s, struct channel *c, struct err *e)
{
	const struct sexp *name = value_of(s, "name");
	const struct sexp *intro = value_of(s, "introduction");

	*c = (struct channel){0};
	if (profile_text(a, value_of(s, "url"), "url", &c->url, e) < 0 ||
		profile_text(a, value_of(s, "branch"), "branch", &c->branch,
			e) < 0 ||
		profile_text(
			a, value_of(s, "commit"), "commit", &c->commit, e) < 0)
		return -1;
	if (name && name->type == SEXP_SYMBOL) {
		if (memchr(name->text.p, '\0', name->text.n))
			return profile_bad(name, e, "name holds a NUL");
		c->name = arena_copy(a, name->text.p, name->text.n);
		c->is_named = true;
	}
	if (!is_introduction(intro))
		return 0;
	if (profile_text(a, value_of(intro, "commit"), "commit",
		    &c->intro_commit, e) < 0)
		return -1;
	return profile_text(
		a, value_of(intro, "signer"), "signer", &c->intro_signer, e);
}

/* Does another repository already go by this name? */
static bool
is_taken(const struct channels *cs, const char *name, const char *url)
{
	for (size_t i = 0; i < cs->n; i++) {
		if (strcmp(cs->v[i].name, name) == 0 &&
			strcmp(cs->v[i].url, url) != 0)
			return true;
	}
	return false;
}

/*
 * The name that Guix gives when none is recorded: the first of an entry is
 * guix, the k-th other one channelK.  Guix counts within an entry; here two
 * repositories never share a made-up name, else one would be lost.
 */
static void
make_name(struct channels *cs, struct channel *c, size_t k)
{
	char name[40];

	if (k == 0) {
		c->name = "guix";
		return;
	}
	do
		snprintf(name, sizeof(name), "channel%zu", k++);
	while (is_taken(cs, name, c->url));
	c->name = arena_copy(cs->arena, name, strlen(name));
}

static bool
is_same(const struct channel *a, const struct channel *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->url, b->url) == 0 &&
		strcmp(a->commit, b->commit) == 0;
}

/* The index of c, which is appended when it is new. */
static int
intern(struct channels *cs, const struct channel *c, size_t *index,
	struct err *e)
{
	for (*index = 0; *index < cs->n; ++*index) {
		if (is_same(&cs->v[*index], c))
			return 0;
	}
	if (cs->n == PROFILE_CHANNELS_MAX)
		return err_set(e, ERR_POLICY, "more than %d distinct channels",
			PROFILE_CHANNELS_MAX);
	VEC_GROW(cs->v, cs->n, cs->cap);
	cs->v[cs->n++] = *c;
	return 0;
}

int
channels_read(struct channels *cs, const struct sexp *list, const size_t **out,
	size_t *n, struct err *e)
{
	size_t *found = arena_alloc(cs->arena, sexp_len(list) * sizeof(*found));
	size_t k = 0;

	*out = found;
	*n = 0;
	for (const struct sexp *s = list->first->next; s; s = s->next) {
		struct channel c;

		if (!is_repository(s)) {
			words_say(cs->notes,
				"line %u of the profile's manifest: a "
				"repository of an unknown form was left out, "
				"as Guix does",
				s->line);
			if (k == 0) /* without guix, Guix takes none */
				return 0;
			continue;
		}
		if (read_repository(cs->arena, s, &c, e) < 0)
			return -1;
		if (!c.name)
			make_name(cs, &c, k);
		k++;
		if (intern(cs, &c, &found[*n], e) < 0)
			return -1;
		++*n;
	}
	return 0;
}
