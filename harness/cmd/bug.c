/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/aside.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "report/report.h"

enum {
	OPT_RUN = 256
};

/* Into output, and into a file beside it when there is more to attach. */
static int
write_files(struct store *store, struct report_bug *o, const char *output,
	struct err *e)
{
	CLEANUP(own_free)
	char *list = xasprintf("%s.differences", output);
	CLEANUP(aside_drop)
	struct aside text = {0};
	CLEANUP(aside_drop)
	struct aside rest = {0};
	const char *slash = strrchr(list, '/');
	bool has_rest;

	if (aside_open(&text, output, e) < 0 || aside_open(&rest, list, e) < 0)
		return -1;
	o->out = text.f;
	o->list = rest.f;
	o->attached = slash ? slash + 1 : list;
	if (report_bug(store, o, e) < 0)
		return -1;
	has_rest = ftell(rest.f) > 0;
	if (has_rest && aside_publish(&rest, e) < 0)
		return -1;
	if (aside_publish(&text, e) < 0)
		return -1;
	printf("%s\n", output);
	if (has_rest)
		printf("%s\n", list);
	return 0;
}

static int
bug(const char *db, const char *output, struct report_bug *o, struct err *e)
{
	CLEANUP(own_store)
	struct store *store = NULL;

	o->out = stdout;
	if (store_open(db, STORE_READ, &store, e) < 0 ||
		(output ? write_files(store, o, output, e)
			: report_bug(store, o, e)) < 0)
		return common_fail(e);
	return fflush(stdout) == 0 ? EXIT_ACCEPTED : EXIT_MACHINE;
}

int
cmd_bug(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"database", required_argument, NULL, 'd'},
		{"run", required_argument, NULL, OPT_RUN},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *db = NULL, *output = NULL;
	struct report_bug o = {0};
	struct err e = {0};
	int c;

	while ((c = common_option(argc, argv, ":d:o:h", longs)) != -1) {
		if (c == 'd')
			db = optarg;
		else if (c == 'o')
			output = optarg;
		else if (c != OPT_RUN ||
			!common_number(optarg, "--run", INT64_MAX, &o.run))
			return EXIT_WRONG;
	}
	if (!db || argc - optind != 1)
		return common_usage(
			argv[0], "expected -d FILE and the name of one image");
	o.name = argv[optind];
	return bug(db, output, &o, &e);
}
