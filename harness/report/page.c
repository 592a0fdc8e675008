/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/page.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "report/chart.h"
#include "report/words.h"

const char *
page_tone(enum verdict v)
{
	static const char *const tones[] = {
		[JUNIT_PASS] = "pass",
		[JUNIT_FAILURE] = "fail",
		[JUNIT_SKIPPED] = "skip",
		[JUNIT_ERROR] = "error",
	};

	return tones[verdict_junit(v)];
}

FILE *
page_open(const char *path, struct err *e)
{
	FILE *f = fopen(path, "wxe");

	if (!f)
		(void)!err_sys(e, ERR_HOST, "%s: cannot write", path);
	return f;
}

int
page_close(FILE *f, const char *path, struct err *e)
{
	int is_failed = ferror(f);

	if (fclose(f) != 0 || is_failed)
		return err_sys(e, ERR_HOST, "%s: cannot write", path);
	return 0;
}

struct texts {
	struct markup *m;
	int64_t n;
	const char *title;
	bool is_code;
};

static int
add_text(void *arg, const char *text, struct err *e)
{
	struct texts *t = arg;

	(void)e;
	if (t->n++ == 0)
		fprintf(t->m->f, "<h3>%s</h3>\n<ul%s>\n", t->title,
			t->is_code ? " class=\"lines\" tabindex=\"0\"" : "");
	if (t->n <= PAGE_LIST_MAX)
		markup(t->m,
			t->is_code ? "<li><code>%s</code></li>\n"
				   : "<li>%s</li>\n",
			text);
	return 0;
}

int
page_texts(struct markup *m, const struct report *r, int64_t sample,
	const char *kind, const char *title, bool is_code, struct err *e)
{
	struct texts t = {m, 0, title, is_code};

	if (store_texts(r->store, sample, kind, add_text, &t, e) < 0)
		return -1;
	if (t.n > PAGE_LIST_MAX)
		markup(m, "<li>and %" PRId64 " more</li>\n",
			t.n - PAGE_LIST_MAX);
	if (t.n > 0)
		fputs("</ul>\n", m->f);
	return 0;
}

void
page_table_end(struct markup *m, int64_t n, int64_t max)
{
	if (n == 0)
		return;
	fputs("</tbody></table></div>\n", m->f);
	if (n > max)
		markup(m,
			"<p class=\"note\">and %" PRId64 " more, all in "
			"<a href=\"../report.json\">report.json</a>.</p>\n",
			n - max);
}

void
page_date(struct markup *m, int64_t date_s)
{
	char when[CLOCK_ISO];

	if (date_s < 0)
		return;
	clock_iso(date_s, when);
	when[strlen("2026-11-24")] = '\0';
	markup(m, " <time class=\"sub\">%s</time>", when);
}

void
page_url(struct markup *m, const char *url)
{
	bool is_web = strncmp(url, "https://", strlen("https://")) == 0 ||
		strncmp(url, "http://", strlen("http://")) == 0;

	if (is_web)
		markup(m,
			"<a href=\"%s\" rel=\"noreferrer external\"><code>%s"
			"</code></a>",
			url, url);
	else
		markup(m, "<code>%s</code>", url);
}

void
page_badge(struct markup *m, const struct store_attempt *a)
{
	markup(m, "<span class=\"badge %s\">%s</span>",
		a->is_judged ? page_tone(a->verdict) : "skip",
		report_verdict(a));
	if (!a->is_judged)
		return;
	if (a->is_regression)
		fputs(" <span class=\"mark bad\">regression</span>", m->f);
	else if (report_standing(a))
		markup(m, " <span class=\"mark\">%s</span>",
			a->is_accepted ? "known" : "below the line");
}

/* The longest start of s, of at most max bytes, that ends with a character. */
static size_t
whole_chars(struct slice s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s.n;
	while (n > 0 && max - n < 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* A <pre> of at most PAGE_TEXT_MAX bytes; nothing for NULL or "". */
static void
block(struct markup *m, const char *text)
{
	struct slice s = slice_of(text);
	size_t shown = whole_chars(s, PAGE_TEXT_MAX);

	if (s.n == 0)
		return;
	fputs("<pre tabindex=\"0\">", m->f);
	markup_lines(m, (struct slice){s.p, shown});
	fputs("</pre>\n", m->f);
	if (shown < s.n)
		markup(m, "<p class=\"note\">%" PRId64 " bytes more.</p>\n",
			(int64_t)(s.n - shown));
}

void
page_copy(struct markup *m, const char *id, const char *label, const char *text)
{
	if (!text || !text[0])
		return;
	markup(m,
		"<div class=\"copied\"><div class=\"bar-line\"><h3>%s</h3>"
		"<button type=\"button\" class=\"copy\" data-copy=\"%s\" "
		"hidden>Copy<span class=\"quiet\"> %s</span></button></div>\n"
		"<pre id=\"%s\" tabindex=\"0\">",
		label, id, label, id);
	markup_lines(m, slice_of(text));
	fputs("</pre></div>\n", m->f);
}

void
page_fact(struct markup *m, const char *label, const char *value, bool is_code)
{
	if (!value || !value[0])
		return;
	markup(m,
		is_code ? "<dt>%s</dt><dd><code>%s</code></dd>\n"
			: "<dt>%s</dt><dd>%s</dd>\n",
		label, value);
}

static void
write_header(
	struct markup *m, const struct report *r, const struct store_attempt *a)
{
	const char *standing = report_standing(a);
	CLEANUP(buf_fini)
	struct buf since = {0};
	CLEANUP(buf_fini)
	struct buf unchanged = {0};

	markup(m,
		"<header>\n<nav class=\"crumbs\" aria-label=\"Back\">"
		"<a href=\"../index.html\"><b>unblend</b> run %" PRId64
		"</a> <span>%s</span></nav>\n<h1>%s</h1>\n"
		"<p class=\"verdict\">",
		r->run.id, a->sample.collection, a->sample.name);
	page_badge(m, a);
	markup(m, "</p>\n<p class=\"lead\">%s", report_sentence(a));
	if (standing)
		markup(m, " %s", standing);
	fputs("</p>\n<p class=\"sub\">", m->f);
	if (a->sample.expect)
		markup(m, "Expected: %s. ", a->sample.expect);
	report_unchanged(&unchanged, a);
	if (unchanged.n > 0)
		markup(m, "%s ", buf_text(&unchanged));
	if (a->last_verdict)
		markup(m, "In run %" PRId64 ": %s. ", a->last_run,
			a->last_verdict);
	else
		fputs("Judged for the first time. ", m->f);
	report_since(&since, a);
	markup(m, "%s", buf_text(&since));
	if (r->is_flaky)
		fputs(" <b>Flaky</b>: with the same image and recipe, it passed "
		      "and failed by turns.",
			m->f);
	fputs("</p>\n</header>\n<main>\n", m->f);
}

/* Sentences of ours; quoted parts of them may be long. */
static void
write_prose(struct markup *m, const char *text)
{
	struct slice s = slice_of(text);
	size_t shown = whole_chars(s, PAGE_TEXT_MAX);

	fputs("<p class=\"prose\">", m->f);
	markup_lines(m, (struct slice){s.p, shown});
	if (shown < s.n)
		markup(m, " [%" PRId64 " bytes more]", (int64_t)(s.n - shown));
	fputs("</p>\n", m->f);
}

static void
write_cause(struct markup *m, const struct store_attempt *a)
{
	bool has_cause = a->cause && a->cause[0];
	bool has_advice = a->advice && a->advice[0];

	if (!has_cause && !has_advice)
		return;
	markup(m, "<section class=\"why %s\" aria-labelledby=\"why\">\n",
		a->is_judged ? page_tone(a->verdict) : "skip");
	if (has_cause) {
		fputs("<h2 id=\"why\">Why</h2>\n", m->f);
		write_prose(m, a->cause);
		if (a->class_)
			markup(m,
				"<p class=\"sub\">Class <code>%s</code></p>\n",
				a->class_);
	}
	if (a->failed_drv && a->failed_drv[0]) {
		markup(m,
			"<h3>First failed derivation</h3>\n"
			"<p><code>%s</code></p>\n",
			a->failed_drv);
		block(m, a->failed_lines);
	}
	if (has_advice) {
		fputs(has_cause ? "<h2>What next</h2>\n"
				: "<h2 id=\"why\">What next</h2>\n",
			m->f);
		write_prose(m, a->advice);
	}
	fputs("</section>\n", m->f);
}

static void
write_tile(struct markup *m, const char *label, int64_t n, const char *tone)
{
	markup(m,
		"<div class=\"tile %s\"><dt>%s</dt><dd>%" PRId64 "</dd></div>",
		tone, label, n);
}

/* The numbers at a glance. */
static void
write_tiles(struct markup *m, const struct store_attempt *a)
{
	CLEANUP(buf_fini)
	struct buf time = {0};

	if (!a->is_judged)
		return;
	fputs("<dl class=\"tiles\">", m->f);
	if (a->recipe_id) {
		write_tile(m, "built", a->built, "");
		write_tile(m, "substituted", a->substituted, "");
		write_tile(m, "valid already", a->valid, "");
		write_tile(m, "downloaded", a->downloaded, "");
	}
	if (a->rebuilt_sha256)
		write_tile(m, "differences", a->differences,
			a->differences ? "bad" : "good");
	report_duration(&time, a->elapsed_ms);
	markup(m, "<div class=\"tile\"><dt>time</dt><dd>%s</dd></div></dl>\n",
		buf_text(&time));
}

/* n bytes of the log; what is cut off is said between. */
static void
write_log(struct markup *m, const struct report *r)
{
	struct slice log = buf_get(&r->log), head, tail = {0};
	size_t from;

	if (log.n == 0)
		return;
	markup(m,
		"<section aria-labelledby=\"log\">\n<h2 id=\"log\">Log</h2>\n"
		"<details><summary>The rebuild's log, %" PRId64
		" bytes</summary>\n<p><a href=\"../logs/%s.log\">The whole "
		"log as a file</a></p>\n<pre tabindex=\"0\">",
		(int64_t)log.n, buf_text(&r->file));
	head = log;
	if (log.n > PAGE_LOG_MAX) {
		head.n = whole_chars(log, PAGE_LOG_MAX / 2);
		from = log.n - PAGE_LOG_MAX / 2;
		from = whole_chars(log, from);
		tail = (struct slice){log.p + from, log.n - from};
	}
	markup_lines(m, head);
	if (tail.n) {
		markup(m,
			"</pre>\n<p class=\"note\">%" PRId64
			" bytes are left out here.</p>\n<pre tabindex=\"0\">",
			(int64_t)(log.n - head.n - tail.n));
		markup_lines(m, tail);
	}
	fputs("</pre></details>\n</section>\n", m->f);
}

int
page_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, const struct page_more *more,
	struct err *e)
{
	CLEANUP(own_free)
	char *title = xasprintf("%s: %s", a->sample.name, report_verdict(a));

	markup_head(m, title);
	write_header(m, r, a);
	write_cause(m, a);
	write_tiles(m, a);
	if (differences_write(m, r, a, more, e) < 0 ||
		origin_write(m, r, a, e) < 0 || evidence_write(m, r, a, e) < 0)
		return -1;
	chart_strip(m, r);
	write_log(m, r);
	fputs("</main>\n", m->f);
	markup_foot(m);
	return 0;
}
