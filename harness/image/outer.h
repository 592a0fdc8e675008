/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_OUTER_H
#define UB_IMAGE_OUTER_H

#include "base/digest.h"
#include "base/err.h"
#include "image/image.h"
#include "image/layer.h"
#include "image/tar.h"

/*
 * The archive file that an image is, read once from its first byte to its
 * last: the file, what it is compressed with, the tar in it.
 */
struct outer;

/*
 * ERR_ABSENT no such file; ERR_INPUT no regular file or no tar in it;
 * ERR_POLICY larger than limits->file_bytes.  limits is borrowed.
 */
int outer_open(const char *path, const struct image_limits *limits,
	struct outer **out, struct err *e) NODISCARD;
/* As tar_next; ERR_POLICY over limits->members. */
int outer_next(struct outer *o, const struct tar_member **out,
	struct err *e) NODISCARD;
/* The contents of the member, digested as they are pulled. */
struct layer_source outer_contents(struct outer *o);
/* From now on the caller digests the contents of this member itself. */
void outer_stop_digest(struct outer *o);
/* Pull what is left of the contents; give the digest of all of them, which
 * says nothing after outer_stop_digest. */
int
outer_end_member(struct outer *o, struct digest *out, struct err *e) NODISCARD;
/* 0, or -1 and why the file, and not what is in a member, failed: nothing more
 * comes of it. */
int outer_failure(const struct outer *o, struct err *e);
/* After outer_next gave 0: read to the end of the file, and digest it. */
int outer_finish(struct outer *o, struct digest *sha256, uint64_t *size,
	struct err *e) NODISCARD;
enum compression outer_compression(const struct outer *o);
/* Bytes of the file, as it was opened. */
uint64_t outer_size(const struct outer *o);
void outer_close(struct outer *o);
/* CLEANUP(own_outer) struct outer *o = NULL; */
void own_outer(struct outer **o);

#endif
