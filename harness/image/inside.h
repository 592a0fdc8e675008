/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_INSIDE_H
#define UB_IMAGE_INSIDE_H

#include "base/buf.h"
#include "base/err.h"
#include "image/file.h"
#include "image/image.h"

/*
 * A folder that an image is, of a layout or of files.  What is below it is
 * opened part by part, and no symbolic link in it is followed: whoever made it
 * could have one lead anywhere on this machine.
 */

/* ERR_ABSENT no such folder; ERR_INPUT it is none.  The caller closes *fd. */
int inside_open(const char *path, int *fd, struct err *e) NODISCARD;
/*
 * Open what is at a relative path with open(2)'s flags.  ERR_ABSENT: nothing
 * is there; ERR_INPUT: a link is in the way, or ".."; the caller closes *out.
 */
int inside_at(int folder, const char *path, int flags, int *out,
	struct err *e) NODISCARD;
/* The file there, to be read.  As inside_at and file_open. */
int inside_file(int folder, const char *path, const struct image_limits *limits,
	struct file **out, struct err *e) NODISCARD;
/* Is something of that name in the folder, whatever it is? */
bool inside_has(int folder, const char *name);

#endif
