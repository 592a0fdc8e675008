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
 * One image's work, as the parent hands it to a worker process: a JSON file
 * "job.json" in the job's own folder.  Strings may be NULL where it says so.
 */
struct job {
	const char *name;  /* of the sample */
	const char *image; /* path of the image file */
	const char *work;  /* private folder; everything of the job is there */
	const char *cache; /* mirrors and channel sets' homes, shared */
	const char *trust; /* trust file; NULL: only what is built in */
	const char *guix;  /* program; NULL: the one on PATH */
	const char *channels, *manifest; /* files of the corpus; NULL */
	const char *const *pack_options; /* NULL-ended; NULL: inferred */
	const char *const *mirrors;      /* NULL-ended pairs; NULL: none */
	struct digest sha256; /* that the corpus expects of the file */
	bool has_sha256;
	enum depth depth;
	bool is_together; /* leave the recipe for a batch */
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
	WORKER_DONE = 0,   /* the spool has a verdict */
	WORKER_FAILED = 3, /* it has none: last words on stderr */
	WORKER_WAITS = 5,  /* it left its recipe for a batch */
	WORKER_STOPPED = 4 /* ended by a signal before there was a verdict */
};

/*
 * The worker's side: the whole way of one image, from its file to a verdict in
 * work/spool.  Lines on stdout tell how far it is: "stage NAME", and at the
 * end "verdict NAME".  *stop, set by a signal handler, ends it.  Returns an
 * exit status from above; *e is set when it is WORKER_FAILED.
 */
int worker_run(const char *work, const volatile int *stop, struct err *e);

#endif
