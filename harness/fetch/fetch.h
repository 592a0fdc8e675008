/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_FETCH_H
#define UB_FETCH_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "fetch/ref.h"

struct blobs;
struct platform;
struct registry;

/*
 * What an image is read from once it is on this machine: a transport that
 * transport_is_local, its file or folder, and which image of several is meant
 * (NULL: the only one).  An image of a registry is in the blob folder, which is
 * an OCI image layout: TRANSPORT_OCI, its path, and "@sha256:HEX" of the
 * manifest.  What is in the blob folder stays there until place_fini.
 */
struct place {
	enum transport transport;
	char *path;
	char *ref;
	char *name; /* what it is called, where it was fetched; NULL: path */
	/* fetch.c's: what keeps it there, and where more comes from */
	struct blobs *blobs;
	struct registry *registry;
	struct ref *from;
};

/* How to bring images here.  {0} but for cache is what most want. */
struct fetch_options {
	const char *cache;    /* our folder; the blobs are in its oci/ */
	uint64_t cache_bytes; /* that it may grow to; 0: BLOBS_LIMIT */
	/* of an index, the image to take; NULL: this machine's */
	const struct platform *platform;
	const char *tls_ca; /* PEM file of further CAs; NULL: the system's */
	/* HOST or HOST:PORT that may be asked over plain http, NULL-ended */
	const char *const *plain_hosts;
	/*
	 * Bring no layers before place_bring asks for them, so that whoever
	 * needs but some of them waits for no more.
	 */
	bool is_lazy;

	/* limits, as --limit names them; 0: what is written here */
	uint32_t layers_max;  /* 4096 */
	uint64_t json_bytes;  /* of a manifest or a config, each: 4 MiB */
	uint64_t total_bytes; /* file-bytes: of a file, or of all layers as they
			       * are stored: 64 GiB */

	/* what the file of a URL must hash to; NULL: anything */
	const struct digest *sha256;
	/*
	 * What the name led to when it was read before, as image.sha256 has it:
	 * that is brought, though a tag may have moved since.  Of a URL and of a
	 * daemon only where it is still here.  NULL: what it leads to now.
	 */
	const struct digest *pinned;

	const volatile int *stop; /* as in http.h */
	/* told in a line of what is tried again; may be NULL */
	void (*notice)(void *arg, const char *line);
	void *arg;
};

/*
 * Bring an image to this machine; a local one is only named.  ERR_ABSENT: there
 * is no such image, or not for us; ERR_INPUT: what came is not what its digest
 * says, or is no image; ERR_POLICY: a limit, or a rule on whom to ask;
 * ERR_TRANSIENT: the network or the server failed, also when tried again;
 * ERR_HOST: this machine did.  Texts begin with the reference.  place_fini ends
 * the place.
 */
int fetch(const struct ref *r, const struct fetch_options *o, struct place *out,
	struct err *e) NODISCARD;

/* What stood between us and an image that was not brought. */
enum fetch_failure {
	FETCH_OTHER,
	FETCH_NETWORK, /* no answer, or none that helps; later there may be */
	FETCH_TLS,     /* a certificate that nobody vouches for */
	FETCH_PLAIN,  /* it would have come unencrypted, or by no http at all */
	FETCH_DENIED, /* without credentials, or with these, it is not for us */
	FETCH_MISSING, /* there is no such thing */
	FETCH_FULL     /* the disk is */
};
/* Of an error of fetch or place_bring. */
enum fetch_failure fetch_failure(const struct err *e);
/*
 * That layer of the place is about to be read: bring it where it is not here
 * yet.  Nothing where nothing can be missing.  Errors as fetch's, but their
 * texts begin with the blob.
 */
int place_bring(const struct place *p, const struct digest *layer,
	struct err *e) NODISCARD;
/*
 * The first bytes of that layer, at least n of them where it has so many, without
 * waiting for the rest; *fd, the caller's to close, is a file that begins with
 * them.  Nothing of them is checked before all are there.  As place_bring.
 */
int place_bring_some(const struct place *p, const struct digest *layer,
	uint64_t n, int *fd, struct err *e) NODISCARD;
/* Is there a layer that place_bring has to ask for? */
int place_lacks(const struct place *p, const struct digest *layer,
	bool *is_lacking, struct err *e) NODISCARD;
void place_fini(struct place *p);

#endif
