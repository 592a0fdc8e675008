/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sexp.h"

static const struct sexp *
parse(struct arena *a, const char *text, struct err *e)
{
	*e = (struct err){0};
	return sexp_parse(a, slice_of(text), e);
}

static void
prints_what_it_reads(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"(a \"b\" 12 #t #f)", "(a \"b\" 12 #t #f)"},
		{"(a . b)", "(a . b)"},
		{"(a . (b c))", "(a . (b c))"},
		{"'x", "(quote x)"},
		{"'guix", "(quote guix)"},
		{"() #| c #| nested |# |# ;; line\n[x]", "()"},
		{"\"\\\"\\\\\\n\\t\\x41;\\u00e9\"",
			"\"\\\"\\\\\\n\\tA;\xc3\xa9\""},
		/* as `guix repl' of 1.5.0 writes them */
		{"\"\\a\\x1b\\x7f\\xa0\\u200b\\u202e\\U01f600\\ue000\"",
			"\"\\a\\x1b\\x7f\\xa0\\u200b\\u202e\xf0\x9f\x98\x80"
			"\\ue000\""},
		{"#{a b}#", "#{a b}#"},
		{"#:key", "#:key"},
		{"#\\( ", "#\\("},
		{"#;(hidden (deep)) shown", "shown"},
		{"1+", "1+"},
		{"...", "..."},
		{"-12", "-12"},
		{"#true", "#t"},
		{"\"a\\\n   b\"", "\"ab\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena a = {0};
		struct buf b = {0};
		struct err e;
		const struct sexp *all = parse(&a, rows[i].in, &e);

		if (!all)
			fail_msg("%s: %s", rows[i].in, e.text);
		sexp_print(&b, all->first);
		assert_string_equal(buf_text(&b), rows[i].out);
		buf_fini(&b);
		arena_fini(&a);
	}
}

static void
errors_name_line_and_column(void **state)
{
	static const struct {
		const char *in, *why;
	} rows[] = {
		{"(a\n  \"b", "line 2 column 5: string without end"},
		{"(a\n b", "line 2 column 3: list of line 1 without end"},
		{"a )", "line 1 column 3: unexpected ')'"},
		{"`a", "line 1 column 1: quasi-quotation is not data"},
		{"(. a)", "line 1 column 3: misplaced dot"},
		{"(a . b c)",
			"line 1 column 8: more than one datum after a dot"},
		{"#<x>", "line 1 column 1: unknown syntax after #"},
		{"\"\\q\"", "line 1 column 3: unknown escape in a string"},
		{"\"\\ud800\"", "line 1 column 8: escape beyond Unicode"},
		{"\"\\x7;\"", "line 1 column 4: bad hexadecimal escape"},
		{"#| x", "line 1 column 5: comment without end"},
		{"(a ]", "line 1 column 4: unexpected ']'"},
		{"'", "line 1 column 2: a datum is missing at the end"},
		{"\xff", "the text is not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena a = {0};
		struct err e;

		assert_null(parse(&a, rows[i].in, &e));
		assert_int_equal(e.kind, ERR_INPUT);
		assert_string_equal(e.text, rows[i].why);
		arena_fini(&a);
	}
}

/* n lists within one another. */
static const struct sexp *
nest(struct arena *a, size_t n, struct err *e)
{
	struct buf b = {0};
	const struct sexp *all;

	for (size_t i = 0; i < n; i++)
		buf_char(&b, '(');
	for (size_t i = 0; i < n; i++)
		buf_char(&b, ')');
	all = parse(a, buf_text(&b), e);
	buf_fini(&b);
	return all;
}

static void
depth_is_limited(void **state)
{
	struct arena a = {0};
	struct err e;

	(void)state;
	assert_non_null(nest(&a, SEXP_DEPTH_MAX, &e));
	assert_null(nest(&a, SEXP_DEPTH_MAX + 1, &e));
	assert_string_equal(e.text, "line 1 column 514: more than 512 levels");
	arena_fini(&a);
}

static void
positions_and_lookups(void **state)
{
	struct arena a = {0};
	struct err e;
	const struct sexp *all =
		parse(&a, "(m (version 4)\n   (name \"x\") atom)", &e);
	const struct sexp *m, *name;
	int64_t n;

	(void)state;
	assert_non_null(all);
	m = sexp_at(all, 0);
	assert_true(sexp_is(m, "m"));
	assert_int_equal(sexp_len(m), 4);
	name = sexp_assoc(m, "name");
	assert_int_equal(name->line, 2);
	assert_int_equal(name->column, 4);
	assert_true(slice_is(sexp_str(sexp_at(name, 1)), "x"));
	assert_true(sexp_int(sexp_at(sexp_assoc(m, "version"), 1), &n));
	assert_int_equal(n, 4);
	assert_null(sexp_assoc(m, "absent"));
	assert_null(sexp_at(m, 4));
	assert_false(sexp_int(sexp_at(m, 3), &n));
	assert_null(sexp_str(NULL).p);
	arena_fini(&a);
}

static void
integers_that_do_not_fit_are_none(void **state)
{
	struct arena a = {0};
	struct err e;
	const struct sexp *all = parse(
		&a, "9223372036854775807 9223372036854775808 1.5 1/2 -3", &e);
	int64_t n = 0;

	(void)state;
	assert_true(sexp_int(sexp_at(all, 0), &n));
	assert_true(n == INT64_MAX);
	assert_false(sexp_int(sexp_at(all, 1), &n));
	assert_false(sexp_int(sexp_at(all, 2), &n));
	assert_false(sexp_int(sexp_at(all, 3), &n));
	assert_true(sexp_int(sexp_at(all, 4), &n));
	assert_int_equal(n, -3);
	arena_fini(&a);
}

static void
equality_ignores_layout(void **state)
{
	struct arena a = {0};
	struct err e;
	const struct sexp *all =
		parse(&a, "(a (b \"c\") . d) (a  (b\n\"\\x63\") . d) (a)", &e);

	(void)state;
	assert_true(sexp_eq(sexp_at(all, 0), sexp_at(all, 1)));
	assert_false(sexp_eq(sexp_at(all, 0), sexp_at(all, 2)));
	arena_fini(&a);
}

static void
an_outline_leads_to_the_same(void **state)
{
	static const char text[] = "; a corpus\n(corpus (version 0)\n"
				   "  (image (name \"a\") (tags b c)) x)";
	struct arena a = {0};
	struct err e = {0};
	const struct sexp *all = sexp_outline(&a, slice_of(text), &e);
	const struct sexp *corpus, *image, *whole;

	(void)state;
	assert_non_null(all);
	corpus = sexp_at(all, 0);
	assert_int_equal(sexp_len(all), 1);
	assert_int_equal(sexp_len(corpus), 4);
	assert_true(sexp_is(corpus, "corpus"));
	assert_true(sexp_is_symbol(sexp_at(corpus, 3), "x"));
	image = sexp_at(corpus, 2);
	assert_int_equal(image->type, SEXP_LIST);
	assert_null(image->first);
	whole = sexp_whole(&a, slice_of(text), image, &e);
	assert_true(sexp_is(whole, "image"));
	assert_int_equal(whole->line, 3);
	assert_int_equal(whole->column, 3);
	assert_true(
		slice_is(sexp_str(sexp_at(sexp_assoc(whole, "name"), 1)), "a"));
	assert_int_equal(sexp_assoc(whole, "tags")->column, 21);
	assert_int_equal(sexp_len(sexp_assoc(whole, "tags")), 3);
	arena_fini(&a);

	/* and fails where the whole would */
	assert_null(sexp_outline(&a, slice_of("(a (b \"c)"), &e));
	assert_string_equal(e.text, "line 1 column 10: string without end");
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outline_leads_to_the_same),
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(errors_name_line_and_column),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(positions_and_lookups),
		cmocka_unit_test(integers_that_do_not_fit_are_none),
		cmocka_unit_test(equality_ignores_layout),
	};

	return cmocka_run_group_tests_name("sexp", tests, NULL, NULL);
}
