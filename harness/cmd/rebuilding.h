/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_REBUILDING_H
#define UB_CMD_REBUILDING_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/words.h"
#include "cmd/reading.h"
#include "rebuild/rebuild.h"

/* What the commands share that run Guix for one image themselves. */
struct rebuilding {
	struct rebuild_options o;
	const char *trust_file;
	const char *channels; /* file that the image's channels are in */
	struct reading reading;
	struct words mirrors; /* pairs */
	struct trust *trust;
	char *work;
	struct arena arena;
};

enum {
	REBUILDING_TRUST = 0x1000, /* of getopt_long; the last of them: */
	REBUILDING_TIMEOUT = REBUILDING_TRUST + 5
};
#define REBUILDING_OPTIONS                                                     \
	READING_OPTIONS, {"trust", required_argument, NULL, REBUILDING_TRUST}, \
		{"mirror", required_argument, NULL, REBUILDING_TRUST + 1},     \
		{"cache", required_argument, NULL, REBUILDING_TRUST + 2},      \
		{"guix", required_argument, NULL, REBUILDING_TRUST + 3},       \
		{"channels", required_argument, NULL, REBUILDING_TRUST + 4},   \
	{                                                                      \
		"timeout", required_argument, NULL, REBUILDING_TIMEOUT         \
	}
#define REBUILDING_USAGE                                                        \
	"      --trust FILE      channels that may be run besides the "         \
	"official one\n"                                                        \
	"      --mirror URL=URL2 fetch channels below URL from URL2 "           \
	"(more than once)\n"                                                    \
	"      --channels FILE   the channels of an image that does not tell\n" \
	"      --cache DIR       channel mirrors and Guix instances; default\n" \
	"                        $XDG_CACHE_HOME/unblend\n"                     \
	"      --guix PROGRAM    the guix command; default: on PATH\n"          \
	"      --timeout S       seconds for all of it; default 3600\n" READING_USAGE

void rebuilding_init(struct rebuilding *r);
/* Remove the private folder, and all else. */
void rebuilding_fini(struct rebuilding *r);
/* An option of REBUILDING_OPTIONS; false, and a complaint, when its value is
 * wrong. */
bool rebuilding_take(struct rebuilding *r, int c);
/* Read the trust file, make the private folder, watch for signals: r->o is
 * ready after. */
int rebuilding_open(struct rebuilding *r, struct err *e) NODISCARD;
/* The text of --channels, in r's arena; NULL without that option. */
int rebuilding_channels(
	struct rebuilding *r, const char **text, struct err *e) NODISCARD;
/* Complain of a rebuild that is not done; gives the exit status. */
int rebuilding_fail(const struct rebuild *rebuild);

#endif
