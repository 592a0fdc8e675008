/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/path.h"
#include "fetch/blobs.h"
#include "fetch/daemon.h"
#include "fetch/kept.h"
#include "fetch/web.h"

static void
nobody_is_asked_for_what_is_here(void **state)
{
	char dir[] = "/tmp/test_web.XXXXXX";
	struct fetch_options o = {.cache = dir};
	struct blobs *b = NULL;
	struct digest want, got;
	struct err e = {0};
	/* Documentation addresses (RFC 5737) without TLS: forbidden to ask. */
	const char *url = "http://192.0.2.1/x";

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(blobs_open(dir, BLOBS_ANY, &b, &e), 0);
	want = digest_of("abc", 3);
	assert_int_equal(web_bring(url, &want, &o, b, &got, &e), -1);
	assert_int_equal(e.kind, ERR_POLICY);
	assert_int_equal(blobs_add(b, "abc", 3, NULL, &e), 0);
	assert_int_equal(web_bring(url, &want, &o, b, &got, &e), 0);
	assert_true(digest_eq(&got, &want));
	blobs_close(b);
	assert_int_equal(path_remove(dir, &e), 0);
}

static void
what_is_kept_of_a_place_is_read_back(void **state)
{
	char dir[] = "/tmp/test_web.XXXXXX";
	struct blobs *b = NULL;
	struct kept k = {.has_sha256 = true, .etag = (char[]){"\"a\\b\""}},
		    back;
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(blobs_open(dir, BLOBS_ANY, &b, &e), 0);
	k.sha256 = digest_of("abc", 3);
	assert_int_equal(kept_write(b, "https://a.example/x", &k, &e), 0);
	kept_read(b, "https://a.example/x", &back);
	assert_true(back.has_sha256 && digest_eq(&back.sha256, &k.sha256));
	assert_string_equal(back.etag, "\"a\\b\"");
	assert_null(back.modified);
	kept_fini(&back);
	kept_read(b, "https://a.example/y", &back);
	assert_false(back.has_sha256);
	/* What would make two headers of one is not kept. */
	assert_null(kept_value(slice_of("a\r\nHost: b")));
	blobs_close(b);
	assert_int_equal(path_remove(dir, &e), 0);
}

static void
docker_host_names_the_daemon(void **state)
{
	static const struct {
		const char *text, *socket, *url;
	} rows[] = {
		{NULL, "/var/run/docker.sock", "http://localhost"},
		{"", "/var/run/docker.sock", "http://localhost"},
		{"unix:///run/x.sock", "/run/x.sock", "http://localhost"},
		{"tcp://127.0.0.1:2375", NULL, "http://127.0.0.1:2375"},
	};
	static const char *const bad[] = {"ssh://a", "unix:x", "tcp://",
		"tcp://a/b", "tcp://user@a", "fd://", "x"};
	struct daemon_place p;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(daemon_place_parse(rows[i].text, &p, &e), 0);
		if (rows[i].socket)
			assert_string_equal(p.socket, rows[i].socket);
		else
			assert_null(p.socket);
		assert_string_equal(p.url, rows[i].url);
		daemon_place_fini(&p);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(daemon_place_parse(bad[i], &p, &e), -1);
		assert_int_equal(e.kind, ERR_POLICY);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_asked_for_what_is_here),
		cmocka_unit_test(what_is_kept_of_a_place_is_read_back),
		cmocka_unit_test(docker_host_names_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
