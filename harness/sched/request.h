/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_REQUEST_H
#define UB_SCHED_REQUEST_H

#include <stdbool.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "rebuild/rebuild.h"
#include "recipe/recipe.h"
#include "sched/job.h"

/*
 * What is to be rebuilt: a file "request" that the reader of an image leaves in
 * its job's folder.  Its bytes are all that the rebuild depends on, and nothing
 * else of the image, so that images with the same bytes share one rebuild.
 */
struct request {
	struct recipe recipe;
	const char *image_name; /* "HASH-NAME"; NULL: not named by a store */
	enum depth depth;
	struct limits limits;
	bool is_fixed; /* the options are given */
};

enum {
	REQUEST_MAX = 16 << 20 /* bytes of a request */
};

/* Write that of the recipe into folder job->work; image_name is the file's. */
int request_write(const struct job *job, const struct recipe *r,
	const char *image_name, struct err *e) NODISCARD;
/* Read the one of this folder; strings live in the arena.  The recipe has what
 * a rebuild looks at, and no more. */
int request_read(const char *work, struct arena *a, struct request *out,
	struct err *e) NODISCARD;

/*
 * What tells it from others, and the lane (set of channels) that it names.  Of
 * the bytes alone, which are believed in nothing.  ERR_INPUT when it is none.
 */
struct request_key {
	struct digest key, lane;
};
int
request_key(const char *work, struct request_key *out, struct err *e) NODISCARD;

/* Could a be lowered in one process of Guix with b? */
bool request_is_near(const struct request *a, const struct request *b);

#endif
