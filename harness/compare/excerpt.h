/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_EXCERPT_H
#define UB_COMPARE_EXCERPT_H

#include "compare/compare.h"

/*
 * What a report shows of a difference, and why it is one.
 */

/*
 * Of two files, whose first differing byte is d->offset: set why, and the parts
 * around that byte.  budget is how many bytes may still be looked at for why;
 * what is beyond it, or COMPARE_REASON_MAX, has none.  Texts live in arena.
 * ERR_HOST when a file cannot be read.
 */
int
excerpt_of_files(const char *image, const char *rebuilt, struct difference *d,
	uint64_t *budget, struct arena *arena, struct err *e) NODISCARD;

/* Of the store items that only one side has: lists of what is below the first
 * COMPARE_LISTS_MAX of them. */
void excerpt_lists(const struct image *image, const struct image *rebuilt,
	struct comparison *c);

#endif
