/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CORPUS_CORPUS_H
#define UB_CORPUS_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "corpus/depth.h"

/*
 * Corpus files: which images, and what is expected of them.
 *
 *	(corpus
 *	 (version 0)
 *	 (defaults (timeout 7200) (depth pack))
 *	 (image
 *	  (name "2021-svd-paper")
 *	  (source "docker-archive:svd.tar.gz")
 *	  ...))
 *
 * corpus/README.md gives every field.
 */
enum {
	CORPUS_FILE_MAX = 64 << 20,         /* bytes of one corpus file */
	CORPUS_SCHEME_MAX = 4 << 20,        /* of a channels or manifest file */
	CORPUS_NAME_MAX = 200,              /* bytes of a name or tag */
	CORPUS_TEXT_MAX = 4096,             /* of any other string */
	CORPUS_IMAGES_MAX = 1000000,        /* in all files together */
	CORPUS_TIMEOUT_MAX = 30 * 24 * 3600 /* seconds */
};

/* One image of a corpus.  Strings are the corpus' own. */
struct sample {
	const char *name;       /* unique among all files of a run */
	const char *collection; /* the file's name without folder and suffix */
	const char *source;     /* as written */
	const char *folder; /* of the corpus file: relative paths start here */
	const char *file;   /* the corpus file, for messages */
	unsigned line, column; /* where the image stands in it */
	struct digest sha256;  /* of the source, where it is one file */
	bool has_sha256;
	const char *expect;      /* a verdict's name, NULL when not given */
	const char *const *tags; /* NULL-ended */
	const char *const *pack_options; /* NULL-ended; NULL when not given */
	const char *channels;            /* path of a file, NULL */
	const char *manifest;            /* path of a file, NULL */
	enum depth depth;                /* where has_depth */
	bool has_depth;
	int64_t timeout_s; /* wall time of the rebuild; 0: not given */
	int64_t silence_s; /* without output; 0: not given */
};

struct corpus {
	struct sample *v;
	size_t n, cap;
	struct arena arena;
};

/*
 * What a value must be is decided by later stages; the corpus asks them by
 * these.  Each returns true when the value will do, or appends to why what
 * would.
 */
struct corpus_checks {
	bool (*source)(const char *source, struct buf *why);
	bool (*verdict)(const char *name, struct buf *why);
};

/*
 * Read files whole and check everything in them before anything runs.  Each
 * mistake becomes a line "FILE:LINE:COLUMN: what" of mistakes; with one or more
 * the result is -1, ERR_INPUT and how many there are.
 */
int corpus_load(const char *const *files, size_t n,
	const struct corpus_checks *checks, struct corpus *out,
	struct buf *mistakes, struct err *e) NODISCARD;
void corpus_fini(struct corpus *c);

/* What a run takes of a corpus; NULL members take everything. */
struct selection {
	const char *only; /* glob over names */
	const char *tag;
};
bool selection_has(const struct selection *s, const struct sample *sample);

#endif
