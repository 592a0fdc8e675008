/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>

#include "report/page.h"
#include "report/words.h"

struct listing {
	struct markup *m;
	int64_t n;
};

static int
write_rebuild(struct markup *m, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf time = {0};
	CLEANUP(own_free)
	char *examined = NULL;
	const char *check = NULL;

	if (!a->recipe_id)
		return 0;
	if (a->rebuild_ms > 0)
		report_duration(&time, a->rebuild_ms);
	if (a->examined > 0)
		examined = xasprintf("%" PRId64
				     " derivation%s, of which %" PRId64
				     " did not come out as before",
			a->examined, a->examined == 1 ? "" : "s", a->unstable);
	if (a->is_checked)
		check = a->is_stable
			? "The result was in the store already; it was built "
			  "again, with the same bits."
			: "The result was in the store already; it was built "
			  "again, with other bits.";
	fputs("<section aria-labelledby=\"rebuild\">\n"
	      "<h2 id=\"rebuild\">What was done</h2>\n<dl class=\"facts\">\n",
		m->f);
	page_fact(m, "Derivation", a->drv, true);
	page_fact(m, "Result", a->output, true);
	page_fact(m, "Checked", check, false);
	page_fact(m, "Rebuilt in", buf_text(&time), false);
	page_fact(m, "Depth", a->depth ? a->depth : r->run.depth, false);
	page_fact(m, "Built once more", examined, false);
	fputs("</dl>\n", m->f);
	if (page_texts(m, r, a->sample.id, "built-drv", "Built in this run",
		    true, e) < 0 ||
		page_texts(m, r, a->sample.id, "command", "Commands", true, e) <
			0 ||
		page_texts(m, r, a->sample.id, "note", "Notes", true, e) < 0)
		return -1;
	fputs("</section>\n", m->f);
	return 0;
}

static int
add_layer(void *arg, const struct store_layer *l, struct err *e)
{
	struct listing *list = arg;
	CLEANUP(buf_fini)
	struct buf size = {0};

	(void)e;
	if (list->n++ == 0)
		fputs("<h3 id=\"layers\">Layers</h3>\n"
		      "<div class=\"box\" tabindex=\"0\" role=\"region\" "
		      "aria-labelledby=\"layers\">\n<table class=\"rows\">\n<thead><tr>"
		      "<th scope=\"col\">Layer</th><th scope=\"col\">diffID"
		      "</th><th scope=\"col\" class=\"num\">Size</th>"
		      "<th scope=\"col\" class=\"num\">Entries</th></tr>"
		      "</thead>\n<tbody>\n",
			list->m->f);
	if (list->n > PAGE_LIST_MAX)
		return 0;
	report_bytes(&size, l->bytes);
	markup(list->m,
		"<tr><th scope=\"row\">%s %" PRId64 "</th>"
		"<td data-l=\"diffID\"><code>%s</code></td>"
		"<td data-l=\"Size\" class=\"num\">%s</td>"
		"<td data-l=\"Entries\" class=\"num\">%" PRId64 "</td></tr>\n",
		l->side, l->position, l->diff_id, buf_text(&size), l->entries);
	return 0;
}

int
evidence_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct listing layers = {.m = m};
	CLEANUP(buf_fini)
	struct buf size = {0};

	if (write_rebuild(m, r, a, e) < 0)
		return -1;
	if (!a->image_sha256)
		return 0;
	report_bytes(&size, a->image_bytes);
	fputs("<section aria-labelledby=\"digests\">\n"
	      "<h2 id=\"digests\">Digests</h2>\n<dl class=\"facts\">\n",
		m->f);
	page_fact(m, "Image SHA-256", a->image_sha256, true);
	page_fact(m, "Rebuilt SHA-256", a->rebuilt_sha256, true);
	page_fact(m, "Config", a->config_digest, true);
	page_fact(m, "Compression", a->compression, false);
	page_fact(m, "Size", buf_text(&size), false);
	markup(m,
		"<dt>Holds</dt><dd>%" PRId64 " entries, %" PRId64
		" store items</dd>\n</dl>\n",
		a->image_entries, a->image_items);
	if (store_layers(r->store, a->sample.id, add_layer, &layers, e) < 0)
		return -1;
	page_table_end(m, layers.n, PAGE_LIST_MAX);
	fputs("</section>\n", m->f);
	return 0;
}
