/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_EVENTS_H
#define UB_SCHED_EVENTS_H

#include "base/jout.h"

/*
 * What happens in a run, for programs: a JSON object a line, into a descriptor
 * that another gave us.  Whoever reads it holds nothing up: what it does not
 * take waits in memory, within a limit; what is more is lost, and how many lines
 * that were is said when it reads again.  One that is gone is written to no more.
 */
enum {
	EVENTS_VERSION = 1,        /* told by run-begin */
	EVENTS_WAITING = 4 << 20,  /* bytes that wait */
	EVENTS_LAST_WAIT_MS = 2000 /* for the reader, at the end */
};

struct events;

/* fd 0 or less: NULL, and all of the below do nothing with that.  It stays the
 * caller's; no child gets it.  SIGPIPE is ignored until the end. */
struct events *events_open(int fd);
/* Wait for the reader for a while, then forget what it did not take. */
void events_close(struct events *v);

/*
 * Write one:
 *
 *	struct jout *j = events_begin(v, "skip");
 *	if (j) jout_str(j, "image", name);
 *	events_end(v);
 */
struct jout *events_begin(struct events *v, const char *event);
void events_end(struct events *v);

/* To be polled for writing; -1: nothing waits. */
int events_fd(const struct events *v);
/* Write what waits, as far as that goes at once. */
void events_push(struct events *v);

#endif
