/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "rebuild/drv.h"
#include "rebuild/guix.h"

/* Store items that no store has. */
#define H1 "00000000000000000000000000000001"
#define H2 "00000000000000000000000000000002"
#define H3 "00000000000000000000000000000003"
#define S "/gnu/store/"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define INTRO "76543210fedcba9876543210fedcba9876543210"

static void
store_paths_are_checked_whole(void **state)
{
	static const char *const bad[] = {"", S, S H1, S H1 "-",
		"/gnu/stor/" H1 "-x", S "e0000000000000000000000000000001-x",
		S "0000000000000000000000000000001-x", S H1 "-x/bin",
		S H1 "-x y", S H1 "-.x", S H1 "-x\n", S "../" H1 "-x"};
	char name[400];

	(void)state;
	assert_true(guix_is_store_path(slice_of(S H1 "-x")));
	assert_true(guix_is_store_path(slice_of(S H1 "-a+b-1.0_?=x")));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (guix_is_store_path(slice_of(bad[i])))
			fail_msg("%s", bad[i]);
	memset(name, 'a', sizeof(name));
	memcpy(name, S H1 "-", strlen(S H1 "-"));
	assert_true(guix_is_store_path(
		(struct slice){name, strlen(S H1 "-") + GUIX_NAME_MAX}));
	assert_false(guix_is_store_path(
		(struct slice){name, strlen(S H1 "-") + GUIX_NAME_MAX + 1}));
	assert_true(guix_is_drv(slice_of(S H1 "-x.drv")));
	assert_false(guix_is_drv(slice_of(S H1 "-x")));
}

static void
time_machine_lowers_with_the_recipe_s_words(void **state)
{
	static const char *const options[] = {
		"--format=docker", "-S", "/a b=c"};
	static const char *const limits[] = {"--timeout=9", NULL};
	static const char *const want[] = {"/g/guix", "time-machine",
		"--timeout=9", "-C", "/w/channels.scm", "--", "pack",
		"--timeout=9", "--verbosity=3", "--format=docker", "-S",
		"/a b=c", "-d", "-m", "/w/manifest.scm"};
	struct recipe r = {.options = options, .n_options = 3};
	struct arena a = {0};
	struct words w = {.arena = &a};

	(void)state;
	guix_time_machine(&w, "/g/guix", "/w/channels.scm", limits);
	guix_pack(&w, &r, "/w/manifest.scm", limits);
	assert_int_equal(w.n, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < w.n; i++)
		assert_string_equal(w.v[i], want[i]);
	words_fini(&w);
	arena_fini(&a);
}

static void
version_is_found(void **state)
{
	struct arena a = {0};

	(void)state;
	assert_string_equal(
		guix_version(&a, slice_of("guix (GNU Guix) 1.5.0\nCopyright")),
		"1.5.0");
	assert_string_equal(
		guix_version(&a, slice_of("guix (GNU Guix) " COMMIT "\n")),
		COMMIT);
	assert_null(guix_version(&a, slice_of("guix 1.5.0\n")));
	assert_null(guix_version(&a, slice_of("")));
	assert_null(guix_version(&a, slice_of("x\nguix (GNU Guix) 1\n")));
	arena_fini(&a);
}

static void
one_derivation_is_taken(void **state)
{
	struct arena a = {0};

	(void)state;
	assert_string_equal(
		guix_drv_printed(&a, slice_of(S H1 "-x.drv\n")), S H1 "-x.drv");
	assert_string_equal(
		guix_drv_printed(&a,
			slice_of("hint: y\n" S H1 "-x.drv\n" S H1 "-x.drv\n")),
		S H1 "-x.drv");
	assert_null(guix_drv_printed(&a, slice_of("")));
	assert_null(guix_drv_printed(&a, slice_of(S H1 "-x\n")));
	assert_null(guix_drv_printed(
		&a, slice_of(S H1 "-x.drv\n" S H2 "-y.drv\n")));
	arena_fini(&a);
}

/* As guix describe -f channels prints it. */
static const char described[] = "(list (channel\n"
				"       (name 'guix)\n"
				"       (url \"https://a.example/guix\")\n"
				"       (branch \"master\")\n"
				"       (commit \"" COMMIT "\")\n"
				"       (introduction\n"
				"        (make-channel-introduction\n"
				"         \"" INTRO "\"\n"
				"         (openpgp-fingerprint\n"
				"          \"AAAA BBBB\"))))\n"
				"      (channel\n"
				"       (name 'other)\n"
				"       (url \"https://a.example/other\")\n"
				"       (branch \"main\")\n"
				"       (commit \"" INTRO "\")))\n";

static void
described_channels_are_read(void **state)
{
	struct arena a = {0};
	struct channel *c;
	struct err e = {0};
	size_t n;

	(void)state;
	assert_int_equal(
		guix_channels_parse(&a, slice_of(described), &c, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(c[0].name, "guix");
	assert_string_equal(c[0].url, "https://a.example/guix");
	assert_string_equal(c[0].branch, "master");
	assert_string_equal(c[0].commit, COMMIT);
	assert_string_equal(c[0].intro_commit, INTRO);
	assert_string_equal(c[0].intro_signer, "AAAA BBBB");
	assert_string_equal(c[1].name, "other");
	assert_null(c[1].intro_commit);
	assert_int_equal(
		guix_channels_parse(&a, slice_of("(channel)"), &c, &n, &e), -1);
	assert_int_equal(
		guix_channels_parse(&a, slice_of("(list (x))"), &c, &n, &e),
		-1);
	assert_int_equal(
		guix_channels_parse(&a,
			slice_of("(list (channel (name 'guix)))"), &c, &n, &e),
		-1);
	assert_int_equal(
		guix_channels_parse(&a, slice_of("(list"), &c, &n, &e), -1);
	arena_fini(&a);
}

static void
channels_of_an_instance_are_in_its_profile(void **state)
{
	/* Version 3 as Guix 1.5.0 writes it; and without a channel's name and
	 * introduction, as in 2020. */
	static const char manifest[] =
		";; comment\n(manifest (version 3) (packages (("
		"\"guix\" \"8fd4a6c\" \"out\" \"/gnu/store/x\""
		" (propagated-inputs ()) (search-paths ()) (properties (source"
		" (repository (version 0) (url \"https://a.example/guix\")"
		" (branch \"master\") (commit \"" COMMIT "\") (name guix)"
		" (introduction (channel-introduction (version 0)"
		" (commit \"" INTRO "\") (signer \"AAAA BBBB\")))))))"
		"(\"other\" \"1\" \"out\" \"/gnu/store/y\""
		" (properties (source (repository (version 0)"
		" (url \"u\") (branch \"b\") (commit \"c\"))))))))";
	static const char *const bad[] = {"", "(manifest)", "(x (packages ()))",
		"(manifest (packages ((\"guix\"))))",
		"(manifest (packages (guix)))",
		("(manifest (packages ((\"g\" (properties (source (repository"
		 " (url \"u\"))))))))")};
	struct arena a = {0};
	struct channel *c;
	struct err e = {0};
	size_t n;

	(void)state;
	assert_int_equal(
		guix_instance_parse(&a, slice_of(manifest), &c, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(c[0].name, "guix");
	assert_string_equal(c[0].url, "https://a.example/guix");
	assert_string_equal(c[0].branch, "master");
	assert_string_equal(c[0].commit, COMMIT);
	assert_string_equal(c[0].intro_commit, INTRO);
	assert_string_equal(c[0].intro_signer, "AAAA BBBB");
	assert_true(c[0].is_named);
	assert_string_equal(c[1].name, "other");
	assert_string_equal(c[1].commit, "c");
	assert_null(c[1].intro_commit);
	assert_false(c[1].is_named);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			guix_instance_parse(&a, slice_of(bad[i]), &c, &n, &e),
			-1);
	arena_fini(&a);
}

static void
check_that_could_not_be_is_told_from_one_that_differs(void **state)
{
	static const char drv[] = "/gnu/store/a.drv";

	(void)state;
	assert_true(guix_check_impossible(
		slice_of("guix build: error: `/gnu/store/a.drv' is missing "
			 "outputs; build it normally before using `--check'\n"),
		drv));
	assert_false(guix_check_impossible(
		slice_of("guix build: error: `/gnu/store/b.drv' is missing "
			 "outputs; build it normally before using `--check'\n"),
		drv));
	assert_false(guix_check_impossible(
		slice_of("`/gnu/store/a.drv' is missing outputs; x\n"), drv));
}

static void
instance_must_have_the_recipe_s_channels(void **state)
{
	struct arena a = {0};
	struct channel *have, want[2];
	struct buf why = {0};
	struct err e = {0};
	size_t n;

	(void)state;
	assert_int_equal(
		guix_channels_parse(&a, slice_of(described), &have, &n, &e), 0);
	/* In another order, spaces of the fingerprint apart. */
	want[0] = have[1];
	want[1] = have[0];
	want[1].intro_signer = "AAAABBBB";
	assert_true(guix_channels_match(want, 2, have, 2, &why));
	/* Guix adds the official introduction where none was recorded. */
	want[1].intro_commit = want[1].intro_signer = NULL;
	assert_true(guix_channels_match(want, 2, have, 2, &why));
	assert_int_equal(why.n, 0);

	/* The trap: same commits, another URL. */
	want[1] = have[0];
	want[1].url = "https://b.example/guix";
	assert_false(guix_channels_match(want, 2, have, 2, &why));
	assert_string_equal(buf_text(&why),
		"channel 'guix': the instance's URL is https://a.example/guix, "
		"the recipe's https://b.example/guix");
	buf_clear(&why);
	want[1] = have[0];
	want[1].commit = INTRO;
	assert_false(guix_channels_match(want, 2, have, 2, &why));
	want[1] = have[0];
	want[1].intro_signer = "AAAA CCCC";
	assert_false(guix_channels_match(want, 2, have, 2, &why));
	want[1] = have[0];
	want[1].intro_commit = COMMIT;
	assert_false(guix_channels_match(want, 2, have, 2, &why));
	/* One that was to be authenticated and was not. */
	want[1] = have[0];
	have[0].intro_commit = have[0].intro_signer = NULL;
	assert_false(guix_channels_match(want, 2, have, 2, &why));
	assert_false(guix_channels_match(want, 1, have, 2, &why));
	want[0].name = "nosuch";
	assert_false(guix_channels_match(want, 2, have, 2, &why));
	buf_fini(&why);
	arena_fini(&a);
}

static void
derivations_are_read(void **state)
{
	static const char text[] =
		"Derive([(\"doc\",\"" S H2
		"-x-doc\",\"\",\"\"),(\"out\",\"" S H1
		"-x\",\"\",\"\")],[(\"" S H1 "-a.drv\",[\"out\",\"lib\"]),"
		"(\"" S H2 "-profile.drv\",[\"out\"])],[\"" S H3
		"-builder\"],\"x86_64-linux\",\"/b\",[\"a\"],[(\"k\",\"v\")])";
	static const char source[] = "Derive([(\"out\",\"" S H1
				     "-x.tar\",\"sha256\",\"00ff\")],[],[],";
	struct arena a = {0};
	struct err e = {0};
	struct drv d;

	(void)state;
	assert_int_equal(drv_parse(&a, slice_of(text), &d, &e), 0);
	assert_int_equal(d.n_outputs, 2);
	assert_string_equal(drv_out(&d), S H1 "-x");
	assert_int_equal(d.n_inputs, 2);
	assert_string_equal(d.inputs[0], S H1 "-a.drv");
	assert_string_equal(d.inputs[1], S H2 "-profile.drv");
	assert_false(drv_is_source(&d));
	assert_int_equal(drv_parse(&a, slice_of(source), &d, &e), 0);
	assert_int_equal(d.n_inputs, 0);
	assert_true(drv_is_source(&d));
	/* Cut anywhere before its sources, it is an error and no crash. */
	for (size_t n = 0; n < sizeof(source) - 1 - 3; n++) {
		char *cut = xmemdup0(source, n);

		assert_int_equal(
			drv_parse(&a, (struct slice){cut, n}, &d, &e), -1);
		assert_int_equal(e.kind, ERR_INPUT);
		free(cut);
	}
	assert_int_equal(drv_parse(&a,
				 slice_of("Derive([(\"out\",\"/etc/passwd\","
					  "\"\",\"\")],[],["),
				 &d, &e),
		-1);
	assert_int_equal(drv_parse(&a,
				 slice_of("Derive([],[(\"/tmp/x.drv\",[\"out\"]"
					  ")],["),
				 &d, &e),
		-1);
	arena_fini(&a);
}

static void
lines_end_at_the_progress_bar_too(void **state)
{
	static const char text[] =
		"a b\n\n\x1b[K\xe2\x96\x95\xe2\x96\x88\xe2\x96\x88\xe2\x96\x8f"
		"guix x: error: y\n\x1b[Kzz\rlast";
	static const char *const want[] = {
		"a b", "guix x: error: y", "zz", "last"};
	struct slice rest = slice_of(text), line;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(guix_log_line(&rest, &line));
		assert_true(slice_is(line, want[i]));
	}
	assert_false(guix_log_line(&rest, &line));
	/* Nothing of these is a line, and none is endless. */
	rest = slice_of("\x1b");
	while (guix_log_line(&rest, &line))
		;
	rest = slice_of("\x1b[12;3");
	assert_false(guix_log_line(&rest, &line));
	rest = slice_of("\xe2\x96");
	while (guix_log_line(&rest, &line))
		;
	assert_int_equal(rest.n, 0);
}

static void
log_tells_what_was_built(void **state)
{
	static const char log[] = "The following derivations will be built:\n"
				  "  " S H1 "-a.drv\n"
				  "substituting " S H3 "-c...\n"
				  "building " S H1 "-a.drv...\n"
				  "successfully built " S H1 "-a.drv\n"
				  "building " S H2 "-b.drv...\n"
				  "successfully built " S H1 "-a.drv\n"
				  "successfully built ../x.drv\n";
	struct arena a = {0};
	struct guix_told t = {0};

	(void)state;
	guix_told_read(&t, &a, slice_of(log));
	assert_int_equal(t.n_built, 1);
	assert_true(guix_told_built(&t, S H1 "-a.drv"));
	/* Begun is not done. */
	assert_false(guix_told_built(&t, S H2 "-b.drv"));
	assert_int_equal(t.substituted, 1);
	guix_told_fini(&t);
	arena_fini(&a);
}

static void
check_tells_where_it_kept_other_bits(void **state)
{
	static const char log[] =
		"building " S H1 "-a.drv...\n"
		"note: keeping build directory `/tmp/guix-build-a.drv-0'\n"
		"guix build: error: derivation `" S H1 "-a.drv' may not be "
		"deterministic: output `" S H2 "-a' differs from `" S H2
		"-a-check'\n";
	static const char unkept[] =
		"guix build: error: derivation `" S H1 "-a.drv' may not be "
		"deterministic: output `" S H2 "-a' differs\n";
	struct arena a = {0};

	(void)state;
	assert_string_equal(
		guix_check_differs(&a, slice_of(log), S H1 "-a.drv", S H2 "-a"),
		S H2 "-a-check");
	assert_null(guix_check_differs(
		&a, slice_of(unkept), S H1 "-a.drv", S H2 "-a"));
	/* What another derivation's check kept is not ours. */
	assert_null(guix_check_differs(
		&a, slice_of(log), S H3 "-a.drv", S H2 "-a"));
	assert_null(guix_check_differs(
		&a, slice_of(log), S H1 "-a.drv", S H3 "-a"));
	arena_fini(&a);
}

static void
folder_that_a_check_left_is_known(void **state)
{
	static const struct {
		const char *log, *folder;
	} cases[] = {
		{"note: keeping build directory "
		 "`/tmp/guix-build-a.drv-0'\n",
			"/tmp/guix-build-a.drv-0"},
		{"a\nnote: keeping build directory "
		 "`/var/b/guix-build-a.drv-12'\nb\n",
			"/var/b/guix-build-a.drv-12"},
		/* Said by a builder, of something else. */
		{"note: keeping build directory `/etc'\n", NULL},
		{"note: keeping build directory `/tmp/guix-build-b.drv-0'\n",
			NULL},
		{"note: keeping build directory "
		 "`/tmp/guix-build-a.drv-0/x'\n",
			NULL},
		{"note: keeping build directory "
		 "`/tmp/../etc/guix-build-a.drv-0'\n",
			NULL},
		{"note: keeping build directory `guix-build-a.drv-0'\n", NULL},
		{"note: keeping build directory `/tmp/guix-build-a.drv-'\n",
			NULL},
		{"note: keeping build directory `'\n", NULL},
		{"", NULL},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *folder = guix_kept_folder(
			&a, slice_of(cases[i].log), S H1 "-a.drv");

		if (cases[i].folder)
			assert_string_equal(folder, cases[i].folder);
		else
			assert_null(folder);
	}
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_paths_are_checked_whole),
		cmocka_unit_test(time_machine_lowers_with_the_recipe_s_words),
		cmocka_unit_test(version_is_found),
		cmocka_unit_test(one_derivation_is_taken),
		cmocka_unit_test(described_channels_are_read),
		cmocka_unit_test(channels_of_an_instance_are_in_its_profile),
		cmocka_unit_test(
			check_that_could_not_be_is_told_from_one_that_differs),
		cmocka_unit_test(instance_must_have_the_recipe_s_channels),
		cmocka_unit_test(derivations_are_read),
		cmocka_unit_test(lines_end_at_the_progress_bar_too),
		cmocka_unit_test(log_tells_what_was_built),
		cmocka_unit_test(check_tells_where_it_kept_other_bits),
		cmocka_unit_test(folder_that_a_check_left_is_known),
	};

	return cmocka_run_group_tests_name("guix", tests, NULL, NULL);
}
