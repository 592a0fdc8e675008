/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_MANIFEST_H
#define UB_FETCH_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Image manifests and indexes of both kinds, OCI's (image-spec, manifest.md,
 * image-index.md) and Docker's (distribution, manifest-v2-2.md), from bytes to
 * values.  What they are is told by what they hold, not by their media types.
 * All pure; strings live in the arena.
 */

/* What an image is for, as Go names it; a part that is not known is "". */
struct platform {
	const char *os, *architecture, *variant;
};

/* "OS/ARCHITECTURE[/VARIANT]"; ERR_INPUT when it is anything else. */
int platform_parse(const char *text, struct arena *arena, struct platform *out,
	struct err *e) NODISCARD;
/* This machine, by uname(2); the strings are static. */
struct platform platform_here(void);

enum {
	DESCRIPTOR_NAMES = 2
};

/* Something that a manifest or an index refers to by its digest. */
struct descriptor {
	struct digest digest;
	uint64_t size;
	const char *media_type; /* "" when not given */
	/* of an index: what that image is for, and what it is called by the
	 * annotations org.opencontainers.image.ref.name and
	 * io.containerd.image.name, NULL where it is not */
	struct platform platform;
	const char *names[DESCRIPTOR_NAMES];
	/* no image: a note on another one, of docker buildx */
	bool is_attestation;
};

struct manifest {
	bool is_index;
	bool is_docker; /* Docker's kind, by its media types; else OCI's */
	/* index */
	struct descriptor *images;
	size_t n_images;
	/* image */
	struct descriptor config;
	struct descriptor *layers; /* lowest first */
	size_t n_layers;
};

/*
 * text, which the caller has limited in size, is a manifest or an index.
 * ERR_POLICY: more than layers_max layers.  ERR_INPUT: malformed, of schema
 * version 1, both a manifest and an index or neither.
 */
int manifest_parse(struct slice text, uint32_t layers_max, struct arena *arena,
	struct manifest *out, struct err *e) NODISCARD;

/*
 * The image of an index that is for a platform: the first of that operating
 * system, architecture and, where wanted, variant.  wanted NULL: this machine,
 * or whatever there is where that is a single image.  ERR_ABSENT, listing those
 * that are there.
 */
int manifest_choose(const struct manifest *index, const struct platform *wanted,
	const struct descriptor **out, struct err *e) NODISCARD;

#endif
