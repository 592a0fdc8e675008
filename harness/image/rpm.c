/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/rpm.h"

#include <sys/stat.h>

#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/attributes.h"
#include "image/shown.h"

enum {
	LEAD_BYTES = 96,
	INTRO_BYTES = 16, /* magic, reserved, counts */
	INDEX_BYTES = 16, /* of an entry */
	ENTRIES_MAX = 4096
};

/* rpmtag.h */
enum tag {
	TAG_REGION_FIRST = 61, /* of what is signed: 61 ... 63 */
	TAG_REGION_LAST = 63,
	TAG_SIZE = 1009,
	TAG_FILESIZES = 1028,
	TAG_FILEMODES = 1030,
	TAG_FILEMTIMES = 1034,
	TAG_FILELINKTOS = 1036,
	TAG_FILEUSERNAME = 1039,
	TAG_FILEGROUPNAME = 1040,
	TAG_DIRINDEXES = 1116,
	TAG_BASENAMES = 1117,
	TAG_DIRNAMES = 1118,
	TAG_PAYLOADFORMAT = 1124,
	TAG_PAYLOADCOMPRESSOR = 1125,
	TAG_PAYLOADFLAGS = 1126,
	TAG_LONGFILESIZES = 5008,
	TAG_LONGSIZE = 5009,
	TAG_PAYLOADDIGEST = 5092,
	TAG_PAYLOADDIGESTALGO = 5093,
	TAG_PAYLOADDIGESTALT = 5097
};

enum type {
	TYPE_CHAR = 1,
	TYPE_INT8,
	TYPE_INT16,
	TYPE_INT32,
	TYPE_INT64,
	TYPE_STRING,
	TYPE_BIN,
	TYPE_STRINGS,
	TYPE_I18N
};

struct entry {
	uint32_t tag, type, offset, count;
	struct slice data; /* of the store; strings with their NULs */
};

struct header {
	char *bytes; /* index and store */
	struct entry *v;
	size_t n;
};

static void
header_fini(struct header *h)
{
	free(h->bytes);
	free(h->v);
}

static uint32_t
be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
		(uint32_t)u[2] << 8 | u[3];
}

static uint16_t
be16(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint16_t)(u[0] << 8 | u[1]);
}

static int
malformed(const char *what, const struct entry *x, struct err *e)
{
	return err_set(
		e, ERR_INPUT, "%s of tag %u in the rpm header", what, x->tag);
}

/* Set x->data, all of whose values are within the store. */
static int
set_data(struct entry *x, struct slice store, struct err *e)
{
	static const uint8_t widths[] = {
		[TYPE_CHAR] = 1,
		[TYPE_INT8] = 1,
		[TYPE_INT16] = 2,
		[TYPE_INT32] = 4,
		[TYPE_INT64] = 8,
		[TYPE_BIN] = 1,
	};
	size_t at = x->offset;

	if (x->type == 0 || x->type > TYPE_I18N || x->offset > store.n)
		return malformed("bad type or place", x, e);
	x->data.p = store.p + x->offset;
	if (x->type == TYPE_STRING || x->type >= TYPE_STRINGS) {
		for (uint32_t i = 0; i < x->count; i++) {
			const char *end = at < store.n
				? memchr(store.p + at, '\0', store.n - at)
				: NULL;

			if (!end)
				return malformed("truncated strings", x, e);
			at = (size_t)(end - store.p) + 1;
		}
		x->data.n = at - x->offset;
		return 0;
	}
	if ((uint64_t)x->count * widths[x->type] > store.n - x->offset)
		return malformed("truncated values", x, e);
	x->data.n = (size_t)x->count * widths[x->type];
	return 0;
}

static int
read_header(struct bytes *from, const char *what,
	const struct image_limits *limits, enum limit max, struct header *out,
	struct err *e)
{
	char intro[INTRO_BYTES];
	uint32_t n, size;
	struct slice store;

	if (bytes_read(from, intro, sizeof(intro), e) < 0)
		return -1;
	if (memcmp(intro, "\x8e\xad\xe8\x01", 4) != 0)
		return err_set(e, ERR_INPUT, "no %s at byte %llu", what,
			(unsigned long long)from->at - INTRO_BYTES);
	n = be32(intro + 8);
	size = be32(intro + 12);
	if (n > ENTRIES_MAX)
		return err_set(e, ERR_POLICY,
			"%s of %u entries, allowed are %d", what, n,
			ENTRIES_MAX);
	if (size > limits_get(limits, max))
		return limits_refuse(
			limits, max, e, "%s of %u bytes", what, size);
	out->bytes = xmalloc((size_t)n * INDEX_BYTES + size + 1);
	out->v = xcalloc(n, sizeof(*out->v));
	if (bytes_read(from, out->bytes, (size_t)n * INDEX_BYTES + size, e) < 0)
		return err_wrap(e, "%s", what);
	store = (struct slice){out->bytes + (size_t)n * INDEX_BYTES, size};
	for (; out->n < n; out->n++) {
		const char *p = out->bytes + out->n * INDEX_BYTES;
		struct entry *x = &out->v[out->n];

		*x = (struct entry){
			be32(p), be32(p + 4), be32(p + 8), be32(p + 12), {0}};
		if (set_data(x, store, e) < 0)
			return err_wrap(e, "%s", what);
	}
	return 0;
}

static const struct entry *
find(const struct header *h, uint32_t tag)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].tag == tag)
			return &h->v[i];
	return NULL;
}

/* A column of the list of files: strings, or numbers of one width. */
struct column {
	const struct entry *entry; /* NULL: absent */
	size_t at;                 /* of the next string */
};

static int
get_column(const struct header *h, uint32_t tag, uint32_t type, uint32_t count,
	struct column *out, struct err *e)
{
	*out = (struct column){find(h, tag), 0};
	if (out->entry &&
		(out->entry->type != type || out->entry->count != count))
		return malformed("not one value a file", out->entry, e);
	return 0;
}

static const char *
next_string(struct column *c)
{
	const char *s = c->entry ? c->entry->data.p + c->at : "";

	if (c->entry)
		c->at += strlen(s) + 1;
	return s;
}

static uint32_t
number_at(const struct column *c, uint32_t i)
{
	if (!c->entry)
		return 0;
	return c->entry->type == TYPE_INT16 ? be16(c->entry->data.p + 2 * i)
					    : be32(c->entry->data.p + 4 * i);
}

static int
by_path(const void *a, const void *b)
{
	const struct rpm_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

struct columns {
	struct column base, link, user, group, dir, mode, mtime, size,
		long_size;
	const char **dirs;
};

static void
columns_fini(struct columns *c)
{
	free(c->dirs);
}

static int
get_columns(
	const struct header *h, struct columns *c, uint32_t n, struct err *e)
{
	const struct entry *names = find(h, TAG_DIRNAMES);
	const struct {
		uint32_t tag, type;
		struct column *column;
	} all[] = {
		{TAG_BASENAMES, TYPE_STRINGS, &c->base},
		{TAG_FILELINKTOS, TYPE_STRINGS, &c->link},
		{TAG_FILEUSERNAME, TYPE_STRINGS, &c->user},
		{TAG_FILEGROUPNAME, TYPE_STRINGS, &c->group},
		{TAG_DIRINDEXES, TYPE_INT32, &c->dir},
		{TAG_FILEMODES, TYPE_INT16, &c->mode},
		{TAG_FILEMTIMES, TYPE_INT32, &c->mtime},
		{TAG_FILESIZES, TYPE_INT32, &c->size},
		{TAG_LONGFILESIZES, TYPE_INT64, &c->long_size},
	};
	struct column strings = {names, 0};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (get_column(h, all[i].tag, all[i].type, n, all[i].column,
			    e) < 0)
			return -1;
	if (!names || names->type != TYPE_STRINGS || !c->base.entry ||
		!c->dir.entry || !c->mode.entry)
		return err_set(
			e, ERR_INPUT, "the rpm header has no list of files");
	c->dirs = xcalloc(names->count, sizeof(*c->dirs));
	for (uint32_t i = 0; i < names->count; i++)
		c->dirs[i] = next_string(&strings);
	return 0;
}

static int
set_file(struct columns *c, uint32_t i, uint32_t n_dirs,
	const struct image_limits *limits, struct arena *arena,
	struct rpm_file *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf path = {0};
	CLEANUP(buf_fini)
	struct buf joined = {0};
	const char *base = next_string(&c->base), *link = next_string(&c->link);
	const char *user = next_string(&c->user);
	const char *group = next_string(&c->group);
	uint32_t dir = number_at(&c->dir, i);

	if (dir >= n_dirs)
		return err_set(e, ERR_INPUT,
			"file %u of the rpm header is in folder %u of %u", i,
			dir, n_dirs);
	buf_str(&joined, c->dirs[dir]);
	buf_str(&joined, base);
	if (joined.n > limits->path_bytes)
		return limits_refuse(limits, LIMIT_path_bytes, e,
			"a path of %zu bytes", joined.n);
	if (!path_normalise(&path, buf_get(&joined)))
		return err_set(e, ERR_INPUT,
			"'%s': a name that leaves the tree",
			shown_of(buf_get(&joined)).text);
	out->path = arena_copy(arena, path.p, path.n);
	out->link = arena_copy(arena, link, strlen(link));
	out->user = arena_copy(arena, user, strlen(user));
	out->group = arena_copy(arena, group, strlen(group));
	out->mode = number_at(&c->mode, i);
	out->mtime = number_at(&c->mtime, i);
	out->size = number_at(&c->size, i);
	if (c->long_size.entry)
		out->size = (uint64_t)be32(c->long_size.entry->data.p + 8 * i)
				<< 32 |
			be32(c->long_size.entry->data.p + 8 * i + 4);
	return 0;
}

static int
read_files(const struct header *h, uint64_t file,
	const struct image_limits *limits, struct arena *arena, struct rpm *out,
	struct err *e)
{
	CLEANUP(columns_fini)
	struct columns c = {0};
	const struct entry *base = find(h, TAG_BASENAMES);
	const struct entry *dirs = find(h, TAG_DIRNAMES);
	uint32_t n = base ? base->count : 0;
	uint64_t names = arena->total;

	if (n > limits->entries)
		return limits_refuse(
			limits, LIMIT_entries, e, "has %u entries", n);
	if (dirs &&
		limits_density(limits,
			(uint64_t)dirs->count * sizeof(*c.dirs) +
				(uint64_t)n * sizeof(*out->files),
			file, e) < 0)
		return -1;
	if (get_columns(h, &c, n, e) < 0)
		return -1;
	out->files = arena_alloc(arena, n * sizeof(*out->files));
	for (uint32_t i = 0; i < n; i++) {
		if (set_file(&c, i, dirs->count, limits, arena, &out->files[i],
			    e) < 0)
			return -1;
		/* names of folders may stand for much more than they are */
		if (arena->total - names > limits->names)
			return limits_refuse(limits, LIMIT_names, e,
				"names that take more bytes");
		if (limits_density(limits, arena->total, file, e) < 0)
			return -1;
	}
	out->n_files = n;
	if (n > 0)
		qsort(out->files, n, sizeof(*out->files), by_path);
	return 0;
}

/* Said by the tree, or by how the payload is packed; sizes, of folders too,
 * are those of the file system that it was packed on. */
static bool
is_elsewhere(uint32_t tag)
{
	static const uint16_t tags[] = {TAG_SIZE, TAG_FILESIZES, TAG_FILEMODES,
		TAG_FILEMTIMES, TAG_FILELINKTOS, TAG_FILEUSERNAME,
		TAG_FILEGROUPNAME, TAG_DIRINDEXES, TAG_BASENAMES, TAG_DIRNAMES,
		TAG_PAYLOADCOMPRESSOR, TAG_PAYLOADFLAGS, TAG_LONGFILESIZES,
		TAG_LONGSIZE, TAG_PAYLOADDIGEST, TAG_PAYLOADDIGESTALT};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (tags[i] == tag)
			return true;
	return tag >= TAG_REGION_FIRST && tag <= TAG_REGION_LAST;
}

/* As rpm --querytags names them. */
static const char *
tag_name(uint32_t tag, char *number, size_t n)
{
	static const struct {
		uint32_t tag;
		const char *name;
	} names[] = {
		{100, "headeri18ntable"},
		{1000, "name"},
		{1001, "version"},
		{1002, "release"},
		{1004, "summary"},
		{1014, "license"},
		{1021, "os"},
		{1022, "arch"},
		{1023, "prein"},
		{1024, "postin"},
		{1025, "preun"},
		{1026, "postun"},
		{1035, "filedigests"},
		{1098, "prefixes"},
		{1124, "payloadformat"},
		{5011, "filedigestalgo"},
		{5062, "encoding"},
		{5093, "payloaddigestalgo"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].tag == tag)
			return names[i].name;
	snprintf(number, n, "tag %u", tag);
	return number;
}

static void
set_attributes(const struct header *h, struct arena *arena, struct rpm *out)
{
	struct attribute *v = arena_alloc(arena, h->n * sizeof(*v));
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();

	for (size_t i = 0; i < h->n; i++) {
		const struct entry *x = &h->v[i];
		struct slice value = x->data;
		char number[24];

		if (is_elsewhere(x->tag))
			continue;
		/* all of its index but where the value is */
		digest_add(sum, h->bytes + i * INDEX_BYTES, 8);
		digest_add(sum, h->bytes + i * INDEX_BYTES + 12, 4);
		digest_add(sum, value.p, value.n);
		if (value.n > 0 && x->type >= TYPE_STRING &&
			x->type != TYPE_BIN)
			value.n--; /* the last NUL */
		attribute_set(&v[out->n_attributes++],
			tag_name(x->tag, number, sizeof(number)), value, arena);
	}
	out->attributes = v;
	out->digest = digest_end(sum);
}

static int
check_format(const struct header *h, struct err *e)
{
	const struct entry *format = find(h, TAG_PAYLOADFORMAT);

	if (format && format->type == TYPE_STRING && format->count == 1 &&
		strcmp(format->data.p, "cpio") != 0)
		return err_set(e, ERR_INPUT,
			"its payload is in the format '%s', not cpio",
			shown_of(slice_of(format->data.p)).text);
	return 0;
}

int
rpm_read(struct bytes *from, uint64_t file, const struct image_limits *limits,
	struct arena *arena, struct rpm *out, struct err *e)
{
	CLEANUP(header_fini)
	struct header signature = {0};
	CLEANUP(header_fini)
	struct header h = {0};

	*out = (struct rpm){0};
	if (bytes_skip(from, LEAD_BYTES, e) < 0 ||
		read_header(from, "rpm signature", limits, LIMIT_json_bytes,
			&signature, e) < 0 ||
		bytes_skip(from, (8 - from->at % 8) % 8, e) < 0 ||
		read_header(from, "rpm header", limits, LIMIT_kept_total, &h,
			e) < 0 ||
		check_format(&h, e) < 0 ||
		read_files(&h, file, limits, arena, out, e) < 0)
		return -1;
	set_attributes(&h, arena, out);
	return 0;
}

int
rpm_apply(const struct rpm *rpm, struct tar_member *m, struct err *e)
{
	static const uint32_t types[] = {
		[TAR_FILE] = S_IFREG,
		[TAR_LINK] = S_IFLNK,
		[TAR_CHAR] = S_IFCHR,
		[TAR_BLOCK] = S_IFBLK,
		[TAR_DIR] = S_IFDIR,
		[TAR_FIFO] = S_IFIFO,
	};
	CLEANUP(buf_fini)
	struct buf path = {0};
	struct rpm_file like = {0};
	const struct rpm_file *f = NULL;

	if (!path_normalise(&path, m->path))
		return err_set(e, ERR_INPUT, "a name that leaves the tree");
	like.path = buf_text(&path);
	if (rpm->n_files > 0)
		f = bsearch(&like, rpm->files, rpm->n_files,
			sizeof(*rpm->files), by_path);
	if (!f)
		return err_set(e, ERR_INPUT,
			"is in the payload and not in the header");
	if ((f->mode & S_IFMT) != types[m->type] ||
		(m->type == TAR_FILE && f->size != m->size) ||
		(m->type == TAR_LINK && f->link[0] &&
			!slice_is(m->link, f->link)))
		return err_set(e, ERR_INPUT,
			"has another type, size or target in the header than "
			"in the payload");
	m->mode = f->mode & 07777;
	m->mtime = f->mtime;
	m->mtime_ns = 0;
	m->uid = m->gid = 0;
	m->uname = slice_of(f->user);
	m->gname = slice_of(f->group);
	return 0;
}
