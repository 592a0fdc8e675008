/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_LANES_H
#define UB_REBUILD_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A lane is what rebuilds of the same channels share, CACHE/lanes/CHANNELS-ID:
 * the HOME that their Guix runs in, and a GC root of that Guix.
 */

/* Say that it is used, now and as long as the descriptor that comes back is
 * open; the folder is made.  -1: ERR_HOST. */
int lanes_use(const char *lane, struct err *e) NODISCARD;

struct lanes_count {
	uint64_t gone, used, stay; /* used: would go, but are in use */
};

/*
 * Remove the lanes of a cache that no rebuild used for so many seconds.  Their
 * Guix is made anew when it is wanted again; until then, `guix gc' may have what
 * it takes of the store.  dry_run: only count.  ERR_HOST.
 */
int lanes_gc(const char *cache, int64_t unused_s, bool dry_run,
	struct lanes_count *out, struct err *e) NODISCARD;

#endif
