/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"
#include "recipe/parts.h"

enum {
	FRIENDLY_BELOW = 40, /* characters of a pack's name */
	REPOSITORY_MIN = 2,  /* of a repository's name */
	REPOSITORY_MAX = 255
};

static size_t
characters(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* The names joined by "-", the last ones left out that make it too long. */
static void
friendly_name(const struct provenance *p, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_packages; i++) {
		struct slice name = slice_of(p->packages[i]->name);

		n += characters(name) + (i > 0);
		if (i > 0 && n >= FRIENDLY_BELOW)
			return;
		if (i > 0)
			buf_char(out, '-');
		buf_slice(out, name);
	}
}

static bool
is_separator(char c)
{
	return c == '_' || c == '-' || c == '.';
}

static void
canonicalize(struct slice name, struct buf *out)
{
	size_t start = out->n;

	/* Guile's string-trim trims on the left alone. */
	while (name.n && is_separator(name.p[0])) {
		name.p++;
		name.n--;
	}
	for (size_t i = 0; i < name.n && out->n - start < REPOSITORY_MAX; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c & 0xc0) == 0x80) /* one "." for one character */
			continue;
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
			!is_separator(c))
			c = '.';
		buf_char(out, c);
	}
	while (out->n - start < REPOSITORY_MIN)
		buf_char(out, 'a');
}

void
infer_repository(const struct provenance *p, struct buf *out)
{
	CLEANUP(buf_fini)
	struct buf name = {0};

	friendly_name(p, &name);
	canonicalize(buf_get(&name), out);
}

/* guix/docker.scm, build-docker-image, the other way round. */
const char *
infer_system(const struct image *image)
{
	static const char *const systems[][2] = {
		{"amd64", "x86_64-linux"},
		{"386", "i686-linux"},
		{"arm", "armhf-linux"},
		{"arm64", "aarch64-linux"},
		{"mips64le", "mips64el-linux"},
		{"ppc64le", "powerpc64le-linux"},
		{"riscv64", "riscv64-linux"},
	};
	const char *architecture = image_architecture(image);

	for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
		if (strcmp(systems[i][0], architecture) == 0)
			return systems[i][1];
	}
	return NULL;
}

/* One image in the reading: where its options are collected. */
struct look {
	const struct image *image;
	const struct provenance *p; /* may be NULL */
	struct words *revealed, *guessed, *missing;
};

static void
reveal(struct look *l, const char *name, const char *value)
{
	CLEANUP(own_free)
	char *word = xasprintf("--%s=%s", name, value);

	words_add(l->revealed, word);
}

/* What path has after the profile and a slash; "" for the profile itself,
 * NULL when it is not below it. */
static const char *
below_profile(const struct look *l, const char *path)
{
	size_t n = l->p ? strlen(l->p->profile) : 0;

	if (n == 0 || strncmp(path, l->p->profile, n) != 0)
		return NULL;
	if (path[n] == '\0')
		return path + n;
	return path[n] == '/' ? path + n + 1 : NULL;
}

static void
look_compression(struct look *l)
{
	enum compression c = l->image->compression;

	if (c != COMPRESSION_GZIP) /* the default */
		reveal(l, "compression", compression_name(c));
}

/* --localstatedir makes links to the profile too (gnu/build/install.scm,
 * install-database-and-gc-roots). */
static bool
is_profile_root(const struct tree_entry *x, const char *rest)
{
	return rest[0] == '\0' &&
		slice_starts(slice_of(x->path), "var/guix/profiles/");
}

static void
look_symlinks(struct look *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->image->tree.n; i++) {
		const struct tree_entry *x = &l->image->tree.v[i];
		const char *rest;
		CLEANUP(own_free)
		char *value = NULL;

		if (x->type != TREE_LINK || !x->link ||
			slice_starts(slice_of(x->path), "gnu/store/"))
			continue;
		rest = below_profile(l, x->link);
		if (!rest || is_profile_root(x, rest))
			continue;
		if (strchr(x->path, '=') || strchr(rest, '=') ||
			!text_is_utf8(slice_of(x->path)) ||
			!text_is_utf8(slice_of(rest))) {
			words_say(l->missing,
				"the link /%s -> %s: no --symlink option can "
				"name it",
				x->path, x->link);
			continue;
		}
		value = xasprintf("/%s=%s", x->path, rest);
		reveal(l, "symlink", value);
		n++;
	}
	if (n > 1)
		words_say(l->guessed,
			"the order of the %zu --symlink options: the image "
			"does not keep it, and its contents do not depend on "
			"it",
			n);
}

static void
look_entry_point(struct look *l)
{
	const char **words = NULL;
	size_t n = image_entrypoint(l->image, &words);
	const char *rest = n ? below_profile(l, words[0]) : NULL;

	if (n && !rest)
		words_say(l->missing,
			"the entry point %s is not in the profile: it was not "
			"set by guix pack",
			words[0]);
	for (size_t i = 0; i < n; i++) {
		if (!text_is_utf8(slice_of(words[i]))) {
			words_say(l->missing,
				"the entry point is not UTF-8: no option can "
				"give it");
			return;
		}
	}
	if (!rest)
		return;
	reveal(l, "entry-point", rest);
	for (size_t i = 1; i < n; i++)
		reveal(l, "entry-point-argument", words[i]);
}

static void
look_tag(struct look *l)
{
	CLEANUP(buf_fini)
	struct buf expected = {0}, canonical = {0};
	const char *tag, *colon;
	struct slice name;

	if (!l->p || l->image->n_repo_tags == 0)
		return;
	tag = l->image->repo_tags[0];
	colon = strrchr(tag, ':');
	name = (struct slice){tag, colon ? (size_t)(colon - tag) : strlen(tag)};
	infer_repository(l->p, &expected);
	canonicalize(name, &canonical);
	if (l->image->n_repo_tags > 1 || !colon ||
		strcmp(colon, ":latest") != 0 ||
		!slice_eq(buf_get(&canonical), name)) {
		words_say(l->guessed,
			"the tag %s is not one that guix pack gives: it was "
			"changed afterwards, and says nothing of the options",
			tag);
		return;
	}
	if (!slice_eq(buf_get(&expected), name))
		reveal(l, "image-tag", buf_text(&canonical));
}

static bool
is_layer_of_max_layers(const char *name)
{
	struct slice s = slice_of(name);
	struct digest ignored;

	return slice_starts(s, "sha256:") && slice_ends(s, "/layer.tar") &&
		digest_parse((struct slice){s.p, s.n - strlen("/layer.tar")},
			&ignored);
}

/* guix/docker.scm, size-sorted-store-items: min(N, items + 1) layers. */
static void
look_layers(struct look *l)
{
	char number[24];

	for (size_t i = 0; i < l->image->n_layers; i++) {
		if (!is_layer_of_max_layers(l->image->layers[i].name))
			return;
	}
	if (l->image->n_layers < 2)
		return;
	snprintf(number, sizeof(number), "%zu", l->image->n_layers);
	reveal(l, "max-layers", number);
	if (l->image->n_layers > l->image->n_items)
		words_say(l->guessed,
			"--max-layers=%s: any larger number gives the same "
			"image, since there are no more store items",
			number);
}

static void
look_localstatedir(struct look *l)
{
	static const char root[] = "var/guix/profiles/per-user/root/";
	static const char end[] = "-1-link";
	const struct tree *t = &l->image->tree;

	if (!tree_find(t, "var/guix/db/db.sqlite"))
		return;
	words_add(l->revealed, "--localstatedir");
	for (size_t i = tree_lower(t, root); i < t->n; i++) {
		struct slice path = slice_of(t->v[i].path), name;
		CLEANUP(own_free)
		char *copy = NULL;

		if (!slice_starts(path, root))
			return;
		if (t->v[i].type != TREE_LINK || !slice_ends(path, end))
			continue;
		name = (struct slice){path.p + sizeof(root) - 1,
			path.n - (sizeof(root) - 1) - (sizeof(end) - 1)};
		/* pack takes this one other name, and no more. */
		if (!slice_is(name, "current-guix"))
			continue;
		copy = xmemdup0(name.p, name.n);
		reveal(l, "profile-name", copy);
		return;
	}
}

/* guix/scripts/pack.scm, wrapped-package: the wrapper is NAME-VERSIONR. */
static bool
is_wrapped(const struct package *p)
{
	CLEANUP(own_free)
	char *end = xasprintf("-%s-%sR", p->name, p->version);

	return slice_ends(slice_of(p->store_path), end);
}

static void
look_relocatable(struct look *l)
{
	bool has_proot = false;

	if (!l->p || l->p->n_packages == 0)
		return;
	for (size_t i = 0; i < l->p->n_packages; i++) {
		if (!is_wrapped(l->p->packages[i]))
			return;
	}
	for (size_t i = 0; i < l->image->n_items && !has_proot; i++)
		has_proot = strstr(l->image->items[i].name, "-proot-static-");
	words_add(l->revealed, "--relocatable");
	if (has_proot)
		words_add(l->revealed, "--relocatable");
	words_say(l->guessed,
		"%s: its packages are wrapped, and PRoot is %s the image",
		has_proot ? "-RR" : "-R", has_proot ? "in" : "not in");
}

void
infer_options(const struct image *image, const struct provenance *p,
	struct words *revealed, struct words *guessed, struct words *missing)
{
	struct look l = {image, p, revealed, guessed, missing};

	look_compression(&l);
	look_symlinks(&l);
	look_entry_point(&l);
	look_tag(&l);
	look_layers(&l);
	look_localstatedir(&l);
	look_relocatable(&l);
	words_say(guessed,
		"grafts are on, as by default: no image records --no-grafts");
}
