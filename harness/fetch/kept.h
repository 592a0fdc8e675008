/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_KEPT_H
#define UB_FETCH_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "fetch/blobs.h"

/*
 * What is remembered from run to run of a place that has no digest of its own,
 * a URL or an image of a daemon: which blob came from there, and what its
 * server said of it.  A file of JSON in CACHE/oci/web, named by the SHA-256 of
 * the place.  Losing one costs a transfer, no more.
 */
struct kept {
	bool has_sha256;
	struct digest sha256; /* of the blob that came last */
	/* header values of its answer, each NULL when there was none */
	char *etag;
	char *modified; /* Last-Modified */
	/* what the partial blob of this place is the beginning of: a strong
	 * ETag or a Last-Modified; NULL: it cannot be resumed */
	char *part;
};

enum {
	KEPT_VALUE_MAX = 512, /* bytes of a header value; longer: not kept */
	KEPT_BYTES_MAX = 16 << 10
};

/* What is remembered of place; nothing where nothing, or no such file, is. */
void kept_read(const struct blobs *b, const char *place, struct kept *out);
int kept_write(const struct blobs *b, const char *place, const struct kept *k,
	struct err *e) NODISCARD;
void kept_fini(struct kept *k);
/* The name of the place's partial blob, for blobs_put_open; caller's own. */
char *kept_part_name(const char *place);
/* A header value that can be sent again, as the caller's own; else NULL. */
char *kept_value(struct slice value);
/* Forget the places whose blob is here no more and that were not asked of for
 * the time that partials stay; *n counts them. */
int kept_gc(const struct blobs *b, bool dry_run, uint64_t *n,
	struct err *e) NODISCARD;

#endif
