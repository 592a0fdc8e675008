/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/layout.h"

#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "image/enough.h"
#include "image/file.h"
#include "image/inside.h"
#include "image/oci.h"
#include "image/shown.h"

/* What layout_read holds while it reads. */
struct reading {
	struct image_own *own;
	const struct image_limits *limits;
	int folder;
	struct scan scan;
	struct oci_files files;
	struct oci_image found;
	uint64_t json; /* bytes of it that were kept */
};

static void
end_reading(struct reading *r)
{
	scan_fini(&r->scan);
	if (r->folder >= 0)
		close(r->folder);
}

/* A file that is not there makes a malformed image, not an absent one. */
static int
open_file(struct reading *r, const char *path, const char *what,
	struct file **out, struct err *e)
{
	if (inside_file(r->folder, path, r->limits, out, e) == 0)
		return 0;
	if (e->kind == ERR_ABSENT)
		e->kind = ERR_INPUT;
	return err_wrap(e, "%s", what);
}

static int
read_text(void *arg, const char *path, const char *what, struct slice *out,
	struct err *e)
{
	struct reading *r = arg;
	CLEANUP(own_image_file)
	struct file *f = NULL;
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct slice block;
	int more;

	if (open_file(r, path, what, &f, e) < 0)
		return -1;
	if (file_size(f) > r->limits->json_bytes)
		return limits_refuse(r->limits, LIMIT_json_bytes, e,
			"%s has %llu bytes", what,
			(unsigned long long)file_size(f));
	r->json += file_size(f);
	if (r->json > r->limits->kept_total)
		return limits_refuse(r->limits, LIMIT_kept_total, e,
			"%llu bytes of JSON", (unsigned long long)r->json);
	while ((more = layer_pull(file_source(f), &block, e)) > 0)
		buf_slice(&text, block);
	if (more < 0)
		return -1;
	if (limits_json(r->limits, buf_get(&text), e) < 0)
		return err_wrap(e, "%s", what);
	*out = (struct slice){
		arena_copy(&r->own->image.arena, buf_text(&text), text.n),
		text.n};
	return 0;
}

/* To its end, since a file that is cut or changed fails anywhere before. */
static int
check_digest(const struct reading *r, struct file *f,
	const struct descriptor *d, struct err *e)
{
	struct slice block;
	struct digest is;
	int more;

	if (r->limits->is_provenance_only)
		return 0;
	while ((more = layer_pull(file_source(f), &block, e)) > 0)
		;
	if (more < 0)
		return -1;
	is = file_digest(f);
	return oci_check(d, &is, file_size(f), "layer", e);
}

static int
scan_source(struct reading *r, struct layer_source from, bool may_run_ahead,
	struct layer *layer, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;

	if (layer_open(from, &r->scan.budget, true, &stream, e) < 0)
		return -1;
	if (!layer_is_tar(stream))
		return err_set(e, ERR_INPUT, "is no tar");
	if (may_run_ahead)
		layer_run_ahead(stream);
	return scan_layer(&r->scan, stream, layer, e);
}

/* ---- a layer that is fetched as far as it is wanted ---- */

enum {
	GROWS_BYTES = 4 << 20, /* at least, each time; and a quarter more */
	BLOCK_BYTES = 64 << 10
};

struct growing {
	const struct place *from;
	const struct descriptor *d;
	int fd;
	uint64_t at;
	char block[BLOCK_BYTES];
};

static void
growing_fini(struct growing *g)
{
	if (g->fd >= 0)
		close(g->fd);
}

/* Ask for more, and look at the file that has it. */
static int
grow(struct growing *g, struct err *e)
{
	uint64_t want = g->at + g->at / 4 + GROWS_BYTES;

	growing_fini(g);
	g->fd = -1;
	return place_bring_some(g->from, &g->d->digest,
		want < g->d->size ? want : g->d->size, &g->fd, e);
}

static int
growing_block(void *arg, struct slice *out, struct err *e)
{
	struct growing *g = arg;
	ssize_t n = 0;

	if (g->at == g->d->size)
		return 0;
	for (int i = 0; i < 2; i++) {
		n = g->fd < 0
			? 0
			: pread(g->fd, g->block, BLOCK_BYTES, (off_t)g->at);
		if (n < 0)
			return err_sys(e, ERR_HOST, "cannot read a layer");
		if (n > 0)
			break;
		if (grow(g, e) < 0)
			return -1;
	}
	if (n == 0)
		return err_set(e, ERR_HOST, "a layer that was fetched is gone");
	g->at += (uint64_t)n;
	*out = (struct slice){g->block, (size_t)n};
	return 1;
}

static bool
is_last(void *arg, const struct tree_entry *entry)
{
	return enough_at(arg, entry);
}

/*
 * The only layer of an image, from a registry, for its provenance alone: no more
 * of it is asked for once that is there.
 */
static int
read_growing(struct reading *r, const struct descriptor *d, struct layer *layer,
	struct tree_range *range, struct err *e)
{
	CLEANUP(own_free)
	struct growing *g = xcalloc(1, sizeof(*g));
	struct enough enough;
	int result;

	enough_init(&enough, &r->own->config);
	g->from = r->own->from;
	g->d = d;
	g->fd = -1;
	r->scan.is_last = is_last;
	r->scan.arg = &enough;
	r->scan.budget.packed += d->size;
	range->begin = r->scan.n;
	result = scan_source(
		r, (struct layer_source){growing_block, g}, false, layer, e);
	growing_fini(g);
	range->end = r->scan.n;
	layer->is_cut = r->scan.is_stopped;
	return result < 0 ? err_wrap(e, "layer '%s'", layer->name) : 0;
}

/*
 * The size is checked before, so that what follows is bounded by it; then that
 * its digest is wrong tells more than what is wrong with its bytes.
 */
static int
read_layer(struct reading *r, size_t i, struct tree_range *range, struct err *e)
{
	const struct descriptor *d = &r->found.manifest.layers[i];
	struct layer *layer = &r->own->image.layers[i];
	CLEANUP(own_image_file)
	struct file *f = NULL;
	struct err late = {0};
	bool is_lacking = false;

	if (r->limits->is_provenance_only && r->found.manifest.n_layers == 1 &&
		place_lacks(r->own->from, &d->digest, &is_lacking, e) < 0)
		return -1;
	if (is_lacking)
		return read_growing(r, d, layer, range, e);
	if (place_bring(r->own->from, &d->digest, e) < 0)
		return -1;
	if (open_file(r, layer->name, "layer", &f, e) < 0)
		return -1;
	if (file_size(f) != d->size)
		return oci_check(d, &d->digest, file_size(f), "layer", e);
	r->scan.budget.packed += d->size;
	range->begin = r->scan.n;
	if (scan_source(r, file_source(f), true, layer, e) < 0) {
		if (e->kind == ERR_INPUT && check_digest(r, f, d, &late) < 0) {
			*e = late;
			return -1;
		}
		return err_wrap(e, "layer '%s'", layer->name);
	}
	range->end = r->scan.n;
	return check_digest(r, f, d, e);
}

/* The same layer may be there more than once: it is read once. */
static int
take_layer(
	struct reading *r, size_t i, struct tree_range *ranges, struct err *e)
{
	struct layer *layers = r->own->image.layers;
	const struct manifest *m = &r->found.manifest;

	for (size_t k = 0; k < m->n_layers; k++)
		if (!layers[k].is_unread &&
			digest_eq(&m->layers[k].digest, &m->layers[i].digest)) {
			layers[i] = layers[k];
			ranges[i] = ranges[k];
			return own_check_layer(r->own, i, e);
		}
	if (read_layer(r, i, &ranges[i], e) < 0)
		return -1;
	layers[i].is_unread = false;
	return own_check_layer(r->own, i, e);
}

/* From the lowest on; or, for provenance alone, from the uppermost until it is
 * there. */
static int
read_layers(struct reading *r, struct tree_range *ranges, struct err *e)
{
	struct image *image = &r->own->image;
	const struct manifest *m = &r->found.manifest;
	bool is_down = r->limits->is_provenance_only;
	struct enough enough;

	image->n_layers = m->n_layers;
	image->layers = arena_alloc(
		&image->arena, m->n_layers * sizeof(*image->layers));
	for (size_t i = 0; i < m->n_layers; i++) {
		image->layers[i] = (struct layer){.is_unread = true,
			.name = oci_blob_path(&r->files, &m->layers[i].digest,
				&image->arena)};
		image->size += m->layers[i].size;
	}
	enough_init(&enough, &r->own->config);
	for (size_t done = 0; done < m->n_layers; done++) {
		size_t i = is_down ? m->n_layers - 1 - done : done;
		size_t before = r->scan.n;

		if (take_layer(r, i, ranges, e) < 0)
			return -1;
		/* A layer without entries tells nothing, and there may be none
		 * of any yet. */
		if (is_down && r->scan.n > before &&
			enough_after(&enough, r->scan.v + before,
				r->scan.n - before))
			return 0;
	}
	return 0;
}

/* Those that the image is: manifest, config, layers. */
static void
set_members(struct reading *r)
{
	struct image *image = &r->own->image;
	const struct manifest *m = &r->found.manifest;
	struct member *v =
		arena_alloc(&image->arena, (m->n_layers + 2) * sizeof(*v));

	v[0] = (struct member){.name = r->found.manifest_path,
		.size = r->found.manifest_at.size,
		.sha256 = r->found.manifest_at.digest,
		.is_manifest = true};
	v[1] = (struct member){.name = r->found.config_path,
		.size = m->config.size,
		.sha256 = m->config.digest,
		.is_config = true};
	for (size_t i = 0; i < m->n_layers; i++)
		v[i + 2] = (struct member){.name = image->layers[i].name,
			.size = m->layers[i].size,
			.sha256 = m->layers[i].digest,
			.is_layer = true};
	image->members = v;
	image->n_members = m->n_layers + 2;
}

int
layout_read(struct image_own *own, bool is_dir, const char *ref,
	const struct image_options *options, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {
		.own = own, .limits = options->limits, .folder = -1};
	CLEANUP(own_free)
	struct tree_range *ranges = NULL;
	struct image *image = &own->image;
	const struct oci_wanted wanted = {
		ref, options->platform, options->limits->layers};

	if (inside_open(image->path, &r.folder, e) < 0)
		return -1;
	r.scan.limits = r.limits;
	r.scan.arena = &image->arena;
	r.scan.budget = layer_budget_of(r.limits, 0);
	r.files = (struct oci_files){read_text, &r, is_dir};
	if (oci_find(&r.files, &wanted, &image->arena, &r.found, e) < 0)
		return -1;
	own_set_manifest(own, &r.found);
	image->sha256 = r.found.manifest_at.digest;
	image->size = r.found.manifest_at.size + r.found.config.n;
	if (own_set_config(own, r.found.config, r.found.config_path,
		    r.found.manifest.n_layers, e) < 0)
		return -1;
	ranges = xcalloc(r.found.manifest.n_layers, sizeof(*ranges));
	if (read_layers(&r, ranges, e) < 0 ||
		own_set_tree(own, &r.scan, ranges, e) < 0)
		return -1;
	set_members(&r);
	return 0;
}
