/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_FOLDER_H
#define UB_REPORT_FOLDER_H

#include "base/err.h"

/*
 * A folder of pages that appears whole: filled under another name beside its
 * place, then put there instead of the one of an earlier report, which goes
 * with all that was in it.  A marker within tells such a folder from one that
 * somebody else made, which is refused.  The files are not synced one by one:
 * a report can be made again.
 *
 *	CLEANUP(folder_drop) struct folder f = {0};
 *	if (folder_open(&f, "out/images", e) < 0) ...
 *	write files into f.temp
 *	return folder_publish(&f, e);
 */
struct folder {
	char *path; /* where it will be */
	char *temp; /* where it is now; NULL once published */
};

/* ERR_POLICY when path is there and not ours, ERR_HOST when it cannot be made. */
int folder_open(struct folder *f, const char *path, struct err *e) NODISCARD;
int folder_publish(struct folder *f, struct err *e) NODISCARD;
/* Remove what was not published. */
void folder_drop(struct folder *f);

#endif
