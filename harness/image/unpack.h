/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_UNPACK_H
#define UB_IMAGE_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "image/layer.h"

/*
 * Compressed data, unpacked as it is pulled: one member after the other, then
 * nothing but zeros.
 *
 * Why not libarchive, which reads them too: it takes as much memory as the data
 * ask for, up to gigabytes.
 */
struct unpack;

/* What one library does of it. */
struct unpack_codec {
	const char *name;
	void *(*start)(uint64_t window); /* NULL: it does not start */
	/*
	 * Move *in past what was used, write up to cap bytes to out and set
	 * *got: 1 to go on, 0 where a member ends, -1 with *e.  An empty *in
	 * is the end of the data.
	 */
	int (*step)(void *state, struct slice *in, void *out, size_t cap,
		size_t *got, struct err *e);
	/* For the next member. */
	void (*again)(void *state);
	void (*stop)(void *state);
	/* May a member begin so? */
	bool (*begins)(struct slice head);
};

/* unxz.c; lzip is of the same library. */
extern const struct unpack_codec unpack_xz, unpack_lzip;
/* unzstd.c */
extern const struct unpack_codec unpack_zstd;

/*
 * window is the limit of that name: bytes that a decompressor may look back.
 * ERR_HOST when the library does not start.
 */
int unpack_open(const struct unpack_codec *codec, struct layer_source from,
	uint64_t window, struct unpack **out, struct err *e) NODISCARD;
/*
 * ERR_INPUT: truncated, damaged, or followed by something, and near which byte;
 * ERR_POLICY: a window beyond the limit.
 */
struct layer_source unpack_source(struct unpack *u);
void unpack_close(struct unpack *u);

/* For codecs: a window of so many bytes is beyond the limit; returns -1. */
int unpack_refuse(uint64_t needed, uint64_t window, struct err *e) NODISCARD;

#endif
