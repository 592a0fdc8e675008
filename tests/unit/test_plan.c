/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "sched/plan.h"

static struct digest
key(int n)
{
	return digest_of(&n, sizeof(n));
}

static struct plan_job
next(struct plan *p)
{
	struct plan_job job;

	plan_next(p, 0, &job);
	return job;
}

static uint32_t
waits(struct plan *p, uint32_t image, int recipe, int lane)
{
	struct digest k = key(recipe), l = key(lane);

	return plan_waits(p, image, &k, &l);
}

/* All is read, and nothing else begun. */
static struct plan *
all_read(size_t n, unsigned slots)
{
	struct plan *p = plan_new(n, slots);

	for (uint32_t i = 0; i < n; i++)
		plan_add(p, i, 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(next(p).kind, PLAN_READ);
	return p;
}

static void
images_of_one_recipe_are_built_once(void **state)
{
	struct plan *p = all_read(4, 4);
	struct plan_job job;
	uint32_t a, b;

	(void)state;
	a = waits(p, 0, 1, 1);
	b = waits(p, 1, 2, 1);
	assert_int_equal(waits(p, 2, 1, 1), a);
	assert_int_not_equal(a, b);
	assert_int_equal(next(p).kind, PLAN_NONE);
	assert_int_equal(waits(p, 3, 1, 1), a);
	job = next(p);
	assert_int_equal(job.kind, PLAN_LOWER);
	assert_int_equal(job.n, 2);
	assert_int_equal(next(p).kind, PLAN_NONE);
	plan_lowered(p, a);
	plan_lowered(p, b);
	job = next(p);
	assert_int_equal(job.kind, PLAN_BUILD);
	assert_int_equal(job.items[0], a);
	plan_built(p, a);
	/* One a slot, and all of them. */
	for (uint32_t image = 0; image < 4; image++) {
		if (image == 1)
			continue;
		job = next(p);
		assert_int_equal(job.kind, PLAN_COMPARE);
		assert_int_equal(plan_group(p, job.items[0]), a);
		assert_int_equal(job.n, 1);
		assert_int_equal(job.items[0], image);
	}
	job = next(p);
	assert_int_equal(job.kind, PLAN_BUILD);
	assert_int_equal(job.items[0], b);
	assert_int_equal(next(p).kind, PLAN_NONE);
	plan_free(p);
}

static void
one_read_later_takes_what_is_built(void **state)
{
	struct plan *p = plan_new(2, 2);
	struct plan_job job;
	uint32_t a;

	(void)state;
	plan_add(p, 0, 0);
	next(p);
	a = waits(p, 0, 1, 1);
	/* Alone in its lane: it is lowered by the one that builds it. */
	assert_int_equal(next(p).kind, PLAN_BUILD);
	plan_built(p, a);
	assert_int_equal(next(p).kind, PLAN_COMPARE);
	plan_judged(p, 0);
	plan_add(p, 1, 0);
	assert_int_equal(next(p).kind, PLAN_READ);
	assert_int_equal(waits(p, 1, 1, 1), a);
	job = next(p);
	assert_int_equal(job.kind, PLAN_COMPARE);
	assert_int_equal(job.items[0], 1);
	plan_free(p);
}

static void
lanes_are_lowered_side_by_side(void **state)
{
	struct plan *p = all_read(6, 3);
	struct plan_job job;

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		waits(p, i, (int)i, (int)i % 2);
	for (int lane = 0; lane < 2; lane++) {
		job = next(p);
		assert_int_equal(job.kind, PLAN_LOWER);
		assert_int_equal(job.n, 3);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(job.items[i], 2 * (int)i + lane);
	}
	assert_int_equal(next(p).kind, PLAN_NONE);
	plan_free(p);
}

static void
many_recipes_need_not_wait_for_the_last(void **state)
{
	struct plan *p = plan_new(100, 4);
	struct plan_job job;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		plan_add(p, i, 0);
	for (uint32_t i = 0; i < PLAN_LOWER_ENOUGH; i++) {
		assert_int_equal(next(p).kind, PLAN_READ);
		waits(p, i, (int)i, 1);
	}
	/* Half of the slots go on reading meanwhile. */
	assert_int_equal(next(p).kind, PLAN_READ);
	assert_int_equal(next(p).kind, PLAN_READ);
	job = next(p);
	assert_int_equal(job.kind, PLAN_LOWER);
	assert_int_equal(job.n, PLAN_LOWER_ENOUGH);
	assert_int_equal(next(p).kind, PLAN_READ);
	plan_free(p);
}

static void
the_longest_comes_first(void **state)
{
	static const uint32_t order[] = {2, 0, 1};
	struct plan *p = plan_new(3, 1);
	struct plan_job job;
	uint32_t groups[3];

	(void)state;
	plan_add(p, 0, 5000);
	plan_add(p, 1, 0);
	plan_add(p, 2, 60000);
	assert_int_equal(plan_count(p).left_ms, 6000 + 61000);
	assert_int_equal(plan_count(p).unknown, 1);
	for (size_t i = 0; i < 3; i++) {
		job = next(p);
		assert_int_equal(job.kind, PLAN_READ);
		assert_int_equal(job.items[0], order[i]);
		groups[job.items[0]] =
			waits(p, job.items[0], (int)job.items[0], 1);
	}
	assert_int_equal(next(p).kind, PLAN_LOWER);
	for (size_t i = 0; i < 3; i++)
		plan_lowered(p, groups[i]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(next(p).items[0], groups[order[i]]);
	plan_free(p);
}

static void
reading_does_not_run_far_ahead(void **state)
{
	struct plan *p = plan_new(PLAN_AHEAD + 10, 2);
	struct plan_job job;

	(void)state;
	for (uint32_t i = 0; i < PLAN_AHEAD + 10; i++)
		plan_add(p, i, 0);
	for (uint32_t i = 0; i < PLAN_AHEAD; i++) {
		assert_int_equal(next(p).kind, PLAN_READ);
		/* Each in a lane of its own: none has enough. */
		waits(p, i, (int)i, (int)i);
	}
	job = next(p);
	assert_int_equal(job.kind, PLAN_BUILD);
	plan_built(p, job.items[0]);
	job = next(p);
	assert_int_equal(job.kind, PLAN_COMPARE);
	plan_judged(p, job.items[0]);
	assert_int_equal(next(p).kind, PLAN_READ);
	plan_free(p);
}

static void
what_may_pass_is_tried_again_in_time(void **state)
{
	struct plan *p = plan_new(2, 2);
	struct plan_job job;

	(void)state;
	plan_add(p, 0, 0);
	plan_add(p, 1, 0);
	assert_int_equal(next(p).items[0], 0);
	plan_read_again(p, 0, 500);
	assert_int_equal(next(p).items[0], 1);
	waits(p, 1, 1, 1);
	job = next(p);
	assert_int_equal(job.kind, PLAN_BUILD);
	plan_build_again(p, job.items[0], 300);
	assert_int_equal(plan_until(p), 300);
	plan_next(p, 299, &job);
	assert_int_equal(job.kind, PLAN_NONE);
	plan_next(p, 300, &job);
	assert_int_equal(job.kind, PLAN_BUILD);
	assert_int_equal(plan_until(p), 500);
	plan_next(p, 500, &job);
	assert_int_equal(job.kind, PLAN_READ);
	assert_int_equal(job.items[0], 0);
	assert_int_equal(plan_until(p), -1);
	plan_free(p);
}

static void
one_that_ends_a_worker_is_compared_alone(void **state)
{
	struct plan *p = all_read(3, 1);
	struct plan_job job;
	uint32_t a = 0;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		a = waits(p, i, 1, 1);
	next(p);
	plan_built(p, a);
	job = next(p);
	assert_int_equal(job.n, 3);
	plan_judged(p, 0);
	plan_compare_alone(p, 1);
	plan_compare_alone(p, 2);
	for (uint32_t i = 1; i < 3; i++) {
		job = next(p);
		assert_int_equal(job.kind, PLAN_COMPARE);
		assert_int_equal(job.n, 1);
		assert_int_equal(job.items[0], i);
		plan_judged(p, i);
	}
	assert_int_equal(next(p).kind, PLAN_NONE);
	plan_free(p);
}

/* As when a run is resumed. */
static void
what_was_built_before_is_not_built(void **state)
{
	struct plan *p = plan_new(3, 1);
	struct plan_job job;
	uint32_t a, b, c;

	(void)state;
	a = waits(p, 0, 1, 1);
	plan_built(p, a);
	b = waits(p, 1, 2, 1);
	plan_lowered(p, b);
	c = waits(p, 2, 3, 1);
	job = next(p);
	assert_int_equal(job.kind, PLAN_COMPARE);
	assert_int_equal(job.items[0], 0);
	job = next(p);
	assert_int_equal(job.kind, PLAN_BUILD);
	assert_int_equal(job.items[0], c);
	job = next(p);
	assert_int_equal(job.kind, PLAN_BUILD);
	assert_int_equal(job.items[0], b);
	assert_int_equal(next(p).kind, PLAN_NONE);
	plan_free(p);
}

static struct plan *
small(size_t n, unsigned slots)
{
	struct plan *p = plan_new(n, slots);

	for (uint32_t i = 0; i < n; i++) {
		plan_add(p, i, 0);
		plan_small(p, i);
	}
	return p;
}

static void
small_images_are_read_together(void **state)
{
	struct plan *p = small(6, 4);
	struct plan_job job = next(p);

	(void)state;
	/* some for each slot */
	assert_int_equal(job.kind, PLAN_READ);
	assert_int_equal(job.n, 2);
	assert_int_equal(job.items[0], 0);
	assert_int_equal(job.items[1], 1);
	assert_int_equal(next(p).n, 1);
	plan_free(p);

	p = small(1000, 2);
	assert_int_equal(next(p).n, PLAN_READ_MAX);
	plan_free(p);
}

static void
a_large_image_is_read_alone(void **state)
{
	struct plan *p = plan_new(100, 1);
	struct plan_job job;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		plan_add(p, i, 0);
		if (i != 3)
			plan_small(p, i);
	}
	assert_int_equal(next(p).n, 3);
	job = next(p);
	assert_int_equal(job.n, 1);
	assert_int_equal(job.items[0], 3);
	assert_int_equal(next(p).items[0], 4);
	plan_free(p);
}

static void
what_one_worker_did_not_survive_is_read_alone(void **state)
{
	struct plan *p = small(3, 1);
	struct plan_job job = next(p);

	(void)state;
	assert_int_equal(job.n, 3);
	plan_judged(p, 0);
	plan_read_alone(p, 1);
	plan_read_alone(p, 2);
	job = next(p);
	assert_int_equal(job.kind, PLAN_READ);
	assert_int_equal(job.n, 1);
	assert_int_equal(job.items[0], 1);
	plan_judged(p, 1);
	job = next(p);
	assert_int_equal(job.n, 1);
	assert_int_equal(job.items[0], 2);
	/* and nothing is lowered before all of a reading is known */
	waits(p, 2, 1, 1);
	assert_int_equal(next(p).kind, PLAN_BUILD);
	plan_free(p);
}

static void
small_images_are_compared_when_they_are_many(void **state)
{
	struct plan *p = small(2000, 1);
	struct plan_job job;
	uint32_t group = 0;

	(void)state;
	/* the first of each reading are of one recipe */
	for (size_t k = 0; k < PLAN_COMPARE_MAX - 1; k++) {
		job = next(p);
		assert_int_equal(job.kind, PLAN_READ);
		for (size_t i = 0; i < job.n; i++)
			if (i == 0)
				group = waits(p, job.items[i], 1, 1);
			else
				plan_judged(p, job.items[i]);
		if (k == 0)
			plan_built(p, group);
	}
	job = next(p);
	assert_int_equal(job.kind, PLAN_READ);
	waits(p, job.items[0], 1, 1);
	for (size_t i = 1; i < job.n; i++)
		plan_judged(p, job.items[i]);
	job = next(p);
	assert_int_equal(job.kind, PLAN_COMPARE);
	assert_int_equal(job.n, PLAN_COMPARE_MAX);
	plan_free(p);

	/* or when there is nothing else to do */
	p = small(1, 1);
	job = next(p);
	group = waits(p, 0, 1, 1);
	assert_int_equal(next(p).kind, PLAN_BUILD);
	plan_built(p, group);
	assert_int_equal(next(p).kind, PLAN_COMPARE);
	plan_free(p);
}

static void
what_takes_no_time_is_compared_together(void **state)
{
	struct plan *p = all_read(6, 4);
	struct plan_job job;

	(void)state;
	/* two of one recipe, one each of four */
	for (uint32_t i = 0; i < 6; i++)
		waits(p, i, i < 2 ? 0 : (int)i, 1);
	assert_int_equal(next(p).kind, PLAN_LOWER);
	for (uint32_t i = 0; i < 6; i++) {
		plan_built(p, plan_group(p, i));
		if (i != 5)
			plan_quick(p, plan_group(p, i));
	}
	job = next(p);
	assert_int_equal(job.kind, PLAN_COMPARE);
	assert_int_equal(job.n, 5);
	job = next(p);
	assert_int_equal(job.n, 1);
	assert_int_equal(job.items[0], 5);
	plan_free(p);
}

static void
a_lone_lane_is_lowered_by_all_slots(void **state)
{
	struct plan *p = all_read(30, 2);
	struct plan_job job;

	(void)state;
	for (uint32_t i = 0; i < 30; i++)
		waits(p, i, (int)i, 1);
	job = next(p);
	assert_int_equal(job.kind, PLAN_LOWER);
	assert_int_equal(job.n, 15);
	assert_int_equal(job.items[0], 0);
	job = next(p);
	assert_int_equal(job.kind, PLAN_LOWER);
	assert_int_equal(job.n, 15);
	assert_int_equal(job.items[0], 15);
	plan_free(p);

	/* as long as each has enough to do */
	p = all_read(10, 4);
	for (uint32_t i = 0; i < 10; i++)
		waits(p, i, (int)i, 1);
	assert_int_equal(next(p).n, PLAN_LOWER_WORTH);
	plan_free(p);

	/* and there are not as many lanes */
	p = all_read(30, 2);
	for (uint32_t i = 0; i < 30; i++)
		waits(p, i, (int)i, i % 2);
	assert_int_equal(next(p).n, 15);
	assert_int_equal(next(p).n, 15);
	plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_of_one_recipe_are_built_once),
		cmocka_unit_test(one_read_later_takes_what_is_built),
		cmocka_unit_test(lanes_are_lowered_side_by_side),
		cmocka_unit_test(many_recipes_need_not_wait_for_the_last),
		cmocka_unit_test(the_longest_comes_first),
		cmocka_unit_test(reading_does_not_run_far_ahead),
		cmocka_unit_test(what_may_pass_is_tried_again_in_time),
		cmocka_unit_test(one_that_ends_a_worker_is_compared_alone),
		cmocka_unit_test(small_images_are_read_together),
		cmocka_unit_test(a_large_image_is_read_alone),
		cmocka_unit_test(a_lone_lane_is_lowered_by_all_slots),
		cmocka_unit_test(what_takes_no_time_is_compared_together),
		cmocka_unit_test(small_images_are_compared_when_they_are_many),
		cmocka_unit_test(what_one_worker_did_not_survive_is_read_alone),
		cmocka_unit_test(what_was_built_before_is_not_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
