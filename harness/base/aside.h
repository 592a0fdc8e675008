/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_ASIDE_H
#define UB_BASE_ASIDE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/*
 * A file that appears whole or not at all: written under another name in the
 * same folder and renamed into place.
 *
 *	CLEANUP(aside_drop) struct aside a = {0};
 *	if (aside_open(&a, path, e) < 0) ...
 *	fprintf(a.f, ...);                  errors are found by aside_publish
 *	return aside_publish(&a, e);
 */
struct aside {
	FILE *f;       /* write here */
	char *path;    /* where it will appear */
	char *temp;    /* where it is now */
	bool is_brief; /* set it where nobody wants it after the machine went
			* down: it is not brought to the disk at once */
};

int aside_open(struct aside *a, const char *path, struct err *e) NODISCARD;
/* Flush, fsync (unless it is brief), close, rename; each is checked. */
int aside_publish(struct aside *a, struct err *e) NODISCARD;
/* Remove what was not published; nothing after aside_publish. */
void aside_drop(struct aside *a);
/* The same in one call; of a brief one. */
int
aside_write(const char *path, const void *p, size_t n, struct err *e) NODISCARD;
int aside_write_brief(
	const char *path, const void *p, size_t n, struct err *e) NODISCARD;

#endif
