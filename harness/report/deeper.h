/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_DEEPER_H
#define UB_REPORT_DEEPER_H

#include <stdint.h>

#include "base/buf.h"
#include "compare/compare.h"

/* What limits diffoscope, besides a sandbox without network. */
struct deeper_options {
	const char *work;  /* a private folder, absolute; it is left empty */
	int64_t timeout_s; /* 0: DEEPER_TIMEOUT_S */
};

enum {
	DEEPER_TIMEOUT_S = 300,
	DEEPER_TIMEOUT_MAX_S = 86400,
	DEEPER_FILES_MAX = 64,        /* pairs of files */
	DEEPER_FILE_MAX = 64 << 20,   /* bytes of each */
	DEEPER_TOTAL_MAX = 512 << 20, /* bytes of all, on each side */
	DEEPER_PAGE_MAX = 16 << 20    /* bytes of the page */
};
#define DEEPER_MEMORY_MAX (UINT64_C(3) << 30) /* address space */

/* Is there a diffoscope to run?  ERR_HOST when not. */
int deeper_can(struct err *e) NODISCARD;

/*
 * Have diffoscope explain the files whose contents differ in c, and no others:
 * they alone are taken out of the two images.  1: its page is at page; 0: there
 * is none, and why says so in a clause; -1: ERR_HOST and what image_extract
 * gives.  The page may run and load nothing (it gets a policy of its own).
 */
int deeper_write(const struct image *image, const struct image *rebuilt,
	const struct comparison *c, const struct deeper_options *o,
	const char *page, struct buf *why, struct err *e) NODISCARD;

/*
 * The same in a process of its own, this program's `compare --diffoscope': it
 * reads the two files, which are strangers'.
 */
int deeper_run(const char *image, const char *rebuilt, int64_t timeout_s,
	const char *page, struct buf *why, struct err *e) NODISCARD;
/* So long may that process take: the images are read in it too. */
int64_t deeper_deadline_s(int64_t timeout_s);

#endif
