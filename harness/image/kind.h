/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_KIND_H
#define UB_IMAGE_KIND_H

#include "base/err.h"
#include "fetch/fetch.h"
#include "image/image.h"
#include "image/own.h"

/*
 * What is at the place.  pack: goes by contents.  Of a file by its first bytes;
 * of a tar, compressed or not, by its first members: a gnu/store comes before
 * any file that a docker archive has (of guix pack there are only folders and
 * links before it; at most 64 MiB of other files are passed over), and
 * docker export's has files before it that no pack has.  Of a folder by what is
 * in it.  Any other file is KIND_ARCHIVE, whose reader says what is wrong with
 * it.  ERR_INPUT: a folder of no known kind; else errors as those of file_open.
 */
int kind_of_place(const struct place *place, const struct image_limits *limits,
	enum kind *out, struct err *e) NODISCARD;

#endif
