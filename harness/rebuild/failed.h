/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_FAILED_H
#define UB_REBUILD_FAILED_H

#include "rebuild/task.h"

/*
 * Builds that failed in this run, so that no other recipe waits for the same
 * failure: a package that does not build fails every image that holds it, each
 * time after as long.
 */

/* Keep, for the others, why the build of the pack failed; only where the next
 * try would end as this one. */
void failed_keep(struct task *t);
/*
 * Is something that failed in this run among what Guix would build for the pack
 * now?  Then the rebuild has ended as that one did, and a note says so.  Values as
 * of a step of task.h.
 */
int failed_take(struct task *t, struct err *e) NODISCARD;

#endif
