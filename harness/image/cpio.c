/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/cpio.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/bytes.h"

enum {
	HEADER_BYTES = 110,
	DIGITS = 8
};

/* The numbers after the magic, in their order. */
enum field {
	INODE,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	SIZE,
	DEV_MAJOR,
	DEV_MINOR,
	RDEV_MAJOR,
	RDEV_MINOR,
	NAME_SIZE,
	CHECK,
	FIELDS
};

static const char trailer[] = "TRAILER!!!";

struct cpio {
	struct bytes bytes;
	struct tar_member member;
	struct buf name, link;
	uint64_t left; /* of the contents, not pulled yet */
	bool is_ended;
};

struct cpio *
cpio_new(struct layer_source from)
{
	struct cpio *c = xcalloc(1, sizeof(*c));

	c->bytes.from = from;
	return c;
}

static int
skip_padding(struct cpio *c, struct err *e)
{
	return bytes_skip(&c->bytes, (4 - c->bytes.at % 4) % 4, e);
}

static bool
parse_field(const char *p, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < DIGITS; i++) {
		char ch = p[i];
		uint32_t digit;

		if (ch >= '0' && ch <= '9')
			digit = (uint32_t)(ch - '0');
		else if (ch >= 'A' && ch <= 'F')
			digit = (uint32_t)(ch - 'A') + 10;
		else if (ch >= 'a' && ch <= 'f')
			digit = (uint32_t)(ch - 'a') + 10;
		else
			return false;
		*out = *out << 4 | digit;
	}
	return true;
}

static int
malformed(const struct cpio *c, const char *what, struct err *e)
{
	return err_set(e, ERR_INPUT, "%s in the cpio archive near byte %llu",
		what, (unsigned long long)c->bytes.at);
}

static int
read_text(struct cpio *c, struct buf *out, uint32_t n, struct err *e)
{
	char text[PATH_MAX_BYTES];

	if (n > sizeof(text))
		return malformed(c, "a name that is too long", e);
	if (bytes_read(&c->bytes, text, n, e) < 0 || skip_padding(c, e) < 0)
		return -1;
	buf_clear(out);
	buf_add(out, text, n);
	return 0;
}

static int
set_type(struct cpio *c, const uint32_t *v, struct err *e)
{
	static const struct {
		uint32_t bits;
		enum tar_type type;
	} types[] = {
		{S_IFREG, TAR_FILE},
		{S_IFDIR, TAR_DIR},
		{S_IFLNK, TAR_LINK},
		{S_IFCHR, TAR_CHAR},
		{S_IFBLK, TAR_BLOCK},
		{S_IFIFO, TAR_FIFO},
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].bits != (v[MODE] & S_IFMT))
			continue;
		c->member.type = types[i].type;
		if (v[SIZE] != 0 && types[i].type != TAR_FILE &&
			types[i].type != TAR_LINK)
			return malformed(c, "contents of what is no file", e);
		if (types[i].type == TAR_FILE && v[NLINK] > 1 && v[SIZE] == 0)
			return malformed(c,
				"a file whose contents are at another name", e);
		return 0;
	}
	return malformed(c, "a member of an unknown type", e);
}

static int
read_header(struct cpio *c, uint32_t *v, struct err *e)
{
	char header[HEADER_BYTES];

	if (bytes_read(&c->bytes, header, sizeof(header), e) < 0)
		return -1;
	if (memcmp(header, "070701", 6) != 0)
		return malformed(c, "no header of a member", e);
	for (int i = 0; i < FIELDS; i++)
		if (!parse_field(header + 6 + i * DIGITS, &v[i]))
			return malformed(c, "a number that is none", e);
	if (v[NAME_SIZE] < 2)
		return malformed(c, "a member without a name", e);
	return 0;
}

int
cpio_next(struct cpio *c, const struct tar_member **out, struct err *e)
{
	uint32_t v[FIELDS];

	if (c->is_ended)
		return 0;
	if (bytes_skip(&c->bytes, c->left, e) < 0 || skip_padding(c, e) < 0)
		return -1;
	c->left = 0;
	if (read_header(c, v, e) < 0 ||
		read_text(c, &c->name, v[NAME_SIZE], e) < 0)
		return -1;
	if (c->name.p[--c->name.n] != '\0' ||
		memchr(c->name.p, '\0', c->name.n))
		return malformed(c, "a name with a NUL", e);
	if (slice_is(buf_get(&c->name), trailer)) {
		c->is_ended = true;
		return 0;
	}
	c->member = (struct tar_member){
		.path = buf_get(&c->name),
		.mtime = v[MTIME],
		.mode = v[MODE] & 07777,
		.uid = v[UID],
		.gid = v[GID],
		.at = c->bytes.at,
	};
	if (set_type(c, v, e) < 0)
		return -1;
	if (c->member.type == TAR_FILE) {
		c->member.size = c->left = v[SIZE];
	} else if (c->member.type == TAR_LINK) {
		if (read_text(c, &c->link, v[SIZE], e) < 0)
			return -1;
		c->member.link = buf_get(&c->link);
	} else if (c->member.type != TAR_DIR) {
		c->member.dev_major = v[RDEV_MAJOR];
		c->member.dev_minor = v[RDEV_MINOR];
	}
	*out = &c->member;
	return 1;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct cpio *c = arg;
	int r = bytes_pull(&c->bytes, c->left, out, e);

	if (r == 0 && c->left > 0)
		return malformed(c, "truncated contents", e);
	if (r > 0)
		c->left -= out->n;
	return r;
}

struct layer_source
cpio_contents(struct cpio *c)
{
	return (struct layer_source){block, c};
}

int
cpio_finish(struct cpio *c, struct err *e)
{
	struct slice part;
	int r;

	while ((r = bytes_pull(&c->bytes, UINT64_MAX, &part, e)) > 0)
		for (size_t i = 0; i < part.n; i++)
			if (part.p[i] != '\0')
				return malformed(
					c, "something after the trailer", e);
	return r;
}

void
cpio_free(struct cpio *c)
{
	if (!c)
		return;
	buf_fini(&c->name);
	buf_fini(&c->link);
	free(c);
}

void
own_cpio(struct cpio **c)
{
	cpio_free(*c);
}
