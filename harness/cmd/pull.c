/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/reading.h"
#include "fetch/fetch.h"
#include "fetch/ref.h"

enum {
	OPT_CACHE = 256
};

/* As ref_parse takes it; of a name a person typed, so it holds no surprise. */
static void
print_place(const struct place *p)
{
	printf("%s%s%s%s\n", transport_prefix(p->transport), p->path,
		p->ref ? ":" : "", p->ref ? p->ref : "");
	fflush(stdout);
}

static int
pull(struct reading *reading, const char *name)
{
	CLEANUP(place_fini)
	struct place place = {0};
	struct err e = {0};

	if (reading_bring(reading, name, &place, &e) < 0)
		return common_fail(&e);
	print_place(&place);
	if (ferror(stdout)) {
		(void)!err_sys(&e, ERR_HOST, "cannot write");
		return common_fail(&e);
	}
	return EXIT_ACCEPTED;
}

int
cmd_pull(int argc, char *argv[])
{
	static const struct option longs[] = {
		READING_OPTIONS,
		{"cache", required_argument, NULL, OPT_CACHE},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	CLEANUP(reading_fini)
	struct reading reading;
	int c, status = EXIT_ACCEPTED;

	reading_init(&reading);
	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_CACHE)
			reading.cache = optarg;
		else if (!reading_take(&reading, c))
			return EXIT_WRONG;
	}
	if (optind == argc)
		return common_usage(argv[0], "expected an image");
	/* One that cannot be had leaves the others to be brought. */
	for (int i = optind; i < argc; i++) {
		int one = pull(&reading, argv[i]);

		if (one > status)
			status = one;
	}
	return status;
}
