/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "store/merge_own.h"

/* Columns of RUN_ALL behind its number, as those of RUN_PUT. */
static const char run_kinds[] = "iIttttttlt";
/* Of SHARD_OF and SHARD_PUT. */
static const char shard_kinds[] = "iibiliItttt";
/* A run that is read. */
struct source_run {
	int64_t id;
	const struct db_rows *row;
	bool is_divided, is_newest, has_ended;
};

/* ---- runs that were not divided ---- */

static bool
is_taken(const struct merge *m, int64_t into)
{
	for (size_t i = 0; i < m->n_runs; i++)
		if (m->runs[i].into == into)
			return true;
	return false;
}

/* The run that it is, if it was taken over before: 1, 0, -1. */
static int
find_whole(struct merge *m, const struct source_run *r, int64_t *into,
	struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value v[MERGE_COLUMNS_MAX];
	int more, same;

	if (merge_values(m, r->row, 1, run_kinds, v, 0, e) < 0 ||
		db_query(m->into, STMT_RUN_TWINS, v, strlen(run_kinds), &rows,
			e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		*into = db_column_int(&rows, 0);
		if (is_taken(m, *into))
			continue;
		same = merge_is_twin(m, r->id, *into, e);
		if (same != 0)
			return same;
	}
	return more;
}

static int
add_run(struct merge *m, const struct source_run *r, int64_t *into,
	struct err *e)
{
	struct db_value v[MERGE_COLUMNS_MAX];

	m->count->added++;
	if (merge_values(m, r->row, 1, run_kinds, v, 0, e) < 0)
		return -1;
	return db_run(m->into, STMT_RUN_PUT, v, strlen(run_kinds), into, e);
}

/* ---- runs that were ---- */

/* What those of a study have in common. */
struct study {
	const char *accept, *depth, *corpora, *options;
	struct slice digest;
	int64_t of, started_s; /* into how many it was divided; of its run */
};

static bool
is_equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* The first line of a that b has not, cut to what a message holds. */
static void
other_line(const char *a, const char *b, char *out, size_t cap)
{
	size_t n;

	while (*a && *a == *b) {
		const char *end_a = strchrnul(a, '\n');
		const char *end_b = strchrnul(b, '\n');

		if (end_a - a != end_b - b ||
			memcmp(a, b, (size_t)(end_a - a)) != 0)
			break;
		a = *end_a ? end_a + 1 : end_a;
		b = *end_b ? end_b + 1 : end_b;
	}
	n = (size_t)(strchrnul(a, '\n') - a);
	if (n >= cap)
		n = cap - 1;
	memcpy(out, a, n);
	out[n] = '\0';
}

/* "it accepts X, and run 3 Y"; nothing when they belong together. */
static void
tell_difference(struct buf *out, const struct study *a, const struct study *b)
{
	char line_a[100], line_b[100];

	if (!is_equal(a->accept, b->accept))
		buf_printf(out, "accept is %s in it, and %s there", a->accept,
			b->accept);
	else if (!is_equal(a->depth, b->depth))
		buf_printf(out, "depth is %s in it, and %s there", a->depth,
			b->depth);
	else if (!is_equal(a->options, b->options)) {
		other_line(a->options, b->options, line_a, sizeof(line_a));
		other_line(b->options, a->options, line_b, sizeof(line_b));
		buf_printf(out, "options are '%s' in it, and '%s' there",
			line_a, line_b);
	} else if (a->digest.n == b->digest.n &&
		memcmp(a->digest.p, b->digest.p, a->digest.n) == 0)
		return;
	else if (!is_equal(a->corpora, b->corpora))
		buf_printf(out,
			"corpora are '%.100s' in it, and '%.100s' there",
			a->corpora, b->corpora);
	else
		buf_str(out,
			"what the corpora say of the images, which of them "
			"are selected, or --study differs");
}

/* Of the shards of a run that is read, which are in this one?  1: all of them,
 * and they are the same; 0: none; 2: another has the place of one. */
static int
place_of(struct merge *m, int64_t from, int64_t into, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value v[MERGE_COLUMNS_MAX];
	bool has_absent = false;
	int more;

	if (db_query(m->from, STMT_SHARD_OF, DB_ARGS(db_int(from)), &rows, e) <
		0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		int64_t has = 0;

		if (merge_values(m, &rows, 0, shard_kinds, v, 0, e) < 0 ||
			db_one(m->into, STMT_SHARD_HAS,
				DB_ARGS(db_int(into), v[0], v[5], v[6], v[7],
					v[8]),
				&has, e) < 0)
			return -1;
		if (has == 2)
			return 2;
		has_absent = has_absent || has == 0;
	}
	return more < 0 ? -1 : !has_absent;
}

static const char *
keep(struct arena *a, const struct db_value *v)
{
	return arena_copy(a, v->s.p, v->s.n);
}

/* The study of a run that is read; it lives in the arena. */
static int
study_of(struct merge *m, const struct source_run *r, struct arena *a,
	struct study *out, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value run[MERGE_COLUMNS_MAX], v[MERGE_COLUMNS_MAX];

	/* is_divided says that there is a row. */
	if (merge_values(m, r->row, 1, run_kinds, run, 0, e) < 0 ||
		db_query(m->from, STMT_SHARD_OF, DB_ARGS(db_int(r->id)), &rows,
			e) < 0 ||
		db_next(&rows, e) < 0 ||
		merge_values(m, &rows, 0, shard_kinds, v, 0, e) < 0)
		return -1;
	*out = (struct study){
		.accept = keep(a, &run[7]),
		.depth = keep(a, &run[9]),
		.corpora = keep(a, &run[8]),
		.options = keep(a, &v[4]),
		.digest = {keep(a, &v[2]), v[2].s.n},
		.of = v[1].n,
		.started_s = run[0].n,
	};
	return 0;
}

/* A run to join, or that it is already: 1, 0 when there is none, -1. */
static int
find_divided(struct merge *m, const struct source_run *r, int64_t *into,
	bool *is_known, struct err *e)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	CLEANUP(db_end)
	struct db_rows rows = {0};
	CLEANUP(buf_fini)
	struct buf why = {0};
	struct study study;
	int64_t best = 0;
	int more, place;

	if (study_of(m, r, &arena, &study, e) < 0 ||
		db_query(m->into, STMT_SHARD_RUNS,
			DB_ARGS(db_int(study.of), db_int(study.started_s)),
			&rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct study there = {
			.accept = db_column_text(&rows, 1),
			.depth = db_column_text(&rows, 2),
			.digest = db_column_blob(&rows, 3),
			.options = db_column_text(&rows, 4),
			.corpora = db_column_text(&rows, 5),
		};
		bool is_newest = db_column_int(&rows, 6) != 0;
		bool is_open = db_column_int(&rows, 7) != 0;
		CLEANUP(buf_fini)
		struct buf differs = {0};

		place = place_of(m, r->id, db_column_int(&rows, 0), e);
		if (place < 0)
			return -1;
		tell_difference(&differs, &study, &there);
		if (place == 1 && differs.n == 0) {
			*into = db_column_int(&rows, 0);
			*is_known = true;
			return 1;
		}
		if (place != 0 || is_open || !r->has_ended)
			continue;
		if (differs.n == 0 && best == 0)
			best = db_column_int(&rows, 0);
		else if (differs.n > 0 && is_newest)
			buf_slice(&why, buf_get(&differs));
	}
	if (more < 0)
		return -1;
	*into = best;
	if (best == 0 && why.n > 0)
		return err_set(e, ERR_INPUT,
			"%s: run %" PRId64 " does not belong to the newest run "
			"of %s, which lacks shards: %s",
			db_path(m->from), r->id, db_path(m->into),
			buf_text(&why));
	return best != 0;
}

/* Its shards are shards of that run from now on. */
static int
add_shards(struct merge *m, int64_t from, int64_t into, struct err *e)
{
	if (db_run(m->into, STMT_SHARD_FILL, DB_ARGS(db_int(into)), NULL, e) <
			0 ||
		merge_copy(m, STMT_SHARD_OF, from, STMT_SHARD_PUT, into,
			shard_kinds, e) < 0)
		return -1;
	return db_run(m->into, STMT_SHARD_SUM, DB_ARGS(db_int(into)), NULL, e);
}

/* ---- all ---- */

static int
merge_whole(struct merge *m, const struct source_run *r, int64_t *into,
	struct err *e)
{
	int known = find_whole(m, r, into, e);

	m->count->known += known > 0;
	if (known != 0)
		return known < 0 ? -1 : 0;
	if (add_run(m, r, into, e) < 0)
		return -1;
	return merge_samples(m, r->id, *into, e);
}

static int
merge_divided(struct merge *m, const struct source_run *r, int64_t *into,
	struct err *e)
{
	bool is_known = false;
	int found = find_divided(m, r, into, &is_known, e);

	if (found < 0)
		return -1;
	if (is_known)
		m->count->known++;
	else if (found > 0)
		m->count->joined++;
	else if (add_run(m, r, into, e) < 0)
		return -1;
	if (merge_samples(m, r->id, *into, e) < 0)
		return -1;
	return is_known ? 0 : add_shards(m, r->id, *into, e);
}

static int
merge_run(struct merge *m, const struct source_run *r, struct err *e)
{
	int64_t into = 0;

	m->count->runs++;
	/* It may go on, and would then be another. */
	if (r->is_newest && !r->has_ended) {
		m->count->left = r->id;
		return 0;
	}
	if (m->n_runs == MERGE_RUNS_MAX)
		return err_set(e, ERR_INPUT, "%s: has more than %d runs",
			db_path(m->from), MERGE_RUNS_MAX);
	if ((r->is_divided ? merge_divided(m, r, &into, e)
			   : merge_whole(m, r, &into, e)) < 0)
		return -1;
	VEC_GROW(m->runs, m->n_runs, m->cap_runs);
	m->runs[m->n_runs++] = (struct merge_run){r->id, into};
	m->count->newest = into;
	return 0;
}

int
merge_runs(struct merge *m, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(m->from, STMT_RUN_ALL, NULL, 0, &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		const struct source_run r = {
			.id = db_column_int(&rows, 0),
			.row = &rows,
			.has_ended = !db_column_is_null(&rows, 2),
			.is_divided = db_column_int(&rows, 11) != 0,
			.is_newest = db_column_int(&rows, 12) != 0,
		};

		if (merge_run(m, &r, e) < 0)
			return -1;
	}
	return more;
}
