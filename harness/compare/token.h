/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_TOKEN_H
#define UB_COMPARE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "compare/reason.h"

/* A content that is read token by token. */
struct token_scan {
	struct slice s;
	size_t at;
	/* a field ahead that its format says is of this reason */
	size_t from, to;
	enum reason is;
	size_t header; /* of the next member of an ar archive; 0: is none */
	bool is_zip;
};

/* What stands at a place; is REASON_COUNT: a byte that means nothing by itself. */
struct token {
	enum reason is;
	size_t n;
};

/* Begin at the first byte of a content, which is borrowed. */
void token_begin(struct token_scan *s, struct slice content);
/* The token at s->at, which is not the end; the caller moves on. */
struct token token_next(struct token_scan *s);

#endif
