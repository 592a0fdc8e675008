/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "report/page.h"

struct listing {
	struct markup *m;
	int64_t n;
	char *item; /* store item of the rows above; NULL: none yet */
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

/* A line of its own where the store item changes: one group a tbody. */
static void
begin_group(struct listing *l, const struct difference *d)
{
	const char *item = d->store_item ? d->store_item : "";

	if (l->item && strcmp(l->item, item) == 0)
		return;
	if (l->item)
		fputs("</tbody>\n", l->m->f);
	free(l->item);
	l->item = xstrdup(item);
	fputs("<tbody><tr class=\"group\"><th colspan=\"4\" "
	      "scope=\"rowgroup\">",
		l->m->f);
	if (item[0])
		markup(l->m, "<code>%s</code>", item);
	else
		fputs("Outside the store", l->m->f);
	if (d->package)
		markup(l->m, " <span class=\"sub\">%s</span>", d->package);
	fputs("</th></tr>\n", l->m->f);
}

/* The path within its store item, which the group names. */
static const char *
inner_path(const struct difference *d)
{
	const char *at = d->store_item ? strstr(d->path, d->store_item) : NULL;

	if (!d->path[0])
		return "the image";
	if (!at)
		return d->path;
	at += strlen(d->store_item);
	return *at == '/' && at[1] ? at + 1 : "the item itself";
}

static int
add_difference(void *arg, const struct difference *d, struct err *e)
{
	struct listing *l = arg;

	(void)e;
	if (l->n++ >= PAGE_DIFFERENCES_MAX)
		return 0;
	begin_group(l, d);
	markup(l->m,
		"<tr><td data-l=\"Kind\"><span class=\"kind\">%s</span></td>"
		"<td data-l=\"Path\"><code>%s</code></td>"
		"<td data-l=\"What\">%s</td>",
		d->kind, inner_path(d), d->detail);
	if (d->offset >= 0)
		markup(l->m,
			"<td data-l=\"First byte\" class=\"num\">%" PRId64
			"</td></tr>\n",
			d->offset);
	else
		fputs("<td class=\"num\"></td></tr>\n", l->m->f);
	return 0;
}

static int
write_differences(struct markup *m, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct listing packages = {.m = m}, rows = {.m = m};
	int status;
	int64_t shown;

	if (a->differences <= 0)
		return 0;
	fputs("<section aria-labelledby=\"differences\">\n"
	      "<h2 id=\"differences\">What differs</h2>\n",
		m->f);
	if (store_texts(r->store, a->sample.id, "differing-package",
		    add_package, &packages, e) < 0)
		return -1;
	if (packages.n > PAGE_LIST_MAX)
		markup(m, " and %" PRId64 " more", packages.n - PAGE_LIST_MAX);
	if (packages.n > 0)
		fputs("</p>\n", m->f);
	fputs("<div class=\"box\" tabindex=\"0\" role=\"region\" "
	      "aria-label=\"Table of differences\">\n"
	      "<table class=\"rows differences\">\n<thead><tr>"
	      "<th scope=\"col\">Kind</th><th scope=\"col\">Path</th>"
	      "<th scope=\"col\">What</th><th scope=\"col\" class=\"num\">"
	      "First byte</th></tr></thead>\n",
		m->f);
	status = store_differences(
		r->store, a->sample.id, add_difference, &rows, e);
	if (rows.item)
		fputs("</tbody>", m->f);
	free(rows.item);
	fputs("</table></div>\n", m->f);
	shown = rows.n < PAGE_DIFFERENCES_MAX ? rows.n : PAGE_DIFFERENCES_MAX;
	if (rows.n > shown)
		markup(m,
			"<p class=\"note\">The first %" PRId64
			"; <a href=\"../report.json\">report.json</a> has %" PRId64
			".</p>\n",
			shown, rows.n);
	if (a->differences > rows.n)
		markup(m,
			"<p class=\"note\">%" PRId64 " more were counted "
			"alone.</p>\n",
			a->differences - rows.n);
	fputs("</section>\n", m->f);
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
	const struct store_attempt *a, struct err *e)
{
	struct listing forgiven = {.m = m};

	if (write_differences(m, r, a, e) < 0)
		return -1;
	if (store_forgiven(r->store, a->sample.id, add_forgiven, &forgiven, e) <
		0)
		return -1;
	if (forgiven.n > 0)
		fputs("</ul>\n</section>\n", m->f);
	return 0;
}
