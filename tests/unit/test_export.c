/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"

/* A manifest, and what guix package of Guix 1.5.0 exported of it. */
static const char manifest[] =
	"(manifest\n"
	"  (version 4)\n"
	"  (packages\n"
	"    ((\"r-ggplot2\" \"3.5.1\" \"out\" \"/gnu/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-r-ggplot2-3.5.1\"\n"
	"      (propagated-inputs\n"
	"        ((\"r-rlang\" \"1.1.4\" \"out\" \"/gnu/store/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-r-rlang-1.1.4\")))\n"
	"      (search-paths ((\"R_LIBS_SITE\" (\"site-library/\") \":\" directory #f)))\n"
	"      (properties\n"
	"        ((provenance\n"
	"           (repository (version 0)\n"
	"             (url \"https://git.savannah.gnu.org/git/guix.git\")\n"
	"             (branch \"master\")\n"
	"             (commit \"44bbfc24e4bcc48d0e3343cd3d83452721af8c36\")\n"
	"             (name guix)\n"
	"             (introduction\n"
	"               (channel-introduction (version 0)\n"
	"                 (commit \"9edb3f66fd807b096b48283debdcddccfea34bad\")\n"
	"                 (signer \"BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA\"))))))))\n"
	"     (repeated \"r-rlang\" \"1.1.4\" \"/gnu/store/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-r-rlang-1.1.4\")\n"
	"     (\"hello\" \"2.12.1\" \"out\" \"/gnu/store/cccccccccccccccccccccccccccccccc-hello-2.12.1\"\n"
	"      (properties\n"
	"        ((provenance\n"
	"           (repository (version 0)\n"
	"             (url \"https://git.savannah.gnu.org/git/guix.git\")\n"
	"             (branch \"master\")\n"
	"             (commit \"55bbfc24e4bcc48d0e3343cd3d83452721af8c36\"))\n"
	"           (repository (version 0)\n"
	"             (url \"https://gitlab.inria.fr/guix-hpc/guix-hpc.git\")\n"
	"             (branch \"master\")\n"
	"             (commit \"66bbfc24e4bcc48d0e3343cd3d83452721af8c36\")))\n"
	"         (transformations (with-source . \"hello=https://x/hello-2.13.tar.gz\") (without-tests . \"hello\")))))\n"
	"     (\"git\" \"2.46.0\" \"send-email\" \"/gnu/store/dddddddddddddddddddddddddddddddd-git-2.46.0-send-email\")\n"
	"     (\"nonesuch-xyz\" \"1.0\" \"out\" \"/gnu/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-nonesuch-xyz-1.0\")\n"
	"     (\"guile\" \"2.2.7\" \"debug\" \"/gnu/store/ffffffffffffffffffffffffffffffff-guile-2.2.7-debug\"\n"
	"      (properties ((transformations (without-tests . \"hello\") (with-source . \"hello=https://x/hello-2.13.tar.gz\"))))))))\n";
static const char channels[] =
	";; This channel file can be passed to 'guix pull -C' or to\n"
	";; 'guix time-machine -C' to obtain the Guix revision that was\n"
	";; used to populate this profile.\n"
	"\n"
	"(list\n"
	"     ;; Note: these other commits were also used to install some of the packages in this profile:\n"
	"     ;;   \"55bbfc24e4bcc48d0e3343cd3d83452721af8c36\"\n"
	"     (channel\n"
	"      (name 'guix)\n"
	"      (url \"https://git.savannah.gnu.org/git/guix.git\")\n"
	"      (branch \"master\")\n"
	"      (commit \"44bbfc24e4bcc48d0e3343cd3d83452721af8c36\")\n"
	"      (introduction\n"
	"       (make-channel-introduction\n"
	"        \"9edb3f66fd807b096b48283debdcddccfea34bad\"\n"
	"        (openpgp-fingerprint\n"
	"         \"BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA\"))))\n"
	"     (channel\n"
	"      (name 'channel1)\n"
	"      (url \"https://gitlab.inria.fr/guix-hpc/guix-hpc.git\")\n"
	"      (branch \"master\")\n"
	"      (commit \"66bbfc24e4bcc48d0e3343cd3d83452721af8c36\"))\n"
	")\n";
static const char code[] =
	";; This \"manifest\" file can be passed to 'guix package -m' to reproduce\n"
	";; the content of your profile.  This is \"symbolic\": it only specifies\n"
	";; package names.  To reproduce the exact same profile, you also need to\n"
	";; capture the channels being used, as returned by \"guix describe\".\n"
	";; See the \"Replicating Guix\" section in the manual.\n"
	"\n"
	"(use-modules (guix transformations))\n"
	"\n"
	"(define transform2\n"
	"  (options->transformation\n"
	"   '((without-tests . \"hello\")\n"
	"     (with-source . \"hello=https://x/hello-2.13.tar.gz\"))))\n"
	"\n"
	"(define transform1\n"
	"  (options->transformation\n"
	"   '((with-source . \"hello=https://x/hello-2.13.tar.gz\")\n"
	"     (without-tests . \"hello\"))))\n"
	"\n"
	"(packages->manifest\n"
	" (list (specification->package \"r-ggplot2\")\n"
	"       (specification->package \"r-rlang\")\n"
	"       (transform1 (specification->package \"hello\"))\n"
	"       (list (specification->package \"git\") \"send-email\")\n"
	"       (specification->package \"nonesuch-xyz\")\n"
	"       (list (transform2 (specification->package \"guile@2.2.7\")) \"debug\")))\n";

static struct provenance *
parse(const char *text)
{
	struct provenance *p = NULL;
	struct err e = {0};

	if (provenance_parse("/gnu/store/x-profile", slice_of(text), &p, &e) <
			0 &&
		!p)
		fail_msg("%s", e.text);
	return p;
}

static void
a_sample_is_exported_as_guix_did(void **state)
{
	struct provenance *p = parse(manifest);
	static const char *const guile[] = {"3.0.9", "2.2.7", "2.2.4"};
	static const char *const one[] = {"1"};
	struct versions known[16];
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	assert_true(p->n_packages <= 16);
	for (size_t i = 0; i < p->n_packages; i++)
		known[i] = strcmp(p->packages[i]->name, "guile") == 0
			? (struct versions){guile, 3}
			: (struct versions){one, 1};
	assert_int_equal(recipe_export_channels(p, &b, &e), 0);
	assert_string_equal(buf_text(&b), channels);
	buf_clear(&b);
	assert_int_equal(recipe_export_manifest(p, known, &b, &e), 0);
	assert_string_equal(buf_text(&b), code);
	buf_fini(&b);
	provenance_free(p);
}

/* guix/utils.scm, version-unique-prefix, and gnu/packages.scm. */
static void
no_more_of_a_version_than_tells_it_apart(void **state)
{
	static const struct {
		const char *version, *known[4], *spec;
	} rows[] = {
		{"2.0", {"3.0", "2.0"}, "hello@2"},
		{"2.2", {"3.0.5", "2.0.9", "2.2.7"}, "hello@2.2"},
		{"27.1", {"27.1"}, "hello"},
		{"27.1", {"28"}, "hello"},
		{"3.0", {"3.0", "2.0"}, "hello"},
		{"3.1", {"3.0", "2.0"}, "hello"},
		{"1.0", {"1.0.1", "1.0"}, "hello@1.0"},
		{"1.0", {"1.0.1", "2"}, "hello@1.0"},
		{"0.9", {"1", "2"}, "hello@0"},
		{"1..2", {"1.3", "2"}, "hello@1.2"},
		{"5", {NULL}, "hello"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf text = {0}, got = {0};
		struct versions known = {.v = rows[i].known};
		struct provenance *p;
		struct err e = {0};

		while (known.n < 4 && rows[i].known[known.n])
			known.n++;
		buf_printf(&text,
			"(manifest (version 4) (packages ((\"hello\" \"%s\" "
			"\"out\" \"/gnu/store/x\"))))",
			rows[i].version);
		p = parse(buf_text(&text));
		assert_int_equal(
			recipe_export_manifest(p, &known, &got, &e), 0);
		buf_clear(&text);
		buf_printf(&text, "(specifications->manifest (list \"%s\"))\n",
			rows[i].spec);
		if (!slice_ends(buf_get(&got), buf_text(&text)))
			fail_msg("%s: %s", rows[i].version, buf_text(&got));
		buf_fini(&text);
		buf_fini(&got);
		provenance_free(p);
	}
}

static void
what_cannot_be_exported_is_an_error(void **state)
{
	struct provenance *p = parse("(manifest (version 4) (packages ((\"a\" "
				     "\"1\" \"out\" \"p\"))))");
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(recipe_export_channels(p, &b, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	provenance_free(p);
	p = parse("(manifest (version 1) (packages ((\"a\" \"1\" \"out\" "
		  "\"p\"))))");
	assert_int_equal(
		recipe_export_manifest(p, &(struct versions){NULL, 0}, &b, &e),
		-1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(b.n, 0);
	provenance_free(p);
	p = parse("(manifest (version 4) (packages ((\"a\" \"1\" \"out\" "
		  "\"p\" (properties ((provenance (repository (version 0) "
		  "(url \"u\") (branch \"b\") (commit \"c\") (introduction "
		  "(channel-introduction (version 0) (commit \"d\") (signer "
		  "\"AA 12\")))))))))))");
	assert_int_equal(recipe_export_channels(p, &b, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	provenance_free(p);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_is_exported_as_guix_did),
		cmocka_unit_test(no_more_of_a_version_than_tells_it_apart),
		cmocka_unit_test(what_cannot_be_exported_is_an_error),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
