/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_STORE_H
#define UB_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "compare/compare.h"

/*
 * The database: every run, image, recipe, rebuild, hash and difference.  One
 * process writes (it holds an exclusive lock beside the file while it does);
 * any number read.  Strings that it gives are borrowed until the next call of
 * the same iterator or the end of the callback they came to.
 */
struct store;

enum store_mode {
	STORE_WRITE, /* made when absent, upgraded when older */
	STORE_READ   /* must exist, and not be of a newer version */
};

/*
 * ERR_ABSENT there is none, to read
 * ERR_HOST   cannot open, is no database of ours, another process writes to it,
 *            disk full
 * ERR_POLICY its version is newer than this program's
 *
 * The lock is on path with ".lock" after it, which stays there.
 */
int store_open(const char *path, enum store_mode mode, struct store **out,
	struct err *e) NODISCARD;
void store_close(struct store *s);
/* CLEANUP(own_store) struct store *s = NULL; */
void own_store(struct store **s);

/* A run of `unblend run'. */
struct store_run {
	int64_t id;
	int64_t started_s, ended_s; /* ended_s 0: not ended (yet, or killed) */
	const char *unblend_version;
	const char *guix_version; /* "" until a rebuild told */
	const char *host;         /* host name of the machine */
	const char *kernel;       /* "Linux 6.1.0 x86_64" */
	const char *store_fs;     /* file system type of the Guix store */
	const char *accept;       /* verdict that the run accepts at least */
	const char *corpora;      /* the files named, one a line */
	const char *depth;        /* where the corpus says none */
};

/* What a corpus said of an image. */
struct store_sample {
	int64_t id;
	int64_t seq;            /* order within the run, from 1 */
	const char *name;       /* key of its history */
	const char *collection; /* the corpus file's stem */
	const char *source;     /* as written */
	const char *expect;     /* verdict name, NULL */
	const char *tags;       /* space between, "" when none */
};

/* One image of one run, judged.  NULL or 0 where a stage was not reached. */
struct store_attempt {
	struct store_sample sample;
	bool is_judged; /* false: the run was killed before */
	enum verdict verdict;
	bool is_accepted;   /* by expect where given, else by the run's line */
	bool is_regression; /* expect is given and not reached, or none is
			     * given and an earlier run accepted it; never for
			     * not-tried, which says nothing of the image */
	const char *cause;  /* sentences, NULL for identical */
	const char *advice; /* NULL when none */
	const char *class_; /* stable word of the cause, NULL */
	int64_t started_s, elapsed_ms;

	/* the image */
	const char *image_sha256; /* 64 hex digits */
	const char *image_path;
	int64_t image_bytes;
	const char *compression;
	const char *config_digest; /* 64 hex digits; NULL: has no config */
	int64_t image_entries, image_items;

	/* provenance and recipe */
	const char *profile;
	const char *channel_set; /* "guix@523bbfe+alice@efb454e", "" if none */
	const char *recipe_id;   /* 64 hex digits */
	const char *channels_scm, *manifest_scm;
	const char *pack_options; /* shell words */
	const char *command;      /* the one line to type */

	/* the rebuild */
	const char *drv, *output;
	const char *rebuilt_sha256;
	bool is_checked, is_stable;
	int64_t built, substituted, valid, downloaded;
	const char *failed_drv, *failed_lines;
	int64_t rebuild_ms;
	const char *depth; /* "recipe", "pack", ...; NULL without a rebuild */
	int64_t examined, unstable; /* derivations built once more; and those
				     * that came out otherwise */

	/* the comparison */
	int64_t differences; /* found, stored or not */
	int64_t packages_differing;

	/* against the newest run before that judged this name (not-tried is
	 * no judgement) */
	const char *last_verdict; /* NULL: first time */
	int64_t last_run;
	/* of the runs before that accepted this name, the newest */
	const char *good_verdict; /* NULL: none has */
	int64_t good_run;
	/* the first run after that one (of all, if none) that judged it; 0:
	 * none has yet.  Where this run does not accept it: broken since */
	int64_t since_run;
	int64_t of_run; /* not tried in this run, nothing having changed: the
			 * run whose attempt this is; 0: of this run */
};

struct store_channel {
	const char *name, *url;
	const char *branch, *commit, *intro_commit, *intro_signer; /* or NULL */
	int64_t date_s; /* when the commit was made; -1: not known */
};

struct store_package {
	const char *name, *version, *output, *store_path;
	int depth; /* 0: top level, 1: propagated by one of those, ... */
	const char *channels;        /* names, space between */
	const char *transformations; /* one a line, "" when none */
};

struct store_layer {
	const char *side; /* "image" or "rebuilt" */
	int64_t position;
	const char *diff_id; /* 64 hex digits */
	int64_t bytes, entries;
};

/* Texts of a list of one kind: "missing", "guessed", "note", "command",
 * "built-drv", "differing-package". */

/* ---- writing: only the process that opened with STORE_WRITE ---- */

/*
 * All that is written between store_batch_begin and store_batch_end is one
 * transaction: much faster for many small things, such as a run and all of its
 * samples.  Result 0 commits, another takes all back; what failed in between
 * leaves nothing but to take all back.  Gives -1 unless all was committed.
 */
int store_batch_begin(struct store *s, struct err *e) NODISCARD;
int store_batch_end(struct store *s, int result, struct err *e) NODISCARD;
/* run->id is set. */
int store_run_begin(
	struct store *s, struct store_run *run, struct err *e) NODISCARD;
int store_run_end(struct store *s, int64_t run, struct err *e) NODISCARD;
/* sample->id is set. */
int store_sample_add(struct store *s, int64_t run, struct store_sample *sample,
	struct err *e) NODISCARD;
/* What was taken, for a line of progress. */
struct store_taken {
	enum verdict verdict;
	int64_t elapsed_ms;
};
/*
 * Take over the records that a worker left in the file spool (record.h), its
 * log among them, in one transaction: all of the attempt or nothing.  The
 * worker is gone by now, and none of what it wrote is believed before it is
 * checked.  A spool that is malformed, over a limit or without a verdict is
 * ERR_INPUT "spool line N: what"; nothing is stored then, and the caller says
 * not-tried with store_attempt_failed.  ERR_BUG when the sample has an attempt
 * already, or is none.  out may be NULL.
 */
int store_attempt_take(struct store *s, int64_t sample, const char *spool,
	struct store_taken *out, struct err *e) NODISCARD;
/* The attempt of a worker that gave no verdict. */
int store_attempt_failed(struct store *s, int64_t sample, enum verdict verdict,
	const char *class_, const char *cause, int64_t elapsed_ms,
	struct err *e) NODISCARD;

/*
 * ---- reading ----
 *
 * Between store_read_begin and store_read_end all calls see the database as it
 * was at the first of them, whatever a writer does meanwhile; a report is made
 * so.  They nest.  Nothing may be written in between.  Calls outside are each
 * consistent in themselves.  A callback may call the others, not the iterator
 * that called it.
 */
int store_read_begin(struct store *s, struct err *e) NODISCARD;
void store_read_end(struct store *s);

/* run 0: the newest.  ERR_ABSENT when there is none.  The strings live until
 * the next store_run_get. */
int store_run_get(struct store *s, int64_t run, struct store_run *out,
	struct err *e) NODISCARD;
/* Calls f for each sample of the run in the order of its seq; f returning
 * non-zero ends it with -1 (f has set *e). */
int store_attempts(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_attempt *a, struct err *e),
	void *arg, struct err *e) NODISCARD;
/* Verdicts of a run: counts[v], how many samples have none, and how many have
 * one that is not accepted. */
int store_counts(struct store *s, int64_t run, int64_t counts[VERDICT_COUNT],
	int64_t *unjudged, int64_t *unaccepted, struct err *e) NODISCARD;
/* Details of the attempt of one sample, each in stored order.  Channels are
 * those of the recipe, else those that the image records. */
int store_channels(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct store_channel *c, struct err *e),
	void *arg, struct err *e) NODISCARD;
int store_packages(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct store_package *p, struct err *e),
	void *arg, struct err *e) NODISCARD;
int store_layers(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct store_layer *l, struct err *e),
	void *arg, struct err *e) NODISCARD;
int store_forgiven(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct forgiven *g, struct err *e), void *arg,
	struct err *e) NODISCARD;
int store_differences(struct store *s, int64_t sample,
	int (*f)(void *arg, const struct difference *d, struct err *e),
	void *arg, struct err *e) NODISCARD;
int store_texts(struct store *s, int64_t sample, const char *kind,
	int (*f)(void *arg, const char *text, struct err *e), void *arg,
	struct err *e) NODISCARD;
/* The rebuild's log, appended; nothing when there is none. */
int store_log(struct store *s, int64_t sample, struct buf *out,
	struct err *e) NODISCARD;

#endif
