/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_ATTRIBUTES_H
#define UB_COMPARE_ATTRIBUTES_H

#include "compare/findings.h"

/*
 * What packages say beside their tree, by name: a FINDING_CONFIG for each that
 * only one has or that differs, in the order of the image's, then of those that
 * only the rebuild has.
 */
void attributes_compare(const struct image *image, const struct image *rebuilt,
	struct findings *f);

#endif
