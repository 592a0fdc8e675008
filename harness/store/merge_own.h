/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_MERGE_OWN_H
#define UB_STORE_MERGE_OWN_H

#include "base/buf.h"
#include "store/db.h"
#include "store/merge.h"

/*
 * Rows on their way from one database into another.  What a column must be is a
 * letter, the letters of a row a string:
 *
 *	i number     t text of one line     l text of lines     b bytes
 *	I T L B      the same, or NULL
 *	s m          the content of a channel set, of an item
 *	g p r        of an image, of provenance, of a recipe, or NULL: they become
 *	             the number of the row that has it in the other database
 */
struct merge {
	struct store *into, *from;
	struct merge_count *count;
	struct merge_run *runs; /* what became of each, in their order */
	size_t n_runs, cap_runs;
	struct buf scratch;
};

struct merge_run {
	int64_t from, into;
};

enum {
	MERGE_COLUMNS_MAX = 20,
	MERGE_RUNS_MAX = 100000
};

/* ERR_INPUT: `from' is no database that can be believed, for what is said. */
int merge_bad(const struct merge *m, const char *what, struct err *e);

/*
 * Columns from `first' on of a row that was read, as values for `into', which
 * live until the row ends.  n of `out' are there already.  ERR_INPUT when one is
 * not what the letters say.
 */
int merge_values(struct merge *m, const struct db_rows *rows, int first,
	const char *kinds, struct db_value *out, size_t n,
	struct err *e) NODISCARD;

/* Rows of `of' for id_from become rows of `add' for id_into. */
int merge_copy(struct merge *m, enum stmt of, int64_t id_from, enum stmt add,
	int64_t id_into, const char *kinds, struct err *e) NODISCARD;
/* Are they the same?  1, 0, -1. */
int merge_same(struct merge *m, enum stmt of, int64_t id_from, int64_t id_into,
	const char *kinds, struct err *e) NODISCARD;

/* merge_shared.c: all that runs refer to. */
int merge_shared(struct merge *m, struct err *e) NODISCARD;
/* merge_sample.c: the samples of a run, those that are there already left out. */
int merge_samples(
	struct merge *m, int64_t from, int64_t into, struct err *e) NODISCARD;
/* Have two runs the very same samples?  1, 0, -1. */
int merge_is_twin(
	struct merge *m, int64_t from, int64_t into, struct err *e) NODISCARD;
/* merge_run.c: all runs. */
int merge_runs(struct merge *m, struct err *e) NODISCARD;

#endif
