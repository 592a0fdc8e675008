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
#include "report/junit_text.h"
#include "report/sink.h"
#include "report/words.h"

/*
 * JUnit XML as Jenkins' junit, xunit and junit-attachments plugins and GitLab
 * read it; reports/README.md says how verdicts map.  Valid under the xunit
 * plugin's junit-10.xsd, which refuses files otherwise: no properties and no
 * attribute but name, classname and time in a testcase, at most three decimals
 * in a time, and no count of skipped in testsuites.
 *
 * The profile "ant" is for readers that hold to the schema of Ant's own
 * reports: nothing in a testcase but one outcome, no attribute of testsuites, a
 * time stamp without zone, and both outputs at the end of each suite.
 */

enum {
	MESSAGE_CHARS = 300,
	FLAKY_MAX = 3 /* earlier runs told of a flaky image, the newest */
};

struct junit {
	struct aside file;
	xmlTextWriterPtr writer;
	bool is_failed;
	size_t suite;    /* the one that is open, or to be opened first */
	int64_t left;    /* cases still to come in it */
	struct buf text; /* of the element in hand */
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
count_attributes(
	struct junit *j, int64_t tests, int64_t failures, int64_t errors)
{
	attribute_count(j, "tests", tests);
	attribute_count(j, "failures", failures);
	attribute_count(j, "errors", errors);
}

static void
suite_attributes(
	struct junit *j, const struct report *r, const struct report_suite *s)
{
	char when[CLOCK_ISO];

	clock_iso(r->run.started_s, when);
	attribute(j, "name", s->collection);
	if (r->is_ant) {
		attribute(j, "package", "unblend");
		attribute_count(j, "id", (int64_t)j->suite);
		when[strlen(when) - 1] = '\0';
	}
	count_attributes(j, s->tests, s->failures, s->errors);
	attribute_count(j, "skipped", s->skipped);
	attribute_time(j, s->elapsed_ms);
	attribute(j, "timestamp", when);
	attribute(j, "hostname", r->run.host[0] ? r->run.host : "localhost");
}

static void
open_suite(struct junit *j, const struct report *r)
{
	const struct report_suite *s = &r->suites[j->suite];
	char number[32];

	open_element(j, "testsuite");
	suite_attributes(j, r, s);
	open_element(j, "properties");
	snprintf(number, sizeof(number), "%" PRId64, r->run.id);
	property(j, "unblend.run", number);
	property(j, "unblend.version", r->run.unblend_version);
	property(j, "guix.version", r->run.guix_version);
	property(j, "kernel", r->run.kernel);
	property(j, "store.filesystem", r->run.store_fs);
	property(j, "accept", r->run.accept);
	property(j, "depth", r->run.depth);
	snprintf(number, sizeof(number), "%" PRId64, s->regressions);
	property(j, "regressions", number);
	close_element(j);
	j->left = s->tests;
}

static void
close_suite(struct junit *j, const struct report *r)
{
	if (r->is_ant) {
		buf_clear(&j->text);
		text_clean(&j->text, slice_of(r->folder), TEXT_ONE_LINE);
		buf_str(&j->text, "/index.html has all of it.\n");
		open_element(j, "system-out");
		write_text(j);
		close_element(j);
		open_element(j, "system-err");
		close_element(j);
	}
	close_element(j);
	j->suite++;
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
	if (r->is_ant)
		return 0;
	attribute(j, "name", "unblend");
	count_attributes(j, r->total, failures, errors);
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
	buf_printf(&j->text, "%s%s: ",
		a->is_judged && a->is_regression ? "regression: " : "",
		report_verdict(a));
	report_short(&j->text, a->cause ? a->cause : report_sentence(a),
		MESSAGE_CHARS);
	open_element(j, elements[outcome]);
	if (outcome != JUNIT_SKIPPED || !r->is_ant)
		attribute(j, "type", report_verdict(a));
	attribute(j, "message", buf_text(&j->text));
	buf_clear(&j->text);
	if (junit_text_outcome(&j->text, r, a, e) < 0)
		return -1;
	write_text(j);
	close_element(j);
	return 0;
}

/*
 * Earlier failures of an image that passes and fails by turns, in the elements
 * that Jenkins reads for tests that were run again: flakyFailure in a case that
 * passes now, rerunFailure in one that does not.
 */
static void
write_flaky(
	struct junit *j, const struct report *r, const struct store_attempt *a)
{
	enum verdict_junit outcome = report_outcome(a);
	int told = 0;

	if (!r->is_flaky || outcome == JUNIT_SKIPPED)
		return;
	for (size_t i = r->n_past - 1; i-- > 0 && told < FLAKY_MAX;) {
		const struct report_past *p = &r->past[i];

		if (p->is_accepted || !p->is_same)
			continue;
		told++;
		open_element(j,
			outcome == JUNIT_PASS ? "flakyFailure"
					      : "rerunFailure");
		attribute(j, "type", verdict_name(p->verdict));
		buf_clear(&j->text);
		buf_printf(&j->text, "run %" PRId64 ": ", p->run);
		report_short(&j->text,
			p->why[0] ? p->why : verdict_name(p->verdict),
			MESSAGE_CHARS);
		attribute(j, "message", buf_text(&j->text));
		buf_clear(&j->text);
		junit_text_past(&j->text, p);
		write_text(j);
		close_element(j);
	}
}

static int
write_output(struct junit *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	open_element(j, "system-out");
	buf_clear(&j->text);
	if (junit_text_output(&j->text, r, a, e) < 0)
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
	if (!r->is_ant) {
		write_flaky(j, r, a);
		if (write_output(j, r, a, e) < 0)
			return -1;
	}
	close_element(j);
	if (--j->left == 0)
		close_suite(j, r);
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
