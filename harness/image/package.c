/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/package.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/attributes.h"
#include "image/cpio.h"
#include "image/file.h"
#include "image/rpm.h"
#include "image/shown.h"

enum {
	CONTROL_FILES_MAX = 256 /* in a control.tar */
};

/* What a reader holds while it reads. */
struct reading {
	struct image_own *own;
	const struct image_limits *limits;
	struct file *file;
	struct scan scan;
};

static void
end_reading(struct reading *r)
{
	scan_fini(&r->scan);
	file_close(r->file);
}

static int
begin_reading(struct reading *r, struct err *e)
{
	struct image *image = &r->own->image;

	if (file_open(image->path, r->limits, &r->file, e) < 0)
		return -1;
	r->scan.limits = r->limits;
	r->scan.arena = &image->arena;
	r->scan.is_plain = true;
	r->scan.budget = layer_budget_of(r->limits, file_size(r->file));
	image->layers = arena_alloc(&image->arena, sizeof(*image->layers));
	image->n_layers = 1;
	return 0;
}

/* The file was read to its end, and r->own->image.layers[0] is set. */
static int
finish(struct reading *r, const char *name, struct err *e)
{
	struct image *image = &r->own->image;
	struct tree_range all = {0, r->scan.n};

	/* Its compression is said once, of the image. */
	image->compression = image->layers[0].compression;
	image->layers[0].compression = COMPRESSION_NONE;
	image->layers[0].name = name;
	image->size = file_size(r->file);
	image->sha256 = file_digest(r->file);
	return own_set_tree(r->own, &r->scan, &all, e);
}

int
package_read_tarball(
	struct image_own *own, const struct image_limits *limits, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {.own = own, .limits = limits};
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;

	if (begin_reading(&r, e) < 0 ||
		layer_open(file_source(r.file), &r.scan.budget, true, &stream,
			e) < 0)
		return -1;
	layer_run_ahead(stream);
	if (scan_layer(&r.scan, stream, &own->image.layers[0], e) < 0)
		return -1;
	return finish(&r, "tar", e);
}

/* A member of a deb, digested as it is pulled. */
struct summed {
	struct layer_source from;
	struct digest_sum *sum;
};

static int
summed_block(void *arg, struct slice *out, struct err *e)
{
	struct summed *s = arg;
	int r = layer_pull(s->from, out, e);

	if (r > 0)
		digest_add(s->sum, out->p, out->n);
	return r;
}

struct deb {
	struct reading *reading;
	struct ar ar;
	struct summed summed;
	struct attribute *attributes;
	size_t n_attributes;
	struct member members[3];
	size_t n_members;
	struct buf text;
};

static void
deb_fini(struct deb *d)
{
	digest_free(d->summed.sum);
	buf_fini(&d->text);
}

static int
keep(struct deb *d, const char *name, struct layer_source from, struct err *e)
{
	struct arena *arena = &d->reading->own->image.arena;
	struct slice part;
	int r;

	buf_clear(&d->text);
	while ((r = layer_pull(from, &part, e)) > 0) {
		if (part.n > d->reading->limits->json_bytes - d->text.n)
			return limits_refuse(d->reading->limits,
				LIMIT_json_bytes, e, "'%s' is larger",
				shown_of(slice_of(name)).text);
		buf_slice(&d->text, part);
	}
	if (r == 0)
		attribute_set(&d->attributes[d->n_attributes++], name,
			buf_get(&d->text), arena);
	return r;
}

static int
read_control_file(struct deb *d, const struct tar_member *m, struct tar *tar,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf name = {0};
	char mode[8];
	struct arena *arena = &d->reading->own->image.arena;

	if (!path_normalise(&name, m->path))
		return err_set(e, ERR_INPUT, "a name that leaves the tree");
	if (m->type == TAR_DIR && name.n == 0)
		return 0;
	if (m->type != TAR_FILE)
		return err_set(e, ERR_INPUT, "is no regular file");
	if (d->n_attributes + 2 > 2 * CONTROL_FILES_MAX + 1)
		return err_set(e, ERR_POLICY,
			"more than %d files in the control archive",
			CONTROL_FILES_MAX);
	if (keep(d, buf_text(&name), tar_contents(tar), e) < 0)
		return -1;
	buf_str(&name, " mode");
	snprintf(mode, sizeof(mode), "%04o", m->mode & 07777);
	attribute_set(&d->attributes[d->n_attributes++], buf_text(&name),
		slice_of(mode), arena);
	return 0;
}

static int
read_control(struct deb *d, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;
	CLEANUP(own_tar)
	struct tar *tar = NULL;
	struct layer_source from = {summed_block, &d->summed};
	struct layer_budget *budget = &d->reading->scan.budget;
	const struct tar_member *m;
	int r;

	if (layer_open(from, budget, true, &stream, e) < 0)
		return -1;
	tar = tar_new(layer_source(stream), budget);
	while ((r = tar_next(tar, &m, e)) > 0)
		if (read_control_file(d, m, tar, e) < 0)
			return err_wrap(e, "'%s'", shown_of(m->path).text);
	if (r < 0 || tar_finish(tar, true, e) < 0)
		return -1;
	d->reading->own->image.config_digest = layer_digest(stream);
	return 0;
}

static int
read_data(struct deb *d, struct err *e)
{
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;
	struct layer_source from = {summed_block, &d->summed};
	struct reading *r = d->reading;

	if (layer_open(from, &r->scan.budget, true, &stream, e) < 0)
		return -1;
	layer_run_ahead(stream);
	return scan_layer(&r->scan, stream, &r->own->image.layers[0], e);
}

/* "data.tar", "data.tar.gz", ... */
static bool
is_tar(const char *name, const char *stem)
{
	size_t n = strlen(stem);

	return strncmp(name, stem, n) == 0 &&
		(name[n] == '\0' || name[n] == '.');
}

bool
package_is_data(const struct ar *a)
{
	return is_tar(a->name, "data.tar");
}

/* deb(5): these three, in this order. */
static int
read_member(struct deb *d, struct err *e)
{
	static const char *const names[] = {
		"debian-binary", "control.tar", "data.tar"};
	struct arena *arena = &d->reading->own->image.arena;
	struct member *m = &d->members[d->n_members];
	struct layer_source from = {summed_block, &d->summed};
	size_t i = d->n_members;

	if (i == ARRAY_LEN(names) ||
		(i == 0 ? strcmp(d->ar.name, names[0]) != 0
			: !is_tar(d->ar.name, names[i])))
		return err_set(e, ERR_INPUT,
			"is no Debian package: its member %zu is '%s'%s%s",
			i + 1, shown_of(slice_of(d->ar.name)).text,
			i < ARRAY_LEN(names) ? ", not " : "",
			i < ARRAY_LEN(names) ? names[i] : "");
	d->summed.from = ar_contents(&d->ar);
	m->name = arena_copy(arena, d->ar.name, strlen(d->ar.name));
	m->size = d->ar.size;
	if (i == 0 && keep(d, names[0], from, e) < 0)
		return -1;
	if (i == 1 && read_control(d, e) < 0)
		return -1;
	if (i == 2 && read_data(d, e) < 0)
		return -1;
	m->is_config = i == 1;
	m->is_layer = i == 2;
	m->sha256 = digest_end(d->summed.sum);
	d->n_members++;
	return 0;
}

int
package_read_deb(
	struct image_own *own, const struct image_limits *limits, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {.own = own, .limits = limits};
	CLEANUP(deb_fini)
	struct deb d = {.reading = &r};
	struct image *image = &own->image;
	int more;

	if (begin_reading(&r, e) < 0)
		return -1;
	d.ar.bytes.from = file_source(r.file);
	d.summed.sum = digest_new();
	d.attributes = arena_alloc(&image->arena,
		(2 * CONTROL_FILES_MAX + 1) * sizeof(*d.attributes));
	while ((more = ar_next(&d.ar, e)) > 0)
		if (read_member(&d, e) < 0)
			return err_wrap(e, "member '%s'",
				shown_of(slice_of(d.ar.name)).text);
	if (more < 0)
		return -1;
	if (d.n_members != ARRAY_LEN(d.members))
		return err_set(e, ERR_INPUT,
			"is no Debian package: it has %zu of its 3 members",
			d.n_members);
	image->attributes = d.attributes;
	image->n_attributes = d.n_attributes;
	image->n_members = d.n_members;
	image->members = arena_alloc(&image->arena, sizeof(d.members));
	memcpy(image->members, d.members, sizeof(d.members));
	return finish(&r, image->members[2].name, e);
}

static int
read_payload(struct reading *r, const struct rpm *rpm,
	struct layer_stream *stream, struct err *e)
{
	CLEANUP(own_cpio)
	struct cpio *cpio = cpio_new(layer_source(stream));
	struct layer *layer = &r->own->image.layers[0];
	const struct tar_member *m;
	int more;

	scan_begin(&r->scan);
	while ((more = cpio_next(cpio, &m, e)) > 0) {
		struct layer_source contents = cpio_contents(cpio);
		struct tar_member member = *m;

		layer->entries++;
		if (rpm_apply(rpm, &member, e) < 0 ||
			scan_member(&r->scan, &member, &contents, e) < 0)
			return err_wrap(e, "'%s'", shown_of(m->path).text);
	}
	if (more < 0 || cpio_finish(cpio, e) < 0)
		return -1;
	layer->compression = layer_compression(stream);
	layer->size = layer_size(stream);
	layer->diff_id = layer_digest(stream);
	layer->order = scan_order(&r->scan);
	return 0;
}

int
package_read_rpm(
	struct image_own *own, const struct image_limits *limits, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {.own = own, .limits = limits};
	CLEANUP(own_layer)
	struct layer_stream *stream = NULL;
	struct image *image = &own->image;
	struct bytes bytes = {0};
	struct rpm rpm;

	if (begin_reading(&r, e) < 0)
		return -1;
	bytes.from = file_source(r.file);
	if (rpm_read(&bytes, file_size(r.file), limits, &image->arena, &rpm,
		    e) < 0)
		return -1;
	image->attributes = rpm.attributes;
	image->n_attributes = rpm.n_attributes;
	image->config_digest = rpm.digest;
	if (layer_open(bytes_rest(&bytes), &r.scan.budget, true, &stream, e) <
		0)
		return err_wrap(e, "payload");
	layer_run_ahead(stream);
	if (read_payload(&r, &rpm, stream, e) < 0)
		return err_wrap(e, "payload");
	return finish(&r, "payload", e);
}
