/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_SQUASHFS_H
#define UB_IMAGE_SQUASHFS_H

#include <stdint.h>

#include "base/err.h"
#include "image/file.h"
#include "image/image.h"
#include "image/layer.h"
#include "image/tar.h"

/*
 * A SquashFS 4.0 file system (the kernel's Documentation/filesystems/
 * squashfs.rst; fs/squashfs/squashfs_fs.h), by places: nothing of it is held
 * but a block of each table, one of data, and the path to where we are.
 *
 * Why not the directory and data readers of libsquashfs: they allocate what an
 * inode asks for (lists of blocks, targets of links, values of attributes)
 * before they look.
 */
struct squashfs;

#define SQUASHFS_MAGIC "hsqs"

/*
 * The one that begins at a byte of f.  f, limits and budget, which pays for
 * all that is unpacked, are borrowed for as long as it lives.
 */
int squashfs_open(struct file *f, uint64_t begin,
	const struct image_limits *limits, struct layer_budget *budget,
	struct squashfs **out, struct err *e) NODISCARD;
/* ERR_INPUT for one that no `guix pack -C' names. */
int squashfs_compression(const struct squashfs *s, enum compression *out,
	struct err *e) NODISCARD;
/* Where it ends in f, by its super block; padding follows. */
uint64_t squashfs_end(const struct squashfs *s);
/*
 * 1 and the next member, folders before what is in them, the root with the
 * path "." first; 0 at the end.  Its at is what squashfs_contents takes: equal
 * for the names of one file.
 */
int squashfs_next(struct squashfs *s, const struct tar_member **out,
	struct err *e) NODISCARD;
/*
 * The contents of the file at `at'; ends the one given before.  May be asked
 * for between two squashfs_next.
 */
int squashfs_contents(struct squashfs *s, uint64_t at, struct layer_source *out,
	struct err *e) NODISCARD;
void squashfs_close(struct squashfs *s);
/* CLEANUP(own_squashfs) struct squashfs *s = NULL; */
void own_squashfs(struct squashfs **s);

#endif
