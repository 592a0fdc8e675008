/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What guix pack makes but docker archives: tar, SquashFS, deb, rpm, AppImage. */
#include <elf.h>
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
#include "base/path.h"
#include "image/image.h"
#include "shell.h"

/*
 * Shell functions: `list F' is what find(1) and sha256sum say of the folder F,
 * in the form of print_tree; `sq F OUT OPTION...', `deb F OUT OPTION...' pack
 * it, by mksquashfs and dpkg-deb.
 */
static const char functions[] =
	"list() { (cd $1; export LC_ALL=C; find . -printf '%P|%y|%04m|%Ts|%l|' "
	"\\( -type f -printf '%s\n' -o -printf '\n' \\) | "
	"sort -t'|' -k1,1; find . -type f -printf '%P\\0' | "
	"sort -z | xargs -0 sha256sum); }; "
	"sq() { f=$1 o=$2; shift 2; mksquashfs $f $o -noappend -quiet "
	"-no-progress -mkfs-time 1 -force-uid 0 -force-gid 0 \"$@\" >/dev/null; "
	"}; "
	"deb() { f=$1 o=$2; shift 2; SOURCE_DATE_EPOCH=1 dpkg-deb "
	"--root-owner-group \"$@\" -b $f $o >/dev/null; }; ";

static void
run(const char *dir, const char *script)
{
	CLEANUP(buf_fini)
	struct buf all = {0};

	buf_printf(&all, "%s%s", functions, script);
	if (!shell(dir, buf_text(&all)))
		fail_msg("script failed: %s", script);
}

static struct image *
try_read(const char *dir, const char *name, const struct image_limits *limits,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(dir, name);
	struct image *image = NULL;

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

static void
assert_fails(const char *dir, const char *name,
	const struct image_limits *limits, enum err_kind kind, const char *text)
{
	struct err e;
	CLEANUP(own_image)
	struct image *image = try_read(dir, name, limits, &e);

	if (image || e.kind != kind || !strstr(e.text, text))
		fail_msg("%s: kind %d, '%s', not '%s'", name, (int)e.kind,
			e.text, text);
}

static void
write_file(const char *dir, const char *name, const void *p, size_t n)
{
	CLEANUP(own_free)
	char *path = path_join(dir, name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* As `list' has it. */
static void
print_tree(const struct image *image, struct buf *out)
{
	static const char types[] = "dflcbp";
	const struct tree *t = &image->tree;

	for (size_t i = 0; i < t->n; i++) {
		const struct tree_entry *x = &t->v[i];

		buf_printf(out, "%s|%c|%04o|%lld|%s|", x->path, types[x->type],
			x->mode, (long long)x->mtime, x->link ? x->link : "");
		if (x->type == TREE_FILE)
			buf_printf(out, "%llu", (unsigned long long)x->size);
		buf_char(out, '\n');
	}
	for (size_t i = 0; i < t->n; i++) {
		char hex[DIGEST_HEX + 1];

		if (t->v[i].type != TREE_FILE)
			continue;
		digest_hex(&t->v[i].sha256, hex);
		buf_printf(out, "%s  %s\n", hex, t->v[i].path);
	}
}

/* The image's tree is that of a file that `list' wrote. */
static void
assert_tree(const char *dir, const char *name, const char *list)
{
	CLEANUP(own_image)
	struct image *image = must_read(dir, name);
	CLEANUP(buf_fini)
	struct buf is = {0};
	size_t n;
	CLEANUP(own_free)
	char *expected = shell_read(dir, list, &n);

	print_tree(image, &is);
	if (!slice_eq(buf_get(&is), (struct slice){expected, n})) {
		write_file(dir, "is", is.p, is.n);
		CLEANUP(own_free)
		char *script = xasprintf("diff %s is >&2 || :", list);

		run(dir, script);
		fail_msg("%s: another tree than %s", name, list);
	}
}

static int
make(void **state)
{
	char *dir = shell_folder();

	*state = dir;
	if (!dir)
		return -1;
	/* Sizes around the blocks of a SquashFS, holes, what a name can be. */
	run(dir,
		"i=gnu/store/aaa-profile; mkdir -p f/$i/bin f/gnu/store/bbb-x/d "
		"f/opt f/.wh.not f/empty; cd f; "
		"printf '(manifest (version 4))' >$i/manifest; "
		"printf '#!/bin/sh\\n' >$i/bin/tool; chmod 4555 $i/bin/tool; "
		"cd gnu/store/bbb-x; "
		": >none; printf x >one; seq 60000 | head -c 131072 >block; "
		"seq 60000 | head -c 131073 >more; seq 60000 >most; "
		"truncate -s 300000 hole; printf end >>hole; "
		"ln most same; ln -s ../aaa-profile/bin rel; ln -s /gnu/store abs; "
		"printf 1 >'a b'; printf 2 >\"$(printf '\\303\\251')\"; "
		"for i in $(seq 700); do printf $i >d/a-long-name-of-a-file-$i; "
		"done; mkfifo fifo; cd ../../..; "
		"ln -s ../gnu/store/aaa-profile/bin opt/bin; "
		"printf x >.wh.not/.wh.file; chmod 1777 empty; "
		"find . -exec touch -h -d @1 {} +; find . -type f -name one "
		"-exec touch -d @86400 {} +; cd ..; list f >list");
	return 0;
}

static int
drop(void **state)
{
	shell_drop(*state);
	return 0;
}

static void
tarballs_are_read_in_every_compression(void **state)
{
	static const char *const names[] = {"t.tar", "t.tar.gz", "t.tar.xz",
		"t.tar.zst", "t.tar.bz2", "t.tar.lz"};
	const char *dir = *state;

	run(dir,
		"tar --sort=name --owner=0 --group=0 -C f -cf t.tar .; "
		"gzip -9nk t.tar; xz -k t.tar; zstd -q t.tar; bzip2 -k t.tar; "
		"lzip -k t.tar; cp list keep");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(own_image)
		struct image *image = must_read(dir, names[i]);

		assert_tree(dir, names[i], "list");
		assert_string_equal(image->format, "tarball");
		assert_int_equal(image->compression,
			i == 0           ? COMPRESSION_NONE
				: i == 1 ? COMPRESSION_GZIP
				: i == 2 ? COMPRESSION_XZ
				: i == 3 ? COMPRESSION_ZSTD
				: i == 4 ? COMPRESSION_BZIP2
					 : COMPRESSION_LZIP);
		assert_int_equal(image->n_layers, 1);
		assert_int_equal(
			image->layers[0].compression, COMPRESSION_NONE);
		assert_null(image->config.p);
		assert_true(slice_is(tree_find(&image->tree,
					     "gnu/store/aaa-profile/manifest")
					     ->data,
			"(manifest (version 4))"));
	}
}

/* The digest of a whole SquashFS and of a tar, decompressed. */
static void
digests_are_those_of_sha256sum(void **state)
{
	const char *dir = *state;
	size_t n;

	run(dir,
		"tar -C f -cf s.tar .; gzip -k s.tar; sq f s.squashfs; "
		"{ sha256sum s.tar; sha256sum s.squashfs; } >sums");
	CLEANUP(own_free)
	char *sums = shell_read(dir, "sums", &n);
	CLEANUP(own_image)
	struct image *tar = must_read(dir, "s.tar.gz");
	CLEANUP(own_image)
	struct image *squashfs = must_read(dir, "s.squashfs");
	char hex[DIGEST_HEX + 1];

	digest_hex(&tar->layers[0].diff_id, hex);
	assert_memory_equal(hex, sums, DIGEST_HEX);
	digest_hex(&squashfs->sha256, hex);
	assert_memory_equal(hex, strchr(sums, '\n') + 1, DIGEST_HEX);
	assert_true(digest_eq(&squashfs->sha256, &squashfs->layers[0].diff_id));
}

static void
squashfs_is_read_however_it_was_made(void **state)
{
	static const char *const options[] = {"", "-comp xz", "-comp zstd",
		"-b 4096", "-b 1M", "-no-fragments", "-always-use-fragments",
		"-noI -noD -noF", "-no-exports -nopad", "-no-duplicates",
		"-comp xz -Xbcj x86", "-no-tailends"};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		CLEANUP(own_free)
		char *script =
			xasprintf("rm -f o.sq; sq f o.sq %s", options[i]);

		run(dir, script);
		assert_tree(dir, "o.sq", "list");
	}
}

static void
other_compressions_of_squashfs_are_named(void **state)
{
	run(*state, "sq f lz4.sq -comp lz4");
	assert_fails(*state, "lz4.sq", &image_limits_default, ERR_INPUT,
		"compressed with lz4, which guix pack does not use");
}

static void
names_of_one_file_are_read_once(void **state)
{
	const char *dir = *state;

	run(dir, "sq f h.sq");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "h.sq");
	const struct tree_entry *a =
		tree_find(&image->tree, "gnu/store/bbb-x/most");
	const struct tree_entry *b =
		tree_find(&image->tree, "gnu/store/bbb-x/same");

	assert_false(a->is_hard_link);
	assert_true(b->is_hard_link);
	assert_true(digest_eq(&a->sha256, &b->sha256));
}

static void
xattrs_of_squashfs_are_read(void **state)
{
	const char *dir = *state;

	/* sqfstar, like pax, takes them from a tar */
	run(dir,
		"mkdir -p x/gnu/store/aaa-x; printf x >x/gnu/store/aaa-x/f; "
		"tar --format=pax --pax-option='SCHILY.xattr.user.b:=v2,"
		"SCHILY.xattr.user.a:=v1' -C x -cf x.tar gnu/store/aaa-x/f; "
		"sqfstar -quiet -no-progress x.sq <x.tar >/dev/null");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "x.sq");
	const struct tree_entry *f =
		tree_find(&image->tree, "gnu/store/aaa-x/f");

	assert_string_equal(f->xattrs, "user.a=7631\nuser.b=7632\n");
}

static void
deb_is_read_with_its_control_archive(void **state)
{
	static const char *const packings[] = {"-Zgzip", "-Zxz", "-Znone"};
	static const enum compression compressions[] = {
		COMPRESSION_GZIP, COMPRESSION_XZ, COMPRESSION_NONE};
	const char *dir = *state;

	run(dir,
		"cp -a f g; mkdir -p g/DEBIAN; rm g/gnu/store/bbb-x/fifo; "
		"printf 'Package: x\\nVersion: 1\\nArchitecture: amd64\\n"
		"Maintainer: y\\nDescription: z\\n' >g/DEBIAN/control; "
		"printf '#!/bin/sh\\n' >g/DEBIAN/postinst; "
		"chmod 755 g/DEBIAN/postinst; find g -exec touch -h -d @1 {} +; "
		"(cp -a g h; rm -r h/DEBIAN; chmod 755 h; touch -d @1 h; "
		"list h >list.deb)");
	for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
		CLEANUP(own_free)
		char *script = xasprintf("deb g d.deb %s", packings[i]);
		CLEANUP(own_image)
		struct image *image = NULL;

		run(dir, script);
		assert_tree(dir, "d.deb", "list.deb");
		image = must_read(dir, "d.deb");
		assert_string_equal(image->format, "deb");
		assert_int_equal(image->compression, compressions[i]);
		assert_int_equal(image->n_members, 3);
		assert_true(
			slice_is(image_attribute(image, "debian-binary")->value,
				"2.0\n"));
		assert_true(slice_is(image_attribute(image, "postinst")->value,
			"#!/bin/sh\n"));
		assert_true(
			slice_is(image_attribute(image, "postinst mode")->value,
				"0755"));
		assert_null(image_attribute(image, "prerm"));
	}
	run(dir,
		"ar p d.deb control.tar | sha256sum >control.sum; "
		"ar p d.deb data.tar | sha256sum >data.sum");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "d.deb");
	char hex[DIGEST_HEX + 1];
	size_t n;
	CLEANUP(own_free)
	char *control = shell_read(dir, "control.sum", &n);
	CLEANUP(own_free)
	char *data = shell_read(dir, "data.sum", &n);

	digest_hex(&image->config_digest, hex);
	assert_memory_equal(hex, control, DIGEST_HEX);
	digest_hex(&image->layers[0].diff_id, hex);
	assert_memory_equal(hex, data, DIGEST_HEX);
}

/* An rpm in the making: tags, then what the payload is. */
struct rpm {
	struct buf index, store, payload;
	uint32_t n;
};

static void
put32(struct buf *b, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_char(b, (char)(n >> shift & 0xff));
}

static void
tag(struct rpm *r, uint32_t number, uint32_t type, uint32_t count,
	const void *p, size_t n)
{
	while (type == 4 && r->store.n % 4)
		buf_char(&r->store, 0);
	put32(&r->index, number);
	put32(&r->index, type);
	put32(&r->index, (uint32_t)r->store.n);
	put32(&r->index, count);
	buf_add(&r->store, p, n);
	r->n++;
}

static void
member(struct rpm *r, const char *name, uint32_t mode, const char *contents)
{
	size_t n = strlen(contents);

	/* inode, owner and time are those of whoever packed it */
	buf_printf(&r->payload,
		"070701%08X%08X%08X%08X%08X%08X%08zX%032X%08zX%08X%s", 77, mode,
		999, 998, 1, 12345, n, 0, strlen(name) + 1, 0, name);
	do
		buf_char(&r->payload, 0);
	while ((r->payload.n) % 4);
	buf_add(&r->payload, contents, n);
	while (r->payload.n % 4)
		buf_char(&r->payload, 0);
}

static void
put_header(struct buf *out, const struct buf *index, const struct buf *store,
	uint32_t n)
{
	buf_add(out, "\x8e\xad\xe8\x01\0\0\0\0", 8);
	put32(out, n);
	put32(out, (uint32_t)store->n);
	buf_slice(out, buf_get(index));
	buf_slice(out, buf_get(store));
}

static void
rpm_write(struct rpm *r, const char *dir, const char *name)
{
	static const char lead[96] = "\xed\xab\xee\xdb\3";
	struct buf out = {0}, none = {0};

	buf_add(&out, lead, sizeof(lead));
	put_header(&out, &none, &none, 0);
	put_header(&out, &r->index, &r->store, r->n);
	buf_slice(&out, buf_get(&r->payload));
	write_file(dir, name, out.p, out.n);
	buf_fini(&out);
	buf_fini(&r->index);
	buf_fini(&r->store);
	buf_fini(&r->payload);
	*r = (struct rpm){0};
}

/* Of /gnu/store/aaa-x: a folder, the file f, the link l; size is f's. */
static void
rpm_files(struct rpm *r, uint32_t size, uint32_t n)
{
	struct buf sizes = {0};

	tag(r, 1117, 8, n, "aaa-x\0f\0l\0", n == 3 ? 10 : 8);
	tag(r, 1118, 8, 2, "/gnu/store/\0/gnu/store/aaa-x/\0", 30);
	tag(r, 1116, 4, n, "\0\0\0\0\0\0\0\1\0\0\0\1", n * 4);
	tag(r, 1030, 3, n, "\x41\x6d\x81\x24\xa1\xff", n * 2);
	tag(r, 1036, 8, n, "\0\0f\0", n == 3 ? 4 : 2);
	tag(r, 1039, 8, n, "root\0root\0root\0", n * 5);
	tag(r, 1040, 8, n, "root\0root\0root\0", n * 5);
	put32(&sizes, 4096);
	put32(&sizes, size);
	put32(&sizes, 1);
	tag(r, 1028, 4, n, sizes.p, n * 4);
	buf_fini(&sizes);
}

static void
rpm_payload(struct rpm *r)
{
	member(r, "./gnu/store/aaa-x", 040700, "");
	member(r, "./gnu/store/aaa-x/f", 0100600, "hello");
	member(r, "./gnu/store/aaa-x/l", 0120777, "f");
}

static void
rpm_end(struct rpm *r)
{
	member(r, "TRAILER!!!", 0, "");
}

static void
rpm_is_read_as_rpm_installs_it(void **state)
{
	const char *dir = *state;
	struct rpm r = {0};

	tag(&r, 1022, 6, 1, "x86_64", 7);
	tag(&r, 1023, 6, 1, "echo hi", 8);
	tag(&r, 1125, 6, 1, "none", 5);
	rpm_files(&r, 5, 3);
	rpm_payload(&r);
	rpm_end(&r);
	rpm_write(&r, dir, "a.rpm");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "a.rpm");
	const struct tree_entry *f =
		tree_find(&image->tree, "gnu/store/aaa-x/f");
	struct digest hello = digest_of("hello", 5);

	assert_string_equal(image->format, "rpm");
	assert_int_equal(image->tree.n, 3);
	/* all from the header, but the contents */
	assert_int_equal(f->mode, 0444);
	assert_int_equal(f->uid, 0);
	assert_int_equal(f->mtime, 0);
	assert_string_equal(f->uname, "root");
	assert_true(digest_eq(&f->sha256, &hello));
	assert_string_equal(
		tree_find(&image->tree, "gnu/store/aaa-x/l")->link, "f");
	assert_true(slice_is(image_attribute(image, "arch")->value, "x86_64"));
	assert_true(
		slice_is(image_attribute(image, "prein")->value, "echo hi"));
	/* that follows from how the payload is packed */
	assert_null(image_attribute(image, "tag 1125"));
	assert_int_equal(image->n_attributes, 2);
}

static void
rpms_that_contradict_themselves_are_refused(void **state)
{
	const char *dir = *state;
	struct rpm r = {0};

	rpm_files(&r, 4, 3);
	rpm_payload(&r);
	rpm_end(&r);
	rpm_write(&r, dir, "size.rpm");
	assert_fails(dir, "size.rpm", &image_limits_default, ERR_INPUT,
		"has another type, size or target in the header");

	rpm_files(&r, 5, 2);
	rpm_payload(&r);
	rpm_end(&r);
	rpm_write(&r, dir, "more.rpm");
	assert_fails(dir, "more.rpm", &image_limits_default, ERR_INPUT,
		"'./gnu/store/aaa-x/l': is in the payload and not in the "
		"header");

	rpm_files(&r, 5, 3);
	rpm_payload(&r);
	rpm_write(&r, dir, "end.rpm");
	assert_fails(dir, "end.rpm", &image_limits_default, ERR_INPUT,
		"payload: truncated");

	rpm_files(&r, 5, 3);
	rpm_payload(&r);
	rpm_end(&r);
	buf_str(&r.payload, "more");
	rpm_write(&r, dir, "after.rpm");
	assert_fails(dir, "after.rpm", &image_limits_default, ERR_INPUT,
		"something after the trailer");

	rpm_files(&r, 5, 3);
	r.n++;
	put32(&r.index, 1000);
	put32(&r.index, 6);
	put32(&r.index, 1 << 20);
	put32(&r.index, 1);
	rpm_write(&r, dir, "far.rpm");
	assert_fails(dir, "far.rpm", &image_limits_default, ERR_INPUT,
		"bad type or place of tag 1000");

	tag(&r, 1117, 8, 1u << 30, "x", 2);
	rpm_write(&r, dir, "many.rpm");
	assert_fails(dir, "many.rpm", &image_limits_default, ERR_INPUT,
		"truncated strings of tag 1117");
}

static void
rpm_headers_have_limits(void **state)
{
	enum {
		ENTRIES_MAX = 4096
	};
	const char *dir = *state;
	struct image_limits limits = image_limits_default;
	struct rpm r = {0};

	for (int extra = 0; extra < 2; extra++) {
		rpm_files(&r, 5, 3);
		while (r.n < (uint32_t)(ENTRIES_MAX + extra))
			tag(&r, 1001, 6, 1, "", 1);
		rpm_payload(&r);
		rpm_end(&r);
		rpm_write(&r, dir, extra ? "over.rpm" : "full.rpm");
	}
	image_free(must_read(dir, "full.rpm"));
	assert_fails(dir, "over.rpm", &image_limits_default, ERR_POLICY,
		"rpm header of 4097 entries, allowed are 4096");

	rpm_files(&r, 5, 3);
	rpm_payload(&r);
	rpm_end(&r);
	limits.kept_total = (uint32_t)r.store.n;
	rpm_write(&r, dir, "a.rpm");
	CLEANUP(own_free)
	char *path = path_join(dir, "a.rpm");
	struct image *image = NULL;
	struct err e = {0};

	assert_int_equal(image_read(path, &limits, &image, &e), 0);
	image_free(image);
	limits.kept_total--;
	assert_fails(dir, "a.rpm", &limits, ERR_POLICY, "(limit kept-total is");
	limits = image_limits_default;
	limits.entries = 2;
	assert_fails(dir, "a.rpm", &limits, ERR_POLICY, "(limit entries is");
}

/* A program that is nothing but its header, then n bytes in all. */
static void
write_program(const char *dir, const char *name, size_t n)
{
	CLEANUP(own_free)
	char *bytes = xcalloc(1, n);
	Elf64_Ehdr h = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
		.e_shoff = n - 64,
		.e_shentsize = 64,
		.e_shnum = 1};

	memcpy(bytes, &h, sizeof(h));
	write_file(dir, name, bytes, n);
}

static void
appimage_is_a_file_system_behind_a_program(void **state)
{
	enum {
		RUNTIME_MAX = 64 << 20
	};
	const char *dir = *state;

	write_program(dir, "program", 12345);
	write_program(dir, "full", RUNTIME_MAX);
	write_program(dir, "over", RUNTIME_MAX + 1);
	run(dir,
		"sq f a.sq; cat program a.sq >a.AppImage; "
		"cat full a.sq >full.AppImage; cat over a.sq >over.AppImage; "
		"cat program t.tar >no.AppImage 2>/dev/null || cat program list "
		">no.AppImage");
	assert_tree(dir, "a.AppImage", "list");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "a.AppImage");
	CLEANUP(own_image)
	struct image *alone = must_read(dir, "a.sq");

	assert_string_equal(image->format, "appimage");
	assert_int_equal(image_attribute(image, "runtime")->size, 12345);
	assert_true(digest_eq(
		&image->layers[0].diff_id, &alone->layers[0].diff_id));
	image_free(must_read(dir, "full.AppImage"));
	assert_fails(dir, "over.AppImage", &image_limits_default, ERR_POLICY,
		"a program of 67108865 bytes before the file system");
	assert_fails(dir, "no.AppImage", &image_limits_default, ERR_INPUT,
		"no SquashFS behind it, at byte 12345");
	assert_fails(dir, "program", &image_limits_default, ERR_INPUT,
		"an ELF file with no SquashFS");
}

/* Every file comes out as it went in, from each format. */
static void
contents_are_extracted_as_they_are(void **state)
{
	static const char *const names[] = {
		"e.tar", "e.tar.xz", "e.sq", "e.deb", "e.AppImage"};
	static const char *const files[] = {"gnu/store/bbb-x/most",
		"gnu/store/bbb-x/none", NULL, "gnu/store/bbb-x/hole",
		"gnu/store/bbb-x/same", "gnu/store/bbb-x/d",
		"gnu/store/bbb-x/more", "gnu/store/bbb-x/one"};
	const char *dir = *state;

	write_program(dir, "program", 1000);
	run(dir,
		"tar -C f -cf e.tar .; xz -k e.tar; sq f e.sq; "
		"cat program e.sq >e.AppImage; rm -rf ed; cp -a f ed; "
		"rm ed/gnu/store/bbb-x/fifo; mkdir ed/DEBIAN; "
		"printf 'Package: x\\nVersion: 1\\nArchitecture: all\\n"
		"Maintainer: y\\nDescription: z\\n' >ed/DEBIAN/control; "
		"deb ed e.deb");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(own_image)
		struct image *image = must_read(dir, names[i]);
		CLEANUP(own_free)
		char *folder = path_join(dir, "out");
		struct err e = {0};

		run(dir, "rm -rf out; mkdir out");
		if (image_extract(image, &image_limits_default, files,
			    ARRAY_LEN(files), 1 << 20, folder, &e) < 0)
			fail_msg("%s: %s", names[i], e.text);
		run(dir,
			"s=f/gnu/store/bbb-x; cmp $s/most out/0; cmp $s/none out/1; "
			"[ ! -e out/2 ]; cmp $s/hole out/3; cmp $s/most out/4; "
			"[ ! -e out/5 ]; cmp $s/more out/6; cmp $s/one out/7");
		/* a cap leaves out what is larger */
		run(dir, "rm -rf out; mkdir out");
		assert_int_equal(
			image_extract(image, &image_limits_default, files,
				ARRAY_LEN(files), 1, folder, &e),
			0);
		run(dir, "[ \"$(ls out | tr '\\n' ' ')\" = '1 7 ' ]");
	}
}

static void
rpm_contents_are_extracted(void **state)
{
	const char *dir = *state, *file = "gnu/store/aaa-x/f";
	struct rpm r = {0};
	struct err e = {0};
	CLEANUP(own_free)
	char *folder = path_join(dir, "rpmout");

	rpm_files(&r, 5, 3);
	rpm_payload(&r);
	rpm_end(&r);
	rpm_write(&r, dir, "x.rpm");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "x.rpm");

	run(dir, "mkdir rpmout");
	assert_int_equal(image_extract(image, &image_limits_default, &file, 1,
				 1000, folder, &e),
		0);
	run(dir, "[ \"$(cat rpmout/0)\" = hello ]");
}

/* Truncated anywhere, none is read; most say so. */
static void
beginnings_of_an_image_are_none(void **state)
{
	static const char *const names[] = {
		"b.tar.gz", "b.sq", "b.deb", "b.rpm"};
	const char *dir = *state;
	struct rpm r = {0};

	rpm_files(&r, 5, 3);
	rpm_payload(&r);
	rpm_end(&r);
	rpm_write(&r, dir, "b.rpm");
	run(dir,
		"mkdir -p b/gnu/store/aaa-x; printf hello >b/gnu/store/aaa-x/f; "
		"tar -C b -cf b.tar .; gzip -k b.tar; sq b b.sq -nopad; "
		"mkdir b/DEBIAN; printf 'Package: x\\nVersion: 1\\n"
		"Architecture: all\\nMaintainer: y\\nDescription: z\\n' "
		">b/DEBIAN/control; deb b b.deb -Zgzip");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n;
		CLEANUP(own_free)
		char *all = shell_read(dir, names[i], &n);

		image_free(must_read(dir, names[i]));
		for (size_t part = 0; part < n; part += 1 + part / 37) {
			struct err e;

			write_file(dir, "part", all, part);
			if (try_read(dir, "part", &image_limits_default, &e))
				fail_msg("%s: its first %zu bytes are read",
					names[i], part);
			assert_int_equal(e.kind, ERR_INPUT);
		}
	}
}

/* Each byte of a small file system changed in turn: read or refused. */
static void
damaged_file_systems_are_refused_or_read(void **state)
{
	const char *dir = *state;
	size_t n, refused = 0;

	run(dir,
		"mkdir -p c/gnu/store/aaa-x; printf hello >c/gnu/store/aaa-x/f; "
		"ln -s f c/gnu/store/aaa-x/l; touch -d @1 c/gnu/store/aaa-x/f; "
		"sq c c.sq -nopad -noI -noD -noF -noId");
	CLEANUP(own_free)
	char *all = shell_read(dir, "c.sq", &n);

	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < 2; k++) {
			struct err e;
			struct image *image;
			char was = all[i];

			all[i] = (char)(k ? ~was : was + 1);
			write_file(dir, "damaged", all, n);
			all[i] = was;
			image = try_read(
				dir, "damaged", &image_limits_default, &e);
			refused += !image;
			if (!image && e.kind != ERR_INPUT &&
				e.kind != ERR_POLICY)
				fail_msg("byte %zu: %s", i, e.text);
			image_free(image);
		}
	}
	assert_true(refused > n / 4);
}

static void
what_follows_a_file_system_is_refused(void **state)
{
	run(*state,
		"sq f z.sq; cp z.sq zeros.sq; head -c 5000 /dev/zero >>zeros.sq; "
		"cp z.sq more.sq; printf x >>more.sq");
	assert_tree(*state, "zeros.sq", "list");
	assert_fails(*state, "more.sq", &image_limits_default, ERR_INPUT,
		"something follows the end of the file system");
}

static void
debs_of_other_members_are_refused(void **state)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{"ar qc $o d/debian-binary d/control.tar.gz",
			"it has 2 of its 3 members"},
		{"ar qc $o d/debian-binary d/data.tar.gz d/control.tar.gz",
			"its member 2 is 'data.tar.gz', not control.tar"},
		{"ar qc $o d/control.tar.gz d/data.tar.gz",
			"its member 1 is 'control.tar.gz', not debian-binary"},
		{"ar qc $o d/debian-binary d/control.tar.gz d/data.tar.gz d/x",
			"its member 4 is 'x'"},
		{"printf '!<arch>\\n' >$o", "it has 0 of its 3 members"},
		{"cp w.deb $o; printf 'x%59s' '' >>$o",
			"bad header in the ar archive at byte"},
		{"cp w.deb $o; printf x >>$o", "truncated: it ends at byte"},
		{"mkdir l; ln -s x l/control; tar -C l -czf d/control.tar.gz .; "
		 "ar qc $o d/debian-binary d/control.tar.gz d/data.tar.gz",
			"'./control': is no regular file"},
	};
	const char *dir = *state;

	run(dir,
		"mkdir -p w/DEBIAN w/gnu/store/aaa-x; printf 'Package: x\\n"
		"Version: 1\\nArchitecture: all\\nMaintainer: y\\n"
		"Description: z\\n' >w/DEBIAN/control; deb w w.deb -Zgzip; "
		"mkdir d; cd d; ar x ../w.deb; printf x >x");
	image_free(must_read(dir, "w.deb"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(own_free)
		char *script = xasprintf(
			"rm -f bad.deb; o=bad.deb; %s", rows[i].script);

		run(dir, script);
		assert_fails(dir, "bad.deb", &image_limits_default, ERR_INPUT,
			rows[i].text);
	}
}

static void
control_archives_have_limits(void **state)
{
	const char *dir = *state;
	struct image_limits limits = image_limits_default;

	run(dir,
		"mkdir -p k/gnu/store/aaa-x m d2; tar -C k -cf d2/data.tar .; "
		"printf '2.0\\n' >d2/debian-binary; for i in $(seq 256); do "
		"printf x >m/$i; done; head -c 5000 /dev/zero >m/1; "
		"tar -C m -cf d2/control.tar .; (cd d2; ar qc ../full.deb "
		"debian-binary control.tar data.tar); printf x >m/257; "
		"tar -C m -cf d2/control.tar .; (cd d2; ar qc ../over.deb "
		"debian-binary control.tar data.tar)");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "full.deb");

	/* what is kept of a value is not all that counts */
	assert_int_equal(image_attribute(image, "1")->size, 5000);
	assert_int_equal(image_attribute(image, "1")->value.n, 4096);
	assert_fails(dir, "over.deb", &image_limits_default, ERR_POLICY,
		"more than 256 files in the control archive");
	limits.json_bytes = 5000;
	CLEANUP(own_free)
	char *path = path_join(dir, "full.deb");
	struct image *again = NULL;
	struct err e = {0};

	assert_int_equal(image_read(path, &limits, &again, &e), 0);
	image_free(again);
	limits.json_bytes = 4999;
	assert_fails(dir, "full.deb", &limits, ERR_POLICY,
		"'1' is larger (limit json-bytes is 4999");
}

static void
limits_hold_on_both_sides(void **state)
{
	static const char *const names[] = {"l.tar", "l.sq"};
	const char *dir = *state;

	run(dir,
		"mkdir -p l1/gnu/store/aaa-x; "
		"head -c 400000 /dev/zero >l1/gnu/store/aaa-x/f; "
		"tar -C l1 -cf l.tar .; sq l1 l.sq -no-fragments -no-xattrs");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct image_limits limits = image_limits_default;
		CLEANUP(own_free)
		char *path = path_join(dir, names[i]);
		struct image *image = NULL;
		struct err e = {0};

		/* the root, gnu, store, aaa-x, f */
		limits.entries = 5;
		assert_int_equal(image_read(path, &limits, &image, &e), 0);
		limits.file_bytes = image->size;
		image_free(STEAL(image));
		assert_int_equal(image_read(path, &limits, &image, &e), 0);
		image_free(STEAL(image));
		limits.file_bytes--;
		assert_fails(dir, names[i], &limits, ERR_POLICY,
			"(limit file-bytes is");
		limits = image_limits_default;
		limits.entries = 4;
		assert_fails(dir, names[i], &limits, ERR_POLICY,
			"(limit entries is");
		limits = image_limits_default;
		limits.unpacked = 400000;
		assert_fails(dir, names[i], &limits, ERR_POLICY,
			"(limit unpacked is");
		limits.unpacked = 600000;
		assert_int_equal(image_read(path, &limits, &image, &e), 0);
		image_free(STEAL(image));
		limits = image_limits_default;
		limits.names = 10;
		assert_fails(
			dir, names[i], &limits, ERR_POLICY, "(limit names is");
	}
}

static void
archives_without_a_store_are_no_tarball(void **state)
{
	run(*state,
		"mkdir -p n/etc n/gnu-store; printf x >n/etc/f; "
		"tar -C n -cf n.tar .; mkdir -p n2/gnu/storeroom; "
		"printf x >n2/gnu/storeroom/f; tar -C n2 -cf n2.tar .");
	assert_fails(*state, "n.tar", &image_limits_default, ERR_INPUT,
		"it has no manifest.json");
	assert_fails(*state, "n2.tar", &image_limits_default, ERR_INPUT,
		"it has no manifest.json");
}

static void
machine_is_that_of_most_programs_in_the_store(void **state)
{
	const char *dir = *state;
	Elf64_Ehdr h = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
		.e_machine = EM_AARCH64};

	run(dir, "mkdir -p p/gnu/store/aaa-x p/bin");
	write_file(dir, "p/gnu/store/aaa-x/a", &h, sizeof(h));
	write_file(dir, "p/gnu/store/aaa-x/b", &h, sizeof(h));
	h.e_machine = EM_X86_64;
	write_file(dir, "p/gnu/store/aaa-x/0", &h, sizeof(h));
	write_file(dir, "p/bin/c", &h, sizeof(h));
	write_file(dir, "p/bin/d", &h, sizeof(h));
	run(dir, "tar -C p -cf p.tar .");
	CLEANUP(own_image)
	struct image *image = must_read(dir, "p.tar");

	assert_int_equal(image->machine.code, EM_AARCH64);
	assert_true(image->machine.is_64);
	assert_false(image->machine.is_big_endian);
}

/* Those of guix pack, from a folder that UNBLEND_SHARED names, against what
 * other programs list: paths, and targets of links. */
static void
samples_of_other_formats_read_as_they_are_listed(void **state)
{
	static const char names[] =
		"find %s/samples -name '*tarball-pack*' -o -name '*.squashfs' "
		"-o -name '*.rpm' -o -name '*.deb' | sort >names";
	const char *shared = getenv("UNBLEND_SHARED");
	const char *dir = *state;
	char *rest, *row;
	size_t n, count = 0;

	if (!shared || !shared[0])
		skip();
	CLEANUP(own_free)
	char *script = xasprintf(names, shared);

	run(dir, script);
	CLEANUP(own_free)
	char *list = shell_read(dir, "names", &n);

	for (rest = list; (row = strsep(&rest, "\n")) && row[0]; count++) {
		CLEANUP(own_image)
		struct image *image = must_read("", row);
		CLEANUP(buf_fini)
		struct buf is = {0};
		CLEANUP(own_free)
		char *what = NULL;

		for (size_t i = 0; i < image->tree.n; i++) {
			const struct tree_entry *x = &image->tree.v[i];

			buf_printf(&is, "%s%s%s\n", x->path,
				x->link ? " -> " : "", x->link ? x->link : "");
		}
		write_file(dir, "is", is.p, is.n);
		what = xasprintf(
			"i=%s; case $i in "
			"*.squashfs) unsquashfs -lls $i | "
			"sed -n 's/.* squashfs-root//p';; "
			"*.rpm) command -v cpio >/dev/null || exit 0; "
			"rpm2cpio $i | cpio -itv 2>/dev/null | "
			"sed 's,.* \\./,/,; s,.* \\(/.* -> \\),\\1,';; "
			"*) tar -tvf $i | sed 's,.* \\./,/,; s,/$,,';; esac | "
			"sed 's,^/,,' | LC_ALL=C sort >listed; "
			"LC_ALL=C sort is | diff listed - >&2",
			row);
		run(dir, what);
	}
	assert_true(count >= 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tarballs_are_read_in_every_compression),
		cmocka_unit_test(digests_are_those_of_sha256sum),
		cmocka_unit_test(squashfs_is_read_however_it_was_made),
		cmocka_unit_test(other_compressions_of_squashfs_are_named),
		cmocka_unit_test(names_of_one_file_are_read_once),
		cmocka_unit_test(xattrs_of_squashfs_are_read),
		cmocka_unit_test(deb_is_read_with_its_control_archive),
		cmocka_unit_test(rpm_is_read_as_rpm_installs_it),
		cmocka_unit_test(rpms_that_contradict_themselves_are_refused),
		cmocka_unit_test(rpm_headers_have_limits),
		cmocka_unit_test(appimage_is_a_file_system_behind_a_program),
		cmocka_unit_test(contents_are_extracted_as_they_are),
		cmocka_unit_test(rpm_contents_are_extracted),
		cmocka_unit_test(beginnings_of_an_image_are_none),
		cmocka_unit_test(damaged_file_systems_are_refused_or_read),
		cmocka_unit_test(what_follows_a_file_system_is_refused),
		cmocka_unit_test(debs_of_other_members_are_refused),
		cmocka_unit_test(control_archives_have_limits),
		cmocka_unit_test(limits_hold_on_both_sides),
		cmocka_unit_test(archives_without_a_store_are_no_tarball),
		cmocka_unit_test(machine_is_that_of_most_programs_in_the_store),
		cmocka_unit_test(
			samples_of_other_formats_read_as_they_are_listed),
	};

	return cmocka_run_group_tests_name("formats", tests, make, drop);
}
