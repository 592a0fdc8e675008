/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/markup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

static const char style[] =
#include "reports/style.css.h"
	;
static const char script[] =
#include "reports/script.js.h"
	;

void
markup_fini(struct markup *m)
{
	buf_fini(&m->clean);
	buf_fini(&m->out);
}

static void
write_clean(struct markup *m, struct slice s, enum text_lines lines)
{
	buf_clear(&m->clean);
	buf_clear(&m->out);
	text_clean(&m->clean, s, lines);
	text_xml(&m->out, buf_get(&m->clean));
	fwrite(buf_text(&m->out), 1, m->out.n, m->f);
}

void
markup(struct markup *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (const char *p = fmt; *p;) {
		size_t n = strcspn(p, "%");

		fwrite(p, 1, n, m->f);
		p += n;
		if (!*p)
			break;
		if (strncmp(p, "%" PRId64, strlen("%" PRId64)) == 0) {
			fprintf(m->f, "%" PRId64, va_arg(ap, int64_t));
			p += strlen("%" PRId64);
		} else if (p[1] == 's') {
			const char *s = va_arg(ap, const char *);

			write_clean(m, slice_of(s), TEXT_ONE_LINE);
			p += 2;
		} else if (p[1] == 'd') {
			fprintf(m->f, "%d", va_arg(ap, int));
			p += 2;
		} else {
			/* "%%", and all that we do not use. */
			fputc('%', m->f);
			p += p[1] ? 2 : 1;
		}
	}
	va_end(ap);
}

void
markup_lines(struct markup *m, struct slice s)
{
	write_clean(m, s, TEXT_MANY_LINES);
}

/* A source expression of a content security policy (CSP3, 2.3.1). */
static void
write_source(struct markup *m, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	struct digest d = digest_of(text, strlen(text));
	char base64[44];

	for (size_t i = 0, n = 0; i < 32; i += 3, n += 4) {
		uint32_t b = (uint32_t)d.b[i] << 16 |
			(uint32_t)d.b[i + 1] << 8 |
			(i + 2 < 32 ? (uint32_t)d.b[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			base64[n + k] = digits[b >> (18 - 6 * k) & 63];
	}
	base64[43] = '=';
	fprintf(m->f, "'sha256-%.44s'", base64);
}

void
markup_head(struct markup *m, const char *title)
{
	markup(m,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<link rel=\"icon\" href=\"data:,\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\""
		"default-src 'none'; img-src data:; base-uri 'none'; "
		"form-action 'none'; style-src ");
	write_source(m, style);
	fputs("; script-src ", m->f);
	write_source(m, script);
	if (m->nonce)
		markup(m, " 'nonce-%s'", m->nonce);
	markup(m, "\">\n<title>%s</title>\n<style>", title);
	fputs(style, m->f);
	fputs("</style>\n</head>\n<body>\n", m->f);
}

void
markup_foot(struct markup *m)
{
	fputs("<script>", m->f);
	fputs(script, m->f);
	fputs("</script>\n</body>\n</html>\n", m->f);
}
