/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_CONFINE_H
#define UB_SCHED_CONFINE_H

#include "base/buf.h"
#include "base/cgroup.h"
#include "base/child.h"
#include "rebuild/policy.h"

/*
 * The limits of a job on memory, processes and processors.  They hold for its
 * worker and all that comes from it: together, in a group of the slot's, where
 * cgroups can be made; else for each process, by rlimits (processes: of the
 * user; processors: those it may run on).
 */
struct confine {
	struct cgroup group;
	struct cgroup_events before, after; /* the job */
};

/* Where the groups of slots are made.  Ended by cgroup_close, after the last
 * confine_end. */
void confine_open(struct cgroup *own);
/* What builds left whose workers, in the folders below work, are gone: for a run
 * that ended without its end. */
void confine_sweep(const char *work);
/* Before the worker of the nth slot is started: what spec says of limits. */
void confine_begin(struct confine *c, const struct cgroup *own, unsigned n,
	const struct limits *l, struct child_spec *spec);
/*
 * After the worker, whose folder is work, has ended: what it left is ended and
 * removed.  but: the n workers that go on.
 */
void
confine_end(struct confine *c, const char *work, const pid_t *but, size_t n);
/* After that: what limit it has met, as a clause for a message: " ...", or nothing. */
void confine_describe(
	const struct confine *c, const struct limits *l, struct buf *out);

#endif
