/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/excerpt.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/path.h"
#include "compare/findings.h"
#include "compare/reason.h"

enum {
	/* bytes before the first that differs, where its line begins earlier */
	EXCERPT_BEFORE = 64,
	EXCERPT_LINE = 160 /* how far back a line's beginning is looked for */
};

static int
read_at(const char *path, int64_t from, size_t max, char *out, size_t *n,
	struct err *e)
{
	CLEANUP(own_file)
	FILE *f = fopen(path, "rbe");

	if (!f || fseeko(f, (off_t)from, SEEK_SET) != 0)
		return err_sys(e, ERR_HOST, "read %s", path);
	*n = fread(out, 1, max, f);
	if (ferror(f))
		return err_sys(e, ERR_HOST, "read %s", path);
	return 0;
}

static struct slice
keep_part(struct arena *arena, const char *bytes, size_t n)
{
	if (n > COMPARE_PART_MAX)
		n = COMPARE_PART_MAX;
	return (struct slice){arena_copy(arena, bytes, n), n};
}

/*
 * Where the part begins: at the line's beginning where that is near, else at a
 * multiple of 16, as hex is shown.
 */
static int64_t
begin_of(const char *before, int64_t from, int64_t offset)
{
	int64_t begin = offset > EXCERPT_BEFORE ? offset - EXCERPT_BEFORE : 0;

	for (int64_t i = offset; i > from; i--) {
		if (before[i - from - 1] == '\n')
			return i;
	}
	return from == 0 && offset < EXCERPT_LINE ? 0 : begin / 16 * 16;
}

static int
take_parts(const char *image, const char *rebuilt, struct difference *d,
	struct arena *arena, struct err *e)
{
	char bytes[EXCERPT_LINE + COMPARE_PART_MAX];
	int64_t from = d->offset > EXCERPT_LINE ? d->offset - EXCERPT_LINE : 0;
	size_t n, skipped;

	if (read_at(image, from, sizeof(bytes), bytes, &n, e) < 0)
		return -1;
	if ((int64_t)n < d->offset - from)
		return 0;
	d->part_at = begin_of(bytes, from, d->offset);
	skipped = (size_t)(d->part_at - from);
	d->image_part = keep_part(arena, bytes + skipped, n - skipped);
	if (read_at(rebuilt, d->part_at, COMPARE_PART_MAX, bytes, &n, e) < 0)
		return -1;
	d->rebuilt_part = keep_part(arena, bytes, n);
	return 0;
}

/* The whole of a file that is small enough; 1 read, 0 it is not. */
static int
read_whole(const char *path, uint64_t *budget, struct buf *out, struct err *e)
{
	CLEANUP(own_file)
	FILE *f = fopen(path, "rbe");
	off_t size;

	if (!f || fseeko(f, 0, SEEK_END) != 0 || (size = ftello(f)) < 0)
		return err_sys(e, ERR_HOST, "read %s", path);
	if (size > COMPARE_REASON_MAX || (uint64_t)size > *budget)
		return 0;
	*budget -= (uint64_t)size;
	return path_read(path, COMPARE_REASON_MAX, out, e) < 0 ? -1 : 1;
}

int
excerpt_of_files(const char *image, const char *rebuilt, struct difference *d,
	uint64_t *budget, struct arena *arena, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf a = {0};
	CLEANUP(buf_fini)
	struct buf b = {0};
	CLEANUP(buf_fini)
	struct buf words = {0};
	struct reasons r;
	int is_read;

	if (d->offset < 0)
		return 0;
	if (take_parts(image, rebuilt, d, arena, e) < 0)
		return -1;
	is_read = read_whole(image, budget, &a, e);
	if (is_read > 0)
		is_read = read_whole(rebuilt, budget, &b, e);
	if (is_read <= 0)
		return is_read;
	reason_find(buf_get(&a), buf_get(&b), &r);
	reason_print(&r, &words);
	if (words.n > 0)
		d->why = arena_copy(arena, words.p, words.n);
	return 0;
}

/* ---- lists ---- */

/* What is below the store item of path in t, a line each, as far as there is
 * room.  The item itself need not have an entry: path is below it then. */
static struct slice
list_below(const struct tree *t, const char *path, struct arena *arena)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct slice item = findings_item(path);
	CLEANUP(own_free)
	char *prefix = xasprintf("%.*s/", (int)(item.p + item.n - path), path);
	size_t n = strlen(prefix), i = tree_lower(t, prefix);

	for (; i < t->n && slice_starts(slice_of(t->v[i].path), prefix); i++) {
		const struct tree_entry *entry = &t->v[i];
		const char *name = entry->path + n;
		size_t before = text.n;

		buf_printf(&text, "%s%s", name,
			entry->type == TREE_DIR            ? "/"
				: entry->type == TREE_LINK ? " -> "
							   : "");
		if (entry->type == TREE_LINK && entry->link)
			buf_str(&text, entry->link);
		if (entry->type == TREE_FILE)
			buf_printf(&text, " %" PRIu64, entry->size);
		buf_char(&text, '\n');
		if (text.n > COMPARE_LIST_MAX) {
			text.n = before;
			break;
		}
	}
	if (text.n == 0)
		return (struct slice){0};
	return (struct slice){arena_copy(arena, text.p, text.n), text.n};
}

void
excerpt_lists(const struct image *image, const struct image *rebuilt,
	struct comparison *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_differences && n < COMPARE_LISTS_MAX; i++) {
		struct difference *d = &c->differences[i];
		struct slice *part = NULL;
		const struct tree *t = NULL;

		if (d->kind == findings_kind(FINDING_ITEM_MISSING)) {
			part = &d->image_part;
			t = &image->tree;
		} else if (d->kind == findings_kind(FINDING_ITEM_EXTRA)) {
			part = &d->rebuilt_part;
			t = &rebuilt->tree;
		} else
			continue;
		*part = list_below(t, d->path, &c->arena);
		n += part->p != NULL;
	}
}
