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
			    "PRAGMA user_version = 2;";

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

/* What brings version i + 1 to i + 2. */
static int (*const steps[UPGRADE_VERSION - 1])(
	struct store *s, struct err *e) = {
	upgrade_1,
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
