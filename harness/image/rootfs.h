/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_ROOTFS_H
#define UB_IMAGE_ROOTFS_H

#include "base/err.h"
#include "image/own.h"

/*
 * Read the folder own->image.path, the root of an unpacked image, into
 * own->image.  As image_read.  Owners have numbers alone; what another file
 * system is mounted on is an empty folder at proc, sys, dev and run, and
 * ERR_INPUT elsewhere; ERR_HOST where a file may not be read.  Of the labels
 * that a machine puts on its own files (security.selinux, .ima, .evm) nothing
 * is read.
 */
int rootfs_read(struct image_own *own, const struct image_limits *limits,
	struct err *e) NODISCARD;

#endif
