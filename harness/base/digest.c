/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/attr.h"

struct digest_sum {
	EVP_MD_CTX *ctx;
};

/* libcrypto fails here only for want of memory or of SHA-256 itself. */
static void
must(int ok)
{
	if (ok == 1)
		return;
	fputs("unblend: libcrypto gives no SHA-256\n", stderr);
	exit(3);
}

struct digest_sum *
digest_new(void)
{
	struct digest_sum *s = xmalloc(sizeof(*s));

	s->ctx = EVP_MD_CTX_new();
	must(s->ctx != NULL);
	must(EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL));
	return s;
}

void
digest_add(struct digest_sum *s, const void *p, size_t n)
{
	must(EVP_DigestUpdate(s->ctx, p, n));
}

struct digest
digest_end(struct digest_sum *s)
{
	struct digest d;

	must(EVP_DigestFinal_ex(s->ctx, d.b, NULL));
	must(EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL));
	return d;
}

void
digest_free(struct digest_sum *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->ctx);
	free(s);
}

void
own_digest(struct digest_sum **s)
{
	digest_free(*s);
}

struct digest
digest_of(const void *p, size_t n)
{
	CLEANUP(own_digest)
	struct digest_sum *s = digest_new();

	digest_add(s, p, n);
	return digest_end(s);
}

int
digest_file(const char *path, struct digest *out, uint64_t *size, struct err *e)
{
	CLEANUP(own_digest)
	struct digest_sum *s = digest_new();
	CLEANUP(own_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(own_free)
	char *chunk = xmalloc(1 << 17);
	uint64_t total = 0;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, errno == ENOENT ? ERR_ABSENT : ERR_HOST,
			"%s: cannot open", path);
	while ((n = read(fd, chunk, 1 << 17)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_HOST, "%s: cannot read", path);
		digest_add(s, chunk, (size_t)n);
		total += (uint64_t)n;
	}
	*out = digest_end(s);
	if (size)
		*size = total;
	return 0;
}

void
digest_hex(const struct digest *d, char out[DIGEST_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(d->b); i++) {
		out[2 * i] = digits[d->b[i] >> 4];
		out[2 * i + 1] = digits[d->b[i] & 15];
	}
	out[DIGEST_HEX] = '\0';
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
digest_parse(struct slice s, struct digest *out)
{
	if (slice_starts(s, "sha256:")) {
		s.p += 7;
		s.n -= 7;
	}
	if (s.n != DIGEST_HEX)
		return false;
	for (size_t i = 0; i < sizeof(out->b); i++) {
		int hi = nibble(s.p[2 * i]), lo = nibble(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out->b[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool
digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
