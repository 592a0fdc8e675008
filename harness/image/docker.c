/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/docker.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/limits.h"
#include "image/shown.h"

/* A string without NULs as a C string; NULL when v is anything else. */
static const char *
string(const struct jdoc *v, struct arena *arena)
{
	struct slice s = jdoc_str(v);

	if (jdoc_type(v) != JDOC_STRING || (s.n && memchr(s.p, '\0', s.n)))
		return NULL;
	return arena_copy(arena, s.p, s.n);
}

/* An array of strings; absent and null are an empty one, as in Go. */
static int
strings(const struct jdoc *v, const char *what, struct arena *arena,
	const char ***out, size_t *n, struct err *e)
{
	*n = 0;
	*out = NULL;
	if (!v || jdoc_type(v) == JDOC_NULL)
		return 0;
	if (jdoc_type(v) != JDOC_ARRAY)
		return err_set(e, ERR_INPUT, "%s is no array", what);
	*out = arena_alloc(arena, jdoc_len(v) * sizeof(**out));
	for (size_t i = 0; i < jdoc_len(v); i++) {
		(*out)[i] = string(jdoc_at(v, i), arena);
		if (!(*out)[i])
			return err_set(e, ERR_INPUT,
				"element %zu of %s is no string, or holds a NUL",
				i + 1, what);
		(*n)++;
	}
	return 0;
}

/* The name of a member in the form that members are looked up by. */
static const char *
member_name(const char *s, struct arena *arena)
{
	CLEANUP(buf_fini)
	struct buf name = {0};

	if (!s || !path_normalise(&name, slice_of(s)) || name.n == 0)
		return NULL;
	return arena_copy(arena, name.p, name.n);
}

static int
parse_manifest(const struct jdoc *doc, uint32_t layers_max, struct arena *arena,
	struct docker_manifest *out, struct err *e)
{
	const struct jdoc *image = jdoc_at(doc, 0), *layers;
	const char **names, **tags;

	if (jdoc_type(doc) != JDOC_ARRAY || jdoc_len(doc) != 1)
		return err_set(e, ERR_INPUT,
			jdoc_type(doc) == JDOC_ARRAY
				? "tells of %zu images, expected is one"
				: "is no array",
			jdoc_len(doc));
	if (jdoc_type(image) != JDOC_OBJECT)
		return err_set(e, ERR_INPUT, "its element is no object");
	out->config =
		member_name(string(jdoc_get_ci(image, "Config"), arena), arena);
	if (!out->config)
		return err_set(e, ERR_INPUT, "Config names no member");
	layers = jdoc_get_ci(image, "Layers");
	if (jdoc_len(layers) > layers_max)
		return limits_refuse(
			&(struct image_limits){.layers = layers_max},
			LIMIT_layers, e, "has %zu layers", jdoc_len(layers));
	if (strings(layers, "Layers", arena, &names, &out->n_layers, e) < 0)
		return -1;
	for (size_t i = 0; i < out->n_layers; i++) {
		const char *as_told = names[i];

		names[i] = member_name(as_told, arena);
		if (!names[i])
			return err_set(e, ERR_INPUT,
				"Layers has '%s', which is no name of a member",
				shown_of(slice_of(as_told)).text);
	}
	out->layers = names;
	if (strings(jdoc_get_ci(image, "RepoTags"), "RepoTags", arena, &tags,
		    &out->n_repo_tags, e) < 0)
		return -1;
	out->repo_tags = tags;
	return 0;
}

int
docker_manifest_parse(struct slice text, uint32_t layers_max,
	struct arena *arena, struct docker_manifest *out, struct err *e)
{
	CLEANUP(own_jdoc)
	struct jdoc *doc = jdoc_parse(text, e);

	*out = (struct docker_manifest){0};
	if (!doc || parse_manifest(doc, layers_max, arena, out, e) < 0)
		return err_wrap(e, "manifest.json");
	return 0;
}

static int
parse_diff_ids(const struct jdoc *ids, struct arena *arena,
	struct docker_config *out, struct err *e)
{
	size_t n = jdoc_len(ids);
	struct digest *v;

	if (!ids)
		return 0;
	if (jdoc_type(ids) != JDOC_ARRAY)
		return err_set(e, ERR_INPUT, "rootfs.diff_ids is no array");
	v = arena_alloc(arena, n * sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		struct slice s = jdoc_str(jdoc_at(ids, i));

		if (!slice_starts(s, "sha256:") || !digest_parse(s, &v[i]))
			return err_set(e, ERR_INPUT,
				"element %zu of rootfs.diff_ids is no SHA-256 digest",
				i + 1);
	}
	out->diff_ids = v;
	out->n_diff_ids = n;
	out->has_diff_ids = true;
	return 0;
}

static int
parse_config(const struct jdoc *doc, struct arena *arena,
	struct docker_config *out, struct err *e)
{
	const struct jdoc *run = jdoc_get_ci(doc, "config");
	const struct jdoc *architecture = jdoc_get_ci(doc, "architecture");

	if (jdoc_type(doc) != JDOC_OBJECT)
		return err_set(e, ERR_INPUT, "is no object");
	if (jdoc_type(run) != JDOC_OBJECT && jdoc_type(run) != JDOC_NULL)
		return err_set(e, ERR_INPUT, "its 'config' is no object");
	out->architecture = string(architecture, arena);
	if (!out->architecture && jdoc_type(architecture) != JDOC_NULL)
		return err_set(e, ERR_INPUT, "architecture is no string");
	if (!out->architecture)
		out->architecture = "";
	if (parse_diff_ids(jdoc_get_ci(jdoc_get_ci(doc, "rootfs"), "diff_ids"),
		    arena, out, e) < 0)
		return -1;
	if (strings(jdoc_get_ci(run, "Env"), "Env", arena, &out->env,
		    &out->n_env, e) < 0)
		return -1;
	return strings(jdoc_get_ci(run, "Entrypoint"), "Entrypoint", arena,
		&out->entrypoint, &out->n_entrypoint, e);
}

int
docker_config_parse(struct slice text, struct arena *arena, struct jdoc **doc,
	struct docker_config *out, struct err *e)
{
	*out = (struct docker_config){0};
	*doc = jdoc_parse(text, e);
	if (!*doc || parse_config(*doc, arena, out, e) < 0) {
		jdoc_free(*doc);
		*doc = NULL;
		return err_wrap(e, "config");
	}
	return 0;
}
