/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_GUNZIP_H
#define UB_IMAGE_GUNZIP_H

#include "image/layer.h"

/*
 * Gzip data (RFC 1952), unpacked as it is pulled: one member after the other,
 * each held against its CRC-32 and length, a header against its CRC-16 where it
 * has one.
 */
struct gunzip;

/* Nothing is pulled from from before the first block is. */
struct gunzip *gunzip_new(struct layer_source from);
/*
 * ERR_INPUT: truncated, damaged, or followed by anything but more members and
 * then zeros, which gzip(1) takes for padding; says near which byte.
 */
struct layer_source gunzip_source(struct gunzip *g);
void gunzip_free(struct gunzip *g);

#endif
