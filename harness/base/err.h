/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_ERR_H
#define UB_BASE_ERR_H

#include "base/attr.h"

/*
 * Why an operation did not give its result.  The kind decides what the
 * scheduler does next; the text is for a person and is never parsed.
 */
enum err_kind {
	ERR_NONE = 0,
	ERR_INPUT,     /* the sample itself is malformed: record, go on */
	ERR_ABSENT,    /* a named thing does not exist: record, go on */
	ERR_POLICY,    /* a limit or a rule of ours refused it */
	ERR_TRANSIENT, /* may succeed when tried again: retry */
	ERR_HOST,      /* this machine failed us: stop the batch */
	ERR_BUG,       /* we broke our own contract: stop the batch */
};

struct err {
	enum err_kind kind;
	int sys; /* errno at the failure, or one that says the same; or 0 */
	char text[480];
};

/* Set *e and return -1, so that a caller can write return err_set(...). */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4) NODISCARD;

/* As err_set, with that errno, which the text says already. */
int err_code(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
	PRINTF_LIKE(4, 5) NODISCARD;

/* As err_set, and append ": " strerror(errno). */
int err_sys(struct err *e, enum err_kind kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4) NODISCARD;

/* Put "context: " before the text already in *e; return -1. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3) NODISCARD;

#endif
