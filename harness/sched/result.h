/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_RESULT_H
#define UB_SCHED_RESULT_H

#include <stdbool.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "rebuild/rebuild.h"

/*
 * What came of a request: a file "rebuilt" in the request's folder, that the
 * comparisons of all its images read.  It appears whole or not at all.
 */
struct result {
	struct rebuild rebuild;
	struct digest sha256; /* of the artefact, hashed when it was built */
	bool has_sha256;
};

enum {
	RESULT_MAX = 64 << 20 /* bytes of the file */
};

int result_write(
	const char *folder, const struct result *r, struct err *e) NODISCARD;
/* The rebuild has an arena of its own: result_fini. */
int
result_read(const char *folder, struct result *out, struct err *e) NODISCARD;
void result_fini(struct result *r);
/* Is there one? */
bool result_is(const char *folder);

/*
 * A file "lowered" in the same folder: what the recipe leads to, found together
 * with others.  note says so and may be NULL; strings live in the arena.
 */
struct result_lowered {
	struct lowered lowered;
	const char *note;
	struct commit_date *dates; /* of the channels */
	size_t n_dates;
};
int result_lowered_write(const char *folder, const struct result_lowered *l,
	struct err *e) NODISCARD;
/* 1, or 0 when there is none. */
int result_lowered_read(const char *folder, struct arena *a,
	struct result_lowered *out, struct err *e) NODISCARD;

#endif
