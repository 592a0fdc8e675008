/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/outer.h"

#include "base/alloc.h"
#include "base/attr.h"
#include "image/file.h"

struct outer {
	const struct image_limits *limits;
	struct file *file;
	struct layer_budget budget;
	struct layer_stream *stream;
	struct tar *tar;
	uint32_t n_members;
	struct digest_sum *member_sum;
	bool has_digest;    /* of the present member */
	struct err failure; /* of the file */
};

int
outer_open(const char *path, const struct image_limits *limits,
	struct outer **out, struct err *e)
{
	CLEANUP(own_outer)
	struct outer *o = xcalloc(1, sizeof(*o));

	o->limits = limits;
	if (file_open(path, limits, &o->file, e) < 0)
		return -1;
	o->member_sum = digest_new();
	o->budget = (struct layer_budget){
		.unpacked = limits->unpacked,
		.ratio = limits->ratio,
		.packed = file_size(o->file),
		.window = limits->window,
		.has_no_digests = limits->is_provenance_only,
	};
	if (layer_open(file_source(o->file), &o->budget, false, &o->stream, e) <
		0)
		return -1;
	if (!layer_is_tar(o->stream))
		return err_set(e, ERR_INPUT, "%s",
			outer_size(o) == 0 ? "is empty"
					   : "is no image: neither a tar nor a "
					     "compressed one");
	layer_run_ahead(o->stream);
	o->tar = tar_new(layer_source(o->stream), NULL);
	*out = STEAL(o);
	return 0;
}

int
outer_next(struct outer *o, const struct tar_member **out, struct err *e)
{
	int r = tar_next(o->tar, out, e);

	if (r <= 0)
		return r;
	if (++o->n_members > o->limits->members)
		return limits_refuse(o->limits, LIMIT_members, e,
			"has more members than that");
	(void)digest_end(o->member_sum);
	o->has_digest = !o->limits->is_provenance_only;
	return 1;
}

static int
read_member(void *arg, struct slice *out, struct err *e)
{
	struct outer *o = arg;
	int r = layer_pull(tar_contents(o->tar), out, e);

	if (r > 0 && o->has_digest)
		digest_add(o->member_sum, out->p, out->n);
	if (r < 0)
		o->failure = *e;
	return r;
}

struct layer_source
outer_contents(struct outer *o)
{
	return (struct layer_source){read_member, o};
}

void
outer_stop_digest(struct outer *o)
{
	o->has_digest = false;
}

int
outer_end_member(struct outer *o, struct digest *out, struct err *e)
{
	struct slice part;
	int r;

	while ((r = read_member(o, &part, e)) > 0)
		;
	*out = digest_end(o->member_sum);
	return r;
}

int
outer_failure(const struct outer *o, struct err *e)
{
	if (o->failure.kind == ERR_NONE)
		return 0;
	*e = o->failure;
	return -1;
}

int
outer_finish(
	struct outer *o, struct digest *sha256, uint64_t *size, struct err *e)
{
	if (tar_finish(o->tar, true, e) < 0)
		return -1;
	*sha256 = file_digest(o->file);
	*size = file_size(o->file);
	return 0;
}

enum compression
outer_compression(const struct outer *o)
{
	return layer_compression(o->stream);
}

uint64_t
outer_size(const struct outer *o)
{
	return file_size(o->file);
}

void
outer_close(struct outer *o)
{
	if (!o)
		return;
	tar_free(o->tar);
	layer_close(o->stream);
	digest_free(o->member_sum);
	file_close(o->file);
	free(o);
}

void
own_outer(struct outer **o)
{
	outer_close(*o);
}
