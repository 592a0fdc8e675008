/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "store/merge_own.h"

/* A list that belongs to a row. */
struct list {
	enum stmt of, add;
	const char *kinds; /* NULL: no more */
};

enum {
	LISTS_MAX = 5
};

/* Rows that are told by their content, after those that they refer to. */
struct shared {
	const char *name;
	enum stmt all, one, find, add;
	const char *kinds;
	struct list lists[LISTS_MAX];
};

static const struct shared tables[] = {
	{"a list of channels", STMT_CHANNEL_SET_ALL, STMT_CHANNEL_SET_ONE,
		STMT_CHANNEL_SET_FIND, STMT_CHANNEL_SET_ADD, "bt",
		{{STMT_CHANNEL_OF, STMT_CHANNEL_ADD, "ittTTTT"}}},
	{"provenance", STMT_PROVENANCE_ALL, STMT_PROVENANCE_ONE,
		STMT_PROVENANCE_FIND, STMT_PROVENANCE_ADD, "btlis",
		{{STMT_PACKAGE_OF, STMT_PACKAGE_ADD, "iIitttttlli"}}},
	{"a recipe", STMT_RECIPE_ALL, STMT_RECIPE_ONE, STMT_RECIPE_FIND,
		STMT_RECIPE_ADD, "bbblltllts", {{0}}},
	{"a store item", STMT_ITEM_ALL, STMT_ITEM_ONE, STMT_ITEM_FIND,
		STMT_ITEM_ADD, "btbii",
		{{STMT_ITEM_FILE_OF, STMT_ITEM_FILE_ADD, "itBtiIBTB"}}},
	{"an image", STMT_IMAGE_ALL, STMT_IMAGE_ONE, STMT_IMAGE_FIND,
		STMT_IMAGE_ADD, "bbittbBii",
		{{STMT_IMAGE_TAG_OF, STMT_IMAGE_TAG_ADD, "it"},
			{STMT_IMAGE_LAYER_OF, STMT_IMAGE_LAYER_ADD, "ibtii"},
			{STMT_IMAGE_ITEM_OF, STMT_IMAGE_ITEM_ADD, "im"},
			{STMT_IMAGE_FILE_OF, STMT_IMAGE_FILE_ADD,
				"itBtiIBTBiittiiTLi"}}},
};

static int
differs(const struct merge *m, const struct shared *t, int64_t id,
	struct err *e)
{
	CLEANUP(own_free)
	char *what = xasprintf("%s (%" PRId64 ") claims to be one that %s has, "
			       "and is another",
		t->name, id, db_path(m->into));

	return merge_bad(m, what, e);
}

/* It is there by its content: all of it must be the same. */
static int
hold(struct merge *m, const struct shared *t, int64_t from, int64_t into,
	struct err *e)
{
	int same = merge_same(m, t->one, from, into, t->kinds, e);

	for (const struct list *l = t->lists; same > 0 && l->kinds; l++)
		same = merge_same(m, l->of, from, into, l->kinds, e);
	if (same < 0)
		return -1;
	return same ? 0 : differs(m, t, from, e);
}

static int
add(struct merge *m, const struct shared *t, const struct db_rows *row,
	int64_t from, struct err *e)
{
	struct db_value v[MERGE_COLUMNS_MAX];
	int64_t into;

	if (merge_values(m, row, 1, t->kinds, v, 0, e) < 0 ||
		db_run(m->into, t->add, v, strlen(t->kinds), &into, e) < 0)
		return -1;
	for (const struct list *l = t->lists; l->kinds; l++)
		if (merge_copy(m, l->of, from, l->add, into, l->kinds, e) < 0)
			return -1;
	return 0;
}

static int
merge_table(struct merge *m, const struct shared *t, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(m->from, t->all, NULL, 0, &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct slice content = db_column_blob(&rows, 1);
		int64_t from = db_column_int(&rows, 0), into = 0;
		int known = db_one(
			m->into, t->find, DB_ARGS(db_blob(content)), &into, e);

		if (known < 0 ||
			(known ? hold(m, t, from, into, e)
			       : add(m, t, &rows, from, e)) < 0)
			return -1;
	}
	return more;
}

/* What is known already stays as it is. */
static int
merge_dates(struct merge *m, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	int more;

	if (db_query(m->from, STMT_COMMIT_DATE_ALL, NULL, 0, &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0) {
		struct db_value v[2];

		if (merge_values(m, &rows, 0, "ti", v, 0, e) < 0 ||
			db_run(m->into, STMT_COMMIT_DATE_ADD, v, 2, NULL, e) <
				0)
			return -1;
	}
	return more;
}

int
merge_shared(struct merge *m, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (merge_table(m, &tables[i], e) < 0)
			return -1;
	return merge_dates(m, e);
}
