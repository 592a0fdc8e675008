/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/aside.h"
#include "base/path.h"
#include "compare/findings.h"
#include "compare/offsets.h"

static int
make_folder(void **state)
{
	char *folder = xstrdup("/tmp/unblend-offsets-XXXXXX");

	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	struct err e;
	int status = path_remove(*state, &e);

	free(*state);
	return status;
}

/* Sizes of two files of equal bytes, one changed at changed (if not -1). */
struct row {
	size_t a, b;
	int64_t changed, offset;
};

static const struct row rows[] = {
	{0, 0, -1, -1},
	{0, 1, -1, 0},
	{1, 1, 0, 0},
	{1, 1, -1, -1},
	{65535, 65536, -1, 65535},
	{65536, 65536, 65535, 65535},
	{65537, 65537, 65536, 65536},
	{65536, 65537, -1, 65536},
	{131072, 131072, -1, -1},
	{200000, 150000, 149999, 149999},
	{200000, 150000, -1, 150000},
};

static void
first_differing_byte_is_found_across_buffers(void **state)
{
	CLEANUP(own_free)
	char *bytes = xcalloc(1, 200000);
	CLEANUP(own_free)
	char *a = path_join(*state, "a");
	CLEANUP(own_free)
	char *b = path_join(*state, "b");
	struct err e;

	for (size_t i = 0; i < 200000; i++)
		bytes[i] = (char)(i * 7);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		int64_t offset;

		assert_int_equal(aside_write(a, bytes, row->a, &e), 0);
		if (row->changed >= 0)
			bytes[row->changed] ^= 1;
		assert_int_equal(aside_write(b, bytes, row->b, &e), 0);
		if (row->changed >= 0)
			bytes[row->changed] ^= 1;
		assert_int_equal(offsets_of_files(a, b, &offset, &e), 0);
		assert_int_equal(offset, row->offset);
		assert_int_equal(offsets_of_files(b, a, &offset, &e), 0);
		assert_int_equal(offset, row->offset);
	}
}

static void
file_that_is_not_there_leaves_it_unknown(void **state)
{
	CLEANUP(own_free)
	char *a = path_join(*state, "a");
	CLEANUP(own_free)
	char *b = path_join(*state, "none");
	int64_t offset = 5;
	struct err e;

	assert_int_equal(aside_write(a, "x", 1, &e), 0);
	assert_int_equal(offsets_of_files(a, b, &offset, &e), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(offsets_of_files(*state, *state, &offset, &e), -1);
	assert_int_equal(e.kind, ERR_HOST);
}

static void
store_item_is_the_name_below_the_store(void **state)
{
	static const char *const paths[][2] = {
		{"", NULL},
		{"gnu/store", NULL},
		{"gnu/store/", NULL},
		{"gnu/stores/a", NULL},
		{"x/gnu/store/a", NULL},
		{"gnu/store/a", "a"},
		{"gnu/store/a-1/b/c", "a-1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct slice item = findings_item(paths[i][0]);

		assert_int_equal(item.p != NULL, paths[i][1] != NULL);
		if (item.p)
			assert_true(slice_is(item, paths[i][1]));
	}
}

/* "é" is two bytes: what does not fit is left out whole. */
static void
long_details_are_cut_between_characters(void **state)
{
	struct comparison c = {0};
	CLEANUP(findings_fini)
	struct findings f = {.out = &c};
	CLEANUP(buf_fini)
	struct buf detail = {0};
	size_t n;

	(void)state;
	while (detail.n < FINDINGS_DETAIL_MAX - 2)
		buf_char(&detail, 'x');
	buf_str(&detail, "é");
	findings_add(&f, FINDING_MODE, "a", &detail);
	assert_string_equal(c.differences[0].detail, buf_text(&detail));
	buf_clear(&detail);
	while (detail.n < FINDINGS_DETAIL_MAX - 1)
		buf_char(&detail, 'x');
	buf_str(&detail, "é");
	findings_add(&f, FINDING_MODE, "a", &detail);
	n = strlen(c.differences[1].detail);
	assert_int_equal(n, FINDINGS_DETAIL_MAX - 1 + strlen("…"));
	assert_string_equal(c.differences[1].detail + n - 4, "x…");
	comparison_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			first_differing_byte_is_found_across_buffers,
			make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			file_that_is_not_there_leaves_it_unknown, make_folder,
			remove_folder),
		cmocka_unit_test(store_item_is_the_name_below_the_store),
		cmocka_unit_test(long_details_are_cut_between_characters),
	};

	return cmocka_run_group_tests_name("offsets", tests, NULL, NULL);
}
