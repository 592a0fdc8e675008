/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/words.h"
#include "rebuild/official.h"
#include "rebuild/policy.h"
#include "rebuild/trust.h"

#define OFFICIAL "9edb3f66fd807b096b48283debdcddccfea34bad"
#define OLDER "afb9f2752315f131e4ddd44eba02eed403365085"
#define SIGNER "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA"
#define KEY "56D4 EAAA 54EE 5D14 DB83  B153 5D34 09BE 0D3E EDED"
#define OTHER "0123456789abcdef0123456789abcdef01234567"

static struct trust *
load(const char *text, struct err *e)
{
	char path[] = "/tmp/test_policy.XXXXXX";
	int fd = mkstemp(path);
	struct trust *t;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	t = trust_load(path, e);
	unlink(path);
	return t;
}

static struct channel
channel(const char *url, const char *commit, const char *signer)
{
	return (struct channel){.name = "c",
		.url = url,
		.commit = OTHER,
		.intro_commit = commit,
		.intro_signer = signer};
}

static bool
allows(const struct trust *t, struct channel c)
{
	struct buf why = {0}, line = {0};
	bool is_allowed = trust_allows(t, &c, &why, &line);

	/* Whoever is refused is told what and how. */
	assert_true(is_allowed == (why.n == 0));
	assert_true(is_allowed == (line.n == 0));
	buf_fini(&why);
	buf_fini(&line);
	return is_allowed;
}

static void
official_channel_is_known_wherever_it_was(void **state)
{
	static const char *const urls[] = {
		"https://git.savannah.gnu.org/git/guix.git",
		"https://git.guix.gnu.org/guix.git",
		"https://codeberg.org/guix/guix.git",
		"https://codeberg.org/guix/guix",
		"https://codeberg.org/guix/guix/",
		"http://git.savannah.gnu.org/r/guix.git",
		"git://git.savannah.gnu.org/guix.git",
		"https://github.com/guix-mirror/guix",
	};
	struct err e = {0};
	struct trust *t = trust_load(NULL, &e);

	(void)state;
	assert_non_null(t);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct channel bare = channel(urls[i], NULL, NULL);

		assert_true(allows(t, channel(urls[i], OFFICIAL, SIGNER)));
		assert_true(allows(t, channel(urls[i], OLDER, SIGNER)));
		/* Guix itself introduces, or refuses, its own; no other. */
		assert_false(allows(t, bare));
		bare.name = "guix";
		assert_true(allows(t, bare));
		bare.intro_commit = OFFICIAL;
		assert_false(allows(t, bare));
		/* Spaces and case of a fingerprint say nothing. */
		assert_true(allows(t,
			channel(urls[i], OFFICIAL,
				"bbb02ddf2ceaf6a80d1de643a2a06df2a33a54fa")));
		assert_false(allows(t, channel(urls[i], OTHER, SIGNER)));
		assert_false(allows(t,
			channel(urls[i], OFFICIAL,
				"AAA0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A "
				"54FA")));
	}
	assert_false(allows(t,
		channel("https://codeberg.org/guix/guix.git2", OFFICIAL,
			SIGNER)));
	assert_false(allows(t,
		channel("http://codeberg.org/guix/guix.git", OFFICIAL,
			SIGNER)));
	trust_free(t);
}

static void
trust_file_adds_channels(void **state)
{
	struct err e = {0};
	struct trust *t = load("(trust (version 0)\n"
			       " (channel (url \"https://a.example/x\")\n"
			       "  (introduction (commit \"" OTHER "\")\n"
			       "   (signer \"" SIGNER "\")))\n"
			       " (channel (url \"https://b.example/y\")))",
		&e);

	(void)state;
	if (!t)
		fail_msg("%s", e.text);
	assert_true(allows(t, channel("https://a.example/x", OTHER, SIGNER)));
	assert_false(
		allows(t, channel("https://a.example/x", OFFICIAL, SIGNER)));
	assert_false(allows(t, channel("https://a.example/x", NULL, NULL)));
	/* Listed without an introduction: any, or none. */
	assert_true(allows(t, channel("https://b.example/y", NULL, NULL)));
	assert_true(allows(t, channel("https://b.example/y", OTHER, SIGNER)));
	assert_false(allows(t, channel("https://c.example/z", NULL, NULL)));
	trust_free(t);
}

static void
introductions_and_signers_are_trusted_anywhere(void **state)
{
	struct err e = {0};
	struct trust *t = load("(trust (version 0)\n"
			       " (introduction (commit \"" OTHER "\")\n"
			       "  (signer \"" SIGNER "\"))\n"
			       " (signer \"" KEY "\")\n"
			       " (channel (url \"https://a.example/x\")\n"
			       "  (introduction (commit \"" OLDER "\")\n"
			       "   (signer \"" SIGNER "\"))))",
		&e);

	(void)state;
	if (!t)
		fail_msg("%s", e.text);
	assert_true(allows(t, channel("https://b.example/y", OTHER, SIGNER)));
	assert_true(allows(t, channel("file:///y", OTHER, SIGNER)));
	assert_false(allows(t, channel("https://b.example/y", OLDER, SIGNER)));
	assert_false(allows(t, channel("https://b.example/y", NULL, NULL)));
	assert_true(allows(t, channel("https://b.example/y", OTHER, KEY)));
	assert_true(allows(t, channel("https://b.example/y", OLDER, KEY)));
	/* Where the URL is listed, it is under its introduction alone. */
	assert_true(allows(t, channel("https://a.example/x", OLDER, SIGNER)));
	assert_false(allows(t, channel("https://a.example/x", OTHER, SIGNER)));
	assert_false(allows(t, channel("https://a.example/x", OTHER, KEY)));
	assert_false(allows(
		t, channel("https://codeberg.org/guix/guix.git", OTHER, KEY)));
	trust_free(t);
}

/* The line that a refusal prints is one that the trust file takes. */
static void
line_to_add_can_be_added(void **state)
{
	struct channel c = channel("https://a.example/x", OTHER, SIGNER);
	struct buf why = {0}, line = {0};
	struct err e = {0};
	struct trust *t;
	char *text;

	(void)state;
	assert_false(trust_allows(NULL, &c, &why, &line));
	assert_non_null(strstr(buf_text(&why), "https://a.example/x"));
	assert_non_null(strstr(buf_text(&why), SIGNER));
	assert_non_null(strstr(buf_text(&why), OTHER));
	text = xasprintf("(trust (version 0) %s)", buf_text(&line));
	t = load(text, &e);
	if (!t)
		fail_msg("%s", e.text);
	assert_true(allows(t, c));
	trust_free(t);
	free(text);
	buf_fini(&why);
	buf_fini(&line);
}

static void
hostile_channel_is_shown_escaped(void **state)
{
	struct channel c =
		channel("https://x/\")(url \"y\x1b[2J\n", OTHER, "\" evil");
	struct buf why = {0}, line = {0};

	(void)state;
	c.name = "na\nme";
	assert_false(trust_allows(NULL, &c, &why, &line));
	assert_null(strchr(buf_text(&why), '\n'));
	assert_null(strchr(buf_text(&why), 0x1b));
	assert_null(strchr(buf_text(&line), 0x1b));
	assert_null(strchr(buf_text(&line), '\n'));
	assert_non_null(strstr(buf_text(&line), "\\\")(url"));
	buf_fini(&why);
	buf_fini(&line);
}

static void
mistakes_in_a_trust_file_have_a_place(void **state)
{
	static const struct {
		const char *text, *place, *what;
	} rows[] = {
		{"(trust)", ":1:1: ", "(version 0)"},
		{"(trust (version 1))", ":1:8: ", "version 0"},
		{"(trust (version 0)\n (chanel))", ":2:2: ", "unknown field"},
		{"(trust (version 0)\n (channel))", ":2:2: ", "has a url"},
		{"(trust (version 0) (channel (url \"ssh://x/y\")))",
			":1:20: ", "none that is fetched"},
		{"(trust (version 0)\n (channel (url \"https://x/y\"))\n"
		 " (channel (url \"https://x/y\")))",
			":3:2: ", "twice"},
		{"(trust (version 0) (channel (url \"https://x\") (url "
		 "\"https://y\")))",
			":1:47: ", "twice"},
		{"(trust (version 0) (channel (url \"https://x\")\n"
		 " (introduction (commit \"abc\") (signer \"" SIGNER "\"))))",
			":2:2: ", "40 lower-case"},
		{"(trust (version 0) (channel (url \"https://x\")\n"
		 " (introduction (commit \"" OTHER "\"))))",
			":2:2: ", "a commit and a signer"},
		{"(trust (version 0) (channel (url \"https://x\")\n"
		 " (introduction (commit \"" OTHER "\") (signer \"12\"))))",
			":2:2: ", "fingerprint"},
		{"(trust (version 0) (signer \"12\"))",
			":1:20: ", "fingerprint"},
		{"(trust (version 0) (signer))", ":1:20: ", "one string"},
		{"(trust (version 0) (signer \"" SIGNER "\")\n"
		 " (signer \"bbb02ddf2ceaf6a80d1de643a2a06df2a33a54fa\"))",
			":2:2: ", "twice"},
		{"(trust (version 0)\n (introduction (commit \"" OTHER "\")))",
			":2:2: ", "a commit and a signer"},
		{"(trust (version 0) . x)", ":1:1: ", "one list"},
		{"(trust (version 0) (channel (url \"https://x\") . 1))",
			":1:20: ", "dot"},
		{"(trust (version 0)) (trust (version 0))", ":1:1: ", "one"},
		{"(trust (version 0)", ":1:", ""},
		{"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = {0};

		assert_null(load(rows[i].text, &e));
		assert_int_equal(e.kind, ERR_INPUT);
		if (!strstr(e.text, rows[i].place) ||
			!strstr(e.text, rows[i].what))
			fail_msg("row %zu: %s", i, e.text);
	}
}

static void
urls_that_git_may_see(void **state)
{
	static const char *const good[] = {"https://a.example/x.git",
		"http://a/x", "git://git.example.org/guix.git", "file:///srv/x",
		"https://[::1]:8080/x", "https://a/~u/%20"};
	static const char *const bad[] = {"", "-x", "--upload-pack=x",
		"ssh://h/x", "git@h:x", "ext::sh -c x", "https://-oProxy/x",
		"https://", "file://host/x", "file:///", "file://", "/srv/x",
		"https://a/x y", "https://a/\nx", "https://a/\xc3\xa9",
		"HTTPS://a/x", "https:///x", "ftp://a/x", "fd::17/x"};
	char *text = xmalloc(3000);

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!policy_url_ok(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (policy_url_ok(bad[i]))
			fail_msg("%s", bad[i]);
	/* 2048 bytes, and one more. */
	memset(text, 'a', 3000);
	memcpy(text, "https://", 8);
	text[2048] = '\0';
	assert_true(policy_url_ok(text));
	text[2048] = 'a';
	text[2049] = '\0';
	assert_false(policy_url_ok(text));
	free(text);
}

static void
commits_are_forty_digits(void **state)
{
	(void)state;
	assert_true(policy_commit_ok(OTHER));
	assert_false(policy_commit_ok(NULL));
	assert_false(policy_commit_ok(""));
	assert_false(policy_commit_ok("master"));
	assert_false(
		policy_commit_ok("0123456789abcdef0123456789abcdef0123456"));
	assert_false(
		policy_commit_ok("0123456789abcdef0123456789abcdef012345678"));
	assert_false(
		policy_commit_ok("0123456789ABCDEF0123456789abcdef01234567"));
	assert_false(
		policy_commit_ok("--23456789abcdef0123456789abcdef01234567"));
}

static void
official_channel_is_to_be_had_elsewhere(void **state)
{
	const char *const *place = official_places();
	size_t n = 0;

	(void)state;
	for (; place[n]; n++) {
		assert_true(policy_url_ok(place[n]));
		assert_true(official_url(place[n]));
	}
	assert_int_equal(n, 4);
	assert_false(official_url("https://a.example/x"));
	assert_false(official_url("https://codeberg.org/guix/guix.git/x"));
	assert_false(official_url("https://codeberg.org/guix/guix.git//"));
	assert_false(official_url("https://codeberg.org/guix/gui"));
	assert_false(official_url(""));
}

/* --- mirrors --------------------------------------------------------------- */

static int
load_moves(const char *text, struct words *pairs, struct err *e)
{
	char path[] = "/tmp/test_policy.XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = moves_load(path, pairs, e);
	unlink(path);
	return rc;
}

static void
mirrors_are_read_in_order(void **state)
{
	struct arena a = {0};
	struct words pairs = {.arena = &a};
	struct err e = {0};

	(void)state;
	if (load_moves("; where things went\n"
		       "(mirrors (version 0)\n"
		       " (mirror (from \"https://a/\") (to \"file:///b/\"))\n"
		       " (mirror (to \"git://d/\") (from \"https://a/\")))",
		    &pairs, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(pairs.n, 4);
	assert_string_equal(pairs.v[0], "https://a/");
	assert_string_equal(pairs.v[1], "file:///b/");
	assert_string_equal(pairs.v[2], "https://a/");
	assert_string_equal(pairs.v[3], "git://d/");
	words_fini(&pairs);
	arena_fini(&a);
}

static void
mistakes_in_a_mirrors_file_have_a_place(void **state)
{
#define PAIR "(mirror (from \"https://a/\") (to \"https://b/\"))"
	static const struct {
		const char *text, *place, *what;
	} rows[] = {
		{"(mirrors)", ":1:1: ", "(version 0)"},
		{"(mirrors (version 2))", ":1:10: ", "version 0"},
		{"(trust (version 0))", ":1:1: ", "(mirrors ...)"},
		{"(mirrors (version 0)\n  (miror))",
			":2:3: ", "version and mirror are known"},
		{"(mirrors (version 0) (mirror (from \"https://a\")))",
			":1:22: ", "has a to"},
		{"(mirrors (version 0) (mirror (to \"https://a\")))",
			":1:22: ", "has a from"},
		{"(mirrors (version 0)\n (mirror (from \"https://a\") (to "
		 "\"--upload-pack=x\")))",
			":2:2: ", "https, http, git"},
		{"(mirrors (version 0)\n (mirror (from \"ssh://a\") (to "
		 "\"https://b\")))",
			":2:2: ", "https, http, git"},
		{"(mirrors (version 0) (mirror (from \"https://a\" 1)))",
			":1:30: ", "one string"},
		{"(mirrors (version 0) (mirror (via \"https://a\")))",
			":1:30: ", "from and to"},
		{"(mirrors (version 0)\n " PAIR "\n " PAIR ")",
			":3:2: ", "twice"},
		{"(mirrors (version 0)", ":1:", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = {0};
		struct words pairs = {.arena = &a};
		struct err e = {0};

		assert_int_equal(load_moves(rows[i].text, &pairs, &e), -1);
		assert_int_equal(e.kind, ERR_INPUT);
		if (!strstr(e.text, rows[i].place) ||
			!strstr(e.text, rows[i].what))
			fail_msg("row %zu: %s", i, e.text);
		words_fini(&pairs);
		arena_fini(&a);
	}
}

/* As many mirrors as there may be, and one more. */
static void
mirrors_have_a_limit(void **state)
{
	struct arena a = {0};
	struct words pairs = {.arena = &a};
	struct buf text = {0};
	struct err e = {0};

	(void)state;
	buf_str(&text, "(mirrors (version 0)");
	for (int i = 0; i < MOVES_MAX; i++)
		buf_printf(&text, "(mirror(from\"git://a/%d\")(to\"git://b\"))",
			i);
	buf_char(&text, ')');
	if (load_moves(buf_text(&text), &pairs, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(pairs.n, 2 * MOVES_MAX);
	assert_int_equal(
		load_moves("(mirrors (version 0) " PAIR ")", &pairs, &e), -1);
	assert_non_null(strstr(e.text, "too many"));
	words_fini(&pairs);
	buf_fini(&text);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(official_channel_is_known_wherever_it_was),
		cmocka_unit_test(trust_file_adds_channels),
		cmocka_unit_test(line_to_add_can_be_added),
		cmocka_unit_test(hostile_channel_is_shown_escaped),
		cmocka_unit_test(mistakes_in_a_trust_file_have_a_place),
		cmocka_unit_test(urls_that_git_may_see),
		cmocka_unit_test(commits_are_forty_digits),
		cmocka_unit_test(official_channel_is_to_be_had_elsewhere),
		cmocka_unit_test(
			introductions_and_signers_are_trusted_anywhere),
		cmocka_unit_test(mirrors_are_read_in_order),
		cmocka_unit_test(mistakes_in_a_mirrors_file_have_a_place),
		cmocka_unit_test(mirrors_have_a_limit),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
