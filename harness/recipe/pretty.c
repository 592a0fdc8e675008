/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layout of Scheme as Guile's (ice-9 pretty-print) does it; the names are
 * those of its procedures. */
#include <stdint.h>

#include "base/sexp.h"
#include "base/text.h"
#include "recipe/parts.h"

enum {
	WIDTH = 79,
	INDENT_GENERAL = 2,
	CALL_HEAD_MAX = 5 /* characters of a head that arguments stand beside */
};

struct page {
	struct buf *out;
	const char *prefix;
};

static size_t
characters(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (p[i] & 0xc0) != 0x80;
	return count;
}

static size_t
column(const struct page *page)
{
	const struct buf *b = page->out;
	const char *line = b->n ? memrchr(b->p, '\n', b->n) : NULL;
	size_t from = line ? (size_t)(line - b->p) + 1 : 0;

	return characters(buf_text(b) + from, b->n - from);
}

static bool
is_number(struct slice name)
{
	struct arena scratch = {0};
	struct err ignored = {0};
	const struct sexp *all = sexp_parse(&scratch, name, &ignored);
	bool is = sexp_len(all) == 1 && all->first->type == SEXP_NUMBER;

	arena_fini(&scratch);
	return is;
}

/* libguile/print.c, symbol_has_extended_read_syntax; keywords being written
 * #:x, a colon is nothing special. */
static bool
is_extended(struct slice name)
{
	if (name.n == 0 || strchr("'`,", name.p[0]) || slice_is(name, ".") ||
		is_number(name))
		return true;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c <= ' ' || c == 0x7f || strchr("()[]{};\"#", c))
			return true;
	}
	return false;
}

void
pretty_symbol(struct slice name, struct buf *out)
{
	if (!is_extended(name)) {
		buf_slice(out, name);
		return;
	}
	buf_str(out, "#{");
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < ' ' || c == 0x7f || strchr("()[]{}", c))
			buf_printf(out, "\\x%x;", c);
		else
			buf_char(out, (char)c);
	}
	buf_str(out, "}#");
}

static bool
is_pair(const struct sexp *s)
{
	return s->type == SEXP_LIST && s->first;
}

static bool
is_quote(const struct sexp *s)
{
	return sexp_is(s, "quote") && sexp_len(s) == 2 && !s->dotted;
}

/* On one line, as long as that is of at most max characters. */
static bool
wr(const struct sexp *s, size_t max, struct buf *out)
{
	if (is_quote(s)) {
		buf_char(out, '\'');
		return wr(sexp_at(s, 1), max, out);
	}
	if (s->type == SEXP_SYMBOL) {
		pretty_symbol(s->text, out);
	} else if (s->type != SEXP_LIST) {
		sexp_print(out, s);
	} else {
		buf_char(out, '(');
		SEXP_FOREACH(x, s) {
			if (x != s->first)
				buf_char(out, ' ');
			if (!wr(x, max, out))
				return false;
		}
		if (s->dotted) {
			buf_str(out, " . ");
			if (!wr(s->dotted, max, out))
				return false;
		}
		buf_char(out, ')');
	}
	/* Bytes are never fewer than characters. */
	return out->n <= max || characters(out->p, out->n) <= max;
}

static void pp_expr(struct page *page, const struct sexp *s);

static void
pr(struct page *page, const struct sexp *s)
{
	CLEANUP(buf_fini)
	struct buf line = {0};
	size_t end = WIDTH - strlen(page->prefix), at;

	if (!is_pair(s)) {
		(void)wr(s, SIZE_MAX, page->out);
		return;
	}
	if (is_quote(s)) {
		buf_char(page->out, '\'');
		pr(page, sexp_at(s, 1));
		return;
	}
	at = column(page);
	if (at < end && wr(s, end - at, &line))
		buf_slice(page->out, buf_get(&line));
	else
		pp_expr(page, s);
}

static void
indent(struct page *page, size_t to)
{
	size_t at = column(page);

	if (to < at) {
		buf_printf(page->out, "\n%s", page->prefix);
		at = strlen(page->prefix);
	}
	for (; at < to; at++)
		buf_char(page->out, ' ');
}

/* The elements from s on, and what follows a dot in their list. */
static void
pp_down(struct page *page, const struct sexp *s, const struct sexp *dotted,
	size_t to)
{
	for (; s; s = s->next) {
		indent(page, to);
		pr(page, s);
	}
	if (dotted) {
		indent(page, to);
		buf_char(page->out, '.');
		indent(page, to);
		pr(page, dotted);
	}
	buf_char(page->out, ')');
}

/* A list that does not fit: (define X, then its body 2 to the right; a short
 * head with the rest beside it; or all below one another. */
static void
pp_expr(struct page *page, const struct sexp *s)
{
	const struct sexp *head = s->first;
	size_t body = column(page) + INDENT_GENERAL;

	buf_char(page->out, '(');
	if (sexp_is(s, "define") && sexp_len(s) >= 3) {
		pr(page, head);
		buf_char(page->out, ' ');
		pr(page, head->next);
		pp_down(page, head->next->next, s->dotted, body);
	} else if (head->type == SEXP_SYMBOL &&
		characters(head->text.p, head->text.n) <= CALL_HEAD_MAX) {
		pr(page, head);
		pp_down(page, head->next, s->dotted, column(page) + 1);
	} else {
		pp_down(page, head, s->dotted, column(page));
	}
}

void
pretty_print(const struct sexp *s, const char *prefix, struct buf *out)
{
	struct page page = {out, prefix};

	buf_str(out, prefix);
	pr(&page, s);
	buf_char(out, '\n');
}
