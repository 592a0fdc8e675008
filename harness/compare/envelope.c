/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/envelope.h"

#include "base/path.h"
#include "compare/config.h"
#include "fetch/ref.h"

/* A member of the outer archive and its place among those of both sides. */
struct place {
	const struct member *member;
	char *name; /* without "./" and the like */
	size_t at;  /* index in the archive, then among the shared ones */
};

struct places {
	struct place *v;
	size_t n;
};

static int
by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int
by_place(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static struct places
sorted(const struct image *image)
{
	struct places p = {.n = image->n_members};

	p.v = xcalloc(p.n, sizeof(*p.v));
	for (size_t i = 0; i < p.n; i++) {
		struct buf name = {0};

		if (!path_normalise(&name, slice_of(image->members[i].name)))
			buf_str(&name, image->members[i].name);
		p.v[i] = (struct place){&image->members[i], buf_take(&name), i};
	}
	if (p.n > 0)
		qsort(p.v, p.n, sizeof(*p.v), by_name);
	return p;
}

static void
places_fini(struct places *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].name);
	free(p->v);
}

/* One side has this member alone: under another name on the other side, where
 * it is a layer or the config, which both have; else not at all. */
struct alone {
	uint64_t named, others;
};

static void
count_alone(struct alone *alone, const struct place *p)
{
	if (p->member->is_layer || p->member->is_config)
		alone->named++;
	else
		alone->others++;
}

static void
compare_pair(const struct place *a, const struct place *b, struct facts *f)
{
	bool is_described = !a->member->is_layer && !a->member->is_config;

	if (strcmp(a->member->name, b->member->name) != 0)
		f->allowed[ALLOWANCE_MEMBER_NAME]++;
	if (is_described &&
		(a->member->size != b->member->size ||
			!digest_eq(&a->member->sha256, &b->member->sha256)))
		f->allowed[ALLOWANCE_MEMBER_BYTES]++;
}

/* Members that both have, in the image's order, must be so in the other's:
 * count those that are not at their place. */
static uint64_t
count_moved(size_t (*pairs)[2], size_t n)
{
	CLEANUP(own_free)
	size_t *places = xcalloc(n, sizeof(*places));
	uint64_t moved = 0;

	if (n == 0)
		return 0;
	qsort(pairs, n, sizeof(*pairs), by_place);
	for (size_t i = 0; i < n; i++)
		places[i] = pairs[i][1];
	qsort(places, n, sizeof(*places), by_place);
	for (size_t i = 0; i < n; i++)
		moved += places[i] != pairs[i][1];
	return moved;
}

static void
compare_members(
	const struct image *image, const struct image *rebuilt, struct facts *f)
{
	CLEANUP(places_fini)
	struct places a = sorted(image);
	CLEANUP(places_fini)
	struct places b = sorted(rebuilt);
	CLEANUP(own_free)
	size_t(*pairs)[2] = xcalloc(a.n, sizeof(*pairs));
	struct alone mine = {0}, theirs = {0};
	size_t i = 0, k = 0, n = 0;

	while (i < a.n || k < b.n) {
		int c = i == a.n   ? 1
			: k == b.n ? -1
				   : strcmp(a.v[i].name, b.v[k].name);

		if (c < 0) {
			count_alone(&mine, &a.v[i++]);
		} else if (c > 0) {
			count_alone(&theirs, &b.v[k++]);
		} else {
			compare_pair(&a.v[i], &b.v[k], f);
			pairs[n][0] = a.v[i++].at;
			pairs[n++][1] = b.v[k++].at;
		}
	}
	f->allowed[ALLOWANCE_MEMBER_NAME] +=
		mine.named > theirs.named ? mine.named : theirs.named;
	f->allowed[ALLOWANCE_MEMBER_SET] = mine.others + theirs.others;
	f->allowed[ALLOWANCE_MEMBER_ORDER] = count_moved(pairs, n);
}

/* One name, however it is spelt: "a", "docker.io/library/a:latest". */
static bool
is_same_tag(const char *a, const char *b)
{
	CLEANUP(buf_fini)
	struct buf x = {0};
	CLEANUP(buf_fini)
	struct buf y = {0};
	struct err ignored;

	if (strcmp(a, b) == 0)
		return true;
	return ref_normalise(a, &x, &ignored) == 0 &&
		ref_normalise(b, &y, &ignored) == 0 &&
		slice_eq(buf_get(&x), buf_get(&y));
}

static bool
has_tag(const struct image *image, const char *tag)
{
	for (size_t i = 0; i < image->n_repo_tags; i++)
		if (is_same_tag(image->repo_tags[i], tag))
			return true;
	return false;
}

static uint64_t
count_tags(const struct image *mine, const struct image *other)
{
	uint64_t n = 0;

	for (size_t i = 0; i < mine->n_repo_tags; i++)
		n += !has_tag(other, mine->repo_tags[i]);
	return n;
}

static bool
is_format(const struct image *image, const char *name)
{
	return strcmp(image->format, name) == 0;
}

/* Is what image->compression is of the whole file? */
static bool
is_outer(const struct image *image)
{
	return is_format(image, "docker-archive") ||
		is_format(image, "oci-archive") || is_format(image, "tarball");
}

/* Is it a folder, which has no compression of its own? */
static bool
is_layout(const struct image *image)
{
	return is_format(image, "oci") || is_format(image, "dir");
}

/* As what it is named that a layer has other bytes. */
static enum allowance
layer_allowance(const struct image *image, const struct image *rebuilt,
	bool is_order_equal)
{
	if (image_is_docker(image) || image_is_docker(rebuilt))
		return is_order_equal ? ALLOWANCE_LAYER_FORM
				      : ALLOWANCE_LAYER_ORDER;
	if (!is_order_equal)
		return ALLOWANCE_ARCHIVE_ORDER;
	return is_format(image, "squashfs") || is_format(image, "appimage")
		? ALLOWANCE_LAYOUT
		: ALLOWANCE_ARCHIVE_FORM;
}

static void
compare_layers(
	const struct image *image, const struct image *rebuilt, struct facts *f)
{
	size_t a = image->n_layers, b = rebuilt->n_layers;

	f->is_layers_equal = a == b;
	f->allowed[ALLOWANCE_LAYER_COUNT] = a > b ? a - b : b - a;
	for (size_t i = 0; i < a && i < b; i++) {
		const struct layer *x = &image->layers[i];
		const struct layer *y = &rebuilt->layers[i];
		bool is_order_equal = digest_eq(&x->order, &y->order);

		f->allowed[ALLOWANCE_LAYER_PACKING] +=
			x->compression != y->compression;
		if (digest_eq(&x->diff_id, &y->diff_id))
			continue;
		f->is_layers_equal = false;
		f->allowed[layer_allowance(image, rebuilt, is_order_equal)]++;
	}
}

static void
compare_compression(
	const struct image *image, const struct image *rebuilt, struct facts *f)
{
	if (is_layout(image) || is_layout(rebuilt) || image_is_rootfs(image) ||
		image_is_rootfs(rebuilt))
		return;
	f->allowed[is_outer(image) ? ALLOWANCE_COMPRESSION
				   : ALLOWANCE_PACKING] =
		image->compression != rebuilt->compression;
}

/* Those of Docker's kind: one of them has a manifest, or both. */
static void
compare_manifests(
	const struct image *image, const struct image *rebuilt, struct facts *f)
{
	f->allowed[ALLOWANCE_MANIFEST] = image->manifest_kind &&
		rebuilt->manifest_kind &&
		strcmp(image->manifest_kind, rebuilt->manifest_kind) != 0;
}

void
envelope_compare(
	const struct image *image, const struct image *rebuilt, struct facts *f)
{
	bool is_same_format = strcmp(image->format, rebuilt->format) == 0;

	f->is_file_equal = digest_eq(&image->sha256, &rebuilt->sha256);
	f->is_config_equal = slice_eq(image->config, rebuilt->config) &&
		(image->config.p || rebuilt->config.p ||
			digest_eq(&image->config_digest,
				&rebuilt->config_digest));
	f->is_compressed =
		is_outer(image) && image->compression != COMPRESSION_NONE;
	f->allowed[ALLOWANCE_FORMAT] = !is_same_format;
	compare_compression(image, rebuilt, f);
	compare_manifests(image, rebuilt, f);
	if (!is_same_format &&
		(image_is_rootfs(image) || image_is_rootfs(rebuilt))) {
		f->allowed[ALLOWANCE_FLAT] =
			image_is_docker(image) || image_is_docker(rebuilt);
		return;
	}
	f->allowed[ALLOWANCE_TAGS] =
		count_tags(image, rebuilt) + count_tags(rebuilt, image);
	f->allowed[ALLOWANCE_CONFIG_FORM] =
		!config_is_same_form(image, rebuilt);
	f->allowed[ALLOWANCE_CONTROL_FORM] =
		!f->is_config_equal && !image->config.p && !rebuilt->config.p;
	compare_layers(image, rebuilt, f);
	/* Of other formats all members have other names. */
	if (is_same_format)
		compare_members(image, rebuilt, f);
}
