/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_TREE_H
#define UB_IMAGE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/err.h"
#include "image/image.h"

/*
 * Types of entries beyond enum tree_type that only layers have: link is the
 * (normalised) path linked to; the two kinds of whiteouts (image-spec,
 * layer.md, "Whiteouts") have the path that they are about.
 */
enum {
	TREE_HARD_LINK = 64,
	TREE_WHITEOUT, /* hides path and all below it in lower layers */
	TREE_OPAQUE    /* hides all below path in lower layers */
};

enum {
	TREE_NO_LAYER = UINT16_MAX,
	TREE_LINKS_MAX = 40
};

/* The entries of a layer among all, in the order of the tar. */
struct tree_range {
	size_t begin, end;
};

/* Where the contents of a hard link are. */
struct tree_source {
	const char *path;   /* of the link */
	const char *source; /* of a regular member ... */
	uint16_t layer;     /* ... of this layer */
	uint32_t order;     /* of the links, as they were made */
};

/*
 * Merge n entries, whose layer is TREE_NO_LAYER, of layers (lowest first; a
 * range may be there twice) into the tree that Docker would make of them:
 * later entries replace earlier ones, whiteouts hide what is in lower layers,
 * what is no folder hides what was below it, a hard link has the contents of
 * what was at its target at that moment.  v, from malloc, becomes the tree's;
 * the rest is the arena's.  sources are sorted by path and
 * order: the last at a path is the one that counts.
 *
 * ERR_INPUT  a hard link to nothing or to a folder, an entry below one that is
 *            no folder
 */
int tree_merge(struct tree_entry *v, size_t n, const struct tree_range *layers,
	size_t n_layers, struct arena *arena, struct tree *out,
	struct tree_source **sources, size_t *n_sources,
	struct err *e) NODISCARD;

/* What is below gnu/store, by name. */
struct store_item *
tree_items(const struct tree *t, struct arena *arena, size_t *n);

#endif
