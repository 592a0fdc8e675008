/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/filesystem.h"

#include <elf.h>

#include "base/attr.h"
#include "base/buf.h"
#include "image/attributes.h"
#include "image/file.h"
#include "image/shown.h"
#include "image/squashfs.h"

enum {
	RUNTIME_MAX = 64 << 20 /* bytes of the program of an AppImage */
};

/* A file whose contents are to be read: its index in the scan. */
struct pending {
	uint64_t at; /* for squashfs_contents */
	size_t index;
};

struct reading {
	struct image_own *own;
	const struct image_limits *limits;
	struct file *file;
	struct scan scan;
	struct squashfs *squashfs;
	struct pending *pending;
	size_t n_pending, cap_pending;
};

static void
end_reading(struct reading *r)
{
	free(r->pending);
	squashfs_close(r->squashfs);
	scan_fini(&r->scan);
	file_close(r->file);
}

/*
 * Where the file system of an AppImage begins: the program ends with its
 * section headers (the AppImage specification, "Type 2 image format": behind
 * the ELF; guix/scripts/pack.scm, concatenate-files).
 */
static int
find_begin(struct reading *r, uint64_t *out, struct err *e)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr small;
		Elf64_Ehdr large;
	} h = {0};
	size_t n = sizeof(h);
	char magic[sizeof(SQUASHFS_MAGIC) - 1];

	if (file_size(r->file) < n)
		n = (size_t)file_size(r->file);
	if (file_read_at(r->file, 0, &h, n, e) < 0)
		return -1;
	/* as the host's numbers: little-endian ones only */
	if (h.ident[EI_DATA] != ELFDATA2LSB)
		return err_set(e, ERR_INPUT, "is no image: an ELF file");
	if (h.ident[EI_CLASS] == ELFCLASS64)
		*out = h.large.e_shoff +
			(uint64_t)h.large.e_shentsize * h.large.e_shnum;
	else
		*out = h.small.e_shoff +
			(uint64_t)h.small.e_shentsize * h.small.e_shnum;
	if (*out > file_size(r->file) || *out < EI_NIDENT ||
		file_size(r->file) - *out < sizeof(magic) ||
		file_read_at(r->file, *out, magic, sizeof(magic), e) < 0 ||
		memcmp(magic, SQUASHFS_MAGIC, sizeof(magic)) != 0)
		return err_set(e, ERR_INPUT,
			"is no image: an ELF file with no SquashFS behind it, at byte %llu",
			(unsigned long long)*out);
	if (*out > RUNTIME_MAX)
		return err_set(e, ERR_POLICY,
			"a program of %llu bytes before the file system, allowed are %d",
			(unsigned long long)*out, RUNTIME_MAX);
	return 0;
}

static int
keep_runtime(struct reading *r, struct err *e)
{
	CLEANUP(own_free)
	char *program = NULL;
	struct image *image = &r->own->image;
	struct attribute *attribute;
	size_t n = (size_t)r->own->begin;

	program = xmalloc(n);
	if (file_read_at(r->file, 0, program, n, e) < 0)
		return -1;
	attribute = arena_alloc(&image->arena, sizeof(*attribute));
	attribute_set(attribute, "runtime", (struct slice){program, n},
		&image->arena);
	image->attributes = attribute;
	image->n_attributes = 1;
	return 0;
}

static int
begin_reading(struct reading *r, struct err *e)
{
	struct image *image = &r->own->image;

	if (file_open(image->path, r->limits, &r->file, e) < 0)
		return -1;
	if (r->own->kind == KIND_APPIMAGE &&
		(find_begin(r, &r->own->begin, e) < 0 ||
			keep_runtime(r, e) < 0))
		return -1;
	r->scan.limits = r->limits;
	r->scan.arena = &image->arena;
	r->scan.is_plain = true;
	r->scan.budget = layer_budget_of(r->limits, file_size(r->file));
	image->layers = arena_alloc(&image->arena, sizeof(*image->layers));
	image->n_layers = 1;
	if (squashfs_open(r->file, r->own->begin, r->limits, &r->scan.budget,
		    &r->squashfs, e) < 0)
		return -1;
	return squashfs_compression(r->squashfs, &image->compression, e);
}

static int
read_tree(struct reading *r, struct err *e)
{
	struct layer *layer = &r->own->image.layers[0];
	const struct tar_member *m;
	int more;

	scan_begin(&r->scan);
	while ((more = squashfs_next(r->squashfs, &m, e)) > 0) {
		layer->entries++;
		if (scan_member(&r->scan, m, NULL, e) < 0)
			return err_wrap(e, "'%s'", shown_of(m->path).text);
		if (m->type != TAR_FILE)
			continue;
		VEC_GROW(r->pending, r->n_pending, r->cap_pending);
		r->pending[r->n_pending++] =
			(struct pending){m->at, r->scan.n - 1};
	}
	layer->order = scan_order(&r->scan);
	return more;
}

static int
by_place(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* In the order of the inodes, which mostly is that of the data. */
static int
read_contents(struct reading *r, struct err *e)
{
	if (r->n_pending > 0)
		qsort(r->pending, r->n_pending, sizeof(*r->pending), by_place);
	for (size_t i = 0; i < r->n_pending; i++) {
		struct tree_entry *entry = &r->scan.v[r->pending[i].index];
		struct layer_source from;

		if (i > 0 && r->pending[i].at == r->pending[i - 1].at) {
			const struct tree_entry *same =
				&r->scan.v[r->pending[i - 1].index];

			entry->sha256 = same->sha256;
			entry->data = same->data;
			entry->is_hard_link = true;
			continue;
		}
		if (squashfs_contents(r->squashfs, r->pending[i].at, &from, e) <
				0 ||
			scan_contents(&r->scan, entry, from, e) < 0)
			return err_wrap(e, "'%s'",
				shown_of(slice_of(entry->path)).text);
	}
	return 0;
}

static bool
is_zeros(struct slice s)
{
	return s.n == 0 ||
		(s.p[0] == '\0' && memcmp(s.p, s.p + 1, s.n - 1) == 0);
}

/* What is of s from the byte `from' of the file on, when s is at `at'. */
static struct slice
from_byte(struct slice s, uint64_t at, uint64_t from)
{
	uint64_t before = from > at ? from - at : 0;

	if (before > s.n)
		before = s.n;
	return (struct slice){s.p + before, s.n - (size_t)before};
}

/* Once more from end to end, for the digests. */
static int
sum_file(struct reading *r, struct err *e)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	struct image *image = &r->own->image;
	struct slice part, of_it;
	uint64_t at = 0;
	int more;

	image->layers[0].name = "squashfs";
	if (r->limits->is_provenance_only) {
		image->size = file_size(r->file);
		image->layers[0].size = image->size - r->own->begin;
		return 0;
	}
	while ((more = layer_pull(file_source(r->file), &part, e)) > 0) {
		of_it = from_byte(part, at, r->own->begin);
		digest_add(sum, of_it.p, of_it.n);
		if (!is_zeros(from_byte(part, at, squashfs_end(r->squashfs))))
			return err_set(e, ERR_INPUT,
				"something follows the end of the file system, byte %llu",
				(unsigned long long)squashfs_end(r->squashfs));
		at += part.n;
	}
	if (more < 0)
		return -1;
	image->layers[0].diff_id = digest_end(sum);
	image->layers[0].size = at - r->own->begin;
	image->size = at;
	image->sha256 = file_digest(r->file);
	return 0;
}

int
filesystem_read(
	struct image_own *own, const struct image_limits *limits, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {.own = own, .limits = limits};
	struct tree_range all = {0};

	if (begin_reading(&r, e) < 0 || read_tree(&r, e) < 0 ||
		read_contents(&r, e) < 0 || sum_file(&r, e) < 0)
		return -1;
	all.end = r.scan.n;
	return own_set_tree(own, &r.scan, &all, e);
}
