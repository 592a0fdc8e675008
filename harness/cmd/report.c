/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/report.h"

#include "cmd/cmd.h"
#include "cmd/common.h"

enum {
	OPT_RUN = 256
};

static int
report(const char *db, int64_t run, const char *output, struct err *e)
{
	CLEANUP(own_store)
	struct store *store = NULL;

	if (store_open(db, STORE_READ, &store, e) < 0 ||
		report_write(store, run, output, e) < 0)
		return common_fail(e);
	printf("report: %s/index.html\n", output);
	return EXIT_ACCEPTED;
}

int
cmd_report(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"database", required_argument, NULL, 'd'},
		{"run", required_argument, NULL, OPT_RUN},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *db = NULL, *output = NULL;
	struct err e = {0};
	int64_t run = 0;
	int c;

	while ((c = common_option(argc, argv, ":d:o:h", longs)) != -1) {
		if (c == 'd')
			db = optarg;
		else if (c == 'o')
			output = optarg;
		else if (c != OPT_RUN ||
			!common_number(optarg, "--run", INT64_MAX, &run))
			return EXIT_WRONG;
	}
	if (!db || !output || optind != argc)
		return common_usage(argv[0], "expected -d FILE and -o DIR");
	return report(db, run, output, &e);
}
