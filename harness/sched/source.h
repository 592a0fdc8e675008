/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SOURCE_H
#define UB_SCHED_SOURCE_H

#include "base/digest.h"
#include "base/err.h"
#include "fetch/fetch.h"
#include "image/image.h"

/* An image by its name, and how to come by it; NULL where nothing is said. */
struct source {
	const char *name;     /* as ref_parse takes it */
	const char *folder;   /* that a relative one is below */
	const char *cache;    /* never NULL */
	uint64_t cache_bytes; /* as in fetch/fetch.h */
	const char *platform;
	const char *tls_ca;
	const char *const *plain_hosts;
	const struct digest *sha256; /* that a file of the web must have */
	const struct digest *pinned; /* as in fetch/fetch.h */
	const struct image_limits *limits;
	const volatile int *stop;
	void (*notice)(void *arg, const char *line); /* as in fetch/fetch.h */
	void *arg;
};

/* Bring it to this machine, unread; errors as fetch's. */
int source_bring(
	const struct source *s, struct place *out, struct err *e) NODISCARD;

/*
 * Fetch and read it.  What it is read from is the image's: it stays until
 * image_free.  Errors as those of fetch and image_read_place.
 */
int source_read(
	const struct source *s, struct image **out, struct err *e) NODISCARD;

#endif
