/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_BATCH_H
#define UB_SCHED_BATCH_H

#include "base/err.h"
#include "sched/job.h"

/*
 * The worker's side of requests; each as worker_run.
 *
 * Requests of one lane are lowered in one process of Guix: those that lead to
 * their image's profile get a file "lowered", or at depth recipe, where there
 * is no more to do, a result.  The others are left as they are: each is then
 * lowered by the worker that builds it, which tells why.
 */
int batch_lower(const struct job *job, const volatile int *stop, struct err *e);
int batch_build(const struct job *job, const volatile int *stop, struct err *e);

#endif
