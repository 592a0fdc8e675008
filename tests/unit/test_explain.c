/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sched/explain.h"

#define STORE "/gnu/store/"
#define INSIDE "gnu/store/" /* as paths of a tree are */

static const struct package hello = {.name = "hello",
	.version = "2.12",
	.output = "out",
	.store_path = STORE "aaa-hello-2.12"};
static const struct package box = {.name = "box",
	.version = "1",
	.output = "lib",
	.store_path = STORE "bbb-box-1-lib"};
static const struct package *const packages[] = {&hello, &box};
static const struct provenance provenance = {
	.packages = packages, .n_packages = 2};

static struct difference differences[] = {
	{.path = "etc/x", .kind = "mode", .detail = "", .offset = -1},
	{.path = INSIDE "aaa-hello-2.12/bin/hello",
		.store_item = "aaa-hello-2.12",
		.package = "hello@2.12",
		.kind = "contents",
		.detail = "",
		.offset = 1234},
	{.path = INSIDE "aaa-hello-2.12/share",
		.store_item = "aaa-hello-2.12",
		.package = "hello@2.12",
		.kind = "mode",
		.detail = "",
		.offset = -1},
	{.path = INSIDE "ccc-inner-3/x\x1b",
		.store_item = "ccc-inner-3",
		.kind = "size",
		.detail = "",
		.offset = -1},
};
static const struct comparison comparison = {
	.differences = differences, .n_differences = 4, .total = 4};

static void
items_come_once(void **state)
{
	struct arena a = {0};
	struct examined *v;

	(void)state;
	assert_int_equal(explain_items(&comparison, &a, &v), 2);
	assert_string_equal(v[0].item, "aaa-hello-2.12");
	assert_string_equal(v[1].item, "ccc-inner-3");
	arena_fini(&a);
}

static void
chance_does_not_hide_a_change(void **state)
{
	struct examined v[] = {{.end = EXAMINED_FAILED},
		{.end = EXAMINED_FOREIGN}, {.end = EXAMINED_FAILED}};

	(void)state;
	assert_int_equal(explain_verdict(v, 0), VERDICT_SAME_INPUTS);
	assert_int_equal(explain_verdict(v, 3), VERDICT_SAME_INPUTS);
	v[0].end = EXAMINED_DIFFERS;
	v[1].end = EXAMINED_FOLLOWS;
	assert_int_equal(explain_verdict(v, 3), VERDICT_NONDETERMINISTIC);
	v[2].end = EXAMINED_SAME;
	assert_int_equal(explain_verdict(v, 3), VERDICT_ALTERED);
}

static void
cause_names_package_file_and_byte(void **state)
{
	struct examined v[] = {
		{.item = "aaa-hello-2.12", .end = EXAMINED_SAME}};
	struct buf out = {0};

	(void)state;
	explain_cause(&comparison, &provenance, v, 1, &out);
	assert_string_equal(buf_text(&out),
		"Builds the same every time, only not as in the image: "
		"hello@2.12: /gnu/store/aaa-hello-2.12/bin/hello from byte "
		"1234.");
	buf_fini(&out);
}

static void
mixed_causes_are_told_apart(void **state)
{
	static const char *const way[] = {STORE "bbb-box-1-lib",
		STORE "ddd-middle-2", STORE "ccc-inner-3", NULL};
	struct examined v[] = {
		{.item = "aaa-hello-2.12", .end = EXAMINED_DIFFERS},
		{.item = "ccc-inner-3", .end = EXAMINED_SAME, .way = way},
		{.item = "eee-x-1", .end = EXAMINED_FAILED, .why = "late"},
	};
	struct arena a = {0};
	struct words notes = {.arena = &a};
	struct buf out = {0};

	(void)state;
	explain_cause(&comparison, &provenance, v, 3, &out);
	assert_string_equal(buf_text(&out),
		"Builds the same every time, only not as in the image: "
		"inner-3 (needed by box@1:lib): /gnu/store/ccc-inner-3/x#x1B "
		"(size). Does not build the same twice here: hello@2.12. "
		"Not examined: x-1: late.");
	explain_notes(&provenance, v, 3, &notes);
	assert_int_equal(notes.n, 3);
	assert_string_equal(notes.v[1],
		"ccc-inner-3, inner-3 (needed by box@1:lib): builds the same "
		"every time, only not as in the image; the way to it: "
		"/gnu/store/bbb-box-1-lib > /gnu/store/ddd-middle-2");
	buf_fini(&out);
	words_fini(&notes);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_once),
		cmocka_unit_test(chance_does_not_hide_a_change),
		cmocka_unit_test(cause_names_package_file_and_byte),
		cmocka_unit_test(mixed_causes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
