/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "report/page.h"
#include "report/words.h"

struct listing {
	struct markup *m;
	int64_t n;
};

static int
add_channel(void *arg, const struct store_channel *c, struct err *e)
{
	struct listing *l = arg;
	struct markup *m = l->m;
	CLEANUP(buf_fini)
	struct buf file = {0};

	(void)e;
	if (l->n++ == 0)
		fputs("<h3 id=\"from\">Channels</h3>\n"
		      "<div class=\"box\" tabindex=\"0\" role=\"region\" "
		      "aria-labelledby=\"from\">\n<table class=\"rows\">\n<thead><tr>"
		      "<th scope=\"col\">Channel</th><th scope=\"col\">URL"
		      "</th><th scope=\"col\">Branch</th><th scope=\"col\">"
		      "Commit</th><th scope=\"col\">Introduction</th></tr>"
		      "</thead>\n<tbody>\n",
			m->f);
	if (l->n > PAGE_LIST_MAX)
		return 0;
	report_file(&file, c->name);
	markup(m,
		"<tr><th scope=\"row\"><a href=\"../channels/%s.html\">%s</a>"
		"</th><td data-l=\"URL\">",
		buf_text(&file), c->name);
	page_url(m, c->url);
	markup(m,
		"</td><td data-l=\"Branch\" class=\"word\">%s</td>"
		"<td data-l=\"Commit\"><code>%s</code>",
		c->branch, c->commit);
	page_date(m, c->date_s);
	fputs("</td><td data-l=\"Introduction\">", m->f);
	if (c->intro_commit)
		markup(m,
			"<code>%s</code> <span class=\"sub signer\">signed by "
			"<code>%s</code></span>",
			c->intro_commit, c->intro_signer);
	else
		fputs("<span class=\"sub\">none recorded</span>", m->f);
	fputs("</td></tr>\n", m->f);
	return 0;
}

static void
write_transformations(struct markup *m, const char *lines)
{
	for (const char *p = lines; p && *p;) {
		size_t n = strcspn(p, "\n");

		fputs("<span class=\"sub\">", m->f);
		markup_lines(m, (struct slice){p, n});
		fputs("</span>", m->f);
		p += n + (p[n] == '\n');
	}
}

static int
add_package(void *arg, const struct store_package *p, struct err *e)
{
	struct listing *l = arg;
	struct markup *m = l->m;
	/* Deeper ones are indented no further: the number says how deep. */
	int depth = p->depth < 4 ? p->depth : 4;
	CLEANUP(buf_fini)
	struct buf file = {0};

	(void)e;
	if (l->n++ == 0)
		fputs("<h3 id=\"packages\">Packages</h3>\n"
		      "<div class=\"box\" tabindex=\"0\" role=\"region\" "
		      "aria-labelledby=\"packages\">\n"
		      "<table class=\"rows packages\">\n"
		      "<thead><tr><th scope=\"col\">Package</th>"
		      "<th scope=\"col\">Version</th><th scope=\"col\">Output"
		      "</th><th scope=\"col\">Store path</th></tr></thead>\n"
		      "<tbody>\n",
			m->f);
	if (l->n > PAGE_PACKAGES_MAX)
		return 0;
	report_file(&file, p->name);
	markup(m,
		"<tr class=\"depth-%d\"><th scope=\"row\">"
		"<a href=\"../packages/%s.html\">%s</a>",
		depth, buf_text(&file), p->name);
	if (p->depth > 0)
		fputs(" <span class=\"sub\">propagated</span>", m->f);
	write_transformations(m, p->transformations);
	markup(m,
		"</th><td data-l=\"Version\" class=\"word\">%s</td>"
		"<td data-l=\"Output\" class=\"word\">%s"
		"</td><td data-l=\"Store path\"><code>%s</code></td></tr>\n",
		p->version, p->output, p->store_path);
	return 0;
}

static void
write_recipe(struct markup *m, const struct store_attempt *a)
{
	if (!a->recipe_id)
		return;
	fputs("<section aria-labelledby=\"recipe\">\n"
	      "<h2 id=\"recipe\">Make it again</h2>\n"
	      "<p>On any machine with Guix, with these two files in the "
	      "folder where the command is typed:</p>\n",
		m->f);
	page_copy(m, "channels", "channels.scm", a->channels_scm);
	page_copy(m, "manifest", "manifest.scm", a->manifest_scm);
	page_copy(m, "command", "Command", a->command);
	fputs("</section>\n", m->f);
}

int
origin_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct listing channels = {.m = m}, packages = {.m = m};
	int64_t id = a->sample.id;

	fputs("<section aria-labelledby=\"origin\">\n"
	      "<h2 id=\"origin\">Where it comes from</h2>\n"
	      "<dl class=\"facts\">\n",
		m->f);
	page_fact(m, "Source", a->sample.source, true);
	page_fact(m, "Profile", a->profile, true);
	fputs("</dl>\n", m->f);
	if (store_channels(r->store, id, add_channel, &channels, e) < 0)
		return -1;
	page_table_end(m, channels.n, PAGE_LIST_MAX);
	if (store_packages(r->store, id, add_package, &packages, e) < 0)
		return -1;
	page_table_end(m, packages.n, PAGE_PACKAGES_MAX);
	if (page_texts(m, r, id, "missing", "Could not be known", false, e) <
			0 ||
		page_texts(m, r, id, "guessed", "Guessed", false, e) < 0)
		return -1;
	fputs("</section>\n", m->f);
	write_recipe(m, a);
	return 0;
}
