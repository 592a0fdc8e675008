/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_ALLOC_H
#define UB_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

/*
 * Allocation that ends the process (exit status 3, a line on stderr) when there
 * is no memory.  Sizes that come from input are checked against a named limit
 * before they reach these.  What is returned is freed by free(3).
 */
void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t n);
/* As realloc to count*size bytes, with the product checked. */
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
/* A NUL-terminated copy of n bytes. */
char *xmemdup0(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *fmt, va_list ap) PRINTF_LIKE(1, 0);

/*
 * Room for one more element in a vector: VEC_GROW(v, n, cap) grows v (of cap
 * elements, n used) so that v[n] exists.
 */
#define VEC_GROW(v, n, cap)                                            \
	do {                                                           \
		if ((n) == (cap)) {                                    \
			(cap) = (cap) ? (cap)*2 : 8;                   \
			(v) = xreallocarray((v), (cap), sizeof(*(v))); \
		}                                                      \
	} while (0)

/*
 * A place for many small things that are all freed together.  {0} is an empty
 * arena; what it gives lives until arena_fini.
 */
struct arena {
	struct arena_block *blocks;
	size_t used;  /* bytes handed out of the newest block */
	size_t size;  /* bytes in the newest block */
	size_t total; /* bytes handed out in all */
};

/* n bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n);
/* A NUL-terminated copy of n bytes (unaligned: packed tightly). */
char *arena_copy(struct arena *a, const void *p, size_t n);
void arena_fini(struct arena *a);

#endif
