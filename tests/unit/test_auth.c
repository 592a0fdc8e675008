/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fetch/auth.h"

static void
write_file(const char *path, const char *text)
{
	CLEANUP(own_free)
	char *dir = path_dir(path);
	struct err e = {0};
	FILE *f;

	assert_int_equal(path_mkdirs(dir, 0700, &e), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* The vectors of RFC 4648 section 10. */
static void
base64_is_that_of_the_rfc(void **state)
{
	static const char *const v[][2] = {{"", ""}, {"f", "Zg=="},
		{"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		buf_clear(&out);
		base64_encode(slice_of(v[i][0]), &out);
		assert_string_equal(buf_text(&out), v[i][1]);
		buf_clear(&out);
		assert_true(base64_decode(slice_of(v[i][1]), &out));
		assert_string_equal(buf_text(&out), v[i][0]);
	}
	assert_false(base64_decode(slice_of("Zg=a"), &out));
	assert_false(base64_decode(slice_of("Z"), &out));
	assert_false(base64_decode(slice_of("Zm 9"), &out));
	assert_false(base64_decode((struct slice){"Zm\0v", 4}, &out));
	buf_fini(&out);
}

static void
challenges_are_read_as_the_rfc_writes_them(void **state)
{
	/* The first is RFC 9110's own example, with what registries send. */
	struct slice at = slice_of(
		"Basic realm=\"simple \\\"x\\\"\", Newauth x=1, type=1,\n"
		"Bearer realm=\"https://auth.example.org/token\",service=r.org"
		",scope=\"repository:lab/x:pull\" , scope=\"b:c:d\"");
	struct challenge c;

	(void)state;
	assert_int_equal(challenge_next(&at, &c), 1);
	assert_string_equal(buf_text(&c.scheme), "basic");
	assert_string_equal(buf_text(&c.realm), "simple \"x\"");
	challenge_fini(&c);
	assert_int_equal(challenge_next(&at, &c), 1);
	assert_string_equal(buf_text(&c.scheme), "newauth");
	challenge_fini(&c);
	assert_int_equal(challenge_next(&at, &c), 1);
	assert_string_equal(buf_text(&c.scheme), "bearer");
	assert_string_equal(
		buf_text(&c.realm), "https://auth.example.org/token");
	assert_string_equal(buf_text(&c.service), "r.org");
	assert_string_equal(buf_text(&c.scope), "repository:lab/x:pull b:c:d");
	challenge_fini(&c);
	assert_int_equal(challenge_next(&at, &c), 0);
	at = slice_of("Bearer realm=\"never ends");
	assert_int_equal(challenge_next(&at, &c), 0);
}

/* What `docker login' and `podman login' write: base64 of "u1:p1", ... */
#define AUTH(n) "{\"auth\": \"" n "\"}"
#define U1 "dTE6cDE="
#define U2 "dTI6cDI="
#define U3 "dTM6cDM6eA==" /* u3:p3:x */

static void
the_most_specific_key_is_taken(void **state)
{
	const char *dir = *state;
	CLEANUP(own_free)
	char *file = path_join(dir, "auth.json");
	const struct auth_env env = {.registry_auth_file = file};
	static const struct {
		const char *host, *repository, *user, *secret;
	} cases[] = {
		{"h.example.org", "lab/x", "u3", "p3:x"},
		{"h.example.org", "lab/y", "u2", "p2"},
		{"h.example.org", "other", "u1", "p1"},
		{"h.example.org", "laboratory/x", "u1", "p1"},
		{"h.example.org:5000", "lab/x", NULL, NULL},
		{"docker.io", "library/x", "u2", "p2"},
		{"old.example.org", "x", "u1", "p1"},
		{"empty.example.org", "x", NULL, NULL},
	};

	write_file(file,
		"{\"auths\": {\"h.example.org\": " AUTH(U1) ", \"h.example.org/lab\": " AUTH(U2) ", \"h.example.org/lab/x\": " AUTH(
			U3) ", \"https://index.docker.io/v1/\": " AUTH(U2) ", \"https://old.example.org/v2/\": " AUTH(U1) ", \"empty.example.org\": {}}}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct credentials c = {0};
		struct err e = {0};
		int found = auth_find(
			&env, cases[i].host, cases[i].repository, &c, &e);

		if (found < 0)
			fail_msg("%s", e.text);
		assert_int_equal(found, cases[i].user != NULL);
		if (found) {
			assert_string_equal(c.user, cases[i].user);
			assert_string_equal(c.secret, cases[i].secret);
			assert_false(c.is_token);
		}
		credentials_fini(&c);
	}
}

static void
files_are_looked_at_in_their_order(void **state)
{
	const char *dir = *state;
	CLEANUP(own_free)
	char *run = path_join(dir, "run");
	CLEANUP(own_free)
	char *home = path_join(dir, "home");
	const struct auth_env env = {.runtime_dir = run, .home = home};
	static const struct {
		const char *file, *text, *user;
	} cases[] = {
		/* the last first: each hides those before */
		{"home/.dockercfg", "{\"h.example.org\": " AUTH("dTQ6cDQ=") "}",
			"u4"},
		{"home/.docker/config.json",
			"{\"auths\": {\"h.example.org\": " AUTH(U3) "}}", "u3"},
		{"home/.config/containers/auth.json",
			"{\"auths\": {\"h.example.org\": " AUTH(U2) "}}", "u2"},
		{"run/containers/auth.json",
			"{\"auths\": {\"h.example.org\": " AUTH(U1) "}}", "u1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(own_free)
		char *file = path_join(dir, cases[i].file);
		struct credentials c = {0};
		struct err e = {0};

		write_file(file, cases[i].text);
		assert_int_equal(
			auth_find(&env, "h.example.org", "x", &c, &e), 1);
		assert_string_equal(c.user, cases[i].user);
		assert_string_equal(c.origin, file);
		credentials_fini(&c);
	}
}

static void
helpers_are_asked_before_the_file(void **state)
{
	const char *dir = *state;
	CLEANUP(own_free)
	char *file = path_join(dir, "auth.json");
	CLEANUP(own_free)
	char *bin = path_join(dir, "bin");
	CLEANUP(own_free)
	char *program = path_join(bin, "docker-credential-fake");
	CLEANUP(own_free)
	char *path = xasprintf("%s:%s", bin, getenv("PATH"));
	const struct auth_env env = {.registry_auth_file = file};
	struct credentials c = {0};
	struct err e = {0};

	setenv("PATH", path, 1);
	write_file(program,
		"#!/bin/sh\n"
		"[ \"$1\" = get ] || exit 9\n"
		"case $(cat) in\n"
		"h.example.org) echo '{\"Username\":\"hu\",\"Secret\":\"hs\"}';;\n"
		"t.example.org) echo '{\"Username\":\"<token>\",\"Secret\":\"rt\"}';;\n"
		"bad.example.org) echo no; exit 0;;\n"
		"*) echo 'credentials not found in native keychain'; exit 1;;\n"
		"esac\n");
	assert_int_equal(chmod(program, 0755), 0);
	write_file(file,
		"{\"credHelpers\": {\"gone.example.org\": \"gone\","
		" \"evil.example.org\": \"../../evil\"},"
		" \"credsStore\": \"fake\","
		" \"auths\": {\"h.example.org\": " AUTH(
			U1) ", \"f.example.org\": " AUTH(U2) "}}");
	assert_int_equal(auth_find(&env, "h.example.org", "x", &c, &e), 1);
	assert_string_equal(c.user, "hu");
	assert_string_equal(c.secret, "hs");
	credentials_fini(&c);
	assert_int_equal(auth_find(&env, "t.example.org", "x", &c, &e), 1);
	assert_true(c.is_token);
	assert_string_equal(c.secret, "rt");
	credentials_fini(&c);
	/* Not in the helper: what the file says. */
	assert_int_equal(auth_find(&env, "f.example.org", "x", &c, &e), 1);
	assert_string_equal(c.user, "u2");
	credentials_fini(&c);
	assert_int_equal(auth_find(&env, "n.example.org", "x", &c, &e), 0);
	assert_int_equal(auth_find(&env, "bad.example.org", "x", &c, &e), -1);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(auth_find(&env, "gone.example.org", "x", &c, &e), -1);
	assert_non_null(strstr(e.text, "docker-credential-gone"));
	assert_int_equal(auth_find(&env, "evil.example.org", "x", &c, &e), -1);
	assert_non_null(strstr(e.text, "no name of a credential helper"));
}

static void
a_broken_file_is_told_without_its_secret(void **state)
{
	const char *dir = *state;
	CLEANUP(own_free)
	char *file = path_join(dir, "auth.json");
	const struct auth_env env = {.registry_auth_file = file};
	static const char *const texts[] = {
		"{\"auths\": {\"h.example.org\": {\"auth\": \"c2VjcmV0\"}}}",
		"{\"auths\": {\"h.example.org\": {\"auth\": \"secret!\"}}}",
		/* a:b, a newline, and a header that is not ours */
		"{\"auths\": {\"h.example.org\": {\"identitytoken\": \"secret\\r\\nX: y\"}}}",
		"{\"auths\": secret",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct credentials c = {0};
		struct err e = {0};

		write_file(file, texts[i]);
		assert_int_equal(
			auth_find(&env, "h.example.org", "x", &c, &e), -1);
		assert_int_equal(e.kind, ERR_HOST);
		assert_non_null(strstr(e.text, "auth.json"));
		assert_null(strstr(e.text, "secret"));
	}
}

static int
make_folder(void **state)
{
	char path[] = "/tmp/unblend-test-XXXXXX";

	if (!mkdtemp(path))
		return -1;
	*state = strdup(path);
	return 0;
}

static int
remove_folder(void **state)
{
	struct err e = {0};
	int result = path_remove(*state, &e);

	free(*state);
	return result;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_that_of_the_rfc),
		cmocka_unit_test(challenges_are_read_as_the_rfc_writes_them),
		cmocka_unit_test_setup_teardown(the_most_specific_key_is_taken,
			make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			files_are_looked_at_in_their_order, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			helpers_are_asked_before_the_file, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			a_broken_file_is_told_without_its_secret, make_folder,
			remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
