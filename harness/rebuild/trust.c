/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/trust.h"

#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "rebuild/form.h"
#include "rebuild/official.h"

/* --- the file -------------------------------------------------------------- */

static bool
same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
same(const struct trusted *a, const struct trusted *b)
{
	return same_text(a->url, b->url) &&
		same_text(a->intro_commit, b->intro_commit) &&
		!a->intro_signer == !b->intro_signer &&
		(!a->intro_signer ||
			trust_signer_eq(a->intro_signer, b->intro_signer));
}

static int
add(const struct form *f, const struct sexp *entry, const struct trusted *it,
	struct err *e)
{
	struct trust *t = f->into;

	for (size_t i = 0; i < t->n; i++)
		if (same(&t->list[i], it))
			return form_at(f, entry, "this is there twice", e);
	if (t->n == TRUST_ENTRIES)
		return form_at(f, entry, "too many entries", e);
	VEC_GROW(t->list, t->n, t->cap);
	t->list[t->n++] = *it;
	return 0;
}

static int
check_signer(const struct form *f, const struct sexp *at, const char *signer,
	struct err *e)
{
	if (policy_signer_ok(signer))
		return 0;
	return form_at(f, at,
		"a signer is an OpenPGP fingerprint of 40 hex digits", e);
}

static int
read_introduction(const struct form *f, const struct sexp *intro,
	struct trusted *into, struct err *e)
{
	for (const struct sexp *x = intro->first->next; x; x = x->next) {
		const char **to = sexp_is(x, "commit") ? &into->intro_commit
			: sexp_is(x, "signer")         ? &into->intro_signer
						       : NULL;

		if (!to)
			return form_at(f, x,
				"unknown field of an introduction: commit and "
				"signer are known",
				e);
		if (form_string(f, x, to, e) < 0)
			return -1;
	}
	if (!into->intro_commit || !into->intro_signer)
		return form_at(f, intro,
			"an introduction has a commit and a signer", e);
	if (!policy_commit_ok(into->intro_commit))
		return form_at(
			f, intro, "a commit is 40 lower-case hex digits", e);
	return check_signer(f, intro, into->intro_signer, e);
}

static int
read_channel(const struct form *f, const struct sexp *channel, struct err *e)
{
	struct trusted it = {0};

	for (const struct sexp *x = channel->first->next; x; x = x->next) {
		int rc;

		if (sexp_is(x, "url"))
			rc = form_string(f, x, &it.url, e);
		else if (!sexp_is(x, "introduction"))
			return form_at(f, x,
				"unknown field of a channel: url and "
				"introduction are known",
				e);
		else if (it.intro_commit)
			return form_at(f, x, "given twice", e);
		else
			rc = read_introduction(f, x, &it, e);
		if (rc < 0)
			return -1;
	}
	if (!it.url)
		return form_at(f, channel, "a channel has a url", e);
	if (!policy_url_ok(it.url))
		return form_at(f, channel,
			"the url is none that is fetched: https, http, git, or "
			"file with an absolute path",
			e);
	return add(f, channel, &it, e);
}

static int
read_introduced(const struct form *f, const struct sexp *intro, struct err *e)
{
	struct trusted it = {0};

	return read_introduction(f, intro, &it, e) < 0 ? -1
						       : add(f, intro, &it, e);
}

static int
read_signer(const struct form *f, const struct sexp *signer, struct err *e)
{
	struct trusted it = {0};

	if (form_string(f, signer, &it.intro_signer, e) < 0 ||
		check_signer(f, signer, it.intro_signer, e) < 0)
		return -1;
	return add(f, signer, &it, e);
}

struct trust *
trust_load(const char *path, struct err *e)
{
	static const struct form_field fields[] = {
		{"channel", read_channel},
		{"introduction", read_introduced},
		{"signer", read_signer},
	};
	CLEANUP(own_trust)
	struct trust *t = xcalloc(1, sizeof(*t));
	struct form f = {path, &t->arena, t};

	if (path &&
		form_read(&f, TRUST_FILE_BYTES, "trust", fields,
			ARRAY_LEN(fields), e) < 0)
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

/* --- the decision ---------------------------------------------------------- */

bool
trust_signer_eq(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

static void
quote(struct buf *out, const char *s)
{
	/* Bytes that no Scheme string can hold are shown, not pasted. */
	if (text_scheme(out, slice_of(s)) < 0) {
		buf_char(out, '"');
		text_clean(out, slice_of(s), TEXT_ONE_LINE);
		buf_char(out, '"');
	}
}

static void
print_line(struct buf *line, const struct channel *c)
{
	buf_str(line, "(channel (url ");
	quote(line, c->url);
	buf_char(line, ')');
	if (c->intro_commit && c->intro_signer) {
		buf_str(line, " (introduction (commit ");
		quote(line, c->intro_commit);
		buf_str(line, ") (signer ");
		quote(line, c->intro_signer);
		buf_str(line, "))");
	}
	buf_char(line, ')');
}

static void
tell(struct buf *why, const char *before, const char *value)
{
	buf_str(why, before);
	text_clean(why, slice_of(value), TEXT_ONE_LINE);
}

static void
print_why(struct buf *why, const struct channel *c, bool is_url_known)
{
	tell(why, "channel '", c->name ? c->name : "?");
	tell(why, "' from ", c->url ? c->url : "nowhere");
	tell(why, " at commit ", c->commit ? c->commit : "(not recorded)");
	if (c->intro_commit && c->intro_signer) {
		tell(why, ", introduced by ", c->intro_commit);
		tell(why, " signed by ", c->intro_signer);
	} else {
		buf_str(why, ", without an introduction");
	}
	buf_str(why,
		is_url_known ? ": this URL is trusted with another "
			       "introduction only"
			     : ": this URL is not on the trust list");
}

/* Of an entry that names an introduction or a signer, or neither. */
static bool
introduces(const struct trusted *t, const struct channel *c)
{
	if (!t->intro_signer)
		return true;
	return c->intro_commit && c->intro_signer &&
		(!t->intro_commit ||
			strcmp(t->intro_commit, c->intro_commit) == 0) &&
		trust_signer_eq(t->intro_signer, c->intro_signer);
}

/*
 * Where a URL is listed, its entries alone decide: another introduction is how
 * somebody who took the place of the channel would have it.
 */
static bool
is_trusted(const struct trust *t, const struct channel *c, bool *is_url_known)
{
	bool is_introduced = false;

	*is_url_known = official_url(c->url);
	if (*is_url_known && official_introduction(c))
		return true;
	for (size_t i = 0; t && i < t->n; i++) {
		const struct trusted *entry = &t->list[i];
		bool is_here = entry->url && strcmp(entry->url, c->url) == 0;

		if (is_here && introduces(entry, c))
			return true;
		*is_url_known |= is_here;
		is_introduced |= !entry->url && introduces(entry, c);
	}
	return is_introduced && !*is_url_known;
}

bool
trust_allows(const struct trust *t, const struct channel *c, struct buf *why,
	struct buf *line)
{
	bool is_url_known = false;

	if (c->url && is_trusted(t, c, &is_url_known))
		return true;
	print_why(why, c, is_url_known);
	if (c->url)
		print_line(line, c);
	return false;
}
