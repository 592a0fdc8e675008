/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was read prints, and what was printed reads back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/sexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena a = {0};
	struct buf text = {0};
	struct err e = {0};
	const struct sexp *all =
		sexp_parse(&a, (struct slice){(const char *)data, len}, &e);

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
