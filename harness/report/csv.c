/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "report/sink.h"
#include "report/words.h"

/*
 * verdicts.csv: a line an image, for R, pandas and spreadsheets (RFC 4180, with
 * plain newlines).  Text is in quotes; what is absent is an empty field.
 */
struct csv {
	struct aside file;
	bool is_begun; /* a field of the line in hand is written */
};

static void
separate(struct csv *c)
{
	if (c->is_begun)
		fputc(',', c->file.f);
	c->is_begun = true;
}

/*
 * A spreadsheet takes a text that begins so for a formula, quotes or not
 * (OWASP, "CSV injection"): an apostrophe before it says that it is a text.
 */
static bool
is_formula(const char *s)
{
	return s[0] != '\0' && strchr("=+-@", s[0]);
}

static void
text(struct csv *c, const char *s)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};

	separate(c);
	if (!s)
		return;
	text_clean(&clean, slice_of(s), TEXT_ONE_LINE);
	fputc('"', c->file.f);
	if (is_formula(buf_text(&clean)))
		fputc('\'', c->file.f);
	for (const char *p = buf_text(&clean); *p; p++) {
		if (*p == '"')
			fputc('"', c->file.f);
		fputc(*p, c->file.f);
	}
	fputc('"', c->file.f);
}

static void
number(struct csv *c, int64_t n)
{
	separate(c);
	fprintf(c->file.f, "%" PRId64, n);
}

static void
number_if(struct csv *c, bool is_there, int64_t n)
{
	if (is_there)
		number(c, n);
	else
		separate(c);
}

static void
truth(struct csv *c, bool b)
{
	separate(c);
	fputs(b ? "TRUE" : "FALSE", c->file.f);
}

static void
end_line(struct csv *c)
{
	fputc('\n', c->file.f);
	c->is_begun = false;
}

static int
csv_begin(const struct report *r, void **state, struct err *e)
{
	static const char *const names[] = {"run", "started", "collection",
		"name", "tags", "source", "verdict", "outcome", "accepted",
		"expected", "regression", "flaky", "class", "cause",
		"image_sha256", "image_bytes", "channels", "recipe",
		"rebuilt_sha256", "depth", "built", "substituted", "valid",
		"differences", "elapsed_ms", "last_run", "last_verdict",
		"good_run", "good_verdict", "of_run"};
	CLEANUP(own_free)
	char *path = path_join(r->folder, "verdicts.csv");
	struct csv *c = xcalloc(1, sizeof(*c));

	*state = c;
	if (aside_open(&c->file, path, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		separate(c);
		fputs(names[i], c->file.f);
	}
	end_line(c);
	return 0;
}

static void
write_verdict(
	struct csv *c, const struct report *r, const struct store_attempt *a)
{
	static const char *const outcomes[] = {
		[JUNIT_PASS] = "pass",
		[JUNIT_FAILURE] = "failure",
		[JUNIT_SKIPPED] = "skipped",
		[JUNIT_ERROR] = "error",
	};
	char when[CLOCK_ISO];

	number(c, r->run.id);
	clock_iso(r->run.started_s, when);
	text(c, when);
	text(c, a->sample.collection);
	text(c, a->sample.name);
	text(c, a->sample.tags);
	text(c, a->sample.source);
	text(c, report_verdict(a));
	text(c, outcomes[report_outcome(a)]);
	truth(c, a->is_judged && a->is_accepted);
	text(c, a->sample.expect);
	truth(c, a->is_judged && a->is_regression);
	truth(c, r->is_flaky);
	text(c, a->class_);
	text(c, a->cause);
}

static int
csv_sample(void *state, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	struct csv *c = state;
	bool is_built = a->recipe_id != NULL;

	(void)e;
	write_verdict(c, r, a);
	text(c, a->image_sha256);
	number_if(c, a->image_sha256 != NULL, a->image_bytes);
	text(c, a->channel_set);
	text(c, a->recipe_id);
	text(c, a->rebuilt_sha256);
	text(c, a->depth);
	number_if(c, is_built, a->built);
	number_if(c, is_built, a->substituted);
	number_if(c, is_built, a->valid);
	number_if(c, a->rebuilt_sha256 != NULL, a->differences);
	number_if(c, a->is_judged, a->elapsed_ms);
	number_if(c, a->last_verdict != NULL, a->last_run);
	text(c, a->last_verdict);
	number_if(c, a->good_verdict != NULL, a->good_run);
	text(c, a->good_verdict);
	number_if(c, a->of_run > 0, a->of_run);
	end_line(c);
	return 0;
}

static int
csv_end(void *state, const struct report *r, bool is_whole, struct err *e)
{
	struct csv *c = state;
	int status = 0;

	(void)r;
	if (is_whole)
		status = aside_publish(&c->file, e);
	aside_drop(&c->file);
	free(c);
	return status;
}

const struct report_sink report_csv = {
	.name = "csv",
	.begin = csv_begin,
	.sample = csv_sample,
	.end = csv_end,
};
