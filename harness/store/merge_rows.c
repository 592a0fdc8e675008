/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/text.h"
#include "store/merge_own.h"

int
merge_bad(const struct merge *m, const char *what, struct err *e)
{
	return err_set(e, ERR_INPUT,
		"%s: is no database that can be believed: %s", db_path(m->from),
		what);
}

/* As it came from us: clean already. */
static bool
is_clean(struct merge *m, struct slice s, enum text_lines lines)
{
	buf_clear(&m->scratch);
	text_clean(&m->scratch, s, lines);
	return m->scratch.n == s.n &&
		memcmp(buf_text(&m->scratch), s.p, s.n) == 0;
}

static int
text_value(struct merge *m, const struct db_rows *rows, int i,
	enum text_lines lines, struct db_value *out, struct err *e)
{
	struct slice s = db_column_blob(rows, i);

	if (db_column_type(rows, i) != DB_TEXT)
		return merge_bad(m, "a value that should be text is none", e);
	if (!s.p)
		s.p = "";
	if (!is_clean(m, s, lines))
		return merge_bad(m, "a text with control characters in it", e);
	*out = db_slice(s);
	return 0;
}

/* What has this content in the other database. */
static int
find(struct merge *m, struct slice content, enum stmt which,
	struct db_value *out, struct err *e)
{
	int64_t id = 0;
	int more = db_one(m->into, which, DB_ARGS(db_blob(content)), &id, e);

	if (more < 0)
		return -1;
	if (more == 0)
		return merge_bad(
			m, "a row refers to another that is not there", e);
	*out = db_int(id);
	return 0;
}

static int
content_value(struct merge *m, const struct db_rows *rows, int i, char kind,
	struct db_value *out, struct err *e)
{
	struct slice content = db_column_blob(rows, i);

	if (db_column_type(rows, i) != DB_BLOB)
		return merge_bad(m, "a digest that is none", e);
	switch (kind) {
	case 's':
		return find(m, content, STMT_CHANNEL_SET_FIND, out, e);
	case 'm':
		return find(m, content, STMT_ITEM_FIND, out, e);
	case 'g':
		return find(m, content, STMT_IMAGE_FIND, out, e);
	case 'p':
		return find(m, content, STMT_PROVENANCE_FIND, out, e);
	default:
		return find(m, content, STMT_RECIPE_FIND, out, e);
	}
}

static int
value(struct merge *m, const struct db_rows *rows, int i, char kind,
	struct db_value *out, struct err *e)
{
	struct slice bytes;

	if (db_column_is_null(rows, i) && strchr("ITLBgpr", kind)) {
		*out = (struct db_value){.type = DB_NULL};
		return 0;
	}
	switch (kind) {
	case 'i':
	case 'I':
		if (db_column_type(rows, i) != DB_INT)
			return merge_bad(m,
				"a value that should be a number is none", e);
		*out = db_int(db_column_int(rows, i));
		return 0;
	case 't':
	case 'T':
		return text_value(m, rows, i, TEXT_ONE_LINE, out, e);
	case 'l':
	case 'L':
		return text_value(m, rows, i, TEXT_MANY_LINES, out, e);
	case 'b':
	case 'B':
		if (db_column_type(rows, i) != DB_BLOB)
			return merge_bad(
				m, "a value that should be bytes is none", e);
		bytes = db_column_blob(rows, i);
		*out = db_blob((struct slice){
			bytes.p ? bytes.p : "", bytes.p ? bytes.n : 0});
		return 0;
	default:
		return content_value(m, rows, i, kind, out, e);
	}
}

int
merge_values(struct merge *m, const struct db_rows *rows, int first,
	const char *kinds, struct db_value *out, size_t n, struct err *e)
{
	for (size_t i = 0; kinds[i]; i++)
		if (value(m, rows, first + (int)i, kinds[i], &out[n + i], e) <
			0)
			return -1;
	return 0;
}

int
merge_copy(struct merge *m, enum stmt of, int64_t id_from, enum stmt add,
	int64_t id_into, const char *kinds, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows rows = {0};
	struct db_value v[MERGE_COLUMNS_MAX] = {db_int(id_into)};
	int more;

	if (db_query(m->from, of, DB_ARGS(db_int(id_from)), &rows, e) < 0)
		return -1;
	while ((more = db_next(&rows, e)) > 0)
		if (merge_values(m, &rows, 0, kinds, v, 1, e) < 0 ||
			db_run(m->into, add, v, 1 + strlen(kinds), NULL, e) < 0)
			return -1;
	return more;
}

/* Whatever they are, references are asked for by content in both. */
static bool
is_same_row(const struct db_rows *a, const struct db_rows *b, size_t columns)
{
	for (int i = 0; i < (int)columns; i++) {
		struct slice x, y;

		if (db_column_type(a, i) != db_column_type(b, i))
			return false;
		if (db_column_type(a, i) == DB_INT) {
			if (db_column_int(a, i) != db_column_int(b, i))
				return false;
			continue;
		}
		x = db_column_blob(a, i);
		y = db_column_blob(b, i);
		if (x.n != y.n || (x.n > 0 && memcmp(x.p, y.p, x.n) != 0))
			return false;
	}
	return true;
}

int
merge_same(struct merge *m, enum stmt of, int64_t id_from, int64_t id_into,
	const char *kinds, struct err *e)
{
	CLEANUP(db_end)
	struct db_rows a = {0};
	CLEANUP(db_end)
	struct db_rows b = {0};

	if (db_query(m->from, of, DB_ARGS(db_int(id_from)), &a, e) < 0 ||
		db_query(m->into, of, DB_ARGS(db_int(id_into)), &b, e) < 0)
		return -1;
	for (;;) {
		int more_a = db_next(&a, e), more_b = db_next(&b, e);

		if (more_a < 0 || more_b < 0)
			return -1;
		if (more_a != more_b)
			return 0;
		if (more_a == 0)
			return 1;
		if (!is_same_row(&a, &b, strlen(kinds)))
			return 0;
	}
}
