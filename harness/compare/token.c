/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/token.h"

#include "base/alloc.h"
#include "base/attr.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(char c)
{
	return is_digit(c) || is_letter(c) || c == '_';
}

static struct slice
rest(const struct token_scan *s)
{
	return (struct slice){s->s.p + s->at, s->s.n - s->at};
}

static bool
has_bytes(struct slice s, size_t at, const void *bytes, size_t n)
{
	return s.n >= at + n && memcmp(s.p + at, bytes, n) == 0;
}

/* ---- dates and times in words ---- */

/* The number of the name at p among names of three letters; -1: none. */
static int
name_at(const char *p, const char *list)
{
	for (size_t i = 0; list[3 * i]; i++) {
		if (memcmp(p, list + 3 * i, 3) == 0)
			return (int)i;
	}
	return -1;
}

static int
two(const char *p)
{
	return 10 * (p[0] - '0') + (p[1] - '0');
}

/*
 * D a digit, Y four of them from 1900 to 2199, M a month's two, J a day's (a
 * blank may come first where it is j), H, T: an hour's, a minute's or second's;
 * A a month's name, W a weekday's, Z a zone's three letters.  How many bytes of
 * s are so; 0: it is not so.
 */
static size_t
matches(struct slice s, const char *form)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char days[] = "MonTueWedThuFriSatSun";
	size_t at = 0;

	for (; *form; form++) {
		const char *p = s.p + at;
		size_t n = strchr("MJjHT", *form) ? 2
			: strchr("AWZ", *form)    ? 3
			: *form == 'Y'            ? 4
						  : 1;

		if (s.n - at < n)
			return 0;
		for (size_t i = 0; i < n && strchr("MJjHTYD", *form); i++) {
			bool is_blank = *form == 'j' && i == 0 && p[0] == ' ';

			if (!is_digit(p[i]) && !is_blank)
				return 0;
		}
		if ((*form == 'M' && (two(p) < 1 || two(p) > 12)) ||
			(*form == 'J' && (two(p) < 1 || two(p) > 31)) ||
			(*form == 'j' && p[0] != ' ' && two(p) > 31) ||
			(*form == 'H' && two(p) > 23) ||
			(*form == 'T' && two(p) > 60) ||
			(*form == 'Y' && (two(p) < 19 || two(p) > 21)) ||
			(*form == 'A' && name_at(p, months) < 0) ||
			(*form == 'W' && name_at(p, days) < 0) ||
			(*form == 'Z' &&
				!(is_letter(p[0]) && is_letter(p[1]) &&
					is_letter(p[2]))) ||
			(!strchr("MJjHTYDAWZ", *form) && p[0] != *form))
			return 0;
		at += n;
	}
	return at < s.n && is_digit(s.p[at]) ? 0 : at;
}

static size_t
time_at(struct slice s)
{
	/* Longer ones first.  In each a letter or digit may stand as itself
	 * only where it is none of the marks: "T" and "Z" of ISO 8601 are seen
	 * below. */
	static const char *const forms[] = {
		"W A j H:T:T Z Y",      /* date(1) */
		"W A j H:T:T Y",        /* asctime(3) */
		"W, J A Y H:T:T",       /* RFC 5322 */
		"A j Y H:T:T", "A j Y", /* __DATE__ */
		"J A Y", "j A Y", "Y-M-J H:T:T", "Y-M-J H:T", "Y-M-J", "Y/M/J",
		"YMJHTT", /* PDF, ISO 8601 without marks */
		"H:T:T",  /* __TIME__ */
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(forms) && n == 0; i++)
		n = matches(s, forms[i]);
	/* 2026-11-24T14:00:00Z is a date, a T, a time. */
	if (n == strlen("2026-11-24") && s.n > n + 1 && s.p[n] == 'T') {
		struct slice after = {s.p + n + 1, s.n - n - 1};
		size_t time = matches(after, "H:T:T");

		if (time)
			n += 1 + time;
	}
	return n;
}

/* ---- other tokens ---- */

/* 8-4-4-4-12, version 4, of RFC 9562's variant. */
static size_t
uuid_at(struct slice s)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
	size_t n = sizeof(form) - 1;

	if (s.n < n || (s.n > n && is_word(s.p[n])))
		return 0;
	for (size_t i = 0; i < n; i++) {
		bool is = form[i] == 'x' ? is_hex(s.p[i])
			: form[i] == 'v' ? strchr("89abAB", s.p[i]) && s.p[i]
					 : s.p[i] == form[i];

		if (!is)
			return 0;
	}
	return n;
}

/* The 32 characters of nix-base32 before a dash. */
static size_t
store_hash_at(struct slice s)
{
	static const char letters[] = "0123456789abcdfghijklmnpqrsvwxyz";
	size_t n = 0;

	while (n < 32 && n < s.n && s.p[n] && strchr(letters, s.p[n]))
		n++;
	return n == 32 && s.n > n && s.p[n] == '-' ? n : 0;
}

/* The name of a folder or file below /tmp. */
static size_t
name_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n &&
		(is_word(s.p[n]) || (s.p[n] && strchr("-.+@=~", s.p[n]))))
		n++;
	return n;
}

static struct token
number_at(struct slice s, bool may_be_hex)
{
	size_t hex = 0, n = 0, points = 0;

	while (may_be_hex && hex < s.n && is_hex(s.p[hex]))
		hex++;
	if (hex >= 16 && (hex == s.n || !is_word(s.p[hex])))
		return (struct token){REASON_HEX, hex};
	while (n < s.n && is_digit(s.p[n])) {
		while (n < s.n && is_digit(s.p[n]))
			n++;
		if (n + 1 < s.n && s.p[n] == '.' && is_digit(s.p[n + 1])) {
			points++;
			n++;
		}
	}
	if (n == 0)
		return (struct token){REASON_COUNT, 1};
	/* From 2001 to 2033. */
	if (points == 0 && n == 10 && s.p[0] == '1')
		return (struct token){REASON_EPOCH, n};
	return (struct token){points ? REASON_VERSION : REASON_NUMBER, n};
}

/* ---- fields of formats ---- */

static void
field(struct token_scan *s, size_t from, size_t n, enum reason is)
{
	if (s->s.n < n || from > s->s.n - n)
		return;
	s->from = from;
	s->to = from + n;
	s->is = is;
}

void
token_begin(struct token_scan *s, struct slice content)
{
	*s = (struct token_scan){.s = content};
	if (has_bytes(content, 0, "\x1f\x8b", 2))
		field(s, 4, 4, REASON_TIME); /* RFC 1952, MTIME */
	else if (has_bytes(content, 2, "\r\n\0\0\0\0", 6))
		field(s, 8, 4, REASON_TIME); /* .pyc, PEP 552, by time */
	else if (has_bytes(content, 0, "!<arch>\n", 8))
		s->header = 8;
	s->is_zip = has_bytes(content, 0, "PK\x03\x04", 4);
}

/* A member's header of 60 bytes; its date is at 16 (ar(5)). */
static void
ar_header(struct token_scan *s)
{
	struct slice r = rest(s);
	size_t size = 0;

	if (!has_bytes(r, 58, "`\n", 2)) {
		s->header = 0;
		return;
	}
	field(s, s->at + 16, 12, REASON_TIME);
	for (size_t i = 48; i < 58 && is_digit(r.p[i]); i++)
		size = size * 10 + (size_t)(r.p[i] - '0');
	s->header = s->at + 60 + size + size % 2;
}

static void
look_ahead(struct token_scan *s)
{
	/* A note of type 3 named GNU, of 20 bytes. */
	static const char note[] = "\4\0\0\0\x14\0\0\0\3\0\0\0GNU";
	struct slice r = rest(s);

	if (s->header && s->at == s->header)
		ar_header(s);
	else if (s->is_zip && has_bytes(r, 0, "PK\x03\x04", 4))
		field(s, s->at + 10, 4, REASON_TIME); /* APPNOTE 4.3.7 */
	else if (s->is_zip && has_bytes(r, 0, "PK\x01\x02", 4))
		field(s, s->at + 12, 4, REASON_TIME); /* 4.3.12 */
	else if (r.p[0] == note[0] && has_bytes(r, 0, note, sizeof(note)))
		field(s, s->at + sizeof(note), 20, REASON_BUILD_ID);
}

static bool
comes_after(const struct token_scan *s, const char *text)
{
	size_t n = strlen(text);

	return s->at >= n && memcmp(s->s.p + s->at - n, text, n) == 0;
}

struct token
token_next(struct token_scan *s)
{
	struct slice r = rest(s);
	char before = s->at > 0 ? s->s.p[s->at - 1] : '\0';
	size_t n;

	if (s->at >= s->to)
		look_ahead(s);
	if (s->to > s->at && s->from == s->at)
		return (struct token){s->is, s->to - s->from};
	if (before == '/' && comes_after(s, "/gnu/store/") &&
		(n = store_hash_at(r)) > 0)
		return (struct token){REASON_STORE_PATH, n};
	if (before == '/' && comes_after(s, "/tmp/") &&
		(n = name_length(r)) > 0)
		return (struct token){REASON_BUILD_PATH, n};
	if ((!is_digit(r.p[0]) && !is_letter(r.p[0]) && r.p[0] != ' ') ||
		is_digit(before))
		return (struct token){REASON_COUNT, 1};
	if (is_word(before))
		return number_at(r, false);
	if ((n = time_at(r)) > 0)
		return (struct token){REASON_TIME, n};
	if ((n = uuid_at(r)) > 0)
		return (struct token){REASON_RANDOM, n};
	return number_at(r, true);
}
