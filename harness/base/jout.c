/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/jout.h"

#include <inttypes.h>

#include "base/attr.h"
#include "base/text.h"

void
jout_open(struct jout *j, FILE *f, int indent)
{
	*j = (struct jout){.f = f, .indent = indent};
}

static void
newline(struct jout *j)
{
	if (j->indent < 0)
		return;
	fprintf(j->f, "\n%*s", j->indent * j->depth, "");
}

static void
before(struct jout *j, const char *key)
{
	if (j->has_any[j->depth])
		fputc(',', j->f);
	if (j->depth > 0)
		newline(j);
	j->has_any[j->depth] = true;
	if (key)
		fprintf(j->f, j->indent < 0 ? "\"%s\":" : "\"%s\": ", key);
}

void
jout_begin(struct jout *j, const char *key, char bracket)
{
	before(j, key);
	fputc(bracket, j->f);
	if (j->depth < JOUT_DEPTH)
		j->depth++;
	j->has_any[j->depth] = false;
}

void
jout_end(struct jout *j, char bracket)
{
	bool had = j->has_any[j->depth];

	j->depth--;
	if (had)
		newline(j);
	fputc(bracket, j->f);
}

void
jout_quote(struct buf *out, struct slice s)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};

	text_clean(&clean, s, TEXT_MANY_LINES);
	buf_char(out, '"');
	for (size_t i = 0; i < clean.n; i++) {
		char c = clean.p[i];

		if (c == '"' || c == '\\')
			buf_char(out, '\\');
		/* Cleaned: tab and newline are the only controls left. */
		if (c == '\n')
			buf_str(out, "\\n");
		else if (c == '\t')
			buf_str(out, "\\t");
		else
			buf_char(out, c);
	}
	buf_char(out, '"');
}

void
jout_slice(struct jout *j, const char *key, struct slice s)
{
	CLEANUP(buf_fini)
	struct buf b = {0};

	if (!s.p) {
		jout_null(j, key);
		return;
	}
	before(j, key);
	jout_quote(&b, s);
	fwrite(b.p, 1, b.n, j->f);
}

void
jout_str(struct jout *j, const char *key, const char *s)
{
	jout_slice(j, key, slice_of(s));
}

void
jout_int(struct jout *j, const char *key, int64_t n)
{
	before(j, key);
	fprintf(j->f, "%" PRId64, n);
}

void
jout_bool(struct jout *j, const char *key, bool b)
{
	before(j, key);
	fputs(b ? "true" : "false", j->f);
}

void
jout_null(struct jout *j, const char *key)
{
	before(j, key);
	fputs("null", j->f);
}

void
jout_hex(struct jout *j, const char *key, struct slice s)
{
	static const char digits[] = "0123456789abcdef";

	if (!s.p) {
		jout_null(j, key);
		return;
	}
	before(j, key);
	fputc('"', j->f);
	for (size_t i = 0; i < s.n; i++) {
		fputc(digits[(unsigned char)s.p[i] >> 4], j->f);
		fputc(digits[(unsigned char)s.p[i] & 15], j->f);
	}
	fputc('"', j->f);
}

void
jout_digest(struct jout *j, const char *key, const struct digest *d)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(d, hex);
	jout_str(j, key, hex);
}

int
jout_close(struct jout *j, struct err *e)
{
	fputc('\n', j->f);
	if (fflush(j->f) != 0 || ferror(j->f))
		return err_sys(e, ERR_HOST, "cannot write JSON");
	return 0;
}
