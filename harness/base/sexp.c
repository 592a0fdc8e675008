/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sexp.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

struct reader {
	struct arena *arena;
	struct slice in;
	size_t at;
	unsigned line;
	size_t line_start; /* offset of the line's first byte */
	int depth;
	size_t nodes;
	struct buf scratch;
	bool is_outline; /* no list within a list is kept */
	struct err *e;
};

static int fail(struct reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int
fail(struct reader *r, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(r->e, ERR_INPUT, "line %u column %zu: %s", r->line,
		r->at - r->line_start + 1, what);
}

/* The byte at offset ahead, -1 at the end. */
static int
peek(const struct reader *r, size_t ahead)
{
	return ahead < r->in.n - r->at ? (unsigned char)r->in.p[r->at + ahead]
				       : -1;
}

static void
advance(struct reader *r, size_t n)
{
	while (n-- > 0) {
		if (r->in.p[r->at++] == '\n') {
			r->line++;
			r->line_start = r->at;
		}
	}
}

static bool
is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_delimiter(int c)
{
	return c < 0 || is_space(c) || c == '(' || c == ')' || c == '[' ||
		c == ']' || c == '"' || c == ';';
}

static int read_datum(struct reader *r, struct sexp **out);

/* #| ... |#, which nests. */
static int
skip_block_comment(struct reader *r)
{
	unsigned depth = 0;

	do {
		if (peek(r, 0) < 0)
			return fail(r, "comment without end");
		if (peek(r, 0) == '#' && peek(r, 1) == '|') {
			depth++;
			advance(r, 2);
		} else if (peek(r, 0) == '|' && peek(r, 1) == '#') {
			depth--;
			advance(r, 2);
		} else {
			advance(r, 1);
		}
	} while (depth > 0);
	return 0;
}

/* To the next datum, closing bracket or the end. */
static int
skip_blank(struct reader *r)
{
	for (;;) {
		int c = peek(r, 0);

		if (is_space(c)) {
			advance(r, 1);
		} else if (c == ';') {
			while (peek(r, 0) >= 0 && peek(r, 0) != '\n')
				advance(r, 1);
		} else if (c == '#' && peek(r, 1) == '|') {
			if (skip_block_comment(r) < 0)
				return -1;
		} else if (c == '#' && peek(r, 1) == ';') {
			struct sexp *ignored;
			int depth_before = r->depth;

			advance(r, 2);
			if (++r->depth > SEXP_DEPTH_MAX)
				return fail(r, "more than %d levels",
					SEXP_DEPTH_MAX);
			if (skip_blank(r) < 0)
				return -1;
			if (peek(r, 0) < 0 || peek(r, 0) == ')')
				return fail(r, "#; with nothing after it");
			if (read_datum(r, &ignored) < 0)
				return -1;
			r->depth = depth_before;
		} else {
			return 0;
		}
	}
}

static int
new_node(struct reader *r, enum sexp_type type, struct sexp **out)
{
	struct sexp *s;

	if (++r->nodes > SEXP_NODES_MAX)
		return fail(r, "more than %d data", SEXP_NODES_MAX);
	s = arena_alloc(r->arena, sizeof(*s));
	s->type = type;
	s->line = r->line;
	s->column = (unsigned)(r->at - r->line_start + 1);
	s->begin = r->at;
	*out = s;
	return 0;
}

static void
set_text(struct reader *r, struct sexp *s, struct slice text)
{
	s->text.p = arena_copy(r->arena, text.p, text.n);
	s->text.n = text.n;
	s->end = r->at;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static void
put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
	} else if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

/*
 * Hex digits of an escape: exactly `digits' of them, or, when that is 0, at
 * least one up to a semicolon, as in symbols.
 */
static int
hex_escape(struct reader *r, size_t digits)
{
	uint32_t c = 0;
	size_t n = 0;

	while (hex_digit(peek(r, n)) >= 0 && n < (digits ? digits : 8)) {
		c = c << 4 | (uint32_t)hex_digit(peek(r, n));
		n++;
	}
	if (digits == 0 && n > 0 && peek(r, n) == ';')
		n++;
	else if (digits == 0 || n != digits)
		return fail(r, "bad hexadecimal escape");
	advance(r, n);
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return fail(r, "escape beyond Unicode");
	put_utf8(&r->scratch, c);
	return 0;
}

/* A backslash was seen in a string; the next byte says what it means. */
static int
string_escape(struct reader *r)
{
	static const char names[] = "abtnvfr0\\\"|/";
	static const char means[] = "\a\b\t\n\v\f\r\0\\\"|/";
	int c = peek(r, 0);
	const char *at;

	if (c < 0)
		return fail(r, "string without end");
	if (c == 'x' || c == 'u' || c == 'U') {
		advance(r, 1);
		/* As long as R7RS is not asked for (r6rs-hex-escapes). */
		return hex_escape(r, c == 'x' ? 2 : c == 'u' ? 4 : 6);
	}
	if (c == '\n') { /* the line goes on after its indentation */
		advance(r, 1);
		while (peek(r, 0) == ' ' || peek(r, 0) == '\t')
			advance(r, 1);
		return 0;
	}
	at = memchr(names, c, sizeof(names) - 1);
	if (!at)
		return fail(r, "unknown escape in a string");
	buf_char(&r->scratch, means[at - names]);
	advance(r, 1);
	return 0;
}

static int
read_string(struct reader *r, struct sexp **out)
{
	if (new_node(r, SEXP_STRING, out) < 0)
		return -1;
	advance(r, 1);
	buf_clear(&r->scratch);
	for (;;) {
		int c = peek(r, 0);

		if (c < 0)
			return fail(r, "string without end");
		advance(r, 1);
		if (c == '"')
			break;
		if (c != '\\')
			buf_char(&r->scratch, (char)c);
		else if (string_escape(r) < 0)
			return -1;
	}
	set_text(r, *out, buf_get(&r->scratch));
	return 0;
}

/* #{name}#, with \xHH; escapes. */
static int
read_extended_symbol(struct reader *r, struct sexp **out)
{
	if (new_node(r, SEXP_SYMBOL, out) < 0)
		return -1;
	advance(r, 2);
	buf_clear(&r->scratch);
	while (!(peek(r, 0) == '}' && peek(r, 1) == '#')) {
		int c = peek(r, 0);

		if (c < 0)
			return fail(r, "symbol without end");
		advance(r, 1);
		if (c == '\\' && peek(r, 0) == 'x') {
			advance(r, 1);
			if (hex_escape(r, 0) < 0)
				return -1;
		} else {
			buf_char(&r->scratch, (char)c);
		}
	}
	advance(r, 2);
	set_text(r, *out, buf_get(&r->scratch));
	return 0;
}

static bool
is_number(struct slice s)
{
	size_t i = s.n > 1 && (s.p[0] == '-' || s.p[0] == '+');
	bool has_digit = false;

	for (; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			has_digit = true;
		else if (s.p[i] != '.' && s.p[i] != '/')
			return false;
	}
	return has_digit;
}

static int
read_atom(struct reader *r, struct sexp **out)
{
	struct slice text = {r->in.p + r->at, 0};
	enum sexp_type type = SEXP_SYMBOL;

	if (text.p[0] == '#' && peek(r, 1) == '\\') {
		type = SEXP_CHAR;
		text.n = 3; /* the character may itself be a delimiter */
		if (peek(r, 2) < 0)
			return fail(r, "character without end");
	}
	while (!is_delimiter(peek(r, text.n)))
		text.n++;
	if (text.n == 0)
		return fail(r, "unexpected '%c'", text.p[0]);
	if (text.p[0] == '#' && type != SEXP_CHAR) {
		if (slice_is(text, "#t") || slice_is(text, "#true") ||
			slice_is(text, "#f") || slice_is(text, "#false"))
			type = SEXP_BOOL;
		else if (text.n > 2 && text.p[1] == ':')
			type = SEXP_KEYWORD;
		else
			return fail(r, "unknown syntax after #");
	} else if (is_number(text)) {
		type = SEXP_NUMBER;
	}
	if (new_node(r, type, out) < 0)
		return -1;
	advance(r, text.n);
	if (type == SEXP_KEYWORD)
		text = (struct slice){text.p + 2, text.n - 2};
	if (type == SEXP_BOOL)
		text.n = 2;
	set_text(r, *out, text);
	return 0;
}

/* The next element of a list: of an outline, only where it stands. */
static int
read_element(struct reader *r, struct sexp **out)
{
	struct arena *kept = r->arena, passing = {0};
	struct sexp *s;
	int rc;

	if (!r->is_outline || r->depth != 1)
		return read_datum(r, out);
	r->arena = &passing;
	rc = read_datum(r, &s);
	r->arena = kept;
	if (rc == 0) {
		*out = arena_alloc(kept, sizeof(**out));
		**out = *s;
		(*out)->first = NULL;
		(*out)->dotted = NULL;
		(*out)->text.p = arena_copy(kept, s->text.p, s->text.n);
	}
	arena_fini(&passing);
	return rc;
}

/* The elements up to the closing bracket, which is taken. */
static int
read_elements(struct reader *r, struct sexp *list, int close)
{
	struct sexp *last = NULL, *s;

	for (;;) {
		if (skip_blank(r) < 0)
			return -1;
		if (peek(r, 0) < 0)
			return fail(
				r, "list of line %u without end", list->line);
		if (peek(r, 0) == close) {
			advance(r, 1);
			return 0;
		}
		if (peek(r, 0) == '.' && is_delimiter(peek(r, 1))) {
			advance(r, 1);
			if (!last || list->dotted)
				return fail(r, "misplaced dot");
			if (skip_blank(r) < 0 || read_element(r, &s) < 0)
				return -1;
			list->dotted = s;
			continue;
		}
		if (list->dotted)
			return fail(r, "more than one datum after a dot");
		if (read_element(r, &s) < 0)
			return -1;
		if (last)
			last->next = s;
		else
			list->first = s;
		last = s;
	}
}

static int
read_list(struct reader *r, struct sexp **out)
{
	int close;

	if (new_node(r, SEXP_LIST, out) < 0)
		return -1;
	if (peek(r, 0) == '#')
		advance(r, 1);
	close = peek(r, 0) == '[' ? ']' : ')';
	advance(r, 1);
	if (++r->depth > SEXP_DEPTH_MAX)
		return fail(r, "more than %d levels", SEXP_DEPTH_MAX);
	if (read_elements(r, *out, close) < 0)
		return -1;
	r->depth--;
	(*out)->end = r->at;
	return 0;
}

/* 'datum */
static int
read_quote(struct reader *r, struct sexp **out)
{
	struct sexp *name, *datum;

	if (new_node(r, SEXP_LIST, out) < 0 ||
		new_node(r, SEXP_SYMBOL, &name) < 0)
		return -1;
	advance(r, 1);
	set_text(r, name, slice_of("quote"));
	if (++r->depth > SEXP_DEPTH_MAX)
		return fail(r, "more than %d levels", SEXP_DEPTH_MAX);
	if (skip_blank(r) < 0 || read_datum(r, &datum) < 0)
		return -1;
	r->depth--;
	name->next = datum;
	(*out)->first = name;
	(*out)->end = r->at;
	return 0;
}

static int
read_datum(struct reader *r, struct sexp **out)
{
	int c = peek(r, 0);

	if (c < 0)
		return fail(r, "a datum is missing at the end");
	if (c == '(' || c == '[' || (c == '#' && peek(r, 1) == '('))
		return read_list(r, out);
	if (c == '"')
		return read_string(r, out);
	if (c == '\'')
		return read_quote(r, out);
	if (c == '`' || c == ',')
		return fail(r, "quasi-quotation is not data");
	if (c == '#' && peek(r, 1) == '{')
		return read_extended_symbol(r, out);
	return read_atom(r, out);
}

static const struct sexp *
read_all(struct reader *r)
{
	struct sexp *all, *last = NULL, *s;

	if (new_node(r, SEXP_LIST, &all) < 0)
		return NULL;
	for (;;) {
		if (skip_blank(r) < 0)
			return NULL;
		if (peek(r, 0) < 0)
			break;
		if (read_datum(r, &s) < 0)
			return NULL;
		if (last)
			last->next = s;
		else
			all->first = s;
		last = s;
	}
	all->end = r->at;
	return all;
}

static const struct sexp *
parse(struct reader *r)
{
	const struct sexp *all = NULL;

	if (!text_is_utf8(r->in))
		(void)!err_set(r->e, ERR_INPUT, "the text is not UTF-8");
	else
		all = read_all(r);
	buf_fini(&r->scratch);
	return all;
}

const struct sexp *
sexp_parse(struct arena *a, struct slice text, struct err *e)
{
	struct reader r = {.arena = a, .in = text, .line = 1, .e = e};

	return parse(&r);
}

const struct sexp *
sexp_outline(struct arena *a, struct slice text, struct err *e)
{
	struct reader r = {
		.arena = a, .in = text, .line = 1, .is_outline = true, .e = e};

	return parse(&r);
}

const struct sexp *
sexp_whole(struct arena *a, struct slice text, const struct sexp *element,
	struct err *e)
{
	struct reader r = {.arena = a,
		.in = text,
		.at = element->begin,
		.line = element->line,
		.line_start = element->begin - (element->column - 1),
		.e = e};
	struct sexp *s;
	int rc = read_datum(&r, &s);

	buf_fini(&r.scratch);
	return rc < 0 ? NULL : s;
}

size_t
sexp_len(const struct sexp *s)
{
	size_t n = 0;

	SEXP_FOREACH(x, s)
		n++;
	return n;
}

const struct sexp *
sexp_at(const struct sexp *s, size_t i)
{
	SEXP_FOREACH(x, s) {
		if (i-- == 0)
			return x;
	}
	return NULL;
}

bool
sexp_is_symbol(const struct sexp *s, const char *name)
{
	return s && s->type == SEXP_SYMBOL && slice_is(s->text, name);
}

bool
sexp_is(const struct sexp *s, const char *name)
{
	return s && s->type == SEXP_LIST && sexp_is_symbol(s->first, name);
}

const struct sexp *
sexp_assoc(const struct sexp *s, const char *key)
{
	SEXP_FOREACH(x, s) {
		if (sexp_is(x, key))
			return x;
	}
	return NULL;
}

struct slice
sexp_str(const struct sexp *s)
{
	return s && s->type == SEXP_STRING ? s->text : (struct slice){0};
}

bool
sexp_int(const struct sexp *s, int64_t *n)
{
	int64_t value = 0;
	size_t i = 0;
	bool is_negative;

	if (!s || s->type != SEXP_NUMBER)
		return false;
	is_negative = s->text.p[0] == '-';
	if (is_negative || s->text.p[0] == '+')
		i++;
	for (; i < s->text.n; i++) {
		char c = s->text.p[i];

		if (c < '0' || c > '9' ||
			__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, c - '0', &value))
			return false;
	}
	*n = is_negative ? -value : value;
	return true;
}

bool
sexp_eq(const struct sexp *a, const struct sexp *b)
{
	const struct sexp *x, *y;

	if (!a || !b)
		return a == b;
	if (a->type != b->type)
		return false;
	if (a->type != SEXP_LIST)
		return slice_eq(a->text, b->text);
	for (x = a->first, y = b->first; x && y; x = x->next, y = y->next) {
		if (!sexp_eq(x, y))
			return false;
	}
	return !x && !y && sexp_eq(a->dotted, b->dotted);
}

static bool
is_plain_symbol(struct slice s)
{
	if (s.n == 0 || is_number(s) || slice_is(s, ".") || s.p[0] == '#')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_delimiter(c) || c <= ' ' || c >= 0x7f || c == '\'' ||
			c == '`' || c == ',' || c == '|' || c == '\\' ||
			c == '{' || c == '}')
			return false;
	}
	return true;
}

static void
print_symbol(struct buf *out, struct slice s)
{
	if (is_plain_symbol(s)) {
		buf_slice(out, s);
		return;
	}
	buf_str(out, "#{");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		/* Bytes of a longer UTF-8 sequence stand for themselves. */
		if (c < ' ' || c == 0x7f || c == '}' || c == '\\')
			buf_printf(out, "\\x%x;", c);
		else
			buf_char(out, (char)c);
	}
	buf_str(out, "}#");
}

void
sexp_print(struct buf *out, const struct sexp *s)
{
	switch (s->type) {
	case SEXP_LIST:
		buf_char(out, '(');
		SEXP_FOREACH(x, s) {
			if (x != s->first)
				buf_char(out, ' ');
			sexp_print(out, x);
		}
		if (s->dotted) {
			buf_str(out, " . ");
			sexp_print(out, s->dotted);
		}
		buf_char(out, ')');
		break;
	case SEXP_STRING:
		/* Cannot fail: what was parsed is UTF-8. */
		(void)!text_scheme(out, s->text);
		break;
	case SEXP_SYMBOL:
		print_symbol(out, s->text);
		break;
	case SEXP_KEYWORD:
		buf_str(out, "#:");
		buf_slice(out, s->text);
		break;
	case SEXP_NUMBER:
	case SEXP_BOOL:
	case SEXP_CHAR:
	default:
		buf_slice(out, s->text);
		break;
	}
}
