/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdbool.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "fetch/blobs.h"
#include "rebuild/rebuild.h"

enum {
	OPT_CACHE = 256,
	OPT_GUIX,
	OPT_VERIFY
};

static void
tell(void *arg, const char *name, bool ok, const char *found,
	const char *remedy)
{
	int *n_bad = arg;

	printf("%-4s %-12s %s\n", ok ? "ok" : "BAD", name, found);
	if (!ok) {
		*n_bad += 1;
		if (remedy)
			printf("     remedy:      %s\n", remedy);
	}
}

/* --- the blob folder ------------------------------------------------------- */

struct damage {
	uint64_t n_good, n_bad, bytes;
};

static void
tell_blob(void *arg, const struct blobs_entry *entry, enum blobs_fate fate)
{
	struct damage *found = arg;

	found->bytes += entry->size;
	if (fate == BLOBS_GOOD) {
		found->n_good++;
		return;
	}
	found->n_bad++;
	printf("BAD  sha256:%s  %" PRIu64 " bytes\n", entry->name, entry->size);
}

static int
verify(const char *cache)
{
	CLEANUP(own_blobs)
	struct blobs *b = NULL;
	struct damage found = {0};
	struct err e = {0};

	if (blobs_open(cache, BLOBS_ANY, &b, &e) < 0 ||
		blobs_verify(b, tell_blob, &found, &e) < 0)
		return common_fail(&e);
	printf("%" PRIu64 " blobs of %" PRIu64 " bytes were hashed.\n",
		found.n_good + found.n_bad, found.bytes);
	if (!found.n_bad) {
		puts("Each is what its name says.");
		return EXIT_ACCEPTED;
	}
	printf("%" PRIu64 " were not what their names say, and are in %s/bad "
	       "now: nobody reads them\nagain; what needs them is fetched anew, "
	       "and unblend gc removes them.\n",
		found.n_bad, blobs_folder(b));
	return EXIT_MACHINE;
}

int
cmd_doctor(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"cache", required_argument, NULL, OPT_CACHE},
		{"guix", required_argument, NULL, OPT_GUIX},
		{"verify", no_argument, NULL, OPT_VERIFY},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	CLEANUP(own_free)
	char *cache = NULL;
	struct rebuild_options o = {.limits = limits_default};
	struct err e = {0};
	const char *named = NULL;
	bool is_verify = false;
	int c, n_bad = 0;

	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_GUIX) {
			o.guix = optarg;
		} else if (c == OPT_CACHE) {
			named = optarg;
		} else if (c == OPT_VERIFY) {
			is_verify = true;
		} else {
			return EXIT_WRONG;
		}
	}
	if (optind != argc)
		return common_usage(argv[0], "expected no argument");
	cache = common_cache(named);
	if (is_verify)
		return verify(cache);
	o.cache = cache;
	if (rebuild_doctor(&o, tell, &n_bad, &e) < 0)
		return common_fail(&e);
	puts(n_bad == 0 ? "This machine can rebuild."
			: "This machine cannot rebuild yet.");
	return n_bad == 0 ? EXIT_ACCEPTED : EXIT_MACHINE;
}
