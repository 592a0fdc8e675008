/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_CLOSURE_H
#define UB_REBUILD_CLOSURE_H

#include "base/err.h"
#include "rebuild/drv.h"

enum {
	CLOSURE_MAX = 200000 /* derivations of one closure */
};

/*
 * Call visit for a derivation and every one below it, each once, nearer ones
 * first; path and drv live for the call only.  A file that cannot be read is
 * passed over: it was collected.  visit returns 0 to go on, 1 to end it.
 * ERR_POLICY over CLOSURE_MAX.
 */
int closure_walk(const char *drv,
	int (*visit)(void *arg, const char *path, const struct drv *drv),
	void *arg, struct err *e) NODISCARD;

/* "/gnu/store/HASH-NAME.drv": the NAME, "" when it is none. */
const char *closure_name(const char *path);

#endif
