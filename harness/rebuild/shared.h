/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_SHARED_H
#define UB_REBUILD_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "rebuild/task.h"

/*
 * What rebuilds of one run know of each other: that a derivation was built, or
 * built once more, and what came of it.  A small file for each in the folder that
 * rebuild_options name; without one, nothing is known, and nothing is kept.
 */
enum {
	SHARED_LOCKS = 1024, /* at most so many files are locked at once */
	SHARED_BYTES = 1 << 20
};

struct shared_lock {
	int *fds;
	size_t n;
};

/*
 * Wait for whoever is at one of these derivations.  Where that takes longer than
 * the task may, or cannot be, it goes on without: then both do the same.
 */
void shared_lock(struct task *t, const char *const *drvs, size_t n,
	struct shared_lock *out);
/* CLEANUP(shared_unlock) struct shared_lock lock = {0}; */
void shared_unlock(struct shared_lock *lock);

/* What was kept of a derivation, or whatever else a key names, by that word. */
bool shared_get(const struct task *t, const char *key, const char *word,
	struct buf *out);
/* That it cannot be is no harm. */
void shared_put(const struct task *t, const char *key, const char *word,
	struct slice text);

#endif
