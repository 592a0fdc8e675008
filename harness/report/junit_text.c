/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/junit_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "report/words.h"

enum {
	TEXT_MAX = 64 << 10,  /* bytes of one cause, log excerpt, recipe: a
			       * parser's own limit on a text is 10 MB */
	DIFFERENCES_MAX = 20, /* named; the rest is counted */
	LIST_MAX = 50         /* packages and forgiven, likewise */
};

/*
 * Jenkins and GitLab take what looks like an attachment for one, wherever in
 * an output it stands: only ours may look so.
 */
static void
disarm(struct buf *text, size_t from)
{
	static const char mark[] = "[[ATTACHMENT";
	const char *at;

	while (from < text->n && (at = strstr(text->p + from, mark))) {
		from = (size_t)(at - text->p) + 1;
		text->p[from] = '(';
	}
}

/* Add cleaned text on one line, or its lines, up to TEXT_MAX. */
static void
add(struct buf *text, const char *s, enum text_lines lines)
{
	struct slice given = slice_of(s);
	size_t left_out = 0, from = text->n;

	if (given.n > TEXT_MAX) {
		size_t n = TEXT_MAX;

		/* Not within a character. */
		while (n > TEXT_MAX - 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		left_out = given.n - n;
		given.n = n;
	}
	text_clean(text, given, lines);
	disarm(text, from);
	if (left_out)
		buf_printf(text, " [%zu bytes more]", left_out);
}

static void
line(struct buf *text, const char *label, const char *s)
{
	if (!s || !s[0])
		return;
	buf_str(text, label);
	add(text, s, TEXT_ONE_LINE);
	buf_char(text, '\n');
}

/* A paragraph: a blank line before, its lines under label. */
static void
block(struct buf *text, const char *label, const char *s)
{
	if (!s || !s[0])
		return;
	buf_printf(text, "\n%s\n", label);
	add(text, s, TEXT_MANY_LINES);
	if (text->p[text->n - 1] != '\n')
		buf_char(text, '\n');
}

struct list {
	struct buf *text;
	const char *label;
	int64_t n;
};

static int
add_differing(void *arg, const char *label, struct err *e)
{
	struct list *l = arg;

	(void)e;
	if (l->n++ >= LIST_MAX)
		return 0;
	buf_str(l->text, l->n == 1 ? l->label : ", ");
	add(l->text, label, TEXT_ONE_LINE);
	return 0;
}

static int
add_difference(void *arg, const struct difference *d, struct err *e)
{
	struct list *l = arg;
	struct buf *text = l->text;

	(void)e;
	if (l->n++ >= DIFFERENCES_MAX)
		return 0;
	buf_str(text, "  ");
	add(text, d->kind, TEXT_ONE_LINE);
	buf_str(text, "  ");
	add(text, d->path[0] ? d->path : "(the image)", TEXT_ONE_LINE);
	if (d->detail && d->detail[0]) {
		buf_str(text, ": ");
		add(text, d->detail, TEXT_ONE_LINE);
	}
	if (d->offset >= 0)
		buf_printf(text, " (first at byte %" PRId64 ")", d->offset);
	difference_why(d, text);
	buf_char(text, '\n');
	return 0;
}

static int
add_forgiven(void *arg, const struct forgiven *g, struct err *e)
{
	struct list *l = arg;

	(void)e;
	if (l->n++ >= LIST_MAX)
		return 0;
	if (l->n == 1)
		buf_str(l->text, l->label);
	buf_str(l->text, "  ");
	add(l->text, g->what, TEXT_ONE_LINE);
	buf_printf(l->text, ": %" PRIu64 "\n", g->count);
	return 0;
}

/* Packages and files that differ, the first of them named. */
static int
add_differences(struct buf *text, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct list packages = {text, "\nPackages that differ: ", 0};
	struct list files = {text, NULL, 0};
	int64_t more;

	if (store_texts(r->store, a->sample.id, "differing-package",
		    add_differing, &packages, e) < 0)
		return -1;
	if (packages.n > LIST_MAX)
		buf_printf(
			text, " and %" PRId64 " more", packages.n - LIST_MAX);
	if (packages.n > 0)
		buf_char(text, '\n');
	if (a->differences <= 0)
		return 0;
	buf_printf(text, "\nDifferences: %" PRId64 "\n", a->differences);
	if (store_differences(
		    r->store, a->sample.id, add_difference, &files, e) < 0)
		return -1;
	more = a->differences -
		(files.n < DIFFERENCES_MAX ? files.n : DIFFERENCES_MAX);
	if (more > 0)
		buf_printf(text, "  and %" PRId64 " more\n", more);
	return 0;
}

/* What was said before, and since when it is not accepted. */
static void
add_history(
	struct buf *text, const struct report *r, const struct store_attempt *a)
{
	size_t before = text->n;

	report_unchanged(text, a);
	if (text->n > before)
		buf_char(text, '\n');
	before = text->n;
	report_since(text, a);
	if (text->n > before)
		buf_char(text, '\n');
	if (a->last_verdict) {
		buf_printf(text, "In run %" PRId64 ": ", a->last_run);
		add(text, a->last_verdict, TEXT_ONE_LINE);
		buf_char(text, '\n');
	}
	if (r->is_flaky)
		buf_str(text,
			"Flaky: with the same image and recipe, it "
			"passed and failed by turns.\n");
}

int
junit_text_outcome(struct buf *text, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	buf_printf(text, "%s: %s\n", report_verdict(a), report_sentence(a));
	line(text, "", report_standing(a));
	if (a->sample.expect)
		line(text, "Expected: ", a->sample.expect);
	add_history(text, r, a);
	block(text, "Cause:", a->cause);
	if (add_differences(text, r, a, e) < 0)
		return -1;
	if (a->failed_drv && a->failed_drv[0]) {
		buf_str(text, "\nFirst failed derivation: ");
		line(text, "", a->failed_drv);
		block(text, "Its log said:", a->failed_lines);
	}
	block(text, "What next:", a->advice);
	return 0;
}

/* "[[ATTACHMENT|FOLDER/SUB/FILE.SUFFIX]]", where a path can stand so. */
static void
attach(struct buf *text, const struct report *r, const char *sub,
	const char *suffix)
{
	CLEANUP(own_free)
	char *folder = path_join(r->folder, sub);

	if (strpbrk(folder, "[]|\n\r") || !text_is_utf8(slice_of(folder)))
		return;
	buf_str(text, "[[ATTACHMENT|");
	add(text, folder, TEXT_ONE_LINE);
	buf_printf(text, "/%s%s]]\n", buf_text(&r->file), suffix);
}

/*
 * Jenkins keeps of a passed case's output only the first and last 500
 * characters: attachments come first, the command last.
 */
int
junit_text_output(struct buf *text, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct list forgiven = {text, "\nForgiven by this verdict:\n", 0};

	attach(text, r, "images", ".html");
	if (r->log.n > 0)
		attach(text, r, "logs", ".log");
	buf_printf(text, "%s: %s\n", report_verdict(a), report_sentence(a));
	if (report_outcome(a) == JUNIT_PASS) {
		line(text, "", report_standing(a));
		add_history(text, r, a);
		block(text, "Cause:", a->cause);
	}
	if (store_forgiven(r->store, a->sample.id, add_forgiven, &forgiven, e) <
		0)
		return -1;
	if (forgiven.n > LIST_MAX)
		buf_printf(text, "  and %" PRId64 " more kinds\n",
			forgiven.n - LIST_MAX);
	line(text, "\nSource: ", a->sample.source);
	line(text, "Depth: ", a->depth);
	if (a->recipe_id)
		buf_printf(text,
			"Derivations: %" PRId64 " built, %" PRId64
			" substituted, %" PRId64 " already valid\n",
			a->built, a->substituted, a->valid);
	block(text, "channels.scm:", a->channels_scm);
	block(text, "manifest.scm:", a->manifest_scm);
	block(text, "To repeat it by hand:", a->command);
	return 0;
}

void
junit_text_past(struct buf *text, const struct report_past *p)
{
	char when[CLOCK_ISO];

	clock_iso(p->started_s, when);
	buf_printf(text, "In run %" PRId64 " of %.10s it was %s: %s\n", p->run,
		when, verdict_name(p->verdict), verdict_sentence(p->verdict));
	if (p->why[0])
		line(text, "Cause: ", p->why);
}
