/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Guix, git and bwrap print, and a derivation: read as each of these, it
 * is an error or data of the expected form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rebuild/classify.h"
#include "rebuild/drv.h"
#include "rebuild/guix.h"
#include "rebuild/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_logs(struct arena *a, struct slice s)
{
	struct guix_told told = {0};
	struct slice rest = s, line;

	/* Every byte is passed over once, in order. */
	while (guix_log_line(&rest, &line))
		must(line.n > 0 && line.p >= s.p && line.p + line.n == rest.p);
	must(rest.n == 0 && rest.p == s.p + s.n);
	guix_told_read(&told, a, s);
	for (size_t i = 0; i < told.n_built; i++)
		must(guix_is_drv(slice_of(told.built[i])));
	guix_told_fini(&told);
	for (int step = STEP_MIRROR; step <= STEP_BUILD; step++) {
		struct diagnosis d;

		classify(a, (enum step)step, s, &d);
		must(d.class_ && d.cause && d.end != REBUILD_DONE);
		must(!d.failed_drv || guix_is_drv(slice_of(d.failed_drv)));
		must(!d.log_file ||
			classify_is_log_of(d.log_file, d.failed_drv));
		classify_build_log(a, true, s, &d);
		must(d.class_ && d.cause);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = {(const char *)data, size};
	struct arena a = {0};
	struct channel *channels;
	struct err e = {0};
	struct drv drv;
	const char *path;
	size_t n;
	int code;

	check_logs(&a, s);
	if (drv_parse(&a, s, &drv, &e) == 0) {
		for (size_t i = 0; i < drv.n_inputs; i++)
			must(guix_is_drv(slice_of(drv.inputs[i])));
		path = drv_out(&drv);
		must(!path || guix_is_store_path(slice_of(path)));
	}
	if (guix_channels_parse(&a, s, &channels, &n, &e) == 0) {
		struct buf why = {0};

		must(guix_channels_match(channels, n, channels, n, &why) ||
			n > 1);
		buf_fini(&why);
	}
	path = guix_drv_printed(&a, s);
	must(!path || guix_is_drv(slice_of(path)));
	(void)guix_version(&a, s);
	(void)sandbox_exit_code(s, &code);
	arena_fini(&a);
	return 0;
}
