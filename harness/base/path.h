/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_PATH_H
#define UB_BASE_PATH_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* "dir/name", or name alone when it is absolute or dir is NULL or "". */
char *path_join(const char *dir, const char *name);
/* The folder that path is in: "a/b" -> "a", "b" -> ".". */
char *path_dir(const char *path);
/* Absolute, with the working directory before it; not resolved. */
char *path_absolute(const char *path);

/*
 * Bring a path found in an archive into the form that trees use: no leading
 * "/" or "./", no "//", no "." parts, no trailing "/"; the root is "".  False
 * when it holds a ".." part, a NUL or more than PATH_MAX_BYTES bytes; nothing
 * is appended then.
 */
bool path_normalise(struct buf *out, struct slice path);
enum {
	PATH_MAX_BYTES = 65535 /* whatever limits are set to */
};

/* mkdir -p with mode for each folder made. */
int path_mkdirs(const char *path, mode_t mode, struct err *e) NODISCARD;
/* rm -rf, not following links, not leaving the file system; absent is fine.
 * Folders without write permission are made writable first. */
int path_remove(const char *path, struct err *e) NODISCARD;
/*
 * Read a regular file of at most cap bytes; ERR_ABSENT when there is none,
 * ERR_INPUT when it is larger, no regular file or cannot be opened by us.
 */
int path_read(
	const char *path, size_t cap, struct buf *out, struct err *e) NODISCARD;
bool path_exists(const char *path);
/* The program of that name on PATH, or that path when it has a slash, links
 * resolved; the caller's own string, NULL when there is none. */
char *path_program(const char *name);
/*
 * Thousands of small files will come and go in the folders of this one.  ext4
 * passes over the inodes of files that were removed a short while ago, one by one,
 * so that all in one of its groups are slow to make: have the folders in it spread
 * over all groups (ext4_inode: EXT4_TOPDIR_FL; fs/ext4/ialloc.c, find_inode_bit).
 * Other file systems have no such flag, and no need of it.
 */
void path_spread(const char *folder);

#endif
