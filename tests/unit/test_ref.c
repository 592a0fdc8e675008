/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/fetch.h"
#include "fetch/ref.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
assert_same(const char *have, const char *want)
{
	if (!want)
		assert_null(have);
	else
		assert_string_equal(have ? have : "(none)", want);
}

static void
each_transport_is_read(void **state)
{
	static const struct {
		const char *text;
		enum transport transport;
		const char *path, *ref, *host;
	} cases[] = {
		{"a.tar", TRANSPORT_PACK, "d/a.tar", NULL, NULL},
		{"/x/a:b.tar", TRANSPORT_PACK, "/x/a:b.tar", NULL, NULL},
		{"pack:a:b.sqfs", TRANSPORT_PACK, "d/a:b.sqfs", NULL, NULL},
		{"docker-archive:a.tar", TRANSPORT_DOCKER_ARCHIVE, "d/a.tar",
			NULL, NULL},
		{"docker-archive:/a.tar:lab/x:1", TRANSPORT_DOCKER_ARCHIVE,
			"/a.tar", "lab/x:1", NULL},
		{"docker-archive:a.tar:@2", TRANSPORT_DOCKER_ARCHIVE, "d/a.tar",
			"@2", NULL},
		{"oci-archive:a.tar:v1", TRANSPORT_OCI_ARCHIVE, "d/a.tar", "v1",
			NULL},
		{"oci:lay", TRANSPORT_OCI, "d/lay", NULL, NULL},
		{"oci:/lay:v1", TRANSPORT_OCI, "/lay", "v1", NULL},
		{"dir:x:y", TRANSPORT_DIR, "d/x:y", NULL, NULL},
		{"rootfs:x", TRANSPORT_ROOTFS, "d/x", NULL, NULL},
		{"docker://h.example.org/lab/x:1.0", TRANSPORT_DOCKER, "lab/x",
			"1.0", "h.example.org"},
		{"docker://localhost:5000/x", TRANSPORT_DOCKER, "x", "latest",
			"localhost:5000"},
		{"docker://[::1]:5000/x", TRANSPORT_DOCKER, "x", "latest",
			"[::1]:5000"},
		{"docker://localhost/x@sha256:" HEX64, TRANSPORT_DOCKER, "x",
			"sha256:" HEX64, "localhost"},
		{"docker://h.example.org/x:1@sha256:" HEX64, TRANSPORT_DOCKER,
			"x", "sha256:" HEX64, "h.example.org"},
		{"docker://x", TRANSPORT_DOCKER, "library/x", "latest",
			"docker.io"},
		{"docker://lab/x", TRANSPORT_DOCKER, "lab/x", "latest",
			"docker.io"},
		{"docker-daemon:x", TRANSPORT_DOCKER_DAEMON, "x:latest", NULL,
			NULL},
		{"docker-daemon:h.example.org/x:2", TRANSPORT_DOCKER_DAEMON,
			"h.example.org/x:2", NULL, NULL},
		{"docker-daemon:sha256:" HEX64, TRANSPORT_DOCKER_DAEMON,
			"sha256:" HEX64, NULL, NULL},
		{"https://example.org/a.tar?x=1", TRANSPORT_WEB,
			"https://example.org/a.tar?x=1", NULL, NULL},
		{"http://127.0.0.1:8/a", TRANSPORT_WEB, "http://127.0.0.1:8/a",
			NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = {0};
		struct ref r;

		if (ref_parse(cases[i].text, "d", &r, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_int_equal(r.transport, cases[i].transport);
		assert_same(r.path, cases[i].path);
		assert_same(r.ref, cases[i].ref);
		assert_same(r.host, cases[i].host);
		ref_fini(&r);
	}
}

static void
what_is_no_reference_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "names no file"},
		{"docker-archive:", "names no file"},
		{"oci::v1", "names no file"},
		{"oci:lay:", "no image after"},
		{"nonsense:x", "docker-archive:, oci-archive:, oci:, dir:"},
		{"docker:x", "names no transport"},
		{"docker://", "the name is not"},
		{"docker://h.example.org/", "the name is not"},
		{"docker://h.example.org/Upper", "the name is not"},
		{"docker://h.example.org/a..b", "the name is not"},
		{"docker://h.example.org/a/../b", "the name is not"},
		{"docker://h.example.org/a___b", "the name is not"},
		{"docker://h.example.org/-a", "the name is not"},
		{"docker://h.example.org/a//b", "the name is not"},
		{"docker://h.example.org/a\n", "the name is not"},
		{"docker://h.example.org/a?b", "the name is not"},
		{"docker://h.example.org/a:", "the tag is not"},
		{"docker://h.example.org/a:.x", "the tag is not"},
		{"docker://h.example.org/a:x/y", "the tag is not"},
		{"docker://h.example.org:x/a", "the host is none"},
		{"docker://u:p@h.example.org/a", "the digest is not"},
		{"docker://h_h.example.org/a", "the host is none"},
		{"docker://h.example.org/a@sha256:12", "the digest is not"},
		{"docker://h.example.org/a@" HEX64, "the digest is not"},
		{"docker://h.example.org/a@sha512:" HEX64, "the digest is not"},
		{"docker-daemon:A", "docker-daemon:NAME"},
		{"https://", "names no host"},
		{"https:///x", "names no host"},
		{"https://user:secret@example.org/", "has a password"},
		{"https://example.org/a b", "no URL may hold"},
		{"https://example.org/\x7f", "no URL may hold"},
		{"ftp://example.org/", "names no transport"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = {0};
		struct ref r;

		if (ref_parse(cases[i].text, NULL, &r, &e) == 0)
			fail_msg("'%s' was taken", cases[i].text);
		assert_int_equal(e.kind, ERR_INPUT);
		if (!strstr(e.text, cases[i].says))
			fail_msg("'%s': %s", cases[i].text, e.text);
		assert_null(strstr(e.text, "secret"));
		ref_fini(&r);
	}
}

static void
long_tags_names_and_urls_are_refused(void **state)
{
	static const struct {
		const char *before;
		size_t most; /* of the letter that follows */
	} cases[] = {
		{"docker://h.example.org/a:", 128},
		{"docker://h.example.org/", 255},
		{"https://example.org/", 4096 - 20},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t more = 0; more < 2; more++) {
			size_t head = strlen(cases[i].before);
			size_t n = head + cases[i].most + more;
			char *text = malloc(n + 1);
			struct err e = {0};
			struct ref r;

			memset(text, 'a', n);
			memcpy(text, cases[i].before, head);
			text[n] = '\0';
			assert_int_equal(
				ref_parse(text, NULL, &r, &e), more ? -1 : 0);
			ref_fini(&r);
			free(text);
		}
	}
}

static void
names_of_one_image_are_the_same(void **state)
{
	static const char *const cases[][2] = {
		{"a", "docker.io/library/a:latest"},
		{"a:2", "docker.io/library/a:2"},
		{"lab/a", "docker.io/lab/a:latest"},
		{"docker.io/a", "docker.io/library/a:latest"},
		{"index.docker.io/library/a:latest",
			"docker.io/library/a:latest"},
		{"localhost/a", "localhost/a:latest"},
		{"h.example.org:5000/a/b:1", "h.example.org:5000/a/b:1"},
		{"a@sha256:" HEX64, "docker.io/library/a@sha256:" HEX64},
		{"a:1@sha256:" HEX64, "docker.io/library/a:1@sha256:" HEX64},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = {0};
		struct err e = {0};

		assert_int_equal(ref_normalise(cases[i][0], &out, &e), 0);
		assert_string_equal(buf_text(&out), cases[i][1]);
		buf_fini(&out);
	}
}

static void
what_is_here_is_its_own_place(void **state)
{
	const struct fetch_options o = {.cache = "/nowhere"};
	struct err e = {0};
	struct place p;
	struct ref r;

	(void)state;
	assert_int_equal(ref_parse("oci:lay:v1", "d", &r, &e), 0);
	assert_int_equal(fetch(&r, &o, &p, &e), 0);
	assert_int_equal(p.transport, TRANSPORT_OCI);
	assert_string_equal(p.path, "d/lay");
	assert_string_equal(p.ref, "v1");
	place_fini(&p);
	ref_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_transport_is_read),
		cmocka_unit_test(what_is_no_reference_is_refused),
		cmocka_unit_test(long_tags_names_and_urls_are_refused),
		cmocka_unit_test(names_of_one_image_are_the_same),
		cmocka_unit_test(what_is_here_is_its_own_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
