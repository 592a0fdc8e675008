/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_WALK_H
#define UB_COMPARE_WALK_H

#include "compare/findings.h"
#include "compare/judge.h"

/*
 * Merge two sorted trees: every path's differences go to f in path order, a
 * store item that only one side has as one; what is only another form
 * (ALLOWANCE_HARD_LINK, ALLOWANCE_LAYER_SPLIT) is counted in allowed.
 */
void walk_trees(const struct tree *image, const struct tree *rebuilt,
	struct findings *f, uint64_t allowed[ALLOWANCE_COUNT]);

#endif
