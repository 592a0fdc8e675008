/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_KIND_H
#define UB_IMAGE_KIND_H

#include "base/err.h"
#include "image/image.h"
#include "image/own.h"

/*
 * What the file is, by its first bytes; of a tar, compressed or not, by its
 * first members: up to the first regular file there are only folders and links
 * before a gnu/store, and in a docker archive none is called so.  Anything else
 * is KIND_DOCKER, whose reader says what is wrong with it.  Errors as those of
 * file_open.
 */
int kind_of_file(const char *path, const struct image_limits *limits,
	enum kind *out, struct err *e) NODISCARD;

#endif
