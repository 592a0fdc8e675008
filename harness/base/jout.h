/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_JOUT_H
#define UB_BASE_JOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	JOUT_DEPTH = 32
};

/*
 * JSON that is written, streaming: nothing is kept but the nesting.  Strings
 * are cleaned by text_clean (TEXT_MANY_LINES) and escaped.  Write errors are
 * sticky and come out of jout_close.
 *
 *	struct jout j;
 *	jout_open(&j, file, 2);       indent by 2, or -1: all on one line
 *	jout_begin(&j, NULL, '{');
 *	jout_str(&j, "name", "x");    key is NULL inside an array
 *	jout_end(&j, '}');
 *	if (jout_close(&j, e) < 0) ...
 */
struct jout {
	FILE *f; /* the caller's: neither opened nor closed here */
	int indent;
	int depth;
	bool has_any[JOUT_DEPTH + 1];
};

void jout_open(struct jout *j, FILE *f, int indent);
/* bracket is '{' or '[' here, '}' or ']' in jout_end. */
void jout_begin(struct jout *j, const char *key, char bracket);
void jout_end(struct jout *j, char bracket);
/* NULL writes null. */
void jout_str(struct jout *j, const char *key, const char *s);
void jout_slice(struct jout *j, const char *key, struct slice s);
void jout_int(struct jout *j, const char *key, int64_t n);
void jout_bool(struct jout *j, const char *key, bool b);
void jout_null(struct jout *j, const char *key);
/* Bytes as "HEX", in lower case; null when s.p is NULL. */
void jout_hex(struct jout *j, const char *key, struct slice s);
/* "HEX", 64 digits. */
void jout_digest(struct jout *j, const char *key, const struct digest *d);
/* A newline after the value, and flush; ERR_HOST when any write failed. */
int jout_close(struct jout *j, struct err *e) NODISCARD;

/* Append s as a JSON string, quotes included (cleaned and escaped). */
void jout_quote(struct buf *out, struct slice s);

#endif
