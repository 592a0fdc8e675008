/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/path.h"
#include "image/image.h"
#include "image/outer.h"
#include "image/own.h"
#include "image/shown.h"
#include "image/tar.h"

/* A file that is looked for: where its contents are, and their digest. */
struct wanted {
	const char *source; /* path of the regular member */
	uint16_t layer;
	size_t number; /* name of the file to write */
	struct digest sha256;
	uint64_t size;
	bool is_found;
};

static const char unsorted[] = "unsorted";

struct extraction {
	const struct image *image;
	struct wanted *v; /* sorted by source */
	size_t n, n_found;
	int folder;
	struct digest_sum *sum;
};

static void
end_extraction(struct extraction *x)
{
	free(x->v);
	digest_free(x->sum);
	if (x->folder >= 0)
		close(x->folder);
}

/* The last of the sources of a link at path. */
static const struct tree_source *
source_of(const struct image_own *own, const char *path)
{
	size_t lo = 0, hi = own->n_sources;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(own->sources[mid].path, path) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &own->sources[lo - 1];
}

static int
by_source(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return strcmp(x->source, y->source);
}

static void
want(struct extraction *x, const char *path, size_t number, uint64_t cap)
{
	const struct tree_entry *entry = tree_find(&x->image->tree, path);
	struct wanted w = {.number = number};

	if (!entry || entry->type != TREE_FILE || entry->size > cap)
		return;
	w.source = entry->path;
	w.layer = entry->layer;
	w.sha256 = entry->sha256;
	w.size = entry->size;
	if (entry->is_hard_link) {
		const struct tree_source *s =
			source_of(own_of(x->image), entry->path);

		w.source = s->source;
		w.layer = s->layer;
	}
	x->v[x->n++] = w;
}

/* Does the layer, by its number, come from the member named key? */
static bool
is_from(const struct image *image, uint16_t layer, const char *key)
{
	return strcmp(image->layers[layer].name, key) == 0;
}

static int
write_all(int fd, struct slice s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s.p += n;
		s.n -= (size_t)n;
	}
	return 0;
}

/* Write the contents under the name unsorted, and digest them. */
static int
write_contents(struct extraction *x, struct tar *tar, struct digest *sha256,
	struct err *e)
{
	CLEANUP(own_fd)
	int fd = openat(x->folder, unsorted,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct slice part;
	int r;

	if (fd < 0)
		return err_sys(e, ERR_HOST, "cannot create a file");
	(void)digest_end(x->sum);
	while ((r = layer_pull(tar_contents(tar), &part, e)) > 0) {
		digest_add(x->sum, part.p, part.n);
		if (write_all(fd, part) < 0)
			return err_sys(e, ERR_HOST, "cannot write");
	}
	if (r < 0)
		return -1;
	*sha256 = digest_end(x->sum);
	r = close(fd);
	fd = -1;
	return r < 0 ? err_sys(e, ERR_HOST, "cannot write") : 0;
}

static int
give_name(struct extraction *x, struct wanted *w, struct err *e)
{
	char name[24];

	snprintf(name, sizeof(name), "%zu", w->number);
	if (linkat(x->folder, unsorted, x->folder, name, 0) < 0)
		return err_sys(e, ERR_HOST, "cannot create file %s", name);
	w->is_found = true;
	x->n_found++;
	return 0;
}

static bool
may_be(const struct extraction *x, const struct wanted *w,
	const struct tar_member *m, const char *key)
{
	return !w->is_found && m->size == w->size &&
		is_from(x->image, w->layer, key);
}

/*
 * A member that has the path of some that are looked for.  It may yet be one
 * that another of that path replaced: the digest tells.
 */
static int
meet(struct extraction *x, struct tar *tar, const struct tar_member *m,
	const char *key, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf path = {0};
	struct wanted like = {0}, *first, *end = x->v + x->n;
	struct digest sha256;
	bool is_wanted = false;
	int r = 0;

	if (m->type != TAR_FILE || !path_normalise(&path, m->path))
		return 0;
	like.source = buf_text(&path);
	first = bsearch(&like, x->v, x->n, sizeof(*x->v), by_source);
	if (!first)
		return 0;
	while (first > x->v && by_source(first - 1, &like) == 0)
		first--;
	for (struct wanted *w = first; w < end && by_source(w, &like) == 0; w++)
		is_wanted |= may_be(x, w, m, key);
	if (!is_wanted)
		return 0;
	if (write_contents(x, tar, &sha256, e) < 0)
		return -1;
	for (struct wanted *w = first;
		r == 0 && w < end && by_source(w, &like) == 0; w++)
		if (may_be(x, w, m, key) && digest_eq(&sha256, &w->sha256))
			r = give_name(x, w, e);
	if (unlinkat(x->folder, unsorted, 0) < 0 && r == 0)
		return err_sys(e, ERR_HOST, "cannot remove a file");
	return r;
}

static int
read_layer(struct extraction *x, struct layer_source from, const char *key,
	struct layer_budget *budget, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;
	CLEANUP(own_tar)
	struct tar *tar = NULL;
	const struct tar_member *m;
	int r;

	if (layer_open(from, budget, false, &stream, e) < 0)
		return -1;
	tar = tar_new(layer_source(stream), budget);
	while (x->n_found < x->n && (r = tar_next(tar, &m, e)) != 0)
		if (r < 0 || meet(x, tar, m, key, e) < 0)
			return -1;
	return 0;
}

static bool
is_looked_into(const struct extraction *x, const char *key)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->v[i].is_found && is_from(x->image, x->v[i].layer, key))
			return true;
	return false;
}

static int
read_again(
	struct extraction *x, const struct image_limits *limits, struct err *e)
{
	CLEANUP(own_outer)
	struct outer *o = NULL;
	CLEANUP(buf_fini)
	struct buf key = {0};
	struct layer_budget budget = {
		.unpacked = limits->unpacked,
		.ratio = limits->ratio,
		.packed = x->image->size,
	};
	const struct tar_member *m;
	int r;

	if (outer_open(x->image->path, limits, &o, e) < 0)
		return -1;
	while (x->n_found < x->n && (r = outer_next(o, &m, e)) != 0) {
		if (r < 0)
			return -1;
		buf_clear(&key);
		if (m->type == TAR_FILE && path_normalise(&key, m->path) &&
			is_looked_into(x, buf_text(&key)) &&
			read_layer(x, outer_contents(o), buf_text(&key),
				&budget, e) < 0)
			return -1;
	}
	if (x->n_found < x->n)
		return err_set(e, ERR_HOST, "changed since it was read first");
	return 0;
}

int
image_extract(const struct image *image, const struct image_limits *limits,
	const char *const *paths, size_t n, uint64_t cap, const char *folder,
	struct err *e)
{
	CLEANUP(end_extraction)
	struct extraction x = {.image = image};

	x.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x.folder < 0)
		return err_sys(e, ERR_HOST, "%s: cannot open",
			shown_of(slice_of(folder)).text);
	x.sum = digest_new();
	x.v = xcalloc(n, sizeof(*x.v));
	for (size_t i = 0; i < n; i++)
		if (paths[i])
			want(&x, paths[i], i, cap);
	if (x.n == 0)
		return 0;
	qsort(x.v, x.n, sizeof(*x.v), by_source);
	if (read_again(&x, limits, e) < 0)
		return err_wrap(e, "%s", shown_of(slice_of(image->path)).text);
	return 0;
}
