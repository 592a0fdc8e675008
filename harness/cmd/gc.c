/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "fetch/blobs.h"
#include "fetch/kept.h"
#include "rebuild/lanes.h"
#include "sched/shard.h"

enum {
	OPT_CACHE = 256,
	OPT_LIMIT,
	OPT_ALL,
	OPT_DRY_RUN
};

enum {
	/* as Guix keeps what time-machine made (guix/inferior.scm) */
	UNUSED_S = 30 * 24 * 3600
};

struct sums {
	bool dry_run;
	uint64_t n_gone, bytes_gone;
	uint64_t n_stays, bytes_stay;
	uint64_t n_used;
};

static const char *const prefixes[] = {
	[BLOBS_WHOLE] = "sha256:",
	[BLOBS_PART] = "part/",
	[BLOBS_BAD] = "bad/",
};

static void
tell(void *arg, const struct blobs_entry *entry, enum blobs_fate fate)
{
	struct sums *sums = arg;
	CLEANUP(own_free)
	char *name = NULL;
	char used[CLOCK_ISO];

	if (fate == BLOBS_GOES) {
		sums->n_gone++;
		sums->bytes_gone += entry->size;
	} else {
		sums->n_stays++;
		sums->bytes_stay += entry->size;
		sums->n_used += fate == BLOBS_IN_USE;
	}
	if (fate == BLOBS_STAYS)
		return;
	clock_iso(entry->used_s, used);
	name = text_clean_new(slice_of(entry->name));
	printf("%s %s%s  %" PRIu64 " bytes, last used %s\n",
		fate == BLOBS_IN_USE    ? "in use"
			: sums->dry_run ? "would go"
					: "removed",
		prefixes[entry->kind], name, entry->size, used);
}

/* Of files in the cache these have few; a Guix is large, and of the store. */
static int
collect_unused(const char *cache, int64_t unused_s, bool dry_run)
{
	struct lanes_count count;
	struct err e = {0};

	if (lanes_gc(cache, unused_s, dry_run, &count, &e) < 0 ||
		(!dry_run && shard_keys_gc(cache, unused_s, &e) < 0))
		return common_fail(&e);
	if (count.gone + count.used + count.stay == 0)
		return EXIT_ACCEPTED;
	printf("Guix of channels, %s: %" PRIu64 ", stays: %" PRIu64 "\n",
		dry_run ? "would go" : "removed", count.gone,
		count.stay + count.used);
	if (count.used)
		printf("in use, else they would go: %" PRIu64 "\n", count.used);
	return EXIT_ACCEPTED;
}

static int
collect(const char *cache, uint64_t limit, bool dry_run)
{
	CLEANUP(own_blobs)
	struct blobs *b = NULL;
	struct sums sums = {.dry_run = dry_run};
	struct err e = {0};
	uint64_t n_forgotten;

	if (blobs_open(cache, BLOBS_ANY, &b, &e) < 0 ||
		blobs_gc(b, limit, dry_run, tell, &sums, &e) < 0 ||
		kept_gc(b, dry_run, &n_forgotten, &e) < 0)
		return common_fail(&e);
	printf("%s: %" PRIu64 ", %" PRIu64 " bytes\n",
		dry_run ? "would go" : "removed", sums.n_gone, sums.bytes_gone);
	printf("stays: %" PRIu64 ", %" PRIu64 " bytes\n", sums.n_stays,
		sums.bytes_stay);
	if (sums.n_used)
		printf("in use, else they would go: %" PRIu64 "\n",
			sums.n_used);
	return EXIT_ACCEPTED;
}

int
cmd_gc(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"cache", required_argument, NULL, OPT_CACHE},
		{"limit", required_argument, NULL, OPT_LIMIT},
		{"all", no_argument, NULL, OPT_ALL},
		{"dry-run", no_argument, NULL, OPT_DRY_RUN},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	CLEANUP(own_free)
	char *cache = NULL;
	const char *named = NULL;
	uint64_t limit = BLOBS_LIMIT;
	bool is_limited = false, is_all = false, dry_run = false;
	int c, status;

	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_CACHE) {
			named = optarg;
		} else if (c == OPT_LIMIT) {
			is_limited = true;
			if (!blobs_limit_parse(optarg, &limit))
				return common_usage(argv[0],
					"--limit takes bytes as 500M or 20G, "
					"or none, not '%s'",
					optarg);
		} else if (c == OPT_ALL) {
			is_all = true;
		} else if (c == OPT_DRY_RUN) {
			dry_run = true;
		} else {
			return EXIT_WRONG;
		}
	}
	if (optind != argc)
		return common_usage(argv[0], "expected no argument");
	if (is_all && is_limited)
		return common_usage(argv[0], "either --all or --limit");
	cache = common_cache(named);
	status = collect(cache, is_all ? 0 : limit, dry_run);
	if (status == EXIT_ACCEPTED)
		status = collect_unused(cache, is_all ? 0 : UNUSED_S, dry_run);
	return status;
}
