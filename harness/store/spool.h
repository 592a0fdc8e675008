/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_SPOOL_H
#define UB_STORE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/slice.h"

/*
 * A spool (record.h) being read, line by line, by one who does not believe it.
 * Memory is that of the longest line.  Each error is ERR_INPUT "spool line N:
 * what", in the struct err that spool_open was given.
 */
struct spool {
	struct slice raw; /* the line last read, newline included */
	struct jdoc *doc; /* the object in it, after spool_next */
	bool is_bad;      /* a field was not as it must be; *e says which */
	struct err *e;
	/* the rest is spool.c's own */
	int fd;
	char *window; /* bytes of the file: those from `from' are unread */
	size_t cap, from, to;
	int64_t from_offset; /* of window[from] in the file */
	int64_t line;        /* number of the line last read, from 1 */
	struct buf scratch;
	struct arena texts; /* of the current line, where cleaning changed it */
};

/* A regular file of at most RECORD_SPOOL_MAX bytes. */
int spool_open(struct spool *sp, const char *path, struct err *e) NODISCARD;
void spool_fini(struct spool *sp);

/* The next line, unread: 1, 0 at the end, -1 when it is too long or cut. */
int spool_raw(struct spool *sp) NODISCARD;
/* The next line as an object: the same.  Takes back the texts of the last. */
int spool_next(struct spool *sp) NODISCARD;

/* Where the next line begins; to go back to. */
struct spool_mark {
	int64_t offset, line;
};
struct spool_mark spool_mark(const struct spool *sp);
void spool_seek(struct spool *sp, struct spool_mark mark);

/* Set *e to "spool line N: what" unless a field did so before; -1. */
int
spool_bad(struct spool *sp, const char *fmt, ...) PRINTF_LIKE(2, 3) NODISCARD;

/*
 * Fields of an object of the current line (sp->doc, or one within).  One that
 * is absent, of another type or over its limit makes the spool bad and gives
 * 0 or "": look at is_bad before using any.  Texts are clean and live until the
 * next spool_next; the _opt ones give {NULL, 0} when absent or null.
 */
int64_t spool_int(struct spool *sp, const struct jdoc *v, const char *key,
	int64_t min, int64_t max);
/* otherwise when absent. */
int64_t spool_int_opt(struct spool *sp, const struct jdoc *v, const char *key,
	int64_t min, int64_t max, int64_t otherwise);
bool spool_bool(struct spool *sp, const struct jdoc *v, const char *key);
/* One line of at most RECORD_WORD_MAX bytes. */
struct slice
spool_word(struct spool *sp, const struct jdoc *v, const char *key);
struct slice
spool_word_opt(struct spool *sp, const struct jdoc *v, const char *key);
/* Many lines, at most RECORD_TEXT_MAX bytes. */
struct slice
spool_text(struct spool *sp, const struct jdoc *v, const char *key);
struct slice
spool_text_opt(struct spool *sp, const struct jdoc *v, const char *key);
/* An element of an array, as spool_word. */
struct slice spool_word_at(struct spool *sp, const struct jdoc *v, size_t i);
struct digest
spool_digest(struct spool *sp, const struct jdoc *v, const char *key);
/* Bytes in hex, at most cap of them; {NULL, 0} when absent. */
struct slice spool_hex_opt(
	struct spool *sp, const struct jdoc *v, const char *key, size_t cap);

#endif
