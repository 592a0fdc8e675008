/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_SEXP_H
#define UB_BASE_SEXP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Scheme data, read and never evaluated: what Guix writes into a profile's
 * `manifest' with pretty-print, what `guix describe -f channels' prints, and
 * our own corpus and trust files (R7RS 7.1.2 as Guile 3.0 reads it:
 * module/ice-9/read.scm).
 */
enum sexp_type {
	SEXP_LIST,    /* proper or dotted; also vectors, #(...) */
	SEXP_STRING,  /* text is what it says, escapes resolved */
	SEXP_SYMBOL,  /* text is its name, #{...}# resolved */
	SEXP_KEYWORD, /* text is the name without #: */
	SEXP_NUMBER,  /* text as written */
	SEXP_BOOL,    /* text is "#t" or "#f" */
	SEXP_CHAR     /* text as written: #\a */
};

/* All of it lives in the arena that sexp_parse was given. */
struct sexp {
	enum sexp_type type;
	unsigned line;             /* from 1 */
	unsigned column;           /* from 1, in bytes */
	struct slice text;         /* atoms */
	const struct sexp *first;  /* lists: first element, NULL when empty */
	const struct sexp *dotted; /* lists: what follows the dot, or NULL */
	const struct sexp *next;   /* next element of the list this is in */
	size_t begin, end;         /* where it stands in the input, in bytes */
};

enum {
	SEXP_DEPTH_MAX = 512,    /* lists within lists */
	SEXP_NODES_MAX = 4000000 /* data in one input */
};

/*
 * Read every datum of text.  The result is a SEXP_LIST whose elements are the
 * top-level data; NULL with ERR_INPUT "line L column C: what" on failure.
 * 'x is read as (quote x).  Comments of all three kinds are skipped.  Not read:
 * quasi-quotation and whatever else # may begin.  Strings of the result are
 * UTF-8; text that is not UTF-8 is refused.
 */
const struct sexp *
sexp_parse(struct arena *a, struct slice text, struct err *e) NODISCARD;

/*
 * The same, for input whose data need not be there all at once: of each element
 * of a top-level list only an atom's text is kept, and of a list where it stands.
 */
const struct sexp *
sexp_outline(struct arena *a, struct slice text, struct err *e) NODISCARD;
/* An element of sexp_outline, of the same text, whole. */
const struct sexp *sexp_whole(struct arena *a, struct slice text,
	const struct sexp *element, struct err *e) NODISCARD;

/* Number of elements of a list; 0 for an atom. */
size_t sexp_len(const struct sexp *s);
/* Element i of a list, from 0; NULL when there is none or s is NULL. */
const struct sexp *sexp_at(const struct sexp *s, size_t i);
/* True for a list whose first element is the symbol name. */
bool sexp_is(const struct sexp *s, const char *name);
/* True for the symbol name itself. */
bool sexp_is_symbol(const struct sexp *s, const char *name);
/* The first element of list s that is a list beginning with the symbol key. */
const struct sexp *sexp_assoc(const struct sexp *s, const char *key);
/* The text of a string, {NULL,0} for anything else or NULL. */
struct slice sexp_str(const struct sexp *s);
/* True, and *n set, for an exact decimal integer that fits. */
bool sexp_int(const struct sexp *s, int64_t *n);
/* Same structure and text, wherever they stand. */
bool sexp_eq(const struct sexp *a, const struct sexp *b);
/* Append the datum on one line, as Guile's `write' would. */
void sexp_print(struct buf *out, const struct sexp *s);

/* for (const struct sexp *x = s->first; x; x = x->next), s may be NULL. */
#define SEXP_FOREACH(x, s) \
	for (const struct sexp *x = (s) ? (s)->first : NULL; x; x = x->next)

#endif
