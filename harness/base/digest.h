/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_DIGEST_H
#define UB_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

/* A SHA-256. */
struct digest {
	uint8_t b[32];
};

enum {
	DIGEST_HEX = 64
}; /* digits, without the NUL */

/* A SHA-256 in the making.  Made by digest_new, ended by digest_free. */
struct digest_sum;

struct digest_sum *digest_new(void);
void digest_add(struct digest_sum *s, const void *p, size_t n);
/* The digest of all that was added; s starts anew. */
struct digest digest_end(struct digest_sum *s);
void digest_free(struct digest_sum *s);
/* CLEANUP(own_digest) struct digest_sum *s = NULL; */
void own_digest(struct digest_sum **s);

struct digest digest_of(const void *p, size_t n);

/* Of a whole file; *size, when not NULL, gets its bytes. */
int digest_file(const char *path, struct digest *out, uint64_t *size,
	struct err *e) NODISCARD;

/* 64 lower-case hex digits and a NUL. */
void digest_hex(const struct digest *d, char out[DIGEST_HEX + 1]);

/*
 * Read 64 hex digits, with or without "sha256:" before them (OCI image spec,
 * descriptor.md, digests).  False when s is anything else.
 */
bool digest_parse(struct slice s, struct digest *out);

bool digest_eq(const struct digest *a, const struct digest *b);

#endif
