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

#endif
