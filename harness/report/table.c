/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/table.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/jout.h"
#include "base/path.h"
#include "base/text.h"
#include "report/page.h"
#include "report/words.h"

enum {
	CAUSE_CHARS = 180
};

/* What a row says, in the words of both the pages and rows.js. */
struct row {
	const struct store_attempt *a;
	struct buf sub;   /* collection and tags */
	struct buf why;   /* the cause in short */
	struct buf time;  /* "" when it was not judged */
	struct buf shift; /* "was identical"; "" where all is as it was */
	const char *shift_tone;
};

static void
row_fini(struct row *row)
{
	buf_fini(&row->sub);
	buf_fini(&row->why);
	buf_fini(&row->time);
	buf_fini(&row->shift);
}

/* Nothing where all is as it was, or all is new. */
static void
say_shift(struct row *row, const struct report *r)
{
	static const char *const tones[] = {
		[SHIFT_NEW] = "new",
		[SHIFT_SAME] = "same",
		[SHIFT_BETTER] = "better",
		[SHIFT_WORSE] = "worse",
	};
	const struct store_attempt *a = row->a;
	enum report_shift shift = report_shift(a);

	row->shift_tone = tones[shift];
	if ((shift == SHIFT_SAME && a->is_judged) ||
		(shift == SHIFT_NEW && r->fresh == r->total))
		return;
	if (shift == SHIFT_NEW)
		buf_str(&row->shift, "first time");
	else
		buf_printf(&row->shift, "was %s", a->last_verdict);
}

static void
say(struct row *row, const struct report *r, const struct store_attempt *a)
{
	*row = (struct row){.a = a};
	buf_str(&row->sub, a->sample.collection);
	if (a->sample.tags[0])
		buf_printf(&row->sub, " · %s", a->sample.tags);
	report_short(&row->why, a->cause, CAUSE_CHARS);
	if (a->is_judged)
		report_duration(&row->time, a->elapsed_ms);
	say_shift(row, r);
}

/* A channel a line. */
static void
write_set(struct markup *m, const char *set)
{
	fputs("<td data-l=\"Channels\" class=\"set\">", m->f);
	for (const char *p = set; p && *p;) {
		size_t n = strcspn(p, "+");

		fputs("<span>", m->f);
		markup_lines(m, (struct slice){p, n});
		fputs("</span>", m->f);
		p += n + (p[n] == '+');
	}
	fputs("</td>", m->f);
}

static bool
has_derivations(const struct store_attempt *a)
{
	return a->recipe_id && a->built + a->substituted + a->valid > 0;
}

static void
write_derivations(struct markup *m, const struct store_attempt *a)
{
	markup(m,
		"<td data-l=\"Derivations\" class=\"set\" data-k=\"%" PRId64
		"\">",
		a->built);
	if (has_derivations(a)) {
		markup(m, "<span><b>%" PRId64 "</b> built</span>", a->built);
		if (a->substituted)
			markup(m, "<span>%" PRId64 " substituted</span>",
				a->substituted);
		markup(m, "<span>%" PRId64 " valid</span>", a->valid);
	}
	fputs("</td>", m->f);
}

static void
write_row(struct markup *m, const struct report *r, const struct row *row,
	const char *images)
{
	const struct store_attempt *a = row->a;

	markup(m,
		"<tr data-v=\"%s\"><th scope=\"row\">"
		"<a href=\"%s/%s.html\">%s</a>"
		"<span class=\"sub\">%s</span></th>"
		"<td data-l=\"Verdict\" data-k=\"%d\">",
		report_verdict(a), images, buf_text(&r->file), a->sample.name,
		buf_text(&row->sub),
		a->is_judged ? (int)a->verdict : VERDICT_COUNT);
	page_badge(m, a);
	if (row->shift.n > 0)
		markup(m, "<span class=\"shift %s\">%s</span>", row->shift_tone,
			buf_text(&row->shift));
	markup(m, "</td><td data-l=\"Why\">%s</td>", buf_text(&row->why));
	write_set(m, a->channel_set);
	write_derivations(m, a);
	markup(m,
		"<td data-l=\"Time\" class=\"num\" data-k=\"%" PRId64
		"\">%s</td></tr>\n",
		a->elapsed_ms, buf_text(&row->time));
}

/* ---- rows.js ---- */

static void
put(struct buf *out, const char *s)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};

	text_clean(&clean, slice_of(s ? s : ""), TEXT_ONE_LINE);
	jout_quote(out, buf_get(&clean));
	buf_char(out, ',');
}

/* In the order that reports/script.js takes them in. */
static void
write_data(struct table *t, const struct report *r, const struct row *row)
{
	const struct store_attempt *a = row->a;
	CLEANUP(buf_fini)
	struct buf out = {0};
	const char *mark = NULL;

	if (a->is_judged && a->is_regression)
		mark = "regression";
	else if (report_standing(a))
		mark = a->is_accepted ? "known" : "below the line";
	buf_char(&out, '[');
	put(&out, a->sample.name);
	put(&out, buf_text(&r->file));
	put(&out, buf_text(&row->sub));
	put(&out, report_verdict(a));
	buf_printf(&out, "%d,", a->is_judged ? (int)a->verdict : VERDICT_COUNT);
	put(&out, a->is_judged ? page_tone(a->verdict) : "skip");
	put(&out, mark);
	put(&out, row->shift.n > 0 ? row->shift_tone : "");
	put(&out, buf_text(&row->shift));
	put(&out, buf_text(&row->why));
	put(&out, a->channel_set);
	if (has_derivations(a))
		buf_printf(&out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",",
			a->built, a->substituted, a->valid);
	else
		buf_str(&out, "-1,0,0,");
	buf_printf(&out, "%" PRId64 ",", a->elapsed_ms);
	put(&out, buf_text(&row->time));
	buf_str(&out, "],\n");
	fwrite(out.p, 1, out.n, t->rows);
}

/* ---- pages ---- */

static int64_t
pages(const struct report *r)
{
	return (r->total + TABLE_ROWS - 1) / TABLE_ROWS;
}

static void
write_link(struct markup *m, int64_t here, int64_t n, const char *label)
{
	const char *front = here == 1 ? "index.html" : "../index.html";

	fputs("<a", m->f);
	if (n == here)
		fputs(" aria-current=\"page\"", m->f);
	if (n == 1)
		markup(m, " href=\"%s#images\">", front);
	else
		markup(m, " href=\"%s%" PRId64 ".html#images\">",
			here == 1 ? "table/" : "", n);
	if (label)
		markup(m, "%s</a> ", label);
	else
		markup(m, "%" PRId64 "</a> ", n);
}

/* To the first, the last, and those near. */
static void
write_pager(struct markup *m, const struct report *r, int64_t here)
{
	int64_t last = pages(r);

	if (last < 2)
		return;
	fputs("<nav class=\"pager\" aria-label=\"Pages of images\">", m->f);
	for (int64_t n = 1, told = 0; n <= last; n++) {
		if (n != 1 && n != last && (n < here - 2 || n > here + 2))
			continue;
		if (n > told + 1)
			fputs("<span>…</span> ", m->f);
		write_link(m, here, n, NULL);
		told = n;
	}
	if (here < last)
		write_link(m, here, here + 1, "Next");
	fputs("</nav>\n", m->f);
}

static void
write_table_head(struct markup *m)
{
	fputs("<table id=\"table\" class=\"images\">\n<thead><tr>"
	      "<th scope=\"col\">Image</th><th scope=\"col\">Verdict</th>"
	      "<th scope=\"col\">Why</th><th scope=\"col\">Channels</th>"
	      "<th scope=\"col\">Derivations</th>"
	      "<th scope=\"col\" class=\"num\">Time</th></tr></thead>\n"
	      "<tbody>\n",
		m->f);
}

static FILE *
open_file(const struct table *t, const char *name, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(t->folder, name);

	return page_open(path, e);
}

static int
close_file(const struct table *t, FILE **f, const char *what, struct err *e)
{
	FILE *file = STEAL(*f);

	if (file && page_close(file, what, e) < 0)
		return err_wrap(e, "%s", t->folder);
	return 0;
}

static int
open_page(struct table *t, const struct report *r, struct err *e)
{
	CLEANUP(own_free)
	char *name = xasprintf("%" PRId64 ".html", ++t->number);
	CLEANUP(own_free)
	char *title =
		xasprintf("unblend run %" PRId64 ": images, page %" PRId64,
			r->run.id, t->number);

	t->page.f = open_file(t, name, e);
	if (!t->page.f)
		return -1;
	markup_head(&t->page, title);
	markup(&t->page,
		"<header>\n<nav class=\"crumbs\" aria-label=\"Back\">"
		"<a href=\"../index.html\"><b>unblend</b> run %" PRId64
		"</a></nav>\n<h1 id=\"images\" tabindex=\"-1\">Images %" PRId64
		" to %" PRId64 " of %" PRId64 "</h1>\n</header>\n<main>\n",
		r->run.id, t->n + 1,
		r->total - t->n > TABLE_ROWS ? t->n + TABLE_ROWS : r->total,
		r->total);
	write_table_head(&t->page);
	return 0;
}

static int
close_page(struct table *t, const struct report *r, struct err *e)
{
	if (!t->page.f)
		return 0;
	fputs("</tbody></table>\n", t->page.f);
	write_pager(&t->page, r, t->number);
	fputs("</main>\n", t->page.f);
	markup_foot(&t->page);
	return close_file(t, &t->page.f, "a page of the table", e);
}

int
table_open(struct table *t, const struct report *r, struct err *e)
{
	struct markup *m = t->front;

	t->number = 1;
	fputs("<section aria-labelledby=\"images\"", m->f);
	if (pages(r) > 1) {
		t->rows = open_file(t, "rows.js", e);
		if (!t->rows)
			return -1;
		fputs("unblendRows([\n", t->rows);
		markup(m,
			" data-rows=\"table/rows.js\" data-nonce=\"%s\" "
			"data-total=\"%" PRId64 "\"",
			r->nonce, r->total);
	}
	fputs(">\n<div class=\"bar-line\"><h2 id=\"images\" tabindex=\"-1\">"
	      "Images</h2>\n"
	      "<div class=\"tools\" hidden><label for=\"filter\">Filter"
	      "</label> <input id=\"filter\" type=\"search\" "
	      "placeholder=\"name, cause, channel\" autocomplete=\"off\" "
	      "spellcheck=\"false\"> <output id=\"shown\" for=\"filter\">"
	      "</output></div></div>\n",
		m->f);
	write_table_head(m);
	return 0;
}

int
table_add(struct table *t, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	CLEANUP(row_fini)
	struct row row;

	say(&row, r, a);
	if (t->n > 0 && t->n % TABLE_ROWS == 0 &&
		(close_page(t, r, e) < 0 || open_page(t, r, e) < 0))
		return -1;
	if (t->page.f)
		write_row(&t->page, r, &row, "../images");
	else
		write_row(t->front, r, &row, "images");
	if (t->rows)
		write_data(t, r, &row);
	t->n++;
	return 0;
}

int
table_close(
	struct table *t, const struct report *r, bool is_whole, struct err *e)
{
	struct err late;
	int status = 0;

	if (is_whole) {
		fputs("</tbody></table>\n", t->front->f);
		write_pager(t->front, r, 1);
		fputs("<p class=\"more\" hidden><button type=\"button\" "
		      "id=\"more\"></button></p>\n"
		      "<p id=\"none\" class=\"note\" hidden>No image "
		      "matches.</p>\n</section>\n",
			t->front->f);
		status = close_page(t, r, e);
		if (t->rows)
			fputs("])\n", t->rows);
	}
	if (close_file(t, &t->rows, "rows.js", &late) < 0 && is_whole &&
		status == 0) {
		*e = late;
		status = -1;
	}
	if (t->page.f)
		fclose(t->page.f);
	markup_fini(&t->page);
	return status;
}
