/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "report/sink.h"
#include "report/words.h"

/*
 * JUnit XML as Jenkins' junit, xunit and junit-attachments plugins and GitLab
 * read it; reports/README.md says how verdicts map.  Valid under the xunit
 * plugin's junit-10.xsd, which refuses files otherwise: no properties and no
 * attribute but name, classname and time in a testcase, at most three decimals
 * in a time, and no count of skipped in testsuites.
 */

enum {
	TEXT_MAX = 64 << 10,  /* bytes of one cause, log excerpt, recipe: a
			       * parser's own limit on a text is 10 MB */
	DIFFERENCES_MAX = 20, /* named; the rest is counted */
	LIST_MAX = 50,        /* packages and forgiven, likewise */
	MESSAGE_CHARS = 300
};

struct junit {
	struct aside file;
	xmlTextWriterPtr writer;
	bool is_failed;
	size_t suite;      /* the one that is open, or to be opened first */
	int64_t left;      /* cases still to come in it */
	struct buf text;   /* of the element in hand */
	int64_t differing; /* differences seen while text is made */
};

/* ---- the writer, with sticky errors ---- */

/* libxml2's own BAD_CAST drops the const. */
static const xmlChar *
chars(const char *s)
{
	return (const xmlChar *)s;
}

static void
check(struct junit *j, int written)
{
	j->is_failed |= written < 0;
}

static void
open_element(struct junit *j, const char *name)
{
	check(j, xmlTextWriterStartElement(j->writer, chars(name)));
}

static void
close_element(struct junit *j)
{
	check(j, xmlTextWriterEndElement(j->writer));
}

/* The writer escapes, but does not see to it that the text is legal XML. */
static void
attribute(struct junit *j, const char *name, const char *value)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};

	text_clean(&clean, slice_of(value), TEXT_ONE_LINE);
	check(j,
		xmlTextWriterWriteAttribute(
			j->writer, chars(name), chars(buf_text(&clean))));
}

static void
attribute_count(struct junit *j, const char *name, int64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, n);
	attribute(j, name, text);
}

static void
attribute_time(struct junit *j, int64_t ms)
{
	char text[32];

	if (ms < 0)
		ms = 0;
	snprintf(text, sizeof(text), "%" PRId64 ".%03d", ms / 1000,
		(int)(ms % 1000));
	attribute(j, "time", text);
}

static void
property(struct junit *j, const char *name, const char *value)
{
	open_element(j, "property");
	attribute(j, "name", name);
	attribute(j, "value", value);
	close_element(j);
}

/* What was gathered in j->text, cleaned as it went there. */
static void
write_text(struct junit *j)
{
	check(j,
		xmlTextWriterWriteString(j->writer, chars(buf_text(&j->text))));
}

/* ---- texts ---- */

/* Add cleaned text on one line, or its lines, up to TEXT_MAX. */
static void
add(struct junit *j, const char *s, enum text_lines lines)
{
	struct slice text = slice_of(s);
	size_t left_out = 0;

	if (text.n > TEXT_MAX) {
		size_t n = TEXT_MAX;

		/* Not within a character. */
		while (n > TEXT_MAX - 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		left_out = text.n - n;
		text.n = n;
	}
	text_clean(&j->text, text, lines);
	if (left_out)
		buf_printf(&j->text, " [%zu bytes more]", left_out);
}

static void
line(struct junit *j, const char *label, const char *s)
{
	if (!s || !s[0])
		return;
	buf_str(&j->text, label);
	add(j, s, TEXT_ONE_LINE);
	buf_char(&j->text, '\n');
}

/* A paragraph: a blank line before, its lines under label. */
static void
block(struct junit *j, const char *label, const char *s)
{
	if (!s || !s[0])
		return;
	buf_printf(&j->text, "\n%s\n", label);
	add(j, s, TEXT_MANY_LINES);
	if (j->text.p[j->text.n - 1] != '\n')
		buf_char(&j->text, '\n');
}

struct list {
	struct junit *j;
	const char *label;
	int64_t n;
};

static int
add_differing(void *arg, const char *text, struct err *e)
{
	struct list *l = arg;

	(void)e;
	if (l->n++ >= LIST_MAX)
		return 0;
	buf_str(&l->j->text, l->n == 1 ? l->label : ", ");
	add(l->j, text, TEXT_ONE_LINE);
	return 0;
}

static int
add_difference(void *arg, const struct difference *d, struct err *e)
{
	struct list *l = arg;
	struct junit *j = l->j;

	(void)e;
	if (l->n++ >= DIFFERENCES_MAX)
		return 0;
	buf_str(&j->text, "  ");
	add(j, d->kind, TEXT_ONE_LINE);
	buf_str(&j->text, "  ");
	add(j, d->path[0] ? d->path : "(the image)", TEXT_ONE_LINE);
	if (d->detail && d->detail[0]) {
		buf_str(&j->text, ": ");
		add(j, d->detail, TEXT_ONE_LINE);
	}
	if (d->offset >= 0)
		buf_printf(&j->text, " (first at byte %" PRId64 ")", d->offset);
	buf_char(&j->text, '\n');
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
		buf_str(&l->j->text, l->label);
	buf_str(&l->j->text, "  ");
	add(l->j, g->what, TEXT_ONE_LINE);
	buf_printf(&l->j->text, ": %" PRIu64 "\n", g->count);
	return 0;
}

/* Packages and files that differ, the first of them named. */
static int
add_differences(struct junit *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct list packages = {j, "\nPackages that differ: ", 0};
	struct list files = {j, NULL, 0};
	int64_t more;

	if (store_texts(r->store, a->sample.id, "differing-package",
		    add_differing, &packages, e) < 0)
		return -1;
	if (packages.n > LIST_MAX)
		buf_printf(&j->text, " and %" PRId64 " more",
			packages.n - LIST_MAX);
	if (packages.n > 0)
		buf_char(&j->text, '\n');
	if (a->differences <= 0)
		return 0;
	buf_printf(&j->text, "\nDifferences: %" PRId64 "\n", a->differences);
	if (store_differences(
		    r->store, a->sample.id, add_difference, &files, e) < 0)
		return -1;
	more = a->differences -
		(files.n < DIFFERENCES_MAX ? files.n : DIFFERENCES_MAX);
	if (more > 0)
		buf_printf(&j->text, "  and %" PRId64 " more\n", more);
	return 0;
}

static void
add_history(struct junit *j, const struct store_attempt *a)
{
	if (!a->last_verdict)
		return;
	buf_printf(&j->text, "In run %" PRId64 ": ", a->last_run);
	add(j, a->last_verdict, TEXT_ONE_LINE);
	buf_char(&j->text, '\n');
}

/* What failed: the text of failure, error or skipped. */
static int
describe(struct junit *j, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	buf_clear(&j->text);
	buf_printf(&j->text, "%s: %s\n", report_verdict(a), report_sentence(a));
	line(j, "", report_standing(a));
	if (a->sample.expect)
		line(j, "Expected: ", a->sample.expect);
	add_history(j, a);
	block(j, "Cause:", a->cause);
	if (add_differences(j, r, a, e) < 0)
		return -1;
	if (a->failed_drv && a->failed_drv[0]) {
		buf_str(&j->text, "\nFirst failed derivation: ");
		line(j, "", a->failed_drv);
		block(j, "Its log said:", a->failed_lines);
	}
	block(j, "What next:", a->advice);
	return 0;
}

/* "[[ATTACHMENT|FOLDER/SUB/FILE.SUFFIX]]", where a path can stand so. */
static void
attach(struct junit *j, const struct report *r, const char *sub,
	const char *suffix)
{
	CLEANUP(own_free)
	char *folder = path_join(r->folder, sub);

	if (strpbrk(folder, "[]|\n\r") || !text_is_utf8(slice_of(folder)))
		return;
	buf_str(&j->text, "[[ATTACHMENT|");
	add(j, folder, TEXT_ONE_LINE);
	buf_printf(&j->text, "/%s%s]]\n", buf_text(&r->file), suffix);
}

/*
 * The output of a case.  Jenkins keeps of a passed case's only the first and
 * last 500 characters: attachments come first, the command last.
 */
static int
describe_output(struct junit *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct list forgiven = {j, "\nForgiven by this verdict:\n", 0};

	buf_clear(&j->text);
	attach(j, r, "images", ".html");
	if (r->log.n > 0)
		attach(j, r, "logs", ".log");
	buf_printf(&j->text, "%s: %s\n", report_verdict(a), report_sentence(a));
	if (report_outcome(a) == JUNIT_PASS) {
		line(j, "", report_standing(a));
		add_history(j, a);
		block(j, "Cause:", a->cause);
	}
	if (store_forgiven(r->store, a->sample.id, add_forgiven, &forgiven, e) <
		0)
		return -1;
	if (forgiven.n > LIST_MAX)
		buf_printf(&j->text, "  and %" PRId64 " more kinds\n",
			forgiven.n - LIST_MAX);
	line(j, "\nSource: ", a->sample.source);
	line(j, "Depth: ", a->depth);
	if (a->recipe_id)
		buf_printf(&j->text,
			"Derivations: %" PRId64 " built, %" PRId64
			" substituted, %" PRId64 " already valid\n",
			a->built, a->substituted, a->valid);
	block(j, "channels.scm:", a->channels_scm);
	block(j, "manifest.scm:", a->manifest_scm);
	block(j, "To repeat it by hand:", a->command);
	return 0;
}

/* ---- the document ---- */

/*
 * A part of a class name.  Jenkins splits at the last dot and shows what it
 * finds illegal in a URL as "_": said so here, the names stay as written.
 */
static void
add_class(struct buf *out, const char *s)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};

	text_clean(&clean, slice_of(s), TEXT_ONE_LINE);
	for (size_t i = 0; i < clean.n; i++) {
		char c = clean.p[i];

		buf_char(out, strchr(" .\"#%/:<>?[\\]^`{|}", c) ? '_' : c);
	}
}

static void
open_suite(struct junit *j, const struct report *r)
{
	const struct report_suite *s = &r->suites[j->suite];
	char number[32], when[CLOCK_ISO];

	clock_iso(r->run.started_s, when);
	snprintf(number, sizeof(number), "%" PRId64, r->run.id);
	open_element(j, "testsuite");
	attribute(j, "name", s->collection);
	attribute_count(j, "tests", s->tests);
	attribute_count(j, "failures", s->failures);
	attribute_count(j, "errors", s->errors);
	attribute_count(j, "skipped", s->skipped);
	attribute_time(j, s->elapsed_ms);
	attribute(j, "timestamp", when);
	attribute(j, "hostname", r->run.host);
	open_element(j, "properties");
	property(j, "unblend.run", number);
	property(j, "unblend.version", r->run.unblend_version);
	property(j, "guix.version", r->run.guix_version);
	property(j, "kernel", r->run.kernel);
	property(j, "store.filesystem", r->run.store_fs);
	property(j, "accept", r->run.accept);
	property(j, "depth", r->run.depth);
	close_element(j);
	j->left = s->tests;
}

static int
junit_begin(const struct report *r, void **state, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(r->folder, "junit.xml");
	struct junit *j = xcalloc(1, sizeof(*j));
	xmlOutputBufferPtr out;
	int64_t failures = 0, errors = 0, elapsed_ms = 0;

	*state = j;
	if (aside_open(&j->file, path, e) < 0)
		return -1;
	out = xmlOutputBufferCreateFile(j->file.f, NULL);
	j->writer = out ? xmlNewTextWriter(out) : NULL;
	if (!j->writer) {
		if (out)
			xmlOutputBufferClose(out);
		return err_set(e, ERR_HOST, "%s: no XML writer", path);
	}
	for (size_t i = 0; i < r->n_suites; i++) {
		failures += r->suites[i].failures;
		errors += r->suites[i].errors;
		elapsed_ms += r->suites[i].elapsed_ms;
	}
	check(j, xmlTextWriterSetIndent(j->writer, 1));
	check(j, xmlTextWriterStartDocument(j->writer, "1.0", "UTF-8", NULL));
	open_element(j, "testsuites");
	attribute(j, "name", "unblend");
	attribute_count(j, "tests", r->total);
	attribute_count(j, "failures", failures);
	attribute_count(j, "errors", errors);
	attribute_time(j, elapsed_ms);
	return 0;
}

static int
write_outcome(struct junit *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	static const char *const elements[] = {
		[JUNIT_FAILURE] = "failure",
		[JUNIT_SKIPPED] = "skipped",
		[JUNIT_ERROR] = "error",
	};
	enum verdict_junit outcome = report_outcome(a);

	if (outcome == JUNIT_PASS)
		return 0;
	buf_clear(&j->text);
	buf_printf(&j->text, "%s: ", report_verdict(a));
	report_short(&j->text, a->cause ? a->cause : report_sentence(a),
		MESSAGE_CHARS);
	open_element(j, elements[outcome]);
	attribute(j, "type", report_verdict(a));
	attribute(j, "message", buf_text(&j->text));
	if (describe(j, r, a, e) < 0)
		return -1;
	write_text(j);
	close_element(j);
	return 0;
}

static int
junit_sample(void *state, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	struct junit *j = state;
	CLEANUP(buf_fini)
	struct buf class_ = {0};

	if (j->left == 0)
		open_suite(j, r);
	add_class(&class_, a->sample.collection);
	buf_char(&class_, '.');
	add_class(&class_,
		a->channel_set && a->channel_set[0] ? a->channel_set
						    : "no-channels");
	open_element(j, "testcase");
	attribute(j, "name", a->sample.name);
	attribute(j, "classname", buf_text(&class_));
	attribute_time(j, a->elapsed_ms);
	if (write_outcome(j, r, a, e) < 0)
		return -1;
	open_element(j, "system-out");
	if (describe_output(j, r, a, e) < 0)
		return -1;
	write_text(j);
	close_element(j);
	close_element(j);
	if (--j->left == 0) {
		close_element(j);
		j->suite++;
	}
	return 0;
}

static int
junit_end(void *state, const struct report *r, bool is_whole, struct err *e)
{
	struct junit *j = state;
	int status = 0;

	(void)r;
	if (j->writer) {
		if (is_whole)
			check(j, xmlTextWriterEndDocument(j->writer));
		xmlFreeTextWriter(j->writer);
	}
	if (is_whole && j->is_failed)
		status = err_set(e, ERR_HOST, "%s: cannot write", j->file.path);
	else if (is_whole)
		status = aside_publish(&j->file, e);
	aside_drop(&j->file);
	buf_fini(&j->text);
	free(j);
	return status;
}

const struct report_sink report_junit = {
	.name = "junit",
	.begin = junit_begin,
	.sample = junit_sample,
	.end = junit_end,
};
