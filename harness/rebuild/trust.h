/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_TRUST_H
#define UB_REBUILD_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "rebuild/policy.h"

/* One channel of the trust list.  Without a commit, any introduction does. */
struct trusted {
	const char *url;
	const char *intro_commit; /* NULL, together with the signer */
	const char *intro_signer;
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

/* The built-in part of the list; *n is how many there are. */
const struct trusted *trust_builtin(size_t *n);
/* The same fingerprint, spaces and case apart. */
bool trust_signer_eq(const char *a, const char *b);

#endif
