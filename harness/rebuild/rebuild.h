/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_REBUILD_H
#define UB_REBUILD_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/jout.h"
#include "corpus/depth.h"
#include "rebuild/policy.h"
#include "recipe/recipe.h"
#include "recipe/variants.h"

/* How a rebuild ended.  Only REBUILD_DONE has an artefact. */
enum rebuild_end {
	REBUILD_DONE,        /* built in this run: output */
	REBUILD_REFUSED,     /* policy: nothing was fetched or run */
	REBUILD_UNAVAILABLE, /* channel, commit or source is gone */
	REBUILD_UNBUILDABLE, /* Guix ran and failed */
	REBUILD_TIMEOUT,     /* deadline or silence */
	REBUILD_NOT_TRIED    /* this machine failed: daemon, disk, sandbox */
};

struct lowered;

struct rebuild_options {
	const struct trust *trust;
	struct limits limits;
	const char *cache; /* folder of mirrors and of channel sets' homes */
	const char *work;  /* private folder of this job, exists, ours */
	/* folder of what the rebuilds of one run know of each other, so that
	 * none does again what another did; NULL: this is the only one */
	const char *shared;
	/* URL prefix pairs from --mirror: where a channel is fetched from
	 * instead; NULL-ended: from, to, from, to, ... */
	const char *const *mirrors;
	const char *guix;   /* program; NULL: "guix" on PATH */
	const char *daemon; /* command of a guix-daemon to be started for this
			     * rebuild alone; NULL: the machine's */
	enum depth depth;   /* how much to build */
	/* The image file's own name; where that is a store item's, a recipe
	 * that leads to it is the one.  NULL: not known. */
	const char *image_name;
	bool is_fixed; /* the options are given: no variants are tried */
	const struct lowered *lowered; /* what the recipe leads to, found by
					* rebuild_lower in this run; or NULL */
	const volatile int *stop;      /* set by a signal: end at once */
	/* progress: "mirror", "instance", "lower", "build"; may be NULL */
	void (*stage)(void *arg, const char *stage);
	void *stage_arg;
};

/* The last second of the year 9999. */
#define REBUILD_DATE_MAX INT64_C(253402300799)

/* When a commit of a channel was made, as it says. */
struct commit_date {
	const char *commit;
	int64_t time_s; /* since 1970 */
};

/* What happened.  Ended by rebuild_fini; strings live in arena. */
struct rebuild {
	enum rebuild_end end;
	const char *cause;  /* one or more sentences; NULL when done */
	const char *advice; /* what to do next; NULL when nothing */
	const char *class_; /* stable word: "commit-missing", "build-failed",
			     * "source-gone", "authentication", "untrusted",
			     * "daemon", "disk-full", "silence", "deadline",
			     * ... ; NULL when done */
	bool is_transient;  /* tried again here, it may end otherwise */
	const char *drv;    /* derivation of the pack; NULL when not reached */
	const char *path;   /* where its output is to be */
	const char *output; /* the artefact: a store path, kept by a GC root in
			     * work until that folder goes */
	const struct variant *variant; /* of the recipe, that was taken; NULL:
					* the recipe as it is */
	const char *profile; /* profile path that the recipe gave, when known */
	const char *failed_drv;   /* first derivation that failed */
	const char *failed_lines; /* decisive lines of its log */
	const char *guix_version; /* of the client: "1.5.0..." */
	bool is_checked; /* output was valid already: --check built it again */
	bool is_stable;  /* is_checked, and the daemon found the same bits as
			  * were there before */
	unsigned built, substituted, valid, downloaded; /* derivations */
	enum depth depth;                               /* of the options */
	unsigned examined, unstable; /* derivations built once more, and those
				      * of them that came out otherwise */
	const char *const *examined_drvs; /* each of them once */
	const char *const *notes; /* sentences: what was tried, chosen and
				      * found */
	size_t n_notes;
	struct commit_date *dates; /* of the channels, as far as known */
	size_t n_dates;
	const char *const *built_drvs; /* those built in this run */
	size_t n_built_drvs;
	const char *log_path;        /* whole log (capped), in work */
	const char *const *commands; /* each command line as run, for a shell */
	size_t n_commands;
	int64_t elapsed_ms;
	struct arena arena;
};

/*
 * Rebuild: check policy, mirror the channels, get the instance and compare
 * what `describe -f channels' says with the recipe, lower (pack -d), build or
 * build --check, root the output.  Guix runs in bubblewrap: no network, system
 * and store read-only, private HOME and /tmp.  Every way it can end is in *out
 * with return 0; -1 only for ERR_BUG and for ERR_HOST before anything started.
 */
int rebuild_run(const struct recipe *recipe, const struct rebuild_options *o,
	struct rebuild *out, struct err *e) NODISCARD;
/*
 * Ask the Guix of the recipe's channels, under the same policy and in the same
 * sandbox, which versions it has of each of n packages: *found, in out's arena,
 * has n elements when out->end is REBUILD_DONE, else out says why not.
 */
int
rebuild_versions(const struct recipe *recipe, const struct rebuild_options *o,
	const char *const *names, size_t n, struct rebuild *out,
	const struct versions **found, struct err *e) NODISCARD;
void rebuild_fini(struct rebuild *r);

/* What a recipe leads to; NULL where that was not found out. */
struct lowered {
	const char *drv, *path, *profile; /* as of a rebuild */
};

/*
 * Lower n recipes of the same channels together, without any build, and fill
 * found, strings in out's arena.  out tells how it went for all of them;
 * whichever is not found is to be tried alone, which tells why.
 */
int rebuild_lower(const struct recipe *const *recipes, size_t n,
	const struct rebuild_options *o, struct rebuild *out,
	struct lowered *found, struct err *e) NODISCARD;

/* What became of a derivation that was built once more. */
enum examined_end {
	EXAMINED_SAME,    /* it came out as in the store, each time */
	EXAMINED_DIFFERS, /* it did not build the same twice here */
	EXAMINED_FOLLOWS, /* SAME, but it takes in one that is DIFFERS: the
			   * image's may come of another build of that */
	EXAMINED_FOREIGN, /* it came out otherwise than in the store, whose one
			   * was not built here: nothing follows */
	EXAMINED_FAILED   /* not done */
};

/* A store item that is not as in the image. */
struct examined {
	const char *item; /* "HASH-NAME"; the caller's */
	const char *drv;  /* NULL: not known */
	enum examined_end end;
	const char *why;        /* of FOLLOWS, FOREIGN and FAILED; or NULL */
	const char *const *way; /* store paths from a root to it, both included,
				 * NULL-ended; NULL or empty: not found */
};

enum {
	REBUILD_EXAMINE_MAX = 20 /* items that are looked at */
};

/*
 * After a rebuild that is done: build the derivations of these items once more,
 * and look for the shortest way of references to each from roots (store paths).
 * Fills what follows item in v, strings in r's arena; r's counts, commands and
 * log go on.  Within what is left of the deadline.  Errors as rebuild_run.
 */
int rebuild_examine(struct rebuild *r, const struct recipe *recipe,
	const struct rebuild_options *o, struct examined *v, size_t n,
	const char *const *roots, size_t n_roots, struct err *e) NODISCARD;

/* Can this machine rebuild?  Calls f for each check: name, whether it holds,
 * what was found, and the remedy (NULL when it holds).  For `doctor'. */
int rebuild_doctor(const struct rebuild_options *o,
	void (*f)(void *arg, const char *name, bool ok, const char *found,
		const char *remedy),
	void *arg, struct err *e) NODISCARD;

/* Members of the "rebuild" object of a run's JSON. */
void rebuild_json(const struct rebuild *r, struct jout *j, const char *key);

#endif
