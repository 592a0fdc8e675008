/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_ENVELOPE_H
#define UB_COMPARE_ENVELOPE_H

#include "compare/judge.h"

/*
 * What is around and between the layers: sets the is_ facts, and the counts of
 * formats, compressions, tags, members, and layers of f->allowed (not those of
 * single paths, which walk_trees finds).
 */
void envelope_compare(const struct image *image, const struct image *rebuilt,
	struct facts *f);

#endif
