/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/image.h"

#include <string.h>

#include "base/attr.h"
#include "fetch/fetch.h"
#include "image/archive.h"
#include "image/docker.h"
#include "image/filesystem.h"
#include "image/kind.h"
#include "image/layout.h"
#include "image/own.h"
#include "image/package.h"
#include "image/rootfs.h"
#include "image/scan.h"
#include "image/shown.h"
#include "image/tree.h"

int
own_set_config(struct image_own *own, struct slice text, const char *name,
	size_t n_layers, struct err *e)
{
	struct image *image = &own->image;
	struct docker_config *config = &own->config;

	image->config_name = name;
	image->config_digest = digest_of(text.p, text.n);
	image->config.n = text.n;
	image->config.p = arena_copy(&image->arena, text.p, text.n);
	if (docker_config_parse(image->config, &image->arena,
		    &image->config_doc, config, e) < 0)
		return -1;
	if (config->has_diff_ids && config->n_diff_ids != n_layers)
		return err_set(e, ERR_INPUT,
			"config has %zu diff_ids for %zu layers",
			config->n_diff_ids, n_layers);
	return 0;
}

void
own_set_manifest(struct image_own *own, const struct oci_image *found)
{
	struct image *image = &own->image;

	image->manifest_digest = found->manifest_at.digest;
	image->manifest_kind = found->manifest.is_docker ? "docker" : "oci";
	image->repo_tags = found->names;
	image->n_repo_tags = found->n_names;
}

int
own_check_layer(struct image_own *own, size_t i, struct err *e)
{
	char is[DIGEST_HEX + 1], told[DIGEST_HEX + 1];
	struct layer *layer = &own->image.layers[i];

	layer->has_claim = own->config.has_diff_ids;
	if (!layer->has_claim)
		return 0;
	layer->claimed = own->config.diff_ids[i];
	if (own->image.limits.is_provenance_only ||
		digest_eq(&layer->diff_id, &layer->claimed))
		return 0;
	digest_hex(&layer->diff_id, is);
	digest_hex(&layer->claimed, told);
	return err_set(e, ERR_INPUT,
		"layer '%s' is sha256:%.16s..., its config tells of sha256:%.16s...",
		shown_of(slice_of(layer->name)).text, is, told);
}

/*
 * What guix pack made of the layers, by what is in them: with --max-layers each
 * holds one or more store items, and the last of them what is outside (/tmp,
 * the links, /gnu); else all is in one.  Layers added on these come after.  One
 * that was not read, below that last one, holds items (image/enough.h).
 */
static size_t
guix_layers(const struct image *image, const struct scan *scan,
	const struct tree_range *ranges)
{
	static const char store[] = "gnu/store/";

	for (size_t l = 0; l < image->n_layers; l++) {
		bool has_items = image->layers[l].is_unread;
		bool has_tmp = false, has_others = false;

		for (size_t i = ranges[l].begin; i < ranges[l].end; i++) {
			const char *path = scan->v[i].path;
			bool is_item =
				strncmp(path, store, sizeof(store) - 1) == 0;

			has_items = has_items || is_item;
			has_others = has_others || !is_item;
			has_tmp = has_tmp || strcmp(path, "tmp") == 0;
		}
		if (l == 0 && !has_items)
			return 0;
		if (l > 0 && has_tmp && !has_items)
			return l + 1;
		if (has_others || !has_items)
			return 1;
	}
	return 1;
}

int
own_set_tree(struct image_own *own, struct scan *scan,
	const struct tree_range *ranges, struct err *e)
{
	struct image *image = &own->image;

	if (image->config.p)
		image->n_guix_layers = guix_layers(image, scan, ranges);
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
read_kind(struct image_own *own, const struct place *place,
	const struct image_options *o, struct err *e)
{
	static const char *const formats[] = {
		[KIND_ARCHIVE] = "docker-archive",
		[KIND_TARBALL] = "tarball",
		[KIND_SQUASHFS] = "squashfs",
		[KIND_DEB] = "deb",
		[KIND_RPM] = "rpm",
		[KIND_APPIMAGE] = "appimage",
		[KIND_LAYOUT] = "oci",
		[KIND_DIR] = "dir",
		[KIND_ROOTFS] = "rootfs",
		[KIND_ROOTFS_FOLDER] = "rootfs",
	};
	const struct image_limits *limits = o->limits;

	if (kind_of_place(place, limits, &own->kind, e) < 0)
		return -1;
	own->image.format = formats[own->kind];
	own->config.architecture = "";
	switch (own->kind) {
	case KIND_TARBALL:
	case KIND_ROOTFS:
		return package_read_tarball(own, limits, e);
	case KIND_DEB:
		return package_read_deb(own, limits, e);
	case KIND_RPM:
		return package_read_rpm(own, limits, e);
	case KIND_SQUASHFS:
	case KIND_APPIMAGE:
		return filesystem_read(own, limits, e);
	case KIND_LAYOUT:
	case KIND_DIR:
		return layout_read(
			own, own->kind == KIND_DIR, place->ref, o, e);
	case KIND_ROOTFS_FOLDER:
		return rootfs_read(own, limits, e);
	case KIND_ARCHIVE:
	default:
		return archive_read(own, place->transport, place->ref, o, e);
	}
}

int
image_read_place(const struct place *place, const struct image_options *options,
	struct image **out, struct err *e)
{
	CLEANUP(own_image)
	struct image *image = NULL;
	struct image_own *own = xcalloc(1, sizeof(*own));

	image = &own->image;
	image->limits = *options->limits;
	image->path =
		arena_copy(&image->arena, place->path, strlen(place->path));
	image->source = place->name
		? arena_copy(&image->arena, place->name, strlen(place->name))
		: image->path;
	own->from = place;
	if (read_kind(own, place, options, e) < 0)
		return err_wrap(
			e, "%s", shown_of(slice_of(image->source)).text);
	own->from = NULL;
	*out = STEAL(image);
	return 0;
}

void
image_hold(struct image *image, struct place *place)
{
	struct image_own *own = (struct image_own *)(void *)image;

	place_fini(&own->held);
	own->held = *place;
	*place = (struct place){0};
}

int
image_read(const char *path, const struct image_limits *limits,
	struct image **out, struct err *e)
{
	CLEANUP(own_free)
	char *copy = xstrdup(path);
	const struct place place = {.transport = TRANSPORT_PACK, .path = copy};
	const struct image_options options = {.limits = limits};

	return image_read_place(&place, &options, out, e);
}

bool
image_is_docker(const struct image *image)
{
	static const char *const formats[] = {
		"docker-archive", "oci-archive", "oci", "dir"};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(image->format, formats[i]) == 0)
			return true;
	return false;
}

bool
image_is_rootfs(const struct image *image)
{
	return strcmp(image->format, "rootfs") == 0;
}

void
image_free(struct image *image)
{
	if (!image)
		return;
	place_fini(&((struct image_own *)(void *)image)->held);
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
