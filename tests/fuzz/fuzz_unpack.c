/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compressed data of each kind: what comes out does not depend on the pieces
 * that they come in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "image/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Input in pieces of at most step bytes. */
struct pieces {
	struct slice rest;
	size_t step;
};

static int
give(void *arg, struct slice *out, struct err *e)
{
	struct pieces *p = arg;

	(void)e;
	*out = (struct slice){
		p->rest.p, p->rest.n < p->step ? p->rest.n : p->step};
	p->rest.p += out->n;
	p->rest.n -= out->n;
	return out->n > 0;
}

struct outcome {
	bool is_whole;
	uint64_t size;
	struct digest digest;
};

static struct outcome
unpack(struct slice bytes, size_t step)
{
	struct pieces p = {bytes, step};
	struct image_limits limits = image_limits_default;
	struct layer_budget budget;
	CLEANUP(own_layer)
	struct layer_stream *s = NULL;
	struct outcome out = {0};
	struct err e = {0};
	struct slice part;
	int r;

	limits.unpacked = 4 << 20;
	limits.window = 1 << 20;
	budget = layer_budget_of(&limits, bytes.n);
	if (layer_open((struct layer_source){give, &p}, &budget, true, &s, &e) <
		0)
		return out;
	while ((r = layer_pull(layer_source(s), &part, &e)) > 0)
		if (part.n == 0)
			abort();
	if (r < 0) {
		if (e.kind != ERR_INPUT && e.kind != ERR_POLICY)
			abort();
		return out;
	}
	out.is_whole = true;
	out.size = layer_size(s);
	out.digest = layer_digest(s);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice bytes = {(const char *)data, len};
	struct outcome a = unpack(bytes, SIZE_MAX);
	struct outcome b = unpack(bytes, 7);

	if (a.is_whole != b.is_whole || a.size != b.size ||
		!digest_eq(&a.digest, &b.digest))
		abort();
	return 0;
}
