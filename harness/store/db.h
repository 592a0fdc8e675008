/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_DB_H
#define UB_STORE_DB_H

#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/store.h"

/*
 * The database as the rest of this folder sees it: numbered statements, values
 * that go in, columns that come out.  All of it is in store.c, so that SQLite
 * is seen there alone.
 */
enum stmt {
#define STMT(symbol, sql) STMT_##symbol,
#include "store/stmt.def"
#undef STMT
	STMT_COUNT
};

enum db_type {
	DB_NULL,
	DB_INT,
	DB_TEXT,
	DB_BLOB
};

/* A value for a parameter; what it points to is borrowed for the call. */
struct db_value {
	enum db_type type;
	int64_t n;
	struct slice s;
};

static inline struct db_value
db_int(int64_t n)
{
	return (struct db_value){.type = DB_INT, .n = n};
}

/* NULL when s.p is NULL, in these and the next. */
static inline struct db_value
db_slice(struct slice s)
{
	return (struct db_value){.type = s.p ? DB_TEXT : DB_NULL, .s = s};
}

static inline struct db_value
db_text(const char *s)
{
	return db_slice(slice_of(s));
}

static inline struct db_value
db_blob(struct slice s)
{
	return (struct db_value){.type = s.p ? DB_BLOB : DB_NULL, .s = s};
}

static inline struct db_value
db_digest(const struct digest *d)
{
	return db_blob((struct slice){
		d ? (const char *)d->b : NULL, d ? sizeof(d->b) : 0});
}

/* NULL when n is below min: a number that may be absent. */
static inline struct db_value
db_int_from(int64_t min, int64_t n)
{
	return (struct db_value){.type = n < min ? DB_NULL : DB_INT, .n = n};
}

/* The values of ?1, ?2, ... as the two parameters args and n. */
#define DB_ARGS(...)                                       \
	(const struct db_value[]){__VA_ARGS__},            \
		sizeof((struct db_value[]){__VA_ARGS__}) / \
		sizeof(struct db_value)

/*
 * Errors of all below: ERR_HOST disk full, locked by another program, damaged,
 * not readable; ERR_INPUT a value that the schema refuses; ERR_BUG a statement
 * that is in use already.
 */

/* Run a statement to its end, rows ignored; *id (may be NULL) gets the number
 * of the row that an INSERT made. */
int db_run(struct store *s, enum stmt which, const struct db_value *args,
	size_t n, int64_t *id, struct err *e) NODISCARD;
/* The first column of the first row: 1, or 0 when there is no row. */
int db_one(struct store *s, enum stmt which, const struct db_value *args,
	size_t n, int64_t *out, struct err *e) NODISCARD;
/* Run a text of statements: only what upgrade.c holds. */
int db_script(struct store *s, const char *text, struct err *e) NODISCARD;

/*
 * Rows:
 *	CLEANUP(db_end) struct db_rows rows = {0};
 *	if (db_query(s, STMT_X, DB_ARGS(db_int(1)), &rows, e) < 0) ...
 *	while ((more = db_next(&rows, e)) > 0)
 *		... db_column_text(&rows, 0) ...
 */
struct db_rows {
	struct store *s;
	void *stmt;
};

int db_query(struct store *s, enum stmt which, const struct db_value *args,
	size_t n, struct db_rows *rows, struct err *e) NODISCARD;
/* 1: a row, 0: the end, -1. */
int db_next(struct db_rows *rows, struct err *e) NODISCARD;
void db_end(struct db_rows *rows);
/* Columns from 0, valid until db_next or db_end: 0 or NULL for NULL. */
int64_t db_column_int(const struct db_rows *rows, int i);
const char *db_column_text(const struct db_rows *rows, int i);
struct slice db_column_blob(const struct db_rows *rows, int i);
bool db_column_is_null(const struct db_rows *rows, int i);
/* A rank, as one of ours: ERR_HOST where the database was tampered with. */
int db_column_verdict(const struct db_rows *rows, int i, enum verdict *out,
	struct err *e) NODISCARD;
/* Text that the schema says is there; a damaged database must not crash. */
static inline const char *
db_column_str(const struct db_rows *rows, int i)
{
	const char *s = db_column_text(rows, i);

	return s ? s : "";
}
/* absent for NULL. */
static inline int64_t
db_column_int_or(const struct db_rows *rows, int i, int64_t absent)
{
	return db_column_is_null(rows, i) ? absent : db_column_int(rows, i);
}
/* What is there, which a database from elsewhere need not hold to; a number
 * that is no integer is DB_BLOB. */
enum db_type db_column_type(const struct db_rows *rows, int i);

/*
 * A transaction that writes.  db_write_end commits when result is 0, else (or
 * when the commit fails) takes all back; gives -1 unless all was committed.
 */
int db_write_begin(struct store *s, struct err *e) NODISCARD;
int db_write_end(struct store *s, int result, struct err *e) NODISCARD;

/* The file's name, for messages. */
const char *db_path(const struct store *s);
/* Where store_run_get keeps its strings until it is called again. */
struct arena *db_run_texts(struct store *s);

#endif
