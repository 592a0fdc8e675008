/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "image/shown.h"
#include "image/unpack.h"

struct unzstd {
	ZSTD_DCtx *d;
	uint64_t window;
};

/* The largest power of two that is within the window. */
static int
window_log(uint64_t window)
{
	ZSTD_bounds may = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	int log = may.lowerBound;

	while (log < may.upperBound && UINT64_C(2) << log <= window)
		log++;
	return log;
}

static void
stop(void *state)
{
	struct unzstd *u = state;

	ZSTD_freeDCtx(u->d);
	free(u);
}

static void *
start(uint64_t window)
{
	struct unzstd *u = xcalloc(1, sizeof(*u));

	u->d = ZSTD_createDCtx();
	u->window = window;
	if (u->d &&
		!ZSTD_isError(ZSTD_DCtx_setParameter(
			u->d, ZSTD_d_windowLogMax, window_log(window))))
		return u;
	stop(u);
	return NULL;
}

static int
step(void *state, struct slice *in, void *out, size_t cap, size_t *got,
	struct err *e)
{
	struct unzstd *u = state;
	ZSTD_inBuffer from = {in->p, in->n, 0};
	ZSTD_outBuffer to = {out, cap, 0};
	size_t r = ZSTD_decompressStream(u->d, &to, &from);

	*got = to.pos;
	if (in->n > 0)
		*in = (struct slice){in->p + from.pos, in->n - from.pos};
	if (r == 0)
		return 0;
	if (ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return unpack_refuse(0, u->window, e);
	if (ZSTD_isError(r))
		return err_set(e, ERR_INPUT, "%s",
			shown_of(slice_of(ZSTD_getErrorName(r))).text);
	if (from.size == 0 && to.pos == 0)
		return err_set(e, ERR_INPUT, "it ends too early");
	return 1;
}

/* The library goes on by itself. */
static void
again(void *state)
{
	(void)state;
}

/* A frame, or a skippable one, in which anything may stand (RFC 8878, 3.1). */
static bool
begins(struct slice head)
{
	static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
	static const unsigned char skippable[] = {0x50, 0x2a, 0x4d, 0x18};
	const unsigned char *p = (const unsigned char *)head.p;
	size_t n = head.n < sizeof(magic) ? head.n : sizeof(magic);

	return n > 0 &&
		(memcmp(p, magic, n) == 0 ||
			((p[0] & 0xf0) == skippable[0] &&
				memcmp(p + 1, skippable + 1, n - 1) == 0));
}

const struct unpack_codec unpack_zstd = {
	"zstd", start, step, again, stop, begins};
