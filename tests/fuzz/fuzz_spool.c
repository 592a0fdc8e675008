/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A spool is all that the parent reads of what a worker wrote: whatever is in
 * it, the database takes all of it or nothing, and stays whole. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/aside.h"
#include "base/path.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct place {
	char folder[32];
	char *db, *spool;
	struct store *s;
	sqlite3 *other; /* looks at the same file */
	int64_t run, sample, seq;
} place;

static void
check(int is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void
leave(void)
{
	struct err e;

	sqlite3_close(place.other);
	store_close(place.s);
	(void)!path_remove(place.folder, &e);
	free(place.db);
	free(place.spool);
}

static void
add_sample(void)
{
	struct err e = {0};
	char name[32];
	struct store_sample sample = {.seq = ++place.seq,
		.name = name,
		.collection = "",
		.source = "",
		.tags = ""};

	snprintf(name, sizeof(name), "%d", (int)place.seq);
	check(store_sample_add(place.s, place.run, &sample, &e) == 0, e.text);
	place.sample = sample.id;
}

static void
enter(void)
{
	struct err e = {0};
	struct store_run run = {.unblend_version = "",
		.guix_version = "",
		.host = "",
		.kernel = "",
		.store_fs = "",
		.accept = "identical",
		.corpora = "",
		.depth = "pack"};

	/* In memory where that can be had: each commit waits for the disk. */
	snprintf(place.folder, sizeof(place.folder), "/dev/shm/fuzz-XXXXXX");
	if (!mkdtemp(place.folder)) {
		snprintf(
			place.folder, sizeof(place.folder), "/tmp/fuzz-XXXXXX");
		check(mkdtemp(place.folder) != NULL, "no folder");
	}
	place.db = path_join(place.folder, "db");
	place.spool = path_join(place.folder, "spool");
	check(store_open(place.db, STORE_WRITE, &place.s, &e) == 0, e.text);
	check(store_run_begin(place.s, &run, &e) == 0, e.text);
	place.run = run.id;
	check(sqlite3_open(place.db, &place.other) == SQLITE_OK, "sqlite");
	atexit(leave);
	add_sample();
}

static int64_t
ask(const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t n;

	check(sqlite3_prepare_v2(place.other, sql, -1, &stmt, NULL) ==
			SQLITE_OK,
		"prepare");
	check(sqlite3_step(stmt) == SQLITE_ROW, "step");
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* Changes when, and only when, the store has committed something. */
static int64_t
version(void)
{
	return ask("PRAGMA data_version");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err e = {0};
	struct buf log = {0};
	int64_t before;
	FILE *f;

	if (!place.s)
		enter();
	f = fopen(place.spool, "w");
	check(f != NULL && fwrite(data, 1, n, f) == n && fclose(f) == 0,
		"spool");
	before = version();
	if (store_attempt_take(place.s, place.sample, place.spool, NULL, &e) <
		0) {
		check(e.kind == ERR_INPUT, e.text);
		check(version() == before, "half of an attempt is stored");
		return 0;
	}
	check(version() != before, "nothing is stored");
	check(ask("SELECT count(*) FROM pragma_foreign_key_check") == 0,
		"a row refers to none");
	check(store_log(place.s, place.sample, &log, &e) == 0, e.text);
	buf_fini(&log);
	add_sample();
	return 0;
}
