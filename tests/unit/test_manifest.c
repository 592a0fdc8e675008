/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "fetch/manifest.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define AT(members) "{\"digest\":\"sha256:" HEX "\",\"size\":7" members "}"
#define FOR(os, arch, variant)                                      \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch \
	"\",\"variant\":\"" variant "\"}"
#define NOTE ",\"annotations\":{\"vnd.docker.reference.type\":\"x\"}"

static void
manifests_and_indexes_are_told_by_what_they_hold(void **state)
{
	static const char image[] =
		"{\"schemaVersion\":2,\"mediaType\":\"text/plain\",\"config\":" AT(",\"mediaType\":\"application/vnd.docker.container.image.v1+json\"") ",\"layers\":[" AT(
			"") "," AT("") "]}";
	static const char index[] = "{\"manifests\":[" AT(
		",\"annotations\":{\"org.opencontainers.image.ref.name\":\"a\","
		"\"io.containerd.image.name\":\"b\"}") "]}";
	struct arena arena = {0};
	struct manifest m;
	struct err e;

	(void)state;
	assert_int_equal(manifest_parse(slice_of(image), 2, &arena, &m, &e), 0);
	assert_false(m.is_index);
	assert_true(m.is_docker);
	assert_int_equal(m.n_layers, 2);
	assert_int_equal(m.layers[1].size, 7);
	assert_int_equal(m.config.digest.b[1], 0x23);
	assert_int_equal(
		manifest_parse(slice_of(image), 1, &arena, &m, &e), -1);
	assert_int_equal(e.kind, ERR_POLICY);
	assert_int_equal(manifest_parse(slice_of(index), 1, &arena, &m, &e), 0);
	assert_true(m.is_index);
	assert_false(m.is_docker);
	assert_string_equal(m.images[0].names[0], "a");
	assert_string_equal(m.images[0].names[1], "b");
	arena_fini(&arena);
}

static void
malformed_ones_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "line 1"},
		{"[]", "is no object"},
		{"{}", "neither an image nor a list"},
		{"{\"manifests\":[],\"layers\":[]}",
			"both an image and a list"},
		{"{\"schemaVersion\":1,\"manifests\":[]}", "schema version 1"},
		{"{\"fsLayers\":[],\"layers\":[]}", "schema version 1"},
		{"{\"manifests\":{}}", "manifests are no array"},
		{"{\"manifests\":[1]}", "element 1 of manifests: is no object"},
		{"{\"layers\":[]}", "config: is no object"},
		{"{\"config\":" AT("") "}", "layers are no array"},
		{"{\"manifests\":[{\"digest\":\"" HEX "\",\"size\":1}]}",
			"not sha256: and 64 digits"},
		{"{\"manifests\":[{\"digest\":\"sha256:../" HEX
		 "\",\"size\":1}]}",
			"not sha256: and 64 digits"},
		{"{\"manifests\":[{\"digest\":\"sha256:" HEX
		 "\",\"size\":-1}]}",
			"no number of bytes"},
		{"{\"manifests\":[{\"digest\":\"sha256:" HEX "\"}]}",
			"no number of bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena = {0};
		struct manifest m;
		struct err e = {0};

		assert_int_equal(manifest_parse(slice_of(rows[i].text), 9,
					 &arena, &m, &e),
			-1);
		assert_int_equal(e.kind, ERR_INPUT);
		if (!strstr(e.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, e.text);
		arena_fini(&arena);
	}
}

/* Which element is chosen for a platform; -1 where none is. */
static int
chosen(const char *index, const char *wanted)
{
	struct arena arena = {0};
	struct platform p;
	struct manifest m;
	const struct descriptor *d = NULL;
	struct err e = {0};
	int i = -1;

	assert_int_equal(manifest_parse(slice_of(index), 9, &arena, &m, &e), 0);
	if (wanted)
		assert_int_equal(platform_parse(wanted, &arena, &p, &e), 0);
	if (manifest_choose(&m, wanted ? &p : NULL, &d, &e) == 0)
		i = (int)(d - m.images);
	else
		assert_int_equal(e.kind, ERR_ABSENT);
	arena_fini(&arena);
	return i;
}

static void
platform_chooses(void **state)
{
	static const char several[] = "{\"manifests\":[" AT(
		FOR("linux", "amd64", "") NOTE) "," AT(FOR("windows", "amd64",
		"")) "," AT(FOR("linux", "arm", "v6")) "," AT(FOR("linux",
		"arm", "v7")) "," AT(FOR("linux", "amd64", "")) "]}";
	static const char one[] = "{\"manifests\":[" AT(
		FOR("plan9", "vax", "")) "," AT(NOTE) "]}";

	(void)state;
	assert_int_equal(chosen(several, "linux/amd64"), 4);
	assert_int_equal(chosen(several, "windows/amd64"), 1);
	assert_int_equal(chosen(several, "linux/arm"), 2);
	assert_int_equal(chosen(several, "linux/arm/v7"), 3);
	assert_int_equal(chosen(several, "linux/arm/v8"), -1);
	assert_int_equal(chosen(several, "linux/s390x"), -1);
	/* not asked for: the only one will do */
	assert_int_equal(chosen(one, NULL), 0);
	assert_int_equal(chosen(one, "linux/amd64"), -1);
	assert_int_equal(chosen("{\"manifests\":[]}", NULL), -1);
}

static void
platforms_have_two_or_three_parts(void **state)
{
	static const char *const wrong[] = {"", "linux", "linux/", "/amd64",
		"linux//v7", "linux/arm/v7/x", "linux/arm/", "Linux/amd64",
		"linux/am d64"};
	struct arena arena = {0};
	struct platform p;
	struct err e;

	(void)state;
	assert_int_equal(platform_parse("linux/arm/v7", &arena, &p, &e), 0);
	assert_string_equal(p.os, "linux");
	assert_string_equal(p.architecture, "arm");
	assert_string_equal(p.variant, "v7");
	assert_int_equal(platform_parse("a/b", &arena, &p, &e), 0);
	assert_string_equal(p.variant, "");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(platform_parse(wrong[i], &arena, &p, &e), -1);
	arena_fini(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			manifests_and_indexes_are_told_by_what_they_hold),
		cmocka_unit_test(malformed_ones_are_refused),
		cmocka_unit_test(platform_chooses),
		cmocka_unit_test(platforms_have_two_or_three_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
