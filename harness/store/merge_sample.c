/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "store/merge_own.h"

/* Of SAMPLE_ALL behind its number: those of SAMPLE_ADD, and of its attempt. */
static const char sample_kinds[] = "itttTtTII";
enum {
	SAMPLE_COLUMNS = 6,
	TWIN_COLUMNS = 9
};

static const struct {
	enum stmt of, add;
	const char *kinds;
} lists[] = {
	{STMT_ATTEMPT_OF, STMT_ATTEMPT_PUT, "tTLLiiTgprLii"},
	{STMT_TEXT_OF, STMT_TEXT_ADD, "til"},
	{STMT_REBUILD_OF, STMT_REBUILD_ADD, "tTTTTTLTiiiiiiitii"},
	{STMT_LOG_OF, STMT_LOG_ADD, "ib"},
	{STMT_REBUILT_OF, STMT_REBUILT_ADD, "bitb"},
	{STMT_REBUILT_LAYER_OF, STMT_REBUILT_LAYER_ADD, "ibtii"},
	{STMT_FORGIVEN_OF, STMT_FORGIVEN_ADD, "iti"},
	{STMT_DIFFERENCE_OF, STMT_DIFFERENCE_ADD, "itTTtlI"},
	{STMT_EXCERPT_OF, STMT_EXCERPT_ADD, "iTiBB"},
	{STMT_BASIS_OF, STMT_BASIS_ADD, "Tbtb"},
	{STMT_TRIAL_OF, STMT_TRIAL_PUT, "iit"},
};

/* Where a run of `from' is now; 0: nowhere. */
static int64_t
where_is(const struct merge *m, int64_t run)
{
	size_t low = 0, high = m->n_runs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->runs[middle].from == run)
			return m->runs[middle].into;
		if (m->runs[middle].from < run)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* The verdict of an earlier run stands for it. */
static int
copy_skip(struct merge *m, int64_t from, int64_t into, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value v[2];
	int64_t of = 0;
	int more;

	if (db_query(m->from, STMT_SKIP_OF, DB_ARGS(db_int(from)), &rows, e) <
		0)
		return -1;
	more = db_next(&rows, e);
	if (more <= 0)
		return more;
	if (merge_values(m, &rows, 0, "it", v, 0, e) < 0)
		return -1;
	more = db_one(m->into, STMT_SAMPLE_FIND,
		DB_ARGS(v[1], db_int(where_is(m, v[0].n))), &of, e);
	if (more < 0)
		return -1;
	if (more == 0)
		return merge_bad(
			m, "a verdict stands for that of no run before", e);
	return db_run(m->into, STMT_SKIP_ADD, DB_ARGS(db_int(into), db_int(of)),
		NULL, e);
}

static int
copy_sample(struct merge *m, int64_t from, int64_t run,
	const struct db_value *columns, struct err *e)
{
	struct db_value v[1 + SAMPLE_COLUMNS] = {db_int(run)};
	int64_t into;

	memcpy(v + 1, columns, SAMPLE_COLUMNS * sizeof(*v));
	if (db_run(m->into, STMT_SAMPLE_ADD, v, ARRAY_LEN(v), &into, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (merge_copy(m, lists[i].of, from, lists[i].add, into,
			    lists[i].kinds, e) < 0)
			return -1;
	m->count->samples++;
	return copy_skip(m, from, into, e);
}

/*
 * A sample of the run: 1 when it is there already, 0 when it is not; 2 when
 * there is another of its name.
 */
static int
find_sample(struct merge *m, int64_t run, const struct db_value *columns,
	struct err *e)
{
	struct db_value v[1 + TWIN_COLUMNS];
	int64_t id = 0, is_twin = 0;
	int known = db_one(m->into, STMT_SAMPLE_FIND,
		DB_ARGS(columns[1], db_int(run)), &id, e);

	if (known <= 0)
		return known;
	v[0] = db_int(id);
	memcpy(v + 1, columns, TWIN_COLUMNS * sizeof(*v));
	known = db_one(m->into, STMT_SAMPLE_TWIN, v, ARRAY_LEN(v), &is_twin, e);
	return known < 0 ? -1 : known > 0 ? 1 : 2;
}

int
merge_is_twin(struct merge *m, int64_t from, int64_t into, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value v[TWIN_COLUMNS];
	int64_t n = 0, there = 0;
	int more;

	if (db_one(m->into, STMT_RUN_SIZE, DB_ARGS(db_int(into)), &there, e) <
			0 ||
		db_query(m->from, STMT_SAMPLE_ALL, DB_ARGS(db_int(from)), &rows,
			e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		int known;

		if (merge_values(m, &rows, 1, sample_kinds, v, 0, e) < 0 ||
			(known = find_sample(m, into, v, e)) < 0)
			return -1;
		if (known != 1)
			return 0;
		n++;
	}
	return more < 0 ? -1 : n == there;
}

int
merge_samples(struct merge *m, int64_t from, int64_t into, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value v[TWIN_COLUMNS];
	int more;

	if (db_query(m->from, STMT_SAMPLE_ALL, DB_ARGS(db_int(from)), &rows,
		    e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		int known;

		if (merge_values(m, &rows, 1, sample_kinds, v, 0, e) < 0 ||
			(known = find_sample(m, into, v, e)) < 0)
			return -1;
		if (known == 2)
			return err_set(e, ERR_INPUT,
				"%s: run %" PRId64 " has the image '%.*s', "
				"which run %" PRId64 " of %s has from "
				"another shard",
				db_path(m->from), from, (int)v[1].s.n, v[1].s.p,
				into, db_path(m->into));
		if (known == 0 &&
			copy_sample(m, db_column_int(&rows, 0), into, v, e) < 0)
			return -1;
	}
	return more;
}
