/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_READING_H
#define UB_CMD_READING_H

#include <getopt.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/words.h"
#include "cmd/common.h"
#include "fetch/fetch.h"
#include "image/image.h"

/* What the commands share that read images: limits, and whom to ask how. */
struct reading {
	struct image_limits limits;
	const char *platform; /* as typed, checked; NULL: this machine's */
	const char *tls_ca;
	struct words plain_hosts;
	uint64_t cache_bytes; /* as fetch_options has it */
	const char *cache;    /* as of common_cache */
	struct arena arena;
};

enum {
	READING_PLATFORM = 0x2100, /* of getopt_long */
	READING_PLAIN_HTTP = READING_PLATFORM + 2,
	READING_CACHE_LIMIT
};
#define READING_OPTIONS                                                      \
	COMMON_LIMIT_OPTION,                                                 \
		{"platform", required_argument, NULL, READING_PLATFORM},     \
		{"tls-ca", required_argument, NULL, READING_PLATFORM + 1},   \
		{"plain-http", required_argument, NULL, READING_PLAIN_HTTP}, \
	{                                                                    \
		"cache-limit", required_argument, NULL, READING_CACHE_LIMIT  \
	}
#define READING_USAGE                                                       \
	"      --platform OS/ARCH[/VARIANT]\n"                              \
	"                        which image of several; default: this "    \
	"machine's\n"                                                       \
	"      --tls-ca FILE     certificates of authorities to trust "     \
	"besides\n"                                                         \
	"      --plain-http HOST ask HOST[:PORT] without encryption (more " \
	"than once)\n"                                                      \
	"      --cache-limit SIZE  that fetched images may take together, " \
	"as 500M, 20G or\n"                                                 \
	"                        none; default 20G\n" COMMON_LIMIT_USAGE

void reading_init(struct reading *r);
void reading_fini(struct reading *r);
/* An option of READING_OPTIONS; false, and a complaint, when its value is
 * wrong; false and none when it is another. */
bool reading_take(struct reading *r, int c);
/* The hosts of --plain-http, NULL-ended, r's own; NULL when there are none. */
const char *const *reading_plain_hosts(struct reading *r);
/* Only bring it to this machine; place_fini ends the place. */
int reading_bring(struct reading *r, const char *name, struct place *out,
	struct err *e) NODISCARD;
/* Fetch and read the image that a command names. */
int reading_image(struct reading *r, const char *name, struct image **out,
	struct err *e) NODISCARD;

#endif
