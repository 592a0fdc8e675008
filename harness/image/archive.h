/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_ARCHIVE_H
#define UB_IMAGE_ARCHIVE_H

#include "base/err.h"
#include "fetch/ref.h"
#include "image/own.h"

/*
 * Read own->image.path, a tar of whatever compression that holds images of
 * Docker's or OCI's kind, into own->image.  transport: DOCKER_ARCHIVE goes by
 * its manifest.json, OCI_ARCHIVE by its index.json, anything else by the first
 * of them that is there (docker save writes both).  As image_read.
 */
int
archive_read(struct image_own *own, enum transport transport, const char *ref,
	const struct image_options *options, struct err *e) NODISCARD;

#endif
