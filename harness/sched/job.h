/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_JOB_H
#define UB_SCHED_JOB_H

#include <stdbool.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "corpus/depth.h"
#include "image/limits.h"
#include "rebuild/policy.h"

/*
 * What a worker process does.  An image is read by one worker, which judges it
 * where it can, and else leaves the request (request.h) that it makes; requests
 * of the same bytes have one folder, and are lowered and rebuilt once; then the
 * image is held against what was built.
 */
enum job_step {
	JOB_READ,   /* one image; its folder gets spool and request; or small
		     * ones, whose folders it names */
	JOB_LOWER,  /* requests of one lane, whose folders it names */
	JOB_BUILD,  /* the request in its folder, which gets "rebuilt" */
	JOB_COMPARE /* images, whose folders it names, with one result */
};

/*
 * One worker's work, as the parent hands it over: a JSON file "job.json" in the
 * job's own folder.  Strings may be NULL where it says so.
 */
struct job {
	enum job_step step;
	const char *name;  /* of the sample */
	const char *image; /* path or name of the image in its source */
	const char *source, *folder;   /* of the corpus, as in source.h; NULL */
	const char *platform, *tls_ca; /* the same */
	const char *const *plain_hosts; /* the same */
	uint64_t cache_bytes;           /* the same */
	const char *work;   /* private folder; everything of the job is there */
	const char *shared; /* of rebuild_options: beside it */
	const char *cache;  /* mirrors and channel sets' homes, shared */
	const char *trust;  /* trust file; NULL: only what is built in */
	const char *guix;   /* program; NULL: the one on PATH */
	const char *daemon; /* of rebuild_options; NULL: the machine's */
	const char *channels, *manifest; /* files of the corpus; NULL */
	const char *const *pack_options; /* NULL-ended; NULL: inferred */
	const char *const *mirrors;      /* NULL-ended pairs; NULL: none */
	struct digest sha256; /* that the corpus expects of the file */
	bool has_sha256;
	enum depth depth;
	const char *const *folders; /* of other jobs, NULL-ended; NULL: none */
	/* of a comparison: the folders of their requests; NULL */
	const char *const *results;
	/* Folder where what rebuilds leave is kept; NULL: nowhere.  accept: a
	 * verdict, which and better than which leave nothing; NULL: all do. */
	const char *kept, *accept;
	struct limits limits;
	struct image_limits image_limits;
};

enum {
	JOB_FILE_MAX = 1 << 20
};

/* Write job.json into job->work, which exists. */
int job_write(const struct job *job, struct err *e) NODISCARD;
/* Read the job.json of folder work; strings live in the arena. */
int job_read(const char *work, struct arena *a, struct job *out,
	struct err *e) NODISCARD;

/* Exit status of a worker. */
enum {
	WORKER_DONE = 0,    /* the spool has a verdict */
	WORKER_FAILED = 3,  /* it has none: last words on stderr */
	WORKER_STOPPED = 4, /* ended by a signal before there was a verdict */
	WORKER_WAITS = 5,   /* it left a request: judged when that is rebuilt */
	WORKER_AGAIN = 6    /* done, but tried again it may end otherwise */
};

/*
 * The worker's side: do the job of folder work.  Lines on stdout tell how far it
 * is: "stage NAME", "verdict NAME" when that of an image is in its folder's
 * spool, and before WORKER_AGAIN "again CLASS", what it was that may pass.
 * *stop, set by a signal handler, ends it.  Returns an exit status from above;
 * *e is set when it is WORKER_FAILED.
 */
int worker_run(const char *work, const volatile int *stop, struct err *e);

#endif
