/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "report/folder.h"
#include "report/page.h"
#include "report/sink.h"
#include "report/words.h"

/*
 * The pages: index.html, images/NAME.html, logs/NAME.log.  They open from disk,
 * ask for nothing, and can be read without scripts.
 */

enum {
	CAUSE_CHARS = 180
};

struct html {
	struct aside index;
	struct markup m; /* writes to index.f */
	struct folder images, logs;
};

/* Images that came out the same: those that were rebuilt and pass. */
static int64_t
count_same(const struct report *r)
{
	int64_t n = 0;

	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		if (verdict_reaches(v, VERDICT_SAME_CONTENTS))
			n += r->counts[v];
	}
	return n;
}

/* "2026-11-24 04:22 UTC": of the run's own row, never of the clock. */
static void
write_time(struct markup *m, int64_t wall_s)
{
	char iso[CLOCK_ISO];

	clock_iso(wall_s, iso);
	markup(m, "<time datetime=\"%s\">", iso);
	fprintf(m->f, "%.10s %.5s UTC</time>", iso,
		iso + strlen("2026-11-24T"));
}

static void
write_accepted(struct markup *m, const struct report *r)
{
	fputs("<p class=\"lead\">", m->f);
	if (r->unaccepted == 0)
		fputs("All are accepted", m->f);
	else
		markup(m, "<b>%" PRId64 " not accepted</b>", r->unaccepted);
	if (r->regressions)
		markup(m, ", <b>%" PRId64 " regression%s</b>", r->regressions,
			r->regressions == 1 ? "" : "s");
	markup(m,
		". The line is <b>%s</b>, or what the corpus expects of an "
		"image. Depth <b>%s</b>, ",
		r->run.accept, r->run.depth);
	write_time(m, r->run.started_s);
	fputs(".</p>\n", m->f);
}

static void
write_header(struct markup *m, const struct report *r)
{
	int64_t same = count_same(r), recipes = r->counts[VERDICT_SAME_RECIPE];

	markup(m,
		"<a class=\"skip-link\" href=\"#images\">To the images</a>\n"
		"<header>\n<p class=\"crumbs\"><b>unblend</b> run %" PRId64
		"</p>\n<h1>",
		r->run.id);
	if (same == 0 && recipes > 0)
		markup(m,
			"%" PRId64 " of %" PRId64 " image%s %s the right "
			"recipe; none was rebuilt",
			recipes, r->total, r->total == 1 ? "" : "s",
			recipes == 1 ? "has" : "have");
	else if (r->total > 0 && same == r->total)
		fputs(same == 1 ? "The image came out the same"
				: "All images came out the same",
			m->f);
	else
		markup(m,
			"%" PRId64 " of %" PRId64 " image%s came out the same",
			same, r->total, r->total == 1 ? "" : "s");
	if (same > 0 && recipes > 0)
		markup(m,
			"; %" PRId64 " %s not rebuilt, but %s the right recipe",
			recipes, recipes == 1 ? "was" : "were",
			recipes == 1 ? "has" : "have");
	fputs("</h1>\n", m->f);
	write_accepted(m, r);
	if (r->run.ended_s == 0)
		fputs("<p class=\"note\">This run has not ended, or was "
		      "killed: what it judged until then is here.</p>\n",
			m->f);
	fputs("</header>\n", m->f);
}

/* The verdicts as one bar; widths in thousandths, so that all fit. */
static void
write_bar(struct markup *m, const struct report *r)
{
	int64_t before = 0;

	if (r->total == 0)
		return;
	fputs("<svg class=\"bar\" viewBox=\"0 0 1000 10\" "
	      "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
		m->f);
	for (enum verdict v = 0; v <= VERDICT_COUNT; v++) {
		int64_t n = v < VERDICT_COUNT ? r->counts[v] : r->unjudged;
		int64_t x = before * 1000 / r->total;

		if (n == 0)
			continue;
		before += n;
		markup(m,
			"<rect class=\"%s v-%s\" x=\"%" PRId64 "\" y=\"0\" "
			"width=\"%" PRId64 "\" height=\"10\"/>",
			v < VERDICT_COUNT ? page_tone(v) : "skip",
			v < VERDICT_COUNT ? verdict_name(v) : "unjudged", x,
			before * 1000 / r->total - x);
	}
	fputs("</svg>\n", m->f);
}

static void
write_chip(struct markup *m, const char *name, const char *tone,
	const char *sentence, int64_t n)
{
	markup(m,
		"<li><button type=\"button\" class=\"chip %s v-%s\" "
		"data-verdict=\"%s\" aria-pressed=\"false\" title=\"%s\" "
		"disabled><span class=\"dot\"></span>%s <b>%" PRId64
		"</b></button></li>\n",
		tone, name, name, sentence, name, n);
}

static void
write_summary(struct markup *m, const struct report *r)
{
	fputs("<section class=\"summary\" aria-labelledby=\"verdicts\">\n"
	      "<h2 id=\"verdicts\" class=\"quiet\">Verdicts</h2>\n",
		m->f);
	write_bar(m, r);
	fputs("<ul class=\"chips\">\n", m->f);
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		if (r->counts[v])
			write_chip(m, verdict_name(v), page_tone(v),
				verdict_sentence(v), r->counts[v]);
	}
	if (r->unjudged)
		write_chip(m, "unjudged", "skip",
			"The run ended before these were judged.", r->unjudged);
	fputs("</ul>\n</section>\n", m->f);
}

static void
write_changes(struct markup *m, const struct report *r)
{
	CLEANUP(buf_fini)
	struct buf file = {0};
	int64_t changed = r->better + r->worse;

	if (r->n_changes == 0)
		return;
	markup(m,
		"<section aria-labelledby=\"changes\">\n"
		"<h2 id=\"changes\">What changed</h2>\n"
		"<p>%" PRId64 " worse, %" PRId64 " better than when last "
		"judged; %" PRId64 " regression%s against what the corpus "
		"expects.</p>\n<ul class=\"changes\">\n",
		r->worse, r->better, r->regressions,
		r->regressions == 1 ? "" : "s");
	for (size_t i = 0; i < r->n_changes; i++) {
		const struct report_change *c = &r->changes[i];

		buf_clear(&file);
		report_file(&file, c->name);
		markup(m,
			"<li><a href=\"images/%s.html\">%s</a> "
			"<span class=\"badge %s\">%s</span>",
			buf_text(&file), c->name, page_tone(c->is),
			verdict_name(c->is));
		if (c->is_regression)
			fputs(" <span class=\"mark bad\">regression</span>",
				m->f);
		if (c->was[0])
			markup(m,
				" <span class=\"sub\">was %s in run %" PRId64
				"</span>",
				c->was, c->last_run);
		fputs("</li>\n", m->f);
	}
	fputs("</ul>\n", m->f);
	if (changed > (int64_t)r->n_changes)
		fputs("<p class=\"note\">The table below has the others."
		      "</p>\n",
			m->f);
	fputs("</section>\n", m->f);
}

static void
write_table_head(struct markup *m)
{
	fputs("<section aria-labelledby=\"images\">\n"
	      "<div class=\"bar-line\"><h2 id=\"images\" tabindex=\"-1\">"
	      "Images</h2>\n"
	      "<div class=\"tools\" hidden><label for=\"filter\">Filter"
	      "</label> <input id=\"filter\" type=\"search\" "
	      "placeholder=\"name, cause, channel\" autocomplete=\"off\" "
	      "spellcheck=\"false\"> <output id=\"shown\" for=\"filter\">"
	      "</output></div></div>\n"
	      "<table id=\"table\" class=\"images\">\n<thead><tr>"
	      "<th scope=\"col\">Image</th><th scope=\"col\">Verdict</th>"
	      "<th scope=\"col\">Why</th><th scope=\"col\">Channels</th>"
	      "<th scope=\"col\">Derivations</th>"
	      "<th scope=\"col\" class=\"num\">Time</th></tr></thead>\n<tbody>\n",
		m->f);
}

/* Under the verdict; nothing where all is as it was, or all is new. */
static void
write_shift(
	struct markup *m, const struct report *r, const struct store_attempt *a)
{
	static const char *const words[] = {
		[SHIFT_NEW] = "new",
		[SHIFT_SAME] = "same",
		[SHIFT_BETTER] = "better",
		[SHIFT_WORSE] = "worse",
	};
	enum report_shift shift = report_shift(a);

	if ((shift == SHIFT_SAME && a->is_judged) ||
		(shift == SHIFT_NEW && r->fresh == r->total))
		return;
	markup(m, "<span class=\"shift %s\">", words[shift]);
	if (shift == SHIFT_NEW)
		markup(m, "first time");
	else
		markup(m, "was %s", a->last_verdict);
	fputs("</span>", m->f);
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

static void
write_derivations(struct markup *m, const struct store_attempt *a)
{
	markup(m,
		"<td data-l=\"Derivations\" class=\"set\" data-k=\"%" PRId64
		"\">",
		a->built);
	if (a->recipe_id && a->built + a->substituted + a->valid > 0) {
		markup(m, "<span><b>%" PRId64 "</b> built</span>", a->built);
		if (a->substituted)
			markup(m, "<span>%" PRId64 " substituted</span>",
				a->substituted);
		markup(m, "<span>%" PRId64 " valid</span>", a->valid);
	}
	fputs("</td>", m->f);
}

static void
write_row(
	struct markup *m, const struct report *r, const struct store_attempt *a)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	markup(m,
		"<tr data-v=\"%s\"><th scope=\"row\">"
		"<a href=\"images/%s.html\">%s</a>"
		"<span class=\"sub\">%s%s%s</span></th>"
		"<td data-l=\"Verdict\" data-k=\"%d\">",
		report_verdict(a), buf_text(&r->file), a->sample.name,
		a->sample.collection, a->sample.tags[0] ? " · " : "",
		a->sample.tags, a->is_judged ? (int)a->verdict : VERDICT_COUNT);
	page_badge(m, a);
	write_shift(m, r, a);
	report_short(&text, a->cause, CAUSE_CHARS);
	markup(m, "</td><td data-l=\"Why\">%s</td>", buf_text(&text));
	write_set(m, a->channel_set);
	write_derivations(m, a);
	buf_clear(&text);
	if (a->is_judged)
		report_duration(&text, a->elapsed_ms);
	markup(m,
		"<td data-l=\"Time\" class=\"num\" data-k=\"%" PRId64
		"\">%s</td>",
		a->elapsed_ms, buf_text(&text));
	fputs("</tr>\n", m->f);
}

static void
write_footer(struct markup *m, const struct report *r)
{
	fputs("</tbody></table>\n"
	      "<p id=\"none\" class=\"note\" hidden>No image matches.</p>\n"
	      "</section>\n<section aria-labelledby=\"run\">\n"
	      "<h2 id=\"run\">This run</h2>\n<dl class=\"facts\">\n",
		m->f);
	page_fact(m, "unblend", r->run.unblend_version, false);
	page_fact(m, "Guix", r->run.guix_version, false);
	page_fact(m, "Machine", r->run.host, false);
	page_fact(m, "Kernel", r->run.kernel, false);
	page_fact(m, "Store on", r->run.store_fs, false);
	if (r->run.ended_s) {
		fputs("<dt>Ended</dt><dd>", m->f);
		write_time(m, r->run.ended_s);
		fputs("</dd>\n", m->f);
	}
	fputs("<dt>Corpora</dt><dd><pre class=\"plain\">", m->f);
	markup_lines(m, slice_of(r->run.corpora));
	fputs("</pre></dd>\n</dl>\n"
	      "<p class=\"sub\">For machines: <a href=\"report.json\">"
	      "report.json</a>, <a href=\"junit.xml\">junit.xml</a></p>\n"
	      "</section>\n</main>\n",
		m->f);
}

static int
html_begin(const struct report *r, void **state, struct err *e)
{
	CLEANUP(own_free)
	char *index = path_join(r->folder, "index.html");
	CLEANUP(own_free)
	char *images = path_join(r->folder, "images");
	CLEANUP(own_free)
	char *logs = path_join(r->folder, "logs");
	CLEANUP(own_free)
	char *title = xasprintf("unblend run %" PRId64, r->run.id);
	struct html *h = xcalloc(1, sizeof(*h));

	*state = h;
	if (folder_open(&h->images, images, e) < 0 ||
		folder_open(&h->logs, logs, e) < 0 ||
		aside_open(&h->index, index, e) < 0)
		return -1;
	h->m.f = h->index.f;
	markup_head(&h->m, title);
	write_header(&h->m, r);
	fputs("<main>\n", h->m.f);
	write_summary(&h->m, r);
	write_changes(&h->m, r);
	write_table_head(&h->m);
	return 0;
}

/* Close a file that was written; ERR_HOST where anything was lost. */
static int
close_written(FILE *f, const char *path, struct err *e)
{
	int is_failed = ferror(f);

	if (fclose(f) != 0 || is_failed)
		return err_sys(e, ERR_HOST, "%s: cannot write", path);
	return 0;
}

static int
write_page(const struct html *h, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *path =
		xasprintf("%s/%s.html", h->images.temp, buf_text(&r->file));
	CLEANUP(markup_fini)
	struct markup m = {.f = fopen(path, "wxe")};

	if (!m.f)
		return err_sys(e, ERR_HOST, "%s: cannot write", path);
	if (page_write(&m, r, a, e) < 0) {
		fclose(m.f);
		return -1;
	}
	return close_written(m.f, path, e);
}

static int
write_log(const struct html *h, const struct report *r, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/%s.log", h->logs.temp, buf_text(&r->file));
	CLEANUP(buf_fini)
	struct buf clean = {0};
	FILE *f;

	if (r->log.n == 0)
		return 0;
	f = fopen(path, "wxe");
	if (!f)
		return err_sys(e, ERR_HOST, "%s: cannot write", path);
	text_clean(&clean, buf_get(&r->log), TEXT_MANY_LINES);
	fwrite(buf_text(&clean), 1, clean.n, f);
	return close_written(f, path, e);
}

static int
html_sample(void *state, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	struct html *h = state;

	write_row(&h->m, r, a);
	if (write_page(h, r, a, e) < 0)
		return -1;
	return write_log(h, r, e);
}

static int
html_end(void *state, const struct report *r, bool is_whole, struct err *e)
{
	struct html *h = state;
	int status = 0;

	if (is_whole) {
		write_footer(&h->m, r);
		markup_foot(&h->m);
		status = folder_publish(&h->images, e);
		if (status == 0)
			status = folder_publish(&h->logs, e);
		if (status == 0)
			status = aside_publish(&h->index, e);
	}
	folder_drop(&h->images);
	folder_drop(&h->logs);
	aside_drop(&h->index);
	markup_fini(&h->m);
	free(h);
	return status;
}

const struct report_sink report_html = {
	.name = "html",
	.begin = html_begin,
	.sample = html_sample,
	.end = html_end,
};
