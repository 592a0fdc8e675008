/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * classify STEP <LOG: what a rebuild would make of a failed command of Guix that
 * said LOG on stderr, for tests: class, how it ends, whether trying again can
 * help, the derivation; then advice, cause and the decisive lines.
 */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "rebuild/task.h"

enum {
	LOG_BYTES = 4 << 20
};

static const char *
known(const char *s)
{
	return s ? s : "-";
}

int
main(int argc, char *argv[])
{
	static const char *const steps[] = {[STEP_MIRROR] = "mirror",
		[STEP_INSTANCE] = "instance",
		[STEP_LOWER] = "lower",
		[STEP_BUILD] = "build"};
	static const char *const ends[] = {[REBUILD_DONE] = "done",
		[REBUILD_REFUSED] = "refused",
		[REBUILD_UNAVAILABLE] = "unavailable",
		[REBUILD_UNBUILDABLE] = "unbuildable",
		[REBUILD_TIMEOUT] = "timeout",
		[REBUILD_NOT_TRIED] = "not-tried"};
	struct rebuild_options o = {0};
	struct rebuild out = {0};
	struct task t = {.o = &o, .out = &out, .a = &out.arena};
	struct buf log = {0};
	struct err e = {0};
	char block[4096];
	size_t step = 0, n;

	while (step < ARRAY_LEN(steps) &&
		(argc != 2 || strcmp(steps[step], argv[1]) != 0))
		step++;
	if (step == ARRAY_LEN(steps)) {
		fprintf(stderr, "usage: classify STEP <LOG\n");
		return 2;
	}
	while (log.n < LOG_BYTES &&
		(n = fread(block, 1, sizeof(block), stdin)) > 0)
		buf_add(&log, block, n);
	if (task_diagnose(&t, (enum step)step, buf_get(&log), &e) < 0) {
		fprintf(stderr, "classify: %s\n", e.text);
		return 1;
	}
	printf("%s %s %s %s\n", out.class_, ends[out.end],
		classify_may_pass(out.class_) ? "retry" : "no-retry",
		known(out.failed_drv));
	printf("%s\n%s\n%s\n", known(out.advice), known(out.cause),
		known(out.failed_lines));
	buf_fini(&log);
	rebuild_fini(&out);
	return 0;
}
