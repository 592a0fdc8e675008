/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/path.h"
#include "image/ar.h"
#include "image/cpio.h"
#include "image/file.h"
#include "image/image.h"
#include "image/inside.h"
#include "image/outer.h"
#include "image/own.h"
#include "image/package.h"
#include "image/rpm.h"
#include "image/shown.h"
#include "image/squashfs.h"
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
	/* In a file system all names are equal. */
	if (entry->is_hard_link && own_of(x->image)->n_sources > 0) {
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
write_contents(struct extraction *x, struct layer_source from,
	struct digest *sha256, struct err *e)
{
	CLEANUP(own_fd)
	int fd = openat(x->folder, unsorted,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct slice part;
	int r;

	if (fd < 0)
		return err_sys(e, ERR_HOST, "cannot create a file");
	(void)digest_end(x->sum);
	while ((r = layer_pull(from, &part, e)) > 0) {
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

/* Those wanted that have the path of a member: the first of them, NULL when
 * there is none that may be it. */
static struct wanted *
find_wanted(struct extraction *x, const struct tar_member *m, const char *key)
{
	CLEANUP(buf_fini)
	struct buf path = {0};
	struct wanted like = {0}, *first, *end = x->v + x->n;

	if (m->type != TAR_FILE || !path_normalise(&path, m->path))
		return NULL;
	like.source = buf_text(&path);
	first = bsearch(&like, x->v, x->n, sizeof(*x->v), by_source);
	if (!first)
		return NULL;
	while (first > x->v && by_source(first - 1, &like) == 0)
		first--;
	for (struct wanted *w = first; w < end && by_source(w, &like) == 0; w++)
		if (may_be(x, w, m, key))
			return first;
	return NULL;
}

/*
 * The contents of a member that may be the first of some wanted, all of its
 * path.  It may yet be one that another of that path replaced: the digest
 * tells.
 */
static int
take(struct extraction *x, struct wanted *first, const struct tar_member *m,
	const char *key, struct layer_source from, struct err *e)
{
	struct digest sha256;
	int r = 0;

	if (write_contents(x, from, &sha256, e) < 0)
		return -1;
	for (struct wanted *w = first;
		r == 0 && w < x->v + x->n && by_source(w, first) == 0; w++)
		if (may_be(x, w, m, key) && digest_eq(&sha256, &w->sha256))
			r = give_name(x, w, e);
	if (unlinkat(x->folder, unsorted, 0) < 0 && r == 0)
		return err_sys(e, ERR_HOST, "cannot remove a file");
	return r;
}

/* A member: take it when it is wanted. */
static int
meet(struct extraction *x, const struct tar_member *m, const char *key,
	struct layer_source from, struct err *e)
{
	struct wanted *first = find_wanted(x, m, key);

	return first ? take(x, first, m, key, from, e) : 0;
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
	if (layer_compression(stream) != COMPRESSION_NONE)
		layer_run_ahead(stream);
	tar = tar_new(layer_source(stream), budget);
	while (x->n_found < x->n && (r = tar_next(tar, &m, e)) != 0)
		if (r < 0 || meet(x, m, key, tar_contents(tar), e) < 0)
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

/* How a format is read again: file is open where it is one, and layers[0] the
 * only layer but of a docker image. */
struct again {
	struct extraction *x;
	const struct image_limits *limits;
	struct layer_budget budget;
	struct file *file;
	const char *key; /* of layers[0] */
};

static int
read_tarball(struct again *a, struct err *e)
{
	return read_layer(a->x, file_source(a->file), a->key, &a->budget, e);
}

static int
read_deb(struct again *a, struct err *e)
{
	struct ar ar = {.bytes.from = file_source(a->file)};
	int r;

	while ((r = ar_next(&ar, e)) > 0)
		if (package_is_data(&ar))
			return read_layer(
				a->x, ar_contents(&ar), a->key, &a->budget, e);
	return r;
}

static int
read_rpm(struct again *a, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;
	CLEANUP(own_cpio)
	struct cpio *cpio = NULL;
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct bytes bytes = {.from = file_source(a->file)};
	struct rpm rpm;
	const struct tar_member *m;
	int r;

	if (rpm_read(&bytes, file_size(a->file), a->limits, &arena, &rpm, e) <
			0 ||
		layer_open(bytes_rest(&bytes), &a->budget, false, &stream, e) <
			0)
		return -1;
	cpio = cpio_new(layer_source(stream));
	while (a->x->n_found < a->x->n && (r = cpio_next(cpio, &m, e)) != 0)
		if (r < 0 || meet(a->x, m, a->key, cpio_contents(cpio), e) < 0)
			return -1;
	return 0;
}

static int
read_filesystem(struct again *a, struct err *e)
{
	CLEANUP(own_squashfs)
	struct squashfs *s = NULL;
	struct extraction *x = a->x;
	const struct tar_member *m;
	int r;

	if (squashfs_open(a->file, own_of(x->image)->begin, a->limits,
		    &a->budget, &s, e) < 0)
		return -1;
	while (x->n_found < x->n && (r = squashfs_next(s, &m, e)) != 0) {
		struct wanted *first = r > 0 ? find_wanted(x, m, a->key) : NULL;
		struct layer_source from;

		if (r < 0)
			return -1;
		if (first &&
			(squashfs_contents(s, m->at, &from, e) < 0 ||
				take(x, first, m, a->key, from, e) < 0))
			return -1;
	}
	return 0;
}

static int
read_archive(struct again *a, struct err *e)
{
	CLEANUP(own_outer)
	struct outer *o = NULL;
	CLEANUP(buf_fini)
	struct buf key = {0};
	struct extraction *x = a->x;
	const struct tar_member *m;
	int r;

	if (outer_open(x->image->path, a->limits, &o, e) < 0)
		return -1;
	while (x->n_found < x->n && (r = outer_next(o, &m, e)) != 0) {
		if (r < 0)
			return -1;
		buf_clear(&key);
		if (m->type == TAR_FILE && path_normalise(&key, m->path) &&
			is_looked_into(x, buf_text(&key)) &&
			read_layer(x, outer_contents(o), buf_text(&key),
				&a->budget, e) < 0)
			return -1;
	}
	return 0;
}

/* Each layer is a file of the folder, named as it was read. */
static int
read_layout(struct again *a, struct err *e)
{
	CLEANUP(own_fd)
	int folder = -1;
	const struct image *image = a->x->image;

	if (inside_open(image->path, &folder, e) < 0)
		return -1;
	for (size_t i = 0; i < image->n_layers; i++) {
		const char *key = image->layers[i].name;
		CLEANUP(own_image_file)
		struct file *f = NULL;

		if (!is_looked_into(a->x, key))
			continue;
		if (inside_file(folder, key, a->limits, &f, e) < 0 ||
			read_layer(a->x, file_source(f), key, &a->budget, e) <
				0)
			return -1;
	}
	return 0;
}

/* The files themselves. */
static int
read_folder(struct again *a, struct err *e)
{
	CLEANUP(own_fd)
	int folder = -1;
	struct extraction *x = a->x;

	if (inside_open(x->image->path, &folder, e) < 0)
		return -1;
	for (size_t i = 0; i < x->n; i++) {
		CLEANUP(own_image_file)
		struct file *f = NULL;
		struct tar_member m = {.size = x->v[i].size};

		if (x->v[i].is_found)
			continue;
		if (inside_file(folder, x->v[i].source, a->limits, &f, e) < 0 ||
			take(x, &x->v[i], &m, a->key, file_source(f), e) < 0)
			return -1;
	}
	return 0;
}

static int
read_again(
	struct extraction *x, const struct image_limits *limits, struct err *e)
{
	static const struct {
		int (*read)(struct again *a, struct err *e);
		bool is_file; /* one, that is opened for it */
	} readers[] = {
		[KIND_ARCHIVE] = {read_archive, false},
		[KIND_TARBALL] = {read_tarball, true},
		[KIND_SQUASHFS] = {read_filesystem, true},
		[KIND_DEB] = {read_deb, true},
		[KIND_RPM] = {read_rpm, true},
		[KIND_APPIMAGE] = {read_filesystem, true},
		[KIND_LAYOUT] = {read_layout, false},
		[KIND_DIR] = {read_layout, false},
		[KIND_ROOTFS] = {read_tarball, true},
		[KIND_ROOTFS_FOLDER] = {read_folder, false},
	};
	enum kind kind = own_of(x->image)->kind;
	CLEANUP(own_image_file)
	struct file *file = NULL;
	struct again a = {
		.x = x,
		.limits = limits,
		.budget = layer_budget_of(limits, x->image->size),
	};

	if (readers[kind].is_file &&
		file_open(x->image->path, limits, &file, e) < 0)
		return -1;
	a.file = file;
	if (x->image->n_layers > 0)
		a.key = x->image->layers[0].name;
	if (readers[kind].read(&a, e) < 0)
		return -1;
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
