/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_FRONT_H
#define UB_REPORT_FRONT_H

#include "report/markup.h"
#include "report/sink.h"

/* The front page: what stands before the table of images, with <main> open. */
int front_write_head(
	struct markup *m, const struct report *r, struct err *e) NODISCARD;
/* And after it, with </main>. */
void front_write_foot(struct markup *m, const struct report *r);

/* "2026-11-24 04:22 UTC": of a row of the database, never of the clock. */
void front_time(struct markup *m, int64_t wall_s);

#endif
