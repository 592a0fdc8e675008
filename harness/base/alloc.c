/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	max_align_t bytes[];
};

enum {
	ARENA_BLOCK = 64 * 1024
};

static void *
must(void *p)
{
	if (!p) {
		fputs("unblend: out of memory\n", stderr);
		exit(3);
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return must(malloc(n ? n : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size ? size : 1));
}

void *
xrealloc(void *p, size_t n)
{
	return must(realloc(p, n ? n : 1));
}

void *
xreallocarray(void *p, size_t count, size_t size)
{
	return must(reallocarray(p, count ? count : 1, size ? size : 1));
}

char *
xstrdup(const char *s)
{
	return must(strdup(s));
}

char *
xmemdup0(const void *p, size_t n)
{
	char *copy = xmalloc(n + 1);

	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	return must(vasprintf(&s, fmt, ap) < 0 ? NULL : s);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

static char *
arena_take(struct arena *a, size_t n, size_t align)
{
	size_t at = (a->used + align - 1) / align * align;

	if (!a->blocks || at > a->size || n > a->size - at) {
		size_t size = n > ARENA_BLOCK ? n : ARENA_BLOCK;
		struct arena_block *b = xmalloc(sizeof(*b) + size);

		b->next = a->blocks;
		a->blocks = b;
		a->size = size;
		at = 0;
	}
	a->used = at + n;
	a->total += n;
	return (char *)a->blocks->bytes + at;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(arena_take(a, n, sizeof(max_align_t)), 0, n);
}

char *
arena_copy(struct arena *a, const void *p, size_t n)
{
	char *copy = arena_take(a, n + 1, 1);

	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

void
arena_fini(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	*a = (struct arena){0};
}
