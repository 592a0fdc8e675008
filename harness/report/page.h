/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_PAGE_H
#define UB_REPORT_PAGE_H

#include "report/markup.h"
#include "report/sink.h"

enum {
	PAGE_DIFFERENCES_MAX = 500, /* rows; report.json has all that is kept */
	PAGE_PACKAGES_MAX = 1000,
	PAGE_LIST_MAX = 200,      /* entries of any other list */
	PAGE_TEXT_MAX = 64 << 10, /* bytes of a cause or an excerpt */
	PAGE_LOG_MAX = 200 << 10  /* of the log, half from either end */
};

/* What there is beside the page of an image. */
struct page_more {
	const char *deeper;     /* where diffoscope's page is; NULL: none is */
	const char *not_deeper; /* why not, in a clause; NULL: nobody asked */
};

/* The page of one image: harness/report/page.c. */
int page_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, const struct page_more *more,
	struct err *e) NODISCARD;

/* Its sections on where the image comes from and how to make it again. */
int origin_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, struct err *e) NODISCARD;
/* Its sections on what differs and what is forgiven. */
int differences_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, const struct page_more *more,
	struct err *e) NODISCARD;
/* Its sections on what was built, and on the digests. */
int evidence_write(struct markup *m, const struct report *r,
	const struct store_attempt *a, struct err *e) NODISCARD;

/* A new file, to be written; NULL: ERR_HOST. */
FILE *page_open(const char *path, struct err *e);
/* Close a file that was written; ERR_HOST where anything was lost. */
int page_close(FILE *f, const char *path, struct err *e) NODISCARD;
/* "<span class="badge ...">": the verdict, and what stands beside it. */
void page_badge(struct markup *m, const struct store_attempt *a);
/* The class of a verdict's colour: "pass", "fail", "skip" or "error". */
const char *page_tone(enum verdict v);
/* A <pre> under a heading and with a button that copies it; nothing for NULL or
 * "". */
void page_copy(
	struct markup *m, const char *id, const char *label, const char *text);
/* "<dt>label<dd>value", code when is_code; nothing for NULL or "". */
void
page_fact(struct markup *m, const char *label, const char *value, bool is_code);
/* The texts of one kind under a heading, commands and the like when is_code;
 * nothing where there are none. */
int page_texts(struct markup *m, const struct report *r, int64_t sample,
	const char *kind, const char *title, bool is_code,
	struct err *e) NODISCARD;
/* The end of a table of n rows, of which at most max were written; nothing for
 * 0. */
void page_table_end(struct markup *m, int64_t n, int64_t max);

/* " <time>2026-11-24</time>"; nothing before 1970. */
void page_date(struct markup *m, int64_t date_s);
/* A link to url where a browser may follow it, else its text alone. */
void page_url(struct markup *m, const char *url);

#endif
