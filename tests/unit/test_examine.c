/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sexp.h"
#include "rebuild/closure.h"
#include "rebuild/examine.h"

static struct probe
read_one(struct arena *a, const char *section)
{
	struct probe p = {.drv = "d"};

	examine_read(a, slice_of(section), &p);
	return p;
}

static void
results_of_a_build_are_told(void **state)
{
	struct arena a = {0};
	struct probe p = read_one(&a, "same\n");

	(void)state;
	assert_int_equal(p.end, EXAMINED_SAME);
	assert_null(p.why);
	assert_false(p.was_missing);
	p = read_one(&a, "built\nsame\n");
	assert_int_equal(p.end, EXAMINED_SAME);
	assert_true(p.was_missing);
	/* As Guix 1.5.0 and 1.2.0 say it, with and without -K. */
	p = read_one(&a,
		"failed\nderivation `/gnu/store/x.drv' may not be "
		"deterministic: output `/gnu/store/x' differs\n");
	assert_int_equal(p.end, EXAMINED_DIFFERS);
	p = read_one(&a,
		"failed\noutput `/gnu/store/x' of `/gnu/store/x.drv' differs "
		"from previous round\n");
	assert_int_equal(p.end, EXAMINED_DIFFERS);
	p = read_one(&a, "failed\nbuild of `x' \x1b]failed\nmore\n");
	assert_int_equal(p.end, EXAMINED_FAILED);
	assert_non_null(strstr(p.why, "build of"));
	assert_null(strchr(p.why, '\x1b'));
	/* One that was under way when all ended. */
	p = read_one(&a, "built\n");
	assert_int_equal(p.end, EXAMINED_FAILED);
	assert_non_null(p.why);
	p = read_one(&a, "");
	assert_int_equal(p.end, EXAMINED_FAILED);
	arena_fini(&a);
}

static void
data_are_one_list_of_four(void **state)
{
	struct probe probes[] = {
		{.drv = "one"}, {.drv = "t\")(w\\o"}, {.drv = "three"}};
	static const char *const roots[] = {"r"}, *const targets[] = {"t", "u"};
	struct examination x = {.probes = probes,
		.n = 3,
		.rounds = 2,
		.no_substitutes = true,
		.roots = roots,
		.n_roots = 1,
		.targets = targets,
		.n_targets = 2};
	CLEANUP(buf_fini)
	struct buf out = {0};
	struct arena a = {0};
	struct err e = {0};
	const struct sexp *all, *data;
	const struct limits silent = {.silence_s = 20};
	const struct limits limited = {.silence_s = 20, .cpus = 3};
	int64_t n;

	(void)state;
	assert_int_equal(examine_data(&x, 0, 2, 10, &silent, &out, &e), 0);
	all = sexp_parse(&a, buf_get(&out), &e);
	assert_non_null(all);
	assert_int_equal(sexp_len(all), 1);
	data = sexp_at(all, 0);
	assert_int_equal(sexp_len(data), 4);
	assert_int_equal(sexp_len(sexp_at(data, 0)), 4);
	assert_true(
		sexp_int(sexp_assoc(sexp_at(data, 0), "timeout")->dotted, &n));
	assert_int_equal(n, 10);
	assert_int_equal(sexp_len(sexp_at(data, 1)), 2);
	assert_true(
		slice_is(sexp_str(sexp_at(sexp_at(data, 1), 1)), "t\")(w\\o"));
	assert_int_equal(sexp_len(sexp_at(data, 3)), 2);
	/* Ways are looked for once, by the first process. */
	buf_clear(&out);
	assert_int_equal(examine_data(&x, 2, 1, 10, &limited, &out, &e), 0);
	all = sexp_parse(&a, buf_get(&out), &e);
	data = sexp_at(all, 0);
	assert_true(
		sexp_int(sexp_assoc(sexp_at(data, 0), "cores")->dotted, &n));
	assert_int_equal(n, 3);
	assert_int_equal(sexp_len(sexp_at(data, 1)), 1);
	assert_int_equal(sexp_len(sexp_at(data, 2)), 0);
	assert_int_equal(sexp_len(sexp_at(data, 3)), 0);
	probes[0].drv = "\xff";
	assert_int_equal(examine_data(&x, 0, 1, 1, &silent, &out, &e), -1);
	arena_fini(&a);
}

/* No store is at hand, so none of its files is there to be read. */
static int
count_visits(void *arg, const char *path, const struct drv *drv)
{
	(void)path;
	(void)drv;
	++*(int *)arg;
	return 0;
}

static void
a_derivation_that_is_gone_is_passed_over(void **state)
{
	struct err e = {0};
	int n = 0;

	(void)state;
	assert_int_equal(
		closure_walk("/nowhere/at/all.drv", count_visits, &n, &e), 0);
	assert_int_equal(n, 0);
}

static void
names_are_without_their_hash(void **state)
{
	(void)state;
	assert_string_equal(closure_name("/gnu/store/0123-hello-2.12.drv"),
		"hello-2.12.drv");
	assert_string_equal(closure_name("/gnu/store/x"), "");
	assert_string_equal(closure_name("/tmp/a-b"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_of_a_build_are_told),
		cmocka_unit_test(data_are_one_list_of_four),
		cmocka_unit_test(a_derivation_that_is_gone_is_passed_over),
		cmocka_unit_test(names_are_without_their_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
