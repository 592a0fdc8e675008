/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_PLAN_H
#define UB_SCHED_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

/*
 * What is to be done next: pure, without clock, processes or files.
 *
 * Images are read; those with the same request (key) are one group, which is
 * rebuilt once; groups of the same channels are one lane, and are lowered
 * together.  Then each image is held against what its group gave.  Longest
 * first, as far as that is known.
 */
enum plan_kind {
	PLAN_NONE, /* nothing that can be begun now */
	PLAN_READ,
	PLAN_LOWER,
	PLAN_BUILD,
	PLAN_COMPARE
};

enum {
	PLAN_ITEMS_MAX = 100,  /* of one job */
	PLAN_READ_MAX = 32,    /* small images of one reading */
	PLAN_COMPARE_MAX = 32, /* images of one comparison */
	/* Groups of a lane that are worth a process of Guix. */
	PLAN_LOWER_WORTH = 8,
	/* Groups of a lane that need not wait for more. */
	PLAN_LOWER_ENOUGH = 48,
	PLAN_AHEAD = 1000 /* images that are read and not judged */
};

/* One job.  Items are images when it reads or compares, else groups. */
struct plan_job {
	enum plan_kind kind;
	uint32_t items[PLAN_ITEMS_MAX];
	size_t n;
};

struct plan;

/* For n images, numbered from 0, and so many jobs at the same time. */
struct plan *plan_new(size_t n, unsigned slots);
void plan_free(struct plan *p);

/* How long all the way of an image is expected to take; 0: not known. */
void plan_expect(struct plan *p, uint32_t image, int64_t expected_ms);
/* An image is to be read; expected_ms: of all its way, 0: not known. */
void plan_add(struct plan *p, uint32_t image, int64_t expected_ms);
/* It takes no time to read: others of that kind are read with it. */
void plan_small(struct plan *p, uint32_t image);
/*
 * The next job, which is begun by that; PLAN_NONE: wait for one to end, or until
 * plan_until.
 */
void plan_next(struct plan *p, int64_t now_ms, struct plan_job *out);
/* When something that waits may be tried again; -1: nothing waits. */
int64_t plan_until(const struct plan *p);

/* Each job that was begun ends by one of these. */

/* It was read, and has this request: gives its group.  By another process, if
 * it was not added. */
uint32_t plan_waits(struct plan *p, uint32_t image, const struct digest *key,
	const struct digest *lane);
/* It is judged, whether it was read or compared. */
void plan_judged(struct plan *p, uint32_t image);
/* It is to be compared once more, alone. */
void plan_compare_alone(struct plan *p, uint32_t image);
/* It is to be read once more, alone. */
void plan_read_alone(struct plan *p, uint32_t image);
/* Reading it may go better at that time. */
void plan_read_again(struct plan *p, uint32_t image, int64_t at_ms);
/* Its lowering has ended: it is to be built. */
void plan_lowered(struct plan *p, uint32_t group);
/* There is a result: its images can be compared. */
void plan_built(struct plan *p, uint32_t group);
/* Comparing its images takes no time: others' are compared with them. */
void plan_quick(struct plan *p, uint32_t group);
/* Building it may go better at that time. */
void plan_build_again(struct plan *p, uint32_t group, int64_t at_ms);

/* Of an image that was read, and has a request. */
uint32_t plan_group(const struct plan *p, uint32_t image);
/* The images of a group that are not judged, one after the other: start with
 * PLAN_END; PLAN_END is the end. */
#define PLAN_END UINT32_MAX
uint32_t plan_members(const struct plan *p, uint32_t group, uint32_t after);
/* Which of the lanes, from 0, a group is of. */
uint32_t plan_lane(const struct plan *p, uint32_t group);
const struct digest *plan_key(const struct plan *p, uint32_t group);

struct plan_count {
	size_t groups, lanes;
	int64_t left_ms; /* expected of all that is not judged */
	size_t unknown;  /* images not judged of which nothing is known */
};
struct plan_count plan_count(const struct plan *p);

#endif
