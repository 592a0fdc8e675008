/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/text.h"
#include "store/db.h"
#include "store/upgrade.h"

enum {
	BUSY_MS = 10000, /* wait for a lock that another program holds */
	LENGTH_MAX = 64 << 20,
	PID_TEXT_MAX = 32
};

static const char *const sql[STMT_COUNT] = {
#define STMT(symbol, text) [STMT_##symbol] = (text),
#include "store/stmt.def"
#undef STMT
};

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	int lock_fd;     /* held while we may write; -1 */
	int read_depth;  /* store_read_begin without its end */
	bool is_writing; /* between db_write_begin and db_write_end */
	bool is_batch;   /* between store_batch_begin and its end */
	bool is_bad;     /* a write of the batch failed */
	struct arena run_texts;
	sqlite3_stmt *stmts[STMT_COUNT]; /* NULL until first used */
};

/* ---- errors ---- */

static int
fail(struct store *s, int rc, struct err *e)
{
	CLEANUP(own_free)
	char *why = text_clean_new(
		slice_of(s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc)));
	int sys = s->db ? sqlite3_system_errno(s->db) : 0;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_HOST,
			"%s: another program keeps the database locked "
			"(waited %d s)",
			s->path, BUSY_MS / 1000);
	case SQLITE_FULL:
		return err_set(e, ERR_HOST,
			"%s: no space left on the disk to write the database",
			s->path);
	case SQLITE_CORRUPT:
		return err_set(e, ERR_HOST, "%s: the database is damaged: %s",
			s->path, why);
	case SQLITE_NOTADB:
		return err_set(e, ERR_HOST, "%s: is no database of unblend: %s",
			s->path, why);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_set(e, ERR_HOST,
			"%s: the database cannot be written: %s", s->path, why);
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
		return err_set(e, ERR_INPUT,
			"%s: the database refuses a value: %s", s->path, why);
	default:
		if (sys == 0)
			return err_set(e, ERR_HOST, "%s: %s", s->path, why);
		errno = sys;
		return err_sys(e, ERR_HOST, "%s: %s", s->path, why);
	}
}

/* ---- statements ---- */

/* The statement, ready to step; NULL with *e set. */
static sqlite3_stmt *
ready(struct store *s, enum stmt which, const struct db_value *args, size_t n,
	struct err *e)
{
	sqlite3_stmt *stmt = s->stmts[which];
	int rc = SQLITE_OK;

	if (!stmt) {
		rc = sqlite3_prepare_v3(s->db, sql[which], -1,
			SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
		if (rc != SQLITE_OK) {
			(void)!fail(s, rc, e);
			return NULL;
		}
		s->stmts[which] = stmt;
	}
	if (sqlite3_stmt_busy(stmt) ||
		(size_t)sqlite3_bind_parameter_count(stmt) != n) {
		(void)!err_set(e, ERR_BUG,
			"%s: statement %d is in use, or told %zu values",
			s->path, which, n);
		return NULL;
	}
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
		const struct db_value *v = &args[i];
		int at = (int)i + 1;

		switch (v->type) {
		case DB_INT:
			rc = sqlite3_bind_int64(stmt, at, v->n);
			break;
		case DB_TEXT:
			rc = sqlite3_bind_text64(stmt, at, v->s.p, v->s.n,
				SQLITE_STATIC, SQLITE_UTF8);
			break;
		case DB_BLOB:
			rc = sqlite3_bind_blob64(
				stmt, at, v->s.p, v->s.n, SQLITE_STATIC);
			break;
		case DB_NULL:
		default:
			rc = sqlite3_bind_null(stmt, at);
			break;
		}
	}
	if (rc != SQLITE_OK) {
		(void)!fail(s, rc, e);
		sqlite3_clear_bindings(stmt);
		return NULL;
	}
	return stmt;
}

/* The values were borrowed: none stays bound. */
static void
done(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

int
db_run(struct store *s, enum stmt which, const struct db_value *args, size_t n,
	int64_t *id, struct err *e)
{
	sqlite3_stmt *stmt = ready(s, which, args, n, e);
	int rc, result = 0;

	if (!stmt)
		return -1;
	do
		rc = sqlite3_step(stmt);
	while (rc == SQLITE_ROW);
	if (rc != SQLITE_DONE)
		result = fail(s, rc, e);
	else if (id)
		*id = sqlite3_last_insert_rowid(s->db);
	done(stmt);
	return result;
}

int
db_one(struct store *s, enum stmt which, const struct db_value *args, size_t n,
	int64_t *out, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(s, which, args, n, &rows, e) < 0)
		return -1;
	more = db_next(&rows, e);
	if (more > 0)
		*out = db_column_int(&rows, 0);
	return more;
}

int
db_script(struct store *s, const char *text, struct err *e)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(s, rc, e);
}

int
db_query(struct store *s, enum stmt which, const struct db_value *args,
	size_t n, struct db_rows *rows, struct err *e)
{
	sqlite3_stmt *stmt = ready(s, which, args, n, e);

	*rows = (struct db_rows){s, stmt};
	return stmt ? 0 : -1;
}

int
db_next(struct db_rows *rows, struct err *e)
{
	int rc = sqlite3_step(rows->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fail(rows->s, rc, e);
}

void
db_end(struct db_rows *rows)
{
	if (rows->stmt)
		done(rows->stmt);
	*rows = (struct db_rows){0};
}

int64_t
db_column_int(const struct db_rows *rows, int i)
{
	return sqlite3_column_int64(rows->stmt, i);
}

const char *
db_column_text(const struct db_rows *rows, int i)
{
	return (const char *)sqlite3_column_text(rows->stmt, i);
}

struct slice
db_column_blob(const struct db_rows *rows, int i)
{
	const void *p = sqlite3_column_blob(rows->stmt, i);

	return (struct slice){p, (size_t)sqlite3_column_bytes(rows->stmt, i)};
}

bool
db_column_is_null(const struct db_rows *rows, int i)
{
	return sqlite3_column_type(rows->stmt, i) == SQLITE_NULL;
}

int
db_column_verdict(
	const struct db_rows *rows, int i, enum verdict *out, struct err *e)
{
	int64_t rank = db_column_int(rows, i);

	if (rank < 0 || rank >= VERDICT_COUNT)
		return err_set(e, ERR_HOST,
			"%s: the database is damaged: verdict %" PRId64,
			db_path(rows->s), rank);
	*out = (enum verdict)rank;
	return 0;
}

enum db_type
db_column_type(const struct db_rows *rows, int i)
{
	switch (sqlite3_column_type(rows->stmt, i)) {
	case SQLITE_NULL:
		return DB_NULL;
	case SQLITE_INTEGER:
		return DB_INT;
	case SQLITE_TEXT:
		return DB_TEXT;
	default:
		return DB_BLOB;
	}
}

/* ---- transactions ---- */

int
db_write_begin(struct store *s, struct err *e)
{
	if (s->is_batch)
		return 0;
	if (s->mode != STORE_WRITE || s->read_depth > 0 || s->is_writing)
		return err_set(e, ERR_BUG,
			"%s: a write where only reading was meant", s->path);
	if (db_run(s, STMT_WRITE, NULL, 0, NULL, e) < 0)
		return -1;
	s->is_writing = true;
	return 0;
}

/* SQLite has done so already after some errors (disk full). */
static void
take_back(struct store *s)
{
	struct err ignored;

	if (!sqlite3_get_autocommit(s->db))
		(void)!db_run(s, STMT_ROLLBACK, NULL, 0, NULL, &ignored);
}

int
db_write_end(struct store *s, int result, struct err *e)
{
	if (s->is_batch) {
		s->is_bad = s->is_bad || result < 0;
		return result;
	}
	s->is_writing = false;
	if (result == 0 && db_run(s, STMT_COMMIT, NULL, 0, NULL, e) == 0)
		return 0;
	take_back(s);
	return -1;
}

int
store_batch_begin(struct store *s, struct err *e)
{
	if (s->is_batch)
		return err_set(
			e, ERR_BUG, "%s: a batch within another", s->path);
	if (db_write_begin(s, e) < 0)
		return -1;
	s->is_batch = true;
	s->is_bad = false;
	return 0;
}

int
store_batch_end(struct store *s, int result, struct err *e)
{
	s->is_batch = false;
	if (result == 0 && s->is_bad)
		result = err_set(e, ERR_BUG, "%s: a part of a batch had failed",
			s->path);
	return db_write_end(s, result, e);
}

int
store_read_begin(struct store *s, struct err *e)
{
	int64_t n;

	if (s->is_writing)
		return err_set(
			e, ERR_BUG, "%s: a read within a write", s->path);
	/* The snapshot is that of the first statement after BEGIN. */
	if (s->read_depth == 0 &&
		(db_run(s, STMT_READ, NULL, 0, NULL, e) < 0 ||
			db_one(s, STMT_OBJECTS, NULL, 0, &n, e) < 0)) {
		take_back(s);
		return -1;
	}
	s->read_depth++;
	return 0;
}

void
store_read_end(struct store *s)
{
	struct err ignored;

	if (s->read_depth > 0 && --s->read_depth == 0)
		(void)!db_run(s, STMT_COMMIT, NULL, 0, NULL, &ignored);
}

/* ---- opening ---- */

const char *
db_path(const struct store *s)
{
	return s->path;
}

struct arena *
db_run_texts(struct store *s)
{
	return &s->run_texts;
}

/* The pid that a lock file tells, 0 when it does not. */
static long
lock_owner(int fd)
{
	char text[PID_TEXT_MAX] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	return pid > 0 ? pid : 0;
}

/* Whoever holds FILE.lock is the one that writes; it ends with the process. */
static int
lock(struct store *s, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s.lock", s->path);
	char text[PID_TEXT_MAX];
	int n;

	s->lock_fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (s->lock_fd < 0)
		return err_sys(e, ERR_HOST, "%s", path);
	while (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		long pid = lock_owner(s->lock_fd);

		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_sys(e, ERR_HOST, "%s: cannot lock", path);
		if (pid == 0)
			return err_set(e, ERR_HOST,
				"another unblend run writes to %s", s->path);
		return err_set(e, ERR_HOST,
			"another unblend run (pid %ld) writes to %s", pid,
			s->path);
	}
	/* For people alone: a disk that is full does not matter here. */
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) == 0)
		(void)!pwrite(s->lock_fd, text, (size_t)n, 0);
	return 0;
}

/* The database is data from elsewhere too: nothing in its schema may run code
 * or reach beyond its own tables. */
static int
settle(struct store *s, struct err *e)
{
	static const struct {
		int option, value;
	} config[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
	};
	int rc = sqlite3_extended_result_codes(s->db, 1);

	for (size_t i = 0; i < ARRAY_LEN(config) && rc == SQLITE_OK; i++)
		rc = sqlite3_db_config(
			s->db, config[i].option, config[i].value, (int *)NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(s->db, BUSY_MS);
	if (rc != SQLITE_OK)
		return fail(s, rc, e);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	if (db_run(s, STMT_FOREIGN_KEYS, NULL, 0, NULL, e) < 0 ||
		db_run(s, STMT_CELL_SIZE_CHECK, NULL, 0, NULL, e) < 0)
		return -1;
	if (s->mode == STORE_READ)
		return db_run(s, STMT_QUERY_ONLY, NULL, 0, NULL, e);
	return db_run(s, STMT_SYNCHRONOUS, NULL, 0, NULL, e);
}

/* Ours, and of which version: 0 when there is nothing in it yet. */
static int
identify(struct store *s, int64_t *version, struct err *e)
{
	int64_t application = 0, objects = 0;

	if (db_one(s, STMT_APPLICATION_ID, NULL, 0, &application, e) < 0 ||
		db_one(s, STMT_USER_VERSION, NULL, 0, version, e) < 0 ||
		db_one(s, STMT_OBJECTS, NULL, 0, &objects, e) < 0)
		return -1;
	if (application == 0 && *version == 0 && objects == 0 &&
		s->mode == STORE_WRITE)
		return 0;
	if (application != UPGRADE_APPLICATION || *version < 1)
		return err_set(e, ERR_HOST,
			"%s: is no database of unblend (application id "
			"0x%08" PRIx64 ")",
			s->path, (uint64_t)application & 0xffffffff);
	if (*version > UPGRADE_VERSION)
		return err_set(e, ERR_POLICY,
			"%s: is of version %" PRId64 ", made by a newer "
			"unblend; this one knows up to version %d",
			s->path, *version, UPGRADE_VERSION);
	return 0;
}

static int
prepare(struct store *s, struct err *e)
{
	int64_t version = 0;

	if (settle(s, e) < 0 || identify(s, &version, e) < 0)
		return -1;
	if (version == UPGRADE_VERSION)
		return 0;
	if (s->mode == STORE_READ)
		return err_set(e, ERR_POLICY,
			"%s: is of version %" PRId64 "; `unblend run' brings "
			"it to version %d",
			s->path, version, UPGRADE_VERSION);
	/* Part of the file from then on, and not to be had in a transaction. */
	if (db_run(s, STMT_JOURNAL_WAL, NULL, 0, NULL, e) < 0)
		return -1;
	return upgrade_run(s, version, e);
}

/* In a folder that we cannot write to SQLite could not make the files that
 * readers of a WAL share.  Nor can a writer, so without them nothing is
 * missing and nothing changes. */
static bool
is_frozen(const char *path)
{
	CLEANUP(own_free)
	char *folder = path_dir(path);
	CLEANUP(own_free)
	char *wal = xasprintf("%s-wal", path);

	return access(folder, W_OK) != 0 && access(wal, F_OK) != 0;
}

/* The path as an URI (https://sqlite.org/uri.html) of a file that stays. */
static char *
frozen_uri(const char *path)
{
	struct buf uri = {0};

	buf_str(&uri, "file:");
	for (; *path; path++) {
		if ((unsigned char)*path <= ' ' || strchr("%?#", *path) ||
			(unsigned char)*path >= 0x7f)
			buf_printf(&uri, "%%%02X", (unsigned char)*path);
		else
			buf_char(&uri, *path);
	}
	buf_str(&uri, "?immutable=1");
	return buf_take(&uri);
}

static int
open_file(struct store *s)
{
	/* A reader may have to write too: the index of the WAL, and what a
	 * killed writer left in it.  query_only keeps it from more. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_EXRESCODE;

	if (s->mode == STORE_READ && is_frozen(s->path)) {
		CLEANUP(own_free)
		char *uri = frozen_uri(s->path);

		return sqlite3_open_v2(uri, &s->db,
			SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
				SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI,
			NULL);
	}
	if (s->mode == STORE_WRITE)
		flags |= SQLITE_OPEN_CREATE;
	return sqlite3_open_v2(s->path, &s->db, flags, NULL);
}

int
store_open(const char *path, enum store_mode mode, struct store **out,
	struct err *e)
{
	CLEANUP(own_store)
	struct store *s = xcalloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	s->lock_fd = -1;
	s->mode = mode;
	/* The lock is that of the file, whatever name it is called by. */
	s->path = realpath(path, NULL);
	if (!s->path && mode == STORE_READ)
		return err_sys(e, errno == ENOENT ? ERR_ABSENT : ERR_HOST,
			"database %s", path);
	if (!s->path)
		s->path = xstrdup(path);
	if (mode == STORE_WRITE && lock(s, e) < 0)
		return -1;
	rc = open_file(s);
	if (rc != SQLITE_OK)
		return fail(s, rc, e);
	if (prepare(s, e) < 0)
		return -1;
	*out = STEAL(s);
	return 0;
}

void
store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(s->stmts[i]);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	arena_fini(&s->run_texts);
	free(s->path);
	free(s);
}

void
own_store(struct store **s)
{
	store_close(*s);
}
