/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_TABLE_H
#define UB_REPORT_TABLE_H

#include "report/markup.h"
#include "report/sink.h"

enum {
	TABLE_ROWS =
		200 /* images a page; the first of them is the front page */
};

/*
 * The table of images: its first rows on the front page, the others on pages of
 * their own, "2.html" and so on in folder, and all of them once more in
 * "rows.js" there, which the front page's script loads when something is
 * filtered or sorted.  A run that fits on the front page has no others.
 */
struct table {
	struct markup *front; /* the caller's */
	const char *folder;   /* likewise */
	struct markup page;   /* the page in hand, after the first */
	FILE *rows;           /* rows.js */
	int64_t n;            /* rows written */
	int64_t number;       /* of the page in hand, from 1 */
};

/* Begins the section on the front page. */
int
table_open(struct table *t, const struct report *r, struct err *e) NODISCARD;
int table_add(struct table *t, const struct report *r,
	const struct store_attempt *a, struct err *e) NODISCARD;
/* Ends the section, or only closes and frees when it is not whole. */
int table_close(struct table *t, const struct report *r, bool is_whole,
	struct err *e) NODISCARD;

#endif
