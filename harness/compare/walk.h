/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_WALK_H
#define UB_COMPARE_WALK_H

#include "compare/findings.h"
#include "compare/judge.h"

/* How two trees are compared. */
struct walk_mode {
	/* one of them is a file system that was taken out of an image: what
	 * flat.h says of it is counted in allowed */
	bool is_flat;
	/* where base_layers is not 0: paths of the image that come from layers
	 * from that on, and those gone, are counted in derived too */
	size_t base_layers;
};

/*
 * Merge two sorted trees: every path's differences go to f in path order, a
 * store item that only one side has as one; what is only another form
 * (ALLOWANCE_HARD_LINK, ALLOWANCE_LAYER_SPLIT) is counted in allowed.
 */
void walk_trees(const struct tree *image, const struct tree *rebuilt,
	const struct walk_mode *mode, struct findings *f,
	uint64_t allowed[ALLOWANCE_COUNT], struct derived *derived);

#endif
