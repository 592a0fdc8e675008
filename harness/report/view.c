/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/view.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum {
	ROW = 16 /* bytes a line of hex */
};

/* ---- hex ---- */

static bool
is_other(struct slice s, struct slice other, size_t i)
{
	return i >= s.n || i >= other.n || s.p[i] != other.p[i];
}

/* One byte, as hex or as a character. */
static void
write_byte(FILE *f, unsigned char c, bool is_hex)
{
	if (is_hex)
		fprintf(f, "%02x", c);
	else if (c == '<' || c == '>' || c == '&')
		fprintf(f, "&#%d;", c);
	else
		fputc(c >= 0x20 && c < 0x7f ? c : '.', f);
}

/* The bytes [from, to) of s; what differs is marked, run by run. */
static void
write_bytes(FILE *f, struct slice s, struct slice other, size_t from, size_t to,
	bool is_hex)
{
	bool is_marked = false;

	for (size_t i = from; i < to; i++) {
		bool is = is_other(s, other, i);

		if (is_marked && !is)
			fputs("</mark>", f);
		if (is_hex && i > from)
			fputc(' ', f);
		if (is && !is_marked)
			fputs("<mark>", f);
		is_marked = is;
		write_byte(f, (unsigned char)s.p[i], is_hex);
	}
	if (is_marked)
		fputs("</mark>", f);
}

static void
write_hex(struct markup *m, struct slice s, struct slice other, int64_t at)
{
	for (size_t i = 0; i < s.n; i += ROW) {
		size_t end = s.n - i < ROW ? s.n : i + ROW;

		fprintf(m->f, "%08" PRIx64 "  ", (uint64_t)at + i);
		write_bytes(m->f, s, other, i, end, true);
		fprintf(m->f, "%*s  ", 3 * (int)(ROW - (end - i)), "");
		write_bytes(m->f, s, other, i, end, false);
		fputc('\n', m->f);
	}
}

/* ---- text ---- */

static bool
is_within(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Without the pieces of characters that were cut at either end. */
static struct slice
whole_characters(struct slice s)
{
	for (int i = 0; i < 3 && s.n > 0 && is_within(s.p[0]); i++)
		s = (struct slice){s.p + 1, s.n - 1};
	for (size_t k = 1; k <= 4 && k <= s.n; k++) {
		unsigned char c = (unsigned char)s.p[s.n - k];
		size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c >= 0xc0 && length > k)
			s.n -= k;
		if (!is_within((char)c))
			break;
	}
	return s;
}

static bool
is_text(struct slice s)
{
	s = whole_characters(s);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == 0x7f || (c < 0x20 && !strchr("\t\n\r", c)) || c == 0)
			return false;
	}
	return text_is_utf8(s);
}

/* Take the first line of s, without its end. */
static struct slice
take_line(struct slice *s)
{
	const char *end = s->n ? memchr(s->p, '\n', s->n) : NULL;
	struct slice line = {s->p, end ? (size_t)(end - s->p) : s->n};
	size_t n = line.n + (end != NULL);

	*s = (struct slice){s->p + n, s->n - n};
	return line;
}

/* A line; what is between the beginning and end that both have is marked. */
static void
write_line(struct markup *m, struct slice line, struct slice other)
{
	size_t least = line.n < other.n ? line.n : other.n;
	size_t head = 0, tail = 0;

	while (head < least && line.p[head] == other.p[head])
		head++;
	while (head > 0 && head < line.n && is_within(line.p[head]))
		head--;
	least -= head;
	while (tail < least &&
		line.p[line.n - 1 - tail] == other.p[other.n - 1 - tail])
		tail++;
	while (tail > 0 && is_within(line.p[line.n - tail]))
		tail--;
	markup_lines(m, (struct slice){line.p, head});
	if (head + tail < line.n) {
		fputs("<mark>", m->f);
		markup_lines(
			m, (struct slice){line.p + head, line.n - head - tail});
		fputs("</mark>", m->f);
	}
	markup_lines(m, (struct slice){line.p + line.n - tail, tail});
}

static void
write_text(struct markup *m, struct slice s, struct slice other)
{
	s = whole_characters(s);
	other = whole_characters(other);
	while (s.n > 0) {
		struct slice line = take_line(&s), twin = take_line(&other);

		write_line(m, line, twin);
		fputc('\n', m->f);
	}
}

/* ---- all ---- */

static void
write_side(struct markup *m, const char *name, struct slice s,
	struct slice other, int64_t at, bool is_hex)
{
	markup(m, "<figure><figcaption>%s</figcaption>", name);
	if (s.n == 0) {
		fputs("<p class=\"sub\">ends before</p></figure>", m->f);
		return;
	}
	fputs("<pre tabindex=\"0\">", m->f);
	if (is_hex)
		write_hex(m, s, other, at);
	else
		write_text(m, s, other);
	fputs("</pre></figure>", m->f);
}

static void
write_list(struct markup *m, const struct difference *d)
{
	struct slice list = d->image_part.n ? d->image_part : d->rebuilt_part;

	fputs("<details class=\"look\"><summary>What is in it</summary>\n"
	      "<pre tabindex=\"0\">",
		m->f);
	markup_lines(m, list);
	fputs("</pre></details>\n", m->f);
}

void
view_write(struct markup *m, const struct difference *d, bool is_open)
{
	struct slice a = d->image_part, b = d->rebuilt_part;
	bool is_hex = !is_text(a) || !is_text(b);

	if (a.n == 0 && b.n == 0)
		return;
	if (strncmp(d->kind, "store-item-", strlen("store-item-")) == 0) {
		write_list(m, d);
		return;
	}
	fprintf(m->f, "<details class=\"look\"%s>", is_open ? " open" : "");
	markup(m, "<summary>%s from byte %" PRId64 " on</summary>\n",
		is_hex ? "Bytes" : "Text", d->part_at);
	fprintf(m->f, "<div class=\"sides%s\">", is_hex ? " hex" : "");
	write_side(m, "Image", a, b, d->part_at, is_hex);
	write_side(m, "Rebuild", b, a, d->part_at, is_hex);
	fputs("</div></details>\n", m->f);
}
