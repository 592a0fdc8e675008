/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/front.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/words.h"

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
void
front_time(struct markup *m, int64_t wall_s)
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
	front_time(m, r->run.started_s);
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

/* "<li>" of one change: what it was, what it is. */
static void
write_change(struct markup *m, const struct report_change *c)
{
	CLEANUP(buf_fini)
	struct buf file = {0};

	report_file(&file, c->name);
	markup(m,
		"<li><a href=\"images/%s.html\">%s</a> "
		"<span class=\"badge %s\">%s</span>",
		buf_text(&file), c->name, page_tone(c->is),
		verdict_name(c->is));
	if (c->is_regression)
		fputs(" <span class=\"mark bad\">regression</span>", m->f);
	if (c->was[0] && !(c->is_regression && c->good_run == c->last_run))
		markup(m,
			" <span class=\"sub\">was %s in run %" PRId64 "</span>",
			c->was, c->last_run);
	if (c->is_regression && c->good[0])
		markup(m,
			" <span class=\"sub\">last good: %s in run %" PRId64
			"</span>",
			c->good, c->good_run);
	fputs("</li>\n", m->f);
}

/* Those of one kind; total are said to be in the table where not all are here. */
static void
write_list(struct markup *m, const struct report *r, bool is_regression,
	int64_t total)
{
	int64_t n = 0;

	fputs("<ul class=\"changes\">\n", m->f);
	for (size_t i = 0; i < r->n_changes; i++) {
		if (r->changes[i].is_regression != is_regression)
			continue;
		write_change(m, &r->changes[i]);
		n++;
	}
	fputs("</ul>\n", m->f);
	if (total > n)
		markup(m,
			"<p class=\"note\">and %" PRId64
			" more, in the table below.</p>\n",
			total - n);
}

static void
write_regressions(struct markup *m, const struct report *r)
{
	if (r->regressions == 0)
		return;
	markup(m,
		"<section aria-labelledby=\"regressions\">\n"
		"<h2 id=\"regressions\">Regressions</h2>\n"
		"<p>%" PRId64 " image%s worse than the corpus expects, or than "
		"an earlier run accepted.</p>\n",
		r->regressions, r->regressions == 1 ? " is" : "s are");
	write_list(m, r, true, r->regressions);
	fputs("</section>\n", m->f);
}

/* Against the run before, whatever is expected. */
static void
write_changes(struct markup *m, const struct report *r)
{
	int64_t others = r->better + r->worse - r->shifted_regressions;

	if (r->better + r->worse == 0)
		return;
	markup(m,
		"<section aria-labelledby=\"changes\">\n"
		"<h2 id=\"changes\">What changed</h2>\n"
		"<p>%" PRId64 " worse, %" PRId64 " better than when last "
		"judged%s.</p>\n",
		r->worse, r->better,
		r->shifted_regressions ? ", with the regressions above" : "");
	if (others > 0)
		write_list(m, r, false, others);
	fputs("</section>\n", m->f);
}

int
front_write_head(struct markup *m, const struct report *r, struct err *e)
{
	write_header(m, r);
	fputs("<main>\n", m->f);
	write_summary(m, r);
	write_regressions(m, r);
	write_changes(m, r);
	return chart_write(m, r, e);
}

void
front_write_foot(struct markup *m, const struct report *r)
{
	fputs("<section aria-labelledby=\"run\">\n"
	      "<h2 id=\"run\">This run</h2>\n<dl class=\"facts\">\n",
		m->f);
	page_fact(m, "unblend", r->run.unblend_version, false);
	page_fact(m, "Guix", r->run.guix_version, false);
	page_fact(m, "Machine", r->run.host, false);
	page_fact(m, "Kernel", r->run.kernel, false);
	page_fact(m, "Store on", r->run.store_fs, false);
	if (r->run.ended_s) {
		fputs("<dt>Ended</dt><dd>", m->f);
		front_time(m, r->run.ended_s);
		fputs("</dd>\n", m->f);
	}
	fputs("<dt>Corpora</dt><dd><pre class=\"plain\">", m->f);
	markup_lines(m, slice_of(r->run.corpora));
	fputs("</pre></dd>\n</dl>\n"
	      "<p class=\"sub\">For machines: <a href=\"report.json\">"
	      "report.json</a>, <a href=\"verdicts.csv\">verdicts.csv</a>, "
	      "<a href=\"junit.xml\">junit.xml</a></p>\n"
	      "</section>\n</main>\n",
		m->f);
}
