/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_FILE_H
#define UB_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "image/image.h"
#include "image/layer.h"

/* A regular file that an image is: read once from end to end, or by places. */
struct file;

/* ERR_ABSENT no such file; ERR_INPUT no regular file; ERR_POLICY larger than
 * limits->file_bytes. */
int file_open(const char *path, const struct image_limits *limits,
	struct file **out, struct err *e) NODISCARD;
/* The same of a file that is open; fd is closed, also when that fails. */
int file_take(int fd, const struct image_limits *limits, struct file **out,
	struct err *e) NODISCARD;
/* Bytes of it, as it was opened. */
uint64_t file_size(const struct file *f);
/* All of it, digested as it is pulled; ERR_HOST when its size changes. */
struct layer_source file_source(struct file *f);
/* The n bytes at a place; ERR_INPUT when the file ends before. */
int file_read_at(struct file *f, uint64_t at, void *p, size_t n,
	struct err *e) NODISCARD;
/* Once the source gave its end: the digest of all. */
struct digest file_digest(struct file *f);
void file_close(struct file *f);
/* CLEANUP(own_image_file) struct file *f = NULL; */
void own_image_file(struct file **f);

#endif
