/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_PACK_H
#define UB_STORE_PACK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Text made small: a zlib stream (RFC 1950), made piece by piece.
 *
 *	CLEANUP(own_pack) struct pack *p = pack_new();
 *	pack_add(p, piece);
 *	struct slice small = pack_end(p);     p's own; nothing may be added after
 */
struct pack;

struct pack *pack_new(void);
void pack_add(struct pack *p, struct slice s);
struct slice pack_end(struct pack *p);
/* Bytes that were added. */
size_t pack_bytes(const struct pack *p);
void own_pack(struct pack **p);

enum {
	PACK_UNDO_MAX =
		64 << 20 /* bytes; more is refused, whatever is claimed */
};
/*
 * Append the text of a stream that holds exactly n bytes of it.  ERR_HOST for
 * anything else: what we packed has changed on the disk.
 */
int pack_undo(struct slice packed, size_t n, struct buf *out,
	struct err *e) NODISCARD;

#endif
