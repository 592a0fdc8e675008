/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sexp.h"
#include "rebuild/lower.h"
#include "recipe/variants.h"

/* A recipe with these options, and how many variants it has. */
static size_t
variants_of(struct arena *a, const char *const *options,
	const struct variant **v, struct recipe *r)
{
	size_t n = 0;

	while (options[n])
		n++;
	*r = (struct recipe){.options = options, .n_options = n};
	return recipe_variants(r, a, v);
}

static const struct variant *
find(const struct variant *v, size_t n, const char *label)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].label, label) == 0)
			return &v[i];
	fail_msg("no variant '%s'", label);
	return NULL;
}

static void
expect_words(const struct variant *v, const char *const *words)
{
	for (size_t i = 0; words[i] || i < v->n_options; i++) {
		assert_true(i < v->n_options);
		assert_string_equal(v->options[i], words[i]);
	}
	assert_null(v->options[v->n_options]);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
a_plain_recipe_varies_in_grafts_alone(void **state)
{
	struct arena a = {0};
	const struct variant *v;
	struct recipe r;

	(void)state;
	assert_int_equal(
		variants_of(&a,
			WORDS("--format=docker", "--system=x86_64-linux"), &v,
			&r),
		1);
	assert_string_equal(v[0].label, "--no-grafts");
	expect_words(&v[0],
		WORDS("--format=docker", "--system=x86_64-linux",
			"--no-grafts"));
	assert_int_equal(variants_of(&a, WORDS("--no-grafts"), &v, &r), 1);
	assert_string_equal(v[0].label, "grafts");
	assert_int_equal(v[0].n_options, 0);
	arena_fini(&a);
}

static void
wrappers_and_targets_vary(void **state)
{
	struct arena a = {0};
	const struct variant *v;
	struct recipe r;
	size_t n = variants_of(
		&a, WORDS("--relocatable", "--system=aarch64-linux"), &v, &r);

	(void)state;
	assert_int_equal(n, 7);
	expect_words(find(v, n, "-RR, not -R"),
		WORDS("--system=aarch64-linux", "--relocatable",
			"--relocatable"));
	expect_words(find(v, n, "--target=aarch64-linux-gnu"),
		WORDS("--relocatable", "--target=aarch64-linux-gnu"));
	find(v, n, "--target=aarch64-linux-gnu, -RR, not -R, --no-grafts");
	n = variants_of(
		&a, WORDS("--relocatable", "--relocatable", "x"), &v, &r);
	assert_int_equal(n, 3);
	expect_words(find(v, n, "-R, not -RR"), WORDS("x", "--relocatable"));
	arena_fini(&a);
}

static void
links_come_in_other_orders(void **state)
{
	struct arena a = {0};
	const struct variant *v;
	struct recipe r;
	size_t n = variants_of(&a,
		WORDS("--symlink=/a=a", "x", "--symlink=/b=b",
			"--symlink=/c=c"),
		&v, &r);

	(void)state;
	/* no-grafts; five orders; and these without grafts */
	assert_int_equal(n, 11);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			bool is_same = v[i].n_options == v[k].n_options;

			for (size_t w = 0; is_same && w < v[i].n_options; w++)
				is_same = strcmp(v[i].options[w],
						  v[k].options[w]) == 0;
			assert_false(is_same);
		}
	assert_string_equal(v[1].options[1], "x");
	n = variants_of(&a,
		WORDS("--symlink=/a=a", "--symlink=/b=b", "--symlink=/c=c",
			"--symlink=/d=d"),
		&v, &r);
	assert_int_equal(n, 3);
	expect_words(&v[1],
		WORDS("--symlink=/d=d", "--symlink=/c=c", "--symlink=/b=b",
			"--symlink=/a=a"));
	/* However many there are, the list is short. */
	n = variants_of(&a,
		WORDS("--relocatable", "--system=i686-linux", "--symlink=/a=a",
			"--symlink=/b=b", "--symlink=/c=c"),
		&v, &r);
	assert_int_equal(n, VARIANTS_MAX);
	arena_fini(&a);
}

static void
a_variant_that_is_taken_is_the_recipe(void **state)
{
	static const char *const guessed[] = {
		"grafts are on, as by default", "another"};
	struct recipe r = {.options = WORDS("--format=docker"),
		.n_options = 1,
		.channels_scm = "c",
		.manifest_scm = "m",
		.guessed = guessed,
		.n_guessed = 2};
	const struct variant *v;
	struct arena a = {0};
	struct digest before = r.id;

	(void)state;
	assert_int_equal(recipe_variants(&r, &a, &v), 1);
	recipe_take(&r, &v[0]);
	arena_fini(&a);
	assert_int_equal(r.n_options, 2);
	assert_string_equal(r.options[1], "--no-grafts");
	assert_int_equal(r.n_guessed, 2);
	assert_string_equal(r.guessed[0], "another");
	assert_non_null(strstr(r.guessed[1], "--no-grafts"));
	assert_false(digest_eq(&before, &r.id));
	arena_fini(&r.arena);
}

/* Whatever a word holds, the script reads it back and nothing else. */
static void
words_reach_scheme_as_data(void **state)
{
	static const char evil[] = "\"))(system \"id\")((\"\\ #;|";
	const char *const *const commands[] = {
		WORDS(evil, ""), WORDS("--format=docker")};
	CLEANUP(buf_fini)
	struct buf out = {0};
	struct arena a = {0};
	struct err e = {0};
	const struct sexp *all, *first;

	(void)state;
	assert_int_equal(lower_data(commands, 2, &out, &e), 0);
	all = sexp_parse(&a, buf_get(&out), &e);
	assert_non_null(all);
	assert_int_equal(sexp_len(all), 1);
	assert_int_equal(sexp_len(sexp_at(all, 0)), 2);
	first = sexp_at(sexp_at(all, 0), 0);
	assert_int_equal(sexp_len(first), 2);
	assert_true(slice_is(sexp_str(sexp_at(first, 0)), evil));
	assert_true(slice_is(sexp_str(sexp_at(first, 1)), ""));
	assert_int_equal(
		lower_data(&(const char *const *){WORDS("\xff")}, 1, &out, &e),
		-1);
	assert_int_equal(e.kind, ERR_INPUT);
	arena_fini(&a);
}

static void
sections_are_told_apart(void **state)
{
	static const char text[] = "noise\nmark 0\nzero\nmark 10\nten\n"
				   "a mark 1\nmark 1\none";
	struct slice s;

	(void)state;
	assert_true(lower_section(slice_of(text), "mark", 0, &s));
	assert_true(slice_is(s, "zero\n"));
	assert_true(lower_section(slice_of(text), "mark", 10, &s));
	assert_true(slice_is(s, "ten\na mark 1\n"));
	assert_true(lower_section(slice_of(text), "mark", 1, &s));
	assert_true(slice_is(s, "one"));
	assert_false(lower_section(slice_of(text), "mark", 2, &s));
	assert_false(lower_section(slice_of(""), "mark", 0, &s));
}

#define HASH "0123456789abcdfghijklmnpqrsvwxyz"

static void
own_name_fits_better_than_the_profile(void **state)
{
	struct lowering v = {.drv = "d",
		.path = "/gnu/store/" HASH "-x-pack.tar.gz",
		.profile = "/gnu/store/" HASH "-profile"};

	(void)state;
	assert_int_equal(lower_fit(&v, v.profile, HASH "-x-pack.tar.gz"), 2);
	assert_int_equal(lower_fit(&v, v.profile, HASH "-y-pack.tar.gz"), 1);
	assert_int_equal(lower_fit(&v, v.profile, NULL), 1);
	assert_int_equal(lower_fit(&v, "/gnu/store/other", NULL), 0);
	assert_int_equal(lower_fit(&v, NULL, NULL), 0);
	v.drv = NULL;
	assert_int_equal(lower_fit(&v, v.profile, NULL), 0);
}

static void
a_build_that_was_not_allowed_is_told(void **state)
{
	(void)state;
	assert_true(lower_needs_build(slice_of(
		"x\nguix pack: error: unable to start any build; either "
		"increase `--max-jobs' or enable distributed builds\n")));
	assert_false(lower_needs_build(slice_of("guix pack: error: other\n")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_recipe_varies_in_grafts_alone),
		cmocka_unit_test(wrappers_and_targets_vary),
		cmocka_unit_test(links_come_in_other_orders),
		cmocka_unit_test(a_variant_that_is_taken_is_the_recipe),
		cmocka_unit_test(words_reach_scheme_as_data),
		cmocka_unit_test(sections_are_told_apart),
		cmocka_unit_test(own_name_fits_better_than_the_profile),
		cmocka_unit_test(a_build_that_was_not_allowed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
