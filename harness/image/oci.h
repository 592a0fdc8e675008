/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_OCI_H
#define UB_IMAGE_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"
#include "fetch/manifest.h"

/*
 * From an OCI image layout (image-spec, image-layout.md), or skopeo's dir:, to
 * one image of it: its index, manifest and config, each held against the digest
 * and size that it was named by.  Where the files are is the caller's.
 */
struct oci_files {
	/*
	 * All of the JSON file at path, which begins as an object does; what
	 * tells what it is in errors.  The text lives as long as the arena.
	 */
	int (*text)(void *arg, const char *path, const char *what,
		struct slice *out, struct err *e);
	void *arg;
	bool is_dir; /* skopeo's dir: no index, blobs beside the manifest */
};

/* Which image of several. */
struct oci_wanted {
	/* A name, or "@sha256:HEX" of a manifest, which need not be in the
	 * index; NULL: the only one. */
	const char *ref;
	const struct platform *platform; /* as manifest_choose */
	uint32_t layers_max;
};

struct oci_image {
	struct descriptor manifest_at; /* size and names: as far as known */
	const char *manifest_path;
	struct manifest manifest;
	const char *config_path;
	struct slice config;
	/* the names it has, of an index */
	const char *const *names;
	size_t n_names;
};

/* Everything is the arena's.  ERR_INPUT, ERR_ABSENT (no image of that name or
 * for that platform), ERR_POLICY, and what text gives. */
int oci_find(const struct oci_files *files, const struct oci_wanted *wanted,
	struct arena *arena, struct oci_image *out, struct err *e) NODISCARD;

/* The path of a blob, made of its digest alone. */
const char *oci_blob_path(const struct oci_files *files, const struct digest *d,
	struct arena *arena);

/* Is what was found, of this digest and size, what was named? */
int oci_check(const struct descriptor *named, const struct digest *is,
	uint64_t size, const char *what, struct err *e) NODISCARD;

#endif
