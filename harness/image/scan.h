/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_SCAN_H
#define UB_IMAGE_SCAN_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "image/image.h"
#include "image/layer.h"

/*
 * Reads layers into entries, one after another.  {0} and limits and arena set
 * is a start; strings and kept contents become the arena's.
 */
struct scan {
	const struct image_limits *limits;
	struct arena *arena;
	struct layer_budget budget; /* of all layers together */

	struct tree_entry *v; /* of all layers, their layer TREE_NO_LAYER */
	size_t n, cap;
	uint64_t kept; /* bytes of contents in memory */
	/* the rest is scan.c's own */
	const char **names; /* interned */
	size_t n_names, cap_names;
	struct digest_sum *sum, *order;
	struct buf path, link, data;
};

/*
 * Read the layer that from is, compressed or not, to its end; fills all of *out
 * but name and claimed.  The entries are those from the old scan->n on; on
 * failure there are none.
 */
int scan_layer(struct scan *scan, struct layer_stream *from, struct layer *out,
	struct err *e) NODISCARD;
/* Frees all but the arena's. */
void scan_fini(struct scan *scan);

#endif
