/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "image/enough.h"
#include "image/tree.h"

#define PROFILE "/gnu/store/1111-profile"
#define OTHER "/gnu/store/2222-other"
#define MANIFEST                                                   \
	{                                                          \
		"gnu/store/1111-profile/manifest", TREE_FILE, true \
	}
#define OUTSIDE                        \
	{"gnu", TREE_DIR, false},      \
	{                              \
		"tmp", TREE_DIR, false \
	}
#define ITEM                                              \
	{                                                 \
		"gnu/store/3333-x/file", TREE_FILE, false \
	}

enum {
	LAYERS = 4,
	ENTRIES = 3
};

struct entry {
	const char *path; /* NULL: none */
	uint8_t type;
	bool is_kept;
};

/* Layers from the uppermost down, and how many of them are read. */
static const struct {
	const char *title, *env, *entrypoint;
	struct entry layers[LAYERS][ENTRIES];
	size_t read;
} rows[] = {
	{"as Guix makes it", "PATH=" PROFILE "/bin:" PROFILE "/sbin", NULL,
		{{OUTSIDE}, {MANIFEST}, {ITEM}, {ITEM}}, 2},
	{"the entry point names it alone", "A=1", PROFILE "/bin/x",
		{{OUTSIDE}, {MANIFEST}, {ITEM}, {ITEM}}, 2},
	{"another item in between", "PATH=" PROFILE "/bin", NULL,
		{{OUTSIDE}, {ITEM}, {MANIFEST}, {ITEM}}, 3},
	{"a layer upon it", "PATH=" PROFILE "/bin", NULL,
		{{{"opt/x", TREE_FILE, false}}, {OUTSIDE}, {MANIFEST}, {ITEM}},
		3},
	{"nothing names it", "PATH=/bin", "/bin/sh",
		{{OUTSIDE}, {MANIFEST}, {ITEM}, {ITEM}}, 4},
	{"a name elsewhere in a value is none", "X=a" PROFILE, NULL,
		{{OUTSIDE}, {MANIFEST}, {ITEM}, {ITEM}}, 4},
	{"another one is named, too", "PATH=" PROFILE "/bin:" OTHER, NULL,
		{{OUTSIDE}, {MANIFEST}, {ITEM}, {ITEM}}, 4},
	{"and is found", "PATH=" PROFILE "/bin:" OTHER, NULL,
		{{OUTSIDE}, {MANIFEST},
			{{"gnu/store/2222-other/y", TREE_LINK, false}}, {ITEM}},
		3},
	{"and is only removed", "PATH=" PROFILE "/bin:" OTHER, NULL,
		{{OUTSIDE}, {MANIFEST},
			{{"gnu/store/2222-other", TREE_WHITEOUT, false}},
			{ITEM}},
		4},
	{"its manifest is too large to be kept", "PATH=" PROFILE "/bin", NULL,
		{{OUTSIDE},
			{{"gnu/store/1111-profile/manifest", TREE_FILE, false}},
			{ITEM}, {ITEM}},
		4},
	{"a manifest deeper in it is none", "PATH=" PROFILE "/bin", NULL,
		{{OUTSIDE},
			{{"gnu/store/1111-profile/a/manifest", TREE_FILE,
				true}},
			{ITEM}, {ITEM}},
		4},
	{"no layer of what is outside", "PATH=" PROFILE "/bin", NULL,
		{{MANIFEST}, {ITEM}, {ITEM}, {ITEM}}, 4},
	{"what is outside is with items", "PATH=" PROFILE "/bin", NULL,
		{{OUTSIDE, MANIFEST}, {ITEM}, {ITEM}, {ITEM}}, 4},
	{"a hard link above, to who knows what", "PATH=" PROFILE "/bin", NULL,
		{{{"opt/x", TREE_HARD_LINK, false}}, {OUTSIDE}, {MANIFEST},
			{ITEM}},
		4},
	{"nine items are too many",
		"PATH=" PROFILE ":/gnu/store/a:/gnu/store/b:/gnu/store/c:"
		"/gnu/store/d:/gnu/store/e:/gnu/store/f:/gnu/store/g:"
		"/gnu/store/h",
		NULL, {{OUTSIDE}, {MANIFEST}, {ITEM}, {ITEM}}, 4},
};

static size_t
count(size_t row)
{
	const char *env[] = {"HOME=/", rows[row].env};
	const char *words[] = {rows[row].entrypoint};
	const struct docker_config config = {
		.env = env,
		.n_env = ARRAY_LEN(env),
		.entrypoint = words,
		.n_entrypoint = words[0] != NULL,
	};
	struct enough x;
	size_t read = 0;

	enough_init(&x, &config);
	while (read < LAYERS) {
		struct tree_entry v[ENTRIES] = {0};
		size_t n = 0;

		for (; n < ENTRIES && rows[row].layers[read][n].path; n++) {
			const struct entry *from = &rows[row].layers[read][n];

			v[n].path = from->path;
			v[n].type = from->type;
			if (from->is_kept)
				v[n].data = slice_of("(manifest)");
		}
		read++;
		if (enough_after(&x, v, n))
			break;
	}
	return read;
}

static void
layers_are_read_until_it_is_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (count(i) != rows[i].read)
			fail_msg("%s: %zu layers, not %zu", rows[i].title,
				count(i), rows[i].read);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_read_until_it_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
