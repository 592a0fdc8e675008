/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/child.h"
#include "base/clock.h"

/* What a shell script gave, run by child_run. */
struct result {
	struct buf out, log;
	struct outcome outcome;
};

static void
run(struct child_spec spec, const char *script, struct result *r)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct err e = {0};

	*r = (struct result){0};
	spec.argv = argv;
	if (!spec.out_cap)
		spec.out_cap = 4096;
	if (!spec.log_cap)
		spec.log_cap = 4096;
	if (child_run(&spec, &r->out, &r->log, NULL, &r->outcome, &e) < 0)
		fail_msg("%s", e.text);
}

static void
end(struct result *r)
{
	buf_fini(&r->out);
	buf_fini(&r->log);
}

static void
both_streams_and_the_code_are_told(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){0}, "echo out; echo log >&2; exit 42", &r);
	assert_string_equal(buf_text(&r.out), "out\n");
	assert_string_equal(buf_text(&r.log), "log\n");
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_int_equal(r.outcome.code, 42);
	assert_false(r.outcome.is_out_cut);
	assert_false(r.outcome.is_log_cut);
	end(&r);
}

/* WEXITSTATUS of such a one would be 0. */
static void
killed_is_not_exited(void **state)
{
	struct result r;
	struct buf text = {0};

	(void)state;
	run((struct child_spec){0}, "kill -KILL $$", &r);
	assert_int_equal(r.outcome.end, CHILD_SIGNALLED);
	assert_int_equal(r.outcome.code, SIGKILL);
	child_describe(&r.outcome, &text);
	assert_string_equal(buf_text(&text), "killed by signal 9 (Killed)");
	buf_fini(&text);
	end(&r);
}

static void
what_is_not_there_is_absent(void **state)
{
	const char *argv[] = {"no-such-program-anywhere", NULL};
	const char *no_exec[] = {"/etc/passwd", NULL};
	const char *sh[] = {"sh", "-c", "exit 0", NULL};
	struct child_spec spec = {.argv = argv};
	struct outcome o;
	struct err e = {0};

	(void)state;
	assert_int_equal(child_run(&spec, NULL, NULL, NULL, &o, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(e.sys, ENOENT);
	spec.argv = no_exec;
	assert_int_equal(child_run(&spec, NULL, NULL, NULL, &o, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(e.sys, EACCES);
	spec.argv = sh;
	spec.dir = "/no/such/folder";
	assert_int_equal(child_run(&spec, NULL, NULL, NULL, &o, &e), -1);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, "/no/such/folder"));
	/* None is left behind as a zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
stdin_is_empty_or_what_was_given(void **state)
{
	struct result r;
	int fds[2];

	(void)state;
	run((struct child_spec){0}, "cat; echo end", &r);
	assert_string_equal(buf_text(&r.out), "end\n");
	end(&r);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "given\n", 6), 6);
	close(fds[1]);
	run((struct child_spec){.stdin_fd = fds[0]}, "cat", &r);
	assert_string_equal(buf_text(&r.out), "given\n");
	end(&r);
	close(fds[0]);
}

/*
 * Signals ignored or blocked by us are default and open in the child.  Not so
 * 32 and 33, which glibc keeps to itself: its sigaction cannot change them,
 * and its posix_spawn, as make uses it, leaves them ignored.
 */
static void
signals_are_reset(void **state)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, old_pipe, old_usr;
	sigset_t block, old;
	uint64_t blocked, ignored;
	struct result r;

	(void)state;
	sigaction(SIGPIPE, &ign, &old_pipe);
	sigaction(SIGUSR1, &ign, &old_usr);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	sigprocmask(SIG_BLOCK, &block, &old);
	run((struct child_spec){0},
		"while read -r k v; do case $k in Sig[BI]*) echo $k $v;; esac;"
		"done </proc/self/status",
		&r);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigaction(SIGUSR1, &old_usr, NULL);
	assert_int_equal(
		sscanf(buf_text(&r.out), "SigBlk: %" SCNx64 " SigIgn: %" SCNx64,
			&blocked, &ignored),
		2);
	assert_int_equal(blocked, 0);
	assert_int_equal(ignored & ~(UINT64_C(3) << 31), 0);
	end(&r);
}

/* A parent of ours may have left SIGCHLD ignored: the status must not be lost,
 * and neither the child's. */
static void
ignored_sigchld_loses_no_status(void **state)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, old;
	struct result r;

	(void)state;
	sigaction(SIGCHLD, &ign, &old);
	run((struct child_spec){.deadline_ms = 5000}, "exit 7", &r);
	sigaction(SIGCHLD, &old, NULL);
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_int_equal(r.outcome.code, 7);
	end(&r);
}

static void
no_descriptor_is_passed_but_the_named(void **state)
{
	struct result r;
	int null = open("/dev/null", O_RDONLY);

	(void)state;
	/* Neither is close-on-exec here. */
	assert_int_equal(dup2(null, 50), 50);
	assert_int_equal(dup2(null, 51), 51);
	run((struct child_spec){.pass_fd = 51},
		"for n in 49 50 51 52; do test ! -e /proc/$$/fd/$n || echo $n; "
		"done",
		&r);
	assert_string_equal(buf_text(&r.out), "51\n");
	end(&r);
	close(null);
	close(50);
	close(51);
}

static void
environment_and_folder_are_what_was_said(void **state)
{
	const char *env[] = {"PATH=/usr/bin:/bin", "A=b c", NULL};
	struct result r;

	(void)state;
	run((struct child_spec){.env = env, .dir = "/"}, "env | sort; pwd", &r);
	assert_non_null(strstr(buf_text(&r.out), "A=b c\n"));
	assert_null(strstr(buf_text(&r.out), "HOME="));
	assert_non_null(strstr(buf_text(&r.out), "\n/\n"));
	end(&r);
}

static void
output_is_kept_up_to_its_cap(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.out_cap = 5}, "printf 12345", &r);
	assert_string_equal(buf_text(&r.out), "12345");
	assert_false(r.outcome.is_out_cut);
	end(&r);
	run((struct child_spec){.out_cap = 5}, "printf 123456", &r);
	assert_string_equal(buf_text(&r.out), "12345");
	assert_true(r.outcome.is_out_cut);
	end(&r);
}

static void
log_keeps_head_and_tail(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.log_cap = 10}, "printf 0123456789 >&2", &r);
	assert_string_equal(buf_text(&r.log), "0123456789");
	assert_false(r.outcome.is_log_cut);
	end(&r);
	run((struct child_spec){.log_cap = 10}, "printf 0123456789x >&2", &r);
	assert_string_equal(
		buf_text(&r.log), "01234\n[1 bytes left out]\n6789x");
	assert_true(r.outcome.is_log_cut);
	end(&r);
	/* run() takes 0 for its own default. */
	{
		const char *argv[] = {"sh", "-c", "echo x >&2", NULL};
		struct child_spec spec = {.argv = argv};
		struct buf log = {0};
		struct outcome o;
		struct err e = {0};

		assert_int_equal(child_run(&spec, NULL, &log, NULL, &o, &e), 0);
		assert_int_equal(log.n, 0);
		assert_true(o.is_log_cut);
		buf_fini(&log);
	}
	/* Past all windows: 20 MB, of which little is held at any time. */
	run((struct child_spec){.log_cap = 10},
		"{ printf begin; head -c 20000000 /dev/zero; printf theend; } "
		">&2",
		&r);
	assert_string_equal(
		buf_text(&r.log), "begin\n[20000001 bytes left out]\nheend");
	assert_true(r.log.cap < 1 << 20);
	end(&r);
}

static void
log_is_copied_to_a_file_up_to_its_cap(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX", got[64] = "";
	int fd = mkstemp(path);
	struct result r;

	(void)state;
	unlink(path);
	run((struct child_spec){.log_cap = 4, .log_fd = fd},
		"printf abc >&2; printf defg >&2", &r);
	assert_int_equal(pread(fd, got, sizeof(got) - 1, 0), 4);
	assert_string_equal(got, "abcd");
	end(&r);
	close(fd);
}

static void
deadline_ends_the_whole_group(void **state)
{
	struct result r;
	struct buf text = {0};
	int64_t begin = clock_mono_ms();
	int pid;

	(void)state;
	run((struct child_spec){.deadline_ms = 300},
		"sleep 600 & echo $!; while :; do echo tick; sleep 0.02; done",
		&r);
	assert_int_equal(r.outcome.end, CHILD_DEADLINE);
	assert_true(clock_mono_ms() - begin < 2000);
	assert_true(r.outcome.elapsed_ms >= 300);
	child_describe(&r.outcome, &text);
	assert_string_equal(buf_text(&text), "over its deadline of 0.300 s");
	buf_fini(&text);
	pid = atoi(buf_text(&r.out));
	assert_true(pid > 1);
	/* Killed with its group; its new parent may be slow to reap it. */
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++) {
		char stat[64], line[256] = "";
		FILE *f;

		snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
		f = fopen(stat, "r");
		if (f && fgets(line, sizeof(line), f) && strstr(line, ") Z ")) {
			fclose(f);
			break;
		}
		if (f)
			fclose(f);
		usleep(10000);
		assert_true(i < 99);
	}
	end(&r);
}

static void
silence_is_told_from_slowness(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.silence_ms = 1000},
		"for i in 1 2 3 4 5 6; do sleep 0.2; echo $i >&2; done", &r);
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_true(r.outcome.elapsed_ms >= 1200);
	end(&r);
	run((struct child_spec){.silence_ms = 200}, "echo a; sleep 600", &r);
	assert_int_equal(r.outcome.end, CHILD_SILENT);
	assert_int_equal(r.outcome.limit_ms, 200);
	assert_string_equal(buf_text(&r.out), "a\n");
	end(&r);
}

static void
one_that_prints_without_end_is_ended(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.said_max = 100000, .deadline_ms = 20000},
		"while :; do echo once more; echo and more >&2; done", &r);
	assert_int_equal(r.outcome.end, CHILD_FLOOD);
	assert_true(r.outcome.said > 100000);
	end(&r);
	run((struct child_spec){.said_max = 5}, "echo four; sleep 0.3", &r);
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_int_equal(r.outcome.said, 5);
	end(&r);
}

static bool
has_word(void *word, struct slice log)
{
	return memmem(log.p, log.n, word, strlen(word)) != NULL;
}

static void
one_that_is_over_a_limit_is_ended(void **state)
{
	char word[] = "enough";
	struct child_spec spec = {.is_over = has_word,
		.is_over_arg = word,
		.log_cap = 4096,
		.deadline_ms = 20000};
	struct result r;

	(void)state;
	run(spec, "echo not yet >&2; sleep 0.7; echo enough >&2; sleep 600",
		&r);
	assert_int_equal(r.outcome.end, CHILD_OVER);
	assert_true(r.outcome.elapsed_ms >= 700);
	end(&r);
}

static void
processors_are_limited(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.cpus = 1}, "nproc", &r);
	assert_string_equal(buf_text(&r.out), "1\n");
	end(&r);
}

static void
one_that_ignores_sigterm_is_killed_after_the_grace(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.deadline_ms = 200, .grace_ms = 100},
		"trap '' TERM; while :; do sleep 0.01; done", &r);
	assert_int_equal(r.outcome.end, CHILD_DEADLINE);
	assert_true(r.outcome.elapsed_ms >= 300);
	assert_true(r.outcome.elapsed_ms < 3000);
	end(&r);
	/* And one that has an end to bring about has the time to. */
	run((struct child_spec){.deadline_ms = 200},
		"trap 'echo bye; exit 0' TERM; while :; do sleep 0.01; done",
		&r);
	assert_int_equal(r.outcome.end, CHILD_DEADLINE);
	assert_string_equal(buf_text(&r.out), "bye\n");
	end(&r);
}

/* A process that left the group and holds the pipes must not hold us. */
static void
one_that_left_does_not_hold_us(void **state)
{
	struct result r;
	int64_t begin = clock_mono_ms();

	(void)state;
	run((struct child_spec){.grace_ms = 200},
		"setsid sleep 600 & echo $! >&2; exit 3", &r);
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_int_equal(r.outcome.code, 3);
	assert_true(clock_mono_ms() - begin < 3000);
	kill(atoi(buf_text(&r.log)), SIGKILL);
	end(&r);
}

static volatile int stopped;

static void
on_alarm(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
stop_flag_ends_it(void **state)
{
	const char *argv[] = {"sleep", "600", NULL};
	struct child_spec spec = {.argv = argv};
	struct sigaction act = {.sa_handler = on_alarm}, old;
	struct outcome o;
	struct err e = {0};

	(void)state;
	sigaction(SIGUSR1, &act, &old);
	stopped = 0;
	/* From a process of its own, so that poll is what is interrupted. */
	if (fork() == 0) {
		usleep(100000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	assert_int_equal(child_run(&spec, NULL, NULL, &stopped, &o, &e), 0);
	assert_int_equal(o.end, CHILD_STOPPED);
	assert_true(o.elapsed_ms < 3000);
	wait(NULL);
	sigaction(SIGUSR1, &old, NULL);
}

static void
limits_hold_in_the_child(void **state)
{
	struct result r;

	(void)state;
	run((struct child_spec){.file_max = 1024, .memory_max = 1 << 30},
		"ulimit -v; ulimit -f", &r);
	/* In KiB, and (dash) in blocks of 512 bytes. */
	assert_string_equal(buf_text(&r.out), "1048576\n2\n");
	end(&r);
}

static void
fini_kills_what_runs(void **state)
{
	const char *argv[] = {"sleep", "600", NULL};
	struct child_spec spec = {.argv = argv};
	struct child c = {0};
	struct err e = {0};
	pid_t pid;

	(void)state;
	child_fini(&c);
	assert_int_equal(child_start(&spec, &c, &e), 0);
	assert_int_equal(child_step(&c), 0);
	assert_in_range(child_wait_ms(&c), 1, 100);
	pid = c.pid;
	child_fini(&c);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_streams_and_the_code_are_told),
		cmocka_unit_test(killed_is_not_exited),
		cmocka_unit_test(what_is_not_there_is_absent),
		cmocka_unit_test(stdin_is_empty_or_what_was_given),
		cmocka_unit_test(signals_are_reset),
		cmocka_unit_test(ignored_sigchld_loses_no_status),
		cmocka_unit_test(no_descriptor_is_passed_but_the_named),
		cmocka_unit_test(environment_and_folder_are_what_was_said),
		cmocka_unit_test(output_is_kept_up_to_its_cap),
		cmocka_unit_test(log_keeps_head_and_tail),
		cmocka_unit_test(log_is_copied_to_a_file_up_to_its_cap),
		cmocka_unit_test(deadline_ends_the_whole_group),
		cmocka_unit_test(silence_is_told_from_slowness),
		cmocka_unit_test(one_that_prints_without_end_is_ended),
		cmocka_unit_test(one_that_is_over_a_limit_is_ended),
		cmocka_unit_test(processors_are_limited),
		cmocka_unit_test(
			one_that_ignores_sigterm_is_killed_after_the_grace),
		cmocka_unit_test(one_that_left_does_not_hold_us),
		cmocka_unit_test(stop_flag_ends_it),
		cmocka_unit_test(limits_hold_in_the_child),
		cmocka_unit_test(fini_kills_what_runs),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
