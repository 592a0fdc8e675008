/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/orphans.h"

/* A shell that leaves a process of another session behind; gives its number. */
static pid_t
leave_one(void)
{
	/* Its end of the pipe is closed when it is what it is to be. */
	const char *argv[] = {"sh", "-c",
		"echo $(setsid sh -c 'echo $$; exec sleep 600 >/dev/null 2>&1' "
		"&)",
		NULL};
	struct child_spec spec = {.argv = argv, .out_cap = 100};
	struct buf out = {0};
	struct outcome o;
	struct err e = {0};
	pid_t pid;

	assert_int_equal(child_run(&spec, &out, NULL, NULL, &o, &e), 0);
	pid = atoi(buf_text(&out));
	buf_fini(&out);
	assert_true(pid > 1);
	return pid;
}

static void
what_was_left_is_ended(void **state)
{
	pid_t left, spared;

	(void)state;
	orphans_adopt();
	spared = leave_one();
	left = leave_one();
	assert_int_equal(kill(left, 0), 0);
	orphans_end(&spared, 1);
	assert_int_equal(kill(spared, 0), 0);
	assert_int_equal(kill(left, 0), -1);
	assert_int_equal(errno, ESRCH);
	orphans_end(NULL, 0);
	assert_int_equal(kill(spared, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

static void
a_child_is_seen(void **state)
{
	const char *argv[] = {"sleep", "600", NULL};
	struct child_spec spec = {.argv = argv};
	struct child c;
	struct err e = {0};
	pid_t *list;

	(void)state;
	assert_false(orphans_has_child(getpid()));
	assert_int_equal(child_start(&spec, &c, &e), 0);
	assert_true(orphans_has_child(getpid()));
	assert_int_equal(orphans_list(&list), 1);
	assert_int_equal(list[0], c.pid);
	free(list);
	assert_false(orphans_has_child(c.pid));
	child_fini(&c);
	assert_false(orphans_has_child(getpid()));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_left_is_ended),
		cmocka_unit_test(a_child_is_seen),
	};

	return cmocka_run_group_tests_name("orphans", tests, NULL, NULL);
}
