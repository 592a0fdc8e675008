/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_TRUST_H
#define UB_REBUILD_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "rebuild/policy.h"

/*
 * One entry of a trust file.  A URL alone: whatever is there.  With an
 * introduction: that URL under that introduction.  An introduction alone: what
 * it introduces, wherever it is.  A signer alone: what it has introduced.
 */
struct trusted {
	const char *url;          /* NULL: any */
	const char *intro_commit; /* NULL: any; has a signer */
	const char *intro_signer; /* NULL: any, or no introduction */
};

/* What trust_load gave.  Strings live in arena. */
struct trust {
	struct trusted *list;
	size_t n, cap;
	struct arena arena;
};

enum {
	TRUST_FILE_BYTES = 1 << 20, /* of a trust file */
	TRUST_ENTRIES = 10000       /* in a trust file */
};

/* The same fingerprint, spaces and case apart. */
bool trust_signer_eq(const char *a, const char *b);

#endif
