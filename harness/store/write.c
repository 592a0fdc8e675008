/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/db.h"
#include "store/store.h"

/* Clean text of the arena; NULL for NULL. */
static struct db_value
clean(struct arena *a, const char *s, enum text_lines lines)
{
	CLEANUP(buf_fini)
	struct buf b = {0};

	if (!s)
		return (struct db_value){0};
	text_clean(&b, slice_of(s), lines);
	return db_slice((struct slice){arena_copy(a, buf_text(&b), b.n), b.n});
}

int
store_run_begin(struct store *s, struct store_run *run, struct err *e)
{
	CLEANUP(arena_fini)
	struct arena a = {0};

	if (db_write_begin(s, e) < 0)
		return -1;
	return db_write_end(s,
		db_run(s, STMT_RUN_ADD,
			DB_ARGS(db_int(run->started_s),
				clean(&a, run->unblend_version, TEXT_ONE_LINE),
				clean(&a,
					run->guix_version ? run->guix_version
							  : "",
					TEXT_ONE_LINE),
				clean(&a, run->host, TEXT_ONE_LINE),
				clean(&a, run->kernel, TEXT_ONE_LINE),
				clean(&a, run->store_fs, TEXT_ONE_LINE),
				db_text(run->accept),
				clean(&a, run->corpora, TEXT_MANY_LINES),
				clean(&a, run->depth, TEXT_ONE_LINE)),
			&run->id, e),
		e);
}

int
store_run_end(struct store *s, int64_t run, struct err *e)
{
	if (db_write_begin(s, e) < 0)
		return -1;
	return db_write_end(s,
		db_run(s, STMT_RUN_END,
			DB_ARGS(db_int(run), db_int(clock_wall_s())), NULL, e),
		e);
}

int
store_sample_add(struct store *s, int64_t run, struct store_sample *sample,
	struct err *e)
{
	CLEANUP(arena_fini)
	struct arena a = {0};

	if (db_write_begin(s, e) < 0)
		return -1;
	return db_write_end(s,
		db_run(s, STMT_SAMPLE_ADD,
			DB_ARGS(db_int(run), db_int(sample->seq),
				clean(&a, sample->name, TEXT_ONE_LINE),
				clean(&a, sample->collection, TEXT_ONE_LINE),
				clean(&a, sample->source, TEXT_ONE_LINE),
				db_text(sample->expect),
				clean(&a, sample->tags, TEXT_ONE_LINE)),
			&sample->id, e),
		e);
}

int
store_attempt_failed(struct store *s, int64_t sample, enum verdict verdict,
	const char *class_, const char *cause, int64_t elapsed_ms,
	struct err *e)
{
	CLEANUP(arena_fini)
	struct arena a = {0};
	int64_t started_s = clock_wall_s() - elapsed_ms / 1000;

	if (db_write_begin(s, e) < 0)
		return -1;
	return db_write_end(s,
		db_run(s, STMT_ATTEMPT_ADD,
			DB_ARGS(db_int(sample), db_text(verdict_name(verdict)),
				clean(&a, class_, TEXT_ONE_LINE),
				clean(&a, cause, TEXT_MANY_LINES),
				db_text(NULL), db_int(started_s),
				db_int(elapsed_ms)),
			NULL, e),
		e);
}
