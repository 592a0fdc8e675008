/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/shard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/aside.h"
#include "base/path.h"
#include "sched/own.h"
#include "store/merge.h"

/* ---- which shard ---- */

uint32_t
shard_of(const struct digest *key, uint32_t shards)
{
	uint64_t n = 0;

	/* 64 of 256 bits: what is left over for the first shards is nothing. */
	for (size_t i = 0; i < 8; i++)
		n = n << 8 | key->b[i];
	return (uint32_t)(n % shards) + 1;
}

/* Images of one key. */
struct cluster {
	const struct digest *key;
	size_t first; /* its images are order[first] to order[first + n - 1] */
	size_t n;
	int64_t weight;
};

struct by_key {
	const struct digest *key;
	size_t image;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct by_key *x = a, *y = b;
	int order = memcmp(x->key->b, y->key->b, sizeof(x->key->b));

	return order ? order : (x->image > y->image) - (x->image < y->image);
}

/* The longest first; of equal ones the same order everywhere. */
static int
compare_weights(const void *a, const void *b)
{
	const struct cluster *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return memcmp(x->key->b, y->key->b, sizeof(x->key->b));
}

/* Images of which nothing is known take as long as the others do. */
static int64_t
mean_of(const int64_t *expected_ms, size_t n)
{
	int64_t sum = 0, known = 0;

	for (size_t i = 0; i < n; i++) {
		if (expected_ms[i] <= 0)
			continue;
		sum += expected_ms[i] / 1000 + 1;
		known++;
	}
	return known ? sum / known : 1;
}

void
shard_balance(const struct digest *keys, const int64_t *expected_ms, size_t n,
	uint32_t shards, uint32_t *out)
{
	struct by_key *order = xcalloc(n + 1, sizeof(*order));
	struct cluster *clusters = xcalloc(n + 1, sizeof(*clusters));
	int64_t *load = xcalloc(shards, sizeof(*load));
	int64_t mean = mean_of(expected_ms, n);
	size_t n_clusters = 0;

	for (size_t i = 0; i < n; i++)
		order[i] = (struct by_key){&keys[i], i};
	qsort(order, n, sizeof(*order), compare_keys);
	for (size_t i = 0; i < n; i++) {
		int64_t ms = expected_ms[order[i].image];
		struct cluster *c;

		if (i == 0 || !digest_eq(order[i].key, order[i - 1].key))
			clusters[n_clusters++] = (struct cluster){
				.key = order[i].key, .first = i};
		c = &clusters[n_clusters - 1];
		c->n++;
		c->weight += ms > 0 ? ms / 1000 + 1 : mean;
	}
	qsort(clusters, n_clusters, sizeof(*clusters), compare_weights);
	for (size_t i = 0; i < n_clusters; i++) {
		uint32_t least = 0;

		for (uint32_t k = 1; k < shards; k++)
			if (load[k] < load[least])
				least = k;
		load[least] += clusters[i].weight;
		for (size_t k = 0; k < clusters[i].n; k++)
			out[order[clusters[i].first + k].image] = least + 1;
	}
	free(load);
	free(clusters);
	free(order);
}

/* ---- the study ---- */

struct digest
shard_study(const struct sched_options *o, const struct shard_images *images)
{
	CLEANUP(basis_fini)
	struct basis files = {0};
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	const char *study = o->study ? o->study : "";

	digest_add(sum, study, strlen(study) + 1);
	digest_add(sum, &o->shards, sizeof(o->shards));
	for (size_t i = 0; i < images->n; i++) {
		const struct sample *s = images->v[i];
		struct digest entry = basis_entry(&files, s);

		digest_add(sum, s->name, strlen(s->name) + 1);
		digest_add(sum, entry.b, sizeof(entry.b));
	}
	return digest_end(sum);
}

/* ---- a plan ---- */

/* "unblend shards HEX", then a number a line. */
static void
put_head(struct buf *out, const struct digest *study)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(study, hex);
	buf_printf(out, "unblend shards %s\n", hex);
}

int
shard_plan_write(const char *path, const struct digest *study,
	const uint32_t *of, size_t n, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	put_head(&text, study);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%" PRIu32 "\n", of[i]);
	return aside_write(path, buf_text(&text), text.n, e);
}

enum {
	PLAN_LINE_MAX = 12,
	PLAN_HEAD_MAX = 100
};

static int
bad_plan(const char *path, struct err *e)
{
	return err_set(e, ERR_INPUT,
		"%s: is no plan of this study: its corpora, options, or number "
		"of shards are others",
		path);
}

int
shard_plan_read(const char *path, const struct digest *study, uint32_t shards,
	uint32_t *of, size_t n, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf head = {0};
	const char *p;

	if (path_read(path, PLAN_HEAD_MAX + n * PLAN_LINE_MAX, &text, e) < 0)
		return -1;
	put_head(&head, study);
	p = buf_text(&text);
	if (strncmp(p, buf_text(&head), head.n) != 0)
		return bad_plan(path, e);
	p += head.n;
	for (size_t i = 0; i < n; i++) {
		char *end;
		unsigned long number = strtoul(p, &end, 10);

		if (*p < '0' || *p > '9' || *end != '\n' || number < 1 ||
			number > shards)
			return bad_plan(path, e);
		of[i] = (uint32_t)number;
		p = end + 1;
	}
	return *p == '\0' ? 0 : bad_plan(path, e);
}

/* ---- what is ours ---- */

/* By the plan, where it is given, else by their keys. */
static int
divide(const struct scheduler *s, const struct shard_images *images,
	uint32_t *of, struct err *e)
{
	const struct sched_options *o = s->o;
	struct digest *keys;
	int result;

	if (o->shard_plan)
		return shard_plan_read(o->shard_plan, &s->study,
			(uint32_t)o->shards, of, images->n, e);
	keys = xcalloc(images->n + 1, sizeof(*keys));
	result = shard_keys(o, images, &s->signals, keys, e);
	for (size_t i = 0; i < images->n && result == 0; i++)
		of[i] = shard_of(&keys[i], (uint32_t)o->shards);
	free(keys);
	return result;
}

int
shard_pick(struct scheduler *s, struct err *e)
{
	const struct sample **v =
		xcalloc(s->n_queue + 1, sizeof(const struct sample *));
	uint32_t *of = xcalloc(s->n_queue + 1, sizeof(*of));
	const struct shard_images images = {v, s->n_queue};
	size_t n = 0;
	int result;

	for (size_t i = 0; i < s->n_queue; i++)
		v[i] = s->queue[i].sample;
	s->study = shard_study(s->o, &images);
	s->n_study = s->n_queue;
	result = divide(s, &images, of, e);
	for (size_t i = 0; i < s->n_queue && result == 0; i++)
		if (of[i] == (uint32_t)s->o->shard)
			s->queue[n++] = s->queue[i];
	s->n_queue = n;
	free(of);
	free(v);
	return result;
}

int
shard_record(struct scheduler *s, int64_t run, struct err *e)
{
	const struct merge_shard shard = {
		.number = s->o->shard,
		.of = s->o->shards,
		.study = s->study,
		.images = (int64_t)s->n_study,
		.options = buf_text(&s->basis.text),
	};

	return merge_shard_add(s->store, run, &shard, e);
}
