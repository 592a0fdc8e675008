/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_SCHED_H
#define UB_SCHED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "corpus/corpus.h"
#include "image/limits.h"
#include "rebuild/policy.h"
#include "store/store.h"

/* How a run goes. */
struct sched_options {
	const struct corpus *corpus;
	struct selection selection;
	enum verdict accept;  /* the line */
	enum depth depth;     /* where the corpus says nothing */
	unsigned slots;       /* jobs at the same time, 1 or more */
	struct limits limits; /* where the corpus says nothing */
	struct image_limits image_limits;
	const char *db;    /* the database's file: jobs work beside it */
	const char *cache; /* absolute */
	const char *trust; /* NULL: only what is built in */
	const char *guix;  /* NULL: the one on PATH */
	/* of rebuild_options; NULL: the machine's */
	const char *daemon;
	/* bytes that must be free for a job to begin; 0: any number */
	uint64_t low_water;
	/* absolute: where what rebuilds leave is kept of images that do not
	 * pass, or of all; NULL: nowhere */
	const char *kept;
	bool keeps_all;
	const char *const *mirrors; /* NULL-ended pairs, or NULL */
	/* how images are fetched, as in source.h */
	const char *platform, *tls_ca;
	const char *const *plain_hosts;
	uint64_t cache_bytes;
	const char *version; /* of this program */
	const char *corpora; /* the files named, one a line */
	FILE *progress;      /* where to tell how far it is; NULL: nowhere */
	bool is_terminal;    /* progress may rewrite its last lines */
	int events_fd;       /* where lines of events.h go; <= 0: nowhere */
	bool is_resume;      /* go on with the newest run */
	bool is_changed;     /* verdicts stand where nothing has changed */
	int64_t retries; /* of what may pass, of one image, those of runs before
			  * that ended so among them */
	/* Of which only shard number `shard' is run here; 0: all are.
	 * See shard.h; shard_plan may be NULL. */
	int64_t shard, shards;
	const char *shard_plan;
	const char *study; /* tells it from others of the same images; NULL */
};

struct sched_result {
	int64_t run;       /* its id in the store */
	size_t n_selected; /* samples of the run */
	bool is_stopped;   /* ended by a signal before all were judged */
	bool was_ended;    /* is_resume: it had ended, and nothing was done */
};

enum {
	SCHED_RETRIES = 2 /* where nobody says */
};

/*
 * Run the images of a corpus, each in a worker process of its own, and keep
 * every result as soon as it is known.  Only this process writes to the store.
 * SIGINT or SIGTERM once: no new jobs, those that run are finished; twice: they
 * are ended and stay without a verdict.  ERR_HOST when the store fails: what it
 * holds stays.
 *
 * Ended before its end in any way, a run goes on by is_resume: what has a verdict
 * is not tried again, what was read or rebuilt is not read or rebuilt again where
 * it is still there.  ERR_INPUT when the options or the corpora are not those of
 * that run, and says which.  Where the store has no run, one begins.
 *
 * By is_changed, an image is not tried when its file, what the corpus says of it,
 * the Guix and the policy are those of its last verdict, unless that was by what
 * may pass: that verdict stands.
 */
int sched_run(struct store *store, const struct sched_options *o,
	struct sched_result *out, struct err *e) NODISCARD;

/*
 * Print what sched_run would do, and how long that is expected to take after what
 * the store (NULL: there is none) has of runs before.  Images that are on this
 * machine are read, in workers; nothing is fetched, run or kept.
 */
int sched_foresee(struct store *store, const struct sched_options *o, FILE *out,
	struct err *e) NODISCARD;

#endif
