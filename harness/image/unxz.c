/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <lzma.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "image/unpack.h"

enum {
	/* what a decoder takes beside its window, with room to spare */
	BESIDE = 1 << 20
};

typedef lzma_ret (*start_fn)(lzma_stream *s, uint64_t memory, uint32_t flags);

struct unxz {
	lzma_stream s;
	start_fn decoder;
	uint64_t window;
	lzma_ret failure; /* of its start */
};

/*
 * The window that data ask for is allocated at once, but takes memory only as
 * it fills: what unpacks to less than the limit is fine, whatever it asks for.
 */
static void
again(void *state)
{
	struct unxz *u = state;

	u->failure = u->decoder(&u->s, UINT64_MAX, 0);
}

static void *
start(start_fn decoder, uint64_t window)
{
	struct unxz *u = xcalloc(1, sizeof(*u));

	u->s = (lzma_stream)LZMA_STREAM_INIT;
	u->decoder = decoder;
	u->window = window;
	again(u);
	return u;
}

static void *
start_xz(uint64_t window)
{
	return start(lzma_stream_decoder, window);
}

static void *
start_lzip(uint64_t window)
{
	return start(lzma_lzip_decoder, window);
}

static int
failed(lzma_ret code, struct err *e)
{
	static const struct {
		lzma_ret code;
		const char *why;
	} whys[] = {
		{LZMA_FORMAT_ERROR, "no header"},
		{LZMA_OPTIONS_ERROR, "options that are not supported"},
		{LZMA_BUF_ERROR, "it ends too early"},
	};
	const char *why = "damaged";

	if (code == LZMA_MEM_ERROR)
		return err_set(e, ERR_POLICY,
			"asks for a window that this machine does not give");
	for (size_t i = 0; i < ARRAY_LEN(whys); i++)
		if (whys[i].code == code)
			why = whys[i].why;
	return err_set(e, ERR_INPUT, "%s", why);
}

static int
step(void *state, struct slice *in, void *out, size_t cap, size_t *got,
	struct err *e)
{
	struct unxz *u = state;
	bool is_last = in->n == 0;
	lzma_ret code = u->failure;
	uint64_t memory;

	u->s.next_in = (const uint8_t *)in->p;
	u->s.avail_in = in->n;
	u->s.next_out = out;
	u->s.avail_out = cap;
	if (code == LZMA_OK)
		code = lzma_code(&u->s, is_last ? LZMA_FINISH : LZMA_RUN);
	*in = (struct slice){(const char *)u->s.next_in, u->s.avail_in};
	*got = cap - u->s.avail_out;
	if (code == LZMA_STREAM_END)
		return 0;
	if (code != LZMA_OK)
		return failed(code, e);
	memory = lzma_memusage(&u->s);
	if (u->s.total_out > u->window && memory > u->window + BESIDE)
		return unpack_refuse(memory, u->window, e);
	return 1;
}

static void
stop(void *state)
{
	struct unxz *u = state;

	lzma_end(&u->s);
	free(u);
}

/* As far as there are bytes to tell. */
static bool
has_magic(struct slice head, const char *magic, size_t n)
{
	return head.n > 0 &&
		memcmp(head.p, magic, head.n < n ? head.n : n) == 0;
}

static bool
begins_xz(struct slice head)
{
	return has_magic(head,
		"\xfd"
		"7zXZ",
		6);
}

static bool
begins_lzip(struct slice head)
{
	return has_magic(head, "LZIP", 4);
}

const struct unpack_codec unpack_xz = {
	"xz", start_xz, step, again, stop, begins_xz};
const struct unpack_codec unpack_lzip = {
	"lzip", start_lzip, step, again, stop, begins_lzip};
