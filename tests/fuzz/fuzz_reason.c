/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why two contents differ: what is before and after the first "\n--\n". */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
has_any(const struct reasons *r)
{
	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (r->is[i])
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char mark[] = "\n--\n";
	const char *text = (const char *)data;
	const char *at = memmem(text, len, mark, sizeof(mark) - 1);
	size_t n = at ? (size_t)(at - text) : len;
	size_t from = at ? n + sizeof(mark) - 1 : len;
	/* Of their own, so that a byte beyond the end is found. */
	CLEANUP(own_free)
	char *a = xmalloc(n ? n : 1);
	CLEANUP(own_free)
	char *b = xmalloc(len - from ? len - from : 1);
	CLEANUP(buf_fini)
	struct buf words = {0};
	CLEANUP(buf_fini)
	struct buf phrase = {0};
	struct slice sa = {a, n}, sb = {b, len - from};
	struct reasons one, other;

	memcpy(a, text, n);
	memcpy(b, text + from, len - from);
	reason_find(sa, sb, &one);
	reason_find(sb, sa, &other);
	if (memcmp(&one, &other, sizeof(one)) != 0)
		abort();
	if (slice_eq(sa, sb) ? has_any(&one) : one.is_whole && !has_any(&one))
		abort();
	reason_print(&one, &words);
	reason_phrase(buf_text(&words), &phrase);
	if ((words.n > 0) != has_any(&one) || (phrase.n > 0) != (words.n > 0))
		abort();
	return 0;
}
