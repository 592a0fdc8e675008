/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/digest.h"
#include "image/image.h"
#include "shell.h"

/*
 * Shell functions: `layer F' makes m/F/layer.tar of the folder F, `parts F...'
 * writes m/config.json and m/manifest.json for those layers, digests by
 * sha256sum; `pack OUT' is the tar of m.
 */
static const char functions[] =
	"TAR='tar --sort=name --owner=root:0 --group=root:0 --mtime=@1'; "
	"layer() { mkdir -p m/$1; $TAR -C $1 -cf m/$1/layer.tar .; }; "
	"parts() { l=; d=; for f; do l=\"$l,\\\"$f/layer.tar\\\"\"; "
	"s=$(sha256sum <m/$f/layer.tar); d=\"$d,\\\"sha256:${s%% *}\\\"\"; done; "
	"printf '{\"architecture\":\"amd64\",\"config\":{\"env\":[\"A=b\","
	"\"C=\"],\"entrypoint\":[\"/bin/x\",\"y z\"]},\"os\":\"linux\","
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}' \"${d#,}\" "
	">m/config.json; "
	"printf '[{\"Config\":\"config.json\",\"RepoTags\":[\"n:latest\"],"
	"\"Layers\":[%s]}]' \"${l#,}\" >m/manifest.json; }; "
	"pack() { $TAR -C m -cf $1 .; }; ";

static void
run(const char *dir, const char *script)
{
	CLEANUP(buf_fini)
	struct buf all = {0};

	buf_printf(&all, "%s%s", functions, script);
	if (!shell(dir, buf_text(&all)))
		fail_msg("script failed: %s", script);
}

/* The image dir/name within limits; NULL and *e when it cannot be read. */
static struct image *
try_read(const char *dir, const char *name, const struct image_limits *limits,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = NULL;
	struct image *image = NULL;

	path = xasprintf("%s/%s", dir, name);
	*e = (struct err){0};
	if (image_read(path, limits, &image, e) < 0) {
		assert_null(image);
		assert_int_not_equal(e->kind, ERR_NONE);
		return NULL;
	}
	return image;
}

static struct image *
must_read(const char *dir, const char *name)
{
	struct err e;
	struct image *image = try_read(dir, name, &image_limits_default, &e);

	if (!image)
		fail_msg("%s: %s", name, e.text);
	return image;
}

/* The first word of a file that sha256sum wrote. */
static void
assert_digest(const char *dir, const char *sum, const struct digest *d)
{
	char hex[DIGEST_HEX + 1];
	size_t n;
	CLEANUP(own_free)
	char *text = shell_read(dir, sum, &n);

	digest_hex(d, hex);
	assert_non_null(text);
	assert_true(n >= DIGEST_HEX);
	text[DIGEST_HEX] = '\0';
	assert_string_equal(hex, text);
}

static int
make(void **state)
{
	char *dir = shell_folder();

	*state = dir;
	if (!dir)
		return -1;
	/* Two layers: a base, and one that hides and replaces some of it. */
	run(dir,
		"i=gnu/store/aaa-profile; mkdir -p base/$i/bin base/etc base/d "
		"base/gone/deep; "
		"printf '(manifest one)' >base/$i/manifest; "
		"printf '#!/bin/sh\\n' >base/$i/bin/tool; "
		"chmod 555 base/$i/bin/tool; "
		"ln base/$i/bin/tool base/$i/bin/same; "
		"mkdir base/gnu/store/bbb-sub; "
		"printf x >base/gnu/store/bbb-sub/manifest-not; "
		"ln -s /$i/bin base/bin; printf old >base/etc/conf; "
		"printf x >base/gone/deep/f; printf x >base/d/low; "
		"mkdir -p top/etc top/d; printf new! >top/etc/conf; "
		": >top/.wh.gone; : >top/d/.wh..wh..opq; printf y >top/d/high; "
		"layer base; layer top; parts base top; pack two.tar; "
		"sha256sum m/base/layer.tar >base.sum; "
		"sha256sum m/top/layer.tar >top.sum; "
		"sha256sum m/config.json >config.sum; "
		"sha256sum two.tar >two.sum; "
		"tar -tf m/base/layer.tar | wc -l >base.count; mv m two; "
		"layer base; parts base; pack one.tar; mv m one");
	return 0;
}

static int
drop(void **state)
{
	shell_drop(*state);
	return 0;
}

static void
digests_are_those_of_sha256sum(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = must_read(dir, "two.tar");
	size_t n;
	CLEANUP(own_free)
	char *count = shell_read(dir, "base.count", &n);

	assert_digest(dir, "two.sum", &image->sha256);
	assert_digest(dir, "config.sum", &image->config_digest);
	assert_int_equal(image->n_layers, 2);
	assert_digest(dir, "base.sum", &image->layers[0].diff_id);
	assert_digest(dir, "top.sum", &image->layers[1].diff_id);
	assert_true(image->layers[0].has_claim);
	assert_string_equal(image->layers[0].name, "base/layer.tar");
	assert_int_equal(image->layers[0].entries, atoi(count));
	assert_string_equal(image->format, "docker-archive");
	assert_int_equal(image->compression, COMPRESSION_NONE);
	assert_int_equal(image->n_repo_tags, 1);
	assert_string_equal(image->repo_tags[0], "n:latest");
	for (size_t i = 0; i < image->n_members; i++) {
		const struct member *m = &image->members[i];

		assert_int_equal(
			m->is_config, strcmp(m->name, "./config.json") == 0);
		assert_int_equal(m->is_manifest,
			strcmp(m->name, "./manifest.json") == 0);
		assert_int_equal(
			m->is_layer, strstr(m->name, "/layer.tar") != NULL);
		if (m->is_config)
			assert_digest(dir, "config.sum", &m->sha256);
		if (strcmp(m->name, "./top/layer.tar") == 0)
			assert_digest(dir, "top.sum", &m->sha256);
	}
}

static const struct tree_entry *
at(const struct image *image, const char *path)
{
	return tree_find(&image->tree, path);
}

static void
tree_is_what_docker_would_make(void **state)
{
	static const char *const gone[] = {
		"gone", "gone/deep", "gone/deep/f", "d/low", ".wh.gone"};
	CLEANUP(own_image)
	struct image *image = must_read(*state, "two.tar");
	struct digest new = digest_of("new!", 4);
	const struct tree_entry *entry;

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_null(at(image, gone[i]));
	assert_non_null(at(image, "d/high"));
	assert_int_equal(at(image, "d")->type, TREE_DIR);
	assert_int_equal(at(image, "")->type, TREE_DIR);
	entry = at(image, "etc/conf");
	assert_true(digest_eq(&entry->sha256, &new));
	assert_int_equal(entry->size, 4);
	assert_int_equal(entry->layer, 1);
	assert_int_equal(entry->mtime, 1);
	assert_int_equal(entry->mode, 0644);
	assert_string_equal(entry->uname, "root");
	entry = at(image, "bin");
	assert_int_equal(entry->type, TREE_LINK);
	assert_string_equal(entry->link, "/gnu/store/aaa-profile/bin");
	entry = tree_resolve(&image->tree, "bin/tool");
	assert_string_equal(entry->path, "gnu/store/aaa-profile/bin/tool");
	assert_int_equal(entry->mode, 0555);
	for (size_t i = 1; i < image->tree.n; i++)
		assert_true(strcmp(image->tree.v[i - 1].path,
				    image->tree.v[i].path) < 0);
}

static void
manifests_are_kept_and_no_other_file(void **state)
{
	static const char path[] = "gnu/store/aaa-profile/manifest";
	struct image_limits limits = image_limits_default;
	CLEANUP(own_image)
	struct image *image = must_read(*state, "two.tar");
	struct err e;

	assert_true(slice_is(at(image, path)->data, "(manifest one)"));
	for (size_t i = 0; i < image->tree.n; i++)
		if (strcmp(image->tree.v[i].path, path) != 0)
			assert_null(image->tree.v[i].data.p);
	assert_int_equal(image->n_items, 2);
	assert_string_equal(image->items[0].name, "aaa-profile");
	assert_string_equal(image->items[1].name, "bbb-sub");
	/* One byte too long is not kept; it is an entry like any other. */
	image_free(image);
	limits.kept_bytes = 14;
	image = try_read(*state, "two.tar", &limits, &e);
	assert_non_null(at(image, path)->data.p);
	image_free(image);
	limits.kept_bytes = 13;
	image = try_read(*state, "two.tar", &limits, &e);
	assert_null(at(image, path)->data.p);
	assert_int_equal(at(image, path)->size, 14);
}

static void
config_is_read_whatever_the_case_of_its_keys(void **state)
{
	const char *dir = *state;
	const char **words;

	run(dir,
		"cp -r one case; sed -i 's/env/Env/; s/entrypoint/Entrypoint/' "
		"case/config.json; rm -rf m; mv case m; pack case.tar; "
		"rm -rf m");
	for (int i = 0; i < 2; i++) {
		CLEANUP(own_image)
		struct image *image =
			must_read(dir, i ? "case.tar" : "one.tar");

		assert_int_equal(image_env(image, &words), 2);
		assert_string_equal(words[0], "A=b");
		assert_string_equal(words[1], "C=");
		assert_int_equal(image_entrypoint(image, &words), 2);
		assert_string_equal(words[0], "/bin/x");
		assert_string_equal(words[1], "y z");
		assert_string_equal(image_architecture(image), "amd64");
		assert_non_null(jdoc_get(image->config_doc, "rootfs"));
	}
}

static const struct packer {
	const char *command;
	enum compression is;
} packers[] = {
	{"cat", COMPRESSION_NONE},
	{"gzip -9n", COMPRESSION_GZIP},
	{"xz -e", COMPRESSION_XZ},
	{"zstd -q -3", COMPRESSION_ZSTD},
	{"bzip2 -9", COMPRESSION_BZIP2},
	{"lzip -9", COMPRESSION_LZIP},
};

/* Of the file, of its layers, and of a file in two pieces. */
static void
every_compression_gives_the_same_image(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *plain = must_read(dir, "two.tar");

	for (size_t i = 0; i < ARRAY_LEN(packers) * 3; i++) {
		const struct packer *p = &packers[i / 3];
		CLEANUP(own_image)
		struct image *image = NULL;
		char script[512];

		if (i % 3 == 0)
			snprintf(script, sizeof(script), "%s <two.tar >packed",
				p->command);
		else if (i % 3 == 1)
			snprintf(script, sizeof(script),
				"{ head -c 5000 two.tar | %s; "
				"tail -c +5001 two.tar | %s; } >packed",
				p->command, p->command);
		else
			snprintf(script, sizeof(script),
				"cp -r two m; for f in base top; do "
				"%s <two/$f/layer.tar >m/$f/layer.tar; done; "
				"pack packed; rm -r m",
				p->command);
		run(dir, script);
		assert_true(shell(dir, "sha256sum packed >packed.sum"));
		image = must_read(dir, "packed");
		assert_digest(dir, "packed.sum", &image->sha256);
		assert_int_equal(image->compression,
			i % 3 == 2 ? COMPRESSION_NONE : p->is);
		assert_int_equal(image->n_layers, plain->n_layers);
		for (size_t l = 0; l < image->n_layers; l++) {
			assert_true(digest_eq(&image->layers[l].diff_id,
				&plain->layers[l].diff_id));
			assert_true(digest_eq(&image->layers[l].order,
				&plain->layers[l].order));
			assert_int_equal(
				image->layers[l].size, plain->layers[l].size);
			assert_int_equal(image->layers[l].compression,
				i % 3 == 2 ? p->is : COMPRESSION_NONE);
		}
		assert_int_equal(image->tree.n, plain->tree.n);
	}
}

/* As others than `guix pack' write them; each is the same image. */
static void
members_may_be_in_any_order_and_form(void **state)
{
	static const char *const forms[] = {
		/* manifest first, config last, no "./" */
		"tar -C two -cf f.tar manifest.json top base config.json",
		/* guix pack --max-layers: named by digest */
		"cp -r two m; for f in base top; do "
		"h=$(cut -c1-64 $f.sum); mv m/$f m/sha256:$h; "
		"sed -i \"s/\\\"$f\\\\//\\\"sha256:$h\\\\//\" m/manifest.json; "
		"done; grep -q sha256: m/manifest.json; "
		"tar -C m -cf f.tar sha256:$(cut -c1-64 top.sum)/layer.tar "
		"sha256:$(cut -c1-64 base.sum)/layer.tar "
		"manifest.json config.json; rm -r m",
		/* docker save: all are blobs */
		"mkdir -p m/blobs/sha256; cp two/manifest.json m; "
		"for f in base top; do h=$(cut -c1-64 $f.sum); "
		"cp two/$f/layer.tar m/blobs/sha256/$h; "
		"sed -i \"s,$f/layer.tar,blobs/sha256/$h,\" m/manifest.json; "
		"done; h=$(cut -c1-64 config.sum); "
		"cp two/config.json m/blobs/sha256/$h; "
		"sed -i \"s,config.json,blobs/sha256/$h,\" m/manifest.json; "
		"echo '{\"imageLayoutVersion\": \"1.0.0\"}' >m/oci-layout; "
		"echo hello >m/note; pack f.tar; rm -r m",
		/* podman save: old names are links to new ones */
		("cp -r two m; for f in base top; do mv m/$f/layer.tar m/$f.tar; "
		 "ln -s ../$f.tar m/$f/layer.tar; done; pack f.tar; rm -r m"),
		/* the same as a hard link */
		"cp -r two m; ln m/base/layer.tar m/a; pack f.tar; rm -r m",
	};
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *plain = must_read(dir, "two.tar");

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		CLEANUP(own_image)
		struct image *image = NULL;

		run(dir, forms[i]);
		image = must_read(dir, "f.tar");
		assert_true(digest_eq(
			&image->config_digest, &plain->config_digest));
		assert_int_equal(image->n_layers, 2);
		for (size_t l = 0; l < 2; l++)
			assert_true(digest_eq(&image->layers[l].diff_id,
				&plain->layers[l].diff_id));
		assert_int_equal(image->tree.n, plain->tree.n);
	}
}

/* An empty layer, as `docker save' has it more than once: 1024 zeros. */
static void
empty_layers_are_layers(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = NULL;

	run(dir,
		"mkdir m; cp -r one/base m; mkdir m/e; "
		"head -c 1024 /dev/zero >m/e/layer.tar; parts e base e; "
		"mv m/e/layer.tar m/blob; rmdir m/e; "
		"sed -i 's,e/layer.tar,blob,; s,\"e/layer.tar,\"blob,' "
		"m/manifest.json; pack e.tar; rm -r m");
	image = must_read(dir, "e.tar");
	assert_int_equal(image->n_layers, 3);
	assert_int_equal(image->layers[0].entries, 0);
	assert_int_equal(image->layers[2].size, 1024);
	assert_non_null(at(image, "etc/conf"));
	assert_int_equal(at(image, "etc/conf")->layer, 1);
}

/* The same files in another order differ in diff_id and order alone. */
static void
order_of_members_is_told_apart(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *a = must_read(dir, "one.tar");
	CLEANUP(own_image)
	struct image *b = NULL;

	run(dir,
		"mkdir -p m/base; $TAR --no-recursion -C base "
		"-cf m/base/layer.tar $(cd base && find . | sort -r | grep -v "
		"'bin/[st]') ./gnu/store/aaa-profile/bin/same "
		"./gnu/store/aaa-profile/bin/tool; parts base; "
		"pack o.tar; rm -r m");
	b = must_read(dir, "o.tar");
	assert_false(digest_eq(&a->layers[0].diff_id, &b->layers[0].diff_id));
	assert_false(digest_eq(&a->layers[0].order, &b->layers[0].order));
	assert_int_equal(a->n_items, b->n_items);
	for (size_t i = 0; i < a->n_items; i++)
		assert_true(
			digest_eq(&a->items[i].digest, &b->items[i].digest));
	assert_int_equal(a->tree.n, b->tree.n);
}

static void
image_without_diff_ids_claims_nothing(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = NULL;

	run(dir, "cp -r one m; echo '{}' >m/config.json; pack c.tar; rm -r m");
	image = must_read(dir, "c.tar");
	assert_false(image->layers[0].has_claim);
	assert_string_equal(image_architecture(image), "");
}

/* ERR_POLICY, naming the limit, one below what the image has; fine at it. */
static void
check_limit(const char *dir, const char *file, const char *name,
	const struct image_limits *enough, const struct image_limits *less)
{
	struct err e;
	struct image *image = try_read(dir, file, enough, &e);

	if (!image)
		fail_msg("%s at the limit: %s", name, e.text);
	image_free(image);
	image = try_read(dir, file, less, &e);
	if (image || e.kind != ERR_POLICY || !strstr(e.text, name))
		fail_msg("%s below the limit: %s", name,
			image ? "read" : e.text);
}

#define CHECK_LIMIT(file, field, value)                                    \
	do {                                                               \
		struct image_limits enough_ = image_limits_default;        \
		struct image_limits less_ = image_limits_default;          \
		enough_.field = (value);                                   \
		less_.field = enough_.field - 1;                           \
		check_limit(*state, file, limits_row(LIMIT_##field)->name, \
			&enough_, &less_);                                 \
	} while (0)

enum {
	ZEROS = 80 << 20
};

static void
limits_hold_on_both_sides(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = must_read(dir, "two.tar");
	CLEANUP(own_image)
	struct image *big = NULL;
	struct image_limits high = image_limits_default;
	struct err e;
	uint64_t entries = 0, json = 0, config;

	for (size_t i = 0; i < image->n_layers; i++)
		entries += image->layers[i].entries;
	for (size_t i = 0; i < image->n_members; i++)
		if (strstr(image->members[i].name, ".json"))
			json += image->members[i].size;
	config = image->config.n;
	CHECK_LIMIT("two.tar", file_bytes, image->size);
	CHECK_LIMIT("two.tar", layers, 2);
	CHECK_LIMIT("two.tar", entries, (uint32_t)entries);
	CHECK_LIMIT("two.tar", members, (uint32_t)image->n_members);
	CHECK_LIMIT("two.tar", json_bytes, (uint32_t)config);
	/* The whole tar counts, once as a file and once as layers. */
	CHECK_LIMIT("two.tar", unpacked, image->size);
	CHECK_LIMIT("two.tar", kept_total, (uint32_t)json);
	/* ZEROS zeros in a layer, a thousand times smaller. */
	run(dir,
		"mkdir zeros; head -c 83886080 /dev/zero >zeros/z; layer zeros; "
		"parts zeros; pack - | gzip >z.tar.gz; rm -r m zeros");
	high.ratio = 10000;
	big = try_read(dir, "z.tar.gz", &high, &e);
	assert_non_null(big);
	/* The outer tar, the larger of the two, decides. */
	CHECK_LIMIT("z.tar.gz", ratio, (ZEROS + 4 * 10240) / big->size + 1);
}

static void
names_have_a_limit(void **state)
{
	struct image_limits limits = image_limits_default;
	struct err e;
	uint64_t low = 0, high = 1 << 20;

	/* Where it lies is the arena's business; that it holds is not. */
	while (high - low > 1) {
		struct image *image;

		limits.names = low + (high - low) / 2;
		image = try_read(*state, "two.tar", &limits, &e);
		if (image)
			high = limits.names;
		else
			low = limits.names;
		if (!image &&
			(e.kind != ERR_POLICY ||
				!strstr(e.text, "(limit names is")))
			fail_msg("%s", e.text);
		image_free(image);
	}
	assert_in_range(high, 500, 20000);
}

static void
contents_are_extracted_as_they_are(void **state)
{
	static const char *const paths[] = {
		"etc/conf",
		NULL,
		"gnu/store/aaa-profile/bin/same",
		"no/such",
		"etc",
		"gnu/store/aaa-profile/bin/tool",
		"etc/conf",
		"gnu/store/aaa-profile/manifest",
	};
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = must_read(dir, "two.tar");
	CLEANUP(own_free)
	char *to = NULL;
	struct err e = {0};

	run(dir, "mkdir x");
	to = xasprintf("%s/x", dir);
	if (image_extract(image, &image_limits_default, paths, ARRAY_LEN(paths),
		    13, to, &e) < 0)
		fail_msg("%s", e.text);
	/* 7 is one byte too long. */
	run(dir,
		"test \"$(ls x | tr '\\n' ' ')\" = '0 2 5 6 '; "
		"cmp x/0 top/etc/conf; cmp x/6 top/etc/conf; "
		"cmp x/2 base/gnu/store/aaa-profile/bin/tool; cmp x/2 x/5; "
		"test \"$(stat -c %a x/0)\" = 600");
	/* What is there already is not written over. */
	assert_int_equal(image_extract(image, &image_limits_default, paths, 1,
				 13, to, &e),
		-1);
	assert_int_equal(e.kind, ERR_HOST);
	run(dir, "rm -r x; mkdir x; ln -s /nowhere/at/all x/0");
	assert_int_equal(image_extract(image, &image_limits_default, paths, 1,
				 13, to, &e),
		-1);
	/* A file that another has taken the place of. */
	run(dir, "rm x/0; cp two.tar keep; cp one.tar two.tar");
	assert_int_equal(image_extract(image, &image_limits_default, paths, 1,
				 13, to, &e),
		-1);
	assert_non_null(strstr(e.text, "changed since"));
	run(dir, "mv keep two.tar; rm -r x");
}

static void
replaced_contents_are_not_extracted(void **state)
{
	static const char *const path[] = {"f", "g"};
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = NULL;
	CLEANUP(own_free)
	char *to = NULL;
	struct err e = {0};

	/* f twice in one layer; g a link to what f was at first. */
	run(dir,
		"mkdir twice m m/twice x; cd twice; printf 1st >f; ln f g; "
		"$TAR -cf ../m/twice/layer.tar f g; rm f g; printf 2nd >f; "
		"$TAR -rf ../m/twice/layer.tar f; cd ..; parts twice; "
		"pack t.tar; rm -r m twice");
	image = must_read(dir, "t.tar");
	to = xasprintf("%s/x", dir);
	if (image_extract(image, &image_limits_default, path, 2, 9, to, &e) < 0)
		fail_msg("%s", e.text);
	run(dir, "test \"$(cat x/0 x/1)\" = 2nd1st; rm -r x");
}

static void
json_says_what_was_read(void **state)
{
	const char *dir = *state;
	CLEANUP(own_image)
	struct image *image = must_read(dir, "two.tar");
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	const struct jdoc *told;
	char *text = NULL, hex[DIGEST_HEX + 1];
	CLEANUP(own_free)
	char *diff_id = NULL;
	struct err e = {0};
	struct jout j;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	jout_open(&j, f, -1);
	jout_begin(&j, NULL, '{');
	image_json(image, &j, "image");
	jout_end(&j, '}');
	assert_int_equal(jout_close(&j, &e), 0);
	fclose(f);
	doc = jdoc_parse((struct slice){text, n}, &e);
	assert_non_null(doc);
	told = jdoc_get(doc, "image");
	digest_hex(&image->sha256, hex);
	assert_true(slice_is(jdoc_str(jdoc_get(told, "sha256")), hex));
	assert_true(slice_is(jdoc_str(jdoc_get(told, "source")), image->path));
	assert_true(
		slice_is(jdoc_str(jdoc_get(told, "format")), "docker-archive"));
	assert_true(slice_is(jdoc_str(jdoc_get(told, "compression")), "none"));
	assert_int_equal(jdoc_int(jdoc_get(told, "size"), -1), image->size);
	assert_int_equal(
		jdoc_int(jdoc_get(told, "entries"), -1), image->tree.n);
	assert_int_equal(jdoc_len(jdoc_get(told, "layers")), 2);
	assert_int_equal(jdoc_len(jdoc_get(told, "items")), 2);
	digest_hex(&image->layers[1].diff_id, hex);
	diff_id = xasprintf("sha256:%s", hex);
	assert_true(slice_is(
		jdoc_str(jdoc_at(jdoc_get(told, "diff_ids"), 1)), diff_id));
	assert_true(slice_is(
		jdoc_str(jdoc_at(jdoc_get(told, "repo_tags"), 0)), "n:latest"));
	free(text);
}

static void
what_is_no_file_is_told(void **state)
{
	struct err e;

	assert_null(try_read(*state, "gone.tar", &image_limits_default, &e));
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_null(try_read(*state, "two", &image_limits_default, &e));
	assert_int_equal(e.kind, ERR_INPUT);
	run(*state, "mkfifo fifo");
	assert_null(try_read(*state, "fifo", &image_limits_default, &e));
	assert_int_equal(e.kind, ERR_INPUT);
}

/* Each of tests/hostile/archives fails as it says there. */
static void
hostile_archives_fail_as_told(void **state)
{
	const char *dir = *state;
	CLEANUP(own_free)
	char *here = getcwd(NULL, 0);
	CLEANUP(own_free)
	char *script = NULL;
	CLEANUP(own_free)
	char *rows = NULL;
	char *rest, *row;
	size_t n, count = 0;

	script = xasprintf(
		"mkdir hostile; '%s/tests/hostile/archives' hostile >rows",
		here);
	run(dir, script);
	rows = shell_read(dir, "rows", &n);
	for (rest = rows; (row = strsep(&rest, "\n")) && row[0]; count++) {
		const char *name = strsep(&row, " ");
		const char *kind = strsep(&row, " ");
		CLEANUP(own_free)
		char *file = NULL;
		CLEANUP(own_image)
		struct image *image = NULL;
		struct err e;
		enum err_kind is = strcmp(kind, "input") == 0 ? ERR_INPUT
			: strcmp(kind, "policy") == 0         ? ERR_POLICY
							      : ERR_NONE;

		file = xasprintf("hostile/%s.tar", name);
		image = try_read(dir, file, &image_limits_default, &e);
		if (e.kind != is || (is != ERR_NONE && !strstr(e.text, row)))
			fail_msg("%s: kind %d, '%s'", name, e.kind, e.text);
	}
	assert_true(count > 80);
}

/* An image of the samples: config.json and listing stand beside it. */
static void
check_sample(const char *dir, const char *file)
{
	CLEANUP(own_image)
	struct image *image = must_read(dir, file);
	CLEANUP(own_free)
	char *script = NULL;
	CLEANUP(own_free)
	char *to = shell_folder();
	CLEANUP(own_free)
	char *counts = NULL;
	CLEANUP(own_free)
	char *config = NULL;
	uint64_t entries = 0;
	size_t n;

	config = shell_read(dir, "config.json", &n);
	assert_true(slice_eq(image->config, (struct slice){config, n}));
	for (size_t i = 0; i < image->n_layers; i++) {
		char hex[DIGEST_HEX + 1];

		digest_hex(&image->layers[i].diff_id, hex);
		assert_non_null(strstr(config, hex));
		entries += image->layers[i].entries;
	}
	script = xasprintf(
		"grep -v '^==' listing | wc -l >%s/c; sha256sum '%s' >%s/s", to,
		file, to);
	assert_true(shell(dir, script));
	counts = shell_read(to, "c", &n);
	assert_int_equal(image->n_members + entries, atoi(counts));
	assert_digest(to, "s", &image->sha256);
	shell_drop(STEAL(to));
}

static void
samples_of_guix_pack_read_as_they_were_listed(void **state)
{
	const char *shared = getenv("UNBLEND_SHARED");
	CLEANUP(own_free)
	char *script = NULL;
	CLEANUP(own_free)
	char *list = NULL;
	char *rest, *row;
	size_t n, count = 0;

	if (!shared || !shared[0])
		skip();
	script = xasprintf(
		"find '%s'/samples/images -name '*.tar*' | sort >samples",
		shared);
	run(*state, script);
	list = shell_read(*state, "samples", &n);
	for (rest = list; (row = strsep(&rest, "\n")) && row[0]; count++) {
		char *slash = strrchr(row, '/');

		*slash = '\0';
		check_sample(row, slash + 1);
	}
	assert_true(count > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_sha256sum),
		cmocka_unit_test(tree_is_what_docker_would_make),
		cmocka_unit_test(manifests_are_kept_and_no_other_file),
		cmocka_unit_test(config_is_read_whatever_the_case_of_its_keys),
		cmocka_unit_test(every_compression_gives_the_same_image),
		cmocka_unit_test(members_may_be_in_any_order_and_form),
		cmocka_unit_test(empty_layers_are_layers),
		cmocka_unit_test(order_of_members_is_told_apart),
		cmocka_unit_test(image_without_diff_ids_claims_nothing),
		cmocka_unit_test(limits_hold_on_both_sides),
		cmocka_unit_test(names_have_a_limit),
		cmocka_unit_test(contents_are_extracted_as_they_are),
		cmocka_unit_test(replaced_contents_are_not_extracted),
		cmocka_unit_test(json_says_what_was_read),
		cmocka_unit_test(what_is_no_file_is_told),
		cmocka_unit_test(hostile_archives_fail_as_told),
		cmocka_unit_test(samples_of_guix_pack_read_as_they_were_listed),
	};

	return cmocka_run_group_tests_name("image", tests, make, drop);
}
