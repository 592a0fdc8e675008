/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_DOCTOR_H
#define UB_REBUILD_DOCTOR_H

#include "base/buf.h"

/* What limits jobs on this machine, tried; a clause. */
void doctor_limits(struct buf *out);
/* What the daemon at the other end of a socket is held to, and so builds. */
void doctor_builds(int fd, struct buf *out);

#endif
