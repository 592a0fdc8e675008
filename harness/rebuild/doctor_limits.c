/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/socket.h>

#include <inttypes.h>

#include "base/attr.h"
#include "base/cgroup.h"
#include "rebuild/doctor.h"

/* What is tried, in a group that is removed at once. */
static const struct cgroup_limits tried = {
	.memory_bytes = UINT64_C(1) << 30, .processes = 1000, .cpus = 1};

static void
name_means(struct buf *out, const struct cgroup *g)
{
	static const struct {
		const char *what, *otherwise;
	} rows[CGROUP_WHATS] = {
		[CGROUP_MEMORY] = {"memory", "rlimits, for each process"},
		[CGROUP_PROCESSES] = {"processes", "rlimits, for the user"},
		[CGROUP_CPU] = {"processors", "which of them a job may use"},
	};

	for (int w = 0; w < CGROUP_WHATS; w++) {
		const char *kind = cgroup_kind(g, (enum cgroup_what)w);

		buf_printf(out, "%s%s by %s", w ? ", " : "", rows[w].what,
			kind ? kind : rows[w].otherwise);
	}
}

void
doctor_limits(struct buf *out)
{
	struct cgroup own, group;
	bool has_all = true;

	cgroup_find("", &own);
	cgroup_open(&own);
	cgroup_make(&own, 0, &tried, &group);
	name_means(out, &group);
	for (int w = 0; w < CGROUP_WHATS; w++)
		has_all &= cgroup_can(&group, (enum cgroup_what)w);
	if (!has_all)
		buf_str(out,
			"; systemd-run --user --scope -p Delegate=yes "
			"gives it cgroups");
	(void)!cgroup_remove(&group);
	cgroup_close(&own);
}

void
doctor_builds(int fd, struct buf *out)
{
	struct ucred who = {0};
	socklen_t n = sizeof(who);
	struct cgroup_limits l;

	/* Who listens: the daemon, or systemd in its place. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 ||
		who.pid <= 1) {
		buf_str(out,
			"the daemon's own limits cannot be seen: "
			"systemctl show guix-daemon");
		return;
	}
	cgroup_of_process(who.pid, &l);
	buf_printf(
		out, "all of guix-daemon (process %ld) have ", (long)who.pid);
	if (l.memory_bytes)
		buf_printf(out, "%" PRIu64 " MiB of memory, ",
			l.memory_bytes >> 20);
	else
		buf_str(out, "no limit on memory, ");
	if (l.processes)
		buf_printf(out, "%" PRIu64 " processes", l.processes);
	else
		buf_str(out, "none on processes");
	if (l.cpus)
		buf_printf(out, ", %" PRIu64 " processors", l.cpus);
	if (!l.memory_bytes || !l.processes)
		buf_str(out,
			"; systemctl edit guix-daemon (MemoryMax, "
			"TasksMax), or run --daemon");
}
