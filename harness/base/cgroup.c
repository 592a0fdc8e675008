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
#include "base/clock.h"
#include "base/path.h"

enum {
	PROC_BYTES = 1 << 20, /* of a file of /proc */
	FILE_BYTES = 4096,    /* of a file of a group */
	PERIOD_US = 100000,   /* in which CPU time is counted */
	END_MS = 5000,        /* for killed processes to be gone */
	STALE_S = 3600        /* of groups whose makers cannot be asked for */
};

#define PREFIX "unblend-"

/* What each is called: a controller of both versions. */
static const char *const names[CGROUP_WHATS] = {
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PROCESSES] = "pids",
	[CGROUP_CPU] = "cpu",
};

/* ---- files ---- */

/* Files of /proc have no size that could be asked for. */
static bool
read_file(const char *dir, const char *name, size_t cap, struct buf *out)
{
	CLEANUP(own_free)
	char *path = path_join(dir, name);
	CLEANUP(own_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char bytes[FILE_BYTES];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0 && out->n < cap)
		buf_add(out, bytes, (size_t)n);
	return n >= 0;
}

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

/* Is word one of a text's words, between any of the separators? */
static bool
has_word(const char *text, const char *word, const char *separators)
{
	size_t n = strlen(word);

	for (; *text; text += strspn(text, separators)) {
		size_t length = strcspn(text, separators);

		if (length == n && memcmp(text, word, n) == 0)
			return true;
		text += length;
	}
	return false;
}

/* The number after "KEY " at the begin of a line; 0 without one. */
static uint64_t
keyed(const char *dir, const char *name, const char *key)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	size_t n = strlen(key);
	const char *p;

	if (!read_file(dir, name, FILE_BYTES, &text))
		return 0;
	for (p = buf_text(&text); p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return strtoull(p + n + 1, NULL, 10);
	}
	return 0;
}

/* ---- where ---- */

/* Of /proc/PID/cgroup, "ID:CONTROLLERS:PATH": the path of a controller; with
 * NULL that of version 2. */
static char *
path_of(const char *text, const char *controller)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *list = memchr(text, ':', n);
		const char *path = list
			? memchr(list + 1, ':', n - (size_t)(list + 1 - text))
			: NULL;

		if (path) {
			CLEANUP(own_free)
			char *of =
				xmemdup0(list + 1, (size_t)(path - list - 1));

			if (controller ? has_word(of, controller, ",") : !*of)
				return xmemdup0(path + 1,
					n - (size_t)(path + 1 - text));
		}
		text += n + (text[n] == '\n');
	}
	return NULL;
}

/* Is there such a folder, below a mount of type whose options have word? */
static char *
mounted(const char *root, const char *mounts, const char *type,
	const char *word, const char *path)
{
	char from[2048], point[2048], kind[32], options[1024];

	for (const char *line = mounts; path && *line;) {
		const char *rest = strstr(line, " - ");
		size_t n = strcspn(line, "\n");

		if (rest && rest < line + n &&
			sscanf(line, "%*s %*s %*s %2047s %2047s", from,
				point) == 2 &&
			sscanf(rest, " - %31s %*s %1023s", kind, options) ==
				2 &&
			strcmp(kind, type) == 0 &&
			(!word || has_word(options, word, ","))) {
			size_t skip = strcmp(from, "/") == 0 ? 0 : strlen(from);

			if (strncmp(path, from, skip) == 0)
				return xasprintf("%s%s%s", root, point,
					strcmp(path + skip, "/") == 0
						? ""
						: path + skip);
		}
		line += n + (line[n] == '\n');
	}
	return NULL;
}

/* The group of a process, "self" or its number. */
static void
find(const char *root, const char *process, struct cgroup *out)
{
	CLEANUP(own_free)
	char *proc = xasprintf("%s/proc/%s", root, process);
	CLEANUP(own_free)
	char *own = xasprintf("%s/proc/self", root);
	CLEANUP(buf_fini)
	struct buf groups = {0};
	CLEANUP(buf_fini)
	struct buf mounts = {0};
	CLEANUP(own_free)
	char *path = NULL;
	CLEANUP(own_free)
	char *unified = NULL;
	CLEANUP(buf_fini)
	struct buf has = {0};

	*out = (struct cgroup){0};
	if (!read_file(proc, "cgroup", PROC_BYTES, &groups) ||
		!read_file(own, "mountinfo", PROC_BYTES, &mounts))
		return;
	path = path_of(buf_text(&groups), NULL);
	unified = mounted(root, buf_text(&mounts), "cgroup2", NULL, path);
	if (unified)
		(void)!read_file(
			unified, "cgroup.controllers", FILE_BYTES, &has);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		CLEANUP(own_free)
		char *old = NULL;

		if (unified && has_word(buf_text(&has), names[w], " \n")) {
			out->dirs[w] = xstrdup(unified);
			out->is_v2[w] = true;
			continue;
		}
		old = path_of(buf_text(&groups), names[w]);
		out->dirs[w] = mounted(
			root, buf_text(&mounts), "cgroup", names[w], old);
	}
}

void
cgroup_find(const char *root, struct cgroup *out)
{
	find(root, "self", out);
}

void
cgroup_fini(struct cgroup *g)
{
	for (int w = 0; w < CGROUP_WHATS; w++)
		free(g->dirs[w]);
	free(g->leaf);
	*g = (struct cgroup){0};
}

bool
cgroup_can(const struct cgroup *g, enum cgroup_what what)
{
	return g->dirs[what] != NULL;
}

const char *
cgroup_kind(const struct cgroup *g, enum cgroup_what what)
{
	return !g->dirs[what]    ? NULL
		: g->is_v2[what] ? "cgroup v2"
				 : "cgroup v1";
}

/* ---- making and removing ---- */

static void
drop(struct cgroup *g, int w)
{
	free(g->dirs[w]);
	g->dirs[w] = NULL;
}

void
cgroup_mine(const char *root, struct cgroup *out)
{
	find(root, "self", out);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		const char *base =
			out->dirs[w] ? strrchr(out->dirs[w], '/') : NULL;

		if (base && strncmp(base + 1, PREFIX, strlen(PREFIX)) != 0)
			drop(out, w);
	}
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

	if (!read_file(dir, "cgroup.procs", PROC_BYTES, &list))
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

		if (sscanf(entry->d_name, PREFIX "%lu-%ld-", &space, &pid) !=
				2 ||
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

	if (read_file(dir, "cgroup.subtree_control", FILE_BYTES, &has) &&
		has_word(buf_text(&has), what, " \n"))
		return true;
	return write_file(dir, "cgroup.subtree_control", text);
}

/* This process out of the way of what is limited. */
static void
move_to_leaf(struct cgroup *own, const char *dir)
{
	own->leaf = xasprintf("%s/" PREFIX "%lu-%ld-main", dir, number_space(),
		(long)getpid());
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
		char *text = xasprintf("-%s", names[w]);

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
		if (!is_handed_down(own->dirs[w], names[w])) {
			if (!own->leaf)
				move_to_leaf(own, own->dirs[w]);
			if (!is_handed_down(own->dirs[w], names[w])) {
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
		snprintf(text, sizeof(text), "%" PRIu64 " %d", cpus * PERIOD_US,
			PERIOD_US);
		return write_file(dir, "cpu.max", text);
	}
	return write_number(dir, "cpu.cfs_period_us", PERIOD_US) &&
		write_number(dir, "cpu.cfs_quota_us", cpus * PERIOD_US);
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
		dir = xasprintf("%s/" PREFIX "%lu-%ld-%u", own->dirs[w],
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

/* ---- looking ---- */

void
cgroup_read(const struct cgroup *g, struct cgroup_events *out)
{
	const char *memory = g->dirs[CGROUP_MEMORY];
	const char *processes = g->dirs[CGROUP_PROCESSES];

	*out = (struct cgroup_events){0};
	if (memory)
		out->killed = keyed(memory,
			g->is_v2[CGROUP_MEMORY] ? "memory.events"
						: "memory.oom_control",
			"oom_kill");
	if (processes)
		out->refused = keyed(processes, "pids.events", "max");
}

/* The smaller of what is there and what the file says; "max" is no number, and
 * what no machine has is no limit either. */
static void
take_least(const char *dir, const char *name, uint64_t *least)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	uint64_t n;

	if (!read_file(dir, name, FILE_BYTES, &text))
		return;
	n = strtoull(buf_text(&text), NULL, 10);
	if (n && n < UINT64_C(1) << 60 && (!*least || n < *least))
		*least = n;
}

static void
take_cpus(const char *dir, bool is_v2, uint64_t *least)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	uint64_t quota = 0, period = PERIOD_US, cpus;

	if (is_v2) {
		if (!read_file(dir, "cpu.max", FILE_BYTES, &text) ||
			sscanf(buf_text(&text), "%" SCNu64 " %" SCNu64, &quota,
				&period) != 2)
			return;
	} else {
		take_least(dir, "cpu.cfs_quota_us", &quota);
		take_least(dir, "cpu.cfs_period_us", &period);
	}
	cpus = quota && period ? (quota + period - 1) / period : 0;
	/* -1 of version 1 is none. */
	if (cpus && cpus < 1 << 20 && (!*least || cpus < *least))
		*least = cpus;
}

void
cgroup_of_process(int64_t pid, struct cgroup_limits *out)
{
	struct cgroup g;
	char name[32];

	*out = (struct cgroup_limits){0};
	snprintf(name, sizeof(name), "%" PRId64, pid);
	find("", name, &g);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		while (g.dirs[w] && path_exists(g.dirs[w]) &&
			strcmp(g.dirs[w], "/") != 0) {
			const char *dir = g.dirs[w];
			char *up = path_dir(dir);
			bool is_v2 = g.is_v2[w];

			if (w == CGROUP_MEMORY)
				take_least(dir,
					is_v2 ? "memory.max"
					      : "memory.limit_in_bytes",
					&out->memory_bytes);
			else if (w == CGROUP_PROCESSES)
				take_least(dir, "pids.max", &out->processes);
			else
				take_cpus(dir, is_v2, &out->cpus);
			free(g.dirs[w]);
			g.dirs[w] = up;
		}
	}
	cgroup_fini(&g);
}
