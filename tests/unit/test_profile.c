/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/path.h"
#include "base/sexp.h"
#include "provenance/profile.h"
#include "provenance/provenance.h"

#define PROFILE "/gnu/store/0000000000000000000000000000000p-profile"
#define GUIX_REPOSITORY                                                      \
	"(repository (version 0) (url \"https://git.example.org/guix.git\")" \
	" (branch \"master\")"                                               \
	" (commit \"1111111111111111111111111111111111111111\")"             \
	" (name guix) (introduction (channel-introduction (version 0)"       \
	" (commit \"2222222222222222222222222222222222222222\")"             \
	" (signer \"AAAA BBBB CCCC DDDD EEEE  FFFF 0000 1111 2222 3333\"))))"
#define LAB_REPOSITORY                                                      \
	"(repository (version 0) (url \"https://lab.example.org/lab.git\")" \
	" (branch \"main\")"                                                \
	" (commit \"3333333333333333333333333333333333333333\")"            \
	" (name lab))"
#define V4(entries) "(manifest (version 4) (packages (" entries ")))"
#define V3(entries) "(manifest (version 3) (packages (" entries ")))"

static struct provenance *
parse(const char *text, int status, enum err_kind kind)
{
	struct provenance *p = NULL;
	struct err e = {0};

	assert_int_equal(
		provenance_parse(PROFILE, slice_of(text), &p, &e), status);
	assert_int_equal(e.kind, kind);
	return p;
}

static void
fails(const char *text, enum err_kind kind, const char *with)
{
	struct provenance *p = NULL;
	struct err e = {0};

	assert_int_equal(provenance_parse(PROFILE, slice_of(text), &p, &e), -1);
	assert_null(p);
	assert_int_equal(e.kind, kind);
	if (!strstr(e.text, with))
		fail_msg("\"%s\" does not say \"%s\"", e.text, with);
}

static void
label_is(const struct package *p, const char *label)
{
	char *s = package_label(p);

	assert_string_equal(s, label);
	free(s);
}

static void
version_4_gives_entries_in_order(void **state)
{
	struct provenance *p;
	const struct channel *c;

	(void)state;
	p = parse(";; made by Guix\n\n" V4(
			  "(\"b\" \"2.0\" \"out\" \"/gnu/store/x-b-2.0\""
			  " (properties ((provenance " GUIX_REPOSITORY
			  " " LAB_REPOSITORY "))))"
			  "(\"a\" \"\" \"doc\" \"/gnu/store/x-a-doc\""
			  " (properties ((provenance " GUIX_REPOSITORY
			  ") (odd . #t))))"),
		0, ERR_NONE);
	assert_int_equal(p->manifest_version, 4);
	assert_string_equal(p->profile, PROFILE);
	assert_int_equal(p->n_packages, 2);
	label_is(p->packages[0], "b@2.0");
	label_is(p->packages[1], "a:doc");
	assert_int_equal(p->n_channels, 2);
	c = &p->channels[0];
	assert_string_equal(c->name, "guix");
	assert_string_equal(c->url, "https://git.example.org/guix.git");
	assert_string_equal(c->branch, "master");
	assert_string_equal(
		c->commit, "1111111111111111111111111111111111111111");
	assert_string_equal(
		c->intro_commit, "2222222222222222222222222222222222222222");
	assert_string_equal(c->intro_signer,
		"AAAA BBBB CCCC DDDD EEEE  FFFF 0000 1111 2222 3333");
	assert_string_equal(p->channels[1].name, "lab");
	assert_null(p->channels[1].intro_commit);
	assert_int_equal(p->packages[0]->n_channels, 2);
	assert_int_equal(p->packages[0]->channels[1], 1);
	assert_int_equal(p->packages[1]->n_channels, 1);
	assert_int_equal(p->packages[1]->n_other_properties, 1);
	assert_string_equal(p->packages[1]->other_properties[0], "(odd . #t)");
	assert_int_equal(p->n_missing, 0);
	provenance_free(p);
}

static void
version_3_gives_nested_entries_and_search_paths(void **state)
{
	struct provenance *p;
	const struct package *a, *b;

	(void)state;
	p = parse(V3("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		     " (propagated-inputs ((\"b\" \"2\" \"lib\""
		     "  \"/gnu/store/x-b-2-lib\" (propagated-inputs ())"
		     "  (search-paths ()) (properties))))"
		     " (search-paths ((\"A_PATH\" (\"share/a\" \"lib/a\") "
		     "\":\" directory #f)"
		     "  (\"A_FILE\" (\"etc/a\") #f regular \"^a$\")))"
		     " (properties (provenance " GUIX_REPOSITORY
		     ") (transformations (with-input . \"x=y\"))))"),
		0, ERR_NONE);
	a = p->packages[0];
	assert_int_equal(a->n_propagated, 1);
	b = a->propagated[0];
	label_is(b, "b@2:lib");
	assert_ptr_equal(b->parent, a);
	assert_null(a->parent);
	assert_int_equal(a->n_search_paths, 2);
	assert_string_equal(a->search_paths[0].variable, "A_PATH");
	assert_int_equal(a->search_paths[0].n_files, 2);
	assert_string_equal(a->search_paths[0].files[1], "lib/a");
	assert_string_equal(a->search_paths[0].separator, ":");
	assert_string_equal(a->search_paths[0].type, "directory");
	assert_null(a->search_paths[0].pattern);
	assert_null(a->search_paths[1].separator);
	assert_string_equal(a->search_paths[1].pattern, "^a$");
	assert_int_equal(a->n_transformations, 1);
	assert_string_equal(a->transformations[0].key, "with-input");
	assert_string_equal(a->transformations[0].value, "x=y");
	assert_int_equal(p->n_channels, 1);
	/* Transformed: Guix knows only its own channel for it. */
	assert_int_equal(p->n_notes, 1);
	assert_ptr_equal(provenance_owner(p, "x-b-2-lib"), b);
	assert_ptr_equal(provenance_owner(p, "x-a-1"), a);
	assert_null(provenance_owner(p, "x-a"));
	provenance_free(p);
}

/* formats of properties differ: (properties . ALIST) and (properties ALIST) */
static void
properties_of_the_other_version_are_not_provenance(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(V3("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		     " (propagated-inputs ()) (search-paths ())"
		     " (properties ((provenance " GUIX_REPOSITORY "))))"),
		-1, ERR_ABSENT);
	assert_int_equal(p->n_channels, 0);
	assert_int_equal(p->packages[0]->n_other_properties, 1);
	provenance_free(p);
}

static void
repeated_entry_is_the_one_read_before(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(V4("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		     " (propagated-inputs ((\"b\" \"2\" \"doc\""
		     "  \"/gnu/store/x-b-2-doc\")))"
		     " (properties ((provenance " GUIX_REPOSITORY "))))"
		     "(repeated \"b\" \"2\" \"/gnu/store/x-b-2-doc\")"
		     "(\"c\" \"3\" \"out\" \"/gnu/store/x-c-3\""
		     " (propagated-inputs ((repeated \"a\" \"1\""
		     "  \"/gnu/store/x-a-1\")))"
		     " (properties ((provenance " LAB_REPOSITORY "))))"),
		0, ERR_NONE);
	assert_int_equal(p->n_packages, 3);
	label_is(p->packages[1], "b@2:doc");
	assert_true(p->packages[1]->is_repeated);
	assert_null(p->packages[1]->parent);
	assert_false(p->packages[0]->propagated[0]->is_repeated);
	label_is(p->packages[2]->propagated[0], "a@1");
	assert_ptr_equal(p->packages[2]->propagated[0]->parent, p->packages[2]);
	assert_int_equal(p->packages[2]->propagated[0]->n_propagated, 1);
	/* It has no channel of its own, which is no fault of its origin. */
	assert_int_equal(p->n_missing, 0);
	provenance_free(p);
}

static void
later_entry_hides_an_equal_one(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(
		V4("(\"a\" \"1\" \"out\" \"p\" (properties ((provenance " GUIX_REPOSITORY
		   "))))"
		   "(\"a\" \"1\" \"lib\" \"p\" (properties ((provenance " LAB_REPOSITORY
		   "))))"
		   "(repeated \"a\" \"1\" \"p\")"),
		0, ERR_NONE);
	label_is(p->packages[2], "a@1:lib");
	assert_int_equal(p->packages[2]->channels[0], 1);
	provenance_free(p);
}

static void
repeated_entry_from_nowhere_is_an_error(void **state)
{
	(void)state;
	fails(V4("(repeated \"b\" \"2\" \"/gnu/store/x-b-2\")"), ERR_INPUT,
		"not there before");
	/* Another version of it is another entry. */
	fails(V4("(\"b\" \"1\" \"out\" \"/gnu/store/x-b-2\")"
		 "(repeated \"b\" \"2\" \"/gnu/store/x-b-2\")"),
		ERR_INPUT, "not there before");
	/* An entry is known only after what it propagates. */
	fails(V4("(\"b\" \"2\" \"out\" \"/gnu/store/x-b-2\""
		 " (propagated-inputs ((repeated \"b\" \"2\""
		 "  \"/gnu/store/x-b-2\"))))"),
		ERR_INPUT, "not there before");
	fails(V4("(repeated \"b\")"), ERR_INPUT, "repeated NAME VERSION PATH");
}

static void
names_that_were_not_recorded_are_made_as_guix_does(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(V3("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		     " (propagated-inputs ()) (search-paths ())"
		     " (properties (provenance"
		     "  (repository (version 0) (url \"u0\") (branch \"b\")"
		     "   (commit \"c0\"))"
		     "  (repository (version 0) (url \"u1\") (branch \"b\")"
		     "   (commit \"c1\")))))"
		     "(\"b\" \"1\" \"out\" \"/gnu/store/x-b-1\""
		     " (propagated-inputs ()) (search-paths ())"
		     " (properties (provenance"
		     "  (repository (version 0) (url \"u0\") (branch \"b\")"
		     "   (commit \"c0\"))"
		     "  (repository (version 0) (url \"u2\") (branch \"b\")"
		     "   (commit \"c2\")))))"),
		0, ERR_NONE);
	assert_int_equal(p->n_channels, 3);
	assert_string_equal(p->channels[0].name, "guix");
	assert_string_equal(p->channels[1].name, "channel1");
	assert_string_equal(p->channels[2].name, "channel2");
	assert_false(p->channels[0].is_named);
	/* For each: the name is made up, and no introduction. */
	assert_int_equal(p->n_notes, 6);
	provenance_free(p);
}

static void
two_commits_of_a_channel_are_both_kept(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(V4("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		     " (properties ((provenance " LAB_REPOSITORY "))))"
		     "(\"b\" \"1\" \"out\" \"/gnu/store/x-b-1\""
		     " (properties ((provenance (repository (version 0)"
		     "  (url \"https://lab.example.org/lab.git\")"
		     "  (branch \"main\") (commit \"4\") (name lab))))))"
		     "(\"c\" \"1\" \"out\" \"/gnu/store/x-c-1\""
		     " (properties ((provenance " LAB_REPOSITORY "))))"),
		0, ERR_NONE);
	assert_int_equal(p->n_channels, 2);
	assert_int_equal(p->packages[1]->channels[0], 1);
	assert_int_equal(p->packages[2]->channels[0], 0);
	provenance_free(p);
}

/* guix/channels.scm, sexp->channel: any other form is dropped, and with the
 * first one the whole entry's (guix/describe.scm). */
static void
repositories_of_unknown_form_are_dropped_with_a_note(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(
		V4("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		   " (properties ((provenance " GUIX_REPOSITORY
		   "  (repository (version 1) (url \"u\") (branch \"b\")"
		   "   (commit \"c\"))))))"
		   "(\"b\" \"1\" \"out\" \"/gnu/store/x-b-1\""
		   " (properties ((provenance (repository (version 0)"
		   "  (branch \"b\") (url \"u\") (commit \"c\"))" LAB_REPOSITORY
		   "))))"),
		0, ERR_NONE);
	assert_int_equal(p->n_channels, 1);
	assert_int_equal(p->packages[0]->n_channels, 1);
	assert_int_equal(p->packages[1]->n_channels, 0);
	assert_int_equal(p->n_missing, 1);
	assert_non_null(strstr(p->missing[0], "b@1"));
	assert_int_equal(p->n_notes, 2);
	provenance_free(p);
}

static void
without_provenance_the_packages_are_still_there(void **state)
{
	struct provenance *p;

	(void)state;
	p = parse(V4("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\")"), -1,
		ERR_ABSENT);
	assert_non_null(p);
	assert_int_equal(p->n_packages, 1);
	assert_int_equal(p->n_channels, 0);
	assert_int_equal(p->n_missing, 1);
	provenance_free(p);
	p = parse(V4(""), -1, ERR_ABSENT);
	assert_int_equal(p->n_packages, 0);
	provenance_free(p);
}

/* Versions 0 to 2 as guix/profiles.scm wrote them in 2013, 2014 and 2015. */
static void
old_versions_are_read_and_too_old(void **state)
{
	static const char *const rows[] = {
		"(manifest (version 0) (packages"
		" ((\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\"))))",
		"(manifest (version 1) (packages"
		" ((\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		" ((\"gmp\" \"/gnu/store/y-gmp-6.0\") \"/gnu/store/z-b-2\")))))",
		"(manifest (version 2) (packages"
		" ((\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\""
		" (propagated-inputs (\"/gnu/store/y-gmp-6.0\""
		" \"/gnu/store/z-b-2\"))"
		" (search-paths ((\"P\" (\"bin\") \":\" directory #f)))))))",
	};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct provenance *p = parse(rows[i], -1, ERR_ABSENT);
		char version[40];

		snprintf(version, sizeof(version), "of version %d", i);
		assert_int_equal(p->manifest_version, i);
		assert_int_equal(p->n_packages, 1);
		assert_string_equal(p->packages[0]->name, "a");
		assert_int_equal(p->packages[0]->n_propagated, i ? 2 : 0);
		if (i) {
			assert_string_equal(
				p->packages[0]->propagated[0]->name, "gmp-6.0");
			assert_string_equal(
				p->packages[0]->propagated[1]->store_path,
				"/gnu/store/z-b-2");
		}
		assert_int_equal(p->packages[0]->n_search_paths, i == 2);
		assert_int_equal(p->n_missing, 1);
		assert_non_null(strstr(p->missing[0], version));
		provenance_free(p);
	}
	fails("(manifest (version 1) (packages"
	      " ((\"a\" \"1\" \"out\" \"p\" ((\"gmp\"))))))",
		ERR_INPUT, "PATH or (LABEL PATH)");
	fails("(manifest (version 1) (packages"
	      " ((\"a\" \"1\" \"out\" \"p\" \"q\"))))",
		ERR_INPUT, "no list");
}

static void
other_versions_are_told_apart(void **state)
{
	(void)state;
	fails("(manifest (version -1) (packages ()))", ERR_INPUT, "version -1");
	fails("(manifest (version 5) (packages ()))", ERR_INPUT, "version 5");
	fails("(manifest (version x) (packages ()))", ERR_INPUT,
		"not a profile");
	fails("", ERR_INPUT, "not a profile");
	fails("\"manifest\"", ERR_INPUT, "not a profile");
}

static void
malformed_entries_say_where(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{V4("\n (\"a\" \"1\" \"out\")"), "line 2 column 2"},
		{V4("(a \"1\" \"out\" \"p\")"), "name is not a string"},
		{V4("(\"a\" 1 \"out\" \"p\")"), "version is not a string"},
		{V4("(\"a\\x00;b\" \"1\" \"out\" \"p\")"), "NUL"},
		{V4("\"a\""), "an entry is"},
		{V4("(\"a\" \"1\" \"out\" \"p\" (propagated-inputs 1))"),
			"propagated-inputs is not a list"},
		{V4("(\"a\" \"1\" \"out\" \"p\" (search-paths (1)))"),
			"a search path is"},
		{V4("(\"a\" \"1\" \"out\" \"p\" (properties"
		    " ((transformations (k \"v\")))))"),
			"a transformation is"},
		{V4("(\"a\" \"1\" \"out\" \"p\" (properties"
		    " ((provenance (repository (version 0) (url \"\\x00;\")"
		    "  (branch \"b\") (commit \"c\"))))))"),
			"url holds a NUL"},
		{"(manifest (version 4) (packages))", "no (packages ...)"},
		{"(manifest (version 4) (packages ((", "without end"},
		{"(manifest (version 4) (packages ((\"a\xff\" \"1\" \"o\" "
		 "\"p\"))))",
			""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		fails(bad[i].text, ERR_INPUT, bad[i].says);
}

static char *
nested(int levels)
{
	struct buf b = {0};

	buf_str(&b, "(manifest (version 4) (packages (");
	for (int i = 0; i < levels; i++)
		buf_str(&b, "(\"a\" \"1\" \"out\" \"p\" (propagated-inputs (");
	buf_str(&b, "(\"z\" \"1\" \"out\" \"p\")");
	for (int i = 0; i < levels; i++)
		buf_str(&b, ")))");
	buf_str(&b, ")))");
	return buf_take(&b);
}

static void
depth_is_limited(void **state)
{
	char *deep = nested(PROFILE_DEPTH_MAX);
	char *deeper = nested(PROFILE_DEPTH_MAX + 1);

	(void)state;
	provenance_free(parse(deep, -1, ERR_ABSENT));
	fails(deeper, ERR_POLICY, "levels");
	free(deep);
	free(deeper);
}

static void
entries_are_limited(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_str(&b, "(manifest (version 4) (packages (");
	for (int i = 0; i < PROFILE_ENTRIES_MAX; i++)
		buf_str(&b, "(\"a\" \"1\" \"out\" \"p\")");
	buf_str(&b, ")))");
	provenance_free(parse(buf_text(&b), -1, ERR_ABSENT));
	b.n -= 3;
	buf_str(&b, "(\"a\" \"1\" \"out\" \"p\"))))");
	fails(buf_text(&b), ERR_POLICY, "entries");
	buf_fini(&b);
}

static void
channels_are_limited(void **state)
{
	struct buf b = {0};
	struct provenance *p;

	(void)state;
	buf_str(&b, "(manifest (version 4) (packages (");
	for (int i = 0; i <= PROFILE_CHANNELS_MAX; i++) {
		buf_printf(&b,
			"(\"a\" \"1\" \"out\" \"p\" (properties ((provenance"
			" (repository (version 0) (url \"u\") (branch \"b\")"
			" (commit \"%d\"))))))",
			i);
		if (i == PROFILE_CHANNELS_MAX - 1) {
			size_t n = b.n;

			buf_str(&b, ")))");
			p = parse(buf_text(&b), 0, ERR_NONE);
			assert_int_equal(p->n_channels, PROFILE_CHANNELS_MAX);
			provenance_free(p);
			b.n = n;
		}
	}
	buf_str(&b, ")))");
	fails(buf_text(&b), ERR_POLICY, "channels");
	buf_fini(&b);
}

static void
many_entries_without_channels_are_summed_up(void **state)
{
	struct buf b = {0};
	struct provenance *p;

	(void)state;
	buf_str(&b, "(manifest (version 4) (packages (");
	for (int i = 0; i < PROFILE_SENTENCES_MAX + 3; i++)
		buf_str(&b, "(\"a\" \"1\" \"out\" \"p\")");
	buf_str(&b,
		"(\"b\" \"1\" \"out\" \"p\" (properties ((provenance " GUIX_REPOSITORY
		")))))))");
	p = parse(buf_text(&b), 0, ERR_NONE);
	assert_int_equal(p->n_missing, PROFILE_SENTENCES_MAX + 1);
	assert_non_null(strstr(p->missing[PROFILE_SENTENCES_MAX], "3 more"));
	provenance_free(p);
	buf_fini(&b);
}

static void
sentences_hold_no_control_characters(void **state)
{
	struct provenance *p = parse(
		V4("(\"a\\x1b;[31m\\n\" \"1\" \"out\" \"p\")"
		   "(\"b\" \"1\" \"out\" \"q\" (properties ((provenance " GUIX_REPOSITORY
		   "))))"),
		0, ERR_NONE);

	(void)state;
	assert_int_equal(p->n_missing, 1);
	assert_null(strchr(p->missing[0], '\x1b'));
	assert_null(strchr(p->missing[0], '\n'));
	provenance_free(p);
}

/* What follows reads images that the real Guix packed, and what it printed for
 * them, from a folder that UNBLEND_SHARED names. */

static struct slice
slurp(const char *dir, const char *name, struct buf *b)
{
	char *path = path_join(dir, name);
	struct err e = {0};

	if (path_read(path, 1 << 20, b, &e) < 0)
		fail_msg("%s", e.text);
	free(path);
	return buf_get(b);
}

/* The strings of (list "a@1:out" ...) below any form of a manifest. */
static void
collect_specs(const struct sexp *s, const struct sexp **v, size_t *n)
{
	if (sexp_is(s, "specifications->manifest")) {
		for (const struct sexp *x = sexp_at(s, 1)->first->next; x;
			x = x->next)
			v[(*n)++] = x;
		return;
	}
	SEXP_FOREACH(x, s)
		collect_specs(x, v, n);
}

static void
channel_equals(const struct channel *c, const struct sexp *s)
{
	const struct sexp *intro = sexp_at(sexp_assoc(s, "introduction"), 1);
	const struct sexp *signer = sexp_at(sexp_at(intro, 2), 1);

	assert_true(sexp_is(s, "channel"));
	assert_true(slice_is(
		sexp_at(sexp_at(sexp_assoc(s, "name"), 1), 1)->text, c->name));
	assert_true(
		slice_is(sexp_str(sexp_at(sexp_assoc(s, "url"), 1)), c->url));
	assert_true(slice_is(
		sexp_str(sexp_at(sexp_assoc(s, "branch"), 1)), c->branch));
	assert_true(slice_is(
		sexp_str(sexp_at(sexp_assoc(s, "commit"), 1)), c->commit));
	assert_int_equal(!intro, !c->intro_commit);
	if (!intro)
		return;
	assert_true(slice_is(sexp_str(sexp_at(intro, 1)), c->intro_commit));
	assert_true(slice_is(sexp_str(signer), c->intro_signer));
}

/* spec, as Guix printed it, names p: its version may be a prefix or nothing */
static void
spec_names(struct slice spec, const struct package *p)
{
	char *text = xmemdup0(spec.p, spec.n);
	char *output = strchr(text, ':'), *version = strchr(text, '@');

	if (output)
		*output++ = '\0';
	if (version)
		*version++ = '\0';
	assert_string_equal(text, p->name);
	assert_string_equal(output ? output : "out", p->output);
	if (version)
		assert_memory_equal(version, p->version, strlen(version));
	free(text);
}

static void
check_sample(const char *dir, const char *channels, const char *manifest)
{
	struct buf own = {0}, c = {0}, m = {0};
	struct arena arena = {0};
	struct err e = {0};
	struct provenance *p = NULL;
	const struct sexp *list, *specs[64];
	size_t n = 0;
	int status = provenance_parse(
		PROFILE, slurp(dir, "profile-manifest", &own), &p, &e);

	assert_non_null(p);
	list = sexp_at(sexp_parse(&arena, slurp(dir, channels, &c), &e), 0);
	assert_int_equal(status, list ? 0 : -1);
	assert_int_equal(p->n_channels, list ? sexp_len(list) - 1 : 0);
	for (size_t i = 0; i < p->n_channels; i++)
		channel_equals(&p->channels[i], sexp_at(list, i + 1));
	list = sexp_parse(&arena, slurp(dir, manifest, &m), &e);
	assert_non_null(list);
	collect_specs(list, specs, &n);
	if (n) {
		assert_int_equal(n, p->n_packages);
		for (size_t i = 0; i < n; i++)
			spec_names(sexp_str(specs[i]), p->packages[i]);
	}
	provenance_free(p);
	arena_fini(&arena);
	buf_fini(&own);
	buf_fini(&c);
	buf_fini(&m);
}

static void
check_samples(const char *below, const char *channels, const char *manifest,
	int at_least)
{
	const char *shared = getenv("UNBLEND_SHARED");
	char *path;
	struct dirent *entry;
	int n = 0;
	DIR *d;

	if (!shared)
		skip();
	path = path_join(shared, below);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d))) {
		char *dir = path_join(path, entry->d_name);
		char *file = path_join(dir, "profile-manifest");

		if (entry->d_name[0] != '.' && path_exists(file)) {
			check_sample(dir, channels, manifest);
			n++;
		}
		free(file);
		free(dir);
	}
	closedir(d);
	free(path);
	assert_true(n >= at_least);
}

static void
samples_equal_what_guix_1_5_printed(void **state)
{
	(void)state;
	check_samples("samples/images", "c.scm", "m.scm", 19);
}

static void
samples_of_guix_1_2_equal_what_was_exported(void **state)
{
	(void)state;
	check_samples("samples/guix-1.2", "export-channels.scm",
		"export-manifest.scm", 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_4_gives_entries_in_order),
		cmocka_unit_test(
			version_3_gives_nested_entries_and_search_paths),
		cmocka_unit_test(
			properties_of_the_other_version_are_not_provenance),
		cmocka_unit_test(repeated_entry_is_the_one_read_before),
		cmocka_unit_test(later_entry_hides_an_equal_one),
		cmocka_unit_test(repeated_entry_from_nowhere_is_an_error),
		cmocka_unit_test(
			names_that_were_not_recorded_are_made_as_guix_does),
		cmocka_unit_test(two_commits_of_a_channel_are_both_kept),
		cmocka_unit_test(
			repositories_of_unknown_form_are_dropped_with_a_note),
		cmocka_unit_test(
			without_provenance_the_packages_are_still_there),
		cmocka_unit_test(old_versions_are_read_and_too_old),
		cmocka_unit_test(other_versions_are_told_apart),
		cmocka_unit_test(malformed_entries_say_where),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(entries_are_limited),
		cmocka_unit_test(channels_are_limited),
		cmocka_unit_test(many_entries_without_channels_are_summed_up),
		cmocka_unit_test(sentences_hold_no_control_characters),
		cmocka_unit_test(samples_equal_what_guix_1_5_printed),
		cmocka_unit_test(samples_of_guix_1_2_equal_what_was_exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
