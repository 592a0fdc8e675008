/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_OWN_H
#define UB_SCHED_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/child.h"
#include "sched/basis.h"
#include "sched/confine.h"
#include "sched/events.h"
#include "sched/plan.h"
#include "sched/sched.h"
#include "sched/signals.h"
#include "sched/water.h"

/* The parent's side of a run, as its files share it. */

enum {
	STAGE_MAX = 32
};

/* One place where a worker runs. */
struct slot {
	bool is_busy;
	struct child child;
	struct confine confine;
	struct plan_job job;
	char *work;
	char stage[STAGE_MAX]; /* the last it told */
	char again[STAGE_MAX]; /* the class of what may pass, "" */
	size_t heard;          /* bytes of its stdout that were looked at */
	int64_t started_ms;
};

/* A sample that is to be judged. */
struct queued {
	const struct sample *sample;
	int64_t id;          /* in the store */
	int64_t seq;         /* in the run, of whatever shard it is */
	int64_t tries;       /* that ended in a way that may pass */
	int64_t expected_ms; /* that it takes; 0: not known */
	bool is_done;        /* when the run began or went on */
	/* of_run: the run whose verdict stands; 0: none, it is to be tried */
	enum verdict verdict;
	int64_t of_run, of_sample;
};

struct scheduler {
	struct store *store;
	const struct sched_options *o;
	struct queued *queue;
	size_t n_queue, n_done;
	int64_t counts[VERDICT_COUNT];
	struct plan *plan;
	struct slot *slots;
	struct basis basis;
	char *work;     /* folder of the jobs' folders */
	int workers_fd; /* locked by this process and all workers */
	char *self;     /* this program */
	struct signals signals;
	/* where groups of slots are made */
	struct cgroup cgroup;
	/* processes that were there before any of ours */
	pid_t *strangers;
	size_t n_strangers;
	struct water water;
	unsigned n_stops;
	size_t n_jobs; /* begun: names folders of those of several images */
	int64_t started_ms, told_ms;
	size_t n_lines;  /* of progress that are on the terminal */
	size_t n_before; /* images that were judged when it began */
	struct events *events;
	struct digest study; /* of a shard */
	size_t n_study;      /* images of all of them */
};

/* sched.c: what a run of these options is made of, in a folder for its jobs. */
int sched_open(struct scheduler *s, struct store *store,
	const struct sched_options *o, const char *work,
	struct err *e) NODISCARD;
void sched_close(struct scheduler *s);

/* pool.c: run the plan to its end, or until it was stopped. */
int pool_run(struct scheduler *s, struct err *e) NODISCARD;
/* Only read these images, which are on this machine: what their folders have then
 * is the caller's.  Ends early when it is told to stop. */
int pool_read(struct scheduler *s, const uint32_t *images, size_t n,
	struct err *e) NODISCARD;
/* The folder of an image, of a group: the caller's own strings. */
char *pool_image(const struct scheduler *s, uint32_t image);
char *pool_group(const struct scheduler *s, uint32_t group);
/* An image was read: put it into its group, whose folder is made; what is known
 * of that is known to the plan. */
int pool_take_request(struct scheduler *s, uint32_t image, uint32_t *group,
	struct err *e) NODISCARD;
/* pool_start.c: a worker for the slot's job. */
int pool_start(struct scheduler *s, struct slot *slot, struct err *e) NODISCARD;
/* pool_end.c: look at the lines that the worker wrote since. */
void pool_listen(struct slot *slot);
/* It has ended: keep what it found. */
int
pool_finish(struct scheduler *s, struct slot *slot, struct err *e) NODISCARD;
/* As that, but what it found is somebody else's to look at. */
void pool_drop(struct scheduler *s, struct slot *slot);

/*
 * workplace.c: the folder of the jobs' folders.  clear waits until no worker of
 * a process before is left; open makes the folder or takes over what is there.
 */
int workplace_clear(struct scheduler *s, struct err *e) NODISCARD;
int workplace_open(struct scheduler *s, struct err *e) NODISCARD;
/* Is all there that was written?  Not so when the machine went down since. */
bool workplace_is_sound(const struct scheduler *s);
/* How the policy of the run that was there is not this one's. */
void workplace_tell_policy(const struct scheduler *s, struct buf *out);
/* Remove all of a folder but these, NULL-ended. */
int workplace_keep(
	const char *folder, const char *const *names, struct err *e) NODISCARD;
/* Remove what no image needs that is not judged. */
int workplace_sweep(const struct scheduler *s, struct err *e) NODISCARD;

/* resume.c: go on with the newest run: 1, 0 when there is none, -1.  2 when it
 * has ended.  Its queue is filled, and what is known of it is in the plan. */
int resume_run(struct scheduler *s, int64_t *run, struct err *e) NODISCARD;
/* A group may have been built, or built in vain: leave of its folder what its
 * being built once more can go on with.  1 when that is lowered, 0, -1. */
int resume_group(struct scheduler *s, uint32_t group, struct err *e) NODISCARD;

/*
 * before.c: what runs before say of an image that is added to this one: how long
 * it takes, how often it was tried in vain, whether that verdict stands.
 */
int before_look(struct scheduler *s, int64_t run, uint32_t image,
	const struct store_basis *is, struct err *e) NODISCARD;
/* Tell which verdicts stand. */
void before_tell(struct scheduler *s);
/* What it ended by may pass: 1 when it is tried again, 0 when that was done often
 * enough, -1. */
int again_image(struct scheduler *s, uint32_t image, const char *class_,
	struct err *e) NODISCARD;
int again_group(struct scheduler *s, uint32_t group, const char *class_,
	struct err *e) NODISCARD;

/* shard.c: leave in the queue what is of this shard. */
int shard_pick(struct scheduler *s, struct err *e) NODISCARD;
/* And tell the store that the run is one. */
int shard_record(struct scheduler *s, int64_t run, struct err *e) NODISCARD;

/* tell.c: how far it is, for a person and for programs. */
void tell_begin(struct scheduler *s, int64_t run);
void tell_start(struct scheduler *s, const struct slot *slot);
void tell_verdict(
	struct scheduler *s, uint32_t image, const struct store_taken *taken);
/* The verdict of an earlier run stands. */
void tell_skip(struct scheduler *s, uint32_t image, enum verdict verdict,
	int64_t run, const char *why);
/* It is tried again after a while; class_: of what may pass. */
void tell_retry(struct scheduler *s, uint32_t image, const char *class_,
	int64_t after_ms);
void tell_end(struct scheduler *s);
/* On a terminal, the lines that are written over. */
void tell_running(struct scheduler *s);
/* A sentence. */
void tell_line(struct scheduler *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void tell_clear(struct scheduler *s);
/* What an image or a job of several does, in a word. */
const char *tell_kind(enum plan_kind kind);

#endif
