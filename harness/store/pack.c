/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/pack.h"

#include <limits.h>

#define ZLIB_CONST /* next_in is only read */
#include <zlib.h>

#include "base/alloc.h"

struct pack {
	z_stream z;
	size_t n;
	struct buf out;
};

enum {
	STEP = 64 << 10
};

static void *
grab(void *unused, unsigned count, unsigned size)
{
	(void)unused;
	return xcalloc(count, size);
}

static void
drop(void *unused, void *p)
{
	(void)unused;
	free(p);
}

struct pack *
pack_new(void)
{
	struct pack *p = xcalloc(1, sizeof(*p));

	/* Memory is had or the process ends, and the level is right: this
	 * cannot fail. */
	p->z.zalloc = grab;
	p->z.zfree = drop;
	if (deflateInit(&p->z, Z_DEFAULT_COMPRESSION) != Z_OK)
		abort();
	return p;
}

static void
push(struct pack *p, int flush)
{
	unsigned char room[STEP];

	do {
		p->z.next_out = room;
		p->z.avail_out = sizeof(room);
		(void)deflate(&p->z, flush);
		buf_add(&p->out, room, sizeof(room) - p->z.avail_out);
	} while (p->z.avail_out == 0);
}

void
pack_add(struct pack *p, struct slice s)
{
	p->n += s.n;
	for (size_t n; s.n > 0; s.p += n, s.n -= n) {
		n = s.n < INT_MAX ? s.n : INT_MAX;
		p->z.next_in = (const Bytef *)s.p;
		p->z.avail_in = (uInt)n;
		push(p, Z_NO_FLUSH);
	}
}

struct slice
pack_end(struct pack *p)
{
	p->z.next_in = NULL;
	p->z.avail_in = 0;
	push(p, Z_FINISH);
	return buf_get(&p->out);
}

size_t
pack_bytes(const struct pack *p)
{
	return p->n;
}

void
own_pack(struct pack **p)
{
	if (!*p)
		return;
	deflateEnd(&(*p)->z);
	buf_fini(&(*p)->out);
	free(*p);
}

int
pack_undo(struct slice packed, size_t n, struct buf *out, struct err *e)
{
	CLEANUP(own_free)
	unsigned char *room = NULL;
	uLongf got = (uLongf)n;

	if (n > PACK_UNDO_MAX)
		return err_set(e, ERR_HOST,
			"packed text of %zu bytes, at most "
			"%d are allowed",
			n, PACK_UNDO_MAX);
	/* One byte more than none, for a place to point to. */
	room = xmalloc(n + 1);
	if (uncompress(room, &got, (const Bytef *)packed.p, (uLong)packed.n) !=
			Z_OK ||
		got != n)
		return err_set(e, ERR_HOST,
			"packed text is damaged: %zu bytes do not give %zu",
			packed.n, n);
	buf_add(out, room, n);
	return 0;
}
