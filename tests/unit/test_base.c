/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"

static char *
temp_folder(void)
{
	char *path = xstrdup("/tmp/unblend-test-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static void
digest_is_sha256(void **state)
{
	/* FIPS 180-4, the examples of one block and of none. */
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223"
				  "b00361a396177a9cb410ff61f20015ad";
	static const char none[] = "e3b0c44298fc1c149afbf4c8996fb924"
				   "27ae41e4649b934ca495991b7852b855";
	struct digest d = digest_of("abc", 3), read;
	char hex[DIGEST_HEX + 1];

	(void)state;
	digest_hex(&d, hex);
	assert_string_equal(hex, abc);
	assert_true(digest_parse(slice_of(abc), &read));
	assert_true(digest_eq(&d, &read));
	d = digest_of("", 0);
	digest_hex(&d, hex);
	assert_string_equal(hex, none);
	assert_true(
		digest_parse(slice_of("sha256:e3b0c44298fc1c149afbf4c8996fb924"
				      "27ae41e4649b934ca495991b7852b855"),
			&read));
	assert_true(digest_eq(&d, &read));
	assert_false(digest_parse(slice_of("e3b0"), &read));
	assert_false(digest_parse(slice_of("g3b0c44298fc1c149afbf4c8996fb924"
					   "27ae41e4649b934ca495991b7852b855"),
		&read));
}

static void
normalise_keeps_paths_inside(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
		{"", ""},
		{"/", ""},
		{"./", ""},
		{"./a//b/./c/", "a/b/c"},
		{"/gnu/store", "gnu/store"},
		{"..", NULL},
		{"a/../b", NULL},
		{"a/..", NULL},
		{"..a/b..", "..a/b.."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = {0};
		bool ok = path_normalise(&b, slice_of(rows[i].in));

		assert_int_equal(ok, rows[i].out != NULL);
		assert_string_equal(
			buf_text(&b), rows[i].out ? rows[i].out : "");
		buf_fini(&b);
	}
}

static void
normalise_limits_length_and_refuses_nul(void **state)
{
	char *long_path = xmalloc(PATH_MAX_BYTES + 1);
	struct buf b = {0};

	(void)state;
	memset(long_path, 'a', PATH_MAX_BYTES + 1);
	assert_true(
		path_normalise(&b, (struct slice){long_path, PATH_MAX_BYTES}));
	buf_clear(&b);
	assert_false(path_normalise(
		&b, (struct slice){long_path, PATH_MAX_BYTES + 1}));
	assert_false(path_normalise(&b, (struct slice){"a\0b", 3}));
	buf_fini(&b);
	free(long_path);
}

static void
remove_does_not_follow_links(void **state)
{
	CLEANUP(own_free)
	char *folder = temp_folder();
	CLEANUP(own_free)
	char *kept = path_join(folder, "kept");
	CLEANUP(own_free)
	char *gone = path_join(folder, "gone/a/b");
	CLEANUP(own_free)
	char *link = path_join(folder, "gone/a/link");
	CLEANUP(own_free)
	char *top = path_join(folder, "gone");
	struct err e = {0};

	(void)state;
	assert_int_equal(path_mkdirs(kept, 0755, &e), 0);
	assert_int_equal(path_mkdirs(gone, 0755, &e), 0);
	assert_int_equal(symlink(kept, link), 0);
	assert_int_equal(chmod(gone, 0500), 0);
	assert_int_equal(path_remove(top, &e), 0);
	assert_false(path_exists(top));
	assert_true(path_exists(kept));
	assert_int_equal(path_remove(top, &e), 0);
	assert_int_equal(path_remove(folder, &e), 0);
}

static void
read_has_a_limit_and_wants_a_regular_file(void **state)
{
	CLEANUP(own_free)
	char *folder = temp_folder();
	CLEANUP(own_free)
	char *file = path_join(folder, "f");
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(aside_write(file, "12345", 5, &e), 0);
	assert_int_equal(path_read(file, 5, &b, &e), 0);
	assert_string_equal(buf_text(&b), "12345");
	assert_int_equal(path_read(file, 4, &b, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(path_read(folder, 5, &b, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(path_read(file, 5, &b, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(path_remove(folder, &e), 0);
	buf_fini(&b);
}

static void
aside_appears_whole_or_not(void **state)
{
	CLEANUP(own_free)
	char *folder = temp_folder();
	CLEANUP(own_free)
	char *file = path_join(folder, "f");
	struct aside a;
	struct err e = {0};

	(void)state;
	assert_int_equal(aside_open(&a, file, &e), 0);
	fputs("half", a.f);
	assert_false(path_exists(file));
	aside_drop(&a);
	assert_false(path_exists(file));
	assert_int_equal(aside_open(&a, file, &e), 0);
	fputs("whole", a.f);
	assert_int_equal(aside_publish(&a, &e), 0);
	aside_drop(&a);
	assert_true(path_exists(file));
	/* Nothing else is left in the folder. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
clock_prints_utc(void **state)
{
	char iso[CLOCK_ISO];

	(void)state;
	clock_iso(0, iso);
	assert_string_equal(iso, "1970-01-01T00:00:00Z");
	clock_iso(1767225600, iso);
	assert_string_equal(iso, "2026-01-01T00:00:00Z");
	clock_iso(INT64_MAX, iso);
	assert_string_equal(iso, "9999-12-31T23:59:59Z");
}

static void
json_comes_back_as_it_was_written(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct jout j;
	struct err e = {0};
	struct jdoc *doc;

	(void)state;
	jout_open(&j, f, 2);
	jout_begin(&j, NULL, '{');
	jout_str(&j, "s", "a\"\\\n\x1b\xff");
	jout_int(&j, "n", -5);
	jout_bool(&j, "b", true);
	jout_str(&j, "none", NULL);
	jout_hex(&j, "hex", (struct slice){"a\0\xff", 3});
	jout_hex(&j, "empty", slice_of(""));
	jout_hex(&j, "no_hex", (struct slice){0});
	jout_begin(&j, "list", '[');
	jout_int(&j, NULL, 1);
	jout_begin(&j, NULL, '[');
	jout_end(&j, ']');
	jout_end(&j, ']');
	jout_end(&j, '}');
	assert_int_equal(jout_close(&j, &e), 0);
	fclose(f);
	doc = jdoc_parse((struct slice){text, n}, &e);
	assert_non_null(doc);
	assert_true(slice_is(jdoc_str(jdoc_get(doc, "s")), "a\"\\\n#x1B\\xFF"));
	assert_int_equal(jdoc_int(jdoc_get(doc, "n"), 0), -5);
	assert_true(jdoc_bool(jdoc_get(doc, "b"), false));
	assert_int_equal(jdoc_type(jdoc_get(doc, "none")), JDOC_NULL);
	assert_true(slice_is(jdoc_str(jdoc_get(doc, "hex")), "6100ff"));
	assert_true(slice_is(jdoc_str(jdoc_get(doc, "empty")), ""));
	assert_int_equal(jdoc_type(jdoc_get(doc, "no_hex")), JDOC_NULL);
	assert_int_equal(jdoc_len(jdoc_get(doc, "list")), 2);
	assert_int_equal(jdoc_len(jdoc_at(jdoc_get(doc, "list"), 1)), 0);
	jdoc_free(doc);
	free(text);
}

static void
json_refuses_what_is_not_one_value(void **state)
{
	static const char *const bad[] = {"", "{", "{} x", "{\"a\":1,\"a\":2}",
		"[1,]", "\"\xff\"", "nul"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_null(jdoc_parse(slice_of(bad[i]), &e));
		assert_int_equal(e.kind, ERR_INPUT);
	}
}

static void
json_keys_match_without_case_only_when_asked(void **state)
{
	struct err e = {0};
	struct jdoc *doc =
		jdoc_parse(slice_of("{\"Env\":1,\"env\":2,\"Cmd\":3}"), &e);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(jdoc_int(jdoc_get_ci(doc, "env"), 0), 2);
	assert_int_equal(jdoc_int(jdoc_get_ci(doc, "cmd"), 0), 3);
	assert_null(jdoc_get(doc, "cmd"));
	jdoc_free(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_is_sha256),
		cmocka_unit_test(normalise_keeps_paths_inside),
		cmocka_unit_test(normalise_limits_length_and_refuses_nul),
		cmocka_unit_test(remove_does_not_follow_links),
		cmocka_unit_test(read_has_a_limit_and_wants_a_regular_file),
		cmocka_unit_test(aside_appears_whole_or_not),
		cmocka_unit_test(clock_prints_utc),
		cmocka_unit_test(json_comes_back_as_it_was_written),
		cmocka_unit_test(json_refuses_what_is_not_one_value),
		cmocka_unit_test(json_keys_match_without_case_only_when_asked),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
