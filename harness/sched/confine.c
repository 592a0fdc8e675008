/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/confine.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/orphans.h"
#include "base/path.h"
#include "rebuild/bound.h"

void
confine_open(struct cgroup *own)
{
	orphans_adopt();
	cgroup_find("", own);
	cgroup_open(own);
}

/* The threads of a process, when it is of the user. */
static uint64_t
threads_of(const char *process, unsigned user)
{
	CLEANUP(own_free)
	char *path = xasprintf("/proc/%s/status", process);
	CLEANUP(own_file)
	FILE *f = fopen(path, "re");
	char line[256];
	unsigned uid = 0, threads = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Uid: %u", &uid) == 1 && uid != user)
			return 0;
		if (sscanf(line, "Threads: %u", &threads) == 1)
			return threads;
	}
	return 0;
}

/* RLIMIT_NPROC counts all threads of the user. */
static uint64_t
threads_now(void)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	uint64_t n = 0;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			n += threads_of(entry->d_name, getuid());
	if (d)
		closedir(d);
	return n;
}

void
confine_begin(struct confine *c, const struct cgroup *own, unsigned n,
	const struct limits *l, struct child_spec *spec)
{
	cgroup_make(own, n,
		&(struct cgroup_limits){l->memory_bytes, l->processes, l->cpus},
		&c->group);
	cgroup_read(&c->group, &c->before);
	c->after = c->before;
	spec->group = &c->group;
	if (!cgroup_can(&c->group, CGROUP_MEMORY))
		spec->memory_max = l->memory_bytes;
	/* Root's own are not counted, but a daemon's build users' are. */
	if (l->processes && !cgroup_can(&c->group, CGROUP_PROCESSES))
		spec->process_max =
			l->processes + (geteuid() == 0 ? 0 : threads_now());
	if (!cgroup_can(&c->group, CGROUP_CPU))
		spec->cpus = l->cpus;
}

void
confine_describe(
	const struct confine *c, const struct limits *l, struct buf *out)
{
	if (l->memory_bytes && c->after.killed > c->before.killed)
		buf_printf(out,
			" It needed more memory than %" PRIu64
			" bytes, the limit of a job (--max-memory).",
			l->memory_bytes);
	if (l->processes && c->after.refused > c->before.refused)
		buf_printf(out,
			" It wanted more than %" PRIu64
			" processes, the limit of a job (--max-processes).",
			l->processes);
}

void
confine_end(struct confine *c, const char *work, const pid_t *but, size_t n)
{
	cgroup_read(&c->group, &c->after);
	/* What cannot be ended is stuck in the kernel: nothing helps. */
	(void)!cgroup_remove(&c->group);
	orphans_end(but, n);
	if (work)
		bound_sweep(work);
}

void
confine_sweep(const char *work)
{
	DIR *d = opendir(work);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) {
			CLEANUP(own_free)
			char *folder = path_join(work, entry->d_name);

			bound_sweep(folder);
		}
	if (d)
		closedir(d);
}
