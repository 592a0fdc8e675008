/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/words.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/text.h"

static void
append(struct words *w, const char *s, size_t n)
{
	VEC_GROW(w->v, w->n, w->cap);
	w->v[w->n++] = arena_copy(w->arena, s, n);
}

void
words_add(struct words *w, const char *s)
{
	append(w, s, strlen(s));
}

void
words_say(struct words *w, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *raw = NULL;
	CLEANUP(buf_fini)
	struct buf clean = {0};
	va_list ap;

	va_start(ap, fmt);
	raw = xvasprintf(fmt, ap);
	va_end(ap);
	text_clean(&clean, slice_of(raw), TEXT_ONE_LINE);
	append(w, buf_text(&clean), clean.n);
}

bool
words_has(const struct words *w, const char *s)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->v[i], s) == 0)
			return true;
	}
	return false;
}

const char *const *
words_take(struct words *w)
{
	const char **v = arena_alloc(w->arena, (w->n + 1) * sizeof(*v));

	for (size_t i = 0; i < w->n; i++)
		v[i] = w->v[i];
	words_fini(w);
	return v;
}

void
words_fini(struct words *w)
{
	free(w->v);
	w->v = NULL;
	w->n = w->cap = 0;
}
