/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "compare/reason.h"

/* Two contents, and the words for why they differ. */
struct row {
	struct slice a, b;
	const char *words;
};

#define TEXT(s)                  \
	{                        \
		s, sizeof(s) - 1 \
	}
#define HASH_A "/gnu/store/0123456789abcdfghijklmnpqrsvwxyz-hello"
#define HASH_B "/gnu/store/zyxwvsrqpnmlkjihgfdcba9876543210-hello"
/* A member of an ar archive: name, date, uid, gid, mode, size. */
#define AR(date, body)                   \
	"!<arch>\nx.o/            " date \
	"0     0     100644  4         `\n" body

static const struct row rows[] = {
	{TEXT("a"), TEXT("a"), ""},
	{TEXT("a"), TEXT("b"), ""},
	{TEXT(""), TEXT("b"), "only cut"},
	{TEXT("abc"), TEXT("abcd"), "only cut"},

	/* dates */
	{TEXT("built Tue Nov 24 14:00:01 UTC 2026.\n"),
		TEXT("built Wed Nov  4 09:59:60 UTC 2025.\n"),
		"only time-stamp"},
	{TEXT("Nov 24 2026 14:00:01"), TEXT("Jan  1 1970 00:00:00"),
		"only time-stamp"},
	{TEXT("Tue, 24 Nov 2026 14:00:01 GMT"),
		TEXT("Thu, 01 Jan 1970 00:00:01 GMT"), "only time-stamp"},
	{TEXT("at 2026-11-24T14:00:01Z;"), TEXT("at 2025-01-02T03:04:05Z;"),
		"only time-stamp"},
	{TEXT("(D:20261124140001Z)"), TEXT("(D:20250102030405Z)"),
		"only time-stamp"},
	{TEXT("14:00:01"), TEXT("23:59:59"), "only time-stamp"},
	/* neither a month nor an hour */
	{TEXT("2026-13-24"), TEXT("2026-12-24"), ""},
	{TEXT("24:00:01"), TEXT("23:00:01"), ""},
	{TEXT("t=1700000000\n"), TEXT("t=1700000001\n"), "only seconds"},
	{TEXT("t=2700000000\n"), TEXT("t=1700000001\n"), "only number"},

	/* paths, numbers */
	{TEXT("/tmp/guix-build-hello-2.drv-0/x.c"),
		TEXT("/tmp/guix-build-hello-2.drv-11/x.c"), "only build-path"},
	{TEXT("x " HASH_A "/bin"), TEXT("x " HASH_B "/bin"), "only store-path"},
	{TEXT("x " HASH_A "/bin"), TEXT("x " HASH_B "/lib"),
		"partly store-path"},
	{TEXT("9f4b2c1d-0a2b-4c3d-8e5f-001122334455"),
		TEXT("00000000-ffff-4fff-bfff-ffffffffffff"), "only random"},
	/* version 1 has a time, not chance */
	{TEXT("9f4b2c1d-0a2b-1c3d-8e5f-001122334455"),
		TEXT("9f4b2c1e-0a2b-1c3d-8e5f-001122334455"), ""},
	{TEXT("hello 2.10"), TEXT("hello 2.12.1"), "only version"},
	{TEXT("hello-v2.10"), TEXT("hello-v3"), "only version"},
	{TEXT("id 0123456789abcdef"), TEXT("id fedcba9876543210"),
		"only digits"},
	{TEXT("pid 17, 4 files"), TEXT("pid 1234, 4 files"), "only number"},
	{TEXT("pid 17 at 14:00:01 and more"),
		TEXT("pid 18 at 14:00:02 and less"),
		"partly time-stamp number"},
	{TEXT("pid 17 at 14:00:01"), TEXT("pid 18 at 14:00:02"),
		"only time-stamp number"},

	/* all at once */
	{TEXT("b\na\nc\n"), TEXT("c\nb\na\n"), "only order"},
	{TEXT("b\na\nc\n"), TEXT("c\nb\nx\n"), ""},
	{TEXT("a\r\nb\r\n"), TEXT("a\nb\n"), "only line-ends"},
	{TEXT("a  b\n"), TEXT("a\tb"), "only spaces"},

	/* fields of formats */
	{TEXT("\x1f\x8b\x08\0\x01\x02\x03\x04\0\x03payload"),
		TEXT("\x1f\x8b\x08\0\xf1\xf2\xf3\xf4\0\x03payload"),
		"only time-stamp"},
	{TEXT("\x1f\x8b\x08\0\x01\x02\x03\x04\0\x03payload"),
		TEXT("\x1f\x8b\x08\0\x01\x02\x03\x04\0\x03pazload"), ""},
	{TEXT("\x42\x0d\r\n\0\0\0\0\x01\x02\x03\x04"
	      "size"
	      "code"),
		TEXT("\x42\x0d\r\n\0\0\0\0\xf1\x02\x03\x04"
		     "size"
		     "code"),
		"only time-stamp"},
	/* a .pyc that is known by its source's hash (flags 1) has no time */
	{TEXT("\x42\x0d\r\n\x01\0\0\0\xe1\xe2\xe3\xe4"
	      "size"
	      "code"),
		TEXT("\x42\x0d\r\n\x01\0\0\0\xf1\xe2\xe3\xe4"
		     "size"
		     "code"),
		""},
	{TEXT(AR("1700000000  ", "code")), TEXT(AR("0           ", "code")),
		"only time-stamp"},
	{TEXT(AR("1700000000  ", "code")), TEXT(AR("0           ", "cod!")),
		"partly time-stamp"},
	{TEXT("PK\3\4\x14\0\0\0\x08\0\x11\x22\x33\x44rest"),
		TEXT("PK\3\4\x14\0\0\0\x08\0\xf1\xf2\xf3\xf4rest"),
		"only time-stamp"},
	{TEXT("\x7f"
	      "ELF\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0aaaaaaaaaaaaaaaaaaaa."),
		TEXT("\x7f"
		     "ELF\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0\1\1\1\1\1\1\1\1\1\1"
		     "\1\1\1\1\1\1\1\1\1\1."),
		"only build-id"},
};

static void
reasons_are_those_that_the_contents_prove(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];

		for (int turn = 0; turn < 2; turn++) {
			CLEANUP(buf_fini)
			struct buf words = {0};
			struct reasons r;

			reason_find(turn ? row->b : row->a,
				turn ? row->a : row->b, &r);
			reason_print(&r, &words);
			if (strcmp(buf_text(&words), row->words) != 0)
				fail_msg("row %zu: \"%s\", not \"%s\"", i,
					buf_text(&words), row->words);
		}
	}
}

static void
phrases_say_what_is_only_likely(void **state)
{
	static const char *const phrases[][2] = {
		{"", ""},
		{"nonsense", ""},
		{"only time-stamp", "only time stamps"},
		{"only time-stamp build-path",
			"only time stamps; paths of temporary folders, where "
			"it was built"},
		{"partly digits",
			"in part long hexadecimal numbers, perhaps digests or "
			"random; the rest is not explained"},
		{"only words-of-tomorrow time-stamp", "only time stamps"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		CLEANUP(buf_fini)
		struct buf phrase = {0};

		reason_phrase(phrases[i][0], &phrase);
		assert_string_equal(buf_text(&phrase), phrases[i][1]);
	}
}

/* Cut anywhere, no byte beyond the end is looked at (AddressSanitizer). */
static void
ends_of_contents_are_not_passed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t n = 0; n < rows[i].a.n; n++) {
			char *a = xmalloc(n + 1);
			char *b = xmalloc(rows[i].b.n + 1);
			struct reasons r;

			memcpy(a, rows[i].a.p, n);
			memcpy(b, rows[i].b.p, rows[i].b.n);
			a = xrealloc(a, n ? n : 1);
			reason_find((struct slice){a, n},
				(struct slice){b, rows[i].b.n}, &r);
			free(a);
			free(b);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_those_that_the_contents_prove),
		cmocka_unit_test(phrases_say_what_is_only_likely),
		cmocka_unit_test(ends_of_contents_are_not_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
