/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sexp.h"
#include "recipe/parts.h"

static bool
has_control(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

static int
check_word(const char *kind, const char *s, struct err *e)
{
	if (!s[0])
		return scheme_bad(kind, s, "is empty", e);
	if (s[0] == '-')
		return scheme_bad(kind, s, "looks like an option", e);
	if (has_control(s))
		return scheme_bad(kind, s, "holds a control character", e);
	return 0;
}

static int
check_commit(const char *s, struct err *e)
{
	if (strlen(s) != 40 || strspn(s, "0123456789abcdef") != 40)
		return scheme_bad(
			"commit", s, "is not 40 hexadecimal digits", e);
	return 0;
}

/* An OpenPGP fingerprint: 40 digits (version 4) or 64, and spaces. */
static int
check_signer(const char *s, struct err *e)
{
	size_t digits = 0;

	for (const char *p = s; *p; p++) {
		if (strchr("0123456789abcdefABCDEF", *p))
			digits++;
		else if (*p != ' ')
			return scheme_bad(
				"signer", s, "is not a fingerprint", e);
	}
	if (digits != 40 && digits != 64)
		return scheme_bad("signer", s, "is not a fingerprint", e);
	return 0;
}

static int
put_channel(struct buf *out, const struct channel *c, struct err *e)
{
	if (check_word("channel name", c->name, e) < 0 ||
		check_word("URL", c->url, e) < 0 ||
		check_commit(c->commit, e) < 0)
		return -1;
	buf_str(out, "\n (channel\n  (name ");
	if (scheme_is_plain(c->name)) {
		buf_printf(out, "'%s", c->name);
	} else {
		buf_str(out, "(string->symbol ");
		if (scheme_string(out, "channel name", c->name, e) < 0)
			return -1;
		buf_char(out, ')');
	}
	buf_str(out, ")\n  (url ");
	if (scheme_string(out, "URL", c->url, e) < 0)
		return -1;
	if (c->branch) {
		buf_str(out, ")\n  (branch ");
		if (check_word("branch", c->branch, e) < 0 ||
			scheme_string(out, "branch", c->branch, e) < 0)
			return -1;
	}
	buf_printf(out, ")\n  (commit \"%s\")", c->commit);
	if (c->intro_commit) {
		if (check_commit(c->intro_commit, e) < 0 ||
			check_signer(c->intro_signer, e) < 0)
			return -1;
		buf_printf(out,
			"\n  (introduction\n"
			"   (make-channel-introduction\n"
			"    \"%s\"\n"
			"    (openpgp-fingerprint\n"
			"     \"%s\")))",
			c->intro_commit, c->intro_signer);
	}
	buf_char(out, ')');
	return 0;
}

int
channel_file_print(
	const struct channel *v, size_t n, struct buf *out, struct err *e)
{
	buf_str(out,
		";; The channels that the image was made from, for\n"
		";; 'guix time-machine -C'.\n"
		"(list");
	for (size_t i = 0; i < n; i++) {
		if (put_channel(out, &v[i], e) < 0)
			return -1;
	}
	buf_str(out, ")\n");
	return 0;
}

/* The text of (KEY STRING) in channel form c, NULL when there is none. */
static int
read_field(struct arena *a, const struct sexp *c, const char *key,
	const char **out, struct err *e)
{
	const struct sexp *field = sexp_assoc(c, key);
	struct slice s = sexp_str(sexp_at(field, 1));

	*out = NULL;
	if (!field)
		return 0;
	if (sexp_len(field) != 2 || !s.p || memchr(s.p, '\0', s.n))
		return err_set(e, ERR_INPUT,
			"line %u column %u: (%s \"...\") was expected",
			field->line, field->column, key);
	*out = arena_copy(a, s.p, s.n);
	return 0;
}

static int
read_introduction(struct arena *a, const struct sexp *form, struct channel *c,
	struct err *e)
{
	const struct sexp *field = sexp_assoc(form, "introduction");
	const struct sexp *made = sexp_at(field, 1);
	const struct sexp *signer = sexp_at(made, 2);
	struct slice commit = sexp_str(sexp_at(made, 1));
	struct slice print = sexp_str(sexp_at(signer, 1));

	if (!field)
		return 0;
	if (sexp_len(field) != 2 || sexp_len(made) != 3 ||
		!sexp_is(made, "make-channel-introduction") ||
		!sexp_is(signer, "openpgp-fingerprint") ||
		sexp_len(signer) != 2 || !commit.p || !print.p)
		return err_set(e, ERR_INPUT,
			"line %u column %u: (introduction "
			"(make-channel-introduction \"...\" "
			"(openpgp-fingerprint \"...\"))) was expected",
			field->line, field->column);
	c->intro_commit = arena_copy(a, commit.p, commit.n);
	c->intro_signer = arena_copy(a, print.p, print.n);
	return 0;
}

static int
read_channel(struct arena *a, const struct sexp *form, struct channel *c,
	struct err *e)
{
	static const char *const fields[] = {
		"name", "url", "branch", "commit", "introduction"};
	const struct sexp *name = sexp_at(sexp_assoc(form, "name"), 1);

	if (!sexp_is(form, "channel"))
		return err_set(e, ERR_INPUT,
			"line %u column %u: (channel ...) was expected",
			form->line, form->column);
	for (const struct sexp *x = form->first->next; x; x = x->next) {
		bool is_known = false;

		for (size_t i = 0; i < ARRAY_LEN(fields); i++)
			is_known |= sexp_is(x, fields[i]);
		if (!is_known)
			return err_set(e, ERR_INPUT,
				"line %u column %u: only name, url, branch, "
				"commit and introduction can be read without "
				"running the file",
				x->line, x->column);
	}
	if (!sexp_is(name, "quote") || sexp_len(name) != 2 ||
		sexp_at(name, 1)->type != SEXP_SYMBOL)
		return err_set(e, ERR_INPUT,
			"line %u column %u: no (name 'SYMBOL)", form->line,
			form->column);
	c->name = arena_copy(
		a, sexp_at(name, 1)->text.p, sexp_at(name, 1)->text.n);
	c->is_named = true;
	if (read_field(a, form, "url", &c->url, e) < 0 ||
		read_field(a, form, "branch", &c->branch, e) < 0 ||
		read_field(a, form, "commit", &c->commit, e) < 0 ||
		read_introduction(a, form, c, e) < 0)
		return -1;
	if (!c->url || !c->commit)
		return err_set(e, ERR_INPUT,
			"line %u column %u: a channel needs url and commit",
			form->line, form->column);
	return 0;
}

int
channel_file_read(struct arena *a, struct slice text, const struct channel **v,
	size_t *n, struct err *e)
{
	struct arena scratch = {0};
	const struct sexp *file = sexp_parse(&scratch, text, e), *list;
	struct channel *channels = NULL;
	int status = -1;

	*v = NULL;
	*n = 0;
	if (!file)
		goto out;
	list = sexp_at(file, 0);
	if (sexp_len(file) != 1 || !sexp_is(list, "list") || list->dotted) {
		status = err_set(e, ERR_INPUT,
			"not a plain (list (channel ...) ...): what it says "
			"could only be known by running it");
		goto out;
	}
	channels = arena_alloc(a, sexp_len(list) * sizeof(*channels));
	for (const struct sexp *x = list->first->next; x; x = x->next) {
		if (read_channel(a, x, &channels[*n], e) < 0)
			goto out;
		++*n;
	}
	*v = channels;
	status = 0;
out:
	arena_fini(&scratch);
	return status;
}
