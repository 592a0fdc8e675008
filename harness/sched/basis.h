/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_SCHED_BASIS_H
#define UB_SCHED_BASIS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "corpus/corpus.h"
#include "sched/sched.h"
#include "store/runs.h"

/*
 * What the verdicts of a run depend on, as the table basis keeps it: which
 * files, what the corpus says, which Guix, which policy.  Nothing is read of an
 * image but what stat(2) tells of its file.
 */
struct basis {
	/* The policy, a line for each thing; its digest is what is kept. */
	struct buf text;
	struct digest policy;
	char *guix; /* "" when there is none */
	/* the rest is basis.c's own */
	char *mark;
	struct known {
		const char *path; /* of the corpus; NULL: none yet */
		struct digest digest;
	} known[2]; /* the last channels and manifest */
};

/* ERR_INPUT when the trust file cannot be read. */
int basis_open(struct basis *b, const struct sched_options *o,
	struct err *e) NODISCARD;
void basis_fini(struct basis *b);
/* Of one sample; file lives until the next call. */
void
basis_of(struct basis *b, const struct sample *sample, struct store_basis *out);
/* What the corpus says of it, with what is in the files that it names: the entry
 * of a basis.  b may be a zeroed one, which basis_fini ends. */
struct digest basis_entry(struct basis *b, const struct sample *sample);
/*
 * Is it certain that all is as it was?  Never where there is no file, for then
 * nobody knows without asking.
 */
bool basis_same(const struct store_basis *a, const struct store_basis *b);

/*
 * What tells two states of an image's place from each other, as
 * store_basis.file: of a file, and of the file that lists what is in a folder of
 * blobs named by their digests, what stat(2) says; else the digest that its name
 * or the corpus gives.  NULL: only reading it would tell.  The caller's own.
 */
char *basis_mark(const struct sample *sample);

#endif
