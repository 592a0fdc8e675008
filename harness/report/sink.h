/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_SINK_H
#define UB_REPORT_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

enum {
	REPORT_CHANGES_MAX = 10, /* changed images named on the front page */
	REPORT_PAST_MAX = 40     /* runs in an image's history */
};

/* A stretch of samples of one collection, as they follow one another. */
struct report_suite {
	char *collection;
	int64_t tests, failures, errors, skipped, regressions;
	int64_t elapsed_ms; /* of its images, summed */
};

/* An image whose verdict is not that of the run before. */
struct report_change {
	char *name;
	char *was; /* verdict name */
	int64_t last_run;
	char *good; /* verdict name of the last good run; "" if there is none */
	int64_t good_run;
	enum verdict is;
	bool is_regression;
};

/* What an earlier run, or this, made of the sample in hand. */
struct report_past {
	int64_t run, started_s, elapsed_ms;
	enum verdict verdict;
	bool is_accepted;
	bool is_same;  /* the same image file and recipe as in this run */
	char why[200]; /* the cause in short; "" when there is none */
};

/*
 * What every sink is given: the run, what a first pass over it counted, and
 * what belongs to the sample in hand.  All of it is report.c's; a sink reads
 * the details of a sample from the store itself.
 */
struct report {
	struct store *store;
	struct store_run run;
	const char *folder;   /* as the user named it */
	bool is_ant;          /* JUnit for strict readers */
	bool is_attested;     /* write attestations, signed with */
	const char *sign_key; /* a file; NULL: not signed */
	bool is_deeper;       /* diffoscope too, for each image at most */
	int64_t deeper_s;     /* so many seconds; 0: its default */

	/* from the first pass */
	int64_t counts[VERDICT_COUNT];
	int64_t total, unjudged, unaccepted;
	int64_t regressions, better, worse, fresh; /* against the last run */
	int64_t shifted_regressions; /* those better or worse than then */
	int64_t name_chars;          /* the longest name */
	/* what nobody could know who wrote an image: digits of a digest over
	 * all verdicts and times */
	char nonce[33];
	struct report_suite *suites; /* in the order of the run */
	size_t n_suites, cap_suites;
	struct report_change *changes; /* the first REPORT_CHANGES_MAX, and of
					* regressions as many */
	size_t n_changes, cap_changes;

	/* of the sample in hand */
	struct buf file; /* its name as that of a file, without suffix */
	struct buf log;  /* the rebuild's, whole; "" when there is none */
	/* its judgements, oldest first; the last is this run's, if it has one.
	 * not-tried is none */
	struct report_past past[REPORT_PAST_MAX];
	size_t n_past;
	bool is_flaky; /* passed and failed by turns, for no known reason */
};

/*
 * A way to write a run.  sample is called for each sample in the order of the
 * run.  end is called whenever begin gave a state: it publishes what was
 * written when is_whole, else removes it, and frees the state.
 */
struct report_sink {
	const char *name;
	int (*begin)(const struct report *r, void **state, struct err *e);
	int (*sample)(void *state, const struct report *r,
		const struct store_attempt *a, struct err *e);
	int (*end)(void *state, const struct report *r, bool is_whole,
		struct err *e);
};

extern const struct report_sink report_attest; /* attestations/ */
extern const struct report_sink report_csv;    /* verdicts.csv */
extern const struct report_sink report_junit;  /* junit.xml */
extern const struct report_sink report_html;   /* index.html, images/, logs/ */
extern const struct report_sink report_json;   /* report.json */

/* Reads the run and makes the first pass; run 0: the newest. */
int report_load(struct report *r, struct store *s, int64_t run,
	struct err *e) NODISCARD;
void report_fini(struct report *r);

#endif
