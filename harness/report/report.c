/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/report.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "report/sink.h"
#include "report/words.h"

static const struct report_sink *const sinks[] = {
	&report_html,
	&report_json,
	&report_junit,
};

static struct report_suite *
suite_of(struct report *r, const char *collection)
{
	struct report_suite *s;

	if (r->n_suites > 0) {
		s = &r->suites[r->n_suites - 1];
		if (strcmp(s->collection, collection) == 0)
			return s;
	}
	VEC_GROW(r->suites, r->n_suites, r->cap_suites);
	s = &r->suites[r->n_suites++];
	*s = (struct report_suite){.collection = xstrdup(collection)};
	return s;
}

static void
note_change(struct report *r, const struct store_attempt *a)
{
	if (r->n_changes >= REPORT_CHANGES_MAX)
		return;
	VEC_GROW(r->changes, r->n_changes, r->cap_changes);
	r->changes[r->n_changes++] = (struct report_change){
		.name = xstrdup(a->sample.name),
		.was = xstrdup(a->last_verdict ? a->last_verdict : ""),
		.last_run = a->last_run,
		.is = a->verdict,
		.is_regression = a->is_regression,
	};
}

static int
count(void *arg, const struct store_attempt *a, struct err *e)
{
	struct report *r = arg;
	struct report_suite *s = suite_of(r, a->sample.collection);
	enum verdict_junit outcome = report_outcome(a);
	enum report_shift shift = report_shift(a);
	int64_t chars = (int64_t)report_chars(a->sample.name);

	(void)e;
	s->tests++;
	s->failures += outcome == JUNIT_FAILURE;
	s->errors += outcome == JUNIT_ERROR;
	s->skipped += outcome == JUNIT_SKIPPED;
	s->elapsed_ms += a->elapsed_ms > 0 ? a->elapsed_ms : 0;
	r->total++;
	if (a->is_judged)
		r->counts[a->verdict]++;
	r->unjudged += !a->is_judged;
	r->unaccepted += !a->is_judged || !a->is_accepted;
	r->regressions += a->is_judged && a->is_regression;
	r->fresh += shift == SHIFT_NEW;
	r->better += shift == SHIFT_BETTER;
	r->worse += shift == SHIFT_WORSE;
	if (chars > r->name_chars)
		r->name_chars = chars;
	if ((a->is_judged && a->is_regression) || shift == SHIFT_BETTER ||
		shift == SHIFT_WORSE)
		note_change(r, a);
	return 0;
}

int
report_load(struct report *r, struct store *s, int64_t run, struct err *e)
{
	*r = (struct report){0};
	/* Both passes see the database as it was at the first. */
	if (store_read_begin(s, e) < 0)
		return -1;
	r->store = s;
	if (store_run_get(s, run, &r->run, e) < 0)
		return -1;
	return store_attempts(s, r->run.id, count, r, e);
}

void
report_fini(struct report *r)
{
	for (size_t i = 0; i < r->n_suites; i++)
		free(r->suites[i].collection);
	for (size_t i = 0; i < r->n_changes; i++) {
		free(r->changes[i].name);
		free(r->changes[i].was);
	}
	if (r->store)
		store_read_end(r->store);
	free(r->suites);
	free(r->changes);
	buf_fini(&r->file);
	buf_fini(&r->log);
	*r = (struct report){0};
}

/* The second pass: one sample to every sink. */
struct pass {
	struct report r;
	void *states[ARRAY_LEN(sinks)];
};

static int
each(void *arg, const struct store_attempt *a, struct err *e)
{
	struct pass *p = arg;

	buf_clear(&p->r.file);
	report_file(&p->r.file, a->sample.name);
	buf_clear(&p->r.log);
	if (store_log(p->r.store, a->sample.id, &p->r.log, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		if (sinks[i]->sample(p->states[i], &p->r, a, e) < 0)
			return err_wrap(e, "report of '%s'", a->sample.name);
	}
	return 0;
}

static int
write_all(struct pass *p, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		if (sinks[i]->begin(&p->r, &p->states[i], e) < 0)
			return -1;
	}
	return store_attempts(p->r.store, p->r.run.id, each, p, e);
}

int
report_write(struct store *s, int64_t run, const char *folder, struct err *e)
{
	struct pass p = {0};
	int status = report_load(&p.r, s, run, e);

	p.r.folder = folder;
	if (status == 0)
		status = path_mkdirs(folder, 0777, e);
	if (status == 0)
		status = write_all(&p, e);
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		struct err late;

		/* After the first failure the others only clean up. */
		if (p.states[i] &&
			sinks[i]->end(p.states[i], &p.r, status == 0, &late) <
				0 &&
			status == 0) {
			*e = late;
			status = -1;
		}
	}
	report_fini(&p.r);
	return status;
}
