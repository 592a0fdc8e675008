/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/text.h"
#include "report/sink.h"
#include "report/words.h"
#include "store/history.h"

static const struct report_sink *const sinks[] = {
	&report_attest,
	&report_csv,
	&report_html,
	&report_json,
	&report_junit,
};

unsigned
report_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		if (strcmp(sinks[i]->name, name) == 0)
			return 1U << i;
	}
	return 0;
}

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

/* Regressions are named before other changes, and have room of their own. */
static void
note_change(struct report *r, const struct store_attempt *a)
{
	size_t same = 0;

	for (size_t i = 0; i < r->n_changes; i++)
		same += r->changes[i].is_regression == a->is_regression;
	if (same >= REPORT_CHANGES_MAX)
		return;
	VEC_GROW(r->changes, r->n_changes, r->cap_changes);
	r->changes[r->n_changes++] = (struct report_change){
		.name = xstrdup(a->sample.name),
		.was = xstrdup(a->last_verdict ? a->last_verdict : ""),
		.last_run = a->last_run,
		.good = xstrdup(a->good_verdict ? a->good_verdict : ""),
		.good_run = a->good_run,
		.is = a->verdict,
		.is_regression = a->is_regression,
	};
}

struct first_pass {
	struct report *r;
	struct digest_sum *sum;
};

static int
count(void *arg, const struct store_attempt *a, struct err *e)
{
	struct first_pass *pass = arg;
	struct report *r = pass->r;
	const int64_t numbers[] = {
		a->sample.id, a->started_s, a->elapsed_ms, a->is_judged};
	struct report_suite *s = suite_of(r, a->sample.collection);
	enum verdict_junit outcome = report_outcome(a);
	enum report_shift shift = report_shift(a);
	int64_t chars = (int64_t)report_chars(a->sample.name);

	(void)e;
	digest_add(pass->sum, a->sample.name, strlen(a->sample.name));
	digest_add(pass->sum, numbers, sizeof(numbers));
	s->tests++;
	s->failures += outcome == JUNIT_FAILURE;
	s->errors += outcome == JUNIT_ERROR;
	s->skipped += outcome == JUNIT_SKIPPED;
	s->regressions += a->is_judged && a->is_regression;
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
	r->shifted_regressions += a->is_judged && a->is_regression &&
		(shift == SHIFT_BETTER || shift == SHIFT_WORSE);
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
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	struct first_pass pass = {.sum = sum};
	char hex[DIGEST_HEX + 1];
	struct digest d;

	*r = (struct report){0};
	pass.r = r;
	/* Both passes see the database as it was at the first. */
	if (store_read_begin(s, e) < 0)
		return -1;
	r->store = s;
	if (store_run_get(s, run, &r->run, e) < 0)
		return -1;
	if (store_attempts(s, r->run.id, count, &pass, e) < 0)
		return -1;
	d = digest_end(sum);
	digest_hex(&d, hex);
	snprintf(r->nonce, sizeof(r->nonce), "%.32s", hex);
	return 0;
}

void
report_fini(struct report *r)
{
	for (size_t i = 0; i < r->n_suites; i++)
		free(r->suites[i].collection);
	for (size_t i = 0; i < r->n_changes; i++) {
		free(r->changes[i].name);
		free(r->changes[i].was);
		free(r->changes[i].good);
	}
	if (r->store)
		store_read_end(r->store);
	free(r->suites);
	free(r->changes);
	buf_fini(&r->file);
	buf_fini(&r->log);
	*r = (struct report){0};
}

/* ---- the history of the sample in hand ---- */

struct gather {
	struct report *r;
	const struct store_attempt *a;
};

static bool
is_equal(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static int
add_past(void *arg, const struct store_judgement *j, struct err *e)
{
	struct gather *g = arg;
	struct report *r = g->r;
	CLEANUP(buf_fini)
	struct buf why = {0};
	struct report_past *p;

	(void)e;
	if (j->verdict == VERDICT_NOT_TRIED || r->n_past >= REPORT_PAST_MAX)
		return 0;
	p = &r->past[r->n_past++];
	*p = (struct report_past){
		.run = j->run,
		.started_s = j->started_s,
		.elapsed_ms = j->elapsed_ms,
		.verdict = j->verdict,
		.is_accepted = j->is_accepted,
		.is_same = is_equal(j->image_sha256, g->a->image_sha256) &&
			is_equal(j->recipe_id, g->a->recipe_id),
	};
	/* Characters, of at most four bytes. */
	if (!j->is_accepted)
		report_short(&why, j->cause, sizeof(p->why) / 4 - 1);
	memcpy(p->why, buf_text(&why), why.n);
	return 0;
}

static bool
is_flaky(const struct report *r, const struct store_attempt *a)
{
	struct report_turns turns = {.was = a->is_accepted};
	bool is = false;

	if (!a->is_judged || a->verdict == VERDICT_NOT_TRIED)
		return false;
	for (size_t i = r->n_past; i-- > 0;)
		if (r->past[i].is_same)
			is = report_turn(&turns, r->past[i].is_accepted);
	return is;
}

static int
take_sample(struct report *r, const struct store_attempt *a, struct err *e)
{
	struct gather g = {r, a};

	buf_clear(&r->file);
	report_file(&r->file, a->sample.name);
	buf_clear(&r->log);
	if (store_log(r->store, a->sample.id, &r->log, e) < 0)
		return -1;
	r->n_past = 0;
	if (store_history(r->store, a->sample.name, r->run.id, REPORT_PAST_MAX,
		    add_past, &g, e) < 0)
		return -1;
	r->is_flaky = is_flaky(r, a);
	return 0;
}

/* The second pass: one sample to every sink. */
struct pass {
	struct report r;
	unsigned formats;
	void *states[ARRAY_LEN(sinks)];
};

static int
each(void *arg, const struct store_attempt *a, struct err *e)
{
	struct pass *p = arg;

	if (take_sample(&p->r, a, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		if (p->states[i] &&
			sinks[i]->sample(p->states[i], &p->r, a, e) < 0)
			return err_wrap(e, "report of '%s'", a->sample.name);
	}
	return 0;
}

static int
write_all(struct pass *p, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(sinks); i++) {
		if (p->formats && !(p->formats & 1U << i) &&
			sinks[i] != &report_attest)
			continue;
		if (sinks[i]->begin(&p->r, &p->states[i], e) < 0)
			return -1;
	}
	return store_attempts(p->r.store, p->r.run.id, each, p, e);
}

int
report_make(struct store *s, const struct report_options *o, struct err *e)
{
	struct pass p = {0};
	int status = report_load(&p.r, s, o->run, e);

	p.r.folder = o->folder;
	p.r.is_ant = o->is_ant;
	p.r.is_attested = o->is_attested;
	p.r.sign_key = o->sign_key;
	p.r.is_deeper = o->is_deeper;
	p.r.deeper_s = o->deeper_s;
	p.formats = o->formats;
	if (status == 0)
		status = path_mkdirs(o->folder, 0777, e);
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

int
report_write(struct store *s, int64_t run, const char *folder, struct err *e)
{
	const struct report_options o = {.run = run, .folder = folder};

	return report_make(s, &o, e);
}
