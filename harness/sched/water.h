/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_WATER_H
#define UB_SCHED_WATER_H

#include <stdbool.h>
#include <stdint.h>

struct scheduler;

/*
 * The low-water mark: while one of the disks that jobs write to has less free
 * than that, no job begins.
 */
struct water {
	bool is_low;
	int64_t asked_ms; /* when the disks were looked at; 0: never */
	int64_t idle_ms;  /* since when nothing runs, while it is low; 0: some
			   * does */
};

/*
 * May a job begin?  Says so when that changes.  Where nothing runs any more that
 * could make room, and nobody else does for as long as a job may be silent, the
 * run is stopped as by a signal.
 */
bool water_allows(struct scheduler *s);
/* When it should be asked again; -1: when jobs end. */
int water_wait_ms(const struct scheduler *s);

#endif
