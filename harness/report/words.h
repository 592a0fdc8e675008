/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_WORDS_H
#define UB_REPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "store/store.h"

/* Pure: what the sinks say in the same words. */

/*
 * What a sample is to a CI server: its verdict's element (verdict.def), but
 *   a failure or error that is accepted (expect) passes;
 *   a pass below the accepted line is a failure;
 *   a skipped one that is worse than expected is a failure;
 *   a sample without a verdict is an error.
 */
enum verdict_junit report_outcome(const struct store_attempt *a);

/* "different", or "unjudged" for a sample without a verdict. */
const char *report_verdict(const struct store_attempt *a);
/* The verdict in a sentence. */
const char *report_sentence(const struct store_attempt *a);
/*
 * What the outcome owes to the line or to expect, in a sentence; NULL when it
 * follows from the verdict alone.
 */
const char *report_standing(const struct store_attempt *a);

/* Appends "Not tried in this run: unchanged since run N.", where it is so. */
void report_unchanged(struct buf *out, const struct store_attempt *a);

/*
 * Append "Last good: run 5 (identical); not accepted since run 6." without a
 * newline; nothing for what is accepted, or never was.
 */
void report_since(struct buf *out, const struct store_attempt *a);

/* Against the last run that judged this name. */
enum report_shift {
	SHIFT_NEW,
	SHIFT_SAME,
	SHIFT_BETTER,
	SHIFT_WORSE
};
enum report_shift report_shift(const struct store_attempt *a);

/*
 * Flaky: with the same image and recipe, what passed fails and what failed
 * passes again, twice in the last runs.  Once is a change, whose reason can be
 * looked for.
 */
enum {
	REPORT_FLAKY_RUNS = 10 /* with the newest */
};
struct report_turns {
	bool was; /* to begin with, whether the newest is accepted */
	int runs, turns;
};
/* Take in one run more of that image and recipe, from the newest on: is it flaky,
 * as far as those tell? */
bool report_turn(struct report_turns *t, bool is_accepted);

/*
 * Append the first sentence of a cause on one line, cleaned, at most max
 * characters (0: no limit), "…" where it was cut.  cause may be NULL.
 */
void report_short(struct buf *out, const char *cause, size_t max);

/* Characters of UTF-8 text. */
size_t report_chars(const char *s);

/*
 * Append the name of a sample as that of a file: letters, digits, "-", "_",
 * "+", "@" and inner "." stay, any other byte becomes "=HH".  No two names give the
 * same, none gives a path or a hidden file, and none needs escaping in a URL.
 * Names too long for a file system end in "==" and part of their digest.
 */
void report_file(struct buf *out, const char *name);
enum {
	REPORT_FILE_MAX = 150 /* bytes, without suffix */
};

/* Append "850 ms", "4.2 s", "3 min 05 s", "2 h 07 min". */
void report_duration(struct buf *out, int64_t ms);
/* Append "1.2 MiB". */
void report_bytes(struct buf *out, int64_t bytes);

#endif
