/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/history.h"

#include <string.h>

#include "base/buf.h"
#include "store/db.h"

int
store_history(struct store *s, const char *name, int64_t run, int64_t max,
	int (*f)(void *arg, const struct store_judgement *j, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_HISTORY,
		    DB_ARGS(db_text(name), db_int(run), db_int(max)), &rows,
		    e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_judgement j = {
			.run = db_column_int(&rows, 0),
			.started_s = db_column_int(&rows, 1),
			.elapsed_ms = db_column_int(&rows, 2),
			.is_accepted = db_column_int(&rows, 4) != 0,
			.image_sha256 = db_column_text(&rows, 5),
			.recipe_id = db_column_text(&rows, 6),
			.cause = db_column_text(&rows, 7),
		};

		if (db_column_verdict(&rows, 3, &j.verdict, e) < 0 ||
			f(arg, &j, e) != 0)
			return -1;
	}
	return more;
}

int
store_names(struct store *s,
	int (*f)(void *arg, const struct store_name *n, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_NAMES, NULL, 0, &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_name n = {
			.name = db_column_str(&rows, 0),
			.runs = db_column_int(&rows, 1),
			.first_run = db_column_int(&rows, 2),
			.last_run = db_column_int(&rows, 3),
			.changes = db_column_int(&rows, 4),
			.changed_run = db_column_int(&rows, 5),
			.is_accepted = db_column_int(&rows, 7) != 0,
			.elapsed_ms = db_column_int(&rows, 8),
		};

		if (db_column_verdict(&rows, 6, &n.verdict, e) < 0 ||
			f(arg, &n, e) != 0)
			return -1;
	}
	return more;
}

int
store_rates(struct store *s, int64_t run, int64_t max,
	int (*f)(void *arg, const struct store_rate *r, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, STMT_RATES, DB_ARGS(db_int(run), db_int(max)), &rows,
		    e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_rate r = {
			.collection = db_column_str(&rows, 0),
			.run = db_column_int(&rows, 1),
			.started_s = db_column_int(&rows, 2),
			.images = db_column_int(&rows, 3),
			.same = db_column_int(&rows, 4),
			.accepted = db_column_int(&rows, 5),
		};

		if (f(arg, &r, e) != 0)
			return -1;
	}
	return more;
}

/* What two rows that follow one another must not share. */
struct last_use {
	struct buf name, version, url;
	int64_t seq;
};

/* Is it the same image with the same thing as the row before? */
static bool
is_again(struct last_use *last, const struct store_use *u)
{
	const char *version = u->version ? u->version : "";
	const char *url = u->url ? u->url : "";
	bool is_same = last->seq == u->seq &&
		strcmp(buf_text(&last->name), u->name) == 0 &&
		strcmp(buf_text(&last->version), version) == 0 &&
		strcmp(buf_text(&last->url), url) == 0;

	buf_clear(&last->name);
	buf_str(&last->name, u->name);
	buf_clear(&last->version);
	buf_str(&last->version, version);
	buf_clear(&last->url);
	buf_str(&last->url, url);
	last->seq = u->seq;
	return is_same;
}

static void
last_use_fini(struct last_use *last)
{
	buf_fini(&last->name);
	buf_fini(&last->version);
	buf_fini(&last->url);
}

static int
uses(struct store *s, enum stmt which, int64_t run,
	int (*f)(void *arg, const struct store_use *u, struct err *e),
	void *arg, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	CLEANUP(last_use_fini)
	struct last_use last = {.seq = -1};
	int more;

	if (db_query(s, which, DB_ARGS(db_int(run)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct store_use u = {
			.name = db_column_str(&rows, 0),
			.version = db_column_text(&rows, 1),
			.url = db_column_text(&rows, 2),
			.seq = db_column_int(&rows, 3),
			.image = db_column_str(&rows, 4),
			.is_accepted = db_column_int(&rows, 6) != 0,
			.is_blamed = db_column_int(&rows, 7) != 0,
			.date_s = db_column_int_or(&rows, 8, -1),
		};

		if (db_column_verdict(&rows, 5, &u.verdict, e) < 0)
			return -1;
		if (!is_again(&last, &u) && f(arg, &u, e) != 0)
			return -1;
	}
	return more;
}

int
store_package_uses(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_use *u, struct err *e),
	void *arg, struct err *e)
{
	return uses(s, STMT_PACKAGE_USES, run, f, arg, e);
}

int
store_channel_uses(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_use *u, struct err *e),
	void *arg, struct err *e)
{
	return uses(s, STMT_CHANNEL_USES, run, f, arg, e);
}
