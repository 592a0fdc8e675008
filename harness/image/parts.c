/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/parts.h"

#include <string.h>

#include "base/attr.h"
#include "base/path.h"
#include "image/shown.h"

/* The target of a symbolic link as a key: it may go up, but not out. */
static const char *
link_key(const struct part *part, struct slice target, struct arena *arena)
{
	CLEANUP(buf_fini)
	struct buf key = {0};
	CLEANUP(own_free)
	char *dir = path_dir(part->key);
	size_t i = 0;

	if (strcmp(dir, ".") != 0)
		buf_str(&key, dir);
	while (i < target.n) {
		size_t from = i;
		struct slice word;

		while (i < target.n && target.p[i] != '/')
			i++;
		word = (struct slice){target.p + from, i - from};
		i++;
		if (word.n == 0 || slice_is(word, "."))
			continue;
		if (!slice_is(word, "..")) {
			buf_char(&key, '/');
			buf_slice(&key, word);
			continue;
		}
		if (key.n == 0)
			return NULL;
		while (key.n > 0 && key.p[key.n - 1] != '/')
			key.n--;
		if (key.n > 0)
			key.n--;
	}
	if (key.n > 0 && key.p[0] == '/')
		return arena_copy(arena, key.p + 1, key.n - 1);
	return arena_copy(arena, key.p, key.n);
}

static int
begin_part(struct part *part, const struct tar_member *m, struct arena *arena,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf name = {0};
	CLEANUP(buf_fini)
	struct buf target = {0};

	if (!path_normalise(&name, m->path))
		return err_set(e, ERR_INPUT,
			"member '%s': a name that leaves the archive",
			shown_of(m->path).text);
	part->key = arena_copy(arena, name.p, name.n);
	part->member.name = arena_copy(arena, m->path.p, m->path.n);
	part->member.size = m->size;
	part->is_file = m->type == TAR_FILE;
	part->is_link = m->type == TAR_LINK || m->type == TAR_HARD_LINK;
	if (m->type == TAR_LINK)
		part->link = link_key(part, m->link, arena);
	else if (m->type == TAR_HARD_LINK && path_normalise(&target, m->link))
		part->link = arena_copy(arena, target.p, target.n);
	return 0;
}

/*
 * Read as a layer, it failed.  That it is none, or a broken one, matters only
 * when manifest.json names it: kept until then.  A limit, or a broken file,
 * matters always.
 */
static int
keep_failure(struct part *part, const struct outer *o, struct arena *arena,
	struct err *e)
{
	struct err *copy;

	if (outer_failure(o, e) < 0 || e->kind != ERR_INPUT)
		return -1;
	copy = arena_alloc(arena, sizeof(*copy));
	*copy = *e;
	*e = (struct err){0};
	part->failure = copy;
	return 0;
}

static int
read_layer(struct part *part, struct layer_stream *stream, struct outer *o,
	struct scan *scan, struct err *e)
{
	int r;

	part->is_tar = true;
	part->entries.begin = scan->n;
	r = scan_layer(scan, stream, &part->layer, e);
	part->entries.end = scan->n;
	return r < 0 ? keep_failure(part, o, scan->arena, e) : 0;
}

static int
read_json(struct parts *p, struct part *part, struct layer_stream *stream,
	const struct image_limits *limits, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct slice block;
	int r;

	p->json += part->member.size;
	if (p->json > limits->kept_total)
		return limits_refuse(
			limits, LIMIT_kept_total, e, "more JSON than is kept");
	while ((r = layer_pull(layer_source(stream), &block, e)) > 0)
		buf_slice(&text, block);
	if (r == 0)
		part->json = buf_take(&text);
	return r;
}

/* As what it looks like: a layer, JSON, or neither. */
static int
read_stream(struct parts *p, struct part *part, struct layer_stream *stream,
	struct outer *o, struct scan *scan, struct err *e)
{
	struct slice head = layer_head(stream);

	if (layer_is_tar(stream) || slice_ends(slice_of(part->key), ".tar"))
		return read_layer(part, stream, o, scan, e);
	if (head.n > 0 && (head.p[0] == '[' || head.p[0] == '{') &&
		part->member.size <= scan->limits->json_bytes)
		return read_json(p, part, stream, scan->limits, e);
	return 0;
}

static int
read_part(struct parts *p, struct part *part, struct outer *o,
	struct scan *scan, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;
	struct digest *sha256 = &part->member.sha256;
	struct slice block;
	int r;

	if (layer_open(outer_contents(o), &scan->budget, true, &stream, e) <
		0) {
		part->is_tar = true;
		if (keep_failure(part, o, scan->arena, e) < 0)
			return -1;
		return outer_end_member(o, sha256, e);
	}
	if (layer_compression(stream) != COMPRESSION_NONE) {
		layer_run_ahead(stream);
		if (read_stream(p, part, stream, o, scan, e) < 0)
			return -1;
		return outer_end_member(o, sha256, e);
	}
	/* Stored as it is: what the stream digests is the member. */
	outer_stop_digest(o);
	if (read_stream(p, part, stream, o, scan, e) < 0)
		return -1;
	if (part->is_tar && !part->failure) {
		*sha256 = part->layer.diff_id;
		return 0;
	}
	while ((r = layer_pull(layer_source(stream), &block, e)) > 0)
		;
	*sha256 = layer_digest(stream);
	return r;
}

static int
by_key(const void *a, const void *b, void *arg)
{
	const struct part *v = arg;

	return strcmp(v[*(const size_t *)a].key, v[*(const size_t *)b].key);
}

/* Tar programs take the last of two, Go's readers the first. */
static int
index_parts(struct parts *p, struct err *e)
{
	p->by_key = xreallocarray(NULL, p->n, sizeof(*p->by_key));
	for (size_t i = 0; i < p->n; i++)
		p->by_key[i] = i;
	qsort_r(p->by_key, p->n, sizeof(*p->by_key), by_key, p->v);
	for (size_t i = 1; i < p->n; i++) {
		const struct part *a = &p->v[p->by_key[i - 1]];
		const struct part *b = &p->v[p->by_key[i]];

		if (strcmp(a->key, b->key) == 0 &&
			(a->is_file || a->is_link || b->is_file || b->is_link))
			return err_set(e, ERR_INPUT,
				"member '%s' is there twice",
				shown_of(slice_of(a->key)).text);
	}
	return 0;
}

static int
check_name(const struct scan *scan, const struct tar_member *m, struct err *e)
{
	const struct image_limits *l = scan->limits;
	size_t n = m->path.n > m->link.n ? m->path.n : m->link.n;

	if (n > l->path_bytes)
		return limits_refuse(
			l, LIMIT_path_bytes, e, "a path of %zu bytes", n);
	return limits_density(
		l, scan->arena->total - scan->kept + n, scan->budget.packed, e);
}

int
parts_read(struct parts *p, struct outer *o, struct scan *scan, struct err *e)
{
	const struct tar_member *m;
	int r;

	while ((r = outer_next(o, &m, e)) > 0) {
		struct part *part;

		if (check_name(scan, m, e) < 0)
			return err_wrap(
				e, "member '%s'", shown_of(m->path).text);
		VEC_GROW(p->v, p->n, p->cap);
		part = &p->v[p->n++];
		*part = (struct part){0};
		if (begin_part(part, m, scan->arena, e) < 0)
			return -1;
		if (!part->is_file)
			continue;
		if (read_part(p, part, o, scan, e) < 0)
			return err_wrap(e, "member '%s'",
				shown_of(slice_of(part->key)).text);
	}
	p->link_depth = scan->limits->link_depth;
	return r < 0 ? -1 : index_parts(p, e);
}

static struct part *
find(struct parts *p, const char *key)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct part *part = &p->v[p->by_key[mid]];
		int c = strcmp(part->key, key);

		if (c == 0)
			return part;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct part *
parts_find(struct parts *p, const char *key)
{
	struct part *part = find(p, key);

	const struct part *seen = part;
	uint32_t depth = 0, next = 1;

	/* Brent's way to find a loop: what was there after 1, 2, 4... links. */
	while (part && part->is_link && part->link) {
		if (depth++ == p->link_depth) {
			p->is_too_deep = true;
			return NULL;
		}
		part = find(p, part->link);
		if (part == seen)
			return NULL;
		if (depth == next) {
			seen = part;
			next *= 2;
		}
	}
	return part && part->is_file ? part : NULL;
}

void
parts_fini(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].json);
	free(p->v);
	free(p->by_key);
	*p = (struct parts){0};
}
