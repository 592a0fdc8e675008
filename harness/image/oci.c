/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/oci.h"

#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "image/shown.h"

enum {
	DEPTH_MAX = 4,   /* indexes in indexes */
	NAMES_SHOWN = 5, /* in an error */
	SHOWN_MAX = 150  /* bytes of them */
};
#define SIZE_UNKNOWN UINT64_MAX

static const char index_path[] = "index.json";
static const char manifest_path[] = "manifest.json"; /* of dir: */

/* What one search holds. */
struct search {
	const struct oci_files *files;
	const struct oci_wanted *wanted;
	struct arena *arena;
	struct oci_image *out;
};

static const char *
blob_path(const struct oci_files *files, const struct digest *d,
	const char *after, struct arena *arena)
{
	static const char before[] = "blobs/sha256/";
	char text[sizeof(before) + DIGEST_HEX + 16], hex[DIGEST_HEX + 1];

	digest_hex(d, hex);
	snprintf(text, sizeof(text), "%s%s%s", files->is_dir ? "" : before, hex,
		files->is_dir ? after : "");
	return arena_copy(arena, text, strlen(text));
}

const char *
oci_blob_path(const struct oci_files *files, const struct digest *d,
	struct arena *arena)
{
	return blob_path(files, d, "", arena);
}

int
oci_check(const struct descriptor *named, const struct digest *is,
	uint64_t size, const char *what, struct err *e)
{
	char right[DIGEST_HEX + 1], wrong[DIGEST_HEX + 1];

	digest_hex(&named->digest, right);
	if (named->size != SIZE_UNKNOWN && named->size != size)
		return err_set(e, ERR_INPUT,
			"%s sha256:%.16s... has %" PRIu64
			" bytes, its descriptor says %" PRIu64,
			what, right, size, named->size);
	if (digest_eq(&named->digest, is))
		return 0;
	digest_hex(is, wrong);
	return err_set(e, ERR_INPUT,
		"%s sha256:%.16s... is not what its name says: its bytes are sha256:%.16s...",
		what, right, wrong);
}

static int
read_blob(struct search *s, const struct descriptor *d, const char *path,
	const char *what, struct slice *out, struct err *e)
{
	struct digest is;

	if (s->files->text(s->files->arg, path, what, out, e) < 0)
		return -1;
	is = digest_of(out->p, out->n);
	return oci_check(d, &is, out->n, what, e);
}

static bool
has_name(const struct descriptor *d, const char *name)
{
	for (size_t i = 0; i < DESCRIPTOR_NAMES; i++)
		if (d->names[i] && strcmp(d->names[i], name) == 0)
			return true;
	return false;
}

/* The name that tells most: the one of containerd, which is whole. */
static const char *
best_name(const struct descriptor *d)
{
	return d->names[1] ? d->names[1] : d->names[0];
}

/* "a:1, b:2 and 3 more", or digests where there are no names. */
static void
list_names(const struct manifest *index, struct buf *out)
{
	size_t told = 0, left = 0;

	for (size_t i = 0; i < index->n_images; i++) {
		const struct descriptor *d = &index->images[i];
		char hex[DIGEST_HEX + 1];
		const char *name = best_name(d);

		if (d->is_attestation)
			continue;
		if (told == NAMES_SHOWN || out->n > SHOWN_MAX) {
			left++;
			continue;
		}
		buf_str(out, told++ ? ", " : "");
		digest_hex(&d->digest, hex);
		if (name)
			buf_str(out, shown_of(slice_of(name)).text);
		else
			buf_printf(out, "@sha256:%.12s...", hex);
	}
	if (left > 0)
		buf_printf(out, " and %zu more", left);
}

static int
refuse_names(const struct manifest *index, const char *ref, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf names = {0};

	list_names(index, &names);
	if (ref)
		return err_set(e, ERR_ABSENT, "holds no image '%s'; %s%s",
			shown_of(slice_of(ref)).text,
			names.n ? "it holds " : "it is empty",
			buf_text(&names));
	if (names.n == 0)
		return err_set(
			e, ERR_INPUT, "holds no image: its index is empty");
	return err_set(e, ERR_INPUT,
		"holds several images, and none is named: %s",
		buf_text(&names));
}

/*
 * The one of the index that is meant.  Images of one name, or all without, may
 * be the same for several platforms.
 */
static int
choose_named(struct search *s, struct manifest *index,
	const struct descriptor **out, struct err *e)
{
	const char *ref = s->wanted->ref, *name = NULL;
	struct manifest those = {.is_index = true};
	const struct descriptor *first;

	those.images =
		arena_alloc(s->arena, index->n_images * sizeof(*those.images));
	for (size_t i = 0; i < index->n_images; i++) {
		const struct descriptor *d = &index->images[i];

		if (ref ? has_name(d, ref) : !d->is_attestation)
			those.images[those.n_images++] = *d;
	}
	if (those.n_images == 0)
		return refuse_names(index, ref, e);
	first = those.images;
	*out = first;
	if (those.n_images == 1)
		return 0;
	name = best_name(first);
	for (size_t i = 0; i < those.n_images; i++) {
		const char *other = best_name(&those.images[i]);
		bool is_same = name && other ? strcmp(name, other) == 0
					     : name == other;

		if (!those.images[i].platform.os[0] || !is_same)
			return refuse_names(&those, NULL, e);
	}
	return manifest_choose(&those, s->wanted->platform, out, e);
}

static int
parse(struct search *s, struct slice text, struct manifest *out, struct err *e)
{
	return manifest_parse(text, s->wanted->layers_max, s->arena, out, e);
}

/* From the index of the layout to what it says of the image. */
static int
begin(struct search *s, struct descriptor *out, struct err *e)
{
	const char *ref = s->wanted->ref;
	const struct descriptor *chosen = NULL;
	struct manifest index;
	struct slice text;

	if (ref && ref[0] == '@') {
		*out = (struct descriptor){.size = SIZE_UNKNOWN};
		if (!slice_starts(slice_of(ref + 1), "sha256:") ||
			!digest_parse(slice_of(ref + 1), &out->digest))
			return err_set(e, ERR_INPUT,
				"'%s' is not @sha256: and 64 digits",
				shown_of(slice_of(ref)).text);
		return 0;
	}
	if (s->files->text(s->files->arg, index_path, "the index", &text, e) <
		0)
		return -1;
	if (parse(s, text, &index, e) < 0)
		return err_wrap(e, "%s", index_path);
	if (!index.is_index)
		return err_set(
			e, ERR_INPUT, "%s is no list of images", index_path);
	if (choose_named(s, &index, &chosen, e) < 0)
		return -1;
	*out = *chosen;
	return 0;
}

static void
set_names(struct search *s, const struct descriptor *d)
{
	const char **names;

	if (!best_name(d))
		return;
	names = arena_alloc(s->arena, sizeof(*names));
	names[0] = best_name(d);
	s->out->names = names;
	s->out->n_names = 1;
}

/* Down the indexes to the manifest of one image. */
static int
find_manifest(struct search *s, struct descriptor *at, struct err *e)
{
	const char *path =
		blob_path(s->files, &at->digest, ".manifest.json", s->arena);

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		const struct descriptor *chosen = NULL;
		struct slice text;

		if (read_blob(s, at, path, "manifest", &text, e) < 0)
			return -1;
		if (parse(s, text, &s->out->manifest, e) < 0)
			return err_wrap(e, "'%s'", path);
		at->size = text.n;
		s->out->manifest_at = *at;
		s->out->manifest_path = path;
		if (!s->out->manifest.is_index)
			return 0;
		if (manifest_choose(&s->out->manifest, s->wanted->platform,
			    &chosen, e) < 0)
			return -1;
		*at = *chosen;
		path = blob_path(
			s->files, &at->digest, ".manifest.json", s->arena);
	}
	return err_set(
		e, ERR_INPUT, "has indexes in indexes, %d deep", DEPTH_MAX);
}

/* dir: has the manifest under a name of its own; nothing names its digest. */
static int
find_in_dir(struct search *s, struct err *e)
{
	const struct descriptor *chosen = NULL;
	struct descriptor at = {0};
	struct slice text;

	if (s->files->text(
		    s->files->arg, manifest_path, "the manifest", &text, e) < 0)
		return -1;
	if (parse(s, text, &s->out->manifest, e) < 0)
		return err_wrap(e, "%s", manifest_path);
	s->out->manifest_path = manifest_path;
	s->out->manifest_at = (struct descriptor){
		.digest = digest_of(text.p, text.n), .size = text.n};
	if (!s->out->manifest.is_index)
		return 0;
	if (manifest_choose(
		    &s->out->manifest, s->wanted->platform, &chosen, e) < 0)
		return -1;
	at = *chosen;
	return find_manifest(s, &at, e);
}

int
oci_find(const struct oci_files *files, const struct oci_wanted *wanted,
	struct arena *arena, struct oci_image *out, struct err *e)
{
	struct search s = {files, wanted, arena, out};
	struct descriptor at;

	*out = (struct oci_image){0};
	if (files->is_dir) {
		if (find_in_dir(&s, e) < 0)
			return -1;
	} else {
		if (begin(&s, &at, e) < 0)
			return -1;
		set_names(&s, &at);
		if (find_manifest(&s, &at, e) < 0)
			return -1;
	}
	out->config_path =
		oci_blob_path(files, &out->manifest.config.digest, arena);
	return read_blob(&s, &out->manifest.config, out->config_path, "config",
		&out->config, e);
}
