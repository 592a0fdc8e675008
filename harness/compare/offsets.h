/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_OFFSETS_H
#define UB_COMPARE_OFFSETS_H

#include "compare/compare.h"

/*
 * The second pass: set the offset of the first differing byte in differences
 * of kind "size" and "contents", and what excerpt.h makes of them, within the
 * limits of compare.h; the others keep -1.  Files are extracted to folders of
 * their own below work, which are removed again.  ERR_HOST, or what
 * image_extract gives.
 */
int offsets_find(const struct image *image, const struct image *rebuilt,
	const char *work, struct comparison *c, struct err *e) NODISCARD;

/*
 * The offset of the first byte in which two files differ: the shorter's length
 * where it is the other's beginning, -1 where they are equal or one of them is
 * not there.
 */
int offsets_of_files(
	const char *a, const char *b, int64_t *offset, struct err *e) NODISCARD;

#endif
