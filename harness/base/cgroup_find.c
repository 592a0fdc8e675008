/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/cgroup_own.h"
#include "base/path.h"

const char *const cgroup_names[CGROUP_WHATS] = {
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PROCESSES] = "pids",
	[CGROUP_CPU] = "cpu",
};

/* As path_read, but what is over cap is cut. */
bool
cgroup_file(const char *dir, const char *name, size_t cap, struct buf *out)
{
	CLEANUP(own_free)
	char *path = path_join(dir, name);
	CLEANUP(own_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char bytes[CGROUP_FILE_BYTES];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0 && out->n < cap)
		buf_add(out, bytes, (size_t)n);
	return n >= 0;
}

bool
cgroup_has_word(const char *text, const char *word, const char *separators)
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

			if (controller ? cgroup_has_word(of, controller, ",")
				       : !*of)
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
			(!word || cgroup_has_word(options, word, ","))) {
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
	if (!cgroup_file(proc, "cgroup", CGROUP_PROC_BYTES, &groups) ||
		!cgroup_file(own, "mountinfo", CGROUP_PROC_BYTES, &mounts))
		return;
	path = path_of(buf_text(&groups), NULL);
	unified = mounted(root, buf_text(&mounts), "cgroup2", NULL, path);
	if (unified)
		(void)!cgroup_file(
			unified, "cgroup.controllers", CGROUP_FILE_BYTES, &has);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		CLEANUP(own_free)
		char *old = NULL;

		if (unified &&
			cgroup_has_word(
				buf_text(&has), cgroup_names[w], " \n")) {
			out->dirs[w] = xstrdup(unified);
			out->is_v2[w] = true;
			continue;
		}
		old = path_of(buf_text(&groups), cgroup_names[w]);
		out->dirs[w] = mounted(root, buf_text(&mounts), "cgroup",
			cgroup_names[w], old);
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

void
cgroup_mine(const char *root, struct cgroup *out)
{
	find(root, "self", out);
	for (int w = 0; w < CGROUP_WHATS; w++) {
		const char *base =
			out->dirs[w] ? strrchr(out->dirs[w], '/') : NULL;

		if (base &&
			strncmp(base + 1, CGROUP_PREFIX,
				strlen(CGROUP_PREFIX)) != 0)
			free(STEAL(out->dirs[w]));
	}
}

/* ---- looking ---- */

/* The number after "KEY " at the begin of a line; 0 without one. */
static uint64_t
keyed(const char *dir, const char *name, const char *key)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	size_t n = strlen(key);
	const char *p;

	if (!cgroup_file(dir, name, CGROUP_FILE_BYTES, &text))
		return 0;
	for (p = buf_text(&text); p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, n) == 0 && p[n] == ' ')
			return strtoull(p + n + 1, NULL, 10);
	}
	return 0;
}

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

	if (!cgroup_file(dir, name, CGROUP_FILE_BYTES, &text))
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
	uint64_t quota = 0, period = CGROUP_PERIOD_US, cpus;

	if (is_v2) {
		if (!cgroup_file(dir, "cpu.max", CGROUP_FILE_BYTES, &text) ||
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
