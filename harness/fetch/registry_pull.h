/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_REGISTRY_PULL_H
#define UB_FETCH_REGISTRY_PULL_H

#include <stddef.h>

#include "base/err.h"
#include "fetch/blobs.h"
#include "fetch/manifest.h"
#include "fetch/registry_session.h"

enum {
	PULL_AT_ONCE = 6 /* as skopeo and podman */
};

/*
 * Bring n blobs into the blob folder, those that are not there, PULL_AT_ONCE at
 * the same time, each hashed while it streams.  The first failure ends all;
 * what came of the others is resumed by a later pull.
 */
int registry_pull(struct session *s, struct blobs *b,
	const struct descriptor *v, size_t n, struct err *e) NODISCARD;

/*
 * The same of one blob, as far as its first n bytes: a later pull goes on from
 * there.  What is there before the end is whole is in part/ (blobs.h).
 */
int registry_pull_some(struct session *s, struct blobs *b,
	const struct descriptor *d, uint64_t n, struct err *e) NODISCARD;

#endif
