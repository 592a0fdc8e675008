/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/gunzip.h"

#include <isa-l/igzip_lib.h>

#include "base/alloc.h"
#include "base/attr.h"

enum {
	/* Large for ISA-L, which copies 32 KiB of each for what may refer
	 * back to them; small for the second cache, where they are digested. */
	BLOCK = 1 << 18,
	MAGIC = 0x1f,   /* the first byte of a member */
	RESERVED = 0xe0 /* flags that RFC 1952 gives no meaning */
};

struct gunzip {
	struct layer_source from;
	struct inflate_state state;
	struct isal_gzip_header header;
	uint8_t *block;
	uint64_t taken; /* bytes pulled so far, those still unread too */
	enum {
		AT_START,  /* of a member, or at the end of all */
		IN_HEADER, /* of a member */
		IN_MEMBER,
		AT_END
	} at;
	bool has_more; /* to give, without another byte of from */
};

struct gunzip *
gunzip_new(struct layer_source from)
{
	struct gunzip *g = xcalloc(1, sizeof(*g));

	g->from = from;
	g->block = xmalloc(BLOCK);
	isal_inflate_init(&g->state);
	return g;
}

static int
damaged(const struct gunzip *g, const char *why, struct err *e)
{
	return err_set(e, ERR_INPUT,
		"truncated or damaged gzip data near byte %llu: %s",
		(unsigned long long)(g->taken - g->state.avail_in), why);
}

/* Why ISA-L stopped. */
static int
refused(const struct gunzip *g, int result, struct err *e)
{
	static const struct {
		int result;
		const char *why;
	} reasons[] = {
		{ISAL_INVALID_BLOCK, "invalid block"},
		{ISAL_INVALID_SYMBOL, "invalid code"},
		{ISAL_INVALID_LOOKBACK, "it refers to what is before it"},
		{ISAL_INVALID_WRAPPER, "invalid header"},
		{ISAL_UNSUPPORTED_METHOD, "unknown method of compression"},
		{ISAL_INCORRECT_CHECKSUM, "wrong checksum or length"},
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].result == result)
			return damaged(g, reasons[i].why, e);
	return damaged(g, "no reason given", e);
}

/* More bytes for ISA-L: 1, 0 at the end of from, -1. */
static int
fill(struct gunzip *g, struct err *e)
{
	struct slice got;
	int r;

	if (g->state.avail_in > 0)
		return 1;
	r = layer_pull(g->from, &got, e);
	if (r <= 0)
		return r;
	/* It only reads them. */
	g->state.next_in = (uint8_t *)(uintptr_t)got.p;
	g->state.avail_in = (uint32_t)got.n;
	g->taken += got.n;
	return 1;
}

static bool
is_zeros(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* What is behind the last member. */
static int
check_rest(struct gunzip *g, struct err *e)
{
	uint64_t end = g->taken - g->state.avail_in;
	bool is_zero = true;
	int r;

	/* To the end all the same, for who digests what from gives. */
	while ((r = fill(g, e)) > 0) {
		is_zero = is_zero &&
			is_zeros(g->state.next_in, g->state.avail_in);
		g->state.avail_in = 0;
	}
	if (r == 0 && !is_zero)
		return err_set(e, ERR_INPUT,
			"something follows the end of the gzip data, byte %llu",
			(unsigned long long)end);
	if (r == 0)
		g->at = AT_END;
	return r;
}

static int
begin_member(struct gunzip *g, struct err *e)
{
	int r = fill(g, e);

	if (r < 0)
		return -1;
	if (r == 0 || g->state.next_in[0] != MAGIC)
		return check_rest(g, e);
	isal_inflate_reset(&g->state);
	isal_gzip_header_init(&g->header);
	g->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
	g->at = IN_HEADER;
	return 1;
}

/* Its flags outlive a header that is in several blocks; ISA-L's own reading of
 * one on the way does not remember them. */
static int
read_header(struct gunzip *g, struct err *e)
{
	int r = fill(g, e);

	if (r <= 0)
		return r < 0 ? -1 : damaged(g, "it ends in a header", e);
	r = isal_read_gzip_header(&g->state, &g->header);
	if (r < 0)
		return refused(g, r, e);
	if (r == ISAL_DECOMP_OK) {
		if (g->header.flags & RESERVED)
			return damaged(g, "unknown flags in a header", e);
		g->at = IN_MEMBER;
		g->has_more = false;
	}
	return 1;
}

/* A block of the member; *n is 0 when it takes more bytes for one. */
static int
inflate(struct gunzip *g, size_t *n, struct err *e)
{
	int r;

	if (!g->has_more && (r = fill(g, e)) <= 0)
		return r < 0 ? -1 : damaged(g, "it ends too early", e);
	g->state.next_out = g->block;
	g->state.avail_out = BLOCK;
	r = isal_inflate(&g->state);
	if (r != ISAL_DECOMP_OK)
		return refused(g, r, e);
	*n = BLOCK - g->state.avail_out;
	g->has_more = g->state.avail_out == 0;
	if (g->state.block_state == ISAL_BLOCK_FINISH)
		g->at = AT_START;
	return 1;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct gunzip *g = arg;
	size_t n = 0;
	int r = 1;

	while (r > 0 && n == 0) {
		switch (g->at) {
		case AT_START:
			r = begin_member(g, e);
			break;
		case IN_HEADER:
			r = read_header(g, e);
			break;
		case IN_MEMBER:
			r = inflate(g, &n, e);
			break;
		case AT_END:
		default:
			return 0;
		}
	}
	*out = (struct slice){(const char *)g->block, n};
	return r;
}

struct layer_source
gunzip_source(struct gunzip *g)
{
	return (struct layer_source){block, g};
}

void
gunzip_free(struct gunzip *g)
{
	if (!g)
		return;
	free(g->block);
	free(g);
}
