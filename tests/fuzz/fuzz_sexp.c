/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was read prints, and what was printed reads back the same; an outline
 * leads to the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/sexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_outline(struct arena *a, struct slice in, const struct sexp *all)
{
	struct err e = {0};
	const struct sexp *outline = sexp_outline(a, in, &e);
	const struct sexp *o = outline ? outline->first : NULL;

	if (!outline != !all)
		abort();
	SEXP_FOREACH(list, all) {
		const struct sexp *y = o->type == SEXP_LIST ? o->first : NULL;

		SEXP_FOREACH(x,
			list->type == SEXP_LIST && !sexp_is(list, "quote")
				? list
				: NULL) {
			const struct sexp *whole = sexp_whole(a, in, y, &e);

			if (!sexp_eq(whole, x) || whole->line != x->line ||
				whole->column != x->column)
				abort();
			y = y->next;
		}
		o = o->next;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena a = {0};
	struct buf text = {0};
	struct err e = {0};
	const struct sexp *all =
		sexp_parse(&a, (struct slice){(const char *)data, len}, &e);

	check_outline(&a, (struct slice){(const char *)data, len}, all);
	SEXP_FOREACH(x, all) {
		const struct sexp *again;

		buf_clear(&text);
		sexp_print(&text, x);
		again = sexp_parse(&a, buf_get(&text), &e);
		if (!again || !sexp_eq(again->first, x))
			abort();
	}
	buf_fini(&text);
	arena_fini(&a);
	return 0;
}
