/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_REGISTRY_H
#define UB_FETCH_REGISTRY_H

#include "base/digest.h"
#include "base/err.h"
#include "fetch/blobs.h"
#include "fetch/fetch.h"
#include "fetch/ref.h"

/*
 * An image in a registry (OCI distribution-spec 1.1, "Pull"; distribution's
 * spec/auth/token.md): its manifest is asked for, and each blob that is wanted
 * and not in the blob folder, several at the same time, into that folder.
 */
struct registry;

/*
 * Find the image: its manifest and config are in the blob folder then, and no
 * layer is asked for.  r, o and b outlive it.  Errors as fetch's.
 */
int registry_open(const struct ref *r, const struct fetch_options *o,
	struct blobs *b, struct registry **out, struct err *e) NODISCARD;
void registry_close(struct registry *g);
/* Of the image's own manifest, the one chosen where there are several. */
const struct digest *registry_manifest(const struct registry *g);
/* Bring a layer that the manifest names, or every one (NULL); nothing where it
 * is here. */
int registry_bring(struct registry *g, const struct digest *layer,
	struct err *e) NODISCARD;
/* Bring at least the first n bytes of a layer that the manifest names. */
int registry_bring_some(struct registry *g, const struct digest *layer,
	uint64_t n, struct err *e) NODISCARD;

#endif
