/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_MERGE_H
#define UB_STORE_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "store/store.h"

/*
 * Joining databases.  Runs that were shards of one study become one run, which
 * has ended when all of them are in it; other runs are taken over as they are,
 * under numbers of their own.  What is the same in both databases is stored once.
 * What was taken over before is found, and nothing changes.
 *
 * The database that is read is believed in nothing: its pages are checked, each
 * value against the schema, each text to be clean; what claims to be the same as
 * something that is there is held against it, whole.
 *
 * Its newest run, while that has not ended, is left out, for it may go on;
 * older ones never do.
 */

/* What became of a database that was read. */
struct merge_count {
	int64_t runs;    /* that it has */
	int64_t added;   /* of them taken over as runs */
	int64_t joined;  /* of them became part of a run that was there */
	int64_t known;   /* of them were there already */
	int64_t left;    /* the newest, that has not ended: its number; 0 */
	int64_t samples; /* taken over */
	int64_t newest;  /* run of `into' that has the newest of them; 0 */
};

/*
 * Take over all of the database of this path, between store_batch_begin and
 * store_batch_end of `into'; after a failure nothing may be committed.
 * ERR_INPUT is no database that could be believed; or a shard does not belong
 *           to the newest run of `into', which waits for one: the text names what
 *           differs
 * ERR_HOST  one of both cannot be read or written
 */
int merge_file(struct store *into, const char *path, struct merge_count *out,
	struct err *e) NODISCARD;

/* A run as shard `number' of so many. */
struct merge_shard {
	int64_t number, of;
	struct digest study;
	int64_t images;      /* of all shards together */
	const char *options; /* lines: what its verdicts depend on */
};

/* Say so of a run that begins. */
int merge_shard_add(struct store *s, int64_t run,
	const struct merge_shard *shard, struct err *e) NODISCARD;

/* Which shards a run has. */
struct merge_state {
	int64_t has, of;  /* of 0: it was not divided */
	int64_t absent;   /* images of the study that are not in it */
	char missing[80]; /* "2, 5": the first ten that it has not */
};
int merge_state(struct store *s, int64_t run, struct merge_state *out,
	struct err *e) NODISCARD;

#endif
