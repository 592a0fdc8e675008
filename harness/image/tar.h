/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_TAR_H
#define UB_IMAGE_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "image/layer.h"

/*
 * A tar that is read once, front to back: POSIX.1-2001 ustar and pax (as
 * pax(1p) has them), GNU long names, base-256 numbers and sparse files (tar's
 * own manual, "Basic Tar Format", "Sparse Formats"), and old V7.
 *
 * Why not a library: names must come out as the bytes they are, in any locale
 * (libarchive converts pax names, and normalises their Unicode), and what
 * counts is what Docker makes of a layer, so where tar programs differ this
 * goes with Go's archive/tar.
 */
enum tar_type {
	TAR_FILE,
	TAR_HARD_LINK,
	TAR_LINK,
	TAR_CHAR,
	TAR_BLOCK,
	TAR_DIR,
	TAR_FIFO
};

/* A member.  The slices live until the next tar_next. */
struct tar_member {
	enum tar_type type;
	struct slice path; /* as stored */
	struct slice link; /* as stored, for both kinds of links */
	struct slice uname, gname;
	struct slice xattrs; /* "name=HEX\n..." sorted; empty when none */
	uint64_t size;       /* of the contents, holes included */
	int64_t mtime;
	uint32_t mtime_ns;
	uint32_t mode, uid, gid, dev_major, dev_minor;
	uint64_t at; /* where its header is in the tar, in bytes */
};

enum {
	TAR_BLOCK_SIZE = 512,
	TAR_PAX_MAX = 1 << 20 /* bytes of one extended header */
};

/* May a tar begin with this block: a header whose checksum is right, or the
 * end of an empty one? */
bool tar_begins(const void *block);

struct tar;

/* budget, borrowed, pays for the holes of sparse files; NULL: they are free. */
struct tar *tar_new(struct layer_source from, struct layer_budget *budget);
/*
 * 1 and the next member, whose contents tar_contents then gives (what is left
 * of the member before is passed over); 0 at the end.
 */
int
tar_next(struct tar *t, const struct tar_member **out, struct err *e) NODISCARD;
/* The contents of the member that tar_next gave; ends with it. */
struct layer_source tar_contents(struct tar *t);
/*
 * After tar_next gave 0: pull the source to its end.  ERR_INPUT when anything
 * but zeros follows the end, or, with is_strict, when the mark of the end was
 * missing.
 */
int tar_finish(struct tar *t, bool is_strict, struct err *e) NODISCARD;
void tar_free(struct tar *t);
/* CLEANUP(own_tar) struct tar *t = NULL; */
void own_tar(struct tar **t);

#endif
