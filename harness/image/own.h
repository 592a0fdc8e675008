/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_OWN_H
#define UB_IMAGE_OWN_H

#include "base/err.h"
#include "image/docker.h"
#include "image/image.h"
#include "image/scan.h"
#include "image/tree.h"

enum kind {
	KIND_DOCKER,
	KIND_TARBALL,
	KIND_SQUASHFS,
	KIND_DEB,
	KIND_RPM,
	KIND_APPIMAGE
};

/* A struct image and what only this stage knows of it. */
struct image_own {
	struct image image; /* first: the two are one address */
	enum kind kind;
	uint64_t begin; /* of the file system, in the file */
	struct docker_config config;
	struct tree_source *sources; /* of hard links */
	size_t n_sources;
};

static inline const struct image_own *
own_of(const struct image *image)
{
	return (const struct image_own *)(const void *)image;
}

/*
 * Merge what scan read into the image's tree, one range a layer, and list its
 * store items; scan->v goes over to it.  As tree_merge.
 */
int own_set_tree(struct image_own *own, struct scan *scan,
	const struct tree_range *ranges, struct err *e) NODISCARD;

#endif
