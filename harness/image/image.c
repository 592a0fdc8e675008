/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/image.h"

#include <string.h>

#include "base/attr.h"
#include "image/docker.h"
#include "image/filesystem.h"
#include "image/kind.h"
#include "image/outer.h"
#include "image/own.h"
#include "image/package.h"
#include "image/parts.h"
#include "image/scan.h"
#include "image/shown.h"
#include "image/tree.h"

/* What image_read holds while it reads. */
struct reading {
	struct outer *outer;
	struct scan scan;
	struct parts parts;
	struct docker_manifest manifest;
	struct image_own *own;
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
	uint32_t max = r->scan.limits->json_bytes;

	if (!part)
		return no_part(r, "member", key, e);
	if (part->member.size > max)
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
read_manifest(struct reading *r, struct err *e)
{
	struct image *image = &r->own->image;
	struct part *part;

	if (!parts_find(&r->parts, "manifest.json"))
		return err_set(e, ERR_INPUT,
			"is no docker archive: it has no manifest.json");
	if (get_json(r, "manifest.json", "the list of images", &part, e) < 0)
		return -1;
	part->member.is_manifest = true;
	if (docker_manifest_parse(
		    (struct slice){part->json, (size_t)part->member.size},
		    r->scan.limits->layers, &image->arena, &r->manifest, e) < 0)
		return -1;
	image->repo_tags = r->manifest.repo_tags;
	image->n_repo_tags = r->manifest.n_repo_tags;
	return 0;
}

static int
read_config(struct reading *r, struct err *e)
{
	struct image *image = &r->own->image;
	struct docker_config *config = &r->own->config;
	struct part *part;

	if (get_json(r, r->manifest.config, "the config", &part, e) < 0)
		return -1;
	part->member.is_config = true;
	image->config_name = part->member.name;
	image->config_digest = part->member.sha256;
	image->config.n = (size_t)part->member.size;
	image->config.p =
		arena_copy(&image->arena, part->json, image->config.n);
	if (docker_config_parse(image->config, &image->arena,
		    &image->config_doc, config, e) < 0)
		return -1;
	if (config->has_diff_ids && config->n_diff_ids != r->manifest.n_layers)
		return err_set(e, ERR_INPUT,
			"config has %zu diff_ids for %zu layers",
			config->n_diff_ids, r->manifest.n_layers);
	return 0;
}

static int
check_claim(const struct layer *layer, struct err *e)
{
	char is[DIGEST_HEX + 1], told[DIGEST_HEX + 1];

	if (!layer->has_claim || digest_eq(&layer->diff_id, &layer->claimed))
		return 0;
	digest_hex(&layer->diff_id, is);
	digest_hex(&layer->claimed, told);
	return err_set(e, ERR_INPUT,
		"layer '%s' is sha256:%.16s..., its config tells of sha256:%.16s...",
		shown_of(slice_of(layer->name)).text, is, told);
}

/* Match the tars that were read to the layers that manifest.json names. */
static int
take_layers(struct reading *r, struct tree_range *ranges, struct err *e)
{
	struct image *image = &r->own->image;
	size_t n = r->manifest.n_layers;

	image->layers = arena_alloc(&image->arena, n * sizeof(*image->layers));
	image->n_layers = n;
	for (size_t i = 0; i < n; i++) {
		const char *name = r->manifest.layers[i];
		struct part *part = parts_find(&r->parts, name);
		struct layer *layer = &image->layers[i];

		if (!part)
			return no_part(r, "layer", name, e);
		if (part->failure) {
			*e = *part->failure;
			return err_wrap(
				e, "layer '%s'", shown_of(slice_of(name)).text);
		}
		if (!part->is_tar)
			return err_set(e, ERR_INPUT, "layer '%s' is no tar",
				shown_of(slice_of(name)).text);
		part->member.is_layer = true;
		*layer = part->layer;
		layer->name = part->key;
		layer->has_claim = r->own->config.has_diff_ids;
		if (layer->has_claim)
			layer->claimed = r->own->config.diff_ids[i];
		if (check_claim(layer, e) < 0)
			return -1;
		ranges[i] = part->entries;
	}
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

int
own_set_tree(struct image_own *own, struct scan *scan,
	const struct tree_range *ranges, struct err *e)
{
	struct image *image = &own->image;

	if (tree_merge(scan->v, scan->n, ranges, image->n_layers, &image->arena,
		    &image->tree, &own->sources, &own->n_sources, e) < 0)
		return -1;
	scan->v = NULL;
	if (image->tree.n)
		image->tree.v = xreallocarray(
			image->tree.v, image->tree.n, sizeof(*image->tree.v));
	image->machine = scan_machine(scan);
	image->items = tree_items(&image->tree, &image->arena, &image->n_items);
	return 0;
}

static int
read_docker(struct reading *r, const char *path,
	const struct image_limits *limits, struct err *e)
{
	CLEANUP(own_free)
	struct tree_range *ranges = NULL;
	struct image *image = &r->own->image;

	if (outer_open(path, limits, &r->outer, e) < 0)
		return -1;
	r->scan.limits = limits;
	r->scan.arena = &image->arena;
	r->scan.budget = layer_budget_of(limits, outer_size(r->outer));
	if (parts_read(&r->parts, r->outer, &r->scan, e) < 0 ||
		outer_finish(r->outer, &image->sha256, &image->size, e) < 0)
		return -1;
	image->compression = outer_compression(r->outer);
	if (read_manifest(r, e) < 0 || read_config(r, e) < 0)
		return -1;
	ranges = xreallocarray(NULL, r->manifest.n_layers, sizeof(*ranges));
	if (take_layers(r, ranges, e) < 0 ||
		own_set_tree(r->own, &r->scan, ranges, e) < 0)
		return -1;
	take_members(r);
	return 0;
}

static int
read_kind(struct image_own *own, const char *path,
	const struct image_limits *limits, struct err *e)
{
	static const char *const formats[] = {
		[KIND_DOCKER] = "docker-archive",
		[KIND_TARBALL] = "tarball",
		[KIND_SQUASHFS] = "squashfs",
		[KIND_DEB] = "deb",
		[KIND_RPM] = "rpm",
		[KIND_APPIMAGE] = "appimage",
	};
	CLEANUP(end_reading)
	struct reading r = {.own = own};

	if (kind_of_file(path, limits, &own->kind, e) < 0)
		return -1;
	own->image.format = formats[own->kind];
	own->config.architecture = "";
	switch (own->kind) {
	case KIND_TARBALL:
		return package_read_tarball(own, limits, e);
	case KIND_DEB:
		return package_read_deb(own, limits, e);
	case KIND_RPM:
		return package_read_rpm(own, limits, e);
	case KIND_SQUASHFS:
	case KIND_APPIMAGE:
		return filesystem_read(own, limits, e);
	case KIND_DOCKER:
	default:
		return read_docker(&r, path, limits, e);
	}
}

int
image_read(const char *path, const struct image_limits *limits,
	struct image **out, struct err *e)
{
	CLEANUP(own_image)
	struct image *image = NULL;
	struct image_own *own = xcalloc(1, sizeof(*own));

	image = &own->image;
	image->limits = *limits;
	image->path = arena_copy(&image->arena, path, strlen(path));
	if (read_kind(own, path, limits, e) < 0)
		return err_wrap(e, "%s", shown_of(slice_of(path)).text);
	*out = STEAL(image);
	return 0;
}

void
image_free(struct image *image)
{
	if (!image)
		return;
	jdoc_free(image->config_doc);
	free(image->tree.v);
	arena_fini(&image->arena);
	free(image);
}

void
own_image(struct image **image)
{
	image_free(*image);
}

size_t
image_env(const struct image *image, const char ***env)
{
	*env = own_of(image)->config.env;
	return own_of(image)->config.n_env;
}

size_t
image_entrypoint(const struct image *image, const char ***words)
{
	*words = own_of(image)->config.entrypoint;
	return own_of(image)->config.n_entrypoint;
}

const char *
image_architecture(const struct image *image)
{
	return own_of(image)->config.architecture;
}
