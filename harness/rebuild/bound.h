/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_BOUND_H
#define UB_REBUILD_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/cgroup.h"
#include "base/child.h"
#include "base/err.h"
#include "base/slice.h"

struct task;

/* A limit of a job. */
enum bound_limit {
	BOUND_NONE,
	BOUND_MEMORY,
	BOUND_PROCESSES,
	BOUND_DISK,
	BOUND_OUTPUT
};

/*
 * What bounds a task.  Memory, processes and processors of a worker and all that
 * comes from it are limited by who started it (sched/confine.h); builds come
 * from a daemon, so they are held only by what it was asked (time, silence,
 * cores), by how much of their output arrives here, and, where the task has a
 * daemon of its own, by all of the worker's limits.
 */
struct bound {
	struct cgroup group; /* of this process, where it was put into one */
	struct cgroup_events before;
	struct child daemon;
	bool has_daemon;
	const char *builds; /* where that builds; NULL without it */
	const char *socket; /* where it listens; NULL without it */
	uint64_t said;      /* bytes of output, of all commands so far */
	enum bound_limit passed;
	int64_t passed_ms; /* when that was seen */
};

/* Look at the group; start the daemon of rebuild_options, and wait until it
 * answers.  Values as of a step of task.h. */
int bound_open(struct task *t, struct err *e) NODISCARD;
/* End the daemon and what it left. */
void bound_close(struct task *t);
/* Remove what the builds of a task in work left, whose worker was killed; no
 * process of it is there any more. */
void bound_sweep(const char *work);
/* What a command of the task is to be started with. */
void bound_command(struct task *t, struct child_spec *spec);
/*
 * After a command that did not succeed: was a limit of ours passed, whatever it
 * says itself?  Then the rebuild has ended so, with the derivation that failed
 * or was being built, and true.  class_ and drv of what it says, or NULL.
 */
bool bound_is_passed(
	struct task *t, const char *class_, const char *drv, struct slice log);
/* As that, for what has printed too much. */
int bound_end_flood(struct task *t, struct slice log);

/* Pure: the derivation that a log of Guix shows being built, and not done; the
 * last of them; NULL when none. */
const char *bound_under_way(struct arena *a, struct slice log);

#endif
