/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/upgrade.h"

#include "compare/compare.h"
#include "store/db.h"

static const char schema[] =
#include "store/schema.sql.h"
	;

/* The pragmas are part of the transaction: a database has its marks when, and
 * only when, it has its tables. */
static const char marks[] = "PRAGMA application_id = 0x55424c44;"
			    "PRAGMA user_version = 4;";

static int
make_verdicts(struct store *s, struct err *e)
{
	static const struct {
		const char *name, *junit, *sentence;
	} verdicts[] = {
#define VERDICT(symbol, name, junit, sentence) {name, #junit, sentence},
#include "compare/verdict.def"
#undef VERDICT
	};

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (db_run(s, STMT_VERDICT_ADD,
			    DB_ARGS(db_int((int64_t)i),
				    db_text(verdicts[i].name),
				    db_text(verdicts[i].junit),
				    db_text(verdicts[i].sentence)),
			    NULL, e) < 0)
			return -1;
	return 0;
}

/* From nothing to the newest. */
static int
make_all(struct store *s, struct err *e)
{
	if (db_script(s, schema, e) < 0 || make_verdicts(s, e) < 0)
		return -1;
	return db_script(s, marks, e);
}

/* 2: the depth of each rebuild; the verdict same-recipe, which moves others. */
static int
upgrade_1(struct store *s, struct err *e)
{
	static const char columns[] = "PRAGMA defer_foreign_keys = ON;"
				      "ALTER TABLE rebuild ADD COLUMN"
				      " depth TEXT NOT NULL DEFAULT 'pack';"
				      "ALTER TABLE rebuild ADD COLUMN"
				      " examined INTEGER NOT NULL DEFAULT 0;"
				      "ALTER TABLE rebuild ADD COLUMN"
				      " unstable INTEGER NOT NULL DEFAULT 0;"
				      "DELETE FROM verdict;";

	if (db_script(s, columns, e) < 0 || make_verdicts(s, e) < 0)
		return -1;
	return db_script(s, "PRAGMA user_version = 2;", e);
}

/* 3: what a verdict depends on, what was not tried, what was tried again. */
static int
upgrade_2(struct store *s, struct err *e)
{
	static const char tables[] =
		"CREATE TABLE basis ( "
		"sample_id INTEGER PRIMARY KEY REFERENCES sample (id), "
		"file TEXT, "
		"entry BLOB NOT NULL CHECK (length(entry) = 32), "
		"guix TEXT NOT NULL, "
		"policy BLOB NOT NULL CHECK (length(policy) = 32) "
		") STRICT; "
		"CREATE TABLE skip ( "
		"sample_id INTEGER PRIMARY KEY REFERENCES sample (id), "
		"of_sample_id INTEGER NOT NULL REFERENCES attempt (sample_id) "
		") STRICT; "
		"CREATE TABLE trial ( "
		"sample_id INTEGER NOT NULL REFERENCES sample (id), "
		"seq INTEGER NOT NULL, "
		"ended_s INTEGER NOT NULL, "
		"class TEXT NOT NULL, "
		"PRIMARY KEY (sample_id, seq) "
		") STRICT, WITHOUT ROWID; "
		"DROP VIEW judgement; "
		"CREATE VIEW judgement AS "
		"SELECT s.id AS sample_id, s.run_id, s.seq, s.name, a.verdict, v.rank, "
		"v.rank <= coalesce(x.rank, l.rank) AS is_accepted, "
		"coalesce(v.rank > x.rank AND v.name <> 'not-tried', 0) AS is_regression "
		"FROM sample s "
		"JOIN run r ON r.id = s.run_id "
		"JOIN verdict l ON l.name = r.accept "
		"LEFT JOIN skip k ON k.sample_id = s.id "
		"JOIN attempt a ON a.sample_id = coalesce(k.of_sample_id, s.id) "
		"JOIN verdict v ON v.name = a.verdict "
		"LEFT JOIN verdict x ON x.name = s.expect; "
		"PRAGMA user_version = 3;";

	return db_script(s, tables, e);
}

/* 4: the shards of a run; what contents differ in; dates of commits. */
static int
upgrade_3(struct store *s, struct err *e)
{
	static const char tables[] =
		"CREATE TABLE shard ( "
		"run_id INTEGER NOT NULL REFERENCES run (id), "
		"number INTEGER NOT NULL CHECK (number BETWEEN 1 AND \"of\"), "
		"\"of\" INTEGER NOT NULL CHECK (\"of\" BETWEEN 1 AND 10000), "
		"study BLOB NOT NULL CHECK (length(study) = 32), "
		"images INTEGER NOT NULL, "
		"options TEXT NOT NULL, "
		"started_s INTEGER, "
		"ended_s INTEGER, "
		"host TEXT, "
		"kernel TEXT, "
		"store_fs TEXT, "
		"guix_version TEXT, "
		"PRIMARY KEY (run_id, number) "
		") STRICT, WITHOUT ROWID; "
		"CREATE TABLE excerpt ( "
		"sample_id INTEGER NOT NULL, "
		"seq INTEGER NOT NULL, "
		"why TEXT, "
		"at INTEGER NOT NULL, "
		"image BLOB, "
		"rebuilt BLOB, "
		"PRIMARY KEY (sample_id, seq), "
		"FOREIGN KEY (sample_id, seq) REFERENCES difference (sample_id, seq) "
		") STRICT, WITHOUT ROWID; "
		"CREATE TABLE commit_date ( "
		"\"commit\" TEXT PRIMARY KEY, "
		"time_s INTEGER NOT NULL CHECK (time_s BETWEEN 0 AND 253402300799) "
		") STRICT, WITHOUT ROWID; "
		"PRAGMA user_version = 4;";

	return db_script(s, tables, e);
}

/* What brings version i + 1 to i + 2. */
static int (*const steps[UPGRADE_VERSION - 1])(
	struct store *s, struct err *e) = {
	upgrade_1,
	upgrade_2,
	upgrade_3,
};

int
upgrade_run(struct store *s, int64_t version, struct err *e)
{
	int result = 0;

	if (db_write_begin(s, e) < 0)
		return -1;
	if (version == 0)
		result = make_all(s, e);
	else
		for (int64_t v = version; v < UPGRADE_VERSION && result == 0;
			v++)
			/* cppcheck-suppress negativeIndex */
			result = steps[v - 1](s, e);
	return db_write_end(s, result, e);
}
