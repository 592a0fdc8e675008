/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_REF_H
#define UB_FETCH_REF_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* Where images are, in the names of containers-transports(5), and our own. */
enum transport {
	/* On this machine: ref.path is a file or a folder. */
	TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:FILE[:REF] */
	TRANSPORT_OCI_ARCHIVE,    /* oci-archive:FILE[:REF] */
	TRANSPORT_OCI,            /* oci:DIR[:REF] */
	TRANSPORT_DIR,            /* dir:DIR */
	TRANSPORT_ROOTFS,         /* rootfs:FILE or rootfs:DIR */
	TRANSPORT_PACK, /* pack:FILE, or a bare FILE: its contents tell what of
			 * that which `guix pack' makes it is */
	/* Elsewhere: fetch() brings them. */
	TRANSPORT_DOCKER,        /* docker://[HOST/]NAME[:TAG][@DIGEST] */
	TRANSPORT_DOCKER_DAEMON, /* docker-daemon:NAME[:TAG] or :ALGO:HEX */
	TRANSPORT_WEB            /* https://... or http://... */
};

struct ref {
	enum transport transport;
	/*
	 * Local: the file or folder, as seen from the working directory.
	 * DOCKER: the repository's name as the registry knows it, without host.
	 * DOCKER_DAEMON: NAME:TAG, NAME@DIGEST or sha256:HEX.
	 * WEB: the whole URL.
	 */
	char *path;
	/*
	 * Local: which image of several, as written after the last ":" of the
	 * forms above; NULL when not given.
	 * DOCKER: the tag or "sha256:HEX"; never NULL.
	 */
	char *ref;
	char *host; /* DOCKER: HOST or HOST:PORT, docker.io when not given */
};

/*
 * Read a reference.  A relative path is below folder (NULL: the working
 * directory).  Pure: nothing is opened.  ERR_INPUT says what was allowed.
 */
int ref_parse(const char *text, const char *folder, struct ref *out,
	struct err *e) NODISCARD;
void ref_fini(struct ref *r);

/* Is it on this machine, so that there is nothing to fetch? */
bool transport_is_local(enum transport t);
/* "docker-archive:", "docker://", ...; "" for TRANSPORT_WEB. */
const char *transport_prefix(enum transport t);

/*
 * The whole name of an image, as registries and RepoTags mean it
 * (distribution's reference.ParseNormalizedNamed): "a" gives
 * "docker.io/library/a:latest".  Two names of one image give the same text.
 * ERR_INPUT when it is no name.
 */
int ref_normalise(const char *name, struct buf *out, struct err *e) NODISCARD;

#endif
