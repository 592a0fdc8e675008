/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_OWN_H
#define UB_IMAGE_OWN_H

#include "base/err.h"
#include "fetch/fetch.h"
#include "image/docker.h"
#include "image/image.h"
#include "image/oci.h"
#include "image/scan.h"
#include "image/tree.h"

enum kind {
	KIND_ARCHIVE, /* a tar with images of Docker's or OCI's kind */
	KIND_TARBALL,
	KIND_SQUASHFS,
	KIND_DEB,
	KIND_RPM,
	KIND_APPIMAGE,
	KIND_LAYOUT, /* a folder: OCI's layout */
	KIND_DIR,    /* a folder: skopeo's dir: */
	KIND_ROOTFS, /* a tar: docker export's */
	KIND_ROOTFS_FOLDER
};

/* A struct image and what only this stage knows of it. */
struct image_own {
	struct image image; /* first: the two are one address */
	enum kind kind;
	uint64_t begin; /* of the file system, in the file */
	struct docker_config config;
	struct tree_source *sources; /* of hard links */
	size_t n_sources;
	const struct place *from; /* what it is read from; NULL once it is */
	struct place held;        /* by image_hold */
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

/*
 * Take text as the image's config and read it; ERR_INPUT when it is malformed,
 * or does not have a diffID for each of n_layers (or none at all).
 */
int own_set_config(struct image_own *own, struct slice text, const char *name,
	size_t n_layers, struct err *e) NODISCARD;
/* Set what the image's manifest says of it. */
void own_set_manifest(struct image_own *own, const struct oci_image *found);
/* Set layers[i]'s claim, from the config; ERR_INPUT when it is not so. */
int own_check_layer(struct image_own *own, size_t i, struct err *e) NODISCARD;

#endif
