/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/runs.h"

#include <string.h>

#include "base/text.h"
#include "store/db.h"

static const char *
keep(struct store *s, const struct db_rows *rows, int i)
{
	const char *text = db_column_text(rows, i);

	return text ? arena_copy(db_run_texts(s), text, strlen(text)) : NULL;
}

static bool
get_digest(const struct db_rows *rows, int i, struct digest *out)
{
	struct slice b = db_column_blob(rows, i);

	if (b.n != sizeof(out->b))
		return false;
	memcpy(out->b, b.p, sizeof(out->b));
	return true;
}

/* The digests of a basis whose texts are had, in columns 6 and 8; false when it
 * is none. */
static bool
get_digests(const struct db_rows *rows, struct store_basis *out)
{
	return out->guix && get_digest(rows, 6, &out->entry) &&
		get_digest(rows, 8, &out->policy);
}

int
store_standing(struct store *s, const char *name, int64_t before,
	struct store_standing *out, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;
	enum verdict verdict = VERDICT_NOT_TRIED;

	arena_fini(db_run_texts(s));
	if (db_query(s, STMT_STANDING, DB_ARGS(db_text(name), db_int(before)),
		    &rows, e) < 0)
		return -1;
	more = db_next(&rows, e);
	if (more <= 0)
		return more;
	if (db_column_verdict(&rows, 2, &verdict, e) < 0)
		return -1;
	*out = (struct store_standing){
		.sample = db_column_int(&rows, 0),
		.run = db_column_int(&rows, 1),
		.verdict = verdict,
		.class_ = keep(s, &rows, 3),
		.elapsed_ms = db_column_int(&rows, 4),
		.trials = db_column_int(&rows, 9),
	};
	out->basis.file = keep(s, &rows, 5);
	out->basis.guix = keep(s, &rows, 7);
	out->has_basis = get_digests(&rows, &out->basis);
	return 1;
}

static int
write_one(struct store *s, enum stmt which, const struct db_value *args,
	size_t n, struct err *e)
{
	if (db_write_begin(s, e) < 0)
		return -1;
	return db_write_end(s, db_run(s, which, args, n, NULL, e), e);
}

int
store_basis_add(struct store *s, int64_t sample, const struct store_basis *b,
	struct err *e)
{
	CLEANUP(own_free)
	char *guix = text_clean_new(slice_of(b->guix));

	return write_one(s, STMT_BASIS_ADD,
		DB_ARGS(db_int(sample), db_text(b->file), db_digest(&b->entry),
			db_text(guix), db_digest(&b->policy)),
		e);
}

int
store_skip_add(
	struct store *s, int64_t sample, int64_t of_sample, struct err *e)
{
	return write_one(s, STMT_SKIP_ADD,
		DB_ARGS(db_int(sample), db_int(of_sample)), e);
}

int
store_trial_add(struct store *s, int64_t sample, int64_t ended_s,
	const char *class_, struct err *e)
{
	CLEANUP(own_free)
	char *clean = text_clean_new(slice_of(class_));

	return write_one(s, STMT_TRIAL_ADD,
		DB_ARGS(db_int(sample), db_int(ended_s), db_text(clean)), e);
}

int
store_trials(struct store *s, int64_t sample, int64_t *n, int64_t *last_s,
	struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};

	if (db_query(s, STMT_TRIALS, DB_ARGS(db_int(sample)), &rows, e) < 0 ||
		db_next(&rows, e) < 0)
		return -1;
	*n = db_column_int(&rows, 0);
	*last_s = db_column_int(&rows, 1);
	return 0;
}

int
store_tries(struct store *s, const char *name, int64_t run, int64_t *n,
	struct err *e)
{
	*n = 0;
	return db_one(s, STMT_TRIES, DB_ARGS(db_text(name), db_int(run)), n,
		       e) < 0
		? -1
		: 0;
}

int
store_run_samples(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_run_sample *r, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_RUN_SAMPLES, DB_ARGS(db_int(run)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_run_sample r = {
			.id = db_column_int(&rows, 0),
			.seq = db_column_int(&rows, 1),
			.name = db_column_text(&rows, 2),
			.source = db_column_text(&rows, 3),
			.is_done = db_column_int(&rows, 4) != 0,
			.basis.file = db_column_text(&rows, 5),
			.basis.guix = db_column_text(&rows, 7),
		};

		r.has_basis = get_digests(&rows, &r.basis);
		if (f(arg, &r, e) != 0)
			return -1;
	}
	return more;
}
