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
#include "corpus/corpus.h"
#include "fetch/ref.h"

static bool
any_source(const char *source, struct buf *why)
{
	if (strncmp(source, "bad:", 4) != 0)
		return true;
	buf_str(why, "no such source");
	return false;
}

static bool
known_verdict(const char *name, struct buf *why)
{
	if (strcmp(name, "identical") == 0)
		return true;
	buf_str(why, "no such verdict");
	return false;
}

static const struct corpus_checks checks = {any_source, known_verdict};

/* Load text as "t.corpus" in a folder of its own, which is the working one. */
static int
load(const char *text, struct corpus *c, struct buf *mistakes)
{
	const char *const files[] = {"t.corpus"};
	struct err e = {0};

	assert_int_equal(aside_write("t.corpus", text, strlen(text), &e), 0);
	buf_clear(mistakes);
	return corpus_load(files, 1, &checks, c, mistakes, &e);
}

static void
every_field_is_read(void **state)
{
	struct corpus c;
	struct buf m = {0};
	const struct sample *s;

	(void)state;
	assert_int_equal(
		load("; comment\n(corpus (version 0)\n"
		     " (defaults (timeout 7200) (tags nightly))\n"
		     " (image (name \"a\") (source \"x.tar\"))\n"
		     " (image (name \"b\") (source \"docker-archive:y\")\n"
		     "  (sha256 \"ba7816bf8f01cfea414140de5dae2223"
		     "b00361a396177a9cb410ff61f20015ad\")\n"
		     "  (expect identical) (tags paper old) (timeout 5)\n"
		     "  (silence 3) (depth closure)\n"
		     "  (pack-options \"-S\" \"/bin=bin\")))\n",
			&c, &m),
		0);
	assert_int_equal(c.n, 2);
	s = &c.v[0];
	assert_string_equal(s->name, "a");
	assert_string_equal(s->collection, "t");
	assert_string_equal(s->tags[0], "nightly");
	assert_int_equal(s->timeout_s, 7200);
	assert_int_equal(s->silence_s, 0);
	assert_false(s->has_depth);
	assert_null(s->pack_options);
	assert_false(s->has_sha256);
	s = &c.v[1];
	assert_true(s->has_depth);
	assert_int_equal(s->depth, DEPTH_CLOSURE);
	assert_string_equal(s->source, "docker-archive:y");
	assert_true(s->has_sha256);
	assert_int_equal(s->sha256.b[0], 0xba);
	assert_string_equal(s->expect, "identical");
	assert_string_equal(s->tags[1], "old");
	assert_null(s->tags[2]);
	assert_int_equal(s->timeout_s, 5);
	assert_int_equal(s->silence_s, 3);
	assert_string_equal(s->pack_options[1], "/bin=bin");
	assert_null(s->pack_options[2]);
	assert_int_equal(s->line, 5);
	corpus_fini(&c);
	buf_fini(&m);
}

static void
mistakes_have_file_line_and_column(void **state)
{
	static const struct {
		const char *in, *mistakes;
	} rows[] = {
		{"(corpus (version 0)\n (image (name \"a\")))",
			"t.corpus:2:2: an image needs 'source'\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\")\n"
		 "  (colour red) (name \"b\")))",
			"t.corpus:2:3: unknown field 'colour' in image\n"
			"t.corpus:2:16: 'name' is given twice\n"},
		{"(corpus (version 0)\n"
		 " (image (name \"a\") (source \"x\"))\n"
		 " (image (name \"a\") (source \"y\")))",
			"t.corpus:3:2: the name 'a' is taken by t.corpus:2\n"},
		{"(corpus\n", "t.corpus:2:1: list of line 1 without end\n"},
		{"(corpus)", "t.corpus:1:1: (version 0) is missing\n"},
		{"(corpus (version 1))",
			"t.corpus:1:9: expected (version 0)\n"},
		{"", "t.corpus:1:1: expected one (corpus ...)\n"},
		{"(corpus (version 0) (image (name \"a\") "
		 "(source \"bad:x\")))",
			"t.corpus:1:47: no such source\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(expect good)))",
			"t.corpus:1:60: no such verdict\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(timeout 0)))",
			"t.corpus:1:52: 'timeout' takes seconds, 1 to "
			"2592000\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(timeout 2592001)))",
			"t.corpus:1:52: 'timeout' takes seconds, 1 to "
			"2592000\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(sha256 \"12\")))",
			"t.corpus:1:60: 'sha256' takes 64 hexadecimal "
			"digits\n"},
		{"(corpus (version 0) (image (name \"a\\nb\") "
		 "(source \"x\")))",
			"t.corpus:1:34: the name holds characters that cannot "
			"be shown\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(channels \"absent.scm\")))",
			"t.corpus:1:62: ./absent.scm: cannot open: No such "
			"file or directory\n"},
		{"(corpus (version 0) (defaults (name \"x\")))",
			"t.corpus:1:31: unknown field 'name' in defaults\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(depth deep)))",
			"t.corpus:1:59: 'deep' is no depth: recipe pack "
			"packages closure\n"},
		{"(corpus (version 0) (image (name \"a\") (source \"x\") "
		 "(depth 1)))",
			"t.corpus:1:52: 'depth' takes recipe, pack, packages "
			"or closure\n"},
	};
	struct buf m = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct corpus c;

		assert_int_equal(load(rows[i].in, &c, &m), -1);
		assert_string_equal(buf_text(&m), rows[i].mistakes);
		corpus_fini(&c);
	}
	buf_fini(&m);
}

/* A corpus with one image whose name has n bytes. */
static int
load_long_name(size_t n)
{
	struct buf text = {0}, m = {0};
	struct corpus c;
	int result;

	buf_str(&text, "(corpus (version 0) (image (source \"x\") (name \"");
	for (size_t i = 0; i < n; i++)
		buf_char(&text, 'n');
	buf_str(&text, "\")))");
	result = load(buf_text(&text), &c, &m);
	corpus_fini(&c);
	buf_fini(&text);
	buf_fini(&m);
	return result;
}

static void
names_are_limited(void **state)
{
	(void)state;
	assert_int_equal(load_long_name(CORPUS_NAME_MAX), 0);
	assert_int_equal(load_long_name(CORPUS_NAME_MAX + 1), -1);
	assert_int_equal(load_long_name(0), -1);
}

static void
channels_and_manifest_come_together(void **state)
{
	struct err e = {0};
	struct buf m = {0};
	struct corpus c;

	(void)state;
	assert_int_equal(aside_write("c.scm", "x", 1, &e), 0);
	assert_int_equal(load("(corpus (version 0) (image (name \"a\") "
			      "(source \"x\") (channels \"c.scm\")))",
				 &c, &m),
		-1);
	assert_string_equal(buf_text(&m),
		"t.corpus:1:21: 'channels' and 'manifest' are given together "
		"or not at all\n");
	corpus_fini(&c);
	assert_int_equal(load("(corpus (version 0) (image (name \"a\") "
			      "(source \"x\") (channels \"c.scm\") "
			      "(manifest \"c.scm\")))",
				 &c, &m),
		0);
	assert_string_equal(c.v[0].channels, "./c.scm");
	corpus_fini(&c);
	buf_fini(&m);
}

static void
selection_by_name_and_tag(void **state)
{
	static const char *const tags[] = {"nightly", NULL};
	const struct sample s = {.name = "paper-1", .tags = tags};
	const struct sample bare = {.name = "paper-1"};

	(void)state;
	assert_true(selection_has(&(struct selection){0}, &s));
	assert_true(selection_has(&(struct selection){.only = "paper-*"}, &s));
	assert_false(selection_has(&(struct selection){.only = "x*"}, &s));
	assert_true(selection_has(&(struct selection){.tag = "nightly"}, &s));
	assert_false(selection_has(&(struct selection){.tag = "night"}, &s));
	assert_false(
		selection_has(&(struct selection){.tag = "nightly"}, &bare));
}

static void
references_name_what_is_allowed(void **state)
{
	struct err e = {0};
	struct ref r;

	(void)state;
	assert_int_equal(ref_parse("docker-archive:a.tar", "d", &r, &e), 0);
	assert_string_equal(r.path, "d/a.tar");
	ref_fini(&r);
	assert_int_equal(ref_parse("/x/a:b.tar", "d", &r, &e), 0);
	assert_string_equal(r.path, "/x/a:b.tar");
	ref_fini(&r);
	assert_int_equal(ref_parse("nonsense:x", NULL, &r, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_non_null(strstr(e.text,
		"'nonsense:x' names no transport that is known: "
		"docker-archive:"));
	assert_int_equal(ref_parse("docker-archive:", NULL, &r, &e), -1);
	assert_int_equal(ref_parse("", NULL, &r, &e), -1);
}

static int
enter_folder(void **state)
{
	char path[] = "/tmp/unblend-test-XXXXXX";

	if (!mkdtemp(path) || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return 0;
}

static int
leave_folder(void **state)
{
	struct err e = {0};
	int result = chdir("/") < 0 || path_remove(*state, &e) < 0;

	free(*state);
	return result;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(mistakes_have_file_line_and_column),
		cmocka_unit_test(names_are_limited),
		cmocka_unit_test(channels_and_manifest_come_together),
		cmocka_unit_test(selection_by_name_and_tag),
		cmocka_unit_test(references_name_what_is_allowed),
	};

	return cmocka_run_group_tests_name(
		"corpus", tests, enter_folder, leave_folder);
}
