/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"

static void
clean_shows_what_no_output_can_hold(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		enum text_lines lines;
		const char *out;
	} rows[] = {
		{"plain", 5, TEXT_ONE_LINE, "plain"},
		{"a\nb\tc", 5, TEXT_ONE_LINE, "a#x0Ab#x09c"},
		{"a\nb\tc", 5, TEXT_MANY_LINES, "a\nb\tc"},
		{"a\r\nb\rc", 6, TEXT_MANY_LINES, "a\nb#x0Dc"},
		{"\033[31m", 5, TEXT_MANY_LINES, "#x1B[31m"},
		{"a\0b", 3, TEXT_ONE_LINE, "a#x00b"},
		{"\x7f", 1, TEXT_ONE_LINE, "#x7F"},
		{"\xc2\x85", 2, TEXT_ONE_LINE, "#x85"}, /* C1 control */
		{"caf\xc3\xa9", 5, TEXT_ONE_LINE, "caf\xc3\xa9"},
		{"caf\xe9", 4, TEXT_ONE_LINE, "caf\\xE9"},
		{"\xe2\x80\xae", 3, TEXT_ONE_LINE, "#x202E"}, /* RLO */
		{"\xef\xbf\xbe", 3, TEXT_ONE_LINE, "#xFFFE"},
		{"\xed\xa0\x80", 3, TEXT_ONE_LINE, "\\xED\\xA0\\x80"},
		{"\xc0\xaf", 2, TEXT_ONE_LINE, "\\xC0\\xAF"}, /* overlong */
		{"\xf0\x9f\x98\x80", 4, TEXT_ONE_LINE, "\xf0\x9f\x98\x80"},
		{"\xf0\x9f\x98", 3, TEXT_ONE_LINE, "\\xF0\\x9F\\x98"},
		{"\xf4\x90\x80\x80", 4, TEXT_ONE_LINE, "\\xF4\\x90\\x80\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = {0}, again = {0};

		text_clean(&b, (struct slice){rows[i].in, rows[i].n},
			rows[i].lines);
		assert_string_equal(buf_text(&b), rows[i].out);
		/* Cleaned text is clean. */
		text_clean(&again, buf_get(&b), rows[i].lines);
		assert_string_equal(buf_text(&again), rows[i].out);
		buf_fini(&b);
		buf_fini(&again);
	}
}

static void
xml_escapes_the_five(void **state)
{
	struct buf b = {0};

	(void)state;
	text_xml(&b, slice_of("<a href=\"x\">'&]]>"));
	assert_string_equal(
		buf_text(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;]]&gt;");
	buf_fini(&b);
}

static void
scheme_strings_cannot_be_left(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(
		text_scheme(&b, slice_of("\"))(system \"x\\\n\x1b")), 0);
	assert_string_equal(
		buf_text(&b), "\"\\\"))(system \\\"x\\\\\\n\\x1b\"");
	buf_clear(&b);
	assert_int_equal(text_scheme(&b, slice_of("\xff")), -1);
	assert_int_equal(b.n, 0);
	buf_fini(&b);
}

static void
shell_words_stay_words(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"plain-1.0/x=y", "plain-1.0/x=y"},
		{"", "''"},
		{"a b", "'a b'"},
		{"$(id)", "'$(id)'"},
		{"it's", "'it'\\''s'"},
		{"-n", "-n"},
		{"~", "'~'"},
		{"a\nb", "'a\nb'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = {0};

		text_shell(&b, slice_of(rows[i].in));
		assert_string_equal(buf_text(&b), rows[i].out);
		buf_fini(&b);
	}
}

static void
glob_is_over_the_whole_name(void **state)
{
	(void)state;
	assert_true(text_glob("*", ""));
	assert_true(text_glob("a*b*c", "a--b-bc"));
	assert_true(text_glob("??", "ab"));
	assert_false(text_glob("??", "abc"));
	assert_false(text_glob("a*", "ba"));
	assert_true(text_glob("*aab", "aaaab"));
	assert_false(text_glob("", "a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_shows_what_no_output_can_hold),
		cmocka_unit_test(xml_escapes_the_five),
		cmocka_unit_test(scheme_strings_cannot_be_left),
		cmocka_unit_test(shell_words_stay_words),
		cmocka_unit_test(glob_is_over_the_whole_name),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
