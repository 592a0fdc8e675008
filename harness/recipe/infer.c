/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <elf.h>

#include "base/path.h"
#include "base/text.h"
#include "recipe/parts.h"

static bool
is_format(const struct image *image, const char *name)
{
	return strcmp(image->format, name) == 0;
}

/* A link from outside the store into it, relative, as tarballs have them. */
static bool
is_link_of_tarball(const struct tree_entry *x)
{
	return x->type == TREE_LINK && x->link[0] != '/' &&
		!slice_starts(slice_of(x->path), "gnu/store/") &&
		strstr(x->link, "gnu/store/");
}

/* What a file system that was taken out of an image was packed as. */
static const char *
format_of_files(const struct tree *t)
{
	if (tree_find(t, ".singularity.d"))
		return "squashfs";
	for (size_t i = 0; i < t->n; i++)
		if (is_link_of_tarball(&t->v[i]))
			return "tarball";
	return "docker";
}

const char *
infer_format(const struct image *image)
{
	if (image_is_docker(image))
		return "docker";
	return image_is_rootfs(image) ? format_of_files(&image->tree)
				      : image->format;
}

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

/* One name for a system in some format, and Guix's. */
struct system_name {
	const char *theirs, *system;
};

static const char *
system_of(const struct system_name *v, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_is(name, v[i].theirs))
			return v[i].system;
	}
	return NULL;
}

/* By what the programs in the store are for. */
static const char *
machine_system(const struct machine *m)
{
	static const struct {
		uint16_t code;
		bool is_64, is_big_endian;
		const char *system;
	} systems[] = {
		{EM_X86_64, true, false, "x86_64-linux"},
		{EM_386, false, false, "i686-linux"},
		{EM_ARM, false, false, "armhf-linux"},
		{EM_AARCH64, true, false, "aarch64-linux"},
		{EM_MIPS, true, false, "mips64el-linux"},
		{EM_PPC64, true, false, "powerpc64le-linux"},
		{EM_PPC, false, true, "powerpc-linux"},
		{EM_RISCV, true, false, "riscv64-linux"},
	};

	for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
		if (systems[i].code == m->code &&
			systems[i].is_64 == m->is_64 &&
			systems[i].is_big_endian == m->is_big_endian)
			return systems[i].system;
	}
	return NULL;
}

/* The value of a field of a deb's control file; n 0 when there is none. */
static struct slice
control_field(const struct image *image, const char *field)
{
	const struct attribute *control = image_attribute(image, "control");
	struct slice rest = {"", 0}, none = {"", 0};
	size_t n = strlen(field);

	if (control)
		rest = control->value;
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t line = end ? (size_t)(end - rest.p) : rest.n;

		if (line > n + 2 && memcmp(rest.p, field, n) == 0 &&
			memcmp(rest.p + n, ": ", 2) == 0)
			return (struct slice){rest.p + n + 2, line - n - 2};
		rest.p += line + (end != NULL);
		rest.n -= line + (end != NULL);
	}
	return none;
}

const char *
infer_system(const struct image *image)
{
	/* guix/docker.scm, build-docker-image */
	static const struct system_name docker[] = {
		{"amd64", "x86_64-linux"},
		{"386", "i686-linux"},
		{"arm", "armhf-linux"},
		{"arm64", "aarch64-linux"},
		{"mips64le", "mips64el-linux"},
		{"ppc64le", "powerpc64le-linux"},
		{"riscv64", "riscv64-linux"},
	};
	/* guix/scripts/pack.scm, debian-archive */
	static const struct system_name deb[] = {
		{"amd64", "x86_64-linux"},
		{"i386", "i686-linux"},
		{"arm", "armhf-linux"},
		{"arm64", "aarch64-linux"},
		{"mips64el", "mips64el-linux"},
		{"ppc64el", "powerpc64le-linux"},
		{"riscv64", "riscv64-linux"},
	};
	/* guix/rpm.scm, gnu-machine-type->rpm-arch */
	static const struct system_name rpm[] = {
		{"x86_64", "x86_64-linux"},
		{"i686", "i686-linux"},
		{"armv7hl", "armhf-linux"},
		{"aarch64", "aarch64-linux"},
		{"mips64el", "mips64el-linux"},
		{"ppc64le", "powerpc64le-linux"},
		{"riscv64", "riscv64-linux"},
	};
	const struct attribute *arch = image_attribute(image, "arch");
	const char *told = NULL;

	if (image_is_docker(image))
		return system_of(docker, ARRAY_LEN(docker),
			slice_of(image_architecture(image)));
	if (is_format(image, "deb"))
		told = system_of(deb, ARRAY_LEN(deb),
			control_field(image, "Architecture"));
	else if (is_format(image, "rpm") && arch)
		told = system_of(rpm, ARRAY_LEN(rpm), arch->value);
	return told ? told : machine_system(&image->machine);
}

/* One image in the reading: where its options are collected. */
struct look {
	const struct image *image;
	const struct provenance *p; /* may be NULL */
	const char *format;         /* that it was packed in */
	struct words *revealed, *guessed, *missing;
};

static bool
is_packed_as(const struct look *l, const char *format)
{
	return strcmp(l->format, format) == 0;
}

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

/*
 * The absolute path that a link's target is, by its text alone; "" when it
 * leads out of the tree.  Docker images have absolute links, which is how it
 * finds them; all others have relative ones.
 */
static const char *
target_of(const struct look *l, const struct tree_entry *link, struct buf *out)
{
	struct slice rest = slice_of(link->link);

	buf_clear(out);
	if (is_packed_as(l, "docker") || rest.p[0] == '/')
		return link->link;
	buf_char(out, '/');
	if (strchr(link->path, '/')) {
		CLEANUP(own_free)
		char *dir = path_dir(link->path);

		buf_str(out, dir);
	}
	while (rest.n) {
		const char *slash = memchr(rest.p, '/', rest.n);
		size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
		struct slice part = {rest.p, n};

		rest.p += slash ? n + 1 : n;
		rest.n -= slash ? n + 1 : n;
		if (part.n == 0 || slice_is(part, "."))
			continue;
		if (slice_is(part, "..")) {
			if (out->n == 1)
				return "";
			while (out->n > 1 && out->p[out->n - 1] != '/')
				out->n--;
			if (out->n > 1)
				out->n--;
			continue;
		}
		if (out->p[out->n - 1] != '/')
			buf_char(out, '/');
		buf_slice(out, part);
	}
	out->p[out->n] = '\0';
	return buf_text(out);
}

static void
look_compression(struct look *l)
{
	enum compression c = l->image->compression;

	/* Where it is not the pack's own file its compression is not known,
	 * and nothing depends on it. */
	if (l->image->manifest_kind || image_is_rootfs(l->image))
		return;
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

/* What a format has of its own, whatever the options. */
static bool
is_of_format(const struct look *l, const struct tree_entry *x, const char *rest)
{
	struct slice path = slice_of(x->path);

	if (is_packed_as(l, "appimage"))
		return slice_is(path, "AppRun");
	if (!is_packed_as(l, "squashfs"))
		return false;
	return slice_starts(path, ".singularity.d/") ||
		(slice_is(path, "bin") && strcmp(rest, "bin") == 0);
}

/* The value of the --symlink option that makes this link; NULL when none does.
 */
static char *
link_value(struct look *l, const struct tree_entry *x, struct buf *target)
{
	const char *rest;
	size_t n_layers = l->image->n_guix_layers;

	if (x->type != TREE_LINK || !x->link ||
		slice_starts(slice_of(x->path), "gnu/store/"))
		return NULL;
	if (n_layers > 0 && x->layer >= n_layers)
		return NULL;
	rest = below_profile(l, target_of(l, x, target));
	if (!rest || is_profile_root(x, rest) || is_of_format(l, x, rest))
		return NULL;
	if (strchr(x->path, '=') || strchr(rest, '=') ||
		!text_is_utf8(slice_of(x->path)) ||
		!text_is_utf8(slice_of(rest))) {
		words_say(l->missing,
			"the link /%s -> %s: no --symlink option can name it",
			x->path, x->link);
		return NULL;
	}
	return xasprintf("/%s=%s", x->path, rest);
}

/* A link that an option made. */
struct option_link {
	char *value; /* of the option; owned */
	uint32_t seq;
};

static int
later_first(const void *a, const void *b)
{
	const struct option_link *x = a, *y = b;

	return (x->seq < y->seq) - (x->seq > y->seq);
}

/*
 * Before July 2021, self-contained-tarball of guix/scripts/pack.scm named the
 * store and each link to tar, the option typed last first; later ones archive
 * all that is below the root, sorted, with the folder of the store.
 */
static bool
keeps_order(const struct image *image)
{
	return is_format(image, "tarball") && !tree_find(&image->tree, "gnu");
}

static void
look_symlinks(struct look *l)
{
	const struct tree *t = &l->image->tree;
	CLEANUP(buf_fini)
	struct buf target = {0};
	struct option_link *v = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < t->n; i++) {
		char *value = link_value(l, &t->v[i], &target);

		if (!value)
			continue;
		VEC_GROW(v, n, cap);
		v[n++] = (struct option_link){value, t->v[i].seq};
	}
	if (n > 1 && keeps_order(l->image))
		qsort(v, n, sizeof(*v), later_first);
	else if (n > 1)
		words_say(l->guessed,
			"the order of the %zu --symlink options: the image "
			"does not keep it, and its contents do not depend on "
			"it",
			n);
	for (size_t i = 0; i < n; i++) {
		reveal(l, "symlink", v[i].value);
		free(v[i].value);
	}
	free(v);
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

/* The link that starts a squashfs by Singularity, or an AppImage. */
static void
look_started(struct look *l)
{
	static const char *const links[] = {".singularity.d/runscript",
		".singularity.d/actions/run", "AppRun"};
	CLEANUP(buf_fini)
	struct buf target = {0};

	if (!is_packed_as(l, "squashfs") && !is_packed_as(l, "appimage"))
		return;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		const struct tree_entry *x =
			tree_find(&l->image->tree, links[i]);
		const char *rest;

		if (!x || x->type != TREE_LINK || !x->link)
			continue;
		rest = below_profile(l, target_of(l, x, &target));
		if (!rest || !text_is_utf8(slice_of(rest))) {
			words_say(l->missing,
				"/%s leads to %s, which no --entry-point can "
				"name",
				links[i], x->link);
			return;
		}
		reveal(l, "entry-point", rest);
		return;
	}
}

/*
 * What a package says to the package manager (guix/scripts/pack.scm,
 * debian-archive; guix/rpm.scm, generate-header): files that their author gave,
 * of which only the contents are known.
 */
static void
look_scripts(struct look *l)
{
	static const struct {
		const char *format, *attribute, *option;
	} scripts[] = {
		{"deb", "postinst", "postinst-file"},
		{"deb", "triggers", "triggers-file"},
		{"rpm", "prein", "prein-file"},
		{"rpm", "postin", "postin-file"},
		{"rpm", "preun", "preun-file"},
		{"rpm", "postun", "postun-file"},
	};
	static const char ours[] = "Debian archive generated by GNU Guix.";

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		const struct attribute *a =
			image_attribute(l->image, scripts[i].attribute);

		if (a && is_format(l->image, scripts[i].format))
			words_say(l->missing,
				"--%s: the package has a %s of %llu bytes, "
				"from a file of its author",
				scripts[i].option, scripts[i].attribute,
				(unsigned long long)a->size);
	}
	if (is_format(l->image, "deb") &&
		!slice_is(control_field(l->image, "Description"), ours))
		words_say(l->missing,
			"--control-file: the package's control file is not "
			"the one that guix pack writes");
}

static void
look_tag(struct look *l)
{
	CLEANUP(buf_fini)
	struct buf expected = {0}, canonical = {0};
	const char *tag, *colon;
	struct slice name;

	/* The names in a layout are given by whoever makes it. */
	if (!l->p || l->image->n_repo_tags == 0 || l->image->manifest_kind)
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

/*
 * guix/docker.scm, size-sorted-store-items: min(N, items + 1) layers, of one item
 * each but for the last ones.
 */
static void
look_layers(struct look *l)
{
	size_t n = l->image->n_guix_layers, n_items = l->image->n_items;
	char number[24];

	for (size_t i = 0; i < l->image->n_layers; i++)
		if (l->image->layers[i].is_cut)
			words_say(l->missing,
				"what comes after the manifest in its layer, "
				"which was fetched no further: links there "
				"would tell of --symlink");
	if (n > 0 && n < l->image->n_layers)
		words_say(l->missing,
			"what was added to the image after it was packed: %zu "
			"of its %zu layers, which the recipe does not make",
			l->image->n_layers - n, l->image->n_layers);
	if (n < 2)
		return;
	for (size_t i = 0; i < n; i++)
		n_items += l->image->layers[i].is_unread;
	snprintf(number, sizeof(number), "%zu", n);
	reveal(l, "max-layers", number);
	if (n > n_items)
		words_say(l->guessed,
			"--max-layers=%s: any larger number gives the same "
			"image, since there are no more store items",
			number);
}

/* What is not known of a file system without its image. */
static void
look_files(struct look *l)
{
	if (!image_is_rootfs(l->image))
		return;
	words_say(l->guessed,
		"--format=%s: files alone do not tell what they were packed "
		"in",
		l->format);
	if (is_packed_as(l, "docker"))
		words_say(l->missing,
			"the config: files alone have no entry point and no "
			"environment");
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

/* guix/scripts/pack.scm, wrapped-package: the wrapper is NAME-VERSIONR, its
 * outputs as of any package. */
static bool
is_wrapped(const struct package *p)
{
	bool is_out = strcmp(p->output, "out") == 0;
	CLEANUP(own_free)
	char *end = xasprintf("-%s-%sR%s%s", p->name, p->version,
		is_out ? "" : "-", is_out ? "" : p->output);

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
	struct look l = {
		image, p, infer_format(image), revealed, guessed, missing};

	look_files(&l);
	look_compression(&l);
	look_symlinks(&l);
	look_entry_point(&l);
	look_started(&l);
	look_scripts(&l);
	look_tag(&l);
	look_layers(&l);
	look_localstatedir(&l);
	look_relocatable(&l);
	words_say(guessed,
		"grafts are on, as by default: no image records --no-grafts");
}
