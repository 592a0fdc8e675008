/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/text.h"
#include "report/deeper.h"
#include "report/folder.h"
#include "report/front.h"
#include "report/page.h"
#include "report/sink.h"
#include "report/table.h"
#include "report/uses.h"

/*
 * The site: index.html, and folders of pages beside it.  It opens from disk,
 * asks for nothing, and can be read without scripts.
 */

enum site_folder {
	SITE_IMAGES,
	SITE_LOGS,
	SITE_TABLE,
	SITE_PACKAGES,
	SITE_CHANNELS,
	SITE_DEEPER, /* only where it is asked for */
	SITE_FOLDERS
};

struct html {
	struct aside index;
	struct markup m; /* writes to index.f */
	struct folder folders[SITE_FOLDERS];
	struct table table;
};

static int
open_folders(struct html *h, const struct report *r, struct err *e)
{
	static const char *const names[SITE_FOLDERS] = {
		[SITE_IMAGES] = "images",
		[SITE_LOGS] = "logs",
		[SITE_TABLE] = "table",
		[SITE_PACKAGES] = "packages",
		[SITE_CHANNELS] = "channels",
		[SITE_DEEPER] = "diffoscope",
	};

	for (size_t i = 0; i < SITE_FOLDERS; i++) {
		CLEANUP(own_free)
		char *path = path_join(r->folder, names[i]);

		if (i == SITE_DEEPER && !r->is_deeper)
			continue;
		if (folder_open(&h->folders[i], path, e) < 0)
			return -1;
	}
	return 0;
}

static int
html_begin(const struct report *r, void **state, struct err *e)
{
	CLEANUP(own_free)
	char *index = path_join(r->folder, "index.html");
	CLEANUP(own_free)
	char *title = xasprintf("unblend run %" PRId64, r->run.id);
	struct html *h = xcalloc(1, sizeof(*h));

	*state = h;
	if (open_folders(h, r, e) < 0 || aside_open(&h->index, index, e) < 0)
		return -1;
	h->m.f = h->index.f;
	h->m.nonce = r->total > TABLE_ROWS ? r->nonce : NULL;
	h->table.front = &h->m;
	h->table.folder = h->folders[SITE_TABLE].temp;
	markup_head(&h->m, title);
	if (front_write_head(&h->m, r, e) < 0 ||
		uses_write(&h->m, r, h->folders[SITE_PACKAGES].temp,
			h->folders[SITE_CHANNELS].temp, e) < 0)
		return -1;
	return table_open(&h->table, r, e);
}

/* Is the file still what the run has read or made? */
static bool
is_same_file(const char *path, const char *sha256)
{
	char hex[DIGEST_HEX + 1];
	struct digest d;
	uint64_t size;
	struct err ignored;

	if (!path || !sha256 || digest_file(path, &d, &size, &ignored) < 0)
		return false;
	digest_hex(&d, hex);
	return strcmp(hex, sha256) == 0;
}

/* Have diffoscope look at what differs; says in more what came of it. */
static int
look_deeper(const struct html *h, const struct report *r,
	const struct store_attempt *a, struct page_more *more, struct buf *href,
	struct buf *why, struct err *e)
{
	CLEANUP(own_free)
	char *page = NULL;
	int is_there;

	if (!r->is_deeper || a->differences <= 0 || !a->output)
		return 0;
	more->not_deeper = "the image or the rebuilt file is not there any "
			   "more, or has changed";
	if (!is_same_file(a->image_path, a->image_sha256) ||
		!is_same_file(a->output, a->rebuilt_sha256))
		return 0;
	page = xasprintf(
		"%s/%s.html", h->folders[SITE_DEEPER].temp, buf_text(&r->file));
	is_there =
		deeper_run(a->image_path, a->output, r->deeper_s, page, why, e);
	if (is_there < 0)
		return -1;
	buf_printf(href, "../diffoscope/%s.html", buf_text(&r->file));
	*more = (struct page_more){0};
	if (is_there)
		more->deeper = buf_text(href);
	else
		more->not_deeper = buf_text(why);
	return 0;
}

static int
write_page(const struct html *h, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf(
		"%s/%s.html", h->folders[SITE_IMAGES].temp, buf_text(&r->file));
	CLEANUP(markup_fini)
	struct markup m = {0};
	CLEANUP(buf_fini)
	struct buf href = {0};
	CLEANUP(buf_fini)
	struct buf why = {0};
	struct page_more more = {0};

	if (look_deeper(h, r, a, &more, &href, &why, e) < 0)
		return -1;
	m.f = page_open(path, e);
	if (!m.f)
		return -1;
	if (page_write(&m, r, a, &more, e) < 0) {
		fclose(m.f);
		return -1;
	}
	return page_close(m.f, path, e);
}

static int
write_log(const struct html *h, const struct report *r, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf(
		"%s/%s.log", h->folders[SITE_LOGS].temp, buf_text(&r->file));
	CLEANUP(buf_fini)
	struct buf clean = {0};
	FILE *f;

	if (r->log.n == 0)
		return 0;
	f = page_open(path, e);
	if (!f)
		return -1;
	text_clean(&clean, buf_get(&r->log), TEXT_MANY_LINES);
	fwrite(buf_text(&clean), 1, clean.n, f);
	return page_close(f, path, e);
}

static int
html_sample(void *state, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	struct html *h = state;

	if (table_add(&h->table, r, a, e) < 0 || write_page(h, r, a, e) < 0)
		return -1;
	return write_log(h, r, e);
}

/* index.html comes last: what it leads to is there by then. */
static int
publish(struct html *h, struct err *e)
{
	for (size_t i = 0; i < SITE_FOLDERS; i++) {
		if (h->folders[i].temp && folder_publish(&h->folders[i], e) < 0)
			return -1;
	}
	return aside_publish(&h->index, e);
}

static int
html_end(void *state, const struct report *r, bool is_whole, struct err *e)
{
	struct html *h = state;
	int status = table_close(&h->table, r, is_whole, e);

	if (is_whole && status == 0) {
		front_write_foot(&h->m, r);
		markup_foot(&h->m);
		status = publish(h, e);
	}
	for (size_t i = 0; i < SITE_FOLDERS; i++)
		folder_drop(&h->folders[i]);
	aside_drop(&h->index);
	markup_fini(&h->m);
	free(h);
	return status;
}

const struct report_sink report_html = {
	.name = "html",
	.begin = html_begin,
	.sample = html_sample,
	.end = html_end,
};
