/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cgroup.h"
#include "base/child.h"
#include "base/path.h"

/* A machine's /proc and /sys/fs/cgroup, as files. */
struct machine {
	char root[64];
};

static int
setup(void **state)
{
	static struct machine m;

	strcpy(m.root, "/tmp/unblend-cgroup.XXXXXX");
	assert_non_null(mkdtemp(m.root));
	*state = &m;
	return 0;
}

static int
teardown(void **state)
{
	struct machine *m = *state;
	struct err e = {0};

	return path_remove(m->root, &e);
}

static char *
inside(const struct machine *m, const char *name)
{
	return xasprintf("%s/%s", m->root, name);
}

static void
put(const struct machine *m, const char *name, const char *text)
{
	CLEANUP(own_free)
	char *path = inside(m, name);
	CLEANUP(own_free)
	char *dir = path_dir(path);
	struct err e = {0};
	FILE *f;

	assert_int_equal(path_mkdirs(dir, 0755, &e), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
put_below(const struct machine *m, const char *dir, const char *name,
	const char *text)
{
	CLEANUP(own_free)
	char *file = path_join(dir, name);

	put(m, file, text);
}

static void
holds(const char *dir, const char *name, const char *text)
{
	CLEANUP(own_free)
	char *path = path_join(dir, name);
	CLEANUP(buf_fini)
	struct buf got = {0};
	struct err e = {0};

	assert_int_equal(path_read(path, 4096, &got, &e), 0);
	assert_string_equal(buf_text(&got), text);
}

/* As cgroups(7) has them, of a systemd with a scope of the user's own. */
static void
of_version_2(const struct machine *m)
{
	put(m, "proc/self/cgroup", "0::/user.slice/run.scope\n");
	put(m, "proc/self/mountinfo",
		"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 "
		"cgroup2 rw,nsdelegate\n");
	put(m, "sys/fs/cgroup/user.slice/run.scope/cgroup.controllers",
		"cpu memory pids\n");
	put(m, "sys/fs/cgroup/user.slice/run.scope/cgroup.subtree_control",
		"cpu memory pids\n");
}

static void
version_2_is_found_where_it_is_mounted(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup g;
	CLEANUP(own_free)
	char *dir = inside(m, "sys/fs/cgroup/user.slice/run.scope");

	of_version_2(m);
	cgroup_find(m->root, &g);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		assert_string_equal(g.dirs[w], dir);
		assert_string_equal(
			cgroup_kind(&g, (enum cgroup_what)w), "cgroup v2");
	}
}

/* A container has a part of each hierarchy for its root; and memory has none. */
static void
version_1_is_found_below_the_root_of_its_mount(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup g;
	CLEANUP(own_free)
	char *pids = inside(m, "sys/fs/cgroup/pids/job");
	CLEANUP(own_free)
	char *cpu = inside(m, "sys/fs/cgroup/cpu,cpuacct");

	put(m, "proc/self/cgroup",
		"5:pids:/box/1/job\n4:cpu,cpuacct:/box/1\n3:name=systemd:/\n"
		"0::/\n");
	put(m, "proc/self/mountinfo",
		"31 23 0:27 /box/1 /sys/fs/cgroup/pids rw - cgroup cgroup "
		"rw,pids\n"
		"32 23 0:28 /box/1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup "
		"cgroup rw,cpu,cpuacct\n");
	cgroup_find(m->root, &g);
	assert_string_equal(g.dirs[CGROUP_PROCESSES], pids);
	assert_string_equal(g.dirs[CGROUP_CPU], cpu);
	assert_string_equal(cgroup_kind(&g, CGROUP_CPU), "cgroup v1");
	assert_false(cgroup_can(&g, CGROUP_MEMORY));
	assert_null(cgroup_kind(&g, CGROUP_MEMORY));
}

static void
without_cgroups_nothing_can_be_limited(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup g;

	cgroup_find(m->root, &g);
	for (int w = 0; w < CGROUP_WHATS; w++)
		assert_false(cgroup_can(&g, (enum cgroup_what)w));
}

/* The kernel makes the files of a group; here they are there before. */
static char *
group_files(const struct machine *m, const char *parent, unsigned n)
{
	struct stat st;
	char *name;

	assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
	name = xasprintf("%s/unblend-%lu-%ld-%u", parent,
		(unsigned long)st.st_ino, (long)getpid(), n);
	for (const char *const *f =
			(const char *const[]){"memory.max", "memory.swap.max",
				"pids.max", "cpu.max", "cgroup.procs", NULL};
		*f; f++)
		put_below(m, name, *f, "");
	return name;
}

static void
limits_are_written_as_version_2_takes_them(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup own;
	CLEANUP(cgroup_fini)
	struct cgroup g;
	CLEANUP(own_free)
	char *name = NULL;
	struct cgroup_events events;

	of_version_2(m);
	name = group_files(m, "sys/fs/cgroup/user.slice/run.scope", 3);
	cgroup_find(m->root, &own);
	cgroup_open(&own);
	assert_null(own.leaf);
	cgroup_make(&own, 3, &(struct cgroup_limits){1 << 30, 100, 2}, &g);
	for (int w = 0; w < CGROUP_WHATS; w++)
		assert_true(cgroup_can(&g, (enum cgroup_what)w));
	holds(g.dirs[0], "memory.max", "1073741824");
	holds(g.dirs[0], "memory.swap.max", "0");
	holds(g.dirs[0], "pids.max", "100");
	holds(g.dirs[0], "cpu.max", "200000 100000");
	assert_true(cgroup_enter(&g));
	holds(g.dirs[0], "cgroup.procs", "0");

	put_below(m, name, "memory.events",
		"low 0\noom 3\noom_kill 2\noom_group_kill 9\n");
	put_below(m, name, "pids.events", "max 7\n");
	cgroup_read(&g, &events);
	assert_int_equal(events.killed, 2);
	assert_int_equal(events.refused, 7);
}

static void
limits_are_written_as_version_1_takes_them(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup own;
	CLEANUP(cgroup_fini)
	struct cgroup g;
	static const char *const files[][2] = {
		{"memory", "memory.limit_in_bytes"},
		{"memory", "memory.memsw.limit_in_bytes"},
		{"memory", "cgroup.procs"},
		{"pids", "pids.max"},
		{"pids", "cgroup.procs"},
		{"cpu", "cpu.cfs_period_us"},
		{"cpu", "cpu.cfs_quota_us"},
		{"cpu", "cgroup.procs"},
	};
	struct cgroup_events events;
	struct stat st;

	put(m, "proc/self/cgroup", "3:cpu:/\n2:pids:/\n1:memory:/a\n0::/\n");
	put(m, "proc/self/mountinfo",
		"31 23 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		"32 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		"33 23 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup "
		"rw,memory\n");
	assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		CLEANUP(own_free)
		char *dir = xasprintf("sys/fs/cgroup/%s%s/unblend-%lu-%ld-0",
			files[i][0], *files[i][0] == 'm' ? "/a" : "",
			(unsigned long)st.st_ino, (long)getpid());

		put_below(m, dir, files[i][1], "");
		put_below(m, dir, "memory.oom_control",
			"oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
		put_below(m, dir, "pids.events", "max 5\n");
	}
	cgroup_find(m->root, &own);
	cgroup_open(&own);
	cgroup_make(&own, 0, &(struct cgroup_limits){1 << 20, 7, 3}, &g);
	holds(g.dirs[CGROUP_MEMORY], "memory.limit_in_bytes", "1048576");
	holds(g.dirs[CGROUP_MEMORY], "memory.memsw.limit_in_bytes", "1048576");
	holds(g.dirs[CGROUP_PROCESSES], "pids.max", "7");
	holds(g.dirs[CGROUP_CPU], "cpu.cfs_period_us", "100000");
	holds(g.dirs[CGROUP_CPU], "cpu.cfs_quota_us", "300000");
	assert_true(cgroup_enter(&g));
	for (int w = 0; w < CGROUP_WHATS; w++)
		holds(g.dirs[w], "cgroup.procs", "0");
	cgroup_read(&g, &events);
	assert_int_equal(events.killed, 4);
	assert_int_equal(events.refused, 5);
}

static void
what_has_no_limit_has_no_group(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup own;
	CLEANUP(cgroup_fini)
	struct cgroup g;
	CLEANUP(own_free)
	char *name = NULL;

	of_version_2(m);
	name = group_files(m, "sys/fs/cgroup/user.slice/run.scope", 0);
	cgroup_find(m->root, &own);
	cgroup_make(&own, 0, &(struct cgroup_limits){.processes = 9}, &g);
	assert_true(cgroup_can(&g, CGROUP_PROCESSES));
	assert_false(cgroup_can(&g, CGROUP_MEMORY));
	assert_false(cgroup_can(&g, CGROUP_CPU));
	holds(g.dirs[CGROUP_PROCESSES], "memory.max", "");
}

/* Processes beside groups are not allowed: this one moves, and where that does
 * not help, as others are there too, moves back. */
static void
one_that_is_not_alone_stays_where_it_is(void **state)
{
	struct machine *m = *state;
	CLEANUP(cgroup_fini)
	struct cgroup own;
	CLEANUP(own_free)
	char *leaf = NULL;
	CLEANUP(own_free)
	char *control = inside(
		m, "sys/fs/cgroup/user.slice/run.scope/cgroup.subtree_control");
	CLEANUP(own_free)
	char *scope = inside(m, "sys/fs/cgroup/user.slice/run.scope");
	struct stat st;

	of_version_2(m);
	/* Not to be written, whoever tries. */
	assert_int_equal(unlink(control), 0);
	assert_int_equal(mkdir(control, 0755), 0);
	put(m, "sys/fs/cgroup/user.slice/run.scope/cgroup.procs", "");
	assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
	leaf = xasprintf("%s/unblend-%lu-%ld-main", scope,
		(unsigned long)st.st_ino, (long)getpid());
	put_below(m, leaf + strlen(m->root) + 1, "cgroup.procs", "");
	cgroup_find(m->root, &own);
	cgroup_open(&own);
	for (int w = 0; w < CGROUP_WHATS; w++)
		assert_false(cgroup_can(&own, (enum cgroup_what)w));
	assert_null(own.leaf);
	holds(leaf, "cgroup.procs", "0");
	holds(scope, "cgroup.procs", "0");
}

/* --- the kernel's own, where there is one --------------------------------- */

static void
a_real_group_holds_and_is_ended_whole(void **state)
{
	CLEANUP(cgroup_close)
	struct cgroup own;
	struct cgroup g;
	struct cgroup_events events;
	const char *argv[] = {"sh", "-c",
		"for i in 1 2 3 4 5 6 7 8 9; do sleep 600 & done; wait", NULL};
	struct child_spec spec = {.argv = argv};
	struct child c;
	struct err e = {0};

	(void)state;
	cgroup_find("", &own);
	cgroup_open(&own);
	cgroup_make(&own, 900, &(struct cgroup_limits){.processes = 5}, &g);
	/* Where there is none, tests/cases/limits.t has the other way. */
	if (!cgroup_can(&g, CGROUP_PROCESSES)) {
		cgroup_fini(&g);
		return;
	}
	spec.group = &g;
	assert_int_equal(child_start(&spec, &c, &e), 0);
	for (int i = 0; i < 500; i++) {
		cgroup_read(&g, &events);
		if (events.refused)
			break;
		usleep(10000);
	}
	assert_true(events.refused > 0);
	assert_true(cgroup_remove(&g));
	for (int i = 0; i < 500 && !child_step(&c); i++)
		usleep(10000);
	assert_true(c.outcome.end == CHILD_SIGNALLED ||
		c.outcome.end == CHILD_EXITED);
	child_fini(&c);
}

static void
limits_of_another_process_are_those_above_it_too(void **state)
{
	struct cgroup_limits l;

	(void)state;
	/* Whatever they are here, they can be asked for. */
	cgroup_of_process(getpid(), &l);
	cgroup_of_process(0, &l);
	assert_int_equal(l.memory_bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			version_2_is_found_where_it_is_mounted, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			version_1_is_found_below_the_root_of_its_mount, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			without_cgroups_nothing_can_be_limited, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			limits_are_written_as_version_2_takes_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			limits_are_written_as_version_1_takes_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_has_no_limit_has_no_group, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_not_alone_stays_where_it_is, setup,
			teardown),
		cmocka_unit_test(a_real_group_holds_and_is_ended_whole),
		cmocka_unit_test(
			limits_of_another_process_are_those_above_it_too),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
