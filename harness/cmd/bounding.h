/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_BOUNDING_H
#define UB_CMD_BOUNDING_H

#include <getopt.h>
#include <stdbool.h>

#include "rebuild/policy.h"

/* Options that bound a job. */
enum {
	BOUNDING_MEMORY = 0x3000, /* of getopt_long; the last of them: */
	BOUNDING_DAEMON = BOUNDING_MEMORY + 5,
	BOUNDING_LOW_WATER
};
#define BOUNDING_OPTIONS                                                      \
	{"max-memory", required_argument, NULL, BOUNDING_MEMORY},             \
		{"max-processes", required_argument, NULL,                    \
			BOUNDING_MEMORY + 1},                                 \
		{"max-output", required_argument, NULL, BOUNDING_MEMORY + 2}, \
		{"max-disk", required_argument, NULL, BOUNDING_MEMORY + 3},   \
		{"cpus", required_argument, NULL, BOUNDING_MEMORY + 4},       \
		{"low-water", required_argument, NULL, BOUNDING_LOW_WATER},   \
	{                                                                     \
		"daemon", required_argument, NULL, BOUNDING_DAEMON            \
	}
#define BOUNDING_USAGE                                                          \
	"      --max-memory SIZE     memory of a job, as 500M or 8G; default "  \
	"none\n"                                                                \
	"      --max-processes N     processes of a job; default 16384\n"       \
	"      --max-output SIZE     what a job may print; default 1G\n"        \
	"      --max-disk SIZE       what its builds may take; with --daemon "  \
	"only\n"                                                                \
	"      --cpus N              processors of a job; default all\n"        \
	"      --low-water SIZE      begin no job while less is free on disk; " \
	"default none\n"                                                        \
	"      --daemon COMMAND      a guix-daemon to start for each job, "     \
	"within its\n"                                                          \
	"                            limits; default: the machine's, which "    \
	"none but\n"                                                            \
	"                            --max-output and --cpus reach\n"

/* An option of BOUNDING_OPTIONS; false, and a complaint, when its value is
 * wrong; false and none when it is another. */
bool bounding_take(
	struct limits *l, const char **daemon, uint64_t *low_water, int c);
/* Is it one of those? */
bool bounding_has(int c);

#endif
