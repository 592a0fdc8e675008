/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_WORDS_H
#define UB_BASE_WORDS_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/slice.h"

/*
 * A list of strings in the making.  The strings live in arena, which is the
 * caller's; the list itself is freed by words_fini, or becomes the arena's by
 * words_take.  {.arena = a} is empty.
 */
struct words {
	struct arena *arena;
	const char **v;
	size_t n, cap;
};

/* A copy of s as it is. */
void words_add(struct words *w, const char *s);
/* A formatted sentence for a reader, one line, cleaned by text_clean. */
void words_say(struct words *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Has it a string equal to s? */
bool words_has(const struct words *w, const char *s);
/* The n strings and a NULL after them, in the arena; w is empty after. */
const char *const *words_take(struct words *w);
void words_fini(struct words *w);

#endif
