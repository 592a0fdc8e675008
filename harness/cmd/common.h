/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_COMMON_H
#define UB_CMD_COMMON_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/words.h"
#include "compare/compare.h"
#include "fetch/fetch.h"
#include "image/image.h"

/* What the commands share: words on stderr, options, an image by name. */

/* "unblend: WHAT" on stderr, cleaned of what a terminal would obey. */
void common_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Complain of *e and give the exit status for it. */
int common_fail(const struct err *e);
/*
 * getopt_long for a command.  --help prints its usage and ends the process;
 * an unknown option is complained of and gives '?'.
 */
int common_option(
	int argc, char *argv[], const char *shorts, const struct option *longs);
/* Complain that the command line is wrong; gives EXIT_WRONG. */
int common_usage(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A decimal number from 1 to max; false and a complaint otherwise. */
bool
common_number(const char *text, const char *option, int64_t max, int64_t *out);
/* A verdict's name; false and a complaint with all names otherwise. */
bool common_verdict(const char *text, enum verdict *out);
/* --limit, of every command that reads images. */
enum {
	COMMON_LIMIT = 0x2000
};
#define COMMON_LIMIT_OPTION                                    \
	{                                                      \
		"limit", required_argument, NULL, COMMON_LIMIT \
	}
#define COMMON_LIMIT_USAGE                                                        \
	"      --limit NAME=N    a limit on what is read (more than once; K, M, " \
	"G, T\n"                                                                  \
	"                        after N); below are all and their defaults\n"
/* Its value; false and a complaint when it is wrong. */
bool common_limit(struct image_limits *limits, const char *text);
/* A value of --mirror, URL=URL2, put to the pairs; false and a complaint when it
 * is none. */
bool common_mirror(struct words *pairs, const char *text);
/* The folder that --cache names, absolute; NULL: $XDG_CACHE_HOME/unblend or
 * ~/.cache/unblend.  The caller's own. */
char *common_cache(const char *named);
/* May stdout have colours? */
bool common_has_colour(void);

#endif
