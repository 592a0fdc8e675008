/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cgroup.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/cgroup_own.h"
#include "base/clock.h"
#include "base/path.h"

enum {
	END_MS = 5000, /* for killed processes to be gone */
	STALE_S = 3600 /* of groups whose makers cannot be asked for */
};

static bool
write_file(const char *dir, const char *name, const char *text)
{
	char path[4096];
	int fd, n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	bool ok;

	/* No allocation: a forked process enters its group by this. */
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	return close(fd) == 0 && ok;
}

static bool
write_number(const char *dir, const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return write_file(dir, name, text);
}

static void
drop(struct cgroup *g, int w)
{
	free(g->dirs[w]);
	g->dirs[w] = NULL;
}

/* Processes are told apart by their number and whose number that is. */
static unsigned long
number_space(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0
						  : (unsigned long)st.st_ino;
}

/* Kill all that is in dir; true when there was nothing. */
static bool
kill_all(const char *dir)
{
	CLEANUP(buf_fini)
	struct buf list = {0};
	bool is_empty = true;
	char *p, *end;

	if (!cgroup_file(dir, "cgroup.procs", CGROUP_PROC_BYTES, &list))
		return true;
	for (p = list.p; p && *p; p = end + (*end == '\n')) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		is_empty = false;
		/* 0: one of another number space than ours. */
		if (pid > 1 && pid != getpid())
			kill((pid_t)pid, SIGKILL);
	}
	return is_empty;
}

/* End what is in dir, and remove it. */
static bool
empty(const char *dir)
{
	int64_t until = clock_mono_ms() + END_MS;

	/* What forks faster than it is killed can fork no more. */
	(void)!write_file(dir, "pids.max", "0");
	while ((!kill_all(dir) || (rmdir(dir) < 0 && errno == EBUSY)) &&
		clock_mono_ms() < until)
		nanosleep(&(struct timespec){0, 2000000}, NULL);
	return access(dir, F_OK) < 0;
}

/*
 * Groups in dir that nobody uses.  Those of a process of ours that ended without
 * its end may have builds that outlived it.  Whether one of another number space
 * has ended cannot be known: rmdir leaves a group that has processes.
 */
static void
sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		CLEANUP(own_free)
		char *path = path_join(dir, entry->d_name);
		unsigned long space;
		long pid;
		struct stat st;

		if (sscanf(entry->d_name, CGROUP_PREFIX "%lu-%ld-", &space,
			    &pid) != 2 ||
			pid <= 0)
			continue;
		if (space != number_space()) {
			if (stat(path, &st) == 0 &&
				time(NULL) - st.st_mtime > STALE_S)
				rmdir(path);
		} else if (kill((pid_t)pid, 0) < 0 && errno == ESRCH) {
			empty(path);
		}
	}
	if (d)
		closedir(d);
}

/* Let groups below dir, of version 2, have what. */
static bool
is_handed_down(const char *dir, const char *what)
{
	CLEANUP(own_free)
	char *text = xasprintf("+%s", what);
	CLEANUP(buf_fini)
	struct buf has = {0};

	if (cgroup_file(
		    dir, "cgroup.subtree_control", CGROUP_FILE_BYTES, &has) &&
		cgroup_has_word(buf_text(&has), what, " \n"))
		return true;
	return write_file(dir, "cgroup.subtree_control", text);
}

/* This process out of the way of what is limited. */
static void
move_to_leaf(struct cgroup *own, const char *dir)
{
	own->leaf = xasprintf("%s/" CGROUP_PREFIX "%lu-%ld-main", dir,
		number_space(), (long)getpid());
	if (mkdir(own->leaf, 0755) == 0 || errno == EEXIST) {
		if (write_file(own->leaf, "cgroup.procs", "0"))
			return;
		rmdir(own->leaf);
	}
	free(STEAL(own->leaf));
}

/* Back where it was. */
static void
leave_leaf(struct cgroup *own)
{
	CLEANUP(own_free)
	char *dir = NULL;

	if (!own->leaf)
		return;
	dir = path_dir(own->leaf);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		CLEANUP(own_free)
		char *text = xasprintf("-%s", cgroup_names[w]);

		if (own->is_v2[w])
			(void)!write_file(dir, "cgroup.subtree_control", text);
	}
	(void)!write_file(dir, "cgroup.procs", "0");
	rmdir(own->leaf);
	free(STEAL(own->leaf));
}

void
cgroup_open(struct cgroup *own)
{
	bool is_needed = false;

	for (int w = 0; w < CGROUP_WHATS; w++) {
		if (!own->dirs[w])
			continue;
		if (access(own->dirs[w], W_OK) < 0) {
			drop(own, w);
			continue;
		}
		sweep(own->dirs[w]);
		if (!own->is_v2[w])
			continue;
		if (!is_handed_down(own->dirs[w], cgroup_names[w])) {
			if (!own->leaf)
				move_to_leaf(own, own->dirs[w]);
			if (!is_handed_down(own->dirs[w], cgroup_names[w])) {
				drop(own, w);
				continue;
			}
		}
		is_needed = true;
	}
	if (!is_needed)
		leave_leaf(own);
}

void
cgroup_close(struct cgroup *own)
{
	leave_leaf(own);
	cgroup_fini(own);
}

static bool
limit_memory(const char *dir, bool is_v2, uint64_t bytes)
{
	if (is_v2) {
		/* What may be swapped out is no limit; and not everywhere. */
		(void)!write_file(dir, "memory.swap.max", "0");
		return write_number(dir, "memory.max", bytes);
	}
	if (!write_number(dir, "memory.limit_in_bytes", bytes))
		return false;
	(void)!write_number(dir, "memory.memsw.limit_in_bytes", bytes);
	return true;
}

static bool
limit_cpu(const char *dir, bool is_v2, uint64_t cpus)
{
	char text[64];

	if (is_v2) {
		snprintf(text, sizeof(text), "%" PRIu64 " %d",
			cpus * CGROUP_PERIOD_US, CGROUP_PERIOD_US);
		return write_file(dir, "cpu.max", text);
	}
	return write_number(dir, "cpu.cfs_period_us", CGROUP_PERIOD_US) &&
		write_number(dir, "cpu.cfs_quota_us", cpus * CGROUP_PERIOD_US);
}

static bool
limit(const char *dir, bool is_v2, enum cgroup_what what,
	const struct cgroup_limits *l)
{
	switch (what) {
	case CGROUP_MEMORY:
		return l->memory_bytes &&
			limit_memory(dir, is_v2, l->memory_bytes);
	case CGROUP_PROCESSES:
		return l->processes &&
			write_number(dir, "pids.max", l->processes);
	case CGROUP_CPU:
		return l->cpus && limit_cpu(dir, is_v2, l->cpus);
	case CGROUP_WHATS:
		break;
	}
	return false;
}

void
cgroup_make(const struct cgroup *own, unsigned n, const struct cgroup_limits *l,
	struct cgroup *out)
{
	*out = (struct cgroup){0};
	for (int w = 0; w < CGROUP_WHATS; w++) {
		bool is_same = false;
		char *dir;

		if (!own->dirs[w])
			continue;
		dir = xasprintf("%s/" CGROUP_PREFIX "%lu-%ld-%u", own->dirs[w],
			number_space(), (long)getpid(), n);
		for (int k = 0; k < w; k++)
			is_same |=
				out->dirs[k] && strcmp(out->dirs[k], dir) == 0;
		if ((mkdir(dir, 0755) == 0 || errno == EEXIST) &&
			limit(dir, own->is_v2[w], (enum cgroup_what)w, l)) {
			out->dirs[w] = dir;
			out->is_v2[w] = own->is_v2[w];
			continue;
		}
		if (!is_same)
			rmdir(dir);
		free(dir);
	}
}

bool
cgroup_enter(const struct cgroup *g)
{
	for (int w = 0; w < CGROUP_WHATS; w++)
		if (g->dirs[w] && !write_file(g->dirs[w], "cgroup.procs", "0"))
			return false;
	return true;
}

bool
cgroup_remove(struct cgroup *g)
{
	bool is_gone = true;

	/* Before any of the others: it forks until then. */
	if (g->dirs[CGROUP_PROCESSES])
		(void)!write_file(g->dirs[CGROUP_PROCESSES], "pids.max", "0");
	for (int w = 0; w < CGROUP_WHATS; w++)
		if (g->dirs[w])
			is_gone &= empty(g->dirs[w]);
	cgroup_fini(g);
	return is_gone;
}
