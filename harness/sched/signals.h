/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SIGNALS_H
#define UB_SCHED_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

/* Signals that wait at a descriptor for a loop that polls, and do no more. */
struct signals {
	int fd;          /* to be polled for reading */
	sigset_t before; /* as they were blocked */
};

/*
 * SIGINT and SIGTERM, and SIGCHLD where the end of a child must wake the loop;
 * until signals_close.  After ERR_HOST all is as it was.
 */
int signals_open(struct signals *s, bool has_children, struct err *e) NODISCARD;
void signals_close(struct signals *s);
/* Take the next SIGINT or SIGTERM, and SIGCHLD that came before: false when there
 * is none. */
bool signals_stop(const struct signals *s);

#endif
