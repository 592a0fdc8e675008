/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "store/db.h"
#include "store/pack.h"
#include "store/store.h"

static const char *
keep(struct store *s, const struct db_rows *rows, int i)
{
	const char *p = db_column_str(rows, i);

	return arena_copy(db_run_texts(s), p, strlen(p));
}

int
store_run_get(
	struct store *s, int64_t run, struct store_run *out, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_RUN_GET, DB_ARGS(db_int(run)), &rows, e) < 0)
		return -1;
	more = db_next(&rows, e);
	if (more < 0)
		return -1;
	if (more == 0 && run == 0)
		return err_set(
			e, ERR_ABSENT, "%s: no run is in it", db_path(s));
	if (more == 0)
		return err_set(
			e, ERR_ABSENT, "%s: no run %" PRId64, db_path(s), run);
	arena_fini(db_run_texts(s));
	*out = (struct store_run){
		.id = db_column_int(&rows, 0),
		.started_s = db_column_int(&rows, 1),
		.ended_s = db_column_int(&rows, 2),
		.unblend_version = keep(s, &rows, 3),
		.guix_version = keep(s, &rows, 4),
		.host = keep(s, &rows, 5),
		.kernel = keep(s, &rows, 6),
		.store_fs = keep(s, &rows, 7),
		.accept = keep(s, &rows, 8),
		.corpora = keep(s, &rows, 9),
		.depth = keep(s, &rows, 10),
	};
	return 0;
}

/* In the order of the columns of the statement. */
static int
read_attempt(const struct db_rows *r, struct store_attempt *a, struct err *e)
{
	int i = 0;

	*a = (struct store_attempt){0};
	a->sample.id = db_column_int(r, i++);
	a->sample.seq = db_column_int(r, i++);
	a->sample.name = db_column_str(r, i++);
	a->sample.collection = db_column_str(r, i++);
	a->sample.source = db_column_str(r, i++);
	a->sample.expect = db_column_text(r, i++);
	a->sample.tags = db_column_str(r, i++);
	a->is_judged = !db_column_is_null(r, i);
	if (a->is_judged && db_column_verdict(r, i, &a->verdict, e) < 0)
		return -1;
	i++;
	a->is_accepted = db_column_int(r, i++) != 0;
	a->is_regression = db_column_int(r, i++) != 0;
	a->cause = db_column_text(r, i++);
	a->advice = db_column_text(r, i++);
	a->class_ = db_column_text(r, i++);
	a->started_s = db_column_int(r, i++);
	a->elapsed_ms = db_column_int(r, i++);
	a->image_sha256 = db_column_text(r, i++);
	a->image_path = db_column_text(r, i++);
	a->image_bytes = db_column_int(r, i++);
	a->compression = db_column_text(r, i++);
	a->config_digest = db_column_text(r, i++);
	a->image_entries = db_column_int(r, i++);
	a->image_items = db_column_int(r, i++);
	a->profile = db_column_text(r, i++);
	a->channel_set = db_column_str(r, i++);
	a->recipe_id = db_column_text(r, i++);
	a->channels_scm = db_column_text(r, i++);
	a->manifest_scm = db_column_text(r, i++);
	a->pack_options = db_column_text(r, i++);
	a->command = db_column_text(r, i++);
	a->drv = db_column_text(r, i++);
	a->output = db_column_text(r, i++);
	a->rebuilt_sha256 = db_column_text(r, i++);
	a->is_checked = db_column_int(r, i++) != 0;
	a->is_stable = db_column_int(r, i++) != 0;
	a->built = db_column_int(r, i++);
	a->substituted = db_column_int(r, i++);
	a->valid = db_column_int(r, i++);
	a->downloaded = db_column_int(r, i++);
	a->failed_drv = db_column_text(r, i++);
	a->failed_lines = db_column_text(r, i++);
	a->rebuild_ms = db_column_int(r, i++);
	a->depth = db_column_text(r, i++);
	a->examined = db_column_int(r, i++);
	a->unstable = db_column_int(r, i++);
	a->differences = db_column_int(r, i++);
	a->packages_differing = db_column_int(r, i++);
	a->last_verdict = db_column_text(r, i++);
	a->last_run = db_column_int(r, i++);
	a->good_verdict = db_column_text(r, i++);
	a->good_run = db_column_int(r, i++);
	a->since_run = db_column_int(r, i++);
	a->of_run = db_column_int(r, i++);
	if (!a->sample.expect && a->is_judged && !a->is_accepted &&
		a->good_verdict && a->verdict != VERDICT_NOT_TRIED)
		a->is_regression = true;
	return 0;
}

int
store_attempts(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_attempt *a, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct store_attempt a;
	int more;

	if (db_query(s, STMT_ATTEMPTS, DB_ARGS(db_int(run)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0)
		if (read_attempt(&rows, &a, e) < 0 || f(arg, &a, e) != 0)
			return -1;
	return more;
}

int
store_counts(struct store *s, int64_t run, int64_t counts[VERDICT_COUNT],
	int64_t *unjudged, int64_t *unaccepted, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	memset(counts, 0, VERDICT_COUNT * sizeof(*counts));
	*unjudged = *unaccepted = 0;
	if (db_query(s, STMT_COUNTS, DB_ARGS(db_int(run)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		enum verdict v = VERDICT_NOT_TRIED;

		if (db_column_is_null(&rows, 0)) {
			*unjudged = db_column_int(&rows, 1);
			continue;
		}
		if (db_column_verdict(&rows, 0, &v, e) < 0)
			return -1;
		counts[v] = db_column_int(&rows, 1);
		*unaccepted += db_column_int(&rows, 2);
	}
	return more;
}

int
store_channels(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct store_channel *c, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_CHANNELS, DB_ARGS(db_int(sample)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_channel c = {
			.name = db_column_str(&rows, 0),
			.url = db_column_str(&rows, 1),
			.branch = db_column_text(&rows, 2),
			.commit = db_column_text(&rows, 3),
			.intro_commit = db_column_text(&rows, 4),
			.intro_signer = db_column_text(&rows, 5),
			.date_s = db_column_int_or(&rows, 6, -1),
		};

		if (f(arg, &c, e) != 0)
			return -1;
	}
	return more;
}

int
store_packages(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct store_package *p, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_PACKAGES, DB_ARGS(db_int(sample)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_package p = {
			.name = db_column_str(&rows, 0),
			.version = db_column_str(&rows, 1),
			.output = db_column_str(&rows, 2),
			.store_path = db_column_str(&rows, 3),
			.depth = (int)db_column_int(&rows, 4),
			.channels = db_column_str(&rows, 5),
			.transformations = db_column_str(&rows, 6),
		};

		if (f(arg, &p, e) != 0)
			return -1;
	}
	return more;
}

int
store_layers(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct store_layer *l, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_LAYERS, DB_ARGS(db_int(sample)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_layer l = {
			.side = db_column_str(&rows, 0),
			.position = db_column_int(&rows, 1),
			.diff_id = db_column_str(&rows, 2),
			.bytes = db_column_int(&rows, 3),
			.entries = db_column_int(&rows, 4),
		};

		if (f(arg, &l, e) != 0)
			return -1;
	}
	return more;
}

int
store_forgiven(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct forgiven *g, struct err *e), void *arg,
	struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_FORGIVEN, DB_ARGS(db_int(sample)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct forgiven g = {
			.what = db_column_str(&rows, 0),
			.count = (uint64_t)db_column_int(&rows, 1),
		};

		if (f(arg, &g, e) != 0)
			return -1;
	}
	return more;
}

int
store_differences(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct difference *d, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_DIFFERENCES, DB_ARGS(db_int(sample)), &rows, e) <
		0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct difference d = {
			.path = db_column_str(&rows, 0),
			.store_item = db_column_text(&rows, 1),
			.package = db_column_text(&rows, 2),
			.kind = db_column_str(&rows, 3),
			.detail = db_column_str(&rows, 4),
			.offset = db_column_int_or(&rows, 5, -1),
			.why = db_column_text(&rows, 6),
			.part_at = db_column_int(&rows, 7),
			.image_part = db_column_blob(&rows, 8),
			.rebuilt_part = db_column_blob(&rows, 9),
		};

		if (f(arg, &d, e) != 0)
			return -1;
	}
	return more;
}

int
store_texts(struct store *s, int64_t sample, const char *kind,
	int (*f)(void *arg, const char *text, struct err *e), void *arg,
	struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_TEXTS, DB_ARGS(db_int(sample), db_text(kind)),
		    &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0)
		if (f(arg, db_column_str(&rows, 0), e) != 0)
			return -1;
	return more;
}

int
store_log(struct store *s, int64_t sample, struct buf *out, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int64_t bytes;
	int more;

	if (db_query(s, STMT_LOG, DB_ARGS(db_int(sample)), &rows, e) < 0)
		return -1;
	more = db_next(&rows, e);
	if (more <= 0)
		return more;
	bytes = db_column_int(&rows, 0);
	if (pack_undo(db_column_blob(&rows, 1), bytes > 0 ? (size_t)bytes : 0,
		    out, e) < 0)
		return err_wrap(
			e, "%s: log of sample %" PRId64, db_path(s), sample);
	return 0;
}
