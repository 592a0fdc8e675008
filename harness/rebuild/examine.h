/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_EXAMINE_H
#define UB_REBUILD_EXAMINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "rebuild/rebuild.h"
#include "rebuild/task.h"

/* A derivation that is built once more.  Strings live in the task's arena. */
struct probe {
	const char *drv;   /* borrowed */
	const char *label; /* what to call it; borrowed */
	enum examined_end end;
	const char *why;  /* of EXAMINED_FAILED; NULL else */
	bool was_missing; /* it was not there: it was built first */
	bool is_ours;     /* what the store had was built here; set by who asks,
			   * and as it was when this run first asked */
};

/* What to build, and which ways to look for. */
struct examination {
	struct probe *probes;
	size_t n;
	unsigned rounds; /* builds of each, one after the other */
	bool no_substitutes;
	const char *const *roots; /* store paths */
	size_t n_roots;
	const char *const *targets; /* store paths */
	size_t n_targets;
	const char *const **ways; /* of n_targets: store paths, NULL-ended; the
				   * way from a root; empty when not found */
};

enum {
	EXAMINE_AT_ONCE = 500 /* derivations in one process of Guix */
};

/*
 * Run it in as few processes of Guix as there can be; what this run has built once
 * more already is not built again.  What the task's end was
 * stays: where time is over, or Guix fails, the probes left are
 * EXAMINED_FAILED with the cause as why.  -1 only for ERR_BUG.
 */
int examine_run(struct task *t, struct examination *x, struct err *e) NODISCARD;

/* Pure: the data of examine.scm for probes [from, from + n). */
int examine_data(const struct examination *x, size_t from, size_t n,
	long long timeout_s, const struct limits *l, struct buf *out,
	struct err *e) NODISCARD;
/* Pure: what examine.scm printed of one derivation. */
void examine_read(struct arena *a, struct slice section, struct probe *p);

#endif
