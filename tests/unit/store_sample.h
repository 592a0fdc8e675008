/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder for a database and spools, and small things to fill them with. */
#ifndef UB_TESTS_UNIT_STORE_SAMPLE_H
#define UB_TESTS_UNIT_STORE_SAMPLE_H

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/path.h"
#include "store/record.h"
#include "store/store.h"

/* Told when it is not 0, so that a failing test says why. */
#define OK(call)                                                            \
	do {                                                                \
		if ((call) != 0)                                            \
			fail_msg("%s: kind %d: %s", #call, e.kind, e.text); \
	} while (0)

struct place {
	char *folder, *db, *spool;
	int64_t sample; /* without an attempt; 0: none is at hand */
};

static inline int
place_make(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char name[] = "/tmp/unblend-store-XXXXXX";

	if (!mkdtemp(name))
		return -1;
	p->folder = xstrdup(name);
	p->db = path_join(name, "results.db");
	p->spool = path_join(name, "spool");
	*state = p;
	return 0;
}

static inline int
place_remove(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	int result = path_remove(p->folder, &e);

	free(p->folder);
	free(p->db);
	free(p->spool);
	free(p);
	return result;
}

static inline void
spool_write(const struct place *p, const char *text)
{
	FILE *f = fopen(p->spool, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline struct store_run
run_sample(void)
{
	return (struct store_run){
		.started_s = 1000,
		.unblend_version = "0.1",
		.guix_version = "",
		.host = "machine",
		.kernel = "Linux 6.1.0 x86_64",
		.store_fs = "ext4",
		.accept = "same-contents",
		.corpora = "a.corpus\nb.corpus",
		.depth = "pack",
	};
}

/* A run with one sample; gives the sample's id. */
static inline int64_t
add_sample(struct store *s, struct store_run *run, const char *name,
	const char *expect)
{
	struct err e = {0};
	struct store_sample sample = {
		.seq = 1,
		.name = name,
		.collection = "a",
		.source = "docker-archive:x.tar",
		.expect = expect,
		.tags = "nightly paper",
	};

	*run = run_sample();
	OK(store_run_begin(s, run, &e));
	OK(store_sample_add(s, run->id, &sample, &e));
	return sample.id;
}

/* The first column of the first row, asked of SQLite itself; -1: no row. */
static inline int64_t
ask(const struct place *p, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t n = -1;

	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

/* Rows of all tables that an attempt may add to. */
static inline int64_t
rows(const struct place *p)
{
	return ask(p,
		"SELECT (SELECT count(*) FROM image)"
		" + (SELECT count(*) FROM image_tag)"
		" + (SELECT count(*) FROM image_layer)"
		" + (SELECT count(*) FROM item)"
		" + (SELECT count(*) FROM item_file)"
		" + (SELECT count(*) FROM image_item)"
		" + (SELECT count(*) FROM image_file)"
		" + (SELECT count(*) FROM channel_set)"
		" + (SELECT count(*) FROM channel)"
		" + (SELECT count(*) FROM provenance)"
		" + (SELECT count(*) FROM package)"
		" + (SELECT count(*) FROM recipe)"
		" + (SELECT count(*) FROM attempt)"
		" + (SELECT count(*) FROM attempt_text)"
		" + (SELECT count(*) FROM rebuild)"
		" + (SELECT count(*) FROM log)"
		" + (SELECT count(*) FROM rebuilt)"
		" + (SELECT count(*) FROM rebuilt_layer)"
		" + (SELECT count(*) FROM forgiven)"
		" + (SELECT count(*) FROM difference)");
}

/* As SQLite sees it: 1 when the database is whole. */
static inline int64_t
is_whole(const struct place *p)
{
	return ask(p,
		       "SELECT integrity_check = 'ok' FROM"
		       " pragma_integrity_check") == 1 &&
		ask(p, "SELECT count(*) FROM pragma_foreign_key_check") == 0;
}

#endif
