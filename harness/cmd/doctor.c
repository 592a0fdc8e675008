/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "rebuild/rebuild.h"

enum {
	OPT_CACHE = 256,
	OPT_GUIX
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

int
cmd_doctor(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"cache", required_argument, NULL, OPT_CACHE},
		{"guix", required_argument, NULL, OPT_GUIX},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	CLEANUP(own_free)
	char *cache = common_cache();
	struct rebuild_options o = {.limits = limits_default};
	struct err e = {0};
	int c, n_bad = 0;

	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_GUIX) {
			o.guix = optarg;
		} else if (c == OPT_CACHE) {
			free(cache);
			cache = path_absolute(optarg);
		} else {
			return EXIT_WRONG;
		}
	}
	if (optind != argc)
		return common_usage(argv[0], "expected no argument");
	o.cache = cache;
	if (rebuild_doctor(&o, tell, &n_bad, &e) < 0)
		return common_fail(&e);
	puts(n_bad == 0 ? "This machine can rebuild."
			: "This machine cannot rebuild yet.");
	return n_bad == 0 ? EXIT_ACCEPTED : EXIT_MACHINE;
}
