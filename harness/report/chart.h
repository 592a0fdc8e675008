/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_CHART_H
#define UB_REPORT_CHART_H

#include "report/markup.h"
#include "report/sink.h"

enum {
	CHART_RUNS = 30,       /* in the picture of a collection */
	CHART_COLLECTIONS = 8, /* that have one; the others are counted */
	CHART_RATES = CHART_RUNS * CHART_COLLECTIONS
};

/* The section on how the collections fared over the runs, with a picture and a
 * table of each; nothing for a first run. */
int
chart_write(struct markup *m, const struct report *r, struct err *e) NODISCARD;
/* The section on the history of the image in hand; nothing the first time. */
void chart_strip(struct markup *m, const struct report *r);

#endif
