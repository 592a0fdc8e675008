/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/report.h"

#include <string.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "report/deeper.h"

enum {
	OPT_RUN = 256,
	OPT_PROFILE,
	OPT_FORMAT,
	OPT_ATTEST,
	OPT_KEY,
	OPT_DEEPER,
	OPT_DEEPER_TIMEOUT
};

static int
report(const char *db, const struct report_options *o, struct err *e)
{
	CLEANUP(own_store)
	struct store *store = NULL;

	if (o->is_deeper && deeper_can(e) < 0)
		return common_fail(e);
	if (store_open(db, STORE_READ, &store, e) < 0 ||
		report_make(store, o, e) < 0)
		return common_fail(e);
	printf(o->formats && !(o->formats & report_format("html"))
			? "report: %s\n"
			: "report: %s/index.html\n",
		o->folder);
	return EXIT_ACCEPTED;
}

/* "jenkins" or "ant"; a complaint otherwise. */
static bool
set_profile(struct report_options *o, const char *name)
{
	o->is_ant = strcmp(name, "ant") == 0;
	if (o->is_ant || strcmp(name, "jenkins") == 0)
		return true;
	common_complain(
		"--junit-profile: '%s' is neither jenkins nor ant", name);
	return false;
}

/* Add one; a complaint otherwise. */
static bool
add_format(struct report_options *o, const char *name)
{
	unsigned bit = report_format(name);

	o->formats |= bit;
	if (!bit)
		common_complain("--format: '%s' is none of junit, html, json, "
				"csv",
			name);
	return bit != 0;
}

int
cmd_report(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"database", required_argument, NULL, 'd'},
		{"run", required_argument, NULL, OPT_RUN},
		{"output", required_argument, NULL, 'o'},
		{"junit-profile", required_argument, NULL, OPT_PROFILE},
		{"format", required_argument, NULL, OPT_FORMAT},
		{"attest", no_argument, NULL, OPT_ATTEST},
		{"sign-key", required_argument, NULL, OPT_KEY},
		{"diffoscope", no_argument, NULL, OPT_DEEPER},
		{"diffoscope-timeout", required_argument, NULL,
			OPT_DEEPER_TIMEOUT},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct report_options o = {0};
	const char *db = NULL;
	struct err e = {0};
	int c;

	while ((c = common_option(argc, argv, ":d:o:h", longs)) != -1) {
		if (c == 'd')
			db = optarg;
		else if (c == 'o')
			o.folder = optarg;
		else if (c == OPT_ATTEST)
			o.is_attested = true;
		else if (c == OPT_KEY)
			o.sign_key = optarg;
		else if (c == OPT_DEEPER)
			o.is_deeper = true;
		else if (c == OPT_DEEPER_TIMEOUT) {
			if (!common_number(optarg, "--diffoscope-timeout",
				    DEEPER_TIMEOUT_MAX_S, &o.deeper_s))
				return EXIT_WRONG;
		} else if (c == OPT_PROFILE) {
			if (!set_profile(&o, optarg))
				return EXIT_WRONG;
		} else if (c == OPT_FORMAT) {
			if (!add_format(&o, optarg))
				return EXIT_WRONG;
		} else if (c != OPT_RUN ||
			!common_number(optarg, "--run", INT64_MAX, &o.run))
			return EXIT_WRONG;
	}
	if (!db || !o.folder || optind != argc)
		return common_usage(argv[0], "expected -d FILE and -o DIR");
	if (o.sign_key && !o.is_attested)
		return common_usage(
			argv[0], "--sign-key signs what --attest writes");
	if (o.is_deeper && o.formats && !(o.formats & report_format("html")))
		return common_usage(
			argv[0], "--diffoscope is for the format html");
	if (o.deeper_s && !o.is_deeper)
		return common_usage(
			argv[0], "--diffoscope-timeout is for --diffoscope");
	return report(db, &o, &e);
}
