/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_DRV_H
#define UB_REBUILD_DRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	DRV_BYTES = 8 << 20, /* of a .drv file */
	DRV_LIST = 100000    /* outputs or inputs of one derivation */
};

/* A derivation file. */
struct drv_output {
	const char *name, *path, *hash; /* hash: "" unless fixed by content */
};
struct drv {
	struct drv_output *outputs;
	size_t n_outputs;
	const char **inputs; /* derivations */
	size_t n_inputs;
};
/* "Derive([outputs],[inputs],[sources],...": the first two are read
 * (nix/libstore/derivations.cc, parseDerivation). */
int drv_parse(struct arena *a, struct slice text, struct drv *out,
	struct err *e) NODISCARD;
/* The path of output "out"; NULL when there is none. */
const char *drv_out(const struct drv *d);
/* Whether it is fixed by content: a source, a download. */
bool drv_is_source(const struct drv *d);

#endif
