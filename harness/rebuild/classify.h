/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_CLASSIFY_H
#define UB_REBUILD_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/slice.h"
#include "rebuild/rebuild.h"

/* What was done when it failed: the same message means different things. */
enum step {
	STEP_MIRROR,   /* git, by us */
	STEP_INSTANCE, /* Guix of the channels: authentication, their build */
	STEP_LOWER,    /* pack -d */
	STEP_BUILD     /* the pack and what it needs */
};

/* Why a step failed.  Strings live in the arena given; NULL where unknown. */
struct diagnosis {
	enum rebuild_end end;
	const char *class_;     /* stable word, never NULL */
	const char *cause;      /* one sentence, never NULL */
	const char *advice;     /* one sentence; NULL only from mirror_get */
	const char *failed_drv; /* the first one that failed */
	const char *log_file;   /* of its build, as Guix named it */
	const char *lines;      /* the decisive ones, at most CLASSIFY_LINES */
};

enum {
	CLASSIFY_LINES = 20,
	CLASSIFY_LINE_BYTES = 1000 /* of each of them */
};

/*
 * Pure: from what a failed command wrote on stderr, to why it failed.  Where
 * nothing is known of it, the class is that of the step ("instance-failed",
 * "lower-failed", "build-failed") and the cause its last line.
 */
void classify(struct arena *a, enum step step, struct slice log,
	struct diagnosis *out);

/*
 * Pure: the log of the failed build itself, which may hold what makes another
 * class of it (the disk was full, its tests failed, a date has passed), into
 * lines: those that decide.  is_source: the derivation is a download.
 */
void classify_build_log(
	struct arena *a, bool is_source, struct slice log, struct diagnosis *d);

/*
 * Pure: can the same, tried again on the same machine, end otherwise, and nobody
 * has changed the recipe?  Of a class of any diagnosis or of rebuild.h.
 */
bool classify_may_pass(const char *class_);

/* Pure: a file that Guix may have named as the log of drv; nothing else is
 * opened on its word. */
bool classify_is_log_of(const char *log_file, const char *drv);

/* The last n lines of log, cleaned, joined by newlines. */
const char *classify_last_lines(struct arena *a, struct slice log, size_t n);

#endif
