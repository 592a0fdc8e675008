/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compare/compare.h"
#include "compare_sample.h"

/* What another rebuild looks like, and what is said of it. */
struct row {
	const char *fact;
	void (*change)(struct sample *rebuilt);
	enum verdict verdict;
	const char *forgiven, *differences;
};

static void
nothing(struct sample *b)
{
	b->image.sha256 = sample_digest("image");
}

static void
compressor(struct sample *b)
{
	(void)b;
}

static void
other_compression(struct sample *b)
{
	b->image.compression = COMPRESSION_ZSTD;
}

static void
tags(struct sample *b)
{
	b->tags[1] = b->tags[0];
	b->tags[0] = "another:1";
	b->image.n_repo_tags = 2;
}

static void
member_order(struct sample *b)
{
	struct member first = b->members[0];

	b->members[0] = b->members[3];
	b->members[3] = first;
}

static void
member_set(struct sample *b)
{
	b->members[0] = b->members[--b->image.n_members];
	sample_member(b, "extra", "");
	b->members[1].name = "./x/json";
}

static void
member_names(struct sample *b)
{
	b->members[2].name = "y/layer.tar";
}

static void
member_contents(struct sample *b)
{
	b->members[4].sha256 = sample_digest("[ ]");
}

static void
layer_compression(struct sample *b)
{
	b->layers[0].compression = COMPRESSION_GZIP;
	b->members[2].sha256 = sample_digest("packed");
}

static void
layer_order(struct sample *b)
{
	b->layers[0].diff_id = sample_digest("LAYER");
	b->layers[0].order = sample_digest("ORDER");
}

static void
layer_form(struct sample *b)
{
	b->layers[0].diff_id = sample_digest("LAYER");
}

static void
hard_link(struct sample *b)
{
	layer_order(b);
	sample_at(b, HELLO "/other")->is_hard_link = true;
}

static void
layer_split(struct sample *b)
{
	layer_order(b);
	b->image.n_layers = 3;
	sample_at(b, HELLO "/hello")->layer = 1;
	sample_at(b, HELLO "/other")->layer = 1;
	sample_at(b, "bin")->layer = 2;
}

static void
config_form(struct sample *b)
{
	b->image.config = slice_of("{ }");
}

static void
one_byte(struct sample *b)
{
	layer_order(b);
	sample_at(b, HELLO "/hello")->sha256 = sample_digest("hello, World");
}

static void
longer(struct sample *b)
{
	one_byte(b);
	sample_at(b, HELLO "/hello")->size++;
}

static void
metadata_in_store(struct sample *b)
{
	struct tree_entry *t = sample_at(b, HELLO);

	layer_order(b);
	t->mode = 0755;
	t->uid = 7;
	t->mtime = 2;
	t->mtime_ns = 5;
	t->xattrs = "user.a=00\n";
}

static void
fraction_of_a_second(struct sample *b)
{
	sample_at(b, HELLO)->mtime_ns = 120;
}

static void
moved_to_the_other_layer(struct sample *b)
{
	layer_order(b);
	sample_at(b, "bin")->layer = 1;
}

static void
owner_name(struct sample *b)
{
	sample_at(b, HELLO)->gname = "a\n";
}

static void
link_target(struct sample *b)
{
	sample_at(b, PROFILE "/bin")->link = "/\x1b";
}

static void
file_in_item(struct sample *b)
{
	sample_remove(b, HELLO "/other");
	sample_file(b, HELLO "/another", "1");
}

static void
file_outside(struct sample *b)
{
	sample_file(b, "etc/added", "123");
	sample_remove(b, "bin");
}

static void
device(struct sample *b)
{
	sample_at(b, "dev/null")->dev_major = 1;
}

static void
type(struct sample *b)
{
	struct tree_entry *t = sample_at(b, "etc/motd");

	t->type = TREE_DIR;
	t->mode = 0;
}

/* "2222-profile-1" sorts between "2222-profile" and what is below it. */
static void
items(struct sample *b)
{
	sample_remove(b, HELLO);
	sample_remove(b, HELLO "/hello");
	sample_remove(b, HELLO "/other");
	sample_add(b, TREE_DIR, "gnu/store/1112-hello-1.0");
	sample_file(b, "gnu/store/1112-hello-1.0/hello", "hello, world");
	sample_file(b, "gnu/store/1112-hello-1.00", "1");
	sample_file(b, PROFILE "-1", "a file");
	sample_file(b, "gnu/store/3333-bare/file", "no entry of its own");
}

/* The item is there on both sides, if only by what is below it. */
static void
item_without_entry(struct sample *b)
{
	sample_remove(b, HELLO);
}

static void
config_meaning(struct sample *b)
{
	b->image.config_doc =
		jdoc_parse(slice_of("{\"os\": \"linux\"}"), &(struct err){0});
	b->image.config = slice_of("{\"os\": \"linux\"}");
}

#define ORDER "layer member order 1\n"

static const struct row rows[] = {
	{"equal bytes are identical", nothing, VERDICT_IDENTICAL, "", ""},
	{"other bytes of all known equal are named", compressor,
		VERDICT_SAME_IMAGE,
		"compressor output or outer tar headers 1\n", ""},
	{"outer compression", other_compression, VERDICT_SAME_IMAGE,
		"outer compression 1\n", ""},
	{"tags of one side", tags, VERDICT_SAME_IMAGE, "tags 1\n", ""},
	{"members at another place", member_order, VERDICT_SAME_IMAGE,
		"member order 2\n", ""},
	{"legacy members", member_set, VERDICT_SAME_IMAGE,
		"member set 2\nmember names 1\nmember order 5\n", ""},
	{"layers under other names", member_names, VERDICT_SAME_IMAGE,
		"member names 1\n", ""},
	{"manifest written otherwise", member_contents, VERDICT_SAME_IMAGE,
		"member contents 1\n", ""},
	{"layer packed otherwise", layer_compression, VERDICT_SAME_IMAGE,
		"layer compression 1\n", ""},
	{"layer in another order", layer_order, VERDICT_SAME_CONTENTS, ORDER,
		""},
	{"layer of other headers", layer_form, VERDICT_SAME_CONTENTS,
		"layer tar form 1\n", ""},
	{"hard link as a copy", hard_link, VERDICT_SAME_CONTENTS,
		ORDER "hard-link form 1\n", ""},
	{"one layer as three", layer_split, VERDICT_SAME_CONTENTS,
		"number of layers 2\nsplit into layers 3\n", ""},
	{"a path in another layer", moved_to_the_other_layer,
		VERDICT_SAME_CONTENTS, "split into layers 1\n", ""},
	{"config written otherwise", config_form, VERDICT_SAME_IMAGE,
		"config form 1\n", ""},
	{"a byte of a store item", one_byte, VERDICT_SAME_INPUTS, "",
		HELLO "/hello contents 12 bytes each, not the same bytes "
		      "{hello@1.0}\n"},
	{"size of a file of a store item", longer, VERDICT_SAME_INPUTS, "",
		HELLO "/hello size 12 bytes, rebuilt 13 bytes {hello@1.0}\n"},
	{"metadata of a store item", metadata_in_store, VERDICT_SAME_INPUTS, "",
		HELLO " mode mode 0555, rebuilt 0755 {hello@1.0}\n" HELLO
		      " owner owner 0:0 (\"root\":\"root\"), rebuilt 7:0 "
		      "(\"root\":\"root\") {hello@1.0}\n" HELLO
		      " mtime mtime 1, rebuilt 2.000000005 {hello@1.0}\n" HELLO
		      " xattrs xattrs \"\", rebuilt \"user.a=00#x0A\" "
		      "{hello@1.0}\n"},
	{"nanoseconds alone", fraction_of_a_second, VERDICT_SAME_INPUTS, "",
		HELLO " mtime mtime 1, rebuilt 1.000000120 {hello@1.0}\n"},
	{"the name of the owner alone", owner_name, VERDICT_SAME_INPUTS, "",
		HELLO " owner owner 0:0 (\"root\":\"root\"), rebuilt 0:0 "
		      "(\"root\":\"a#x0A\") {hello@1.0}\n"},
	{"link target, cleaned", link_target, VERDICT_SAME_INPUTS, "",
		PROFILE "/bin link link to \"/" HELLO
			"\", rebuilt to \"/#x1B\"\n"},
	{"files of an item that both have", file_in_item, VERDICT_SAME_INPUTS,
		"",
		HELLO "/another only-in-rebuild file of 1 byte "
		      "{hello@1.0}\n" HELLO
		      "/other only-in-image file of 12 bytes {hello@1.0}\n"},
	{"files outside the store", file_outside, VERDICT_DIFFERENT, "",
		"bin only-in-image symbolic link to \"/" PROFILE "/bin\"\n"
		"etc/added only-in-rebuild file of 3 bytes\n"},
	{"device", device, VERDICT_DIFFERENT, "",
		"dev/null device device 0:3, rebuilt 1:3\n"},
	{"type alone is said where it differs", type, VERDICT_DIFFERENT, "",
		"etc/motd type file, rebuilt directory\n"},
	{"a store item is one difference", items, VERDICT_DIFFERENT, "",
		HELLO " store-item-missing directory, 2 paths below it "
		      "{hello@1.0}\n"
		      "gnu/store/1112-hello-1.0 store-item-extra directory, "
		      "1 path below it\n"
		      "gnu/store/1112-hello-1.00 store-item-extra file, "
		      "0 paths below it\n" PROFILE
		      "-1 store-item-extra file, 0 paths below it\n"
		      "gnu/store/3333-bare/file store-item-extra directory, "
		      "1 path below it\n"},
	{"an item is there by its files", item_without_entry,
		VERDICT_SAME_INPUTS, "",
		HELLO " only-in-image directory {hello@1.0}\n"},
	{"config's meaning", config_meaning, VERDICT_DIFFERENT, "",
		" config absent in the image, {\"os\": \"linux\"} in the "
		"rebuild\n"},
};

static const struct package hello = {
	.name = "hello",
	.version = "1.0",
	.output = "out",
	.store_path = "/" HELLO,
};
static const struct package *const manifest[] = {&hello};
static const struct provenance provenance = {
	.packages = manifest,
	.n_packages = 1,
};

static void
row_holds(const struct row *row, bool is_swapped)
{
	CLEANUP(buf_fini)
	struct buf lines = {0};
	CLEANUP(buf_fini)
	struct buf forgiven = {0};
	struct sample a, b;
	struct comparison c;
	struct err e;
	const struct image *x, *y;

	sample_init(&a, "image");
	sample_init(&b, "rebuilt");
	row->change(&b);
	x = sample_done(is_swapped ? &b : &a);
	y = sample_done(is_swapped ? &a : &b);
	assert_int_equal(compare_images(x, y, &provenance, NULL, &c, &e), 0);
	if (c.verdict != row->verdict)
		fail_msg("%s: %s", row->fact, verdict_name(c.verdict));
	sample_forgiven(&c, &forgiven);
	sample_lines(&c, &lines);
	if (strcmp(buf_text(&forgiven), row->forgiven) != 0)
		fail_msg("%s: forgives\n%s", row->fact, buf_text(&forgiven));
	if (!is_swapped && strcmp(buf_text(&lines), row->differences) != 0)
		fail_msg("%s:\n%s", row->fact, buf_text(&lines));
	assert_int_equal(c.total, c.n_differences);
	for (size_t i = 0; i < c.n_differences; i++)
		assert_int_equal(c.differences[i].offset, -1);
	comparison_fini(&c);
	jdoc_free(b.image.config_doc);
}

static void
each_change_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		row_holds(&rows[i], false);
}

static void
verdict_does_not_depend_on_the_side(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		row_holds(&rows[i], true);
}

static void
uncompressed_files_differ_in_the_envelope(void **state)
{
	CLEANUP(buf_fini)
	struct buf forgiven = {0};
	struct sample a, b;
	struct comparison c;
	struct err e;

	(void)state;
	sample_init(&a, "image");
	sample_init(&b, "rebuilt");
	a.image.compression = b.image.compression = COMPRESSION_NONE;
	assert_int_equal(compare_images(sample_done(&a), sample_done(&b), NULL,
				 NULL, &c, &e),
		0);
	sample_forgiven(&c, &forgiven);
	assert_string_equal(buf_text(&forgiven), "envelope bytes 1\n");
	assert_int_equal(c.verdict, VERDICT_SAME_IMAGE);
	comparison_fini(&c);
}

/* "dir" is the first path below it, and not all of it. */
static void
item_without_entry_is_listed_whole(void **state)
{
	struct sample a, b;
	struct comparison c;
	struct err e;

	(void)state;
	sample_init(&a, "image");
	sample_init(&b, "rebuilt");
	sample_add(&b, TREE_DIR, "gnu/store/3333-bare/dir");
	sample_file(&b, "gnu/store/3333-bare/dir/file", "1");
	sample_file(&b, "gnu/store/3333-bare/other", "22");
	assert_int_equal(compare_images(sample_done(&a), sample_done(&b), NULL,
				 NULL, &c, &e),
		0);
	assert_int_equal(c.n_differences, 1);
	assert_string_equal(c.differences[0].kind, "store-item-extra");
	assert_true(slice_is(
		c.differences[0].rebuilt_part, "dir/\ndir/file 1\nother 2\n"));
	comparison_fini(&c);
}

/* One is named twice in the manifest, one is nested, one has no difference. */
static void
packages_come_once_in_the_order_of_the_manifest(void **state)
{
	const struct package nested = {.name = "n",
		.version = "1",
		.output = "lib",
		.store_path = "/" PROFILE};
	const struct package *const below[] = {&nested};
	const struct package first = {.name = "f",
		.version = "2",
		.output = "out",
		.store_path = "/gnu/store/9999-f",
		.propagated = below,
		.n_propagated = 1};
	const struct package *const all[] = {&hello, &hello, &first};
	const struct provenance p = {.packages = all, .n_packages = 3};
	struct sample a, b;
	struct comparison c;
	struct err e;

	(void)state;
	sample_init(&a, "image");
	sample_init(&b, "rebuilt");
	one_byte(&b);
	link_target(&b);
	assert_int_equal(compare_images(sample_done(&a), sample_done(&b), &p,
				 NULL, &c, &e),
		0);
	assert_int_equal(c.n_packages, 2);
	assert_string_equal(c.packages[0], "hello@1.0");
	assert_string_equal(c.packages[1], "n@1:lib");
	assert_string_equal(c.differences[1].store_item, "2222-profile");
	comparison_fini(&c);
}

/* n files whose mode differs, with names of length bytes. */
static void
many(size_t n, size_t length, struct comparison *c)
{
	CLEANUP(own_free)
	struct tree_entry *v = xcalloc(2 * n, sizeof(*v));
	CLEANUP(own_free)
	char *names = xcalloc(n, length + 1);
	struct sample a, b;
	struct err e;

	sample_init(&a, "image");
	sample_init(&b, "rebuilt");
	for (size_t i = 0; i < n; i++) {
		char *name = names + i * (length + 1);

		memset(name, 'x', length);
		(void)snprintf(name, length + 1, "%08zu", i);
		name[8] = length > 8 ? 'x' : '\0';
		v[i] = *sample_at(&a, "etc/motd");
		v[i].path = name;
		v[n + i] = v[i];
		v[n + i].mode ^= 1;
	}
	a.image.tree = (struct tree){v, n};
	b.image.tree = (struct tree){v + n, n};
	assert_int_equal(
		compare_images(&a.image, &b.image, NULL, NULL, c, &e), 0);
}

static void
differences_beyond_the_number_kept_are_counted(void **state)
{
	struct comparison c;

	(void)state;
	many(COMPARE_DIFFERENCES_MAX, 8, &c);
	assert_int_equal(c.n_differences, COMPARE_DIFFERENCES_MAX);
	assert_int_equal(c.total, COMPARE_DIFFERENCES_MAX);
	comparison_fini(&c);
	many(COMPARE_DIFFERENCES_MAX + 1, 8, &c);
	assert_int_equal(c.n_differences, COMPARE_DIFFERENCES_MAX);
	assert_int_equal(c.total, COMPARE_DIFFERENCES_MAX + 1);
	comparison_fini(&c);
}

static void
long_paths_fill_the_text_before_the_number(void **state)
{
	enum {
		LENGTH = 4000,
		FIT = COMPARE_TEXT_MAX / LENGTH
	};
	struct comparison c;

	(void)state;
	many(FIT - 20, LENGTH, &c);
	assert_int_equal(c.n_differences, FIT - 20);
	comparison_fini(&c);
	many(FIT + 20, LENGTH, &c);
	assert_true(c.n_differences < FIT);
	assert_true(c.arena.total < COMPARE_TEXT_MAX + 2 * LENGTH);
	assert_int_equal(c.total, FIT + 20);
	comparison_fini(&c);
}

static void
printed(const struct comparison *c, size_t max, bool is_json, char *out,
	size_t size)
{
	FILE *f = fmemopen(out, size, "w");
	struct jout j;
	struct err e;

	assert_non_null(f);
	if (is_json) {
		jout_open(&j, f, -1);
		jout_begin(&j, NULL, '{');
		comparison_json(c, &j);
		jout_end(&j, '}');
		assert_int_equal(jout_close(&j, &e), 0);
	} else {
		comparison_print(c, max, f);
	}
	fclose(f);
}

static void
output_is_clean_for_terminals_and_json(void **state)
{
	struct forgiven forgiven[] = {{"tags", 2}, {"member order", 1}};
	struct difference d[] = {
		{.path = "",
			.store_item = NULL,
			.package = NULL,
			.kind = "config",
			.detail = "os: absent",
			.offset = -1},
		{.path = "gnu/store/1-a/\x1b\xff",
			.store_item = "1-a",
			.package = "a@\x07",
			.kind = "contents",
			.detail = "12",
			.offset = 3},
		{.path = "z",
			.store_item = NULL,
			.package = NULL,
			.kind = "mode",
			.detail = "m",
			.offset = -1},
	};
	const char *const labels[] = {"a@\x07", "b"};
	struct comparison c = {
		.verdict = VERDICT_DIFFERENT,
		.forgiven = forgiven,
		.n_forgiven = 2,
		.differences = d,
		.n_differences = 3,
		.total = 5,
		.packages = labels,
		.n_packages = 2,
	};
	char out[2048];

	(void)state;
	printed(&c, 2, false, out, sizeof(out));
	assert_string_equal(out,
		"different: Store paths, or files outside the store, differ: "
		"this recipe does not lead to this image.\n"
		"forgiven: tags (2), member order (1)\n"
		"packages: a@#x07, b\n"
		"5 differences:\n"
		"  (image)\n"
		"    config: os: absent\n"
		"  gnu/store/1-a/#x1B\\xFF\n"
		"    contents: 12, from byte 3 (package a@#x07)\n"
		"  and 3 more\n");
	printed(&c, 0, false, out, sizeof(out));
	assert_non_null(strstr(out, "    mode: m\n  and 2 more\n"));
	printed(&c, 0, true, out, sizeof(out));
	{
		struct err e;
		CLEANUP(own_jdoc)
		struct jdoc *doc = jdoc_parse(slice_of(out), &e);
		const struct jdoc *second =
			jdoc_at(jdoc_get(doc, "differences"), 1);

		assert_non_null(doc);
		assert_true(slice_is(
			jdoc_str(jdoc_get(doc, "verdict")), "different"));
		assert_int_equal(jdoc_int(jdoc_get(doc, "total"), -1), 5);
		assert_int_equal(jdoc_int(jdoc_get(second, "offset"), -1), 3);
		assert_true(slice_is(jdoc_str(jdoc_get(second, "path")),
			"gnu/store/1-a/#x1B\\xFF"));
		assert_int_equal(
			jdoc_type(jdoc_get(
				jdoc_at(jdoc_get(doc, "differences"), 0),
				"offset")),
			JDOC_NULL);
	}
}

static void
verdicts_have_names_and_an_order(void **state)
{
	enum verdict v;

	(void)state;
	for (int i = 0; i < VERDICT_COUNT; i++) {
		assert_true(verdict_parse(verdict_name((enum verdict)i), &v));
		assert_int_equal(v, i);
	}
	assert_false(verdict_parse("perfect", &v));
	assert_false(verdict_parse("", &v));
	assert_true(
		verdict_reaches(VERDICT_SAME_CONTENTS, VERDICT_SAME_CONTENTS));
	assert_true(verdict_reaches(VERDICT_IDENTICAL, VERDICT_SAME_CONTENTS));
	assert_false(
		verdict_reaches(VERDICT_SAME_INPUTS, VERDICT_SAME_CONTENTS));
	assert_int_equal(verdict_junit(VERDICT_SAME_CONTENTS), JUNIT_PASS);
	/* Not rebuilt is not reproduced. */
	assert_false(
		verdict_reaches(VERDICT_SAME_RECIPE, VERDICT_SAME_CONTENTS));
	assert_true(verdict_reaches(VERDICT_SAME_RECIPE, VERDICT_SAME_INPUTS));
	assert_int_equal(verdict_junit(VERDICT_SAME_RECIPE), JUNIT_PASS);
	assert_int_equal(verdict_junit(VERDICT_SAME_INPUTS), JUNIT_FAILURE);
	assert_int_equal(verdict_junit(VERDICT_REFUSED), JUNIT_SKIPPED);
	assert_int_equal(verdict_junit(VERDICT_NOT_TRIED), JUNIT_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_have_names_and_an_order),
		cmocka_unit_test(each_change_has_its_verdict),
		cmocka_unit_test(verdict_does_not_depend_on_the_side),
		cmocka_unit_test(uncompressed_files_differ_in_the_envelope),
		cmocka_unit_test(item_without_entry_is_listed_whole),
		cmocka_unit_test(
			packages_come_once_in_the_order_of_the_manifest),
		cmocka_unit_test(
			differences_beyond_the_number_kept_are_counted),
		cmocka_unit_test(long_paths_fill_the_text_before_the_number),
		cmocka_unit_test(output_is_clean_for_terminals_and_json),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
