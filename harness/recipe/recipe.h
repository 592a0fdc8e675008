/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_RECIPE_RECIPE_H
#define UB_RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/jout.h"
#include "image/image.h"
#include "provenance/provenance.h"

/* What a person would type to make the image again. */
struct recipe {
	const char *channels_scm; /* text of the file */
	const char *manifest_scm;
	const char *format; /* "docker" */
	/* Options of `guix pack', one word each, as typed: "--format=docker",
	 * "--compression=xz", "--symlink=/bin=bin", ...  Ends before -m. */
	const char *const *options;
	size_t n_options;
	/* The same, as the issue of a pack-options list compares them: without
	 * format, save-provenance and system, and defaults left out. */
	const char *const *revealed;
	size_t n_revealed;
	const char *const *guessed; /* sentences: chosen, not known */
	size_t n_guessed;
	const char *const *missing; /* sentences: could not be known */
	size_t n_missing;
	const char *profile;            /* the path that it must give */
	const struct channel *channels; /* the provenance's or the corpus' */
	size_t n_channels;
	struct digest id;          /* over channels, manifest and options */
	struct digest channels_id; /* over channels.scm: the channel set */
	struct arena arena;
};

/* What the corpus says against what would be inferred; all may be NULL. */
struct recipe_override {
	const char *const *pack_options; /* NULL-ended; replace the inferred
					  * -C, -S, ... but not -f */
	const char *channels_scm;        /* text of files given in the corpus */
	const char *manifest_scm;
};

/*
 * Work out the recipe of an image.  provenance may be NULL only where override
 * gives channels and manifest.
 *
 * ERR_ABSENT no channels or no packages are known
 * ERR_INPUT  a name, version, URL or commit that cannot be what it claims: a
 *            commit that is not 40 hex digits, bytes that no Scheme string can
 *            hold, a NUL
 * ERR_POLICY a pack option in override that is not one that changes the image
 */
int recipe_make(const struct image *image, const struct provenance *provenance,
	const struct recipe_override *override, struct recipe **out,
	struct err *e) NODISCARD;
void recipe_free(struct recipe *r);
/* CLEANUP(own_recipe) struct recipe *r = NULL; */
void own_recipe(struct recipe **r);

/* `guix time-machine -C CHANNELS -- pack OPTIONS -m MANIFEST' for a shell. */
void recipe_command(const struct recipe *r, const char *channels_file,
	const char *manifest_file, struct buf *out);

/* Write channels.scm, manifest.scm and rebuild.sh into folder (made). */
int recipe_write(
	const struct recipe *r, const char *folder, struct err *e) NODISCARD;

/* Members "pack" {format, options, guessed} and "missing" of `inspect --json'
 * (missing of the provenance is included). */
void
recipe_json(const struct recipe *r, const struct provenance *p, struct jout *j);

#endif
