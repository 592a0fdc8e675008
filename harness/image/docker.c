/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/docker.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "fetch/ref.h"
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

enum {
	TAGS_SHOWN = 5,  /* in an error */
	SHOWN_MAX = 150, /* bytes of them */
	NUMBER_MAX = 1000000
};

/* "a:1, b:2 and 3 more": the first tag of each image. */
static void
list_tags(const struct jdoc *doc, struct buf *out)
{
	size_t n = jdoc_len(doc), i = 0;

	for (; i < n && i < TAGS_SHOWN && out->n < SHOWN_MAX; i++) {
		struct slice tag = jdoc_str(
			jdoc_at(jdoc_get_ci(jdoc_at(doc, i), "RepoTags"), 0));

		buf_str(out, i ? ", " : "");
		if (tag.n)
			buf_str(out, shown_of(tag).text);
		else
			buf_printf(out, "@%zu", i);
	}
	if (i < n)
		buf_printf(out, " and %zu more", n - i);
}

static bool
is_named(const struct jdoc *image, const char *ref, const struct buf *whole)
{
	const struct jdoc *tags = jdoc_get_ci(image, "RepoTags");

	for (size_t i = 0; i < jdoc_len(tags); i++) {
		struct slice tag = jdoc_str(jdoc_at(tags, i));
		CLEANUP(own_free)
		char *text = NULL;
		CLEANUP(buf_fini)
		struct buf name = {0};
		struct err ignored = {0};

		if (slice_is(tag, ref))
			return true;
		if (whole->n == 0 || tag.n == 0 || memchr(tag.p, '\0', tag.n))
			continue;
		text = xmemdup0(tag.p, tag.n);
		if (ref_normalise(text, &name, &ignored) == 0 &&
			slice_eq(buf_get(&name), buf_get(whole)))
			return true;
	}
	return false;
}

/* NULL when ref is none of them. */
static const struct jdoc *
find_image(const struct jdoc *doc, const char *ref)
{
	CLEANUP(buf_fini)
	struct buf whole = {0};
	struct err ignored = {0};
	char *end;

	if (!ref)
		return jdoc_len(doc) == 1 ? jdoc_at(doc, 0) : NULL;
	if (ref[0] == '@') {
		unsigned long n = strtoul(ref + 1, &end, 10);

		return ref[1] >= '0' && ref[1] <= '9' && *end == '\0' &&
				n <= NUMBER_MAX
			? jdoc_at(doc, n)
			: NULL;
	}
	if (ref_normalise(ref, &whole, &ignored) < 0)
		buf_clear(&whole);
	for (size_t i = 0; i < jdoc_len(doc); i++)
		if (is_named(jdoc_at(doc, i), ref, &whole))
			return jdoc_at(doc, i);
	return NULL;
}

static int
choose_image(const struct jdoc *doc, const char *ref, const struct jdoc **out,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf tags = {0};

	if (jdoc_type(doc) != JDOC_ARRAY)
		return err_set(e, ERR_INPUT, "is no array");
	*out = find_image(doc, ref);
	if (*out)
		return 0;
	if (jdoc_len(doc) == 0)
		return err_set(e, ERR_INPUT, "tells of 0 images");
	list_tags(doc, &tags);
	if (ref)
		return err_set(e, ERR_ABSENT,
			"tells of no image '%s'; it has %s",
			shown_of(slice_of(ref)).text, buf_text(&tags));
	return err_set(e, ERR_INPUT,
		"tells of %zu images, and none is named: %s", jdoc_len(doc),
		buf_text(&tags));
}

static int
parse_manifest(const struct jdoc *doc, const char *ref, uint32_t layers_max,
	struct arena *arena, struct docker_manifest *out, struct err *e)
{
	const struct jdoc *image = NULL, *layers;
	const char **names, **tags;

	if (choose_image(doc, ref, &image, e) < 0)
		return -1;
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
docker_manifest_parse(struct slice text, const char *ref, uint32_t layers_max,
	struct arena *arena, struct docker_manifest *out, struct err *e)
{
	CLEANUP(own_jdoc)
	struct jdoc *doc = jdoc_parse(text, e);

	*out = (struct docker_manifest){0};
	if (!doc || parse_manifest(doc, ref, layers_max, arena, out, e) < 0)
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
