/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_MACHINE_H
#define UB_SCHED_MACHINE_H

/* What a report says of the machine that made it; the caller's own strings. */

char *machine_host(void);
/* The path of this program, to start it once more. */
char *machine_program(void);
/* "Linux 6.1.0 x86_64" */
char *machine_kernel(void);
/*
 * The type of the file system that path is on ("ext4"), after
 * /proc/self/mountinfo (proc(5)); "unknown" when it does not tell.
 */
char *machine_fs(const char *path);

#endif
