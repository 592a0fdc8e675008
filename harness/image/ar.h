/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_AR_H
#define UB_IMAGE_AR_H

#include <stdint.h>

#include "base/err.h"
#include "image/bytes.h"

/*
 * A Debian package's outer archive, front to back (deb(5): the "common" form
 * of ar(5), whose names have at most 16 characters).  {.bytes.from} is a start.
 */
struct ar {
	struct bytes bytes;
	char name[17]; /* of the present member, without spaces and "/" */
	uint64_t size;
	uint64_t left; /* of its contents, not pulled yet */
	bool is_begun, is_padded;
};

#define AR_MAGIC "!<arch>\n"

/* 1 and the next member, 0 at the end; what is left of the last one is passed
 * over. */
int ar_next(struct ar *a, struct err *e) NODISCARD;
/* The contents of the present member. */
struct layer_source ar_contents(struct ar *a);

#endif
