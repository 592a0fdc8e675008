/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_EXPLAIN_H
#define UB_SCHED_EXPLAIN_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/words.h"
#include "compare/compare.h"
#include "provenance/provenance.h"
#include "rebuild/rebuild.h"

/*
 * From store items of other contents than the image's, and what became of
 * building them once more, to a verdict and why.  All pure.
 */

/* The store items that differ, each once, in order; the array is a's. */
size_t explain_items(
	const struct comparison *c, struct arena *a, struct examined **out);

/* The store paths of all packages of a manifest, as words. */
void explain_roots(const struct provenance *p, struct words *out);

/*
 * ALTERED when one of them always builds the same (and does not take in one
 * that does not), whatever the others do: chance must not hide a change.  Else
 * NONDETERMINISTIC when one does not build the same twice, else SAME_INPUTS.
 */
enum verdict explain_verdict(const struct examined *v, size_t n);

/*
 * Append sentences: which package does not build the same twice; which builds
 * the same, and where the image has other bytes; what could not be examined,
 * and why.
 */
void explain_cause(const struct comparison *c, const struct provenance *p,
	const struct examined *v, size_t n, struct buf *out);

/* The same of each item alone, with the way to it where it is none of the
 * manifest's packages. */
void explain_notes(const struct provenance *p, const struct examined *v,
	size_t n, struct words *out);

#endif
