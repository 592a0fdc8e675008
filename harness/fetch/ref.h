/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_REF_H
#define UB_FETCH_REF_H

#include "base/err.h"

enum transport {
	TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:FILE */
	TRANSPORT_PACK /* pack:FILE, or a bare FILE: its contents tell what of
			* that which `guix pack' makes it is */
};

/* Where an image is, in the names of containers-transports(5), and pack. */
struct ref {
	enum transport transport;
	char *path; /* as seen from the working directory */
};

/*
 * Read a reference.  A relative path is below folder (NULL: the working
 * directory).  Pure: nothing is opened.  ERR_INPUT says what was allowed.
 */
int ref_parse(const char *text, const char *folder, struct ref *out,
	struct err *e) NODISCARD;
void ref_fini(struct ref *r);

#endif
