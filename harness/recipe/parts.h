/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_RECIPE_PARTS_H
#define UB_RECIPE_PARTS_H

#include "base/buf.h"
#include "base/sexp.h"
#include "base/words.h"
#include "recipe/recipe.h"

/* recipe.c: over all that decides what is built; each text with a NUL after
 * it. */
struct digest recipe_id(const struct recipe *r);

/* scheme.c */

/* ERR_INPUT "KIND 'VALUE' WHAT", value cleaned and cut. */
int scheme_bad(const char *kind, const char *value, const char *what,
	struct err *e) NODISCARD;
/* Append s as a Scheme string; ERR_INPUT, naming kind, when it is not UTF-8. */
int scheme_string(struct buf *out, const char *kind, const char *s,
	struct err *e) NODISCARD;
/* Is s, written bare, read by Guile as the symbol of that name, whatever the
 * options of its reader are? */
bool scheme_is_plain(const char *s);

/* channel_file.c: channels as a file that Guix loads */

/*
 * Append a channels file.  ERR_INPUT when a commit is not 40 lower-case hex
 * digits, a fingerprint is none, or a name, URL or branch is empty, begins
 * with "-" or holds a control character.
 */
int channel_file_print(const struct channel *v, size_t n, struct buf *out,
	struct err *e) NODISCARD;
/*
 * Read a channels file that is data: (list (channel (name 'N) (url U)
 * [(branch B)] (commit C) [(introduction (make-channel-introduction C
 * (openpgp-fingerprint F)))]) ...), as `guix describe -f channels' prints it.
 * Anything else would have to be run to know what it says: ERR_INPUT.
 */
int channel_file_read(struct arena *a, struct slice text,
	const struct channel **v, size_t *n, struct err *e) NODISCARD;

/* manifest_file.c: packages as a file that Guix loads */

enum {
	DEFINITIONS_MAX = 1000 /* distinct lists of transformations */
};

/*
 * Append a manifest: what is at the top level of p, in its order, by exact
 * versions.  ERR_INPUT when a name, version or output would mean something
 * else in a specification (gnu/packages.scm, specification->package+output);
 * ERR_POLICY over DEFINITIONS_MAX.
 */
int manifest_file_print(const struct provenance *p, struct words *guessed,
	struct words *missing, struct buf *out, struct err *e) NODISCARD;

/* Have both the same transformations, in the same order? */
bool manifest_file_is_alike(const struct package *a, const struct package *b);

/* pretty.c */

/*
 * Append s as (ice-9 pretty-print) of Guile 3.0.10 and later lays it out: a
 * width of 79, prefix before each line, a newline at the end.  For the forms
 * that `guix package --export-...' prints: of special forms, define and quote
 * alone are known.
 */
void pretty_print(const struct sexp *s, const char *prefix, struct buf *out);
/* Append a symbol as Guile's `write' does. */
void pretty_symbol(struct slice name, struct buf *out);

/* infer.c: what an image reveals of the options that made it. */

/* Appends to revealed in a fixed order; p may be NULL. */
void infer_options(const struct image *image, const struct provenance *p,
	struct words *revealed, struct words *guessed, struct words *missing);
/* As `guix pack -f' names it. */
const char *infer_format(const struct image *image);
/* "x86_64-linux" for the image's architecture as its format tells it, or for
 * that of the programs in it; NULL when it is unknown. */
const char *infer_system(const struct image *image);
/*
 * Append the repository name that `guix pack' gives an image of these
 * packages (guix/scripts/pack.scm, manifest->friendly-name; guix/docker.scm,
 * canonicalize-repository-name).
 */
void infer_repository(const struct provenance *p, struct buf *out);

/* options.c */

enum {
	OPTIONS_BYTES_MAX = 65536 /* of all, each with a NUL after it */
};

/*
 * Append the options of a person, NULL-ended, as single long words.
 * ERR_POLICY for what does not change the image or does more than that
 * (reads files, runs code).
 */
int options_read(
	const char *const *given, struct words *out, struct err *e) NODISCARD;
/* Is option name ("system") among the words? */
bool options_have(const struct words *w, const char *name);

#endif
