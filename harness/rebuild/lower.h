/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_LOWER_H
#define UB_REBUILD_LOWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "rebuild/task.h"

/* A recipe that is lowered, and what came of it.  Strings live in the task's
 * arena; NULL where it is not known. */
struct lowering {
	const char *const *options; /* of guix pack; borrowed */
	size_t n_options;
	const char *manifest; /* path of the file; borrowed */

	const char *drv;     /* of the pack; NULL: it failed */
	const char *path;    /* of its output */
	const char *profile; /* that the pack takes in */
	struct slice log;    /* what was said on stderr */
};

/*
 * Lower one recipe by `guix pack -d'.  1: it ran, and v->drv tells whether that
 * was good; 0, -1 as the task's steps.
 */
int lower_one(struct task *t, struct lowering *v, struct err *e) NODISCARD;
/*
 * Lower n of them in one process of Guix, where that Guix can; in one each
 * otherwise, as long as there is time.
 */
int lower_all(
	struct task *t, struct lowering *v, size_t n, struct err *e) NODISCARD;

/* Pure: the data of lower.scm: a list of lists of strings, each NULL-ended.
 * ERR_INPUT when a word is not UTF-8. */
int lower_data(const char *const *const *commands, size_t n, struct buf *out,
	struct err *e) NODISCARD;
/* Pure: what stands after the line "MARK N", up to the next "MARK "; false when
 * there is no such line. */
bool
lower_section(struct slice text, const char *mark, size_t n, struct slice *out);
/* Pure: could Guix not go on without a build, which was not allowed? */
bool lower_needs_build(struct slice log);
/*
 * Pure: how well a lowering fits: 2 when its output is the image file's own
 * name, "HASH-NAME" (NULL: no name of a store item), 1 when its profile is the
 * image's (NULL: not known), 0.
 */
int lower_fit(const struct lowering *v, const char *profile, const char *name);

#endif
