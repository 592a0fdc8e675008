/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_BATCH_H
#define UB_SCHED_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "recipe/recipe.h"
#include "sched/job.h"

/*
 * Recipes that are only lowered are lowered together.  A worker reads an image,
 * leaves its recipe in a file "request" of its folder, and ends with
 * WORKER_WAITS; another one takes many such folders, lowers the recipes of one
 * set of channels in one process of Guix, and completes the spools of those
 * that lead to their image's profile.  The others stay without a verdict: each
 * of them is then a job of its own.
 */
enum {
	BATCH_MAX = 100,             /* folders of one batch */
	BATCH_REQUEST_MAX = 16 << 20 /* bytes of a request */
};

/* Leave what must be known of the recipe in folder job->work. */
int batch_wait(
	const struct job *job, const struct recipe *r, struct err *e) NODISCARD;

/* Write a batch of n folders into folder job->work, which exists; job says what
 * they have in common. */
int batch_write(const struct job *job, const char *const *folders, size_t n,
	struct err *e) NODISCARD;
/* Is there a batch in this folder? */
bool batch_is(const char *work);

/* The worker's side, as worker_run. */
int batch_run(const char *work, const volatile int *stop, struct err *e);

#endif
