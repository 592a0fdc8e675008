/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/reading.h"
#include "provenance/provenance.h"

enum {
	OPT_CACHE = 256
};

/* Is what stopped it the image's own, so that it stops everywhere? */
static bool
is_of_image(const struct err *e)
{
	return e->kind == ERR_INPUT || e->kind == ERR_POLICY;
}

static void
print_key(struct reading *r, const char *source)
{
	CLEANUP(own_provenance)
	struct provenance *provenance = NULL;
	CLEANUP(own_free)
	char *profile = NULL;
	struct image *image = NULL;
	struct err e = {0};

	if (reading_image(r, source, &image, &e) < 0) {
		puts(is_of_image(&e) ? "none" : "unreached");
		return;
	}
	if (provenance_read(image, &provenance, &e) < 0 && !provenance &&
		e.kind != ERR_ABSENT && !is_of_image(&e))
		puts("unreached");
	else if (!provenance)
		puts("none");
	else {
		profile = text_clean_new(slice_of(provenance->profile));
		printf("profile %s\n", profile);
	}
	image_free(image);
}

/*
 * For sched/shard_keys.c, which starts it.  Prints a line for each image:
 * "profile PATH", "none" when it has no profile or can be read nowhere, or
 * "unreached" when another process may be luckier.
 */
int
cmd_keys(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"cache", required_argument, NULL, OPT_CACHE},
		READING_OPTIONS,
		{0},
	};
	CLEANUP(reading_fini)
	struct reading reading;
	int c;

	reading_init(&reading);
	while ((c = common_option(argc, argv, ":", longs)) != -1) {
		if (c == OPT_CACHE)
			reading.cache = optarg;
		else if (!reading_take(&reading, c))
			return EXIT_WRONG;
	}
	reading.limits.is_provenance_only = true;
	for (int i = optind; i < argc; i++) {
		print_key(&reading, argv[i]);
		fflush(stdout);
	}
	return ferror(stdout) ? EXIT_MACHINE : EXIT_ACCEPTED;
}
