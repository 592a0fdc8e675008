/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_JDOC_H
#define UB_BASE_JDOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * JSON that was read (RFC 8259).  Values below a document are borrowed from the
 * one that jdoc_parse gave and live as long as that one.
 */
struct jdoc;

enum jdoc_type {
	JDOC_NULL,
	JDOC_BOOL,
	JDOC_INT,
	JDOC_REAL,
	JDOC_STRING,
	JDOC_ARRAY,
	JDOC_OBJECT
};

/*
 * Read one whole value: duplicate keys, anything after it, more than 2048
 * levels and integers beyond 64 bits are ERR_INPUT "line L column C: what".
 * The caller has limited the size of text.  NULL on failure; jdoc_free ends it.
 */
struct jdoc *jdoc_parse(struct slice text, struct err *e) NODISCARD;
void jdoc_free(struct jdoc *v);
/* CLEANUP(own_jdoc) struct jdoc *v = NULL; */
void own_jdoc(struct jdoc **v);

/* JDOC_NULL for NULL. */
enum jdoc_type jdoc_type(const struct jdoc *v);
/* Member of an object; NULL when absent or when v is no object (or NULL). */
const struct jdoc *jdoc_get(const struct jdoc *v, const char *key);
/*
 * The same, ignoring ASCII case when no member has exactly this name: Go's
 * encoding/json decodes image configs so, and Guix relies on it.
 */
const struct jdoc *jdoc_get_ci(const struct jdoc *v, const char *key);
/* Elements of an array or members of an object; 0 for anything else. */
size_t jdoc_len(const struct jdoc *v);
/* Element of an array; NULL when there is none. */
const struct jdoc *jdoc_at(const struct jdoc *v, size_t i);
/* A string; {NULL, 0} when v is NULL or no string.  May hold NULs. */
struct slice jdoc_str(const struct jdoc *v);
/* An integer, or otherwise when v is none. */
int64_t jdoc_int(const struct jdoc *v, int64_t otherwise);
bool jdoc_bool(const struct jdoc *v, bool otherwise);
/* The string that is a member of an object, copied; NULL when it is none. */
const char *jdoc_copy(const struct jdoc *v, const char *key, struct arena *a);
/* The strings of an array that is one, copied, NULL-ended, *n of them (n may be
 * NULL); "" for what is none.  NULL and 0 when it is no array. */
const char *const *
jdoc_copies(const struct jdoc *v, const char *key, struct arena *a, size_t *n);
/*
 * Call f for each member of an object in the order of the text, until it
 * returns non-zero; returns that, or 0.
 */
int jdoc_each(const struct jdoc *v,
	int (*f)(void *arg, struct slice key, const struct jdoc *value),
	void *arg);
/* Deep equality; the order of members does not matter. */
bool jdoc_eq(const struct jdoc *a, const struct jdoc *b);

#endif
