/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_TESTS_FUZZ_FUZZ_FILE_H
#define UB_TESTS_FUZZ_FUZZ_FILE_H

#include <sys/mman.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"

/* Read the bytes as an image file; limits are small, so that one that claims
 * much is soon done. */
static inline struct image *
fuzz_file_read(const uint8_t *data, size_t len, struct err *e)
{
	struct image_limits limits = image_limits_default;
	struct image *image = NULL;
	char path[64];
	int fd = memfd_create("image", MFD_CLOEXEC);

	limits.unpacked = 8 << 20;
	limits.entries = 2000;
	limits.names = 1 << 20;
	limits.kept_total = 1 << 20;
	limits.json_bytes = 1 << 16;
	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* An index may have no image for this machine. */
	if (image_read(path, &limits, &image, e) < 0 &&
		(image ||
			(e->kind != ERR_INPUT && e->kind != ERR_POLICY &&
				e->kind != ERR_ABSENT)))
		abort();
	close(fd);
	return image;
}

/* Sorted paths that stay in the tree, each string to its end. */
static inline void
fuzz_file_check(const struct image *image)
{
	volatile size_t bytes = 0;

	for (size_t i = 0; i < image->tree.n; i++) {
		const struct tree_entry *x = &image->tree.v[i];

		if (i > 0 && strcmp(image->tree.v[i - 1].path, x->path) >= 0)
			abort();
		if (x->path[0] == '/' || strncmp(x->path, "../", 3) == 0 ||
			strstr(x->path, "/../") || x->type > TREE_FIFO)
			abort();
		if ((x->type == TREE_LINK) != (x->link != NULL))
			abort();
		bytes += strlen(x->path) + (x->link ? strlen(x->link) : 0) +
			(x->xattrs ? strlen(x->xattrs) : 0);
	}
	for (size_t i = 0; i < image->n_attributes; i++) {
		const struct attribute *a = &image->attributes[i];

		if (a->value.n > a->size)
			abort();
		for (size_t k = 0; k <= a->value.n; k++)
			bytes += (unsigned char)a->value.p[k];
	}
	(void)bytes;
}

/* What inspect prints of it. */
static inline void
fuzz_file_print(const struct image *image)
{
	struct err e;
	struct jout j;
	FILE *f = fopen("/dev/null", "w");

	if (!f)
		abort();
	jout_open(&j, f, -1);
	jout_begin(&j, NULL, '{');
	image_json(image, &j, "image");
	jout_end(&j, '}');
	if (jout_close(&j, &e) < 0)
		abort();
	fclose(f);
}

#endif
