/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_ATTRIBUTES_H
#define UB_IMAGE_ATTRIBUTES_H

#include "base/alloc.h"
#include "image/image.h"

enum {
	ATTRIBUTE_KEPT_MAX = 4096 /* bytes of a value that are kept */
};

/* Set *out to a name and a value; the copies are the arena's. */
void attribute_set(struct attribute *out, const char *name, struct slice value,
	struct arena *arena);

#endif
