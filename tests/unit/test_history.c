/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/history.h"
#include "store_sample.h"

/* A run of one image of that verdict. */
static int64_t
night(struct store *s, const char *name, const char *expect,
	enum verdict verdict)
{
	struct err e = {0};
	struct store_run run;
	int64_t sample = add_sample(s, &run, name, expect);

	OK(store_attempt_failed(s, sample, verdict, "x", "Because.", 100, &e));
	return run.id;
}

struct seen {
	struct store_judgement v[8];
	struct store_name names[8];
	struct store_rate rates[8];
	size_t n;
};

static int
see_judgement(void *arg, const struct store_judgement *j, struct err *e)
{
	struct seen *seen = arg;

	(void)e;
	assert_true(seen->n < 8);
	seen->v[seen->n++] = *j;
	return 0;
}

static void
history_is_the_newest_in_their_order(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct seen seen = {0};
	int64_t first, third;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	first = night(s, "a", NULL, VERDICT_IDENTICAL);
	night(s, "b", NULL, VERDICT_TIMEOUT);
	third = night(s, "a", NULL, VERDICT_DIFFERENT);
	night(s, "a", "different", VERDICT_DIFFERENT);
	OK(store_history(s, "a", 0, 8, see_judgement, &seen, &e));
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.v[0].run, first);
	assert_int_equal(seen.v[0].verdict, VERDICT_IDENTICAL);
	assert_true(seen.v[0].is_accepted);
	assert_int_equal(seen.v[1].run, third);
	assert_false(seen.v[1].is_accepted);
	assert_true(seen.v[2].is_accepted);
	assert_int_equal(seen.v[2].elapsed_ms, 100);
	/* Up to a run; and the last of many. */
	seen.n = 0;
	OK(store_history(s, "a", third, 1, see_judgement, &seen, &e));
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.v[0].run, third);
	seen.n = 0;
	OK(store_history(s, "c", 0, 8, see_judgement, &seen, &e));
	assert_int_equal(seen.n, 0);
}

static int
keep(void *arg, const struct store_attempt *a, struct err *e)
{
	(void)e;
	*(struct store_attempt *)arg = *a;
	/* They live until the end of this call. */
	((struct store_attempt *)arg)->good_verdict =
		a->good_verdict ? xstrdup(a->good_verdict) : NULL;
	return 0;
}

static void
what_was_accepted_and_is_no_longer_is_a_regression(void **state)
{
	static const struct {
		const char *expect;
		enum verdict verdict;
		bool is_regression;
		int good, since; /* runs, from 1 */
	} nights[] = {
		{NULL, VERDICT_DIFFERENT, false, 0, 1}, /* never was good */
		{NULL, VERDICT_IDENTICAL, false, 0, 1},
		{NULL, VERDICT_NOT_TRIED, false, 2, 0},
		{NULL, VERDICT_DIFFERENT, true, 2, 4},
		{NULL, VERDICT_UNBUILDABLE, true, 2, 4}, /* still */
		{NULL, VERDICT_REFUSED, true, 2, 4},
		{"different", VERDICT_DIFFERENT, false, 2, 4}, /* now known */
		{NULL, VERDICT_SAME_IMAGE, false, 7, 8},
	};
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	for (size_t i = 0; i < ARRAY_LEN(nights); i++) {
		struct store_attempt a = {0};
		int64_t run =
			night(s, "a", nights[i].expect, nights[i].verdict);

		OK(store_attempts(s, run, keep, &a, &e));
		if (a.is_regression != nights[i].is_regression ||
			a.good_run != nights[i].good ||
			a.since_run != nights[i].since)
			fail_msg("night %zu: %d %d %d", i + 1, a.is_regression,
				(int)a.good_run, (int)a.since_run);
		assert_int_equal(a.good_verdict != NULL, a.good_run > 0);
		free((void *)(uintptr_t)a.good_verdict);
	}
}

static int
see_name(void *arg, const struct store_name *n, struct err *e)
{
	struct seen *seen = arg;

	(void)e;
	assert_true(seen->n < 8);
	seen->names[seen->n++] = *n;
	return 0;
}

static void
names_have_their_changes(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct seen seen = {0};
	int64_t changed;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	night(s, "b", NULL, VERDICT_TIMEOUT);
	night(s, "a", NULL, VERDICT_IDENTICAL);
	night(s, "a", NULL, VERDICT_DIFFERENT);
	night(s, "a", NULL, VERDICT_NOT_TRIED);
	night(s, "a", NULL, VERDICT_DIFFERENT);
	changed = night(s, "a", NULL, VERDICT_IDENTICAL);
	OK(store_names(s, see_name, &seen, &e));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.names[0].runs, 4);
	assert_int_equal(seen.names[0].changes, 2);
	assert_int_equal(seen.names[0].changed_run, changed);
	assert_int_equal(seen.names[0].last_run, changed);
	assert_int_equal(seen.names[0].verdict, VERDICT_IDENTICAL);
	assert_true(seen.names[0].is_accepted);
	assert_int_equal(seen.names[0].elapsed_ms, 400);
	assert_int_equal(seen.names[1].changes, 0);
	assert_int_equal(seen.names[1].changed_run, 0);
	assert_false(seen.names[1].is_accepted);
}

static int
see_rate(void *arg, const struct store_rate *r, struct err *e)
{
	struct seen *seen = arg;

	(void)e;
	assert_true(seen->n < 8);
	seen->rates[seen->n++] = *r;
	return 0;
}

static void
rates_are_of_collections_of_the_run(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct seen seen = {0};
	int64_t second;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	night(s, "a", NULL, VERDICT_IDENTICAL);
	second = night(s, "a", NULL, VERDICT_DIFFERENT);
	night(s, "a", "different", VERDICT_DIFFERENT);
	OK(store_rates(s, second + 1, 2, see_rate, &seen, &e));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.rates[0].run, second);
	assert_int_equal(seen.rates[0].images, 1);
	assert_int_equal(seen.rates[0].same, 0);
	assert_int_equal(seen.rates[0].accepted, 0);
	assert_int_equal(seen.rates[1].accepted, 1);
	/* What came later is not seen from an earlier run. */
	seen.n = 0;
	OK(store_rates(s, second - 1, 8, see_rate, &seen, &e));
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.rates[0].same, 1);
}

#define IN_PLACE(test) \
	cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(history_is_the_newest_in_their_order),
		IN_PLACE(what_was_accepted_and_is_no_longer_is_a_regression),
		IN_PLACE(names_have_their_changes),
		IN_PLACE(rates_are_of_collections_of_the_run),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
