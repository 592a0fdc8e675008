/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SLURM_OWN_H
#define UB_SCHED_SLURM_OWN_H

#include "sched/slurm.h"

/* Slurm's programs, each as a child that is given a minute. */

struct slurm_queue {
	const struct slurm_options *o;
	char *name;   /* of the job: no other has it */
	char *script; /* its path */
};

/* Submit these shards, "1-4" or "2,7", as one array.  ERR_INPUT when sbatch
 * refuses, with what it says; ERR_TRANSIENT when Slurm does not answer. */
int slurm_submit(const struct slurm_queue *q, const char *shards, int64_t *job,
	struct err *e) NODISCARD;
/*
 * Call f for each task of that name, of any array.  ERR_TRANSIENT when Slurm
 * does not answer.
 */
int slurm_list(const struct slurm_queue *q,
	void (*f)(void *arg, const struct slurm_task *t), void *arg,
	struct err *e) NODISCARD;
/* End all that are in the queue. */
int slurm_cancel(const struct slurm_queue *q, struct err *e) NODISCARD;

#endif
