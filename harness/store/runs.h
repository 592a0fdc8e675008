/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_RUNS_H
#define UB_STORE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "store/store.h"

/*
 * What a run that begins, or goes on, asks of those before it, and leaves to
 * those after it.  Errors as those of store.h.
 */

/* What a verdict depends on; see the table basis. */
struct store_basis {
	const char *file;    /* NULL: is no file */
	struct digest entry; /* of the corpus */
	const char *guix;    /* "" when there is none */
	struct digest policy;
};

/* The newest attempt on a name.  Strings live until the next call. */
struct store_standing {
	int64_t sample, run;
	enum verdict verdict;
	const char *class_; /* NULL: none */
	int64_t elapsed_ms;
	bool has_basis;
	struct store_basis basis;
	int64_t trials; /* before it, that ended in a way that may pass */
};

/* before: only runs before this one; 0: any.  1, 0 when there is none, -1. */
int store_standing(struct store *s, const char *name, int64_t before,
	struct store_standing *out, struct err *e) NODISCARD;

int store_basis_add(struct store *s, int64_t sample,
	const struct store_basis *b, struct err *e) NODISCARD;
/* The verdict of another sample, which has an attempt, stands for this one. */
int store_skip_add(struct store *s, int64_t sample, int64_t of_sample,
	struct err *e) NODISCARD;
int store_trial_add(struct store *s, int64_t sample, int64_t ended_s,
	const char *class_, struct err *e) NODISCARD;
/* How many there are of a sample, and when the last of them ended. */
int store_trials(struct store *s, int64_t sample, int64_t *n, int64_t *last_s,
	struct err *e) NODISCARD;

/* How often a name was tried in runs before this one, since the last of them
 * whose verdict says anything of the image. */
int store_tries(struct store *s, const char *name, int64_t run, int64_t *n,
	struct err *e) NODISCARD;

/* A sample of a run; strings live until the callback returns. */
struct store_run_sample {
	int64_t id, seq;
	const char *name, *source;
	bool is_done; /* it has a verdict, or another's stands for it */
	bool has_basis;
	struct store_basis basis;
};
/* Calls f for each, by seq; f returning non-zero ends it with -1 (f has set
 * *e).  f may write nothing. */
int store_run_samples(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_run_sample *r, struct err *e),
	void *arg, struct err *e) NODISCARD;

#endif
