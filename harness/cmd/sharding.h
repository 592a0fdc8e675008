/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_SHARDING_H
#define UB_CMD_SHARDING_H

#include <getopt.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/words.h"
#include "sched/sched.h"

/* Options of `unblend run' that divide it, by hand or by Slurm. */
struct sharding {
	bool is_slurm;
	bool keeps;         /* --keep was given */
	int64_t number, of; /* --shard; 0: not given */
	int64_t shards;     /* --shards; 0: not given */
	const char *plan, *study;
	struct words slurm; /* options of sbatch */
	struct words words; /* all that a task is told too */
};

enum {
	SHARDING_SHARD = 0x4000, /* of getopt_long; the last of them: */
	SHARDING_SLURM = SHARDING_SHARD + 5
};
#define SHARDING_OPTIONS                                                     \
	{"shard", required_argument, NULL, SHARDING_SHARD},                  \
		{"shard-plan", required_argument, NULL, SHARDING_SHARD + 1}, \
		{"study", required_argument, NULL, SHARDING_SHARD + 2},      \
		{"executor", required_argument, NULL, SHARDING_SHARD + 3},   \
		{"shards", required_argument, NULL, SHARDING_SHARD + 4},     \
	{                                                                    \
		"slurm-options", required_argument, NULL, SHARDING_SLURM     \
	}
#define SHARDING_USAGE                                                           \
	"      --shard I/N       only the Ith of N parts, none of which builds " \
	"what another\n"                                                         \
	"                        does; `unblend merge' joins them\n"             \
	"      --shard-plan FILE the parts as --executor slurm divided them\n"   \
	"      --study TEXT      tells apart the same images at another time\n"  \
	"      --executor WHERE  local (default), or slurm: the parts as an "    \
	"array job\n"                                                            \
	"      --shards N        so many parts for slurm; default 8\n"           \
	"      --slurm-options OPTIONS  for sbatch, as "                         \
	"\"--partition=long --mem=8G\"\n"

void sharding_init(struct sharding *s, struct arena *arena);
void sharding_fini(struct sharding *s);
/* Is it one of those? */
bool sharding_has(int c);
/* Its value; false and a complaint when it is wrong. */
bool sharding_take(struct sharding *s, int c);
/* Any option, to be told to a task unless it is for this process alone. */
void sharding_note(struct sharding *s, const struct option *longs, int c);
/* All were taken: into the options of the run.  false and a complaint when they
 * do not go together. */
bool sharding_check(
	struct sharding *s, const char *command, struct sched_options *o);
/* Run it by Slurm, as sched_run does here. */
int sharding_run(struct store *store, struct sharding *s,
	const struct sched_options *o, struct sched_result *out,
	struct err *e) NODISCARD;

#endif
