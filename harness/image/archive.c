/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/archive.h"

#include <string.h>

#include "base/attr.h"
#include "image/docker.h"
#include "image/oci.h"
#include "image/outer.h"
#include "image/parts.h"
#include "image/shown.h"

static const char list_path[] = "manifest.json"; /* docker save's */

/* What archive_read holds while it reads. */
struct reading {
	struct image_own *own;
	const struct image_options *options;
	const char *ref;
	struct outer *outer;
	struct scan scan;
	struct parts parts;
	/* the image's layers, lowest first: where they are in the archive, and
	 * what they were named by (NULL for docker save's) */
	const char *const *layers;
	const struct descriptor *descriptors;
	size_t n_layers;
};

static void
end_reading(struct reading *r)
{
	outer_close(r->outer);
	scan_fini(&r->scan);
	parts_fini(&r->parts);
}

static int
no_part(const struct reading *r, const char *what, const char *key,
	struct err *e)
{
	if (r->parts.is_too_deep)
		return limits_refuse(r->scan.limits, LIMIT_link_depth, e,
			"%s '%s' is behind more links", what,
			shown_of(slice_of(key)).text);
	return err_set(e, ERR_INPUT, "has no %s '%s'", what,
		shown_of(slice_of(key)).text);
}

/* A member that must be JSON, and is called what in errors. */
static int
get_json(struct reading *r, const char *key, const char *what,
	struct part **out, struct err *e)
{
	struct part *part = parts_find(&r->parts, key);

	if (!part)
		return no_part(r, "member", key, e);
	if (part->member.size > r->scan.limits->json_bytes)
		return limits_refuse(r->scan.limits, LIMIT_json_bytes, e,
			"%s has %llu bytes", what,
			(unsigned long long)part->member.size);
	if (!part->json)
		return err_set(e, ERR_INPUT,
			"%s is neither a JSON array nor "
			"an object",
			what);
	*out = part;
	if (limits_json(r->scan.limits,
		    (struct slice){part->json, (size_t)part->member.size},
		    e) < 0)
		return err_wrap(e, "%s", what);
	return 0;
}

static int
use_config(struct reading *r, const char *key, struct err *e)
{
	struct part *part;

	if (get_json(r, key, "the config", &part, e) < 0)
		return -1;
	part->member.is_config = true;
	return own_set_config(r->own,
		(struct slice){part->json, (size_t)part->member.size},
		part->member.name, r->n_layers, e);
}

static int
find_docker(struct reading *r, struct err *e)
{
	struct image *image = &r->own->image;
	struct docker_manifest manifest;
	struct part *part;

	if (!parts_find(&r->parts, list_path))
		return err_set(e, ERR_INPUT,
			"is no docker archive: it has no manifest.json");
	if (get_json(r, list_path, "the list of images", &part, e) < 0)
		return -1;
	part->member.is_manifest = true;
	if (docker_manifest_parse(
		    (struct slice){part->json, (size_t)part->member.size},
		    r->ref, r->scan.limits->layers, &image->arena, &manifest,
		    e) < 0)
		return -1;
	image->format = "docker-archive";
	image->repo_tags = manifest.repo_tags;
	image->n_repo_tags = manifest.n_repo_tags;
	r->layers = manifest.layers;
	r->n_layers = manifest.n_layers;
	return use_config(r, manifest.config, e);
}

static int
member_text(void *arg, const char *path, const char *what, struct slice *out,
	struct err *e)
{
	struct part *part;

	if (get_json(arg, path, what, &part, e) < 0)
		return -1;
	part->member.is_manifest = true;
	*out = (struct slice){part->json, (size_t)part->member.size};
	return 0;
}

static int
find_oci(struct reading *r, struct err *e)
{
	struct image *image = &r->own->image;
	const struct oci_files files = {member_text, r, false};
	const struct oci_wanted wanted = {
		r->ref, r->options->platform, r->scan.limits->layers};
	struct oci_image found = {0};
	const char **keys;

	image->format = "oci-archive";
	if (oci_find(&files, &wanted, &image->arena, &found, e) < 0)
		return -1;
	own_set_manifest(r->own, &found);
	r->n_layers = found.manifest.n_layers;
	r->descriptors = found.manifest.layers;
	keys = arena_alloc(&image->arena, r->n_layers * sizeof(*keys));
	for (size_t i = 0; i < r->n_layers; i++)
		keys[i] = oci_blob_path(
			&files, &r->descriptors[i].digest, &image->arena);
	r->layers = keys;
	parts_find(&r->parts, found.config_path)->member.is_manifest = false;
	return use_config(r, found.config_path, e);
}

static int
take_layer(struct reading *r, size_t i, struct tree_range *range, struct err *e)
{
	const char *name = r->layers[i];
	struct part *part = parts_find(&r->parts, name);

	if (!part)
		return no_part(r, "layer", name, e);
	if (r->descriptors && !r->scan.limits->is_provenance_only &&
		oci_check(&r->descriptors[i], &part->member.sha256,
			part->member.size, "layer", e) < 0)
		return -1;
	if (part->failure) {
		*e = *part->failure;
		return err_wrap(e, "layer '%s'", shown_of(slice_of(name)).text);
	}
	if (!part->is_tar)
		return err_set(e, ERR_INPUT, "layer '%s' is no tar",
			shown_of(slice_of(name)).text);
	part->member.is_layer = true;
	r->own->image.layers[i] = part->layer;
	r->own->image.layers[i].name = part->key;
	*range = part->entries;
	return own_check_layer(r->own, i, e);
}

/* Match the tars that were read to the layers that are named. */
static int
take_layers(struct reading *r, struct tree_range *ranges, struct err *e)
{
	struct image *image = &r->own->image;

	image->n_layers = r->n_layers;
	image->layers = arena_alloc(
		&image->arena, r->n_layers * sizeof(*image->layers));
	for (size_t i = 0; i < r->n_layers; i++)
		if (take_layer(r, i, &ranges[i], e) < 0)
			return -1;
	return 0;
}

static void
take_members(struct reading *r)
{
	struct image *image = &r->own->image;

	image->n_members = r->parts.n;
	image->members = arena_alloc(
		&image->arena, image->n_members * sizeof(*image->members));
	for (size_t i = 0; i < r->parts.n; i++)
		image->members[i] = r->parts.v[i].member;
}

static bool
is_oci(struct reading *r, enum transport transport)
{
	if (transport == TRANSPORT_OCI_ARCHIVE ||
		transport == TRANSPORT_DOCKER_ARCHIVE)
		return transport == TRANSPORT_OCI_ARCHIVE;
	return !parts_find(&r->parts, list_path) &&
		parts_find(&r->parts, "index.json");
}

int
archive_read(struct image_own *own, enum transport transport, const char *ref,
	const struct image_options *options, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {.own = own, .options = options, .ref = ref};
	CLEANUP(own_free)
	struct tree_range *ranges = NULL;
	struct image *image = &own->image;
	const struct image_limits *limits = options->limits;

	if (outer_open(image->path, limits, &r.outer, e) < 0)
		return -1;
	r.scan.limits = limits;
	r.scan.arena = &image->arena;
	r.scan.budget = layer_budget_of(limits, outer_size(r.outer));
	if (parts_read(&r.parts, r.outer, &r.scan, e) < 0 ||
		outer_finish(r.outer, &image->sha256, &image->size, e) < 0)
		return -1;
	image->compression = outer_compression(r.outer);
	if ((is_oci(&r, transport) ? find_oci : find_docker)(&r, e) < 0)
		return -1;
	ranges = xcalloc(r.n_layers, sizeof(*ranges));
	if (take_layers(&r, ranges, e) < 0 ||
		own_set_tree(own, &r.scan, ranges, e) < 0)
		return -1;
	take_members(&r);
	return 0;
}
