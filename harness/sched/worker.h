/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_WORKER_H
#define UB_SCHED_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/err.h"
#include "compare/compare.h"
#include "image/image.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"
#include "sched/job.h"
#include "sched/result.h"
#include "store/record.h"

/* All that a worker gathers of one image on its way to a verdict. */
struct attempt {
	struct job job; /* of the image's own folder */
	const volatile int *stop;
	const struct digest *pinned; /* of the image, read before; NULL */
	struct record record;
	struct image *image;
	struct provenance *provenance;
	struct recipe *recipe;
	struct result result; /* of the rebuild; zeroed where there was none */
	const struct image *rebuilt; /* borrowed */
	struct comparison comparison;
	bool has_comparison;
	const char *const *notes; /* on what differs */
	size_t n_notes;

	/* the end, once a step gave 1 */
	enum verdict verdict;
	const char *class_;
	const char *cause;
	const char *advice;
	const char *again; /* class of what may pass; NULL: nothing */
	struct arena arena;
};

/* The verdict is found: the value of a step that ends the way.  class_ is
 * borrowed, the others, which may be NULL, are copied. */
int worker_judge(struct attempt *a, enum verdict verdict, const char *class_,
	const char *cause, const char *advice);
/*
 * The first steps: from the image's file to its recipe, into a and its record.
 * 0 to go on, 1 when there is a verdict, -1; what the machine failed at is a
 * verdict already, so that -1 is ERR_BUG.
 */
int worker_read(struct attempt *a, struct err *e) NODISCARD;
/* Record the recipe, where it is a whole one. */
void worker_record_recipe(struct attempt *a);
/* A line for the parent. */
void worker_say(const char *what, const char *name);
/* That of a stage, as rebuild_options.stage. */
void worker_stage(void *arg, const char *stage);
void worker_fini(struct attempt *a);

/*
 * What is kept of the reading for the comparison: a file "read" in the image's
 * folder.  "same" beside it has the lines of the spool that say of a rebuilt
 * file with the image's own bytes what it is.
 */
struct worker_read {
	struct digest sha256; /* of the image file */
	int64_t spool_bytes;  /* what reading put into the spool */
	int64_t started_s, elapsed_ms;
	const char *profile; /* that the recipe must give; NULL: not known */
};
int worker_read_load(const char *work, struct arena *a, struct worker_read *out,
	struct err *e) NODISCARD;

/* judge.c: hold images against what was built; as worker_run. */
int judge_run(const struct job *job, const volatile int *stop, struct err *e);

#endif
