/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/squashfs.h"

#include <endian.h>

#include <sqfs/compressor.h>
#include <sqfs/error.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_reader.h>
#include <sqfs/super.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/pax.h"
#include "image/shown.h"

enum {
	META_BYTES = 8192,         /* of a block of a table, unpacked */
	NAME_BYTES = 256,          /* of a name in a folder */
	DIR_COUNT = 256,           /* entries after one header */
	DIR_EMPTY = 3,             /* the "size" of an empty folder */
	XATTR_VALUE_MAX = 1 << 16, /* XATTR_SIZE_MAX of the kernel */
	ID_BYTES = 4,
	FRAGMENT_BYTES = 16,
	XATTR_ID_BYTES = 16,
	PLAIN_BIT = 1 << 24 /* in a size: the block is not compressed */
};

#define NONE32 UINT32_MAX
#define NONE64 UINT64_MAX

/* What is read block by block; each has its own place and last block. */
enum table {
	INODES,
	SIZES, /* the lists of blocks, in the inodes */
	FOLDERS,
	FRAGMENTS,
	IDS,
	XATTR_IDS,
	XATTRS,
	TABLES
};

static const char *const table_names[] = {
	[INODES] = "inode table",
	[SIZES] = "inode table",
	[FOLDERS] = "directory table",
	[FRAGMENTS] = "fragment table",
	[IDS] = "table of owners",
	[XATTR_IDS] = "table of extended attributes",
	[XATTRS] = "extended attributes",
};

/* A part of a file as the library sees it. */
struct window {
	sqfs_file_t file; /* first: the two are one address */
	struct file *whole;
	uint64_t begin, size;
	struct err *failure; /* why the last read failed */
};

/* A folder that is being read. */
struct folder {
	uint64_t block; /* place in the table of folders */
	size_t offset;
	uint32_t left;  /* bytes of its listing */
	uint32_t count; /* entries after the last header */
	uint32_t start; /* block of inodes that they are in */
	size_t n_path;  /* bytes of its own path */
};

/* What an inode says, whatever it is of. */
struct inode {
	uint16_t type; /* the basic one */
	uint16_t mode, uid, gid;
	uint32_t mtime;
	uint32_t xattr;
	uint32_t device;
	uint32_t link_size;
	uint32_t fragment, fragment_at;
	uint64_t size, blocks_at;
	uint32_t folder_block, folder_size;
	uint16_t folder_at;
};

/* The contents that are being given. */
struct contents {
	struct inode inode;
	uint64_t left, at;   /* bytes; place of the next block */
	uint64_t blocks;     /* whole ones, without the fragment */
	uint64_t size_block; /* place in the list of sizes */
	size_t size_offset;
};

struct squashfs {
	const struct image_limits *limits;
	struct layer_budget *budget;
	struct window window;
	struct err failure;
	sqfs_super_t super;
	sqfs_compressor_t *compressor;
	sqfs_meta_reader_t *tables[TABLES];
	uint64_t seen[TABLES]; /* block that was asked for last */

	struct folder *stack;
	size_t depth, cap;
	bool is_begun;
	struct buf path, link, xattrs;
	struct tar_member member;

	struct contents contents;
	unsigned char *packed, *unpacked, *fragment;
	uint32_t fragment_index, fragment_size; /* of the one unpacked */
};

static int
window_read(sqfs_file_t *file, sqfs_u64 at, void *p, size_t n)
{
	struct window *w = (struct window *)(void *)file;

	if (at > w->size || n > w->size - at)
		return SQFS_ERROR_OUT_OF_BOUNDS;
	*w->failure = (struct err){0};
	return file_read_at(w->whole, w->begin + at, p, n, w->failure) < 0
		? SQFS_ERROR_IO
		: 0;
}

static sqfs_u64
window_size(const sqfs_file_t *file)
{
	return ((const struct window *)(const void *)file)->size;
}

static int
window_write(sqfs_file_t *file, sqfs_u64 at, const void *p, size_t n)
{
	(void)file;
	(void)at;
	(void)p;
	(void)n;
	return SQFS_ERROR_UNSUPPORTED;
}

static int
window_truncate(sqfs_file_t *file, sqfs_u64 size)
{
	(void)file;
	(void)size;
	return SQFS_ERROR_UNSUPPORTED;
}

/* The library's failure with what, at a byte of the file system. */
static int
failed(struct squashfs *s, int code, const char *what, uint64_t at,
	struct err *e)
{
	static const struct {
		int code;
		const char *why;
	} whys[] = {
		{SQFS_ERROR_COMPRESSOR, "damaged compressed data"},
		{SQFS_ERROR_CORRUPTED, "damaged"},
		{SQFS_ERROR_UNSUPPORTED, "of a kind that is not supported"},
		{SQFS_ERROR_OVERFLOW, "a number that is too large"},
		{SQFS_ERROR_OUT_OF_BOUNDS, "leads out of the file or table"},
		{SFQS_ERROR_SUPER_MAGIC, "no SquashFS"},
		{SFQS_ERROR_SUPER_VERSION, "not version 4.0"},
		{SQFS_ERROR_SUPER_BLOCK_SIZE, "bad size of blocks"},
	};
	const char *why = "damaged";

	if (code == SQFS_ERROR_ALLOC)
		return err_set(e, ERR_HOST, "%s: out of memory", what);
	if (code == SQFS_ERROR_IO && s->failure.kind != ERR_NONE) {
		*e = s->failure;
		return err_wrap(e, "%s", what);
	}
	for (size_t i = 0; i < ARRAY_LEN(whys); i++)
		if (whys[i].code == code)
			why = whys[i].why;
	return err_set(e, ERR_INPUT, "%s at byte %llu: %s", what,
		(unsigned long long)at, why);
}

static int
seek(struct squashfs *s, enum table t, uint64_t block, size_t offset,
	struct err *e)
{
	int code;

	if (offset >= META_BYTES)
		return failed(
			s, SQFS_ERROR_OUT_OF_BOUNDS, table_names[t], block, e);
	if (s->seen[t] != block && layer_spend(s->budget, META_BYTES, e) < 0)
		return -1;
	code = sqfs_meta_reader_seek(s->tables[t], block, offset);
	s->seen[t] = code ? NONE64 : block;
	return code ? failed(s, code, table_names[t], block, e) : 0;
}

static int
get(struct squashfs *s, enum table t, void *p, size_t n, struct err *e)
{
	sqfs_u64 block;
	size_t offset;
	int code;

	sqfs_meta_reader_get_position(s->tables[t], &block, &offset);
	if (n > META_BYTES - offset && layer_spend(s->budget, n, e) < 0)
		return -1;
	code = sqfs_meta_reader_read(s->tables[t], p, n);
	if (code)
		return failed(s, code, table_names[t], block, e);
	sqfs_meta_reader_get_position(s->tables[t], &block, &offset);
	s->seen[t] = block;
	return 0;
}

/* An element of a table whose blocks are listed at index. */
static int
get_listed(struct squashfs *s, enum table t, uint64_t index, uint32_t i,
	size_t n, void *p, struct err *e)
{
	uint32_t per_block = META_BYTES / (uint32_t)n;
	uint64_t at = index + (uint64_t)8 * (i / per_block), block;
	int code = window_read(&s->window.file, at, &block, sizeof(block));

	if (code)
		return failed(s, code, table_names[t], at, e);
	if (seek(s, t, le64toh(block), i % per_block * n, e) < 0)
		return -1;
	return get(s, t, p, n, e);
}

static int
get_id(struct squashfs *s, uint16_t i, uint32_t *out, struct err *e)
{
	uint32_t id;

	if (i >= s->super.id_count)
		return err_set(e, ERR_INPUT, "an owner with number %u of %u", i,
			s->super.id_count);
	if (get_listed(s, IDS, s->super.id_table_start, i, ID_BYTES, &id, e) <
		0)
		return -1;
	*out = le32toh(id);
	return 0;
}

static uint16_t
u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t
u32(const unsigned char *p)
{
	return u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t
u64(const unsigned char *p)
{
	return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static const uint8_t inode_sizes[] = {
	[SQFS_INODE_DIR] = 16,
	[SQFS_INODE_FILE] = 16,
	[SQFS_INODE_SLINK] = 8,
	[SQFS_INODE_BDEV] = 8,
	[SQFS_INODE_CDEV] = 8,
	[SQFS_INODE_FIFO] = 4,
	[SQFS_INODE_EXT_DIR] = 24,
	[SQFS_INODE_EXT_FILE] = 40,
	[SQFS_INODE_EXT_SLINK] = 8,
	[SQFS_INODE_EXT_BDEV] = 12,
	[SQFS_INODE_EXT_CDEV] = 12,
	[SQFS_INODE_EXT_FIFO] = 8,
	[SQFS_INODE_EXT_SOCKET] = 0,
};

/* The fields after the common ones, as squashfs_fs.h lays them out. */
static void
set_fields(struct inode *i, uint16_t type, const unsigned char *p)
{
	i->type = type >= SQFS_INODE_EXT_DIR
		? (uint16_t)(type - SQFS_INODE_EXT_DIR + SQFS_INODE_DIR)
		: type;
	i->xattr = NONE32;
	switch (type) {
	case SQFS_INODE_DIR:
		i->folder_block = u32(p);
		i->folder_size = u16(p + 8);
		i->folder_at = u16(p + 10);
		break;
	case SQFS_INODE_EXT_DIR:
		i->folder_size = u32(p + 4);
		i->folder_block = u32(p + 8);
		i->folder_at = u16(p + 18);
		i->xattr = u32(p + 20);
		break;
	case SQFS_INODE_FILE:
		i->blocks_at = u32(p);
		i->fragment = u32(p + 4);
		i->fragment_at = u32(p + 8);
		i->size = u32(p + 12);
		break;
	case SQFS_INODE_EXT_FILE:
		i->blocks_at = u64(p);
		i->size = u64(p + 8);
		i->fragment = u32(p + 28);
		i->fragment_at = u32(p + 32);
		i->xattr = u32(p + 36);
		break;
	case SQFS_INODE_SLINK:
	case SQFS_INODE_EXT_SLINK:
		i->link_size = u32(p + 4);
		break;
	case SQFS_INODE_BDEV:
	case SQFS_INODE_CDEV:
		i->device = u32(p + 4);
		break;
	case SQFS_INODE_EXT_BDEV:
	case SQFS_INODE_EXT_CDEV:
		i->device = u32(p + 4);
		i->xattr = u32(p + 8);
		break;
	case SQFS_INODE_EXT_FIFO:
		i->xattr = u32(p + 4);
		break;
	default:
		break;
	}
}

/* The target of a link stands before its attributes. */
static int
read_link(struct squashfs *s, struct inode *i, bool is_extended, struct err *e)
{
	char target[PATH_MAX_BYTES];
	unsigned char xattr[4];

	if (i->link_size > s->limits->path_bytes)
		return limits_refuse(s->limits, LIMIT_path_bytes, e,
			"a link to a path of %u bytes", i->link_size);
	if (get(s, INODES, target, i->link_size, e) < 0)
		return -1;
	buf_clear(&s->link);
	buf_add(&s->link, target, i->link_size);
	if (!is_extended)
		return 0;
	if (get(s, INODES, xattr, sizeof(xattr), e) < 0)
		return -1;
	i->xattr = u32(xattr);
	return 0;
}

/* ref: block in the table << 16 | offset in the block. */
static int
read_inode(struct squashfs *s, uint64_t ref, struct inode *out, struct err *e)
{
	unsigned char p[64];
	uint16_t type;

	if (ref >> 16 > UINT32_MAX)
		return failed(s, SQFS_ERROR_OUT_OF_BOUNDS, table_names[INODES],
			ref >> 16, e);
	if (seek(s, INODES, s->super.inode_table_start + (ref >> 16),
		    ref & 0xffff, e) < 0 ||
		get(s, INODES, p, 16, e) < 0)
		return -1;
	type = u16(p);
	*out = (struct inode){
		.mode = u16(p + 2),
		.uid = u16(p + 4),
		.gid = u16(p + 6),
		.mtime = u32(p + 8),
	};
	if (type >= ARRAY_LEN(inode_sizes) || inode_sizes[type] == 0)
		return err_set(e, ERR_INPUT,
			type == SQFS_INODE_SOCKET ||
					type == SQFS_INODE_EXT_SOCKET
				? "a socket"
				: "an inode of an unknown type");
	if (get(s, INODES, p, inode_sizes[type], e) < 0)
		return -1;
	set_fields(out, type, p);
	if (out->type == SQFS_INODE_SLINK)
		return read_link(s, out, type == SQFS_INODE_EXT_SLINK, e);
	return 0;
}

/* One attribute's name and value, appended to text. */
static int
read_xattr(struct squashfs *s, struct buf *text, struct pax_xattr *out,
	struct err *e)
{
	static const char *const prefixes[] = {
		"user.", "trusted.", "security."};
	enum {
		OUT_OF_LINE = 0x100
	};
	unsigned char p[8];
	char name[NAME_BYTES];
	CLEANUP(own_free)
	char *value = NULL;
	uint16_t type;
	uint32_t n;

	if (get(s, XATTRS, p, 4, e) < 0)
		return -1;
	type = u16(p);
	n = u16(p + 2);
	if ((type & ~OUT_OF_LINE) >= (int)ARRAY_LEN(prefixes) ||
		n > sizeof(name))
		return err_set(e, ERR_INPUT, "bad extended attribute");
	if (type & OUT_OF_LINE)
		return err_set(e, ERR_INPUT,
			"an extended attribute whose value is elsewhere");
	if (get(s, XATTRS, name, n, e) < 0)
		return -1;
	buf_str(text, prefixes[type]);
	buf_add(text, name, n);
	out->name.n = strlen(prefixes[type]) + n;
	if (get(s, XATTRS, p, 4, e) < 0)
		return -1;
	n = u32(p);
	if (n > XATTR_VALUE_MAX)
		return err_set(e, ERR_POLICY,
			"an extended attribute of %u bytes, allowed are %d", n,
			XATTR_VALUE_MAX);
	value = xmalloc(n + 1);
	if (get(s, XATTRS, value, n, e) < 0)
		return -1;
	buf_add(text, value, n);
	out->value.n = n;
	return 0;
}

static int
read_xattr_list(struct squashfs *s, uint64_t kv, uint32_t n, struct err *e)
{
	CLEANUP(pax_fini)
	struct pax pax = {0};
	const char *at;

	pax.xattrs = xcalloc(n, sizeof(*pax.xattrs));
	for (; pax.n_xattrs < n; pax.n_xattrs++) {
		if (read_xattr(s, &pax.text, &pax.xattrs[pax.n_xattrs], e) < 0)
			return -1;
		if (pax.text.n > s->limits->json_bytes)
			return limits_refuse(s->limits, LIMIT_json_bytes, e,
				"extended attributes at %llu are larger",
				(unsigned long long)kv);
	}
	at = buf_text(&pax.text);
	for (size_t i = 0; i < n; i++) {
		pax.xattrs[i].name.p = at;
		at += pax.xattrs[i].name.n;
		pax.xattrs[i].value.p = at;
		at += pax.xattrs[i].value.n;
	}
	pax_print_xattrs(&pax, &s->xattrs);
	return 0;
}

static int
read_xattrs(struct squashfs *s, uint32_t index, struct err *e)
{
	unsigned char table[16], id[XATTR_ID_BYTES];
	uint64_t start = s->super.xattr_id_table_start, kv;
	int code;

	buf_clear(&s->xattrs);
	if (index == NONE32 || start == NONE64)
		return 0;
	code = window_read(&s->window.file, start, table, sizeof(table));
	if (code)
		return failed(s, code, table_names[XATTR_IDS], start, e);
	if (index >= u32(table + 8))
		return err_set(e, ERR_INPUT,
			"extended attributes with number %u of %u", index,
			u32(table + 8));
	if (get_listed(s, XATTR_IDS, start + sizeof(table), index,
		    XATTR_ID_BYTES, id, e) < 0)
		return -1;
	if (u32(id + 8) > PAX_XATTRS_MAX)
		return err_set(e, ERR_POLICY,
			"%u extended attributes, allowed are %d", u32(id + 8),
			PAX_XATTRS_MAX);
	kv = u64(table);
	if (kv > s->window.size || u64(id) >> 16 > s->window.size)
		return failed(s, SQFS_ERROR_OUT_OF_BOUNDS, table_names[XATTRS],
			start, e);
	if (seek(s, XATTRS, kv + (u64(id) >> 16), u64(id) & 0xffff, e) < 0)
		return -1;
	return read_xattr_list(s, kv, u32(id + 8), e);
}

static int
set_member(
	struct squashfs *s, uint64_t ref, const struct inode *i, struct err *e)
{
	static const enum tar_type types[] = {
		[SQFS_INODE_DIR] = TAR_DIR,
		[SQFS_INODE_FILE] = TAR_FILE,
		[SQFS_INODE_SLINK] = TAR_LINK,
		[SQFS_INODE_BDEV] = TAR_BLOCK,
		[SQFS_INODE_CDEV] = TAR_CHAR,
		[SQFS_INODE_FIFO] = TAR_FIFO,
	};
	struct tar_member *m = &s->member;

	if (read_xattrs(s, i->xattr, e) < 0)
		return -1;
	*m = (struct tar_member){
		.type = types[i->type],
		.path = s->path.n ? buf_get(&s->path) : slice_of("."),
		.uname = slice_of(""),
		.gname = slice_of(""),
		.xattrs = buf_get(&s->xattrs),
		.size = i->size,
		.mtime = i->mtime,
		.mode = i->mode & 07777,
		.at = ref,
	};
	if (m->type == TAR_LINK)
		m->link = buf_get(&s->link);
	/* as the kernel's new_decode_dev */
	if (m->type == TAR_BLOCK || m->type == TAR_CHAR) {
		m->dev_major = (i->device & 0xfff00) >> 8;
		m->dev_minor =
			(i->device & 0xff) | ((i->device >> 12) & 0xfff00);
	}
	if (get_id(s, i->uid, &m->uid, e) < 0 ||
		get_id(s, i->gid, &m->gid, e) < 0)
		return -1;
	return 0;
}

static void
push(struct squashfs *s, const struct inode *i)
{
	VEC_GROW(s->stack, s->depth, s->cap);
	s->stack[s->depth++] = (struct folder){
		.block = s->super.directory_table_start + i->folder_block,
		.offset = i->folder_at,
		.left = i->folder_size > DIR_EMPTY ? i->folder_size - DIR_EMPTY
						   : 0,
		.n_path = s->path.n,
	};
}

static int
read_folder_header(struct squashfs *s, struct folder *d, struct err *e)
{
	unsigned char p[12];

	if (d->left < sizeof(p))
		return failed(s, SQFS_ERROR_CORRUPTED, table_names[FOLDERS],
			d->block, e);
	if (get(s, FOLDERS, p, sizeof(p), e) < 0)
		return -1;
	d->left -= (uint32_t)sizeof(p);
	if (u32(p) >= DIR_COUNT)
		return failed(s, SQFS_ERROR_CORRUPTED, table_names[FOLDERS],
			d->block, e);
	d->count = u32(p) + 1;
	d->start = u32(p + 4);
	return 0;
}

/* Appends the name to the path. */
static int
read_folder_entry(
	struct squashfs *s, struct folder *d, uint64_t *ref, struct err *e)
{
	unsigned char p[8];
	char name[NAME_BYTES];
	size_t n;

	if (d->left < sizeof(p))
		return failed(s, SQFS_ERROR_CORRUPTED, table_names[FOLDERS],
			d->block, e);
	if (get(s, FOLDERS, p, sizeof(p), e) < 0)
		return -1;
	n = (size_t)u16(p + 6) + 1;
	if (n > sizeof(name) || n > d->left - sizeof(p))
		return failed(s, SQFS_ERROR_CORRUPTED, table_names[FOLDERS],
			d->block, e);
	if (get(s, FOLDERS, name, n, e) < 0)
		return -1;
	d->left -= (uint32_t)(sizeof(p) + n);
	d->count--;
	*ref = (uint64_t)d->start << 16 | u16(p);
	if (memchr(name, '/', n) || memchr(name, '\0', n) ||
		(n <= 2 && memcmp("..", name, n) == 0))
		return err_set(e, ERR_INPUT, "'%s': a name that no file has",
			shown_of((struct slice){name, n}).text);
	if (s->path.n + 1 + n > s->limits->path_bytes)
		return limits_refuse(s->limits, LIMIT_path_bytes, e,
			"'%s': a path of %zu bytes",
			shown_of(buf_get(&s->path)).text, s->path.n + 1 + n);
	if (s->path.n)
		buf_char(&s->path, '/');
	buf_add(&s->path, name, n);
	return 0;
}

/* 1 and the inode of the next entry of the innermost folder that has one. */
static int
next_ref(struct squashfs *s, uint64_t *ref, struct err *e)
{
	while (s->depth > 0) {
		struct folder *d = &s->stack[s->depth - 1];
		sqfs_u64 block;

		s->path.n = d->n_path;
		if (d->left == 0 && d->count == 0) {
			s->depth--;
			continue;
		}
		if (seek(s, FOLDERS, d->block, d->offset, e) < 0 ||
			(d->count == 0 && read_folder_header(s, d, e) < 0) ||
			read_folder_entry(s, d, ref, e) < 0)
			return -1;
		sqfs_meta_reader_get_position(
			s->tables[FOLDERS], &block, &d->offset);
		d->block = block;
		return 1;
	}
	return 0;
}

int
squashfs_next(struct squashfs *s, const struct tar_member **out, struct err *e)
{
	uint64_t ref = s->super.root_inode_ref;
	struct inode i;
	int r = 1;

	if (s->is_begun)
		r = next_ref(s, &ref, e);
	if (r <= 0)
		return r;
	if (read_inode(s, ref, &i, e) < 0 || set_member(s, ref, &i, e) < 0)
		return err_wrap(e, "'%s'", shown_of(buf_get(&s->path)).text);
	if (!s->is_begun && i.type != SQFS_INODE_DIR)
		return err_set(e, ERR_INPUT, "its root is no folder");
	s->is_begun = true;
	if (i.type == SQFS_INODE_DIR)
		push(s, &i);
	*out = &s->member;
	return 1;
}

/* Unpack a block of data into to, which has room for one; *n gets its size. */
static int
unpack(struct squashfs *s, uint64_t at, uint32_t size, unsigned char *to,
	uint32_t *n, struct err *e)
{
	uint32_t packed = size & (PLAIN_BIT - 1);
	bool is_plain = size & PLAIN_BIT;
	int code;

	if (size > (PLAIN_BIT | s->super.block_size) ||
		packed > s->super.block_size || packed == 0)
		return failed(s, SQFS_ERROR_CORRUPTED, "block of data", at, e);
	code = window_read(
		&s->window.file, at, is_plain ? to : s->packed, packed);
	if (code)
		return failed(s, code, "block of data", at, e);
	*n = packed;
	if (is_plain)
		return layer_spend(s->budget, packed, e);
	code = s->compressor->do_block(
		s->compressor, s->packed, packed, to, s->super.block_size);
	if (code <= 0)
		return failed(s, code ? code : SQFS_ERROR_COMPRESSOR,
			"block of data", at, e);
	*n = (uint32_t)code;
	return layer_spend(s->budget, *n, e);
}

static int
give_fragment(struct squashfs *s, struct slice *out, struct err *e)
{
	struct contents *c = &s->contents;
	uint32_t index = c->inode.fragment, at = c->inode.fragment_at;
	unsigned char p[FRAGMENT_BYTES];

	if (index != s->fragment_index) {
		if (index >= s->super.fragment_entry_count)
			return err_set(e, ERR_INPUT,
				"a fragment with number %u of %u", index,
				s->super.fragment_entry_count);
		s->fragment_index = NONE32;
		if (get_listed(s, FRAGMENTS, s->super.fragment_table_start,
			    index, sizeof(p), p, e) < 0 ||
			unpack(s, u64(p), u32(p + 8), s->fragment,
				&s->fragment_size, e) < 0)
			return -1;
		s->fragment_index = index;
	}
	if (at > s->fragment_size || c->left > s->fragment_size - at)
		return err_set(e, ERR_INPUT,
			"contents beyond the end of fragment %u", index);
	if (layer_spend(s->budget, c->left, e) < 0)
		return -1;
	*out = (struct slice){(char *)s->fragment + at, (size_t)c->left};
	c->left = 0;
	return 1;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct squashfs *s = arg;
	struct contents *c = &s->contents;
	unsigned char p[4];
	uint32_t n = s->super.block_size, size;

	if (c->left == 0)
		return 0;
	if (c->blocks == 0)
		return give_fragment(s, out, e);
	if (c->left < n)
		n = (uint32_t)c->left;
	if (seek(s, SIZES, c->size_block, c->size_offset, e) < 0 ||
		get(s, SIZES, p, sizeof(p), e) < 0)
		return -1;
	sqfs_meta_reader_get_position(
		s->tables[SIZES], &c->size_block, &c->size_offset);
	size = u32(p);
	if (size == 0) { /* a hole */
		if (layer_spend(s->budget, n, e) < 0)
			return -1;
		memset(s->unpacked, 0, n);
	} else {
		uint32_t got;

		if (unpack(s, c->at, size, s->unpacked, &got, e) < 0)
			return -1;
		if (got != n)
			return err_set(e, ERR_INPUT,
				"block of data at byte %llu: %u bytes, %u expected",
				(unsigned long long)c->at, got, n);
	}
	c->at += size & (PLAIN_BIT - 1);
	c->blocks--;
	c->left -= n;
	*out = (struct slice){(char *)s->unpacked, n};
	return 1;
}

int
squashfs_contents(struct squashfs *s, uint64_t at, struct layer_source *out,
	struct err *e)
{
	struct contents *c = &s->contents;
	uint32_t n = s->super.block_size;
	sqfs_u64 place;

	*c = (struct contents){0};
	if (read_inode(s, at, &c->inode, e) < 0)
		return -1;
	if (c->inode.type != SQFS_INODE_FILE)
		return err_set(e, ERR_INPUT, "contents of what is no file");
	sqfs_meta_reader_get_position(
		s->tables[INODES], &place, &c->size_offset);
	c->size_block = place;
	c->left = c->inode.size;
	c->at = c->inode.blocks_at;
	c->blocks = c->left / n;
	if (c->inode.fragment == NONE32 && c->left % n)
		c->blocks++;
	*out = (struct layer_source){block, s};
	return 0;
}

/* The end of the table that begins at start: the next one that there is. */
static uint64_t
table_end(const struct squashfs *s, uint64_t start)
{
	const uint64_t others[] = {
		s->super.fragment_table_start,
		s->super.export_table_start,
		s->super.id_table_start,
		s->super.xattr_id_table_start,
	};
	uint64_t end = s->super.bytes_used;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i] > start && others[i] < end)
			end = others[i];
	return end;
}

static int
open_tables(struct squashfs *s, struct err *e)
{
	const sqfs_super_t *super = &s->super;
	const uint64_t bounds[TABLES][2] = {
		[INODES] = {super->inode_table_start,
			super->directory_table_start},
		[SIZES] = {super->inode_table_start,
			super->directory_table_start},
		[FOLDERS] = {super->directory_table_start,
			table_end(s, super->directory_table_start)},
		[FRAGMENTS] = {0, super->bytes_used},
		[IDS] = {0, super->bytes_used},
		[XATTR_IDS] = {0, super->bytes_used},
		[XATTRS] = {0, super->bytes_used},
	};

	for (int t = 0; t < TABLES; t++) {
		if (bounds[t][0] > bounds[t][1] ||
			bounds[t][1] > s->window.size)
			return failed(s, SQFS_ERROR_OUT_OF_BOUNDS,
				table_names[t], bounds[t][0], e);
		s->seen[t] = NONE64;
		s->tables[t] = sqfs_meta_reader_create(&s->window.file,
			s->compressor, bounds[t][0], bounds[t][1]);
		if (!s->tables[t])
			return failed(
				s, SQFS_ERROR_ALLOC, table_names[t], 0, e);
	}
	return 0;
}

static int
open_compressor(struct squashfs *s, struct err *e)
{
	enum {
		OPTIONS_AT = sizeof(sqfs_super_t)
	};
	sqfs_compressor_config_t config;
	int code = sqfs_compressor_config_init(&config,
		(SQFS_COMPRESSOR)s->super.compression_id, s->super.block_size,
		SQFS_COMP_FLAG_UNCOMPRESS);

	if (code == 0)
		code = sqfs_compressor_create(&config, &s->compressor);
	if (code == 0 && s->super.flags & SQFS_FLAG_COMPRESSOR_OPTIONS)
		code = s->compressor->read_options(
			s->compressor, &s->window.file);
	if (code)
		return failed(s, code, "compressor", OPTIONS_AT, e);
	return 0;
}

static int
open_all(struct squashfs *s, struct err *e)
{
	int code = sqfs_super_read(&s->super, &s->window.file);

	if (code)
		return failed(s, code, "super block", 0, e);
	if (s->super.bytes_used > s->window.size)
		return err_set(e, ERR_INPUT,
			"truncated: its super block tells of %llu bytes, there are %llu",
			(unsigned long long)s->super.bytes_used,
			(unsigned long long)s->window.size);
	s->window.size = s->super.bytes_used;
	if (open_compressor(s, e) < 0)
		return -1;
	s->packed = xmalloc(s->super.block_size);
	s->unpacked = xmalloc(s->super.block_size);
	s->fragment = xmalloc(s->super.block_size);
	return open_tables(s, e);
}

int
squashfs_open(struct file *f, uint64_t begin, const struct image_limits *limits,
	struct layer_budget *budget, struct squashfs **out, struct err *e)
{
	CLEANUP(own_squashfs)
	struct squashfs *s = xcalloc(1, sizeof(*s));

	s->limits = limits;
	s->budget = budget;
	s->fragment_index = NONE32;
	s->window.file.read_at = window_read;
	s->window.file.write_at = window_write;
	s->window.file.get_size = window_size;
	s->window.file.truncate = window_truncate;
	s->window.whole = f;
	s->window.begin = begin;
	s->window.size = file_size(f) - begin;
	s->window.failure = &s->failure;
	if (open_all(s, e) < 0)
		return -1;
	*out = STEAL(s);
	return 0;
}

int
squashfs_compression(
	const struct squashfs *s, enum compression *out, struct err *e)
{
	const char *name;

	switch (s->super.compression_id) {
	case SQFS_COMP_GZIP:
		*out = COMPRESSION_GZIP;
		return 0;
	case SQFS_COMP_XZ:
		*out = COMPRESSION_XZ;
		return 0;
	case SQFS_COMP_ZSTD:
		*out = COMPRESSION_ZSTD;
		return 0;
	default:
		name = sqfs_compressor_name_from_id(
			(SQFS_COMPRESSOR)s->super.compression_id);
		return err_set(e, ERR_INPUT,
			"compressed with %s, which guix pack does not use",
			name ? name : "something unknown");
	}
}

uint64_t
squashfs_end(const struct squashfs *s)
{
	return s->window.begin + s->super.bytes_used;
}

void
squashfs_close(struct squashfs *s)
{
	if (!s)
		return;
	for (int t = 0; t < TABLES; t++)
		if (s->tables[t])
			sqfs_destroy(s->tables[t]);
	if (s->compressor)
		sqfs_destroy(s->compressor);
	free(s->stack);
	buf_fini(&s->path);
	buf_fini(&s->link);
	buf_fini(&s->xattrs);
	free(s->packed);
	free(s->unpacked);
	free(s->fragment);
	free(s);
}

void
own_squashfs(struct squashfs **s)
{
	squashfs_close(*s);
}
