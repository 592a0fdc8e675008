/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_MARKUP_H
#define UB_REPORT_MARKUP_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"

/*
 * A page of HTML that is written.  Whatever does not stand in a format string
 * is cleaned and escaped: there is no way to write other people's bytes as
 * they are.  {.f = file} begins one; write errors stay in f.
 */
struct markup {
	FILE *f; /* the caller's */
	/* of a script beside the page, which no other can name; NULL: none */
	const char *nonce;
	struct buf clean, out;
};

void markup_fini(struct markup *m);

/*
 * As fprintf, with the conversions %s, %d and PRId64 alone: a %s is cleaned
 * to one line and escaped.  A NULL prints nothing.
 */
void markup(struct markup *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Text with its lines, for within <pre>: cleaned and escaped. */
void markup_lines(struct markup *m, struct slice s);

/*
 * All up to and with <body>: the style and a policy under which nothing but
 * this program's own style and script is used, and nothing loaded.
 */
void markup_head(struct markup *m, const char *title);
/* The script and the end. */
void markup_foot(struct markup *m);

#endif
