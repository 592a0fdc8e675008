/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void
set_returns_minus_one_and_keeps_kind_and_text(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_INPUT, "bad layer %d", 3), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "bad layer 3");
}

static void
sys_appends_errno_and_leaves_it(void **state)
{
	struct err e = {0};

	(void)state;
	errno = ENOSPC;
	assert_int_equal(err_sys(&e, ERR_HOST, "write %s", "x"), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(e.sys, ENOSPC);
	assert_int_equal(e.kind, ERR_HOST);
	assert_string_equal(e.text, "write x: No space left on device");
}

static void
set_after_sys_forgets_errno(void **state)
{
	struct err e = {0};

	(void)state;
	errno = EIO;
	assert_int_equal(err_sys(&e, ERR_HOST, "a"), -1);
	assert_int_equal(err_set(&e, ERR_ABSENT, "b"), -1);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "b");
}

static void
wrap_puts_context_first_and_keeps_kind(void **state)
{
	struct err e = {0};

	(void)state;
	errno = EACCES;
	assert_int_equal(err_sys(&e, ERR_POLICY, "bad layer %d", 3), -1);
	assert_int_equal(err_wrap(&e, "image %s", "x"), -1);
	assert_string_equal(e.text, "image x: bad layer 3: Permission denied");
	assert_int_equal(e.kind, ERR_POLICY);
	assert_int_equal(e.sys, EACCES);
}

/* The text is a fixed buffer: too long is cut, and always ended. */
static void
long_text_is_cut_and_ended(void **state)
{
	struct err e = {0};
	char big[2 * sizeof(e.text)];

	(void)state;
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	memset(e.text, '!', sizeof(e.text));
	assert_int_equal(err_set(&e, ERR_INPUT, "%s", big), -1);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_int_equal(err_wrap(&e, "%s", big), -1);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	errno = EIO;
	assert_int_equal(err_sys(&e, ERR_HOST, "%s", big), -1);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_minus_one_and_keeps_kind_and_text),
		cmocka_unit_test(sys_appends_errno_and_leaves_it),
		cmocka_unit_test(set_after_sys_forgets_errno),
		cmocka_unit_test(wrap_puts_context_first_and_keeps_kind),
		cmocka_unit_test(long_text_is_cut_and_ended),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
