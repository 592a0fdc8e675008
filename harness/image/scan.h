/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_SCAN_H
#define UB_IMAGE_SCAN_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "image/image.h"
#include "image/layer.h"
#include "image/tar.h"

/*
 * Reads layers into entries, one after another.  {0} and limits and arena set
 * is a start; strings and kept contents become the arena's.
 */
struct scan {
	const struct image_limits *limits;
	struct arena *arena;
	struct layer_budget budget; /* of all layers together */
	/* No layer, but all there is: names are no whiteouts, and a tar must
	 * have its end. */
	bool is_plain;
	/* Asked after each member of a tar: is the rest not wanted?  NULL: it is. */
	bool (*is_last)(void *arg, const struct tree_entry *entry);
	void *arg;
	bool is_stopped; /* it said so: of the layer, digests and size are not known */

	struct tree_entry *v; /* of all layers, their layer TREE_NO_LAYER */
	size_t n, cap;
	uint64_t kept; /* bytes of contents in memory */
	struct scan_machine {
		struct machine machine;
		uint64_t files;
	} machines[8]; /* of ELF files in gnu/store, by first appearance */
	size_t n_machines;
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
/*
 * What is in no tar, member by member: scan_begin, scan_member for each (of
 * files that have contents NULL only the rest: scan_contents follows, with the
 * entry in scan->v), and scan_order for layer.order at the end.
 */
void scan_begin(struct scan *scan);
int scan_member(struct scan *scan, const struct tar_member *m,
	const struct layer_source *contents, struct err *e) NODISCARD;
/* Digest the contents of a file, and keep those that may be a manifest. */
int scan_contents(struct scan *scan, struct tree_entry *entry,
	struct layer_source from, struct err *e) NODISCARD;
struct digest scan_order(struct scan *scan);
/* What most ELF files that were read are for; code 0 when there were none. */
struct machine scan_machine(const struct scan *scan);
/* Frees all but the arena's. */
void scan_fini(struct scan *scan);

#endif
