/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"

/*
 * The length of the well-formed UTF-8 sequence at p (n bytes left) and its
 * code point, or 0 (Unicode 15, table 3-7).
 */
static size_t
decode(const unsigned char *p, size_t n, uint32_t *code)
{
	size_t len;
	uint32_t c;

	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		c = p[0] & 0x1fu;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		c = p[0] & 0x0fu;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		c = p[0] & 0x07u;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if ((len == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) ||
		(len == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	*code = c;
	return len;
}

static bool
is_shown(uint32_t c, enum text_lines lines)
{
	if (c == '\n' || c == '\t')
		return lines == TEXT_MANY_LINES;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	/* Marks that change the order of what a reader sees. */
	if (c == 0x61c || c == 0x200e || c == 0x200f ||
		(c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return false;
	/* Line and paragraph separators; noncharacters. */
	if (c == 0x2028 || c == 0x2029)
		return lines == TEXT_MANY_LINES;
	return (c & 0xfffe) != 0xfffe && !(c >= 0xfdd0 && c <= 0xfdef);
}

void
text_clean(struct buf *out, struct slice s, enum text_lines lines)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t from = 0, i = 0;

	while (i < s.n) {
		uint32_t c = 0;
		size_t len = decode(p + i, s.n - i, &c);

		if (len != 0 && is_shown(c, lines)) {
			i += len;
			continue;
		}
		buf_add(out, p + from, i - from);
		if (len == 0)
			buf_printf(out, "\\x%02X", p[i++]);
		else if (c == '\r' && lines == TEXT_MANY_LINES && i + 1 < s.n &&
			p[i + 1] == '\n')
			i++;
		else {
			buf_printf(out, "#x%02X", c);
			i += len;
		}
		from = i;
	}
	if (i > from)
		buf_add(out, p + from, i - from);
}

char *
text_clean_new(struct slice s)
{
	struct buf b = {0};

	text_clean(&b, s, TEXT_ONE_LINE);
	return buf_take(&b);
}

bool
text_is_utf8(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t c;

	for (size_t i = 0, len; i < s.n; i += len) {
		len = decode(p + i, s.n - i, &c);
		if (len == 0)
			return false;
	}
	return true;
}

void
text_xml(struct buf *out, struct slice s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *to;

		switch (s.p[i]) {
		case '&':
			to = "&amp;";
			break;
		case '<':
			to = "&lt;";
			break;
		case '>':
			to = "&gt;";
			break;
		case '"':
			to = "&quot;";
			break;
		case '\'':
			to = "&#39;";
			break;
		default:
			continue;
		}
		buf_add(out, s.p + from, i - from);
		buf_str(out, to);
		from = i + 1;
	}
	buf_add(out, s.p + from, s.n - from);
}

/*
 * Does Guile's `write' show c as it is?  Letters, marks, numbers, punctuation
 * and symbols (libguile/print.c, display_character).  Left out are the other
 * general categories of Unicode: Zs but for the space, Zl, Zp, Cc, Cf, Co and
 * noncharacters; code points that are not assigned yet count as shown.
 */
static bool
is_graphic(uint32_t c)
{
	static const uint32_t hidden[][2] = {{0, 0x1f}, {0x7f, 0xa0},
		{0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd},
		{0x70f, 0x70f}, {0x890, 0x891}, {0x8e2, 0x8e2},
		{0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f},
		{0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
		{0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},
		{0xfff0, 0xfffb}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
		{0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
		{0xe0000, 0xe007f}, {0xf0000, 0x10ffff}};

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		if (c >= hidden[i][0] && c <= hidden[i][1])
			return false;
	}
	return (c & 0xfffe) != 0xfffe;
}

int
text_scheme(struct buf *out, struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (!text_is_utf8(s))
		return -1;
	buf_char(out, '"');
	for (size_t i = 0, len; i < s.n; i += len) {
		uint32_t c = 0;

		len = decode(p + i, s.n - i, &c);
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", (int)c);
		else if (c >= 0x07 && c <= 0x0d)
			buf_printf(out, "\\%c", "abtnvfr"[c - 0x07]);
		else if (!is_graphic(c))
			buf_printf(out,
				c <= 0xff             ? "\\x%02x"
					: c <= 0xffff ? "\\u%04x"
						      : "\\U%06x",
				c);
		else
			buf_add(out, p + i, len);
	}
	buf_char(out, '"');
	return 0;
}

void
text_shell(struct buf *out, struct slice s)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-+=./:,@%";
	bool is_bare = s.n > 0;

	for (size_t i = 0; i < s.n && is_bare; i++)
		is_bare = s.p[i] != '\0' && strchr(safe, s.p[i]) != NULL;
	if (is_bare) {
		buf_slice(out, s);
		return;
	}
	buf_char(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_str(out, "'\\''");
		else
			buf_char(out, s.p[i]);
	}
	buf_char(out, '\'');
}

bool
text_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;

	/* On a mismatch, the last star takes one more character. */
	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			again = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
