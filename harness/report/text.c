/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <sys/ioctl.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"
#include "report/sink.h"
#include "report/words.h"

enum {
	NAME_CHARS_MAX = 40,  /* longer names push their line out */
	CAUSE_CHARS_MIN = 20, /* shown even where the terminal is narrow */
	VERDICT_CHARS = 16    /* the longest name, "nondeterministic" */
};

struct table {
	const struct report *r;
	FILE *out;
	bool is_colour;
	size_t name_chars; /* width of the column */
	size_t columns;    /* of the terminal; 0: whatever is needed */
};

static const char *
colour(const struct table *t, enum verdict_junit outcome)
{
	static const char *const colours[] = {
		[JUNIT_PASS] = "\033[32m",
		[JUNIT_FAILURE] = "\033[31m",
		[JUNIT_SKIPPED] = "\033[33m",
		[JUNIT_ERROR] = "\033[35m",
	};

	return t->is_colour ? colours[outcome] : "";
}

static const char *
plain(const struct table *t)
{
	return t->is_colour ? "\033[0m" : "";
}

static int
pad(size_t width, size_t used)
{
	return used < width ? (int)(width - used) : 0;
}

static int
print_line(void *arg, const struct store_attempt *a, struct err *e)
{
	struct table *t = arg;
	CLEANUP(own_free)
	char *name = text_clean_new(slice_of(a->sample.name));
	CLEANUP(buf_fini)
	struct buf why = {0};
	const char *verdict = report_verdict(a), *mark = "";
	size_t chars = report_chars(name), used, max = 0;

	(void)e;
	if (a->is_judged && a->is_regression)
		mark = "regression: ";
	else if (report_standing(a))
		mark = a->is_accepted ? "known: " : "below the line: ";
	used = VERDICT_CHARS + 2 + strlen(mark) +
		(chars > t->name_chars ? chars : t->name_chars) + 2;
	if (t->columns)
		max = t->columns > used + CAUSE_CHARS_MIN ? t->columns - used
							  : CAUSE_CHARS_MIN;
	if (a->of_run > 0)
		buf_printf(&why,
			"(not tried: unchanged since run %" PRId64 ") ",
			a->of_run);
	if (max)
		max = max > why.n + CAUSE_CHARS_MIN ? max - why.n
						    : CAUSE_CHARS_MIN;
	report_short(&why, a->cause, max);
	fprintf(t->out, "%s%s%s%*s  %s", colour(t, report_outcome(a)), verdict,
		plain(t), pad(VERDICT_CHARS, strlen(verdict)), "", name);
	if (mark[0] || why.n > 0)
		fprintf(t->out, "%*s  %s%s", pad(t->name_chars, chars), "",
			mark, buf_text(&why));
	fputc('\n', t->out);
	return 0;
}

static void
print_counts(const struct table *t)
{
	const struct report *r = t->r;
	const char *comma = "";

	fprintf(t->out, "\n%" PRId64 " image%s: ", r->total,
		r->total == 1 ? "" : "s");
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		if (r->counts[v] == 0)
			continue;
		fprintf(t->out, "%s%s%" PRId64 " %s%s", comma,
			colour(t, verdict_junit(v)), r->counts[v],
			verdict_name(v), plain(t));
		comma = ", ";
	}
	if (r->unjudged)
		fprintf(t->out, "%s%" PRId64 " unjudged", comma, r->unjudged);
	else if (!comma[0])
		fputs("none", t->out);
	fputc('\n', t->out);
}

static void
print_meaning(const struct table *t)
{
	const struct report *r = t->r;
	CLEANUP(own_free)
	char *accept = text_clean_new(slice_of(r->run.accept));

	if (r->unaccepted == 0) {
		fprintf(t->out,
			"Every image reached %s, or what the corpus expects "
			"of it.\n",
			accept);
		return;
	}
	fprintf(t->out,
		"%" PRId64 " of %" PRId64 " did not reach %s, or what the "
		"corpus expects",
		r->unaccepted, r->total, accept);
	if (r->regressions)
		fprintf(t->out, "; %" PRId64 " regression%s", r->regressions,
			r->regressions == 1 ? "" : "s");
	fputs(".\n", t->out);
}

int
report_text(
	struct store *s, int64_t run, FILE *out, int is_colour, struct err *e)
{
	struct report r;
	struct table t = {.r = &r, .out = out, .is_colour = is_colour};
	struct winsize size;
	int status = report_load(&r, s, run, e);

	if (fileno(out) >= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		t.columns = size.ws_col;
	t.name_chars = r.name_chars < NAME_CHARS_MAX ? (size_t)r.name_chars
						     : NAME_CHARS_MAX;
	if (status == 0)
		status = store_attempts(s, r.run.id, print_line, &t, e);
	if (status == 0) {
		print_counts(&t);
		print_meaning(&t);
		if (fflush(out) != 0 || ferror(out))
			status = err_sys(e, ERR_HOST, "cannot print the table");
	}
	report_fini(&r);
	return status;
}
