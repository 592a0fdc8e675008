/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a registry asks with (WWW-Authenticate), base64, and a file of
 * credentials without helpers: the first byte says which.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/attr.h"
#include "fetch/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
challenges(struct slice at)
{
	const char *end = at.p + at.n;
	size_t left = at.n;
	struct challenge c = {0};

	while (challenge_next(&at, &c) > 0) {
		/* it moves on, and stays within */
		if (at.p + at.n != end || at.n >= left || c.scheme.n == 0)
			abort();
		left = at.n;
		for (size_t i = 0; i < c.scheme.n; i++)
			if (c.scheme.p[i] >= 'A' && c.scheme.p[i] <= 'Z')
				abort();
		challenge_fini(&c);
		c = (struct challenge){0};
	}
	challenge_fini(&c);
}

/* Both ways give what there was. */
static void
base64(struct slice s)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf back = {0};
	CLEANUP(buf_fini)
	struct buf other = {0};

	base64_encode(s, &text);
	if (!base64_decode(buf_get(&text), &back) ||
		!slice_eq(buf_get(&back), s))
		abort();
	if (!base64_decode(s, &other) && other.n != 0)
		abort();
}

static void
credentials(struct slice s)
{
	struct auth_env env = {0};
	struct credentials found = {0};
	struct err e = {0};
	char path[64];
	int fd;

	/* A helper is a program: none is run here. */
	for (size_t i = 0; i + 4 <= s.n; i++)
		if (strncasecmp(s.p + i, "cred", 4) == 0)
			return;
	fd = memfd_create("auth", MFD_CLOEXEC);
	if (fd < 0 || write(fd, s.p, s.n) != (ssize_t)s.n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	env.registry_auth_file = path;
	if (auth_find(&env, "example.org", "lab/image", &found, &e) > 0 &&
		!found.secret)
		abort();
	credentials_fini(&found);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice rest = {(const char *)data + 1, len - 1};

	if (len == 0)
		return 0;
	if (data[0] == 'c')
		challenges(rest);
	else if (data[0] == 'b')
		base64(rest);
	else
		credentials(rest);
	return 0;
}
