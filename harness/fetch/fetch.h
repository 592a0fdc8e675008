/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_FETCH_H
#define UB_FETCH_FETCH_H

#include "base/err.h"
#include "fetch/ref.h"

/*
 * What an image is read from once it is on this machine: a transport that
 * transport_is_local, its file or folder, and which image of several is meant
 * (NULL: the only one).  An image of a registry is in the blob folder, which is
 * an OCI image layout: TRANSPORT_OCI, its path, and "@sha256:HEX" of the
 * manifest.
 */
struct place {
	enum transport transport;
	char *path;
	char *ref;
};

/* How to bring images here.  {0} but for cache is what most want. */
struct fetch_options {
	const char *cache; /* our folder; the blobs are in its oci/ */
};

/*
 * Bring an image to this machine; a local one is only named.  ERR_ABSENT: there
 * is no such image or no such host; ERR_INPUT: what came is not what its
 * digest says, or is no image; ERR_POLICY: a limit, or credentials that do not
 * open it; ERR_TRANSIENT: the network or the server failed, also when tried
 * again.  place_fini ends the place.
 */
int fetch(const struct ref *r, const struct fetch_options *o, struct place *out,
	struct err *e) NODISCARD;
void place_fini(struct place *p);

#endif
