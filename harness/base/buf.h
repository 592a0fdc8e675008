/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_BUF_H
#define UB_BASE_BUF_H

#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"

/* Bytes that grow.  {0} is empty.  p is NUL-terminated once anything is in. */
struct buf {
	char *p;
	size_t n;
	size_t cap;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_char(struct buf *b, char c);
void buf_str(struct buf *b, const char *s);
void buf_slice(struct buf *b, struct slice s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Forget the contents, keep the memory. */
void buf_clear(struct buf *b);
/* The text, "" when empty; owned by b, valid until b changes. */
const char *buf_text(const struct buf *b);
/* The text as the caller's own string; b is empty after. */
char *buf_take(struct buf *b);
void buf_fini(struct buf *b);

static inline struct slice
buf_get(const struct buf *b)
{
	return (struct slice){b->p ? b->p : "", b->n};
}

#endif
