/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_FLAT_H
#define UB_COMPARE_FLAT_H

#include <stdbool.h>

#include "image/image.h"

/*
 * What a file system that was taken out of an image (docker export, podman
 * export, or unpacked to a folder) has of its own.  All pure.
 */

/*
 * Is it what a container's runtime puts where the image has nothing: mount
 * points, empty files to mount others on, its marks?  Only as such: anything
 * else at such a path is not.
 */
bool flat_is_runtime(const struct tree_entry *t);
/*
 * Does everything in t belong to one owner, who is not root and does not own all
 * of other?  So it is when it was unpacked by somebody who may not give files
 * away.
 */
bool flat_has_one_owner(const struct tree *t, const struct tree *other,
	uint32_t *uid, uint32_t *gid);

#endif
