/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "fetch/auth.h"

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i += 3) {
		unsigned n = s.n - i < 3 ? (unsigned)(s.n - i) : 3;
		unsigned long bits = 0;

		for (unsigned k = 0; k < 3; k++)
			bits = bits << 8 |
				(k < n ? (unsigned char)s.p[i + k] : 0);
		for (unsigned k = 0; k < 4; k++)
			buf_char(out,
				k <= n ? base64_digits[bits >> (18 - 6 * k) &
						 63]
				       : '=');
	}
}

bool
base64_decode(struct slice s, struct buf *out)
{
	CLEANUP(buf_fini)
	struct buf plain = {0};
	unsigned long bits = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < 2 && s.n && s.p[s.n - 1] == '='; i++)
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit =
			s.p[i] ? strchr(base64_digits, s.p[i]) : NULL;

		if (!digit)
			return false;
		bits = bits << 6 | (unsigned long)(digit - base64_digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_char(&plain, (char)(bits >> n & 255));
		}
	}
	if (n == 6)
		return false;
	buf_slice(out, buf_get(&plain));
	return true;
}

void
auth_basic(const struct credentials *c, struct buf *out)
{
	CLEANUP(own_free)
	char *plain = xasprintf("%s:%s", c->user, c->secret);

	buf_str(out, "Basic ");
	base64_encode(slice_of(plain), out);
	explicit_bzero(plain, strlen(plain));
}

void
challenge_fini(struct challenge *c)
{
	buf_fini(&c->scheme);
	buf_fini(&c->realm);
	buf_fini(&c->service);
	buf_fini(&c->scope);
}

static void
skip(struct slice *at, const char *what)
{
	while (at->n && at->p[0] && strchr(what, at->p[0]))
		*at = (struct slice){at->p + 1, at->n - 1};
}

/* RFC 9110 5.6.2; empty when none stands there. */
static struct slice
token(struct slice *at)
{
	struct slice s = {at->p, 0};

	while (s.n < at->n &&
		(isalnum((unsigned char)at->p[s.n]) ||
			(at->p[s.n] && strchr("!#$%&'*+-.^_`|~", at->p[s.n]))))
		s.n++;
	*at = (struct slice){at->p + s.n, at->n - s.n};
	return s;
}

/* A token or a quoted string (RFC 9110 5.6.4). */
static bool
value(struct slice *at, struct buf *out)
{
	struct slice s;

	if (!at->n || at->p[0] != '"') {
		s = token(at);
		buf_slice(out, s);
		return s.n > 0;
	}
	for (size_t i = 1; i < at->n; i++) {
		if (at->p[i] == '"') {
			*at = (struct slice){at->p + i + 1, at->n - i - 1};
			return true;
		}
		if (at->p[i] == '\\' && i + 1 < at->n)
			i++;
		buf_char(out, at->p[i]);
	}
	return false;
}

static struct buf *
parameter(struct challenge *c, struct slice name)
{
	const struct {
		const char *name;
		struct buf *to;
	} known[] = {{"realm", &c->realm}, {"service", &c->service},
		{"scope", &c->scope}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (name.n == strlen(known[i].name) &&
			strncasecmp(name.p, known[i].name, name.n) == 0)
			return known[i].to;
	return NULL;
}

int
challenge_next(struct slice *at, struct challenge *out)
{
	struct slice scheme;

	*out = (struct challenge){0};
	skip(at, " \t\r\n,");
	scheme = token(at);
	if (!scheme.n)
		return 0;
	for (size_t i = 0; i < scheme.n; i++)
		buf_char(&out->scheme,
			(char)tolower((unsigned char)scheme.p[i]));
	for (;;) {
		CLEANUP(buf_fini)
		struct buf text = {0};
		struct slice before, name;
		struct buf *to;

		skip(at, " \t,");
		before = *at;
		name = token(at);
		skip(at, " \t");
		/* No "=": the next challenge's scheme, or the end. */
		if (!name.n || !at->n || at->p[0] != '=') {
			*at = before;
			return 1;
		}
		skip(at, "=");
		skip(at, " \t");
		if (!value(at, &text)) {
			challenge_fini(out);
			return 0;
		}
		to = parameter(out, name);
		if (!to)
			continue;
		/* Several scopes are asked for together. */
		if (to->n && to == &out->scope)
			buf_char(to, ' ');
		else
			buf_clear(to);
		buf_slice(to, buf_get(&text));
	}
}
