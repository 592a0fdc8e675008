/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A layer: decompressed, read, merged with another.  The bytes are two tars,
 * the first as long as its first two bytes say in blocks.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "image/scan.h"
#include "image/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	STEP = 700 /* so that headers are split over blocks */
};

static int
give(void *arg, struct slice *out, struct err *e)
{
	struct slice *rest = arg;

	(void)e;
	*out = (struct slice){rest->p, rest->n < STEP ? rest->n : STEP};
	rest->p += out->n;
	rest->n -= out->n;
	return out->n > 0;
}

static void
read_one(struct scan *scan, struct slice bytes, struct tree_range *range)
{
	struct layer_stream *stream = NULL;
	struct layer layer = {0};
	struct err e = {0};

	range->begin = scan->n;
	if (layer_open((struct layer_source){give, &bytes}, &scan->budget, true,
		    &stream, &e) == 0 &&
		scan_layer(scan, stream, &layer, &e) == 0 &&
		layer.entries != scan->n - range->begin)
		abort();
	layer_close(stream);
	range->end = scan->n;
}

/* Checksums made right, so that what they guard is reached. */
static char *
mend(const uint8_t *data, size_t len)
{
	char *copy = xmemdup0(data, len);

	for (size_t at = 0; at + 512 <= len; at += 512) {
		unsigned sum = 0;
		char *block = copy + at;

		if (memcmp(block + 257, "ustar", 5) != 0)
			continue;
		memset(block + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += (unsigned char)block[i];
		snprintf(block + 148, 7, "%06o", sum);
	}
	return copy;
}

static void
check_tree(const struct tree *tree, struct arena *arena)
{
	size_t n;

	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_entry *x = &tree->v[i];

		if (i > 0 && strcmp(tree->v[i - 1].path, x->path) >= 0)
			abort();
		if (x->type > TREE_FIFO || x->layer > 1 || x->path[0] == '/' ||
			strstr(x->path, "/../") ||
			(x->type == TREE_LINK) != (x->link != NULL))
			abort();
		if (tree_find(tree, x->path) != x)
			abort();
		(void)tree_resolve(tree, x->link ? x->link : x->path);
	}
	(void)tree_items(tree, arena, &n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct image_limits limits = image_limits_default;
	struct arena arena = {0};
	struct scan scan = {.limits = &limits, .arena = &arena};
	struct slice first = {0}, second;
	CLEANUP(own_free)
	char *copy = NULL;
	struct tree_range ranges[2];
	struct tree_source *sources;
	struct tree tree = {0};
	struct err e = {0};
	size_t n_sources;

	if (len < 2)
		return 0;
	limits.entries = 1000;
	limits.kept_bytes = 1000;
	limits.kept_total = 5000;
	limits.names = 1 << 20;
	copy = mend(data + 2, len - 2);
	first.p = copy;
	first.n = ((size_t)data[0] << 8 | data[1]) * 512;
	if (first.n > len - 2)
		first.n = len - 2;
	second = (struct slice){first.p + first.n, len - 2 - first.n};
	scan.budget = (struct layer_budget){
		.unpacked = 1 << 20, .ratio = 200, .packed = len};
	read_one(&scan, first, &ranges[0]);
	read_one(&scan, second, &ranges[1]);
	if (tree_merge(scan.v, scan.n, ranges, 2, &arena, &tree, &sources,
		    &n_sources, &e) == 0) {
		scan.v = NULL;
		check_tree(&tree, &arena);
		free(tree.v);
	}
	scan_fini(&scan);
	arena_fini(&arena);
	return 0;
}
