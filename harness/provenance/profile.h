/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_PROVENANCE_PROFILE_H
#define UB_PROVENANCE_PROFILE_H

#include "base/sexp.h"
#include "base/words.h"
#include "provenance/provenance.h"

/* Limits on one profile manifest; each is named in the error it causes. */
enum {
	PROFILE_ENTRIES_MAX = 200000, /* entries, nested ones too */
	PROFILE_DEPTH_MAX = 100,      /* propagated inputs within another */
	PROFILE_CHANNELS_MAX = PROVENANCE_CHANNELS_MAX, /* distinct ones */
	PROFILE_SENTENCES_MAX = 20 /* entries named one by one in missing */
};

/* The channels met so far while a manifest is read. */
struct channels {
	struct arena *arena;
	struct channel *v;
	size_t n, cap;
	struct words *notes;
};

/*
 * The channels of one entry: the value of its `provenance' property, list
 * (provenance REPOSITORY...), as indexes into c->v; new ones are appended.
 * What Guix would drop is dropped, with a note (guix/describe.scm,
 * manifest-entry-provenance; guix/channels.scm, sexp->channel).
 *
 * ERR_INPUT  a NUL in a string
 * ERR_POLICY more than PROFILE_CHANNELS_MAX
 */
int channels_read(struct channels *c, const struct sexp *list,
	const size_t **out, size_t *n, struct err *e) NODISCARD;

/* ERR_INPUT "line L column C: what", at s. */
int profile_bad(const struct sexp *s, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(3, 4) NODISCARD;
/* The string s as text in a; ERR_INPUT when it is none or holds a NUL. */
int profile_text(struct arena *a, const struct sexp *s, const char *what,
	const char **out, struct err *e) NODISCARD;

#endif
