/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_KEEP_H
#define UB_SCHED_KEEP_H

#include "base/err.h"
#include "rebuild/rebuild.h"

/*
 * Keep what a rebuild left, before its folder goes: guix.log, channels.scm and
 * manifest.scm of that folder and a copy of what was built, in kept/NAME, which
 * is made anew.  In NAME, bytes that are odd in the name of a file are "%XX".
 */
int keep_rebuild(const char *kept, const char *name, const char *folder,
	const struct rebuild *r, struct err *e) NODISCARD;

#endif
