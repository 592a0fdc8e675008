/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_HISTORY_H
#define UB_STORE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "compare/compare.h"
#include "store/store.h"

/*
 * Reading across runs, and across the images of a run.  As all of store.h:
 * strings live until the callback returns, f returning non-zero ends with -1
 * (f has set *e), and what is read between store_read_begin and store_read_end
 * is of one moment.
 */

/* What one run made of a name. */
struct store_judgement {
	int64_t run, started_s, elapsed_ms;
	enum verdict verdict;
	bool is_accepted;
	const char *image_sha256; /* 64 hex digits, NULL: not read */
	const char *recipe_id;    /* 64 hex digits, NULL: none was made */
	const char *cause;        /* NULL: none */
};

/*
 * The newest max judgements of a name, up to and with a run (0: the newest),
 * oldest first.  not-tried is one of them: it is for the caller to leave out
 * what says nothing of the image.
 */
int store_history(struct store *s, const char *name, int64_t run, int64_t max,
	int (*f)(void *arg, const struct store_judgement *j, struct err *e),
	void *arg, struct err *e) NODISCARD;

/* A name, over all the runs that judged it. */
struct store_name {
	const char *name;
	int64_t runs, first_run, last_run;
	int64_t changes; /* runs whose verdict was not that of the run before */
	int64_t changed_run;  /* the last of them; 0: none */
	enum verdict verdict; /* of the last run */
	bool is_accepted;     /* in it */
	int64_t elapsed_ms;   /* summed */
};

/* By name, in the order of its bytes; not-tried is left out. */
int store_names(struct store *s,
	int (*f)(void *arg, const struct store_name *n, struct err *e),
	void *arg, struct err *e) NODISCARD;

/* How a collection fared in a run. */
struct store_rate {
	const char *collection;
	int64_t run, started_s;
	int64_t images;   /* with those that were not judged */
	int64_t same;     /* same-contents or better */
	int64_t accepted; /* by expect or the run's line */
};

/*
 * The newest max runs up to and with one, by collection and then by run, oldest
 * first; only collections that this run has.
 */
int store_rates(struct store *s, int64_t run, int64_t max,
	int (*f)(void *arg, const struct store_rate *r, struct err *e),
	void *arg, struct err *e) NODISCARD;

/* An image of a run that holds a package, or was made with a channel. */
struct store_use {
	const char *name;    /* of the package or the channel */
	const char *version; /* of the package; the channel's commit, or NULL */
	const char *url;     /* of the channel; NULL for a package */
	int64_t seq;         /* of the image in its run */
	const char *image;   /* its name */
	enum verdict verdict;
	bool is_accepted; /* as in struct store_attempt */
	/* The package is named by what differs, or failed to build. */
	bool is_blamed;
	int64_t date_s; /* of the channel's commit; -1: not known */
};

/* By name and version; of those first what is blamed, then what is not accepted,
 * then the images' order in the run.  An image comes once for each version. */
int store_package_uses(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_use *u, struct err *e),
	void *arg, struct err *e) NODISCARD;
/* By name, URL and commit; of those first what is not accepted. */
int store_channel_uses(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_use *u, struct err *e),
	void *arg, struct err *e) NODISCARD;

#endif
