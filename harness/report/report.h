/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_REPORT_H
#define UB_REPORT_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store/store.h"

/*
 * Write every report of a run into folder (made when absent): junit.xml,
 * report.json, index.html with a page an image below images/, logs below
 * logs/.  Made from the database alone: the same database gives the same
 * bytes.  run 0: the newest.  Each file appears whole or not at all.
 */
int report_write(struct store *s, int64_t run, const char *folder,
	struct err *e) NODISCARD;

/* The table of verdicts and the counts, for a terminal; colour when asked. */
int report_text(struct store *s, int64_t run, FILE *out, int is_colour,
	struct err *e) NODISCARD;

/* A bug report: on which image of which run, and where to. */
struct report_bug {
	int64_t run;      /* 0: the newest */
	const char *name; /* of the image in its corpus */
	FILE *out;
	/* Where all differences go that the text has no room for, and what the
	 * text calls that file; attached NULL: they follow in the text. */
	FILE *list;
	const char *attached;
};
/*
 * Write a text ready to send, from the database alone: what was compared, the
 * verdict, the machine, the recipe, commands, differences.  ERR_ABSENT when the
 * run has no image of that name.  The caller looks for errors of the files.
 */
int report_bug(
	struct store *s, const struct report_bug *o, struct err *e) NODISCARD;

#endif
