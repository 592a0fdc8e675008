/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "compare/reason.h"
#include "report/page.h"
#include "report/view.h"

struct listing {
	struct markup *m;
	int64_t n;
};

static int
add_package(void *arg, const char *label, struct err *e)
{
	struct listing *l = arg;

	(void)e;
	if (l->n++ == 0)
		fputs("<p>Packages that differ: ", l->m->f);
	else if (l->n <= PAGE_LIST_MAX)
		fputs(", ", l->m->f);
	if (l->n <= PAGE_LIST_MAX)
		markup(l->m, "<b>%s</b>", label);
	return 0;
}

/* ---- the tree of what differs ---- */

enum {
	DEPTH_MAX = 12, /* folders within folders; below that, paths */
	OPEN_MAX = 60   /* differences of a folder that is open at first */
};

/* The differences that a page shows, in the order of their paths. */
struct rows {
	struct difference v[PAGE_DIFFERENCES_MAX];
	int64_t n; /* all that there are */
	struct arena arena;
};

static const char *
keep(struct arena *a, const char *s)
{
	return s ? arena_copy(a, s, strlen(s)) : NULL;
}

static int
add_difference(void *arg, const struct difference *d, struct err *e)
{
	struct rows *rows = arg;
	struct difference *to = &rows->v[rows->n];
	struct arena *a = &rows->arena;

	(void)e;
	if (rows->n++ >= PAGE_DIFFERENCES_MAX)
		return 0;
	*to = *d;
	to->path = keep(a, d->path);
	to->store_item = keep(a, d->store_item);
	to->package = keep(a, d->package);
	to->kind = keep(a, d->kind);
	to->detail = keep(a, d->detail);
	to->why = keep(a, d->why);
	to->image_part.p = arena_copy(
		a, d->image_part.n ? d->image_part.p : "", d->image_part.n);
	to->rebuilt_part.p = arena_copy(a,
		d->rebuilt_part.n ? d->rebuilt_part.p : "", d->rebuilt_part.n);
	return 0;
}

/* What a kind is, where the word for it and the detail do not say so. */
static const char *
kind_phrase(const char *kind)
{
	static const char *const phrases[][2] = {
		{"mode", "permissions"},
		{"mtime", "time stamp"},
		{"only-in-image", "is not in the rebuild"},
		{"only-in-rebuild", "is not in the image"},
		{"store-item-missing", "is not in the rebuild"},
		{"store-item-extra", "is not in the image"},
	};

	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		if (strcmp(kind, phrases[i][0]) == 0)
			return phrases[i][1];
	}
	return NULL;
}

/* name: the path within the folder that is written. */
static void
write_leaf(struct markup *m, const struct difference *d, const char *name,
	bool is_open)
{
	const char *phrase = kind_phrase(d->kind);
	CLEANUP(buf_fini)
	struct buf why = {0};

	if (d->why)
		reason_phrase(d->why, &why);
	markup(m,
		"<li><span class=\"kind\">%s</span> <code>%s</code>"
		" <span class=\"sub\">",
		d->kind, name[0] ? name : "the image");
	if (d->package && d->store_item && strcmp(name, d->store_item) == 0)
		markup(m, "%s; ", d->package);
	if (phrase)
		markup(m, "%s%s", phrase,
			d->detail && d->detail[0] ? ": " : "");
	markup(m, "%s", d->detail);
	if (d->offset >= 0)
		markup(m, ", first at byte %" PRId64, d->offset);
	fputs("</span>", m->f);
	if (why.n > 0)
		markup(m, "\n<p class=\"reason\"><b>Differs:</b> %s.</p>",
			buf_text(&why));
	fputc('\n', m->f);
	view_write(m, d, is_open);
	fputs("</li>\n", m->f);
}

/* How many of rows [from, to) have, from base on, the first n bytes of the
 * first one. */
static size_t
alike(const struct rows *rows, size_t from, size_t to, size_t base, size_t n)
{
	const char *first = rows->v[from].path;
	size_t i = from;

	while (i < to && strncmp(rows->v[i].path, first, base + n) == 0)
		i++;
	return i - from;
}

/* The longest name of a folder from base on, with "/" at its end, that all of
 * [from, to) are in; at least least bytes. */
static size_t
common_folder(const struct rows *rows, size_t from, size_t to, size_t base,
	size_t least)
{
	const char *path = rows->v[from].path + base;
	size_t n = least;

	for (;;) {
		const char *slash = strchr(path + n, '/');
		size_t longer = slash ? (size_t)(slash - path) + 1 : 0;

		if (!slash || alike(rows, from, to, base, longer) < to - from)
			return n;
		n = longer;
	}
}

/* The label of the store item that a folder of the path, from base to end, is
 * the first one in; NULL otherwise. */
static const char *
label_of(const struct difference *d, size_t base, size_t end)
{
	const char *item = d->store_item && d->package
		? strstr(d->path, d->store_item)
		: NULL;
	size_t at;

	if (!item)
		return NULL;
	at = (size_t)(item - d->path) + strlen(d->store_item);
	return base < at && at < end ? d->package : NULL;
}

struct branch {
	struct markup *m;
	const struct rows *rows;
	bool has_view; /* one is open */
};

/* At most DEPTH_MAX of itself. */
static void
write_tree(struct branch *t, size_t from, size_t to, size_t base, int depth)
{
	struct markup *m = t->m;

	fputs(depth == 0 ? "<ul class=\"tree\">\n" : "<ul>\n", m->f);
	for (size_t i = from; i < to;) {
		const struct difference *d = &t->rows->v[i];
		const char *name = d->path + base, *slash = strchr(name, '/');
		const char *label;
		size_t n, many;

		if (!slash || depth == DEPTH_MAX) {
			write_leaf(m, d, name, !t->has_view && d->image_part.n);
			t->has_view = t->has_view || d->image_part.n;
			i++;
			continue;
		}
		n = (size_t)(slash - name) + 1;
		many = alike(t->rows, i, to, base, n);
		n = common_folder(t->rows, i, i + many, base, n);
		label = label_of(d, base, base + n);
		fprintf(m->f, "<li><details%s><summary><code>",
			to - from <= OPEN_MAX || i == from ? " open" : "");
		markup_lines(m, (struct slice){name, n});
		fputs("</code>", m->f);
		if (label)
			markup(m, " <span class=\"sub\">%s</span>", label);
		markup(m,
			" <span class=\"count\">%" PRId64 "</span></summary>\n",
			(int64_t)many);
		write_tree(t, i, i + many, base + n, depth + 1);
		fputs("</details></li>\n", m->f);
		i += many;
	}
	fputs("</ul>\n", m->f);
}

static int
write_packages(
	struct markup *m, const struct report *r, int64_t sample, struct err *e)
{
	struct listing packages = {.m = m};

	if (store_texts(r->store, sample, "differing-package", add_package,
		    &packages, e) < 0)
		return -1;
	if (packages.n > PAGE_LIST_MAX)
		markup(m, " and %" PRId64 " more", packages.n - PAGE_LIST_MAX);
	if (packages.n > 0)
		fputs("</p>\n", m->f);
	return 0;
}

/* What is not in the tree of rows. */
static void
write_rest(struct markup *m, const struct rows *rows, int64_t all)
{
	if (rows->n > PAGE_DIFFERENCES_MAX)
		markup(m,
			"<p class=\"note\">The first %d; "
			"<a href=\"../report.json\">report.json</a> has %" PRId64
			".</p>\n",
			(int)PAGE_DIFFERENCES_MAX, rows->n);
	if (all > rows->n)
		markup(m,
			"<p class=\"note\">%" PRId64 " more were counted "
			"alone.</p>\n",
			all - rows->n);
}

static int
write_differences(struct markup *m, const struct report *r,
	const struct store_attempt *a, const struct page_more *more,
	struct err *e)
{
	struct rows *rows;
	struct branch t = {.m = m};
	int status;

	if (a->differences <= 0)
		return 0;
	fputs("<section aria-labelledby=\"differences\">\n"
	      "<h2 id=\"differences\">What differs</h2>\n",
		m->f);
	if (write_packages(m, r, a->sample.id, e) < 0)
		return -1;
	t.rows = rows = xcalloc(1, sizeof(*rows));
	status = store_differences(
		r->store, a->sample.id, add_difference, rows, e);
	if (rows->n > PAGE_DIFFERENCES_MAX)
		write_tree(&t, 0, PAGE_DIFFERENCES_MAX, 0, 0);
	else if (rows->n > 0)
		write_tree(&t, 0, (size_t)rows->n, 0, 0);
	write_rest(m, rows, a->differences);
	if (more->deeper)
		markup(m,
			"<p><a href=\"%s\">What diffoscope finds in these files"
			"</a></p>\n",
			more->deeper);
	if (more->not_deeper)
		markup(m,
			"<p class=\"note\">There is no page of diffoscope: %s."
			"</p>\n",
			more->not_deeper);
	fputs("</section>\n", m->f);
	arena_fini(&rows->arena);
	free(rows);
	return status;
}

static int
add_forgiven(void *arg, const struct forgiven *g, struct err *e)
{
	struct listing *l = arg;

	(void)e;
	if (l->n++ == 0)
		fputs("<section aria-labelledby=\"forgiven\">\n"
		      "<h2 id=\"forgiven\">Forgiven</h2>\n"
		      "<p>These differ too; the verdict does not count them."
		      "</p>\n<ul class=\"forgiven\">\n",
			l->m->f);
	if (l->n <= PAGE_LIST_MAX)
		markup(l->m, "<li>%s <b>%" PRId64 "</b></li>\n", g->what,
			(int64_t)g->count);
	return 0;
}

int
differences_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, const struct page_more *more,
	struct err *e)
{
	struct listing forgiven = {.m = m};

	if (write_differences(m, r, a, more, e) < 0)
		return -1;
	if (store_forgiven(r->store, a->sample.id, add_forgiven, &forgiven, e) <
		0)
		return -1;
	if (forgiven.n > 0)
		fputs("</ul>\n</section>\n", m->f);
	return 0;
}
