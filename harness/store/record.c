/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/record.h"

#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/jout.h"
#include "base/text.h"

enum {
	GROWTH_MAX = 6,      /* of text when it is cleaned, at most */
	CUT_MAX = 64,        /* bytes of a note on what was left out */
	LOG_PIECE = 64 << 10 /* bytes of a log in a line */
};

/* As find -type names them, in the order of enum tree_type. */
static const char *const type_letter[] = {"d", "f", "l", "c", "b", "p"};

static const char *const end_word[] = {
	[REBUILD_DONE] = "done",
	[REBUILD_REFUSED] = "refused",
	[REBUILD_UNAVAILABLE] = "unavailable",
	[REBUILD_UNBUILDABLE] = "unbuildable",
	[REBUILD_TIMEOUT] = "timeout",
	[REBUILD_NOT_TRIED] = "not-tried",
};

/* ---- parts of a line ---- */

static void
line_begin(struct record *r, struct jout *j, const char *what)
{
	jout_open(j, r->f, -1);
	jout_begin(j, NULL, '{');
	jout_str(j, "r", what);
}

/* Without jout_close, which would flush each of 100,000 lines. */
static void
line_end(struct jout *j)
{
	jout_end(j, '}');
	fputc('\n', j->f);
}

/* The database's integers have a sign. */
static void
put_count(struct jout *j, const char *key, uint64_t n)
{
	jout_int(j, key, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

/* s within cap bytes of clean text, with a note where it was cut. */
static void
put_capped(struct jout *j, const char *key, const char *s,
	enum text_lines lines, size_t cap)
{
	CLEANUP(buf_fini)
	struct buf b = {0};
	struct slice all = slice_of(s);
	size_t n, left;

	if (!s || all.n <= cap / GROWTH_MAX) {
		jout_slice(j, key, all);
		return;
	}
	text_clean(&b, all, lines);
	if (b.n > cap) {
		n = cap - CUT_MAX;
		while (n > 0 && ((unsigned char)b.p[n] & 0xc0) == 0x80)
			n--;
		left = b.n - n;
		b.n = n;
		buf_printf(&b, "%s[%zu more bytes are left out]",
			lines == TEXT_MANY_LINES ? "\n" : " ", left);
	}
	jout_slice(j, key, buf_get(&b));
}

static void
put_word(struct jout *j, const char *key, const char *s)
{
	put_capped(j, key, s, TEXT_ONE_LINE, RECORD_WORD_MAX);
}

static void
put_text(struct jout *j, const char *key, const char *s)
{
	put_capped(j, key, s, TEXT_MANY_LINES, RECORD_TEXT_MAX);
}

/* Bytes that must come back exactly. */
static void
put_path(struct jout *j, const char *key, const char *key_hex, const char *s)
{
	CLEANUP(buf_fini)
	struct buf b = {0};
	struct slice raw = slice_of(s);

	if (raw.n > RECORD_PATH_MAX) {
		put_word(j, key, s);
		return;
	}
	text_clean(&b, raw, TEXT_ONE_LINE);
	if (slice_eq(buf_get(&b), raw))
		jout_slice(j, key, raw);
	else
		jout_hex(j, key_hex, raw);
}

/* Texts of one kind; where there are too many, the last says how many. */
static void
put_texts(struct record *r, const char *kind, const char *const *v, size_t n)
{
	size_t stored = n <= RECORD_TEXTS_MAX ? n : RECORD_TEXTS_MAX - 1;
	struct jout j;

	for (size_t i = 0; i < stored; i++) {
		line_begin(r, &j, "text");
		jout_str(&j, "kind", kind);
		put_text(&j, "text", v[i]);
		line_end(&j);
	}
	if (stored < n) {
		CLEANUP(own_free)
		char *more = xasprintf("%zu more are left out", n - stored);

		line_begin(r, &j, "text");
		jout_str(&j, "kind", kind);
		jout_str(&j, "text", more);
		line_end(&j);
	}
}

/* ---- image ---- */

static void
put_layer(struct record *r, const char *what, const struct layer *l)
{
	struct jout j;

	line_begin(r, &j, what);
	jout_digest(&j, "diff_id", &l->diff_id);
	jout_str(&j, "compression", compression_name(l->compression));
	put_count(&j, "bytes", l->size);
	put_count(&j, "entries", l->entries);
	line_end(&j);
}

/* skip: bytes of the path that the item itself is. */
static void
put_entry(struct record *r, const struct tree_entry *t, size_t skip,
	bool is_outside)
{
	struct jout j;

	line_begin(r, &j, is_outside ? "path" : "file");
	put_path(&j, "path", "path_hex", t->path + skip);
	jout_str(&j, "type", type_letter[t->type]);
	jout_int(&j, "mode", t->mode & 07777);
	if (t->type == TREE_FILE) {
		put_count(&j, "size", t->size);
		jout_digest(&j, "sha256", &t->sha256);
	}
	if (t->link)
		put_path(&j, "link", "link_hex", t->link);
	if (is_outside) {
		jout_int(&j, "uid", t->uid);
		jout_int(&j, "gid", t->gid);
		put_word(&j, "uname", t->uname ? t->uname : "");
		put_word(&j, "gname", t->gname ? t->gname : "");
		jout_int(&j, "mtime_s", t->mtime);
		jout_int(&j, "mtime_ns", t->mtime_ns);
		jout_int(&j, "layer", t->layer);
		if (t->type == TREE_CHAR || t->type == TREE_BLOCK) {
			jout_int(&j, "major", t->dev_major);
			jout_int(&j, "minor", t->dev_minor);
		}
		if (t->xattrs)
			put_text(&j, "xattrs", t->xattrs);
	}
	line_end(&j);
}

/* Bytes of path that are the item's own: "gnu/store/NAME", and a "/". */
static size_t
item_prefix(const struct tree_entry *t, const struct store_item *item)
{
	const char *at = strstr(t->path, item->name);
	size_t n;

	if (!at)
		return 0;
	n = (size_t)(at - t->path) + strlen(item->name);
	return t->path[n] == '/' ? n + 1 : n;
}

static void
put_item(struct record *r, const struct image *image,
	const struct store_item *item)
{
	struct jout j;

	line_begin(r, &j, "item");
	put_word(&j, "name", item->name);
	jout_digest(&j, "digest", &item->digest);
	put_count(&j, "bytes", item->bytes);
	put_count(&j, "files", item->end - item->begin);
	line_end(&j);
	for (size_t i = item->begin; i < item->end; i++) {
		const struct tree_entry *t = &image->tree.v[i];

		put_entry(r, t, item_prefix(t, item), false);
	}
}

/* A mark for each entry of the tree that is in an item; *n counts those that
 * are not. */
static bool *
mark_items(const struct image *image, size_t *n)
{
	bool *is_inside = xcalloc(image->tree.n + 1, sizeof(*is_inside));

	for (size_t k = 0; k < image->n_items; k++)
		for (size_t i = image->items[k].begin; i < image->items[k].end;
			i++)
			is_inside[i] = true;
	*n = 0;
	for (size_t i = 0; i < image->tree.n; i++)
		*n += !is_inside[i];
	return is_inside;
}

void
record_image(struct record *r, const struct image *image)
{
	size_t n, n_layers = image->n_layers, n_tags = image->n_repo_tags;
	CLEANUP(own_free)
	bool *is_inside = mark_items(image, &n);
	struct jout j;

	line_begin(r, &j, "source");
	put_word(&j, "path", image->source);
	line_end(&j);

	if (n_layers > RECORD_LAYERS_MAX)
		n_layers = RECORD_LAYERS_MAX;
	if (n_tags > RECORD_TAGS_MAX)
		n_tags = RECORD_TAGS_MAX;
	n += n_layers + image->n_items;
	for (size_t k = 0; k < image->n_items; k++)
		n += image->items[k].end - image->items[k].begin;

	line_begin(r, &j, "image");
	jout_digest(&j, "sha256", &image->sha256);
	put_count(&j, "bytes", image->size);
	put_word(&j, "format", image->format);
	jout_str(&j, "compression", compression_name(image->compression));
	jout_digest(&j, "config_digest", &image->config_digest);
	if (image->config.p && image->config.n <= RECORD_CONFIG_MAX)
		jout_hex(&j, "config_hex", image->config);
	jout_begin(&j, "tags", '[');
	for (size_t i = 0; i < n_tags; i++)
		put_word(&j, NULL, image->repo_tags[i]);
	jout_end(&j, ']');
	put_count(&j, "entries", image->tree.n);
	put_count(&j, "items", image->n_items);
	put_count(&j, "lines", n);
	line_end(&j);

	for (size_t i = 0; i < n_layers; i++)
		put_layer(r, "layer", &image->layers[i]);
	for (size_t k = 0; k < image->n_items; k++)
		put_item(r, image, &image->items[k]);
	for (size_t i = 0; i < image->tree.n; i++)
		if (!is_inside[i])
			put_entry(r, &image->tree.v[i], 0, true);
	fflush(r->f);
}

/* ---- provenance and recipe ---- */

static void
put_channels(struct record *r, const struct channel *v, size_t n)
{
	struct jout j;

	if (n > RECORD_CHANNELS_MAX)
		n = RECORD_CHANNELS_MAX;
	line_begin(r, &j, "channels");
	jout_begin(&j, "v", '[');
	for (size_t i = 0; i < n; i++) {
		jout_begin(&j, NULL, '{');
		put_word(&j, "name", v[i].name);
		put_word(&j, "url", v[i].url);
		put_word(&j, "branch", v[i].branch);
		put_word(&j, "commit", v[i].commit);
		put_word(&j, "intro_commit", v[i].intro_commit);
		put_word(&j, "intro_signer", v[i].intro_signer);
		jout_end(&j, '}');
	}
	jout_end(&j, ']');
	line_end(&j);
}

/* Walks packages, each before what it propagates; writes when r is not NULL.
 * What is repeated was listed in full before: going into it again is how a
 * small manifest would grow without end. */
struct walk {
	struct record *r;
	const struct provenance *p;
	size_t n;
};

static void
put_package(const struct walk *w, const struct package *k, int64_t parent,
	int depth)
{
	CLEANUP(buf_fini)
	struct buf channels = {0}, changes = {0}, others = {0};
	struct jout j;

	for (size_t i = 0; i < k->n_channels; i++)
		buf_printf(&channels, "%s%s", i ? " " : "",
			w->p->channels[k->channels[i]].name);
	for (size_t i = 0; i < k->n_transformations; i++)
		buf_printf(&changes, "%s%s=%s", i ? "\n" : "",
			k->transformations[i].key, k->transformations[i].value);
	for (size_t i = 0; i < k->n_other_properties; i++)
		buf_printf(
			&others, "%s%s", i ? "\n" : "", k->other_properties[i]);
	line_begin(w->r, &j, "package");
	if (parent >= 0)
		jout_int(&j, "parent", parent);
	jout_int(&j, "depth", depth);
	put_word(&j, "name", k->name);
	put_word(&j, "version", k->version);
	put_word(&j, "output", k->output);
	put_word(&j, "store_path", k->store_path);
	put_word(&j, "channels", buf_text(&channels));
	put_text(&j, "transformations", buf_text(&changes));
	put_text(&j, "properties", buf_text(&others));
	jout_bool(&j, "is_repeated", k->is_repeated);
	line_end(&j);
}

static void
walk_packages(struct walk *w, const struct package *const *v, size_t n,
	int64_t parent, int depth)
{
	for (size_t i = 0; i < n && w->n < RECORD_PACKAGES_MAX; i++) {
		int64_t me = (int64_t)w->n++;

		if (w->r)
			put_package(w, v[i], parent, depth);
		if (!v[i]->is_repeated)
			walk_packages(w, v[i]->propagated, v[i]->n_propagated,
				me, depth + 1);
	}
}

void
record_provenance(struct record *r, const struct provenance *p)
{
	struct walk count = {.p = p}, write = {.r = r, .p = p};
	struct jout j;

	walk_packages(&count, p->packages, p->n_packages, -1, 0);
	line_begin(r, &j, "provenance");
	put_word(&j, "profile", p->profile);
	put_text(&j, "found", p->profile_found ? p->profile_found : "");
	jout_int(&j, "version", p->manifest_version);
	put_count(&j, "packages", count.n);
	line_end(&j);
	put_channels(r, p->channels, p->n_channels);
	walk_packages(&write, p->packages, p->n_packages, -1, 0);
	put_texts(r, "missing", p->missing, p->n_missing);
	put_texts(r, "note", p->notes, p->n_notes);
	fflush(r->f);
}

static void
put_words(struct jout *j, const char *key, const char *const *v, size_t n)
{
	CLEANUP(buf_fini)
	struct buf b = {0};

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(&b, ' ');
		text_shell(&b, slice_of(v[i]));
	}
	put_text(j, key, buf_text(&b));
}

void
record_recipe(
	struct record *r, const struct recipe *recipe, const char *command)
{
	struct jout j;

	line_begin(r, &j, "recipe");
	jout_digest(&j, "id", &recipe->id);
	jout_digest(&j, "channels_id", &recipe->channels_id);
	put_text(&j, "channels_scm", recipe->channels_scm);
	put_text(&j, "manifest_scm", recipe->manifest_scm);
	put_word(&j, "format", recipe->format);
	put_words(&j, "options", recipe->options, recipe->n_options);
	put_words(&j, "revealed", recipe->revealed, recipe->n_revealed);
	put_word(&j, "profile", recipe->profile ? recipe->profile : "");
	line_end(&j);
	put_channels(r, recipe->channels, recipe->n_channels);
	line_begin(r, &j, "command");
	put_text(&j, "text", command);
	line_end(&j);
	put_texts(r, "guessed", recipe->guessed, recipe->n_guessed);
	put_texts(r, "missing", recipe->missing, recipe->n_missing);
	fflush(r->f);
}

/* ---- rebuild ---- */

static void
put_log_piece(struct record *r, struct slice s)
{
	struct jout j;

	line_begin(r, &j, "log");
	jout_slice(&j, "text", s);
	line_end(&j);
}

/* Where to end a piece: after a line, else before a character of UTF-8 that
 * may not be whole, so that none is cut in two. */
static size_t
piece_end(const char *p, size_t n)
{
	const char *nl = memrchr(p, '\n', n);
	size_t end = n;

	if (nl)
		return (size_t)(nl - p) + 1;
	while (end > 1 && n - end < 4 &&
		((unsigned char)p[end - 1] & 0xc0) == 0x80)
		end--;
	return end > 1 && (unsigned char)p[end - 1] >= 0xc0 ? end - 1 : n;
}

static void
put_log(struct record *r, const char *path)
{
	CLEANUP(own_file)
	FILE *f = fopen(path, "re");
	CLEANUP(own_free)
	char *piece = xmalloc(LOG_PIECE);
	size_t have = 0, total = 0, n;

	if (!f) {
		struct err e;

		(void)!err_sys(&e, ERR_HOST, "the log cannot be read");
		put_log_piece(r, slice_of(e.text));
		return;
	}
	while (total < RECORD_LOG_MAX &&
		(n = fread(piece + have, 1, LOG_PIECE - have, f)) > 0) {
		size_t end;

		have += n;
		end = piece_end(piece, have);
		put_log_piece(r, (struct slice){piece, end});
		total += end;
		memmove(piece, piece + end, have - end);
		have -= end;
	}
	if (have > 0)
		put_log_piece(r, (struct slice){piece, have});
	if (total >= RECORD_LOG_MAX && fgetc(f) != EOF)
		put_log_piece(r, slice_of("\n[the rest is left out]\n"));
}

void
record_rebuild(struct record *r, const struct rebuild *b)
{
	struct jout j;

	line_begin(r, &j, "rebuild");
	jout_str(&j, "ended", end_word[b->end]);
	put_word(&j, "class", b->class_);
	put_word(&j, "drv", b->drv);
	put_word(&j, "output", b->output);
	put_word(&j, "profile", b->profile);
	put_word(&j, "failed_drv", b->failed_drv);
	put_text(&j, "failed_lines", b->failed_lines);
	put_word(&j, "guix_version", b->guix_version);
	jout_bool(&j, "is_checked", b->is_checked);
	jout_bool(&j, "is_stable", b->is_stable);
	jout_int(&j, "built", b->built);
	jout_int(&j, "substituted", b->substituted);
	jout_int(&j, "valid", b->valid);
	jout_int(&j, "downloaded", b->downloaded);
	jout_int(&j, "elapsed_ms", b->elapsed_ms);
	jout_str(&j, "depth", depth_name(b->depth));
	jout_int(&j, "examined", b->examined);
	jout_int(&j, "unstable", b->unstable);
	line_end(&j);
	for (size_t i = 0; i < b->n_dates && i < RECORD_CHANNELS_MAX; i++) {
		line_begin(r, &j, "commit-date");
		put_word(&j, "commit", b->dates[i].commit);
		jout_int(&j, "time_s", b->dates[i].time_s);
		line_end(&j);
	}
	put_texts(r, "note", b->notes, b->n_notes);
	put_texts(r, "built-drv", b->built_drvs, b->n_built_drvs);
	put_texts(r, "command", b->commands, b->n_commands);
	if (b->log_path)
		put_log(r, b->log_path);
	fflush(r->f);
}

void
record_notes(struct record *r, const char *const *notes, size_t n)
{
	put_texts(r, "note", notes, n);
}

/* ---- comparison and verdict ---- */

/* What was looked at of a difference. */
static void
put_excerpt(struct jout *j, const struct difference *d)
{
	if (d->why)
		put_word(j, "why", d->why);
	if (d->image_part.p)
		jout_hex(j, "image_hex", d->image_part);
	if (d->rebuilt_part.p)
		jout_hex(j, "rebuilt_hex", d->rebuilt_part);
	if (d->part_at > 0)
		jout_int(j, "part_at", d->part_at);
}

void
record_comparison(struct record *r, const struct image *rebuilt,
	const struct comparison *c)
{
	size_t n_layers = rebuilt->n_layers, n = c->n_differences;
	struct jout j;

	line_begin(r, &j, "rebuilt");
	jout_digest(&j, "sha256", &rebuilt->sha256);
	put_count(&j, "bytes", rebuilt->size);
	jout_str(&j, "compression", compression_name(rebuilt->compression));
	jout_digest(&j, "config_digest", &rebuilt->config_digest);
	line_end(&j);
	if (n_layers > RECORD_LAYERS_MAX)
		n_layers = RECORD_LAYERS_MAX;
	for (size_t i = 0; i < n_layers; i++)
		put_layer(r, "rebuilt-layer", &rebuilt->layers[i]);

	line_begin(r, &j, "comparison");
	put_count(&j, "total", c->total);
	put_count(&j, "packages", c->n_packages);
	line_end(&j);
	for (size_t i = 0; i < c->n_forgiven && i < RECORD_FORGIVEN_MAX; i++) {
		line_begin(r, &j, "forgiven");
		put_word(&j, "what", c->forgiven[i].what);
		put_count(&j, "count", c->forgiven[i].count);
		line_end(&j);
	}
	if (n > COMPARE_DIFFERENCES_MAX)
		n = COMPARE_DIFFERENCES_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct difference *d = &c->differences[i];

		line_begin(r, &j, "difference");
		put_word(&j, "path", d->path ? d->path : "");
		put_word(&j, "store_item", d->store_item);
		put_word(&j, "package", d->package);
		put_word(&j, "kind", d->kind);
		put_text(&j, "detail", d->detail ? d->detail : "");
		if (d->offset >= 0)
			jout_int(&j, "offset", d->offset);
		put_excerpt(&j, d);
		line_end(&j);
	}
	put_texts(r, "differing-package", c->packages, c->n_packages);
	fflush(r->f);
}

static int
open_spool(struct record *r, const char *spool, const char *mode, struct err *e)
{
	r->f = fopen(spool, mode);
	if (!r->f)
		return err_sys(e, ERR_HOST, "%s", spool);
	return 0;
}

int
record_open(struct record *r, const char *spool, struct err *e)
{
	return open_spool(r, spool, "we", e);
}

int
record_resume(struct record *r, const char *spool, struct err *e)
{
	return open_spool(r, spool, "ae", e);
}

int
record_pause(struct record *r, struct err *e)
{
	FILE *f = STEAL(r->f);
	bool is_bad = ferror(f) != 0;

	if (fclose(f) != 0 || is_bad)
		return err_sys(e, ERR_HOST, "cannot write the spool");
	return 0;
}

int
record_verdict(struct record *r, enum verdict verdict, const char *class_,
	const char *cause, const char *advice, int64_t started_s,
	int64_t elapsed_ms, struct err *e)
{
	struct jout j;

	line_begin(r, &j, "verdict");
	jout_str(&j, "verdict", verdict_name(verdict));
	put_word(&j, "class", class_);
	put_text(&j, "cause", cause);
	put_text(&j, "advice", advice);
	jout_int(&j, "started_s", started_s);
	jout_int(&j, "elapsed_ms", elapsed_ms);
	line_end(&j);
	return record_pause(r, e);
}

void
record_drop(struct record *r)
{
	if (r->f)
		fclose(r->f);
	r->f = NULL;
}
