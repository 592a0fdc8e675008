/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_CGROUP_OWN_H
#define UB_BASE_CGROUP_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cgroup.h"

/* What finding and making groups share. */

enum {
	CGROUP_PROC_BYTES = 1 << 20, /* of a file of /proc */
	CGROUP_FILE_BYTES = 4096,    /* of a file of a group */
	CGROUP_PERIOD_US = 100000    /* in which CPU time is counted */
};

/* What the names of groups of ours begin with. */
#define CGROUP_PREFIX "unblend-"

/* What each is called: a controller of both versions. */
extern const char *const cgroup_names[CGROUP_WHATS];

/* Add what is in dir/name, of which no more is read once there are cap bytes;
 * false: it cannot be read. */
bool
cgroup_file(const char *dir, const char *name, size_t cap, struct buf *out);
/* Is word one of a text's words, between any of the separators? */
bool
cgroup_has_word(const char *text, const char *word, const char *separators);

#endif
