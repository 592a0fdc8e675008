/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_ENOUGH_H
#define UB_IMAGE_ENOUGH_H

#include <stdbool.h>
#include <stddef.h>

#include "image/docker.h"
#include "image/scan.h"

enum {
	ENOUGH_ITEMS_MAX = 8 /* named by a config; with more, all is read */
};

/*
 * Has enough been read of an image, layer after layer from the top down, to tell
 * its provenance?  Guix packs the profile, which is small, into one of the upper
 * layers (guix/docker.scm, size-sorted-store-items: the largest items come
 * first), and what is outside of the store into one above all items.  It is
 * enough when that one was read, and every store item that the environment and
 * the entry point of the config name, a profile's manifest among them: no layer
 * below can have more than items then.  In doubt it is not.
 */
struct enough {
	struct slice items[ENOUGH_ITEMS_MAX]; /* "HASH-NAME", the config's */
	bool is_found[ENOUGH_ITEMS_MAX];
	size_t n, n_found;
	bool has_manifest, has_outside, is_never;
};

/* The config outlives it. */
void enough_init(struct enough *x, const struct docker_config *config);
/* The next layer's entries, n of them.  True when no more is needed. */
bool enough_after(struct enough *x, const struct tree_entry *entries, size_t n);
/* Is that entry, of an image's only layer, the last of what it takes?  What comes
 * after it might add to it, or be links that tell of pack options. */
bool enough_at(struct enough *x, const struct tree_entry *entry);

#endif
