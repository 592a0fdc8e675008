/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "report/words.h"

static void
outcome_follows_verdict_and_line(void **state)
{
	static const struct {
		enum verdict verdict;
		bool is_judged, is_accepted, is_regression;
		enum verdict_junit outcome;
		bool has_standing;
	} rows[] = {
		{VERDICT_IDENTICAL, true, true, false, JUNIT_PASS, false},
		/* --accept identical, or expect identical, and not reached */
		{VERDICT_SAME_CONTENTS, true, false, false, JUNIT_FAILURE,
			true},
		{VERDICT_SAME_CONTENTS, true, false, true, JUNIT_FAILURE, true},
		{VERDICT_DIFFERENT, true, false, false, JUNIT_FAILURE, false},
		{VERDICT_DIFFERENT, true, true, false, JUNIT_PASS, true},
		{VERDICT_UNBUILDABLE, true, false, true, JUNIT_FAILURE, true},
		{VERDICT_REFUSED, true, false, false, JUNIT_SKIPPED, false},
		/* nothing was tested, however much that was expected */
		{VERDICT_REFUSED, true, true, false, JUNIT_SKIPPED, true},
		{VERDICT_NO_PROVENANCE, true, false, true, JUNIT_FAILURE, true},
		{VERDICT_TIMEOUT, true, false, false, JUNIT_ERROR, false},
		{VERDICT_TIMEOUT, true, true, false, JUNIT_PASS, true},
		{VERDICT_NOT_TRIED, true, false, true, JUNIT_ERROR, true},
		{VERDICT_IDENTICAL, false, false, false, JUNIT_ERROR, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_attempt a = {
			.is_judged = rows[i].is_judged,
			.verdict = rows[i].verdict,
			.is_accepted = rows[i].is_accepted,
			.is_regression = rows[i].is_regression,
		};

		assert_int_equal(report_outcome(&a), rows[i].outcome);
		assert_int_equal(
			report_standing(&a) != NULL, rows[i].has_standing);
	}
}

static void
shift_is_against_the_last_verdict(void **state)
{
	struct store_attempt a = {
		.is_judged = true,
		.verdict = VERDICT_SAME_IMAGE,
	};

	(void)state;
	assert_int_equal(report_shift(&a), SHIFT_NEW);
	a.last_verdict = "identical";
	assert_int_equal(report_shift(&a), SHIFT_WORSE);
	a.last_verdict = "same-image";
	assert_int_equal(report_shift(&a), SHIFT_SAME);
	a.last_verdict = "timeout";
	assert_int_equal(report_shift(&a), SHIFT_BETTER);
	a.is_judged = false;
	assert_int_equal(report_shift(&a), SHIFT_SAME);
}

static void
short_cause_is_a_sentence_that_fits(void **state)
{
	static const struct {
		const char *cause;
		size_t max;
		const char *expected;
	} rows[] = {
		{NULL, 10, ""},
		{"One thing. Another.", 0, "One thing"},
		{"guix 1.5.0 said\nno", 0, "guix 1.5.0 said"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcde…"},
		{"äöüäöüä", 6, "äöüäö…"},
		{"tab\there", 0, "tab#x09here"},
		{".", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_fini)
		struct buf out = {0};

		report_short(&out, rows[i].cause, rows[i].max);
		assert_string_equal(buf_text(&out), rows[i].expected);
	}
}

static void
file_names_are_safe_and_distinct(void **state)
{
	static const struct {
		const char *name, *file;
	} rows[] = {
		{"2021-svd_paper.1", "2021-svd_paper.1"},
		{"guix@1+2", "guix@1+2"},
		{"a/b", "a=2Fb"},
		{"../../etc/passwd", "=2E.=2F..=2Fetc=2Fpasswd"},
		{".hidden", "=2Ehidden"},
		{"..", "=2E."},
		{"", "="},
		{"=", "=3D"},
		{"a b%20", "a=20b=2520"},
		{"\xc3\xa4\n", "=C3=A4=0A"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_fini)
		struct buf out = {0};

		report_file(&out, rows[i].name);
		assert_string_equal(buf_text(&out), rows[i].file);
		assert_null(strchr(buf_text(&out), '/'));
		assert_int_not_equal(buf_text(&out)[0], '.');
	}
}

static void
long_names_stay_distinct(void **state)
{
	char one[REPORT_FILE_MAX + 2], two[REPORT_FILE_MAX + 2];
	CLEANUP(buf_fini)
	struct buf fits = {0};
	CLEANUP(buf_fini)
	struct buf first = {0};
	CLEANUP(buf_fini)
	struct buf second = {0};

	(void)state;
	memset(one, 'a', sizeof(one));
	one[REPORT_FILE_MAX] = '\0';
	report_file(&fits, one);
	assert_string_equal(buf_text(&fits), one);

	one[REPORT_FILE_MAX] = 'a';
	one[REPORT_FILE_MAX + 1] = '\0';
	memcpy(two, one, sizeof(two));
	two[REPORT_FILE_MAX] = 'b';
	report_file(&first, one);
	report_file(&second, two);
	assert_int_equal(first.n, REPORT_FILE_MAX);
	assert_int_equal(second.n, REPORT_FILE_MAX);
	assert_string_not_equal(buf_text(&first), buf_text(&second));
}

static void
numbers_read_well(void **state)
{
	static const struct {
		int64_t n;
		const char *duration, *bytes;
	} rows[] = {
		{0, "0 ms", "0 bytes"},
		{999, "999 ms", "999 bytes"},
		{1023, "1.0 s", "1023 bytes"},
		{1024, "1.0 s", "1.0 KiB"},
		{59999, "59.9 s", "58.5 KiB"},
		{60000, "1 min 00 s", "58.5 KiB"},
		{3599999, "59 min 59 s", "3.4 MiB"},
		{3600000, "1 h 00 min", "3.4 MiB"},
		{1 << 20, "17 min 28 s", "1.0 MiB"},
		{(1 << 20) - 1, "17 min 28 s", "1023.9 KiB"},
		{-1, "0 ms", NULL},
		{INT64_MAX, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_fini)
		struct buf duration = {0};
		CLEANUP(buf_fini)
		struct buf bytes = {0};

		report_duration(&duration, rows[i].n);
		report_bytes(&bytes, rows[i].n);
		if (rows[i].duration)
			assert_string_equal(
				buf_text(&duration), rows[i].duration);
		if (rows[i].bytes)
			assert_string_equal(buf_text(&bytes), rows[i].bytes);
	}
}

static void
flaky_are_two_turns_within_ten_runs(void **state)
{
	/* The newest on the left: "+" is accepted. */
	static const struct {
		const char *runs;
		bool is_flaky;
	} rows[] = {
		{"", false},
		{"+", false},
		{"+-", false},
		{"--++", false},
		{"+-+", true},
		{"-+-", true},
		{"++++++++-+", true},
		{"+++++++++-+", false},
		{"----------+-", false},
		{"+-+++++++++++", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *runs = rows[i].runs;
		struct report_turns turns = {.was = runs[0] == '+'};
		bool is = false;

		for (size_t k = 0; runs[k]; k++)
			is = report_turn(&turns, runs[k] == '+');
		assert_int_equal(is, rows[i].is_flaky);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcome_follows_verdict_and_line),
		cmocka_unit_test(shift_is_against_the_last_verdict),
		cmocka_unit_test(flaky_are_two_turns_within_ten_runs),
		cmocka_unit_test(short_cause_is_a_sentence_that_fits),
		cmocka_unit_test(file_names_are_safe_and_distinct),
		cmocka_unit_test(long_names_stay_distinct),
		cmocka_unit_test(numbers_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
