/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_ORPHANS_H
#define UB_BASE_ORPHANS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Processes whose parents ended before them.  They become children of the next
 * process above that adopts them, which can then end them: so nothing of a job
 * is left, whoever of it was killed.
 */
void orphans_adopt(void);
/* The children of this process, the caller's own list: whoever became this
 * program by exec may have had some, which are nobody's orphans. */
size_t orphans_list(pid_t **out);
/*
 * Kill the children of this process but those n, and wait for them.  Children
 * that they leave become ours, and go too.
 */
void orphans_end(const pid_t *but, size_t n);
/* Has the process a child?  False when it is gone or cannot be asked. */
bool orphans_has_child(pid_t pid);

#endif
