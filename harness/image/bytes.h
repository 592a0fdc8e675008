/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_BYTES_H
#define UB_IMAGE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "image/layer.h"

/* A source that is read by counts of bytes.  {.from} is a start. */
struct bytes {
	struct layer_source from;
	struct slice rest; /* pulled, not given yet */
	uint64_t at;       /* given so far */
};

/* Exactly n bytes; ERR_INPUT, saying where, when there are fewer. */
int bytes_read(struct bytes *b, void *p, size_t n, struct err *e) NODISCARD;
/* Some bytes, at most max, as a source gives them: 1, 0 at the end, -1. */
int bytes_pull(struct bytes *b, uint64_t max, struct slice *out,
	struct err *e) NODISCARD;
/* Pass over n bytes; as bytes_read. */
int bytes_skip(struct bytes *b, uint64_t n, struct err *e) NODISCARD;
/* All that is left. */
struct layer_source bytes_rest(struct bytes *b);

#endif
