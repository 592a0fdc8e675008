/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/aside.h"
#include "base/path.h"
#include "sched/basis.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char *const no_words[] = {NULL};

static char *
mark(const char *source, const char *folder, bool has_sha256)
{
	struct sample s = {.name = "a", .source = source, .folder = folder};

	s.has_sha256 = has_sha256;
	if (has_sha256)
		assert_true(digest_parse(slice_of(HEX64), &s.sha256));
	return basis_mark(&s);
}

static void
what_is_elsewhere_is_known_by_a_digest_alone(void **state)
{
	static const struct {
		const char *source, *mark;
		bool has_sha256;
	} rows[] = {
		{"docker://example.org/a:1", NULL, false},
		{"docker://example.org/a:1", NULL, true},
		{"docker://example.org/a@sha256:" HEX64, "sha256:" HEX64,
			false},
		{"https://example.org/a.tar", NULL, false},
		{"https://example.org/a.tar", "sha256:" HEX64, true},
		{"docker-daemon:a:1", NULL, false},
		{"oci:/nowhere/at/all", NULL, false},
		{"/nowhere/at/all.tar", NULL, false},
		{"rootfs:/proc", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(own_free)
		char *is = mark(rows[i].source, NULL, rows[i].has_sha256);

		if (rows[i].mark)
			assert_string_equal(is, rows[i].mark);
		else
			assert_null(is);
	}
}

static void
write_file(const char *folder, const char *name, const char *text)
{
	CLEANUP(own_free)
	char *path = path_join(folder, name);
	struct err e = {0};

	assert_int_equal(aside_write(path, text, strlen(text), &e), 0);
}

static void
a_file_is_known_by_what_its_inode_says(void **state)
{
	char folder[] = "/tmp/unblend-basis-XXXXXX";
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(folder, "a", "1234567");
	{
		CLEANUP(own_free)
		char *was = mark("a", folder, false);
		CLEANUP(own_free)
		char *again = mark("pack:a", folder, false);

		assert_int_equal(strncmp(was, "7 ", 2), 0);
		assert_string_equal(was, again);
		write_file(folder, "a", "7654321");
		free(again);
		again = mark("a", folder, false);
		assert_string_not_equal(was, again);
	}
	/* Of layouts, the file that lists what is in them. */
	write_file(folder, "index.json", "{}");
	write_file(folder, "manifest.json", "{ }");
	{
		CLEANUP(own_free)
		char *oci = xasprintf("oci:%s:name", folder);
		CLEANUP(own_free)
		char *dir = xasprintf("dir:%s", folder);
		CLEANUP(own_free)
		char *of_oci = mark(oci, NULL, false);
		CLEANUP(own_free)
		char *of_dir = mark(dir, NULL, false);

		assert_int_equal(strncmp(of_oci, "2 ", 2), 0);
		assert_int_equal(strncmp(of_dir, "3 ", 2), 0);
	}
	assert_int_equal(path_remove(folder, &e), 0);
}

static struct store_basis
of(const struct sched_options *o, const struct sample *s)
{
	struct basis b;
	struct store_basis out;
	struct err e = {0};

	assert_int_equal(basis_open(&b, o, &e), 0);
	basis_of(&b, s, &out);
	/* Neither outlives b. */
	out.file = "f";
	out.guix = "g";
	basis_fini(&b);
	return out;
}

/* Each of these alone is a change. */
static void
all_that_a_verdict_depends_on_is_in_it(void **state)
{
	static const char *const mirrors[] = {"https://a/", "https://b/", NULL};
	static const char *const words[] = {"-S", "/bin=bin", NULL};
	static const char *const joined[] = {"-S/bin=bin", NULL};
	const struct sched_options base = {
		.version = "1", .guix = "/none", .limits = {.deadline_s = 1}};
	struct sched_options o[7];
	const struct sample sample = {.name = "a", .source = "x"};
	struct sample s[9];
	const struct store_basis is = of(&base, &sample);
	struct store_basis other = of(&base, &sample);

	(void)state;
	assert_true(basis_same(&is, &other));
	for (size_t i = 0; i < ARRAY_LEN(o); i++)
		o[i] = base;
	o[0].version = "2";
	o[1].depth = DEPTH_CLOSURE;
	o[2].mirrors = mirrors;
	o[3].platform = "linux/arm64";
	o[4].limits.deadline_s = 2;
	o[5].limits.processes = 2;
	o[6].image_limits.layers = 2;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		other = of(&o[i], &sample);
		assert_false(basis_same(&is, &other));
	}
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		s[i] = sample;
	s[0].source = "y";
	s[1].has_depth = true;
	s[2].timeout_s = 3;
	s[3].silence_s = 3;
	s[4].has_sha256 = true;
	s[5].pack_options = no_words;
	s[6].pack_options = words;
	s[7].pack_options = joined;
	s[8].channels = "/nowhere";
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		for (size_t k = 0; k <= i; k++) {
			struct store_basis a = of(&base, &s[i]);
			struct store_basis b = k < i ? of(&base, &s[k]) : is;

			assert_false(basis_same(&a, &b));
		}
	/* What names it, and what is expected of it, is not. */
	s[0] = sample;
	s[0].name = "b";
	s[0].expect = "different";
	s[0].tags = words;
	other = of(&base, &s[0]);
	assert_true(basis_same(&is, &other));
	other.file = NULL;
	assert_false(basis_same(&is, &other));
	assert_false(basis_same(&other, &other));
	other.file = "f";
	other.guix = "h";
	assert_false(basis_same(&is, &other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_elsewhere_is_known_by_a_digest_alone),
		cmocka_unit_test(a_file_is_known_by_what_its_inode_says),
		cmocka_unit_test(all_that_a_verdict_depends_on_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
