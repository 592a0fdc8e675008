/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/runs.h"
#include "store_sample.h"

static const struct store_basis basis = {.file = "1 2.000000003 4 5",
	.guix = "/bin/guix 7",
	.entry = {{1, 2}},
	.policy = {{3, 4}}};

static struct store *
open_store(const struct place *p)
{
	struct store *s;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	return s;
}

static void
the_newest_attempt_on_a_name_stands(void **state)
{
	struct store *s = open_store(*state);
	struct store_standing at;
	struct store_run run;
	struct err e = {0};
	int64_t first, second;

	assert_int_equal(store_standing(s, "a", 0, &at, &e), 0);
	first = add_sample(s, &run, "a", NULL);
	assert_int_equal(store_standing(s, "a", 0, &at, &e), 0);
	OK(store_basis_add(s, first, &basis, &e));
	OK(store_attempt_failed(
		s, first, VERDICT_TIMEOUT, "silence", "Why.", 1234, &e));
	second = add_sample(s, &run, "a", NULL);
	assert_int_equal(store_standing(s, "b", 0, &at, &e), 0);
	assert_int_equal(store_standing(s, "a", 0, &at, &e), 1);
	assert_int_equal(at.sample, first);
	assert_int_equal(at.run, 1);
	assert_int_equal(at.verdict, VERDICT_TIMEOUT);
	assert_string_equal(at.class_, "silence");
	assert_int_equal(at.elapsed_ms, 1234);
	assert_true(at.has_basis);
	assert_string_equal(at.basis.file, basis.file);
	assert_string_equal(at.basis.guix, basis.guix);
	assert_true(digest_eq(&at.basis.entry, &basis.entry));
	assert_true(digest_eq(&at.basis.policy, &basis.policy));
	OK(store_attempt_failed(
		s, second, VERDICT_NOT_TRIED, NULL, NULL, 1, &e));
	assert_int_equal(store_standing(s, "a", 0, &at, &e), 1);
	assert_int_equal(at.sample, second);
	assert_false(at.has_basis);
	assert_null(at.class_);
	assert_int_equal(store_standing(s, "a", 2, &at, &e), 1);
	assert_int_equal(at.sample, first);
	store_close(s);
}

static int
keep_attempt(void *arg, const struct store_attempt *a, struct err *e)
{
	(void)e;
	*(struct store_attempt *)arg = *a;
	return 0;
}

/* A verdict that stands is that of another run, and says so. */
static void
a_skipped_sample_has_the_verdict_that_stands(void **state)
{
	const struct place *p = *state;
	struct store *s = open_store(p);
	struct store_attempt a = {0};
	struct store_standing at;
	struct store_run run;
	struct err e = {0};
	int64_t first = add_sample(s, &run, "a", NULL), second, third;
	int64_t counts[VERDICT_COUNT], unjudged, unaccepted;

	OK(store_attempt_failed(
		s, first, VERDICT_DIFFERENT, "c", "Why.", 1, &e));
	second = add_sample(s, &run, "a", NULL);
	OK(store_skip_add(s, second, first, &e));
	OK(store_attempts(s, run.id, keep_attempt, &a, &e));
	assert_true(a.is_judged);
	assert_int_equal(a.verdict, VERDICT_DIFFERENT);
	assert_false(a.is_accepted);
	assert_int_equal(a.of_run, 1);
	OK(store_attempts(s, 1, keep_attempt, &a, &e));
	assert_int_equal(a.of_run, 0);
	OK(store_counts(s, run.id, counts, &unjudged, &unaccepted, &e));
	assert_int_equal(counts[VERDICT_DIFFERENT], 1);
	assert_int_equal(unjudged, 0);
	assert_int_equal(unaccepted, 1);
	/* What is skipped again is skipped for the same attempt. */
	third = add_sample(s, &run, "a", NULL);
	assert_int_equal(store_standing(s, "a", run.id, &at, &e), 1);
	assert_int_equal(at.sample, first);
	assert_int_equal(store_skip_add(s, third, second, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	store_close(s);
	assert_true(is_whole(p));
}

static void
trials_are_counted(void **state)
{
	struct store *s = open_store(*state);
	struct store_run run;
	struct err e = {0};
	int64_t sample = add_sample(s, &run, "a", NULL), n, last_s;

	OK(store_trials(s, sample, &n, &last_s, &e));
	assert_int_equal(n, 0);
	OK(store_trial_add(s, sample, 100, "network", &e));
	OK(store_trial_add(s, sample, 230, "daemon\x1b", &e));
	OK(store_trials(s, sample, &n, &last_s, &e));
	assert_int_equal(n, 2);
	assert_int_equal(last_s, 230);
	assert_int_equal(ask(*state,
				 "SELECT class = 'daemon#x1B' FROM trial"
				 " WHERE seq = 1"),
		1);
	store_close(s);
}

/* Verdicts that say nothing of the image, and the trials before each. */
static void
tries_are_counted_across_runs(void **state)
{
	struct store *s = open_store(*state);
	struct store_run run;
	struct err e = {0};
	int64_t n, sample = add_sample(s, &run, "a", NULL);

	OK(store_tries(s, "a", run.id, &n, &e));
	assert_int_equal(n, 0);
	OK(store_attempt_failed(s, sample, VERDICT_NOT_TRIED, NULL, "", 1, &e));
	sample = add_sample(s, &run, "a", NULL);
	OK(store_trial_add(s, sample, 100, "daemon", &e));
	OK(store_tries(s, "a", 2, &n, &e));
	assert_int_equal(n, 1);
	OK(store_attempt_failed(
		s, sample, VERDICT_UNAVAILABLE, "git", "", 1, &e));
	OK(store_tries(s, "a", 3, &n, &e));
	assert_int_equal(n, 3);
	sample = add_sample(s, &run, "a", NULL);
	OK(store_attempt_failed(s, sample, VERDICT_DIFFERENT, NULL, "", 1, &e));
	OK(store_tries(s, "a", 4, &n, &e));
	assert_int_equal(n, 0);
	OK(store_tries(s, "b", 4, &n, &e));
	assert_int_equal(n, 0);
	store_close(s);
}

static int
check_basis(void *arg, const struct store_run_sample *r, struct err *e)
{
	(void)e;
	++*(int *)arg;
	assert_string_equal(r->name, "a");
	assert_true(r->has_basis == (r->id == 1));
	if (r->has_basis) {
		assert_string_equal(r->basis.file, basis.file);
		assert_string_equal(r->basis.guix, basis.guix);
		assert_true(digest_eq(&r->basis.entry, &basis.entry));
		assert_true(digest_eq(&r->basis.policy, &basis.policy));
	}
	return 0;
}

static void
samples_of_a_run_have_their_basis(void **state)
{
	struct store *s = open_store(*state);
	struct store_run run;
	struct err e = {0};
	int seen = 0;

	OK(store_basis_add(s, add_sample(s, &run, "a", NULL), &basis, &e));
	(void)add_sample(s, &run, "a", NULL);
	OK(store_run_samples(s, 1, check_basis, &seen, &e));
	OK(store_run_samples(s, 2, check_basis, &seen, &e));
	assert_int_equal(seen, 2);
	store_close(s);
}

static int
note(void *arg, const struct store_run_sample *r, struct err *e)
{
	(void)e;
	*(int *)arg = *(int *)arg * 10 + (r->is_done ? 2 : 1);
	return 0;
}

static void
samples_of_a_run_are_done_or_not(void **state)
{
	struct store *s = open_store(*state);
	struct store_run run;
	struct err e = {0};
	int64_t first = add_sample(s, &run, "a", NULL);
	int64_t second = add_sample(s, &run, "a", NULL);
	int seen = 0;

	OK(store_run_samples(s, 1, note, &seen, &e));
	OK(store_attempt_failed(s, first, VERDICT_TIMEOUT, NULL, "", 1, &e));
	OK(store_run_samples(s, 1, note, &seen, &e));
	OK(store_run_samples(s, 2, note, &seen, &e));
	OK(store_skip_add(s, second, first, &e));
	OK(store_run_samples(s, 2, note, &seen, &e));
	OK(store_run_samples(s, 3, note, &seen, &e));
	assert_int_equal(seen, 1212);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_newest_attempt_on_a_name_stands, place_make,
			place_remove),
		cmocka_unit_test_setup_teardown(
			a_skipped_sample_has_the_verdict_that_stands,
			place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			trials_are_counted, place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			samples_of_a_run_are_done_or_not, place_make,
			place_remove),
		cmocka_unit_test_setup_teardown(tries_are_counted_across_runs,
			place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			samples_of_a_run_have_their_basis, place_make,
			place_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
