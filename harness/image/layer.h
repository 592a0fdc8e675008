/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_LAYER_H
#define UB_IMAGE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"
#include "image/image.h"

/*
 * Bytes that are pulled: block gives 1 and a block that is not empty and lives
 * until the next call, 0 at the end (and again when asked again), -1 with *e.
 */
struct layer_source {
	int (*block)(void *arg, struct slice *out, struct err *e);
	void *arg;
};

static inline int
layer_pull(struct layer_source from, struct slice *out, struct err *e)
{
	return from.block(from.arg, out, e);
}

/* What all the streams that share it may still unpack. */
struct layer_budget {
	uint64_t used;       /* bytes that came out so far */
	uint64_t unpacked;   /* of them allowed (limit "unpacked") */
	uint64_t ratio;      /* allowed times packed (limit "ratio") ... */
	uint64_t packed;     /* ... which are this many bytes */
	bool has_no_digests; /* as image_limits.is_provenance_only */
	uint64_t layer;      /* of one stream (limit "layer-bytes"); 0: all */
	uint64_t window; /* of a decompressor (limit "window"); 0: default */
};
/* For a file of so many bytes; a budget of what is no layer has layer 0. */
struct layer_budget
layer_budget_of(const struct image_limits *limits, uint64_t packed);

/* Below this many bytes no ratio is too high. */
#define LAYER_RATIO_FROM (UINT64_C(64) << 20)

/* Account for n bytes; ERR_POLICY, naming the limit, when that is too many. */
int
layer_spend(struct layer_budget *budget, uint64_t n, struct err *e) NODISCARD;

/*
 * A tar in whatever compression: decompressed, counted, digested as it is
 * pulled.  What it is compressed with is told by its first bytes: a tar header
 * that adds up is a tar, whatever its first name looks like.
 */
struct layer_stream;

/*
 * Start to read from; layer_close ends *out.  budget is borrowed for as long
 * as the stream lives.  Bytes that begin neither as a tar nor as anything
 * compressed are no error here: layer_is_tar tells, and they come out as they
 * are.
 */
int layer_open(struct layer_source from, struct layer_budget *budget,
	bool has_digest, struct layer_stream **out, struct err *e) NODISCARD;
/* The first bytes as they are packed, at most 512; all there are when fewer. */
struct slice layer_head(const struct layer_stream *s);
/* Does it begin as a tar or as something compressed? */
bool layer_is_tar(const struct layer_stream *s);
enum compression layer_compression(const struct layer_stream *s);
/*
 * From now on a thread of its own unpacks, some blocks before they are asked
 * for: who digests them does not wait for that.  Until the end or a failure was
 * given, or layer_close, nobody else may touch from; its memory must not be
 * that of another stream which runs ahead.  Before the first block only.
 */
void layer_run_ahead(struct layer_stream *s);
/* No more is wanted: from is the caller's again, maybe some blocks later. */
void layer_stop(struct layer_stream *s);
/* The decompressed bytes. */
struct layer_source layer_source(struct layer_stream *s);
/*
 * Once the source gave its end: what was pulled, and its digest (only when
 * asked for with has_digest).
 */
uint64_t layer_size(const struct layer_stream *s);
struct digest layer_digest(struct layer_stream *s);
void layer_close(struct layer_stream *s);
/* CLEANUP(own_layer) struct layer_stream *s = NULL; */
void own_layer(struct layer_stream **s);

#endif
