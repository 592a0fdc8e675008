/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_RECIPE_RECIPE_H
#define UB_RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/buf.h"
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
	/* Those that the image reveals, in the same form: without format,
	 * save-provenance and system, and defaults left out. */
	const char *const *revealed;
	size_t n_revealed;
	const char *const *guessed; /* sentences: chosen, not known */
	size_t n_guessed;
	const char *const *missing; /* sentences: could not be known */
	size_t n_missing;
	/* The same sentences, a line each ("guessed: ..."), by the file that
	 * they are about; with what the provenance has to say.  Not part of
	 * what is hashed. */
	const char *channels_doubts, *manifest_doubts, *options_doubts;
	const char *profile;            /* the path that it must give */
	const struct channel *channels; /* the provenance's or the corpus' */
	size_t n_channels;
	/* The image records its channels without names, as Guix did until
	 * February 2021.  One that is newer gives the old Guix that it makes
	 * names to record; one that this makes of the same channels has none.
	 */
	bool is_unnamed;
	struct digest image_sha256; /* of the image file that it is for */
	struct digest id;           /* over channels, manifest and options */
	struct digest channels_id;  /* over channels.scm: the channel set */
	struct arena arena;
};

/* What the corpus says against what would be inferred; all may be NULL. */
struct recipe_override {
	const char *const *pack_options; /* NULL-ended, as typed ("-S",
					  * "/bin=bin"); replace the inferred
					  * -C, -S, ... but not -f */
	const char *format;              /* instead of the image's own */
	const char *channels_scm;        /* text of files given in the corpus */
	const char *manifest_scm;
};

/*
 * Work out the recipe of an image.  Without provenance (NULL, or one that has
 * packages and no channels), override must give what is not there.  Of several
 * commits of one channel the first is used, as Guix does, and said.
 *
 * A channels file in override is data: (list (channel (name 'N) (url U)
 * [(branch B)] (commit C) [(introduction (make-channel-introduction C
 * (openpgp-fingerprint F)))]) ...).  A manifest is taken as it is.
 *
 * ERR_ABSENT no channels or no packages are known; *out is set all the same,
 *            with the options that the image reveals and what is known of
 *            channels_scm and manifest_scm, "" being what is not
 * ERR_INPUT  a name, version, URL or commit that cannot be what it claims: a
 *            commit that is not 40 hex digits, bytes that no Scheme string can
 *            hold, a NUL
 * ERR_POLICY a pack option in override that is not one that changes the image;
 *            more options than fit into 64 KiB
 */
int recipe_make(const struct image *image, const struct provenance *provenance,
	const struct recipe_override *override, struct recipe **out,
	struct err *e) NODISCARD;

/* What is to be made of an image instead; channels_scm may be NULL. */
struct recipe_repack {
	const char *format;         /* "tarball", ... */
	const char *const *options; /* NULL-ended, as typed */
	const char *channels_scm;
};
/*
 * The recipe of the same packages in another format.  Links, entry point, -R
 * and --localstatedir of the image are kept where the format has them, unless
 * options have some of their own; the rest is as options say.  ERR_POLICY for a
 * format that is none, and else as recipe_make.
 */
int recipe_repack(const struct image *image,
	const struct provenance *provenance, const struct recipe_repack *o,
	struct recipe **out, struct err *e) NODISCARD;
void recipe_free(struct recipe *r);
/* CLEANUP(own_recipe) struct recipe *r = NULL; */
void own_recipe(struct recipe **r);

/* `guix time-machine -C CHANNELS -- pack OPTIONS -m MANIFEST' for a shell; with
 * time-machine twice when is_unnamed. */
void recipe_command(const struct recipe *r, const char *channels_file,
	const char *manifest_file, struct buf *out);

/* Append a file of Scheme for a person, its doubts before it as comments. */
void recipe_text(const char *doubts, const char *text, struct buf *out);
/*
 * Write channels.scm, manifest.scm and rebuild.sh into folder (made).  The
 * last is for any machine with Guix: it prints the path of the image made
 * again, and exits with 0 only when that has the SHA-256 of this one.
 */
int recipe_write(
	const struct recipe *r, const char *folder, struct err *e) NODISCARD;

/*
 * What `guix package --export-channels' prints of the profile, byte for byte
 * (guix/scripts/package.scm, export-channels; since 1.3.0).  ERR_ABSENT when no
 * channel is recorded, ERR_INPUT for a fingerprint that is none.
 */
int recipe_export_channels(
	const struct provenance *p, struct buf *out, struct err *e) NODISCARD;

/* The versions of a package that some Guix has. */
struct versions {
	const char *const *v;
	size_t n;
};
/*
 * The same for --export-manifest (guix/profiles.scm, manifest->code).  Guix
 * writes no more of a version than sets it apart from those that it has itself:
 * known has an element for each of p->packages.
 */
int recipe_export_manifest(const struct provenance *p,
	const struct versions *known, struct buf *out, struct err *e) NODISCARD;

/* Members "pack" {format, options, guessed} and "missing" of `inspect --json'
 * (missing of the provenance is included).  options are the revealed ones; r
 * and p may be NULL. */
void
recipe_json(const struct recipe *r, const struct provenance *p, struct jout *j);

#endif
