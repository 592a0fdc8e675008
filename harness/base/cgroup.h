/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_CGROUP_H
#define UB_BASE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Control groups: limits that the kernel puts on processes together.  Each of
 * what is limited is in the one hierarchy of version 2, or in one of version 1;
 * both may be there, so each has a folder of its own here (cgroups(7);
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of the kernel).
 */
enum cgroup_what {
	CGROUP_MEMORY,
	CGROUP_PROCESSES,
	CGROUP_CPU,
	CGROUP_WHATS
};

struct cgroup {
	char *dirs[CGROUP_WHATS]; /* NULL: cannot be limited */
	bool is_v2[CGROUP_WHATS];
	char *leaf; /* that this process was moved to, below; or NULL */
};

/*
 * The group of this process, where groups of ours are made.  root is before
 * every path, and "" but in tests.  Where nothing is found, every folder is
 * NULL.  Ended by cgroup_fini.
 */
void cgroup_find(const char *root, struct cgroup *out);
/*
 * Make it one that can have groups below, as far as this user may.  In version
 * 2 no processes may be beside such groups: when this process is alone there, it
 * is moved into a leaf.  Folders in which nothing can be made become NULL.
 * Groups that ended processes of ours left there are removed.
 */
void cgroup_open(struct cgroup *own);
/* Back from the leaf, and end it; its groups must be removed. */
void cgroup_close(struct cgroup *own);
/* Forget; removes nothing. */
void cgroup_fini(struct cgroup *g);

bool cgroup_can(const struct cgroup *g, enum cgroup_what what);
/* "cgroup v2", "cgroup v1" or NULL. */
const char *cgroup_kind(const struct cgroup *g, enum cgroup_what what);

/* 0: none. */
struct cgroup_limits {
	uint64_t memory_bytes;
	uint64_t processes; /* threads too, as the kernel counts */
	uint64_t cpus;      /* as much time as so many processors have */
};
/*
 * The group of the nth place of this process below own, with these limits; one
 * that is there is taken.  What could not be made or limited is NULL in out.
 */
void cgroup_make(const struct cgroup *own, unsigned n,
	const struct cgroup_limits *l, struct cgroup *out);
/* Such a group that this process was put into; what is not ours is NULL. */
void cgroup_mine(const char *root, struct cgroup *out);
/* Put the calling process into it; false when it cannot be. */
bool cgroup_enter(const struct cgroup *g);
/* End whatever is in it, wait for that, and remove it.  False when something
 * is left. */
bool cgroup_remove(struct cgroup *g);

/* How often a limit was met since the group was made. */
struct cgroup_events {
	uint64_t killed;  /* processes, for memory */
	uint64_t refused; /* processes that could not be */
};
void cgroup_read(const struct cgroup *g, struct cgroup_events *out);

/*
 * The limits that hold for another process's group, of it and of those above
 * that can be seen; 0 where there is none.  For those who look.
 */
void cgroup_of_process(int64_t pid, struct cgroup_limits *out);

#endif
