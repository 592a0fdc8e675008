/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/merge.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/merge_own.h"

/* What store_open has not looked at: it is not from here. */
static int
check(const struct merge *m, struct err *e)
{
	int64_t n = 0;

	if (db_one(m->from, STMT_MERGE_FOREIGN, NULL, 0, &n, e) < 0)
		return -1;
	if (n > 0)
		return merge_bad(m, "its tables are not those of unblend", e);
	if (db_one(m->from, STMT_MERGE_CHECK, NULL, 0, &n, e) < 0)
		return -1;
	if (n > 0)
		return err_set(e, ERR_INPUT, "%s: the database is damaged",
			db_path(m->from));
	return 0;
}

int
merge_file(struct store *into, const char *path, struct merge_count *out,
	struct err *e)
{
	CLEANUP(own_store)
	struct store *from = NULL;
	struct merge m = {.into = into, .count = out};
	int result;

	*out = (struct merge_count){0};
	if (store_open(path, STORE_READ, &from, e) < 0 ||
		store_read_begin(from, e) < 0)
		return -1;
	m.from = from;
	result = check(&m, e);
	if (result == 0)
		result = merge_shared(&m, e);
	if (result == 0)
		result = merge_runs(&m, e);
	store_read_end(from);
	free(m.runs);
	buf_fini(&m.scratch);
	return result;
}

int
merge_shard_add(struct store *s, int64_t run, const struct merge_shard *shard,
	struct err *e)
{
	if (db_write_begin(s, e) < 0)
		return -1;
	return db_write_end(s,
		db_run(s, STMT_SHARD_ADD,
			DB_ARGS(db_int(run), db_int(shard->number),
				db_int(shard->of), db_digest(&shard->study),
				db_int(shard->images), db_text(shard->options)),
			NULL, e),
		e);
}

int
merge_state(
	struct store *s, int64_t run, struct merge_state *out, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};

	*out = (struct merge_state){0};
	if (db_query(s, STMT_SHARD_STATE, DB_ARGS(db_int(run)), &rows, e) < 0 ||
		db_next(&rows, e) < 0)
		return -1;
	out->has = db_column_int(&rows, 0);
	out->of = db_column_int(&rows, 1);
	out->absent = db_column_int(&rows, 2);
	snprintf(out->missing, sizeof(out->missing), "%s",
		db_column_str(&rows, 3));
	return 0;
}
