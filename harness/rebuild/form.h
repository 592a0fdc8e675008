/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_FORM_H
#define UB_REBUILD_FORM_H

#include <stddef.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/sexp.h"

/*
 * What our small files of settings have in common: one list (NAME (version 0)
 * FIELD ...), where each mistake is ERR_INPUT "FILE:LINE:COLUMN: what".
 */
struct form {
	const char *path; /* for messages */
	struct arena *arena;
	void *into; /* what the fields are read into */
};

/* A kind of field that may come any number of times. */
struct form_field {
	const char *name;
	int (*read)(
		const struct form *f, const struct sexp *field, struct err *e);
};

/*
 * Read the file path, at most max bytes of it, as (NAME (version 0) ...) and
 * give each other field to its reader; n readers.
 */
int form_read(const struct form *f, size_t max, const char *name,
	const struct form_field *fields, size_t n, struct err *e) NODISCARD;

/* ERR_INPUT at the place of s. */
int form_at(const struct form *f, const struct sexp *s, const char *what,
	struct err *e);
/* The one string of (KEY "..."), not empty and without NUL, into *out, which
 * lives in the arena; a mistake when *out is set already. */
int form_string(const struct form *f, const struct sexp *field,
	const char **out, struct err *e) NODISCARD;

#endif
