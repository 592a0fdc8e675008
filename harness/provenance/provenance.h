/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_PROVENANCE_PROVENANCE_H
#define UB_PROVENANCE_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/jout.h"
#include "base/slice.h"
#include "image/image.h"

enum {
	PROVENANCE_CHANNELS_MAX = 256 /* distinct ones in one manifest */
};

/* A channel as `guix pack --save-provenance' recorded it
 * (guix/describe.scm, channel->sexp; guix/channels.scm). */
struct channel {
	const char *name; /* "guix", ...; made up as Guix does when not given */
	const char *url;
	const char *branch;       /* NULL when not recorded */
	const char *commit;       /* as recorded: not checked to be hex */
	const char *intro_commit; /* NULL when there is no introduction */
	const char *intro_signer; /* fingerprint, spaces as recorded */
	bool is_named;            /* name was recorded */
};

struct transformation {
	const char *key; /* "with-source", ... */
	const char *value;
};

struct search_path {
	const char *variable;
	const char *const *files;
	size_t n_files;
	const char *separator; /* NULL for #f */
	const char *type;      /* "directory", ... */
	const char *pattern;   /* NULL for #f */
};

/* A manifest entry: an output of a package in the profile. */
struct package {
	const char *name, *version, *output;
	const char *store_path;       /* "/gnu/store/HASH-..." */
	const struct package *parent; /* NULL at the top level */
	const struct package *const *propagated;
	size_t n_propagated;
	const struct search_path *search_paths;
	size_t n_search_paths;
	const size_t *channels; /* indexes into provenance.channels */
	size_t n_channels;
	const struct transformation *transformations;
	size_t n_transformations;
	bool has_transformations;            /* recorded, be it an empty list */
	const char *const *other_properties; /* each as one-line Scheme */
	size_t n_other_properties;
	bool is_repeated; /* was `(repeated ...)' */
};

/* Where an image says it comes from. */
struct provenance {
	const char *profile;       /* "/gnu/store/HASH-profile" */
	const char *profile_found; /* how it was chosen, a clause */
	int manifest_version;
	const struct package *const *packages; /* top level, in order */
	size_t n_packages;
	const struct channel *channels; /* distinct, by first appearance */
	size_t n_channels;
	const char *const *missing; /* sentences: what could not be known */
	size_t n_missing;
	const char *const *notes; /* sentences: what was chosen and why */
	size_t n_notes;
	struct arena arena;
};

/*
 * Find the profile that the image was packed from and read its manifest
 * (versions 0 to 4; guix/profiles.scm, sexp->manifest).  Among several
 * profiles the one is taken that the config's environment, entry point and the
 * links outside the store point to; a profile that is only a store item of
 * another is not.
 *
 * ERR_ABSENT there is no profile, or no entry of it has provenance (none has
 *            before version 3): "why" in the text; *out is set all the same
 *            when a manifest was read (packages without channels), else NULL
 * ERR_INPUT  a manifest that cannot be read, with line and column
 */
int provenance_read(const struct image *image, struct provenance **out,
	struct err *e) NODISCARD;

/* The pure half: one manifest file.  profile is borrowed text. */
int provenance_parse(const char *profile, struct slice manifest,
	struct provenance **out, struct err *e) NODISCARD;

void provenance_free(struct provenance *p);
/* CLEANUP(own_provenance) struct provenance *p = NULL; */
void own_provenance(struct provenance **p);

/*
 * The package of the manifest that a store item ("HASH-NAME") is the output
 * of, searched in nested ones too; NULL when it belongs to none directly.
 */
const struct package *
provenance_owner(const struct provenance *p, const char *item);
/* "name@version:output", without ":out"; the caller's own string. */
char *package_label(const struct package *p);

/* Members "profile", "channels", "packages" of `inspect --json'. */
void provenance_json(const struct provenance *p, struct jout *j);

#endif
