/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_TASK_H
#define UB_REBUILD_TASK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/words.h"
#include "rebuild/bound.h"
#include "rebuild/classify.h"
#include "rebuild/drv.h"
#include "rebuild/rebuild.h"
#include "rebuild/sandbox.h"

/*
 * A rebuild under way.  Its steps return 1 to go on, 0 when the rebuild has
 * ended (out says how), -1 with *e for what must not happen.  Strings live in
 * out->arena.
 */
struct task {
	const struct recipe *recipe;
	const struct rebuild_options *o;
	struct rebuild *out;
	struct arena *a; /* &out->arena */

	const char *guix;     /* the program, links resolved */
	const char *instance; /* guix of the channels; NULL: not known, or only
			       * to be had by time-machine ... */
	bool is_twice;        /* ... and from there once more */
	const char *cache;    /* absolute, links resolved, as the rest */
	const char *work;
	const char *roots;    /* work/roots */
	const char *mirrors;  /* cache/mirrors */
	const char *lane;     /* cache/lanes/CHANNELS-ID */
	int lane_fd;          /* says that it is used; 0: not yet */
	const char *home;     /* lane/home */
	const char *profiles; /* lane/profiles */
	const char *channels; /* work/channels.scm */
	const char *manifest; /* work/manifest.scm */
	struct sandbox box;
	struct bound bound;

	int64_t started_ms, until_ms;
	struct buf log; /* all of it so far */
	int log_fd;     /* the same, while it runs, in work */
	struct words commands;
	struct words notes;
};

/* Find guix and the folders, make those of our own, plan the sandbox. */
int task_open(struct task *t, struct err *e) NODISCARD;
/* Write the log whole, hand the commands to out. */
int task_close(struct task *t, struct err *e) NODISCARD;
void task_fini(struct task *t);

/* The rebuild has ended so; cause may be of any length; returns 0. */
int task_end(struct task *t, enum rebuild_end end, const char *class_,
	const char *cause, const char *advice);
/* As task_end, of an error of this machine. */
int task_end_host(struct task *t, const char *class_, const struct err *e);
void task_stage(struct task *t, const char *stage);

/* "--timeout=N", "--max-silent-time=N": what is left, and "--cores=N", for Guix
 * and its daemon, NULL-ended. */
const char *const *task_limits(struct task *t);
/* Does the command show what is built? */
enum voice {
	VOICE_LOUD, /* a silence of it is a silence of the build */
	VOICE_QUIET /* its daemon alone can tell */
};
/*
 * Run a command in the sandbox: argv is NULL-ended, out gets its stdout, log
 * its stderr (both may be NULL).  1 with *code when it ran to an end of its
 * own; 0 when the rebuild has ended: stopped, over a limit, killed, sandbox.
 */
int task_command(struct task *t, const char *const *argv, enum voice voice,
	struct buf *out, struct buf *log, int *code, struct err *e) NODISCARD;
/* End the rebuild for what log says of the step that failed. */
int task_diagnose(struct task *t, enum step step, struct slice log,
	struct err *e) NODISCARD;
/* As task_end. */
int task_end_diagnosed(struct task *t, const struct diagnosis *d);
/* For mirror_options: keep a command line. */
void task_ran(void *task, const char *const *argv);

/* A sentence for out->notes, cleaned. */
void task_note(struct task *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Read a derivation's file. */
int task_drv(struct task *t, const char *path, struct drv *drv,
	struct err *e) NODISCARD;
/* A copy that lives as long as out; NULL of NULL. */
const char *task_keep(struct task *t, const char *s);
const char *task_text(struct task *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * instance.c: the Guix of the channels, whose channels are the recipe's.  One
 * that was made before is found without running anything; else the channels are
 * mirrored, and time-machine makes it.
 */
int instance_get(struct task *t, struct err *e) NODISCARD;
/* Is there one that was made before?  Runs nothing. */
bool instance_find(struct task *t);
/* Begin a command line for it, up to where the command's own name comes. */
void instance_command(struct task *t, struct words *cmd);
/* lower.c: the derivation of the pack, of the recipe or one of its variants. */
int lower_step(struct task *t, struct err *e) NODISCARD;
/* build.c: its output, really built, where the depth wants that. */
int build_output(struct task *t, struct err *e) NODISCARD;
/* depth.c: builds once more what the depth wants, and notes what it finds. */
int depth_step(struct task *t, struct err *e) NODISCARD;
/* items.c: fills v, whose items are set. */
int items_examine(struct task *t, struct examined *v, size_t n,
	const char *const *roots, size_t n_roots, struct err *e) NODISCARD;
/* Count what a log of Guix says was built and substituted. */
void build_note(struct task *t, struct slice log);
/* Count those that were built and of which no log says so. */
void build_note_drvs(struct task *t, const char *const *drvs, size_t n);
/* What else is counted follows from what was built: to be called at the end. */
void build_count(struct task *t);

/* versions.c: for rebuild_versions. */
int versions_ask(struct task *t, const char *const *names, size_t n,
	const struct versions **found, struct err *e) NODISCARD;

/* The program as rebuild_options name it, links resolved; the caller's own
 * string, NULL when there is none. */
char *task_find_guix(const char *guix);

#endif
