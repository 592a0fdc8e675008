/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_REASON_H
#define UB_COMPARE_REASON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* What two contents differ in.  Each has a stable word and a phrase. */
enum reason {
	REASON_TIME,       /* dates, times of day, time fields of a format */
	REASON_BUILD_PATH, /* paths below /tmp */
	REASON_STORE_PATH, /* hashes in store paths */
	REASON_RANDOM,     /* UUIDs of version 4 (RFC 9562, 5.4) */
	REASON_BUILD_ID,   /* of an ELF file: follows from the rest */
	REASON_VERSION,    /* numbers with points */
	REASON_EPOCH,      /* numbers that read as seconds since 1970 */
	REASON_HEX,        /* long runs of hexadecimal digits */
	REASON_NUMBER,     /* other numbers */
	REASON_ORDER,      /* the same lines in another order */
	REASON_LINE_ENDS,  /* LF or CR LF */
	REASON_SPACES,     /* white space */
	REASON_CUT,        /* one is the beginning of the other */
	REASON_COUNT
};

/*
 * Why two contents that are not equal differ: only what the two themselves
 * prove.  is_whole: they are equal in all else.  Otherwise each reason holds
 * for some places before the first that has none.
 */
struct reasons {
	bool is[REASON_COUNT];
	bool is_whole;
};

enum {
	REASON_LINES_MAX = 100000 /* that are looked at for their order */
};

/* Pure. */
void reason_find(struct slice a, struct slice b, struct reasons *out);

/* Append "only time-stamp build-path" or "partly ..."; nothing when none was
 * found. */
void reason_print(const struct reasons *r, struct buf *out);

/* "only time stamps", of such words; NULL when they are none.  For people: what
 * is no more than likely says "perhaps".  The text is appended to out. */
void reason_phrase(const char *words, struct buf *out);

#endif
