/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_KIND_H
#define UB_IMAGE_KIND_H

#include "base/err.h"
#include "image/image.h"
#include "image/own.h"

/*
 * What the file is, by its first bytes; of a tar, compressed or not, by its
 * first members: a gnu/store comes before any file that a docker archive has
 * (of guix pack there are only folders and links before it; at most 64 MiB of
 * other files are passed over).  Anything else is KIND_DOCKER, whose reader
 * says what is wrong with it.  Errors as those of
 * file_open.
 */
int kind_of_file(const char *path, const struct image_limits *limits,
	enum kind *out, struct err *e) NODISCARD;

#endif
