/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SLURM_H
#define UB_SCHED_SLURM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "sched/sched.h"
#include "store/store.h"

/*
 * A run as an array job of Slurm: a task for each shard, which is `unblend run
 * --shard' on some node, with a database of its own in a folder that all nodes
 * share; in the end the databases are merged.
 *
 * Only programs that users have are asked: sbatch, squeue, scancel.  Whether a
 * shard is done is what its database says, not Slurm: so no accounting is needed,
 * and a task that ended without its shard, in whatever way, is known to be lost.
 * It is submitted again, and goes on where it was.
 */
struct slurm_options {
	/* With study, shards and no shard.  is_resume: go on with what is in the
	 * folder and in the queue. */
	const struct sched_options *run;
	/* For `unblend run' in a task: options and then corpora, NULL-ended;
	 * none of those that slurm_script adds. */
	const char *const *words;
	const char *const *options; /* for sbatch, NULL-ended; NULL: none */
	const char *folder;         /* that all nodes see; absolute */
};

struct slurm_result {
	int64_t run; /* that the shards became in the store; 0: none did */
	size_t n_selected;
	size_t n_failed; /* shards that were lost too often */
	bool is_stopped; /* by a signal: its tasks are cancelled */
};

enum {
	SLURM_TRIES_MAX = 4, /* of one shard */
	SLURM_OPTIONS_MAX = 100
};

/*
 * ERR_ABSENT there is no sbatch, ERR_INPUT tasks of a run before are still in
 * the queue and is_resume is not set, or what sbatch says of its options.
 * ERR_HOST Slurm does not answer for an hour, or the databases cannot be merged.
 * After an error, is_resume goes on.
 */
int slurm_run(struct store *store, const struct slurm_options *o,
	struct slurm_result *out, struct err *e) NODISCARD;

/* ---- the pure parts ---- */

/*
 * The batch script.  Whatever is in the words, a shell takes each for one word.
 * ERR_INPUT when one has a newline in it, which sbatch would not keep.
 */
int slurm_script(struct buf *out, const char *program,
	const struct slurm_options *o, struct err *e) NODISCARD;

/* What squeue says of a task. */
struct slurm_task {
	int64_t job;
	uint32_t shard;
	struct slice state; /* "RUNNING" */
};
/* A line "JOB INDEX STATE"; false when it is none. */
bool slurm_parse_task(struct slice line, struct slurm_task *out);
/* Will nothing more come of a task in this state? */
bool slurm_is_over(struct slice state);

#endif
