/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_LAYOUT_H
#define UB_IMAGE_LAYOUT_H

#include "base/err.h"
#include "image/own.h"

/*
 * Read the folder own->image.path, an OCI image layout or, with is_dir, what
 * skopeo's dir: is (containers-transports(5)), into own->image: the files of
 * one image, by their digests alone, each held against it.  As image_read.
 */
int layout_read(struct image_own *own, bool is_dir, const char *ref,
	const struct image_options *options, struct err *e) NODISCARD;

#endif
