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
#include "image/tree.h"

/* Entries of several layers, as a tar would have them. */
struct raw {
	uint8_t type;
	const char *path;
	const char *link;
	uint64_t size; /* tells files from one another */
};

enum {
	LAYERS = 4,
	EACH = 8
};

/* Merge layers that end at their first entry without a path. */
static int
merge(struct raw layers[][EACH], size_t n_layers, struct arena *arena,
	struct tree *tree, struct err *e)
{
	struct tree_entry *v = calloc(LAYERS * EACH, sizeof(*v));
	struct tree_range ranges[LAYERS];
	struct tree_source *sources = NULL;
	size_t n = 0, n_sources = 0;
	int r;

	for (size_t l = 0; l < n_layers; l++) {
		ranges[l].begin = n;
		for (size_t i = 0; i < EACH && layers[l][i].path; i++)
			v[n++] = (struct tree_entry){
				.path = layers[l][i].path,
				.link = layers[l][i].link,
				.type = layers[l][i].type,
				.size = layers[l][i].size,
				.layer = TREE_NO_LAYER,
				.uname = "",
				.gname = "",
				.is_hard_link =
					layers[l][i].type == TREE_HARD_LINK,
			};
		ranges[l].end = n;
	}
	r = tree_merge(
		v, n, ranges, n_layers, arena, tree, &sources, &n_sources, e);
	if (r < 0)
		free(v);
	return r;
}

/* "PATH=SIZE@LAYER ..." of all that is there. */
static void
show(const struct tree *tree, struct buf *out)
{
	for (size_t i = 0; i < tree->n; i++)
		buf_printf(out, "%s%s=%d@%d", i ? " " : "", tree->v[i].path,
			(int)tree->v[i].size, tree->v[i].layer);
}

static const struct merged {
	const char *fact;
	struct raw layers[LAYERS][EACH];
	const char *is; /* the tree, or a part of the error */
	bool is_error;
} merged[] = {
	{"paths are sorted by their bytes",
		{{{TREE_DIR, "b", 0, 1}, {TREE_FILE, "a/x", 0, 2},
			{TREE_FILE, "a-b", 0, 3}, {TREE_DIR, "a", 0, 4},
			{TREE_DIR, "", 0, 5}}},
		"=5@0 a=4@0 a-b=3@0 a/x=2@0 b=1@0", false},
	{"a later entry of a layer wins",
		{{{TREE_FILE, "a", 0, 1}, {TREE_FILE, "a", 0, 2}}}, "a=2@0",
		false},
	{"an upper layer wins",
		{{{TREE_FILE, "a", 0, 1}, {TREE_FILE, "b", 0, 2}},
			{{TREE_FILE, "a", 0, 3}}},
		"a=3@1 b=2@0", false},
	{"a whiteout hides a lower file",
		{{{TREE_FILE, "a", 0, 1}, {TREE_FILE, "b", 0, 2}},
			{{TREE_WHITEOUT, "a", 0, 0}}},
		"b=2@0", false},
	{"a whiteout hides all below a lower folder, and its like by name not",
		{{{TREE_DIR, "d", 0, 1}, {TREE_DIR, "d/e", 0, 1},
			 {TREE_FILE, "d/e/f", 0, 1}, {TREE_FILE, "d-e", 0, 2},
			 {TREE_FILE, "dd", 0, 3}},
			{{TREE_WHITEOUT, "d", 0, 0}}},
		"d-e=2@0 dd=3@0", false},
	{"a whiteout hides nothing of its own layer, before or after it",
		{{{TREE_FILE, "a", 0, 1}, {TREE_FILE, "b", 0, 1}},
			{{TREE_FILE, "a", 0, 2}, {TREE_WHITEOUT, "a", 0, 0},
				{TREE_WHITEOUT, "b", 0, 0},
				{TREE_FILE, "b", 0, 3}}},
		"a=2@1 b=3@1", false},
	{"a whiteout hides nothing of an upper layer",
		{{{TREE_FILE, "a", 0, 1}}, {{TREE_WHITEOUT, "a", 0, 0}},
			{{TREE_FILE, "a", 0, 4}}},
		"a=4@2", false},
	{"a whiteout of nothing is harmless",
		{{{TREE_FILE, "a", 0, 1}}, {{TREE_WHITEOUT, "z", 0, 0}}},
		"a=1@0", false},
	{"an opaque folder hides what is below, and not itself",
		{{{TREE_DIR, "d", 0, 1}, {TREE_FILE, "d/a", 0, 1},
			 {TREE_FILE, "e", 0, 1}},
			{{TREE_OPAQUE, "d", 0, 0}, {TREE_FILE, "d/b", 0, 2}}},
		"d=1@0 d/b=2@1 e=1@0", false},
	{"an opaque root hides everything lower",
		{{{TREE_DIR, "d", 0, 1}, {TREE_FILE, "d/a", 0, 1}},
			{{TREE_OPAQUE, "", 0, 0}, {TREE_FILE, "b", 0, 2}}},
		"b=2@1", false},
	{"a file in place of a folder hides what was below",
		{{{TREE_DIR, "d", 0, 1}, {TREE_FILE, "d/a", 0, 1}},
			{{TREE_FILE, "d", 0, 2}}},
		"d=2@1", false},
	{"a folder in place of a file, with files below",
		{{{TREE_FILE, "d", 0, 1}},
			{{TREE_DIR, "d", 0, 2}, {TREE_FILE, "d/a", 0, 3}}},
		"d=2@1 d/a=3@1", false},
	{"below a file that a whiteout removed",
		{{{TREE_FILE, "d", 0, 1}},
			{{TREE_WHITEOUT, "d", 0, 0}, {TREE_FILE, "d/a", 0, 3}}},
		"d/a=3@1", false},
	{"below a file", {{{TREE_FILE, "d", 0, 1}}, {{TREE_FILE, "d/a", 0, 3}}},
		"'d/a' is below 'd', which is no folder", true},
	{"below a symbolic link",
		{{{TREE_LINK, "d", "/etc", 0}, {TREE_FILE, "d/x/a", 0, 3}}},
		"'d/x/a' is below 'd', which is no folder", true},
	{"a hard link has the contents of its target",
		{{{TREE_FILE, "a", 0, 7}, {TREE_HARD_LINK, "b", "a", 0}}},
		"a=7@0 b=7@0", false},
	{"a hard link to a hard link",
		{{{TREE_FILE, "z", 0, 7}, {TREE_HARD_LINK, "y", "z", 0},
			{TREE_HARD_LINK, "a", "y", 0}}},
		"a=7@0 y=7@0 z=7@0", false},
	{"a hard link to a lower layer",
		{{{TREE_FILE, "a", 0, 7}}, {{TREE_HARD_LINK, "b", "a", 0}}},
		"a=7@0 b=7@1", false},
	{"a hard link keeps what its target was",
		{{{TREE_FILE, "a", 0, 7}, {TREE_HARD_LINK, "b", "a", 0},
			 {TREE_FILE, "a", 0, 8}},
			{{TREE_WHITEOUT, "a", 0, 0}}},
		"b=7@0", false},
	{"a hard link to what comes after",
		{{{TREE_HARD_LINK, "b", "a", 0}, {TREE_FILE, "a", 0, 7}}},
		"hard link 'b' to 'a', which is not there", true},
	{"a hard link to itself", {{{TREE_HARD_LINK, "b", "b", 0}}},
		"hard link 'b' to 'b', which is not there", true},
	{"a hard link to what a whiteout hides",
		{{{TREE_FILE, "a", 0, 7}}, {{TREE_WHITEOUT, "a", 0, 0}},
			{{TREE_HARD_LINK, "b", "a", 0}}},
		"hard link 'b' to 'a', which is not there", true},
	{"a hard link to a folder",
		{{{TREE_DIR, "a", 0, 7}, {TREE_HARD_LINK, "b", "a", 0}}},
		"hard link 'b' to 'a', which is a folder", true},
	{"nothing at all", {{{0}}}, "", false},
};

static void
layers_merge_as_docker_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(merged); i++) {
		CLEANUP(buf_fini)
		struct buf is = {0};
		struct merged m = merged[i];
		struct arena arena = {0};
		struct tree tree = {0};
		struct err e = {0};

		if (merge(m.layers, LAYERS, &arena, &tree, &e) < 0)
			buf_str(&is, e.text);
		else
			show(&tree, &is);
		if ((e.kind == ERR_INPUT) != m.is_error ||
			strcmp(buf_text(&is), m.is) != 0)
			fail_msg("%s: %s", m.fact, buf_text(&is));
		free(tree.v);
		arena_fini(&arena);
	}
}

/* The same layer twice is the layer as it is the last time. */
static void
layer_twice_is_the_upper_one(void **state)
{
	struct tree_entry *v = calloc(2, sizeof(*v));
	const struct tree_range ranges[] = {{0, 1}, {1, 2}, {0, 1}};
	struct tree_source *sources;
	struct arena arena = {0};
	struct tree tree = {0};
	struct err e = {0};
	size_t n;

	(void)state;
	v[0] = (struct tree_entry){.path = "a",
		.type = TREE_FILE,
		.size = 1,
		.layer = TREE_NO_LAYER};
	v[1] = v[0];
	v[1].size = 2;
	assert_int_equal(
		tree_merge(v, 2, ranges, 3, &arena, &tree, &sources, &n, &e),
		0);
	assert_int_equal(tree.n, 1);
	assert_int_equal(tree.v[0].size, 1);
	assert_int_equal(tree.v[0].layer, 2);
	free(tree.v);
	arena_fini(&arena);
}

/* Many entries in no order, some of no layer: in-place sorting loses none. */
static void
many_entries_come_out_sorted(void **state)
{
	enum {
		N = 5000,
		GAP = 1000
	};
	struct tree_entry *v = calloc(N, sizeof(*v));
	const struct tree_range ranges[] = {{3000, N}, {0, 3000 - GAP}};
	struct tree_source *sources;
	struct arena arena = {0};
	struct tree tree = {0};
	struct err e = {0};
	char name[32];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		int len = snprintf(name, sizeof(name), "%08x",
			(i * 2654435761u) ^ 0x5bd1e995u);

		v[i] = (struct tree_entry){
			.path = arena_copy(&arena, name, (size_t)len),
			.type = TREE_FILE,
			.size = i,
			.layer = TREE_NO_LAYER,
		};
	}
	assert_int_equal(
		tree_merge(v, N, ranges, 2, &arena, &tree, &sources, &n, &e),
		0);
	assert_int_equal(tree.n, N - GAP);
	for (size_t i = 0; i < tree.n; i++) {
		if (i > 0)
			assert_true(
				strcmp(tree.v[i - 1].path, tree.v[i].path) < 0);
		assert_int_equal(tree.v[i].layer, tree.v[i].size < 3000);
		snprintf(name, sizeof(name), "%08x",
			((unsigned)tree.v[i].size * 2654435761u) ^ 0x5bd1e995u);
		assert_string_equal(name, tree.v[i].path);
		assert_ptr_equal(tree_find(&tree, name), &tree.v[i]);
		assert_int_equal(tree_lower(&tree, name), i);
	}
	free(tree.v);
	arena_fini(&arena);
}

static void
links_resolve_inside_the_tree(void **state)
{
	struct raw layers[][EACH] = {
		{{TREE_DIR, "gnu", 0, 1}, {TREE_FILE, "gnu/store/p/m", 0, 2},
			{TREE_LINK, "bin", "/gnu/store/p", 0},
			{TREE_LINK, "gnu/up", "../gnu/store/p/m", 0},
			{TREE_LINK, "gnu/out", "../../../../bin/m", 0},
			{TREE_LINK, "a", "b", 0}, {TREE_LINK, "b", "a", 0},
			{TREE_LINK, "gone", "/gnu/no", 0}},
		{{TREE_LINK, "chain", "./bin/./m", 0}},
	};
	static const struct {
		const char *path;
		int size; /* -1: nowhere */
	} cases[] = {
		{"gnu/store/p/m", 2},
		{"bin/m", 2},
		{"/bin//m", 2},
		{"gnu/up", 2},
		{"gnu/out", 2}, /* above the root is the root */
		{"chain", 2},
		{"bin/../p/m", 2},
		{"gnu", 1},
		{"gnu/store/..", 1},
		{"a", -1},
		{"gone", -1},
		{"gnu/store/p/m/x", -1},
		{"gnu/store/p", -1}, /* no entry of its own */
		{"", -1},
	};
	struct arena arena = {0};
	struct tree tree = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(merge(layers, 2, &arena, &tree, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tree_entry *to =
			tree_resolve(&tree, cases[i].path);

		if ((to ? (int)to->size : -1) != cases[i].size)
			fail_msg("'%s' resolves to %s", cases[i].path,
				to ? to->path : "nothing");
	}
	free(tree.v);
	arena_fini(&arena);
}

/* A chain of n links to a file. */
static const struct tree_entry *
resolve_chain(size_t n_links, struct arena *arena, struct tree *tree)
{
	struct tree_entry *v = calloc(n_links + 1, sizeof(*v));

	for (size_t i = 0; i <= n_links; i++) {
		char name[2][16];

		snprintf(name[0], sizeof(name[0]), "%04zu", i);
		snprintf(name[1], sizeof(name[1]), "%04zu", i + 1);
		v[i].path = arena_copy(arena, name[0], 4);
		v[i].type = i == n_links ? TREE_FILE : TREE_LINK;
		if (i < n_links)
			v[i].link = arena_copy(arena, name[1], 4);
	}
	*tree = (struct tree){v, n_links + 1};
	return tree_resolve(tree, "0000");
}

static void
at_most_forty_links_are_followed(void **state)
{
	struct arena arena = {0};
	struct tree tree;

	(void)state;
	assert_non_null(resolve_chain(40, &arena, &tree));
	free(tree.v);
	assert_null(resolve_chain(41, &arena, &tree));
	free(tree.v);
	arena_fini(&arena);
}

static void
store_items_are_found_with_what_is_below(void **state)
{
	struct raw layers[][EACH] = {
		{{TREE_DIR, "gnu/store", 0, 0},
			{TREE_DIR, "gnu/store/a-p", 0, 0},
			{TREE_FILE, "gnu/store/a-p/x", 0, 10},
			{TREE_FILE, "gnu/store/a-p/y/z", 0, 20},
			{TREE_FILE, "gnu/store/a-p-q", 0, 3},
			{TREE_FILE, "gnu/store/b-r/x", 0, 5},
			{TREE_FILE, "gnu/storehouse", 0, 9}},
	};
	struct arena arena = {0};
	struct tree tree = {0};
	struct store_item *items;
	struct err e = {0};
	size_t n;

	(void)state;
	assert_int_equal(merge(layers, 1, &arena, &tree, &e), 0);
	items = tree_items(&tree, &arena, &n);
	assert_int_equal(n, 3);
	assert_string_equal(items[0].name, "a-p");
	assert_int_equal(items[0].bytes, 30);
	assert_string_equal(tree.v[items[0].begin].path, "gnu/store/a-p");
	assert_string_equal(tree.v[items[0].end - 1].path, "gnu/store/a-p/y/z");
	assert_string_equal(items[1].name, "a-p-q");
	assert_int_equal(items[1].bytes, 3);
	assert_int_equal(items[1].end - items[1].begin, 1);
	assert_string_equal(items[2].name, "b-r");
	assert_int_equal(items[2].bytes, 5);
	free(tree.v);
	arena_fini(&arena);
}

/* The digest of the item "h" of a tree with one change. */
static struct digest
item_digest(const char *root, int change)
{
	struct arena arena = {0};
	struct tree_entry v[2] = {{0}};
	struct tree tree = {v, 2};
	struct digest d;
	size_t n;

	v[0].path = arena_copy(&arena, root, strlen(root));
	v[0].type = TREE_DIR;
	v[1].path = change == 1 ? "gnu/store/h/g" : "gnu/store/h/f";
	v[1].type = change == 2 ? TREE_FIFO : TREE_FILE;
	v[1].mode = change == 3 ? 0755 : 0644;
	v[1].size = change == 4;
	v[1].sha256.b[0] = change == 5;
	v[1].link = change == 6 ? "x" : NULL;
	/* These are no part of it. */
	v[1].mtime = change == 7;
	v[1].uid = change == 7;
	v[1].is_hard_link = change == 7;
	v[1].layer = change == 7;
	d = tree_items(&tree, &arena, &n)[n - 1].digest;
	arena_fini(&arena);
	return d;
}

static void
item_digest_is_of_what_the_store_holds(void **state)
{
	struct digest d = item_digest("gnu/store/h", 0);

	(void)state;
	for (int change = 1; change <= 6; change++) {
		struct digest o = item_digest("gnu/store/h", change);

		assert_false(digest_eq(&d, &o));
	}
	for (int change = 7; change <= 8; change++) {
		struct digest o = item_digest("gnu/store/h", change);

		assert_true(digest_eq(&d, &o));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_merge_as_docker_has_it),
		cmocka_unit_test(layer_twice_is_the_upper_one),
		cmocka_unit_test(many_entries_come_out_sorted),
		cmocka_unit_test(links_resolve_inside_the_tree),
		cmocka_unit_test(at_most_forty_links_are_followed),
		cmocka_unit_test(store_items_are_found_with_what_is_below),
		cmocka_unit_test(item_digest_is_of_what_the_store_holds),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
