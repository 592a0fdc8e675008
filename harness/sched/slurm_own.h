/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SLURM_OWN_H
#define UB_SCHED_SLURM_OWN_H

#include "base/digest.h"
#include "sched/shard.h"
#include "sched/signals.h"
#include "sched/slurm.h"

/* Slurm's programs, each as a child that is given a minute. */

struct slurm_queue {
	const struct slurm_options *o;
	char *name;   /* of the job: no other has it; NULL until then */
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

/* ---- a run that goes on ---- */

enum {
	STATE_MAX = 24
};

enum shard_state {
	SHARD_NEW, /* to be submitted */
	SHARD_QUEUED,
	SHARD_RUNNING,
	SHARD_DONE,
	SHARD_FAILED /* lost too often */
};

struct shard {
	enum shard_state state;
	unsigned tries, absences;
	int64_t job;          /* of the newest task that the queue has of it */
	bool is_seen;         /* and it has not ended */
	char said[STATE_MAX]; /* that task's state */
};

struct slurm {
	const struct slurm_options *o;
	struct sched_options run; /* with the number of shards that there are */
	struct store *store;
	struct slurm_queue queue;
	struct digest study;
	struct shard *shards;
	uint32_t n;
	struct signals signals;
	int64_t away_since_ms; /* Slurm does not answer; 0: it does */
};

/* slurm_study.c: the samples that are selected, n of them; the caller's array. */
const struct sample **slurm_select(const struct sched_options *run, size_t *n);
/*
 * The folder with the plan and the script: a new one, or the one that is there and
 * is gone on with.  of gets the shard of each image; *study is the caller's own,
 * and used as long as s is.
 */
int slurm_prepare(struct slurm *s, const struct shard_images *images,
	uint32_t *of, char **study, struct err *e) NODISCARD;

#endif
