/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_JUNIT_TEXT_H
#define UB_REPORT_JUNIT_TEXT_H

#include "base/buf.h"
#include "report/sink.h"

/*
 * What a JUnit file says of an image in words, appended to text: clean, not
 * escaped.  Nothing from outside looks like an attachment in it.
 */

/* The text of failure, error or skipped: the verdict in a sentence, what was
 * expected, the cause, what differs, what next. */
int junit_text_outcome(struct buf *text, const struct report *r,
	const struct store_attempt *a, struct err *e) NODISCARD;
/* The case's output: attachments, recipe, commands. */
int junit_text_output(struct buf *text, const struct report *r,
	const struct store_attempt *a, struct err *e) NODISCARD;
/* An earlier run of a flaky image. */
void junit_text_past(struct buf *text, const struct report_past *p);

#endif
