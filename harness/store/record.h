/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_RECORD_H
#define UB_STORE_RECORD_H

#include <stdio.h>

#include "base/err.h"
#include "compare/compare.h"
#include "image/image.h"
#include "provenance/provenance.h"
#include "rebuild/rebuild.h"
#include "recipe/recipe.h"

/*
 * What a worker tells of one attempt: lines of JSON, each an object whose
 * member "r" says what it is, in a file (the spool) that the parent takes into
 * the database by store_attempt_load.  A line has at most RECORD_LINE_MAX
 * bytes.  Written as each stage ends, the verdict last; a spool without it is
 * that of a worker that died.
 */
enum {
	RECORD_LINE_MAX = 16 << 20
};

struct record {
	FILE *f;
};

int record_open(struct record *r, const char *spool, struct err *e) NODISCARD;
void record_image(struct record *r, const struct image *image);
void record_provenance(struct record *r, const struct provenance *p);
void record_recipe(
	struct record *r, const struct recipe *recipe, const char *command);
void record_rebuild(struct record *r, const struct rebuild *rebuild);
/* Layers and digests of the rebuilt file, and what differs. */
void record_comparison(struct record *r, const struct image *rebuilt,
	const struct comparison *c);
/* The end: why and advice may be NULL.  Flushes and closes; ERR_HOST when
 * anything could not be written. */
int record_verdict(struct record *r, enum verdict verdict, const char *class_,
	const char *cause, const char *advice, int64_t started_s,
	int64_t elapsed_ms, struct err *e) NODISCARD;
/* Close without a verdict; nothing when closed. */
void record_drop(struct record *r);

#endif
