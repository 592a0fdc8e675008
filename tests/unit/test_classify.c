/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "rebuild/classify.h"

/* Store items that no store has; the words around them are Guix 1.5.0's. */
#define DRV1 "/gnu/store/00000000000000000000000000000001-leaf-0.drv"
#define DRV2 "/gnu/store/00000000000000000000000000000002-profile.drv"
#define LOG1 \
	"/var/log/guix/drvs/00/000000000000000000000000000001-leaf-0.drv.gz"
#define BAR "\x1b[K\xe2\x96\x95\xe2\x96\x88\xe2\x96\x88\xe2\x96\x8f"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"

#define PLAN                                         \
	"The following derivations will be built:\n" \
	"  " DRV1 "\n  " DRV2 "\n\n"                 \
	"building " DRV1 "...\n"
#define REST                                                              \
	"build of " DRV1 " failed\n"                                      \
	"View build log at '" LOG1 "'.\n"                                 \
	"cannot build derivation `" DRV2 "': 1 dependencies couldn't be " \
	"built\n"                                                         \
	"guix build: error: build of `" DRV2 "' failed\n"
#define FAILED "builder for `" DRV1 "' failed with exit code 3\n" REST

static const struct row {
	enum step step;
	const char *log;
	enum rebuild_end end;
	const char *class_;
	const char *drv;   /* that failed; NULL: none is named */
	const char *cause; /* is in it */
} rows[] = {
	{STEP_BUILD, PLAN "about to fail\n" FAILED, REBUILD_UNBUILDABLE,
		"build-failed", DRV1, "leaf-0.drv"},
	{STEP_BUILD,
		PLAN "builder for `" DRV1
		     "' failed to produce output path `/gnu/store/x'\n" REST,
		REBUILD_UNBUILDABLE, "build-failed", DRV1, "leaf-0.drv"},
	{STEP_BUILD,
		PLAN "builder for `" DRV1
		     "' failed due to signal 9 (Killed)\n" REST,
		REBUILD_NOT_TRIED, "killed", DRV1, "killed"},
	{STEP_BUILD,
		PLAN "building of `" DRV1
		     "' timed out after 3 seconds of silence\n" REST,
		REBUILD_TIMEOUT, "silence", DRV1, "silent"},
	/* Guix 1.5.0 prints these very characters. */
	{STEP_BUILD,
		PLAN "building of `" DRV1
		     "' timed out after %2% seconds\n" REST,
		REBUILD_TIMEOUT, "deadline", DRV1, "in time"},
	{STEP_BUILD,
		PLAN "sha256 hash mismatch for /gnu/store/"
		     "00000000000000000000000000000003-x.tar:\n"
		     "  expected hash: 0aaa\n  actual hash:   0bbb\n"
		     "hash mismatch for store item '/gnu/store/"
		     "00000000000000000000000000000003-x.tar'\n" REST,
		REBUILD_UNAVAILABLE, "hash-mismatch", DRV1, "source"},
	{STEP_INSTANCE,
		PLAN "builder for `" DRV1 "' failed with exit code 1\n" REST,
		REBUILD_UNBUILDABLE, "channel-broken", DRV1, "compile"},
	{STEP_INSTANCE,
		"Authenticating channel 'a', commits 1 to 2...\n" BAR
		"guix time-machine: error: could not authenticate "
		"commit " COMMIT ": key AAAA BBBB is missing\n\x1b[K",
		REBUILD_REFUSED, "authentication", NULL, COMMIT},
	{STEP_INSTANCE,
		BAR "guix time-machine: error: commit " COMMIT
		    " lacks a signature\n\x1b[K",
		REBUILD_REFUSED, "authentication", NULL, "not signed"},
	{STEP_INSTANCE,
		"guix time-machine: error: commit " COMMIT
		" not signed by an authorized key: AAAA\n",
		REBUILD_REFUSED, "authentication", NULL, "authorize"},
	{STEP_INSTANCE,
		"guix time-machine: error: initial commit " COMMIT
		" is signed by 'AAAA' instead of 'BBBB'\n",
		REBUILD_REFUSED, "authentication", NULL, "introduct"},
	{STEP_INSTANCE,
		"guix time-machine: error: commit " COMMIT
		" is not a descendant of introductory commit x\n",
		REBUILD_REFUSED, "authentication", NULL, "descend"},
	{STEP_INSTANCE,
		"guix time-machine: error: Git error: object not found "
		"- no match for id (" COMMIT ")\n",
		REBUILD_UNAVAILABLE, "commit-missing", NULL, COMMIT},
	{STEP_INSTANCE,
		"guix time-machine: error: Git error: failed to "
		"resolve address for x.example\n",
		REBUILD_UNAVAILABLE, "channel-unreachable", NULL, "x.example"},
	{STEP_LOWER,
		"guix pack: error: nosuch: unknown package\n"
		"guix pack: error: failed to load '/w/m.scm':\n"
		"gnu/packages.scm:578:4: In procedure x:\n"
		"Throw to key `quit' with args `(1)'.\n",
		REBUILD_UNBUILDABLE, "unknown-package", NULL, "nosuch"},
	{STEP_LOWER, "/w/m.scm:2:1: missing closing parenthesis\n",
		REBUILD_UNBUILDABLE, "lower-failed", NULL, "parenthesis"},
	{STEP_LOWER,
		"guix pack: error: failed to connect to `/var/guix/"
		"daemon-socket/socket': Connection refused\n",
		REBUILD_NOT_TRIED, "daemon", NULL, "refused"},
	/* Guix 1.5.0, when its daemon is killed. */
	{STEP_BUILD,
		PLAN "guix build: error: corrupt input while restoring archive "
		     "from #<closed: file 7f326f5117e0>\n",
		REBUILD_NOT_TRIED, "daemon", NULL, "daemon ended"},
	/* The machine's fault comes before what it did to a build. */
	{STEP_BUILD,
		PLAN FAILED
		"guix build: error: writing to file: No space left on "
		"device\n",
		REBUILD_NOT_TRIED, "disk-full", DRV1, "disk"},
	{STEP_BUILD,
		"guix build: error: a `mips64el-linux' is required to "
		"build `" DRV1 "', but I am a `x86_64-linux'\n",
		REBUILD_NOT_TRIED, "system", NULL, "mips64el"},
	/* A builder may print what it likes. */
	{STEP_BUILD,
		PLAN "No space left on device\nlacks a signature\n"
		     "failed to connect to\n" FAILED,
		REBUILD_UNBUILDABLE, "build-failed", DRV1, "leaf-0.drv"},
	{STEP_BUILD, "builder for `/etc/passwd.drv' failed with exit code 1\n",
		REBUILD_UNBUILDABLE, "build-failed", NULL, "passwd"},
	{STEP_MIRROR,
		"fatal: unable to access 'https://x.invalid/y/': Could "
		"not resolve host: x.invalid\n",
		REBUILD_UNAVAILABLE, "channel-unreachable", NULL, "x.invalid"},
	{STEP_MIRROR,
		"fatal: '/srv/x' does not appear to be a git repository\n"
		"fatal: Could not read from remote repository.\n\n"
		"Please make sure you have the correct access rights\n"
		"and the repository exists.\n",
		REBUILD_UNAVAILABLE, "channel-unreachable", NULL,
		"does not appear to be"},
	{STEP_MIRROR, "error: unable to write file: No space left on device\n",
		REBUILD_NOT_TRIED, "disk-full", NULL, "full"},
	{STEP_BUILD, "", REBUILD_UNBUILDABLE, "build-failed", NULL, ""},
};

static void
messages_have_a_class(void **state)
{
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct diagnosis d;

		classify(&a, r->step, slice_of(r->log), &d);
		if (d.end != r->end || strcmp(d.class_, r->class_) != 0 ||
			!strstr(d.cause, r->cause))
			fail_msg("row %zu: %d %s: %s", i, (int)d.end, d.class_,
				d.cause);
		if (!r->drv)
			assert_null(d.failed_drv);
		else
			assert_string_equal(d.failed_drv, r->drv);
		/* Whoever fails is told what to do. */
		assert_non_null(d.advice);
	}
	arena_fini(&a);
}

/* What fails after it fails because of it. */
static void
first_failure_is_named(void **state)
{
	static const char log[] =
		PLAN FAILED "builder for `" DRV2 "' failed with exit code 1\n";
	struct arena a = {0};
	struct diagnosis d;

	(void)state;
	classify(&a, STEP_BUILD, slice_of(log), &d);
	assert_string_equal(d.failed_drv, DRV1);
	assert_string_equal(d.log_file, LOG1);
	/* Decisive is what came up to there. */
	assert_non_null(strstr(d.lines, "exit code 3"));
	assert_null(strstr(d.lines, "exit code 1"));
	arena_fini(&a);
}

static struct diagnosis
failed(struct arena *a)
{
	struct diagnosis d;

	classify(a, STEP_BUILD, slice_of(PLAN FAILED), &d);
	return d;
}

static void
log_of_the_build_tells_more(void **state)
{
	struct arena a = {0};
	struct diagnosis d = failed(&a);
	char text[4000] = "No space left on device\n";

	(void)state;
	classify_build_log(&a, false, slice_of("configure\nerror: x\n"), &d);
	assert_string_equal(d.class_, "build-failed");
	assert_string_equal(d.lines, "configure\nerror: x");

	d = failed(&a);
	classify_build_log(&a, true, slice_of("failed to download\n"), &d);
	assert_int_equal(d.end, REBUILD_UNAVAILABLE);
	assert_string_equal(d.class_, "source-gone");

	d = failed(&a);
	classify_build_log(&a, true, slice_of(""), &d);
	assert_string_equal(d.class_, "source-gone");

	d = failed(&a);
	classify_build_log(&a, true,
		slice_of("ld: final link failed: No space left on device\n"),
		&d);
	assert_int_equal(d.end, REBUILD_NOT_TRIED);
	assert_string_equal(d.class_, "disk-full");

	/* A test that fills a little disk, far above the end. */
	for (int i = 0; i < 30; i++)
		strcat(text, "more\n");
	d = failed(&a);
	classify_build_log(&a, false, slice_of(text), &d);
	assert_string_equal(d.class_, "build-failed");
	arena_fini(&a);
}

#define BOMB "/gnu/store/00000000000000000000000000000004-openssl-1.1.1l.drv"

/* Lines as builds of Guix and of packages print them. */
static void
log_of_the_build_has_a_class(void **state)
{
	static const struct {
		const char *log;
		enum rebuild_end end;
		const char *class_;
		const char *line; /* is among the decisive ones */
	} cases[] = {
		{"FAIL: test-lock\n"
		 "error: in phase 'check': uncaught exception:\n"
		 "%exception #<&invoke-error program: \"make\" arguments: "
		 "(\"check\") exit-status: 2>\n"
		 "phase `check' failed after 1.2 seconds\n"
		 "command \"make\" \"check\" failed with status 2\n",
			REBUILD_UNBUILDABLE, "tests-failed", "FAIL: test-lock"},
		{"error: in phase 'build': uncaught exception:\n"
		 "phase `build' failed after 1.2 seconds\n",
			REBUILD_UNBUILDABLE, "build-failed", "phase `build'"},
		{"ssl.SSLCertVerificationError: [SSL: "
		 "CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
		 "certificate has expired (_ssl.c:1123)\n"
		 "phase `check' failed after 9.0 seconds\n",
			REBUILD_UNBUILDABLE, "time-bomb", "SSLCert"},
		{"x509: Certificate has expired or is not yet valid\n",
			REBUILD_UNBUILDABLE, "time-bomb", "x509"},
		{"java.lang.RuntimeException: time is more than 10 years from "
		 "present: 1388527200000\n",
			REBUILD_UNBUILDABLE, "time-bomb", "10 years"},
		{"virtual memory exhausted: Cannot allocate memory\n",
			REBUILD_NOT_TRIED, "out-of-memory", "exhausted"},
		{"terminate called after throwing an instance of "
		 "'std::bad_alloc'\n",
			REBUILD_NOT_TRIED, "out-of-memory", "bad_alloc"},
		{"gcc: fatal error: Killed signal terminated program cc1plus\n",
			REBUILD_NOT_TRIED, "out-of-memory", "cc1plus"},
		{"In procedure primitive-fork: Resource temporarily "
		 "unavailable\n",
			REBUILD_NOT_TRIED, "out-of-processes", "fork"},
		{"sh: can't fork: Resource temporarily unavailable\n",
			REBUILD_NOT_TRIED, "out-of-processes", "fork"},
		/* Of a socket, say: no fault of the machine. */
		{"recv: Resource temporarily unavailable\n",
			REBUILD_UNBUILDABLE, "build-failed", "recv"},
		/* The machine comes before what it brings about. */
		{"write: No space left on device\n"
		 "phase `check' failed after 9.0 seconds\n",
			REBUILD_NOT_TRIED, "disk-full", "No space"},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diagnosis d = failed(&a);

		classify_build_log(&a, false, slice_of(cases[i].log), &d);
		if (d.end != cases[i].end ||
			strcmp(d.class_, cases[i].class_) != 0 ||
			!strstr(d.lines, cases[i].line) ||
			!strstr(d.cause, "leaf-0.drv"))
			fail_msg("row %zu: %d %s: %s\n%s", i, (int)d.end,
				d.class_, d.cause, d.lines);
		assert_non_null(d.advice);
	}
	arena_fini(&a);
}

static void
add_lines(struct buf *b, const char *line, int n)
{
	while (n-- > 0)
		buf_str(b, line);
}

/* A date is looked for 200 lines from the end, and shown from there. */
static void
omen_is_looked_for_near_the_end(void **state)
{
	static const struct {
		const char *line;
		int after;
		const char *class_;
	} cases[] = {
		{"certificate has expired\n", 199, "time-bomb"},
		{"certificate has expired\n", 200, "build-failed"},
		{"phase `check' failed after 1\n", 199, "tests-failed"},
		{"phase `check' failed after 1\n", 200, "build-failed"},
		{"Cannot allocate memory\n", 19, "out-of-memory"},
		{"Cannot allocate memory\n", 20, "build-failed"},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diagnosis d = failed(&a);
		struct buf log = {0};

		add_lines(&log, "before\n", 300);
		buf_str(&log, cases[i].line);
		add_lines(&log, "more\n", cases[i].after);
		classify_build_log(&a, false, buf_get(&log), &d);
		if (strcmp(d.class_, cases[i].class_) != 0)
			fail_msg("row %zu: %s", i, d.class_);
		if (i == 0) {
			assert_non_null(strstr(d.lines, "before\ncertificate"));
			assert_null(strstr(d.lines, "more"));
		}
		buf_fini(&log);
	}
	arena_fini(&a);
}

static void
known_time_bombs_need_no_word(void **state)
{
	struct arena a = {0};
	struct diagnosis d;

	(void)state;
	classify(&a, STEP_BUILD,
		slice_of("builder for `" BOMB "' failed with exit code 1\n"),
		&d);
	assert_string_equal(d.class_, "build-failed");
	classify_build_log(&a, false,
		slice_of("phase `check' failed after 60 seconds\n"), &d);
	assert_string_equal(d.class_, "time-bomb");
	assert_non_null(strstr(d.cause, BOMB));
	arena_fini(&a);
}

/* The log of a download does not push aside which hash was expected. */
static void
hashes_stay_decisive(void **state)
{
	struct arena a = {0};
	struct diagnosis d;

	(void)state;
	classify(&a, STEP_BUILD,
		slice_of(PLAN "sha256 hash mismatch for /gnu/store/"
			      "00000000000000000000000000000003-x.tar:\n"
			      "  expected hash: 0aaa\n"
			      "  actual hash:   0bbb\n" REST),
		&d);
	classify_build_log(&a, true, slice_of("Starting download\n"), &d);
	assert_string_equal(d.class_, "hash-mismatch");
	assert_non_null(strstr(d.lines, "0aaa"));
	assert_non_null(strstr(d.lines, "0bbb"));
	arena_fini(&a);
}

static void
what_may_pass_is_of_the_machine(void **state)
{
	static const char *const may[] = {"channel-unreachable", "daemon",
		"disk-full", "killed", "lock", "out-of-memory", "stopped"};
	static const char *const never[] = {"authentication", "build-failed",
		"commit-missing", "deadline", "hash-mismatch", "silence",
		"source-gone", "tests-failed", "time-bomb", "unknown-package",
		"untrusted", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		assert_true(classify_may_pass(may[i]));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(classify_may_pass(never[i]));
}

static void
only_the_log_of_that_derivation_is_opened(void **state)
{
	(void)state;
	assert_true(classify_is_log_of(LOG1, DRV1));
	assert_true(classify_is_log_of("/elsewhere/drvs/00/"
				       "000000000000000000000000000001-leaf-0."
				       "drv.bz2",
		DRV1));
	assert_false(classify_is_log_of(LOG1, DRV2));
	assert_false(classify_is_log_of("/etc/shadow", DRV1));
	assert_false(classify_is_log_of(LOG1 ".x", DRV1));
	assert_false(classify_is_log_of(
		"/a/../drvs/00/000000000000000000000000000001-leaf-0.drv.gz",
		DRV1));
	assert_false(classify_is_log_of(
		"drvs/00/000000000000000000000000000001-leaf-0.drv.gz", DRV1));
}

static void
last_lines_are_few_short_and_clean(void **state)
{
	struct arena a = {0};
	char *text = xmalloc(CLASSIFY_LINE_BYTES + 10);
	size_t n = 0;
	const char *lines;

	(void)state;
	assert_string_equal(
		classify_last_lines(&a, slice_of("a\nb\x07\nc\n"), 2),
		"b#x07\nc");
	assert_null(classify_last_lines(&a, slice_of("\n\n"), 2));
	memset(text, 'x', CLASSIFY_LINE_BYTES + 10);
	lines = classify_last_lines(
		&a, (struct slice){text, CLASSIFY_LINE_BYTES}, 1);
	assert_int_equal(strlen(lines), CLASSIFY_LINE_BYTES);
	lines = classify_last_lines(
		&a, (struct slice){text, CLASSIFY_LINE_BYTES + 1}, 1);
	assert_int_equal(strlen(lines), CLASSIFY_LINE_BYTES);
	for (int i = 0; i < 200; i += 2) {
		text[i] = 'y';
		text[i + 1] = '\n';
	}
	lines = classify_last_lines(&a, (struct slice){text, 200}, 1000);
	for (const char *p = lines; *p; p++)
		n += *p == 'y';
	assert_int_equal(n, CLASSIFY_LINES);
	free(text);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_have_a_class),
		cmocka_unit_test(first_failure_is_named),
		cmocka_unit_test(log_of_the_build_tells_more),
		cmocka_unit_test(log_of_the_build_has_a_class),
		cmocka_unit_test(omen_is_looked_for_near_the_end),
		cmocka_unit_test(known_time_bombs_need_no_word),
		cmocka_unit_test(hashes_stay_decisive),
		cmocka_unit_test(what_may_pass_is_of_the_machine),
		cmocka_unit_test(only_the_log_of_that_derivation_is_opened),
		cmocka_unit_test(last_lines_are_few_short_and_clean),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
