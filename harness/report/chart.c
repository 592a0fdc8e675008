/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/chart.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "report/front.h"
#include "report/page.h"
#include "report/words.h"
#include "store/history.h"

/*
 * Pictures are inline SVG, without a style of their own (the page's policy
 * allows none), and say in words what they show.
 */

enum {
	WIDE = 300, /* units of a collection's picture */
	HIGH = 60,
	EDGE = 4,
	CELL_WIDE = 12, /* units of a run in the strip of an image */
	CELL_HIGH = 24
};

/* ---- collections ---- */

struct rate {
	int64_t run, started_s, images, same, accepted;
};

struct collection {
	char *name;
	struct rate rates[CHART_RUNS];
	size_t n;
};

struct gather {
	struct collection v[CHART_COLLECTIONS];
	size_t n;
	char *last;     /* the collection of the row before */
	int64_t others; /* collections without a place in v */
	size_t most;    /* rates of any of them */
};

static void
gather_fini(struct gather *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->v[i].name);
	free(g->last);
}

static int
add_rate(void *arg, const struct store_rate *r, struct err *e)
{
	struct gather *g = arg;
	struct collection *c;

	(void)e;
	if (!g->last || strcmp(g->last, r->collection) != 0) {
		free(g->last);
		g->last = xstrdup(r->collection);
		if (g->n < CHART_COLLECTIONS)
			g->v[g->n++].name = xstrdup(r->collection);
		else
			g->others++;
	}
	c = &g->v[g->n - 1];
	if (g->others > 0 || c->n >= CHART_RUNS)
		return 0;
	c->rates[c->n++] = (struct rate){
		r->run, r->started_s, r->images, r->same, r->accepted};
	if (c->n > g->most)
		g->most = c->n;
	return 0;
}

static int64_t
x_of(const struct collection *c, size_t i)
{
	return EDGE + (int64_t)i * (WIDE - 2 * EDGE) / (int64_t)(c->n - 1);
}

static int64_t
y_of(int64_t part, int64_t all)
{
	return EDGE + (HIGH - 2 * EDGE) * (all - part) / (all > 0 ? all : 1);
}

static void
write_lines(struct markup *m, const struct collection *c)
{
	fputs("<polyline class=\"accepted\" points=\"", m->f);
	for (size_t i = 0; i < c->n; i++)
		markup(m, "%" PRId64 ",%" PRId64 " ", x_of(c, i),
			y_of(c->rates[i].accepted, c->rates[i].images));
	fputs("\"/><polyline class=\"same\" points=\"", m->f);
	for (size_t i = 0; i < c->n; i++)
		markup(m, "%" PRId64 ",%" PRId64 " ", x_of(c, i),
			y_of(c->rates[i].same, c->rates[i].images));
	fputs("\"/>", m->f);
	for (size_t i = 0; i < c->n; i++) {
		const struct rate *v = &c->rates[i];

		markup(m,
			"<circle class=\"same\" cx=\"%" PRId64
			"\" cy=\"%" PRId64 "\" r=\"2.5\"><title>run %" PRId64
			": %" PRId64 " of %" PRId64 " came out the same"
			"</title></circle>",
			x_of(c, i), y_of(v->same, v->images), v->run, v->same,
			v->images);
	}
}

static void
write_numbers(struct markup *m, const struct collection *c)
{
	markup(m,
		"<details><summary>Numbers<span class=\"quiet\"> of %s</span>"
		"</summary>\n<table class=\"rows\"><thead><tr>"
		"<th scope=\"col\">Run</th><th scope=\"col\">Started</th>"
		"<th scope=\"col\" class=\"num\">Same</th>"
		"<th scope=\"col\" class=\"num\">Accepted</th>"
		"<th scope=\"col\" class=\"num\">Images</th></tr></thead>"
		"<tbody>\n",
		c->name);
	for (size_t i = c->n; i-- > 0;) {
		const struct rate *v = &c->rates[i];
		char when[CLOCK_ISO];

		markup(m,
			"<tr><th scope=\"row\">%" PRId64
			"</th><td data-l=\"Started\" class=\"num\">",
			v->run);
		clock_iso(v->started_s, when);
		when[strlen("2026-11-24")] = '\0';
		markup(m,
			"%s</td><td data-l=\"Same\" class=\"num\">%" PRId64
			"</td><td data-l=\"Accepted\" class=\"num\">%" PRId64
			"</td><td data-l=\"Images\" class=\"num\">%" PRId64
			"</td></tr>\n",
			when, v->same, v->accepted, v->images);
	}
	fputs("</tbody></table></details>\n", m->f);
}

static void
write_collection(struct markup *m, const struct collection *c)
{
	const struct rate *now = &c->rates[c->n - 1];

	markup(m,
		"<li><h3>%s <span class=\"sub\">%" PRId64 " of %" PRId64
		"</span></h3>\n",
		c->name, now->same, now->images);
	if (c->n > 1) {
		markup(m,
			"<svg class=\"chart\" viewBox=\"0 0 %d %d\" "
			"role=\"img\" aria-label=\"%s over %" PRId64
			" runs: %" PRId64 " of %" PRId64
			" came out the same in run %" PRId64 ", %" PRId64
			" of %" PRId64 " in the run before\">",
			WIDE, HIGH, c->name, (int64_t)c->n, now->same,
			now->images, now->run, now[-1].same, now[-1].images);
		write_lines(m, c);
		fputs("</svg>\n", m->f);
		write_numbers(m, c);
	}
	fputs("</li>\n", m->f);
}

int
chart_write(struct markup *m, const struct report *r, struct err *e)
{
	CLEANUP(gather_fini)
	struct gather g = {0};

	if (store_rates(r->store, r->run.id, CHART_RUNS, add_rate, &g, e) < 0)
		return -1;
	if (g.most < 2)
		return 0;
	fputs("<section aria-labelledby=\"over-time\">\n"
	      "<h2 id=\"over-time\">Over time</h2>\n"
	      "<p class=\"sub\">The part of each collection that came out the "
	      "same, run by run; the thin line is what was accepted.</p>\n"
	      "<ul class=\"charts\">\n",
		m->f);
	for (size_t i = 0; i < g.n; i++)
		write_collection(m, &g.v[i]);
	fputs("</ul>\n", m->f);
	if (g.others > 0)
		markup(m,
			"<p class=\"note\">and %" PRId64
			" collections more.</p>\n",
			g.others);
	fputs("</section>\n", m->f);
	return 0;
}

/* ---- an image ---- */

/* Passes stand tall, failures lower, what was not tested low: not by colour
 * alone. */
static int
height(enum verdict v)
{
	static const int heights[] = {
		[JUNIT_PASS] = CELL_HIGH,
		[JUNIT_FAILURE] = CELL_HIGH * 3 / 5,
		[JUNIT_ERROR] = CELL_HIGH * 2 / 5,
		[JUNIT_SKIPPED] = CELL_HIGH / 5,
	};

	return heights[verdict_junit(v)];
}

static void
write_strip(struct markup *m, const struct report *r)
{
	int64_t n = (int64_t)r->n_past;

	markup(m,
		"<svg class=\"strip\" viewBox=\"0 0 %" PRId64
		" %d\" width=\"%" PRId64 "\" height=\"%d\" role=\"img\" "
		"aria-label=\"The verdicts of %" PRId64
		" runs, oldest first; the table has them\">",
		n * CELL_WIDE, CELL_HIGH, n * CELL_WIDE, CELL_HIGH, n);
	for (size_t i = 0; i < r->n_past; i++) {
		const struct report_past *p = &r->past[i];

		markup(m,
			"<rect class=\"v-%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
			"height=\"%d\"><title>run %" PRId64
			": %s</title></rect>",
			verdict_name(p->verdict), (int)i * CELL_WIDE,
			CELL_HIGH - height(p->verdict), CELL_WIDE - 2,
			height(p->verdict), p->run, verdict_name(p->verdict));
	}
	fputs("</svg>\n", m->f);
}

static void
write_runs(struct markup *m, const struct report *r)
{
	fputs("<details><summary>Runs</summary>\n"
	      "<table class=\"rows\"><thead><tr><th scope=\"col\">Run</th>"
	      "<th scope=\"col\">Started</th><th scope=\"col\">Verdict</th>"
	      "<th scope=\"col\" class=\"num\">Time</th></tr></thead><tbody>\n",
		m->f);
	for (size_t i = r->n_past; i-- > 0;) {
		const struct report_past *p = &r->past[i];
		CLEANUP(buf_fini)
		struct buf time = {0};

		report_duration(&time, p->elapsed_ms);
		markup(m,
			"<tr><th scope=\"row\">%" PRId64
			"</th><td data-l=\"Started\">",
			p->run);
		front_time(m, p->started_s);
		markup(m,
			"</td><td data-l=\"Verdict\"><span class=\"badge %s\">"
			"%s</span></td>"
			"<td data-l=\"Time\" class=\"num\">%s</td></tr>\n",
			page_tone(p->verdict), verdict_name(p->verdict),
			buf_text(&time));
	}
	fputs("</tbody></table></details>\n", m->f);
}

void
chart_strip(struct markup *m, const struct report *r)
{
	size_t first = r->n_past;

	if (r->n_past < 2)
		return;
	while (first > 0 &&
		r->past[first - 1].verdict == r->past[r->n_past - 1].verdict)
		first--;
	fputs("<section aria-labelledby=\"history\">\n"
	      "<h2 id=\"history\">History</h2>\n",
		m->f);
	if (first == 0)
		markup(m, "<p>%s in each of %s%" PRId64 " runs.</p>\n",
			verdict_name(r->past[0].verdict),
			r->n_past == REPORT_PAST_MAX ? "the last " : "",
			(int64_t)r->n_past);
	else
		markup(m,
			"<p>%s since run %" PRId64 ", and %s in the run "
			"before.</p>\n",
			verdict_name(r->past[first].verdict),
			r->past[first].run,
			verdict_name(r->past[first - 1].verdict));
	write_strip(m, r);
	write_runs(m, r);
	fputs("</section>\n", m->f);
}
