/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/uses.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "report/page.h"
#include "report/words.h"
#include "store/history.h"

/* What the pages of packages and those of channels say otherwise. */
struct kind {
	const char *one, *many;
	const char *part, *parts; /* of which a thing has several */
	bool is_blamed;           /* can it be why an image fails? */
	int (*read)(struct store *s, int64_t run,
		int (*f)(void *arg, const struct store_use *u, struct err *e),
		void *arg, struct err *e);
};

static const struct kind kind_package = {
	"Package", "Packages", "version", "versions", true, store_package_uses};
static const struct kind kind_channel = {
	"Channel", "Channels", "commit", "commits", false, store_channel_uses};

struct sums {
	int64_t images, unaccepted, blamed;
};

struct top {
	char *name;
	int64_t blamed, images;
};

/* Rows come by name, then by part: a page is open for one name at a time. */
struct walk {
	const struct kind *kind;
	const struct report *r;
	const char *folder; /* where the pages go */
	struct markup list; /* the page of the list in hand */
	int64_t listed, page_number;

	struct markup page; /* of the thing in hand */
	char *path;
	char *name, *part; /* of the rows before; NULL: none yet */
	struct sums of_name, of_part;
	int64_t parts, shown, shown_in_part;

	struct top top[USES_TOP + 1]; /* the most blamed first */
	size_t n_top;
};

static void
walk_fini(struct walk *w)
{
	if (w->list.f)
		fclose(w->list.f);
	if (w->page.f)
		fclose(w->page.f);
	markup_fini(&w->list);
	markup_fini(&w->page);
	free(w->path);
	free(w->name);
	free(w->part);
	for (size_t i = 0; i < w->n_top; i++)
		free(w->top[i].name);
}

static int
open_page(struct walk *w, struct markup *m, const char *file, const char *title,
	struct err *e)
{
	free(w->path);
	w->path = xasprintf("%s/%s.html", w->folder, file);
	m->f = page_open(w->path, e);
	if (!m->f)
		return -1;
	markup_head(m, title);
	return 0;
}

static int
close_page(struct walk *w, struct markup *m, struct err *e)
{
	FILE *f = m->f;

	fputs("</main>\n", f);
	markup_foot(m);
	m->f = NULL;
	return page_close(f, w->folder, e);
}

/* ---- the list ---- */

/* "=pN" is the name of no thing: report_file has other digits after "=". */
static int
open_list(struct walk *w, struct err *e)
{
	const struct kind *k = w->kind;
	CLEANUP(own_free)
	char *file = w->page_number == 0
		? xstrdup("index")
		: xasprintf("=p%" PRId64, w->page_number + 1);
	struct markup *m = &w->list;

	w->page_number++;
	if (open_page(w, m, file, k->many, e) < 0)
		return -1;
	markup(m,
		"<header>\n<nav class=\"crumbs\" aria-label=\"Back\">"
		"<a href=\"../index.html\"><b>unblend</b> run %" PRId64
		"</a></nav>\n<h1>%s</h1>\n</header>\n<main>\n"
		"<table class=\"rows images\"><thead><tr>"
		"<th scope=\"col\">%s</th>"
		"<th scope=\"col\" class=\"num\">Images</th>"
		"<th scope=\"col\" class=\"num\">Not accepted</th>",
		w->r->run.id, k->many, k->one);
	if (k->is_blamed)
		fputs("<th scope=\"col\" class=\"num\">Because of it</th>",
			m->f);
	fputs("</tr></thead><tbody>\n", m->f);
	return 0;
}

static int
close_list(struct walk *w, bool is_last, struct err *e)
{
	struct markup *m = &w->list;

	if (w->listed == 0)
		fputs("<tr><td>There are none.</td></tr>", m->f);
	fputs("</tbody></table>\n<nav class=\"pager\" aria-label=\"Pages of the "
	      "list\">",
		m->f);
	if (w->page_number == 2)
		fputs("<a href=\"index.html\">Back</a> ", m->f);
	else if (w->page_number > 2)
		markup(m, "<a href=\"=p%" PRId64 ".html\">Back</a> ",
			w->page_number - 1);
	if (!is_last)
		markup(m, "<a href=\"=p%" PRId64 ".html\">Next</a>",
			w->page_number + 1);
	fputs("</nav>\n", m->f);
	return close_page(w, m, e);
}

static int
list_name(struct walk *w, const char *file, struct err *e)
{
	struct markup *m = &w->list;

	if (w->listed > 0 && w->listed % USES_INDEX_ROWS == 0 &&
		(close_list(w, false, e) < 0 || open_list(w, e) < 0))
		return -1;
	w->listed++;
	markup(m,
		"<tr><th scope=\"row\"><a href=\"%s.html\">%s</a>"
		"<span class=\"sub\">%" PRId64 " %s</span></th>"
		"<td data-l=\"Images\" class=\"num\">%" PRId64
		"</td><td data-l=\"Not accepted\" class=\"num\">%" PRId64
		"</td>",
		file, w->name, w->parts,
		w->parts == 1 ? w->kind->part : w->kind->parts,
		w->of_name.images, w->of_name.unaccepted);
	if (w->kind->is_blamed)
		markup(m,
			"<td data-l=\"Because of it\" class=\"num\">%" PRId64
			"</td>",
			w->of_name.blamed);
	fputs("</tr>\n", m->f);
	return 0;
}

/* ---- the page of a thing ---- */

static void
end_part(struct walk *w)
{
	struct markup *m = &w->page;
	int64_t more = w->of_part.images - w->shown_in_part;

	if (!w->part)
		return;
	fputs("</ul>\n", m->f);
	if (more > 0)
		markup(m, "<p class=\"note\">and %" PRId64 " more.</p>\n",
			more);
	markup(m,
		"<p class=\"sub\">%" PRId64 " image%s, %" PRId64
		" not accepted",
		w->of_part.images, w->of_part.images == 1 ? "" : "s",
		w->of_part.unaccepted);
	if (w->kind->is_blamed)
		markup(m, ", %" PRId64 " because of it", w->of_part.blamed);
	fputs("</p>\n</section>\n", m->f);
	w->of_name.images += w->of_part.images;
	w->of_name.unaccepted += w->of_part.unaccepted;
	w->of_name.blamed += w->of_part.blamed;
	free(w->part);
	w->part = NULL;
}

static void
begin_part(struct walk *w, const struct store_use *u, const char *part)
{
	struct markup *m = &w->page;

	w->part = xstrdup(part);
	w->of_part = (struct sums){0};
	w->shown_in_part = 0;
	w->parts++;
	markup(m,
		"<section aria-labelledby=\"part-%" PRId64
		"\">\n<h2 id=\"part-%" PRId64 "\">%s</h2>\n",
		w->parts, w->parts, u->version ? u->version : "not recorded");
	if (u->url) {
		fputs("<p>", m->f);
		page_url(m, u->url);
		page_date(m, u->date_s);
		fputs("</p>\n", m->f);
	}
	fputs("<ul class=\"changes\">\n", m->f);
}

static void
note_top(struct walk *w)
{
	size_t i = w->n_top;

	if (w->of_name.blamed == 0)
		return;
	w->top[i] = (struct top){
		xstrdup(w->name), w->of_name.blamed, w->of_name.images};
	for (; i > 0 && w->top[i - 1].blamed < w->top[i].blamed; i--) {
		struct top t = w->top[i];

		w->top[i] = w->top[i - 1];
		w->top[i - 1] = t;
	}
	if (w->n_top < USES_TOP)
		w->n_top++;
	else
		free(w->top[USES_TOP].name);
}

static int
end_name(struct walk *w, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf file = {0};

	if (!w->name)
		return 0;
	end_part(w);
	report_file(&file, w->name);
	note_top(w);
	if (list_name(w, buf_text(&file), e) < 0)
		return -1;
	free(w->name);
	w->name = NULL;
	return close_page(w, &w->page, e);
}

static int
begin_name(struct walk *w, const struct store_use *u, struct err *e)
{
	const struct kind *k = w->kind;
	CLEANUP(buf_fini)
	struct buf file = {0};

	w->name = xstrdup(u->name);
	w->of_name = (struct sums){0};
	w->parts = w->shown = 0;
	report_file(&file, u->name);
	if (open_page(w, &w->page, buf_text(&file), u->name, e) < 0)
		return -1;
	markup(&w->page,
		"<header>\n<nav class=\"crumbs\" aria-label=\"Back\">"
		"<a href=\"../index.html\"><b>unblend</b> run %" PRId64
		"</a> <span><a href=\"index.html\">%s</a></span></nav>\n"
		"<h1>%s</h1>\n</header>\n<main>\n",
		w->r->run.id, k->many, u->name);
	return 0;
}

static void
write_image(struct walk *w, const struct store_use *u)
{
	struct markup *m = &w->page;
	CLEANUP(buf_fini)
	struct buf file = {0};

	w->of_part.images++;
	w->of_part.unaccepted += !u->is_accepted;
	w->of_part.blamed += u->is_blamed;
	if (w->shown_in_part >= USES_IMAGES || w->shown >= USES_PAGE_IMAGES)
		return;
	w->shown_in_part++;
	w->shown++;
	report_file(&file, u->image);
	markup(m,
		"<li><a href=\"../images/%s.html\">%s</a> "
		"<span class=\"badge %s\">%s</span>",
		buf_text(&file), u->image, page_tone(u->verdict),
		verdict_name(u->verdict));
	fputs(u->is_blamed ? " <span class=\"mark bad\">because of it</span>"
			     "</li>\n"
			   : "</li>\n",
		m->f);
}

static int
add_use(void *arg, const struct store_use *u, struct err *e)
{
	struct walk *w = arg;
	CLEANUP(own_free)
	char *part = xasprintf(
		"%s\n%s", u->url ? u->url : "", u->version ? u->version : "");

	if (!w->name || strcmp(w->name, u->name) != 0) {
		if (end_name(w, e) < 0 || begin_name(w, u, e) < 0)
			return -1;
	}
	if (!w->part || strcmp(w->part, part) != 0) {
		end_part(w);
		begin_part(w, u, part);
	}
	write_image(w, u);
	return 0;
}

static int
walk(struct walk *w, struct err *e)
{
	if (open_list(w, e) < 0 ||
		w->kind->read(w->r->store, w->r->run.id, add_use, w, e) < 0 ||
		end_name(w, e) < 0)
		return -1;
	return close_list(w, true, e);
}

/* ---- the front page ---- */

static void
write_front(struct markup *m, const struct walk *packages,
	const struct walk *channels)
{
	CLEANUP(buf_fini)
	struct buf file = {0};

	markup(m,
		"<section aria-labelledby=\"within\">\n"
		"<h2 id=\"within\">What is in them</h2>\n"
		"<p><a href=\"packages/index.html\">%" PRId64
		" package%s</a>, <a href=\"channels/index.html\">%" PRId64
		" channel%s</a>: which images hold them, and how those "
		"fared.</p>\n",
		packages->listed, packages->listed == 1 ? "" : "s",
		channels->listed, channels->listed == 1 ? "" : "s");
	if (packages->n_top > 0)
		fputs("<p>Named most often by what differs or fails to "
		      "build:</p>\n<ul class=\"forgiven\">\n",
			m->f);
	for (size_t i = 0; i < packages->n_top; i++) {
		const struct top *t = &packages->top[i];

		buf_clear(&file);
		report_file(&file, t->name);
		markup(m,
			"<li><a href=\"packages/%s.html\">%s</a> <b>%" PRId64
			"</b> of %" PRId64 "</li>\n",
			buf_text(&file), t->name, t->blamed, t->images);
	}
	if (packages->n_top > 0)
		fputs("</ul>\n", m->f);
	fputs("</section>\n", m->f);
}

int
uses_write(struct markup *front, const struct report *r,
	const char *in_packages, const char *in_channels, struct err *e)
{
	CLEANUP(walk_fini)
	struct walk of_packages = {
		.kind = &kind_package, .r = r, .folder = in_packages};
	CLEANUP(walk_fini)
	struct walk of_channels = {
		.kind = &kind_channel, .r = r, .folder = in_channels};

	if (walk(&of_packages, e) < 0 || walk(&of_channels, e) < 0)
		return -1;
	if (of_packages.listed + of_channels.listed > 0)
		write_front(front, &of_packages, &of_channels);
	return 0;
}
