/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rebuild/bound.h"

#define A "/gnu/store/0123456789abcdfghijklmnpqrsvwxyz-a-1.drv"
#define B "/gnu/store/1123456789abcdfghijklmnpqrsvwxyz-b-1.drv"

/* As `guix build --verbosity=3' prints. */
static void
what_is_being_built_is_known_from_the_log(void **state)
{
	static const struct {
		const char *log;
		const char *drv;
	} cases[] = {
		{"", NULL},
		{"building " A "...\n", A},
		{"building " A "...\nhello\nsuccessfully built " A "\n", NULL},
		{"building " A "...\nbuilding " B "...\n", B},
		{"building " A "...\nbuilding " B "...\nsuccessfully built " B
		 "\n",
			A},
		/* A builder's word is none, if it names no derivation. */
		{"building /gnu/store/../../etc/passwd.drv...\n", NULL},
		{"building /gnu/store/\n", NULL},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *drv = bound_under_way(&a, slice_of(cases[i].log));

		if (cases[i].drv)
			assert_string_equal(drv, cases[i].drv);
		else
			assert_null(drv);
	}
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_being_built_is_known_from_the_log),
	};

	return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
