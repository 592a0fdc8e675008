/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/reading.h"

enum {
	OPT_JSON = 256,
	OPT_ACCEPT
};
enum {
	SHOWN_MAX = 200
}; /* differences on a terminal; --json has more */

/* A private folder for the second pass; the caller removes it. */
static char *
make_work(struct err *e)
{
	const char *base = getenv("TMPDIR");
	char *work = path_join(
		base && base[0] == '/' ? base : "/tmp", "unblend-XXXXXX");

	if (mkdtemp(work))
		return work;
	(void)!err_sys(e, ERR_HOST, "%s: cannot make a folder", work);
	free(work);
	return NULL;
}

static int
print(const struct comparison *c, bool is_json, struct err *e)
{
	struct jout j;

	if (!is_json) {
		comparison_print(c, SHOWN_MAX, stdout);
		if (fflush(stdout) != 0)
			return err_sys(e, ERR_HOST, "cannot write");
		return 0;
	}
	jout_open(&j, stdout, 2);
	jout_begin(&j, NULL, '{');
	comparison_json(c, &j);
	jout_end(&j, '}');
	return jout_close(&j, e);
}

static int
compare(char *const names[2], struct reading *reading, bool is_json,
	enum verdict accept, struct err *e)
{
	CLEANUP(own_image)
	struct image *a = NULL;
	CLEANUP(own_image)
	struct image *b = NULL;
	CLEANUP(own_provenance)
	struct provenance *p = NULL;
	CLEANUP(own_free)
	char *work = NULL;
	struct comparison c = {0};
	struct err ignored = {0};
	int status;

	if (reading_image(reading, names[0], &a, e) < 0 ||
		reading_image(reading, names[1], &b, e) < 0 ||
		!(work = make_work(e)))
		return common_fail(e);
	/* Only to name packages: an image without provenance compares too. */
	(void)!provenance_read(a, &p, &ignored);
	if (compare_images(a, b, p, work, &c, e) < 0 ||
		print(&c, is_json, e) < 0)
		status = common_fail(e);
	else
		status = verdict_reaches(c.verdict, accept) ? EXIT_ACCEPTED
							    : EXIT_NOT;
	comparison_fini(&c);
	if (path_remove(work, e) < 0)
		status = common_fail(e);
	return status;
}

int
cmd_compare(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"accept", required_argument, NULL, OPT_ACCEPT},
		READING_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	enum verdict accept = VERDICT_SAME_CONTENTS;
	CLEANUP(reading_fini)
	struct reading reading;
	bool is_json = false;
	struct err e = {0};
	int c;

	reading_init(&reading);
	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_JSON)
			is_json = true;
		else if (c == OPT_ACCEPT ? !common_verdict(optarg, &accept)
					 : !reading_take(&reading, c))
			return EXIT_WRONG;
	}
	if (argc - optind != 2)
		return common_usage(argv[0], "expected two images");
	return compare(argv + optind, &reading, is_json, accept, &e);
}
