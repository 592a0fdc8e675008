/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_DOCKER_H
#define UB_IMAGE_DOCKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/slice.h"

/*
 * The two JSON texts of a docker archive (moby image spec 1.2, "Combined
 * Image JSON + Filesystem Changeset Format"), from bytes to values.  Keys are
 * matched without case, as Go does and as Guix, which writes lower-case ones,
 * relies on.  What they give lives in the arena.  ERR_INPUT says what is wrong.
 */

/* An element of manifest.json. */
struct docker_manifest {
	const char *config;        /* member names, path_normalise'd */
	const char *const *layers; /* lowest first */
	size_t n_layers;
	const char *const *repo_tags; /* as they are */
	size_t n_repo_tags;
};

/*
 * The element that ref means: the only one where it is NULL, number N for "@N"
 * (from 0), else the first that has this name among its tags, or another
 * spelling of it (ref_normalise).  ERR_POLICY: more than layers_max layers;
 * ERR_ABSENT: none of that name.
 */
int docker_manifest_parse(struct slice text, const char *ref,
	uint32_t layers_max, struct arena *arena, struct docker_manifest *out,
	struct err *e) NODISCARD;

/* What this stage needs of the config. */
struct docker_config {
	const struct digest *diff_ids; /* rootfs.diff_ids */
	size_t n_diff_ids;
	bool has_diff_ids;
	const char **env; /* config.Env */
	size_t n_env;
	const char **entrypoint; /* config.Entrypoint */
	size_t n_entrypoint;
	const char *architecture; /* "" when there is none */
};

/* *doc is what was read, the caller's to free. */
int docker_config_parse(struct slice text, struct arena *arena,
	struct jdoc **doc, struct docker_config *out, struct err *e) NODISCARD;

#endif
