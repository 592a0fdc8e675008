/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_FILESYSTEM_H
#define UB_IMAGE_FILESYSTEM_H

#include "base/err.h"
#include "image/own.h"

/*
 * Read own->image.path, a SquashFS or an AppImage, into own->image.  As
 * image_read.  A file of several names has its contents read once.
 */
int filesystem_read(struct image_own *own, const struct image_limits *limits,
	struct err *e) NODISCARD;

#endif
