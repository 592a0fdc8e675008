/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/reading.h"
#include "report/deeper.h"

enum {
	OPT_JSON = 256,
	OPT_ACCEPT,
	OPT_DEEPER,
	OPT_DEEPER_TIMEOUT
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

/* What the options say. */
struct wish {
	bool is_json;
	enum verdict accept;
	const char *page; /* of diffoscope; NULL: none */
	int64_t timeout_s;
};

/* Have diffoscope look deeper, and say where its page is, or why not. */
static int
look_deeper(const struct image *a, const struct image *b,
	const struct comparison *c, const struct wish *w, const char *work,
	struct err *e)
{
	const struct deeper_options o = {
		.work = work, .timeout_s = w->timeout_s};
	CLEANUP(buf_fini)
	struct buf why = {0};
	int is_there;

	if (!w->page)
		return 0;
	is_there = deeper_write(a, b, c, &o, w->page, &why, e);
	if (is_there < 0)
		return -1;
	if (!is_there)
		common_complain("no page of diffoscope: %s", buf_text(&why));
	else if (!w->is_json)
		printf("diffoscope: %s\n", w->page);
	return 0;
}

static int
compare(char *const names[2], struct reading *reading, const struct wish *w,
	struct err *e)
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

	if (w->page && deeper_can(e) < 0)
		return common_fail(e);
	if (reading_image(reading, names[0], &a, e) < 0 ||
		reading_image(reading, names[1], &b, e) < 0 ||
		!(work = make_work(e)))
		return common_fail(e);
	/* Only to name packages: an image without provenance compares too. */
	(void)!provenance_read(a, &p, &ignored);
	if (compare_images(a, b, p, work, &c, e) < 0 ||
		print(&c, w->is_json, e) < 0 ||
		look_deeper(a, b, &c, w, work, e) < 0)
		status = common_fail(e);
	else
		status = verdict_reaches(c.verdict, w->accept) ? EXIT_ACCEPTED
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
		{"diffoscope", required_argument, NULL, OPT_DEEPER},
		{"diffoscope-timeout", required_argument, NULL,
			OPT_DEEPER_TIMEOUT},
		READING_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct wish w = {.accept = VERDICT_SAME_CONTENTS};
	CLEANUP(reading_fini)
	struct reading reading;
	struct err e = {0};
	int c;

	reading_init(&reading);
	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_JSON)
			w.is_json = true;
		else if (c == OPT_DEEPER)
			w.page = optarg;
		else if (c == OPT_DEEPER_TIMEOUT) {
			if (!common_number(optarg, "--diffoscope-timeout",
				    DEEPER_TIMEOUT_MAX_S, &w.timeout_s))
				return EXIT_WRONG;
		} else if (c == OPT_ACCEPT ? !common_verdict(optarg, &w.accept)
					   : !reading_take(&reading, c))
			return EXIT_WRONG;
	}
	if (argc - optind != 2)
		return common_usage(argv[0], "expected two images");
	return compare(argv + optind, &reading, &w, &e);
}
