/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_USES_H
#define UB_REPORT_USES_H

#include "report/markup.h"
#include "report/sink.h"

enum {
	USES_INDEX_ROWS = 500,   /* packages a page of their list */
	USES_IMAGES = 100,       /* images named of a version or commit */
	USES_PAGE_IMAGES = 1000, /* and of a page */
	USES_TOP = 8             /* packages on the front page */
};

/*
 * The pages of packages and channels, into these folders: which images hold
 * them, which fail because of them.  On the front page a section leads there,
 * and names the packages because of which most images fail.
 */
int uses_write(struct markup *front, const struct report *r,
	const char *packages, const char *channels, struct err *e) NODISCARD;

#endif
