/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_OWN_H
#define UB_IMAGE_OWN_H

#include "image/docker.h"
#include "image/image.h"
#include "image/tree.h"

/* A struct image and what only this stage knows of it. */
struct image_own {
	struct image image; /* first: the two are one address */
	struct docker_config config;
	struct tree_source *sources; /* of hard links */
	size_t n_sources;
};

static inline const struct image_own *
own_of(const struct image *image)
{
	return (const struct image_own *)(const void *)image;
}

#endif
