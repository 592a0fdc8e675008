/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SHARD_H
#define UB_SCHED_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "sched/sched.h"
#include "sched/signals.h"

/*
 * Dividing the images of a run among several runs that know nothing of each
 * other, so that each image is in one of them, and no two build the same.
 *
 * What an image is rebuilt by is its recipe, and what is built for that is, but
 * for the packing, the profile.  So images of one profile go together.  That is
 * more than those of one recipe, and cheaper to know: the profile is in the
 * image's manifest, so that of an image no more is read than its list of files
 * and some small ones, of one in a registry no layer but the last.  No recipe is
 * made, and no Guix asked.  What was found is kept in the cache, under what tells
 * the state of the image's file, so that it is read once on machines that share
 * it.  An image whose channels and manifest the corpus gives goes by those.
 * One that cannot be read, or has no profile, is rebuilt by nothing, and goes by
 * its name.  The Guix of a set of channels is made by each shard that needs it, or
 * found in the store: dividing by sets would leave most shards without any.
 *
 * Which shard it is follows from the key alone: a shard that could not reach an
 * image which another could puts nothing else elsewhere.
 */

enum {
	SHARDS_MAX = 10000
};

/* The samples that a run selects, in the order of the corpus. */
struct shard_images {
	const struct sample *const *v;
	size_t n;
};

/*
 * The key of each image, n of them: images with the same key stay together.
 * Reads o->slots images at a time in processes of their own (unblend keys).
 * SIGINT or SIGTERM ends it.
 * ERR_HOST no process can be started, or it was ended.
 */
int shard_keys(const struct sched_options *o, const struct shard_images *images,
	const struct signals *signals, struct digest *out,
	struct err *e) NODISCARD;

/* Forget what is kept of images, in a cache, and was not asked for so many seconds:
 * then they are read again.  ERR_HOST. */
int shard_keys_gc(const char *cache, int64_t unused_s, struct err *e) NODISCARD;

/* Of that key, in so many shards, from 1. */
uint32_t shard_of(const struct digest *key, uint32_t shards);

/*
 * The same for all at once, with shards that are as long as each other as far as
 * that goes: expected_ms of each image, 0 where it is not known.  For those who
 * can tell all shards what it is (shard_plan_write).
 */
void shard_balance(const struct digest *keys, const int64_t *expected_ms,
	size_t n, uint32_t shards, uint32_t *out);

/*
 * What tells a study from others: what the corpora say of its images, which of
 * them are selected, into how many it is divided, o->study.
 */
struct digest
shard_study(const struct sched_options *o, const struct shard_images *images);

/* A file that says which image is of which shard; for the study alone. */
int shard_plan_write(const char *path, const struct digest *study,
	const uint32_t *of, size_t n, struct err *e) NODISCARD;
int shard_plan_read(const char *path, const struct digest *study,
	uint32_t shards, uint32_t *of, size_t n, struct err *e) NODISCARD;

#endif
