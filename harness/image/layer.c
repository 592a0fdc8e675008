/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"
#include "image/ahead.h"
#include "image/gunzip.h"
#include "image/shown.h"
#include "image/tar.h"
#include "image/unpack.h"

struct layer_stream {
	struct layer_source from;
	struct layer_budget *budget;
	/* All NULL, but one of the first three when there is a compression. */
	struct gunzip *gunzip;
	struct unpack *unpack;
	struct archive *archive;
	struct ahead *ahead; /* of the unpacked bytes, when asked for */
	enum compression compression;
	bool is_tar;
	struct buf head; /* the first bytes, given before those of from */
	bool is_head_given;
	bool is_begun;          /* something was unpacked */
	struct slice last;      /* the last block given to the decompressor */
	uint64_t taken;         /* bytes given to it in all */
	struct digest_sum *sum; /* NULL: not asked for */
	uint64_t size;
	struct err failure; /* of from, seen inside the decompressor */
	bool is_ended;
};

/* How each begins, what of libarchive reads it, and what that calls it. */
static const struct packing {
	const char *name;
	const char *magic;
	size_t n_magic;
	int (*support)(struct archive *a);
	int filter;
	const struct unpack_codec *codec; /* in place of libarchive */
} packings[] = {
	[COMPRESSION_NONE] = {"none", NULL, 0, NULL, ARCHIVE_FILTER_NONE, NULL},
	[COMPRESSION_GZIP] = {"gzip", "\x1f\x8b", 2, NULL, 0, NULL},
	[COMPRESSION_XZ] = {"xz",
		"\xfd"
		"7zXZ",
		6, NULL, 0, &unpack_xz},
	[COMPRESSION_ZSTD] = {"zstd", "\x28\xb5\x2f\xfd", 4, NULL, 0,
		&unpack_zstd},
	[COMPRESSION_BZIP2] = {"bzip2", "BZh", 3,
		archive_read_support_filter_bzip2, ARCHIVE_FILTER_BZIP2, NULL},
	[COMPRESSION_LZIP] = {"lzip", "LZIP", 4, NULL, 0, &unpack_lzip},
};

const char *
compression_name(enum compression c)
{
	return packings[c].name;
}

struct layer_budget
layer_budget_of(const struct image_limits *limits, uint64_t packed)
{
	return (struct layer_budget){
		.unpacked = limits->unpacked,
		.ratio = limits->ratio,
		.packed = packed,
		.has_no_digests = limits->is_provenance_only,
		.layer = limits->layer_bytes,
		.window = limits->window,
	};
}

int
layer_spend(struct layer_budget *budget, uint64_t n, struct err *e)
{
	struct image_limits limits;

	if (!budget)
		return 0;
	budget->used += n;
	if (budget->used <= budget->unpacked &&
		budget->used <= LAYER_RATIO_FROM)
		return 0;
	limits = (struct image_limits){
		.unpacked = budget->unpacked, .ratio = budget->ratio};
	if (budget->used > budget->unpacked)
		return limits_refuse(&limits, LIMIT_unpacked, e,
			"unpacks to more bytes than are allowed");
	if (budget->used > LAYER_RATIO_FROM &&
		budget->used / budget->ratio > budget->packed)
		return limits_refuse(&limits, LIMIT_ratio, e,
			"%llu bytes unpack to more than so many times as many",
			(unsigned long long)budget->packed);
	return 0;
}

static void
sniff(struct layer_stream *s)
{
	s->is_tar = s->head.n >= TAR_BLOCK_SIZE && tar_begins(s->head.p);
	if (s->is_tar)
		return;
	for (size_t i = 1; i < ARRAY_LEN(packings); i++)
		if (s->head.n >= packings[i].n_magic &&
			memcmp(s->head.p, packings[i].magic,
				packings[i].n_magic) == 0) {
			s->compression = (enum compression)i;
			s->is_tar = true;
		}
}

/* Give the head once, then what from has. */
static int
pull_packed(void *arg, struct slice *out, struct err *e)
{
	struct layer_stream *s = arg;

	if (!s->is_head_given) {
		s->is_head_given = true;
		if (s->head.n != 0) {
			*out = buf_get(&s->head);
			return 1;
		}
	}
	return layer_pull(s->from, out, e);
}

static la_ssize_t
feed(struct archive *a, void *arg, const void **block)
{
	struct layer_stream *s = arg;
	struct slice got = {0};
	int r = pull_packed(s, &got, &s->failure);

	if (r < 0) {
		archive_set_error(a, EIO, "source failed");
		return -1;
	}
	*block = got.p;
	s->last = r > 0 ? got : s->last;
	s->taken += got.n;
	return (la_ssize_t)got.n;
}

/* Where the decompressor's failure came from. */
static int
failed(struct layer_stream *s, struct err *e)
{
	const char *why;

	if (s->failure.kind != ERR_NONE) {
		*e = s->failure;
		return -1;
	}
	if (archive_errno(s->archive) == ENOMEM)
		return err_set(e, ERR_POLICY,
			"its %s data needs more memory than is allowed",
			packings[s->compression].name);
	why = archive_error_string(s->archive);
	return err_set(e, ERR_INPUT,
		"truncated or damaged %s data near byte %llu: %s",
		packings[s->compression].name, (unsigned long long)s->taken,
		shown_of(slice_of(why ? why : "no reason given")).text);
}

static int
open_archive(struct layer_stream *s, struct err *e)
{
	const struct packing *p = &packings[s->compression];
	struct archive_entry *entry;
	int r;

	s->archive = archive_read_new();
	if (!s->archive)
		return err_set(e, ERR_HOST, "libarchive does not start");
	if (p->support(s->archive) != ARCHIVE_OK)
		return err_set(
			e, ERR_HOST, "libarchive here reads no %s", p->name);
	archive_read_support_format_raw(s->archive);
	archive_read_support_format_empty(s->archive);
	if (archive_read_open(s->archive, s, NULL, feed, NULL) != ARCHIVE_OK)
		return failed(s, e);
	r = archive_read_next_header(s->archive, &entry);
	if (r == ARCHIVE_EOF)
		s->is_ended = true;
	else if (r != ARCHIVE_OK)
		return failed(s, e);
	/* A head that is cut short, or the same compression twice over. */
	if (archive_filter_code(s->archive, 0) != p->filter ||
		archive_filter_count(s->archive) != 2)
		return err_set(e, ERR_INPUT, "%s data that is %s", p->name,
			archive_filter_count(s->archive) > 2
				? "compressed more than once"
				: "truncated or damaged at its beginning");
	return 0;
}

static int
open_packed(struct layer_stream *s, struct err *e)
{
	uint64_t window = s->budget ? s->budget->window : 0;
	const struct unpack_codec *codec = packings[s->compression].codec;

	if (s->compression == COMPRESSION_NONE)
		return 0;
	if (codec)
		return unpack_open(codec, (struct layer_source){pull_packed, s},
			window ? window : image_limits_default.window,
			&s->unpack, e);
	if (s->compression != COMPRESSION_GZIP)
		return open_archive(s, e);
	s->gunzip = gunzip_new((struct layer_source){pull_packed, s});
	return 0;
}

int
layer_open(struct layer_source from, struct layer_budget *budget,
	bool has_digest, struct layer_stream **out, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *s = xcalloc(1, sizeof(*s));
	struct slice got = {0};
	int r = 1;

	s->from = from;
	s->budget = budget;
	s->sum = has_digest && !(budget && budget->has_no_digests)
		? digest_new()
		: NULL;
	while (s->head.n < TAR_BLOCK_SIZE &&
		(r = layer_pull(from, &got, e)) > 0)
		buf_add(&s->head, got.p, got.n);
	if (r < 0)
		return -1;
	sniff(s);
	if (open_packed(s, e) < 0)
		return -1;
	*out = STEAL(s);
	return 0;
}

struct slice
layer_head(const struct layer_stream *s)
{
	struct slice head = buf_get(&s->head);

	if (head.n > TAR_BLOCK_SIZE)
		head.n = TAR_BLOCK_SIZE;
	return head;
}

bool
layer_is_tar(const struct layer_stream *s)
{
	return s->is_tar;
}

enum compression
layer_compression(const struct layer_stream *s)
{
	return s->compression;
}

static bool
is_zeros(struct slice s)
{
	return s.n == 0 ||
		(s.p[0] == '\0' && memcmp(s.p, s.p + 1, s.n - 1) == 0);
}

/*
 * After the compressed data only zeros may stand (gzip(1) takes them for
 * padding): anything else would be bytes that nobody looks at.
 */
static int
check_rest(struct layer_stream *s, struct err *e)
{
	uint64_t unread =
		s->taken - (uint64_t)archive_filter_bytes(s->archive, -1);
	struct slice got = {0};
	bool is_zero = unread <= s->last.n;
	int r;

	if (is_zero)
		is_zero = is_zeros((struct slice){
			s->last.p + s->last.n - unread, (size_t)unread});
	s->taken -= unread;
	while ((r = pull_packed(s, &got, e)) > 0 && is_zero)
		is_zero = is_zeros(got);
	if (r < 0)
		return -1;
	if (!is_zero)
		return err_set(e, ERR_INPUT,
			"something follows the end of the %s data, byte %llu",
			packings[s->compression].name,
			(unsigned long long)s->taken);
	return 0;
}

/* Of libarchive. */
static int
pull_archive(struct layer_stream *s, struct slice *out, struct err *e)
{
	const void *p = NULL;
	size_t n = 0;
	la_int64_t offset;
	int r;

	while (!s->is_ended && n == 0) {
		r = archive_read_data_block(s->archive, &p, &n, &offset);
		if (r == ARCHIVE_EOF)
			s->is_ended = true;
		else if (r != ARCHIVE_OK)
			return failed(s, e);
	}
	if (n == 0)
		return check_rest(s, e);
	*out = (struct slice){p, n};
	return 1;
}

static int
pull_own(struct layer_stream *s, struct slice *out, struct err *e)
{
	const struct packing *p = &packings[s->compression];
	bool is_first = !s->is_begun;
	int r = layer_pull(
		s->gunzip ? gunzip_source(s->gunzip) : unpack_source(s->unpack),
		out, e);

	s->is_begun = true;
	if (r > 0 && is_first && slice_starts(*out, p->magic))
		return err_set(e, ERR_INPUT,
			"%s data that is compressed more than once", p->name);
	return r;
}

static int
pull_unpacked(void *arg, struct slice *out, struct err *e)
{
	struct layer_stream *s = arg;

	if (s->gunzip || s->unpack)
		return pull_own(s, out, e);
	return s->archive ? pull_archive(s, out, e) : pull_packed(s, out, e);
}

void
layer_run_ahead(struct layer_stream *s)
{
	/* Who digests nothing has nothing to do meanwhile. */
	if (!s->budget || !s->budget->has_no_digests)
		s->ahead = ahead_new((struct layer_source){pull_unpacked, s});
}

void
layer_stop(struct layer_stream *s)
{
	ahead_free(s->ahead);
	s->ahead = NULL;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct layer_stream *s = arg;
	int r = s->ahead ? layer_pull(ahead_source(s->ahead), out, e)
			 : pull_unpacked(s, out, e);

	if (r <= 0)
		return r;
	s->size += out->n;
	if (s->sum)
		digest_add(s->sum, out->p, out->n);
	if (s->budget && s->budget->layer && s->size > s->budget->layer)
		return limits_refuse(
			&(struct image_limits){.layer_bytes = s->budget->layer},
			LIMIT_layer_bytes, e, "a layer unpacks to more bytes");
	return layer_spend(s->budget, out->n, e) < 0 ? -1 : 1;
}

struct layer_source
layer_source(struct layer_stream *s)
{
	return (struct layer_source){block, s};
}

uint64_t
layer_size(const struct layer_stream *s)
{
	return s->size;
}

struct digest
layer_digest(struct layer_stream *s)
{
	return s->sum ? digest_end(s->sum) : (struct digest){0};
}

void
layer_close(struct layer_stream *s)
{
	if (!s)
		return;
	ahead_free(s->ahead);
	gunzip_free(s->gunzip);
	unpack_close(s->unpack);
	if (s->archive)
		archive_read_free(s->archive);
	digest_free(s->sum);
	buf_fini(&s->head);
	free(s);
}

void
own_layer(struct layer_stream **s)
{
	layer_close(*s);
}
