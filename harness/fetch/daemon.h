/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_DAEMON_H
#define UB_FETCH_DAEMON_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "fetch/blobs.h"
#include "fetch/fetch.h"

/* Where Docker's daemon listens: a unix socket, or else an http URL. */
struct daemon_place {
	char *socket; /* a path; NULL: none */
	char *url;    /* "http://HOST:PORT"; with a socket "http://localhost" */
};

/*
 * What DOCKER_HOST says: unix://PATH or tcp://HOST:PORT; NULL or "" is
 * /var/run/docker.sock.  Pure.  ERR_POLICY for anything else.
 */
int daemon_place_parse(const char *docker_host, struct daemon_place *out,
	struct err *e) NODISCARD;
void daemon_place_fini(struct daemon_place *p);

/*
 * Bring an image of Docker's daemon, or of one that speaks its API as podman
 * does, into the blob folder, as the archive that `docker save' gives; *got is
 * the archive's digest, and b uses it from now.  name is NAME:TAG, NAME@DIGEST
 * or sha256:HEX.  An image that has the same ID as when it was brought last is
 * not brought again.  Errors as fetch's, ERR_ABSENT also when no daemon listens
 * or it does not let us.
 */
int daemon_bring(const char *name, const struct fetch_options *o,
	struct blobs *b, struct digest *got, struct err *e) NODISCARD;

#endif
