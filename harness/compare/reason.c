/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/reason.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "compare/token.h"

static const struct {
	const char *word, *phrase;
} names[REASON_COUNT] = {
	[REASON_TIME] = {"time-stamp", "time stamps"},
	[REASON_BUILD_PATH] = {"build-path",
		"paths of temporary folders, where it was built"},
	[REASON_STORE_PATH] = {"store-path", "hashes of store paths"},
	[REASON_RANDOM] = {"random", "random UUIDs"},
	[REASON_BUILD_ID] = {"build-id", "the build ID, a digest of the rest"},
	[REASON_VERSION] = {"version", "numbers with points, perhaps versions"},
	[REASON_EPOCH] = {"seconds",
		"numbers of ten digits, perhaps times (seconds since 1970)"},
	[REASON_HEX] = {"digits",
		"long hexadecimal numbers, perhaps digests or random"},
	[REASON_NUMBER] = {"number", "plain numbers"},
	[REASON_ORDER] = {"order", "the order of lines"},
	[REASON_LINE_ENDS] = {"line-ends", "how lines end (LF, CR LF)"},
	[REASON_SPACES] = {"spaces", "white space"},
	[REASON_CUT] = {"cut", "the end: one is the beginning of the other"},
};

/* What two tokens that differ are together; REASON_COUNT: nothing. */
static enum reason
both(enum reason a, enum reason b)
{
	bool is_numbers = (a == REASON_NUMBER || a == REASON_VERSION ||
				  a == REASON_EPOCH) &&
		(b == REASON_NUMBER || b == REASON_VERSION ||
			b == REASON_EPOCH);

	if (a == b)
		return a;
	if (!is_numbers)
		return REASON_COUNT;
	return a == REASON_VERSION || b == REASON_VERSION ? REASON_VERSION
							  : REASON_NUMBER;
}

/* Walk both at once, as far as each difference is of a known kind. */
static void
walk(struct slice a, struct slice b, struct reasons *out)
{
	struct token_scan sa, sb;

	token_begin(&sa, a);
	token_begin(&sb, b);
	while (sa.at < a.n && sb.at < b.n) {
		struct token ta = token_next(&sa), tb = token_next(&sb);
		struct slice wa = {a.p + sa.at, ta.n}, wb = {b.p + sb.at, tb.n};
		enum reason is;

		if (slice_eq(wa, wb)) {
			sa.at += ta.n;
			sb.at += tb.n;
			continue;
		}
		is = both(ta.is, tb.is);
		if (is == REASON_COUNT)
			return;
		out->is[is] = true;
		sa.at += ta.n;
		sb.at += tb.n;
	}
	out->is_whole = sa.at == a.n && sb.at == b.n;
}

/* ---- all of it at once ---- */

/* Equal but for the bytes that is_left_out says? */
static bool
equal_without(struct slice a, struct slice b,
	bool (*is_left_out)(struct slice s, size_t i))
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.n && is_left_out(a, i))
			i++;
		while (k < b.n && is_left_out(b, k))
			k++;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (a.p[i++] != b.p[k++])
			return false;
	}
}

static bool
is_line_cr(struct slice s, size_t i)
{
	return s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n';
}

static bool
is_space(struct slice s, size_t i)
{
	return s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' ||
		s.p[i] == '\r';
}

static int
compare_lines(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* The lines in the order of their bytes; NULL over REASON_LINES_MAX. */
static struct slice *
sorted_lines(struct slice s, size_t *n)
{
	struct slice *v = NULL;
	size_t cap = 0;

	*n = 0;
	while (s.n > 0) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t length = end ? (size_t)(end - s.p) : s.n;

		if (*n == REASON_LINES_MAX) {
			free(v);
			return NULL;
		}
		VEC_GROW(v, *n, cap);
		v[(*n)++] = (struct slice){s.p, length};
		length += end ? 1 : 0;
		s = (struct slice){s.p + length, s.n - length};
	}
	if (*n > 0)
		qsort(v, *n, sizeof(*v), compare_lines);
	return v;
}

static bool
is_reordered(struct slice a, struct slice b)
{
	size_t na, nb;
	struct slice *la, *lb;
	bool is;

	if (a.n != b.n || memchr(a.p, '\0', a.n))
		return false;
	la = sorted_lines(a, &na);
	lb = sorted_lines(b, &nb);
	is = la && lb && na == nb && na > 1;
	for (size_t i = 0; is && i < na; i++)
		is = slice_eq(la[i], lb[i]);
	free(la);
	free(lb);
	return is;
}

void
reason_find(struct slice a, struct slice b, struct reasons *out)
{
	size_t n = a.n < b.n ? a.n : b.n;

	*out = (struct reasons){0};
	if (slice_eq(a, b))
		return;
	if (n == 0 || memcmp(a.p, b.p, n) == 0)
		out->is[REASON_CUT] = true;
	else if (is_reordered(a, b))
		out->is[REASON_ORDER] = true;
	else if (equal_without(a, b, is_line_cr))
		out->is[REASON_LINE_ENDS] = true;
	else if (equal_without(a, b, is_space))
		out->is[REASON_SPACES] = true;
	else {
		walk(a, b, out);
		return;
	}
	out->is_whole = true;
}

/* ---- words ---- */

void
reason_print(const struct reasons *r, struct buf *out)
{
	bool is_first = true;

	for (enum reason i = 0; i < REASON_COUNT; i++) {
		if (!r->is[i])
			continue;
		if (is_first)
			buf_str(out, r->is_whole ? "only" : "partly");
		is_first = false;
		buf_char(out, ' ');
		buf_str(out, names[i].word);
	}
}

void
reason_phrase(const char *words, struct buf *out)
{
	struct slice s = slice_of(words);
	size_t shown = 0;
	bool is_only = slice_starts(s, "only ");

	if (!is_only && !slice_starts(s, "partly "))
		return;
	buf_str(out, is_only ? "only " : "in part ");
	for (const char *p = strchr(words, ' '); p; p = strchr(p + 1, ' ')) {
		struct slice word = {p + 1, strcspn(p + 1, " ")};

		for (size_t i = 0; i < REASON_COUNT; i++) {
			if (!slice_is(word, names[i].word))
				continue;
			if (shown++ > 0)
				buf_str(out, "; ");
			buf_str(out, names[i].phrase);
		}
	}
	if (!is_only)
		buf_str(out, "; the rest is not explained");
}
