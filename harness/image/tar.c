/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/tar.h"

#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/pax.h"
#include "image/shown.h"

/* POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar's tar.h. */
struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8]; /* "ustar\0" "00", or GNU's "ustar  \0" */
	char uname[32];
	char gname[32];
	char dev_major[8];
	char dev_minor[8];
	char prefix[155]; /* GNU's 'S': see struct sparse_header */
	char pad[12];
};

struct old_span {
	char offset[12];
	char size[12];
};

/* The same block of a GNU sparse file, from byte 345. */
struct sparse_header {
	char before[386];
	struct old_span spans[4];
	char is_extended;
	char real_size[12];
	char pad[17];
};

struct sparse_more {
	struct old_span spans[21];
	char is_extended;
	char pad[7];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK_SIZE, "a tar header");
_Static_assert(sizeof(struct sparse_header) == TAR_BLOCK_SIZE, "GNU's header");
_Static_assert(sizeof(struct sparse_more) == TAR_BLOCK_SIZE, "more of it");

struct tar {
	struct layer_source from;
	struct layer_budget *budget;
	struct slice have; /* pulled and not used yet */
	uint64_t at;       /* where have begins in the tar */
	struct tar_member member;
	struct header header;
	struct pax pax;
	struct buf path, link; /* GNU long names, or joined from the header */
	struct buf xattrs;
	bool has_long_path, has_long_link;
	uint64_t stored; /* bytes of the member still to come */
	uint64_t pad;    /* and what fills its last block */
	bool is_sparse;
	struct buf spans; /* struct pax_span */
	size_t next_span;
	uint64_t in_span; /* bytes of the present span still to come */
	uint64_t pos;     /* in the contents */
	bool is_ended;
	bool has_mark; /* a block of zeros ended it */
};

static int
truncated(const struct tar *t, struct err *e)
{
	return err_set(e, ERR_INPUT, "truncated at byte %llu of the tar",
		(unsigned long long)t->at);
}

/* Up to max bytes, as many as are at hand; 0 at the end of the source. */
static int
take(struct tar *t, uint64_t max, struct slice *out, struct err *e)
{
	int r;

	if (t->have.n == 0 && (r = layer_pull(t->from, &t->have, e)) <= 0)
		return r;
	*out = t->have;
	if (out->n > max)
		out->n = (size_t)max;
	t->have.p += out->n;
	t->have.n -= out->n;
	t->at += out->n;
	return 1;
}

/* Exactly n bytes; 0 when the source ended before the first. */
static int
take_all(struct tar *t, void *to, size_t n, struct err *e)
{
	size_t got = 0;
	struct slice part;
	int r;

	while (got < n) {
		r = take(t, n - got, &part, e);
		if (r < 0)
			return -1;
		if (r == 0)
			return got == 0 ? 0 : truncated(t, e);
		memcpy((char *)to + got, part.p, part.n);
		got += part.n;
	}
	return 1;
}

static int
pass(struct tar *t, uint64_t n, struct err *e)
{
	struct slice part;
	int r;

	while (n > 0) {
		r = take(t, n, &part, e);
		if (r <= 0)
			return r < 0 ? -1 : truncated(t, e);
		n -= part.n;
	}
	return 0;
}

/* Octal in spaces, or GNU's base-256: false when it is neither. */
static bool
number(const char *p, size_t n, int64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	*out = 0;
	if ((unsigned char)p[0] & 0x80) {
		bool is_negative = (unsigned char)p[0] & 0x40;
		unsigned char flip = is_negative ? 0xff : 0;

		for (i = 0; i < n; i++) {
			unsigned char c = (unsigned char)p[i] ^ flip;

			if (i == 0)
				c &= 0x3f;
			if (v >> 55)
				return false;
			v = v << 8 | c;
		}
		*out = is_negative ? -(int64_t)v - 1 : (int64_t)v;
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		if (v >> 60)
			return false;
		v = v << 3 | (uint64_t)(p[i] - '0');
	}
	*out = (int64_t)v;
	return i == n || p[i] == ' ' || p[i] == '\0';
}

/* The text of a field: up to its first NUL, or all of it. */
static struct slice
field(const char *p, size_t n)
{
	return (struct slice){p, strnlen(p, n)};
}
#define FIELD(f) field((f), sizeof(f))

static bool
is_zeros(const void *block)
{
	const char *p = block;

	return p[0] == '\0' && memcmp(p, p + 1, TAR_BLOCK_SIZE - 1) == 0;
}

/* Is its checksum right? */
static bool
is_header(const void *block)
{
	const unsigned char *p = block;
	const struct header *h = block;
	const size_t from = offsetof(struct header, checksum);
	int64_t told, sum = 0, signed_sum = 0;

	if (is_zeros(block) || !number(h->checksum, sizeof(h->checksum), &told))
		return false;
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		bool is_own = i >= from && i < from + sizeof(h->checksum);
		unsigned char c = is_own ? ' ' : p[i];

		sum += c;
		/* Sun's tar added them up as signed. */
		signed_sum += (signed char)c;
	}
	return told == sum || told == signed_sum;
}

bool
tar_begins(const void *block)
{
	return is_zeros(block) || is_header(block);
}

struct tar *
tar_new(struct layer_source from, struct layer_budget *budget)
{
	struct tar *t = xcalloc(1, sizeof(*t));

	t->from = from;
	t->budget = budget;
	return t;
}

static int
bad(const struct tar *t, const char *what, struct err *e)
{
	return err_set(e, ERR_INPUT, "member at byte %llu of the tar: %s",
		(unsigned long long)t->member.at, what);
}

/* The body of an extended header or a long name, of n bytes, and its padding. */
static int
read_body(struct tar *t, int64_t n, int64_t max, const char *what,
	struct buf *out, struct err *e)
{
	int r;

	if (n > max)
		return err_set(e, ERR_POLICY,
			"%s of %lld bytes at byte %llu of the tar, allowed are %lld",
			what, (long long)n, (unsigned long long)t->at,
			(long long)max);
	buf_clear(out);
	while (out->n < (size_t)n) {
		struct slice part;

		r = take(t, (uint64_t)n - out->n, &part, e);
		if (r <= 0)
			return r < 0 ? -1 : truncated(t, e);
		buf_slice(out, part);
	}
	return pass(t, (uint64_t)(-n & (TAR_BLOCK_SIZE - 1)), e);
}

static int
read_long_name(
	struct tar *t, int64_t n, struct buf *out, bool *has, struct err *e)
{
	if (read_body(t, n, PATH_MAX_BYTES + 1, "long name", out, e) < 0)
		return -1;
	out->n = strnlen(buf_text(out), out->n);
	*has = true;
	return 0;
}

/*
 * Headers that only tell of the next one: 1 when h was such a header and is
 * done with, 0 when it is a member.
 */
static int
read_meta(struct tar *t, const struct header *h, int64_t size, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf body = {0};
	CLEANUP(pax_fini)
	struct pax global = {0};
	struct pax *to = h->type == 'g' ? &global : &t->pax;
	int r;

	switch (h->type) {
	case 'L':
		r = read_long_name(t, size, &t->path, &t->has_long_path, e);
		return r < 0 ? -1 : 1;
	case 'K':
		r = read_long_name(t, size, &t->link, &t->has_long_link, e);
		return r < 0 ? -1 : 1;
	case 'x':
	case 'X': /* Solaris */
	case 'g':
		if (read_body(t, size, TAR_PAX_MAX, "extended header", &body,
			    e) < 0 ||
			pax_parse(to, buf_get(&body), e) < 0)
			return -1;
		/* Go, so Docker, forgets what a global header says, GNU tar
		 * does not: only comments mean the same to both. */
		if (global.has_any)
			return bad(
				t, "a global header that sets attributes", e);
		return 1;
	case 'V': /* GNU volume label */
		r = pass(t,
			(uint64_t)size +
				(-(uint64_t)size & (TAR_BLOCK_SIZE - 1)),
			e);
		return r < 0 ? -1 : 1;
	default:
		return 0;
	}
}

static int
set_type(struct tar *t, const struct header *h, struct err *e)
{
	static const struct {
		char c;
		enum tar_type type;
	} types[] = {
		{'0', TAR_FILE},
		{'\0', TAR_FILE},
		{'7', TAR_FILE},
		{'S', TAR_FILE},
		{'1', TAR_HARD_LINK},
		{'2', TAR_LINK},
		{'3', TAR_CHAR},
		{'4', TAR_BLOCK},
		{'5', TAR_DIR},
		{'D', TAR_DIR}, /* GNU, with a list of names */
		{'6', TAR_FIFO},
	};
	struct slice path = t->member.path;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].c != h->type)
			continue;
		t->member.type = types[i].type;
		/* V7 had no type for folders. */
		if (h->type == '\0' && path.n != 0 && path.p[path.n - 1] == '/')
			t->member.type = TAR_DIR;
		return 0;
	}
	return err_set(e, ERR_INPUT, "'%s': a member of type 0x%02x",
		shown_of(path).text, (unsigned char)h->type);
}

/* Names: an extended header's, else GNU's long ones, else the header's. */
static void
set_names(struct tar *t, const struct header *h)
{
	struct slice name = FIELD(h->name), prefix = FIELD(h->prefix);
	bool is_ustar = memcmp(h->magic,
				"ustar\0"
				"00",
				8) == 0;
	struct tar_member *m = &t->member;

	if (!t->has_long_path) {
		buf_clear(&t->path);
		if (is_ustar && prefix.n != 0) {
			buf_slice(&t->path, prefix);
			buf_char(&t->path, '/');
		}
		buf_slice(&t->path, name);
	}
	if (!t->has_long_link) {
		buf_clear(&t->link);
		buf_slice(&t->link, FIELD(h->link));
	}
	m->path = buf_get(&t->path);
	m->link = buf_get(&t->link);
	m->uname = memcmp(h->magic, "ustar", 5) == 0 ? FIELD(h->uname)
						     : slice_of("");
	m->gname = memcmp(h->magic, "ustar", 5) == 0 ? FIELD(h->gname)
						     : slice_of("");
}

static int
set_numbers(struct tar *t, const struct header *h, struct err *e)
{
	struct tar_member *m = &t->member;
	bool has_dev = m->type == TAR_CHAR || m->type == TAR_BLOCK;
	struct {
		const char *name, *p;
		size_t n;
		uint32_t *to;
		bool is_there;
	} f[] = {
		{"mode", h->mode, sizeof(h->mode), &m->mode, true},
		{"uid", h->uid, sizeof(h->uid), &m->uid, true},
		{"gid", h->gid, sizeof(h->gid), &m->gid, true},
		{"device", h->dev_major, sizeof(h->dev_major), &m->dev_major,
			has_dev},
		{"device", h->dev_minor, sizeof(h->dev_minor), &m->dev_minor,
			has_dev},
	};
	int64_t v;

	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		*f[i].to = 0;
		if (!f[i].is_there)
			continue;
		if (!number(f[i].p, f[i].n, &v) || v < 0 || v > UINT32_MAX)
			return err_set(e, ERR_INPUT, "'%s': bad %s",
				shown_of(m->path).text, f[i].name);
		*f[i].to = (uint32_t)v;
	}
	m->mode &= 07777;
	m->mtime_ns = 0;
	if (!number(h->mtime, sizeof(h->mtime), &m->mtime))
		return err_set(e, ERR_INPUT, "'%s': bad mtime",
			shown_of(m->path).text);
	return 0;
}

static int
add_span(struct tar *t, uint64_t offset, uint64_t size, struct err *e)
{
	struct pax_span span = {offset, size};

	if (t->spans.n / sizeof(span) >= PAX_SPANS_MAX)
		return err_set(e, ERR_POLICY,
			"'%s': sparse, in more than %d pieces",
			shown_of(t->member.path).text, PAX_SPANS_MAX);
	buf_add(&t->spans, &span, sizeof(span));
	return 0;
}

static int
add_old_spans(
	struct tar *t, const struct old_span *spans, size_t n, struct err *e)
{
	for (size_t i = 0; i < n && spans[i].offset[0] != '\0'; i++) {
		int64_t offset, size;

		if (!number(spans[i].offset, 12, &offset) ||
			!number(spans[i].size, 12, &size) || offset < 0 ||
			size < 0)
			return bad(t, "bad map of a sparse file", e);
		if (add_span(t, (uint64_t)offset, (uint64_t)size, e) < 0)
			return -1;
	}
	return 0;
}

/* GNU's own sparse format: the map is in the header and in blocks after. */
static int
read_old_map(struct tar *t, const struct header *h, struct err *e)
{
	struct sparse_header first;
	struct sparse_more more;
	bool is_extended;
	int64_t size;
	int r;

	memcpy(&first, h, sizeof(first));
	if (!number(first.real_size, sizeof(first.real_size), &size) ||
		size < 0)
		return bad(t, "bad size of a sparse file", e);
	if (add_old_spans(t, first.spans, ARRAY_LEN(first.spans), e) < 0)
		return -1;
	is_extended = first.is_extended != 0;
	while (is_extended) {
		r = take_all(t, &more, sizeof(more), e);
		if (r <= 0)
			return r < 0 ? -1 : truncated(t, e);
		if (add_old_spans(t, more.spans, ARRAY_LEN(more.spans), e) < 0)
			return -1;
		is_extended = more.is_extended != 0;
	}
	t->member.size = (uint64_t)size;
	t->is_sparse = true;
	return 0;
}

/* A decimal number and a newline of a map of format 1.0. */
static int
read_map_number(struct tar *t, uint64_t *out, struct err *e)
{
	uint64_t v = 0;
	size_t n = 0;
	struct slice c;
	int r;

	for (;; n++) {
		if (t->stored == 0 || n > 20)
			return bad(t, "bad map of a sparse file", e);
		r = take(t, 1, &c, e);
		if (r <= 0)
			return r < 0 ? -1 : truncated(t, e);
		t->stored--;
		if (c.p[0] == '\n' && n > 0)
			break;
		if (c.p[0] < '0' || c.p[0] > '9' || v > INT64_MAX / 10 - 10)
			return bad(t, "bad map of a sparse file", e);
		v = v * 10 + (uint64_t)(c.p[0] - '0');
	}
	*out = v;
	return 0;
}

/* GNU's sparse format 1.0: the map is at the front of the contents. */
static int
read_new_map(struct tar *t, struct err *e)
{
	uint64_t begin = t->at, n, offset, size, pad;

	if (read_map_number(t, &n, e) < 0)
		return -1;
	for (uint64_t i = 0; i < n; i++)
		if (read_map_number(t, &offset, e) < 0 ||
			read_map_number(t, &size, e) < 0 ||
			add_span(t, offset, size, e) < 0)
			return -1;
	pad = -(t->at - begin) & (TAR_BLOCK_SIZE - 1);
	if (pad > t->stored)
		return bad(t, "bad map of a sparse file", e);
	t->stored -= pad;
	return pass(t, pad, e);
}

/* What the extended headers say in place of the header. */
static int
set_pax(struct tar *t, int64_t *size, struct err *e)
{
	const struct pax *p = &t->pax;
	struct tar_member *m = &t->member;

	if (p->path.n != 0)
		m->path = p->path;
	if (p->link.n != 0)
		m->link = p->link;
	if (p->uname.n != 0)
		m->uname = p->uname;
	if (p->gname.n != 0)
		m->gname = p->gname;
	if (p->has_uid)
		m->uid = p->uid;
	if (p->has_gid)
		m->gid = p->gid;
	if (p->has_dev_major)
		m->dev_major = p->dev_major;
	if (p->has_dev_minor)
		m->dev_minor = p->dev_minor;
	if (p->has_mtime) {
		m->mtime = p->mtime;
		m->mtime_ns = p->mtime_ns;
	}
	if (p->has_size)
		*size = p->size;
	buf_clear(&t->xattrs);
	pax_print_xattrs(p, &t->xattrs);
	m->xattrs = buf_get(&t->xattrs);
	if (!p->is_sparse)
		return 0;
	if (m->type != TAR_FILE)
		return bad(t, "sparse, and no file", e);
	t->is_sparse = true;
	if (p->sparse_name.n != 0)
		m->path = p->sparse_name;
	m->size = p->sparse_size;
	for (size_t i = 0; i < p->n_spans; i++)
		if (add_span(t, p->spans[i].offset, p->spans[i].size, e) < 0)
			return -1;
	return 0;
}

/* The spans are in order, apart, inside the file, and are what is stored. */
static int
check_map(struct tar *t, struct err *e)
{
	const struct pax_span *spans = (const void *)t->spans.p;
	size_t n = t->spans.n / sizeof(*spans);
	uint64_t end = 0, stored = 0;

	for (size_t i = 0; i < n; i++) {
		if (spans[i].offset < end || spans[i].offset > t->member.size ||
			spans[i].size > t->member.size - spans[i].offset)
			return bad(t, "bad map of a sparse file", e);
		end = spans[i].offset + spans[i].size;
		stored += spans[i].size;
	}
	if (stored != t->stored)
		return bad(t,
			"the map of a sparse file is not of what is stored", e);
	return layer_spend(t->budget, t->member.size - stored, e);
}

static int
begin_member(struct tar *t, const struct header *h, int64_t size, struct err *e)
{
	struct tar_member *m = &t->member;

	t->spans.n = 0;
	t->is_sparse = false;
	t->next_span = 0;
	t->in_span = 0;
	t->pos = 0;
	set_names(t, h);
	if (set_type(t, h, e) < 0 || set_numbers(t, h, e) < 0)
		return -1;
	if (h->type == 'S' && read_old_map(t, h, e) < 0)
		return -1;
	if (set_pax(t, &size, e) < 0)
		return -1;
	/* As Go's archive/tar, so Docker: these have no contents, whatever
	 * size they tell.  GNU's 'D' has. */
	if (m->type != TAR_FILE && h->type != 'D')
		size = 0;
	t->stored = (uint64_t)size;
	t->pad = -(uint64_t)size & (TAR_BLOCK_SIZE - 1);
	if (t->pax.is_sparse && t->pax.sparse_major == 1 &&
		read_new_map(t, e) < 0)
		return -1;
	if (t->is_sparse)
		return check_map(t, e);
	m->size = m->type == TAR_FILE ? (uint64_t)size : 0;
	return 0;
}

int
tar_next(struct tar *t, const struct tar_member **out, struct err *e)
{
	struct header *h = &t->header;
	int64_t size;
	int r;

	if (t->is_ended)
		return 0;
	if (pass(t, t->stored, e) < 0 || pass(t, t->pad, e) < 0)
		return -1;
	t->stored = t->pad = 0;
	pax_reset(&t->pax);
	t->has_long_path = t->has_long_link = false;
	t->member.at = t->at;
	for (;;) {
		uint64_t here = t->at;

		r = take_all(t, h, sizeof(*h), e);
		if (r < 0)
			return -1;
		if (r == 0 || is_zeros(h)) {
			if (here != t->member.at)
				return bad(t, "a header that tells of none", e);
			t->has_mark = r != 0;
			t->is_ended = true;
			return 0;
		}
		if (!is_header(h))
			return err_set(e, ERR_INPUT,
				"no tar header at byte %llu of the tar",
				(unsigned long long)here);
		if (!number(h->size, sizeof(h->size), &size) || size < 0)
			return bad(t, "bad size", e);
		r = read_meta(t, h, size, e);
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		if (h->type == 'g' || h->type == 'V')
			t->member.at = t->at;
	}
	if (begin_member(t, h, size, e) < 0)
		return -1;
	*out = &t->member;
	return 1;
}

/* A piece of a hole. */
static int
give_zeros(struct tar *t, uint64_t n, struct slice *out)
{
	static const char zeros[1 << 16];

	*out = (struct slice){zeros, sizeof(zeros)};
	if (out->n > n)
		out->n = (size_t)n;
	t->pos += out->n;
	return 1;
}

static int
contents(void *arg, struct slice *out, struct err *e)
{
	struct tar *t = arg;
	const struct pax_span *spans = (const void *)t->spans.p;
	size_t n = t->spans.n / sizeof(*spans);
	uint64_t max = t->stored;
	int r;

	if (t->is_sparse) {
		while (t->in_span == 0 && t->next_span < n) {
			const struct pax_span *s = &spans[t->next_span];

			if (t->pos < s->offset)
				return give_zeros(t, s->offset - t->pos, out);
			t->in_span = s->size;
			t->next_span++;
		}
		if (t->in_span == 0)
			return t->pos < t->member.size
				? give_zeros(t, t->member.size - t->pos, out)
				: 0;
		max = t->in_span;
	}
	if (max == 0 || t->member.type != TAR_FILE)
		return 0;
	r = take(t, max, out, e);
	if (r <= 0)
		return r < 0 ? -1 : truncated(t, e);
	t->stored -= out->n;
	t->pos += out->n;
	if (t->is_sparse)
		t->in_span -= out->n;
	return 1;
}

struct layer_source
tar_contents(struct tar *t)
{
	return (struct layer_source){contents, t};
}

int
tar_finish(struct tar *t, bool is_strict, struct err *e)
{
	struct slice part;
	int r;

	if (is_strict && !t->has_mark)
		return err_set(e, ERR_INPUT,
			"truncated at byte %llu of the tar: it has no end",
			(unsigned long long)t->at);
	while ((r = take(t, UINT64_MAX, &part, e)) > 0)
		for (size_t i = 0; i < part.n; i++)
			if (part.p[i] != '\0')
				return err_set(e, ERR_INPUT,
					"something follows the end of the tar, byte %llu",
					(unsigned long long)(t->at - part.n +
						i));
	return r;
}

void
tar_free(struct tar *t)
{
	if (!t)
		return;
	pax_fini(&t->pax);
	buf_fini(&t->path);
	buf_fini(&t->link);
	buf_fini(&t->xattrs);
	buf_fini(&t->spans);
	free(t);
}

void
own_tar(struct tar **t)
{
	tar_free(*t);
}
