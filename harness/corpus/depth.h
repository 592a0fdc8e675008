/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CORPUS_DEPTH_H
#define UB_CORPUS_DEPTH_H

#include <stdbool.h>

#include "base/buf.h"

/* How much of an image is rebuilt, least first. */
enum depth {
	DEPTH_RECIPE,   /* nothing: is its profile what the recipe leads to? */
	DEPTH_PACK,     /* the pack, and what it needs and is not there */
	DEPTH_PACKAGES, /* and each package of the manifest once more */
	DEPTH_CLOSURE,  /* and every derivation below, without substitutes */
	DEPTH_COUNT
};

const char *depth_name(enum depth d);
/* False when name is none; why (may be NULL) gets what there are. */
bool depth_parse(const char *name, enum depth *out, struct buf *why);

#endif
