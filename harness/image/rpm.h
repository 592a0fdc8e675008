/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_RPM_H
#define UB_IMAGE_RPM_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "image/bytes.h"
#include "image/image.h"
#include "image/tar.h"

/*
 * What stands before the payload of a package (the RPM reference, "Package
 * Format", "Header Format"; guix/rpm.scm): lead, signature, header.
 *
 * rpm(8) takes names, modes, owners and times of files from the header, and of
 * the payload nothing but their contents; so do we.
 */
#define RPM_MAGIC "\xed\xab\xee\xdb"

/* A file as the header has it. */
struct rpm_file {
	const char *path; /* path_normalise'd */
	const char *link; /* "" for what is none */
	const char *user, *group;
	uint32_t mode; /* type too */
	uint32_t mtime;
	uint64_t size;
};

struct rpm {
	struct rpm_file *files; /* sorted by path */
	size_t n_files;
	const struct attribute *attributes; /* all else that it says */
	size_t n_attributes;
	/* over all of the header that does not follow from how the payload is
	 * compressed or from the file system it was packed on */
	struct digest digest;
};

/*
 * Read up to the payload, of a file of so many bytes.  What it gives lives in
 * the arena.  ERR_POLICY: a header of more than limits->kept_total bytes, more
 * files than limits->entries, or names beyond one of the other limits.
 */
int
rpm_read(struct bytes *from, uint64_t file, const struct image_limits *limits,
	struct arena *arena, struct rpm *out, struct err *e) NODISCARD;
/*
 * Give a member of the payload what the header says of it.  ERR_INPUT when it
 * says nothing or another type, size or target.
 */
int
rpm_apply(const struct rpm *rpm, struct tar_member *m, struct err *e) NODISCARD;

#endif
