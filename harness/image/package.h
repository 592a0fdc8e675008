/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_PACKAGE_H
#define UB_IMAGE_PACKAGE_H

#include "base/err.h"
#include "image/ar.h"
#include "image/own.h"

/*
 * Formats that hold their files in one archive: each reads own->image.path into
 * own->image.  As image_read.
 */
int package_read_tarball(struct image_own *own,
	const struct image_limits *limits, struct err *e) NODISCARD;
int package_read_deb(struct image_own *own, const struct image_limits *limits,
	struct err *e) NODISCARD;
int package_read_rpm(struct image_own *own, const struct image_limits *limits,
	struct err *e) NODISCARD;

/* Is the present member of a deb its data.tar, of whatever compression? */
bool package_is_data(const struct ar *a);

#endif
