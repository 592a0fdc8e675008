/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/unpack.h"

#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"

enum {
	OUT_BYTES = 1 << 17
};

struct unpack {
	const struct unpack_codec *codec;
	void *state;
	struct layer_source from;
	struct slice in;   /* pulled, not used yet */
	uint64_t taken;    /* bytes pulled in all */
	bool has_no_more;  /* from gave its end */
	bool is_in_member; /* one has begun, and not ended */
	bool is_ended;
	char out[OUT_BYTES];
};

int
unpack_open(const struct unpack_codec *codec, struct layer_source from,
	uint64_t window, struct unpack **out, struct err *e)
{
	struct unpack *u = xcalloc(1, sizeof(*u));

	u->codec = codec;
	u->from = from;
	u->state = codec->start(window);
	if (!u->state) {
		free(u);
		return err_set(e, ERR_HOST, "the library for %s does not start",
			codec->name);
	}
	u->is_in_member = true;
	*out = u;
	return 0;
}

int
unpack_refuse(uint64_t needed, uint64_t window, struct err *e)
{
	const struct image_limits limits = {.window = window};

	if (needed == 0)
		return limits_refuse(&limits, LIMIT_window, e,
			"needs more bytes of what it has unpacked");
	return limits_refuse(&limits, LIMIT_window, e,
		"needs the last %llu bytes of what it has unpacked",
		(unsigned long long)needed);
}

/* Have input, unless there is no more. */
static int
fill(struct unpack *u, struct err *e)
{
	int r;

	if (u->in.n > 0 || u->has_no_more)
		return 0;
	r = layer_pull(u->from, &u->in, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		u->has_no_more = true;
		u->in = (struct slice){0};
	}
	u->taken += u->in.n;
	return 0;
}

/* After the last member: zeros (gzip(1) and others take them for padding). */
static int
pass_zeros(struct unpack *u, struct err *e)
{
	for (;;) {
		if (fill(u, e) < 0)
			return -1;
		if (u->in.n == 0)
			return 0;
		for (size_t i = 0; i < u->in.n; i++)
			if (u->in.p[i] != '\0')
				return err_set(e, ERR_INPUT,
					"something follows the end of the %s data, byte %llu",
					u->codec->name,
					(unsigned long long)(u->taken -
						u->in.n + i));
		u->in.n = 0;
	}
}

/* Between members: 1 when another begins. */
static int
next_member(struct unpack *u, struct err *e)
{
	if (fill(u, e) < 0)
		return -1;
	if (u->in.n == 0 || !u->codec->begins(u->in)) {
		u->is_ended = true;
		return pass_zeros(u, e);
	}
	u->codec->again(u->state);
	u->is_in_member = true;
	return 1;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct unpack *u = arg;
	size_t got = 0;
	int r;

	while (!u->is_ended && got == 0) {
		if (!u->is_in_member) {
			r = next_member(u, e);
			if (r < 0)
				return -1;
			continue;
		}
		if (fill(u, e) < 0)
			return -1;
		r = u->codec->step(
			u->state, &u->in, u->out, sizeof(u->out), &got, e);
		if (r < 0 && e->kind == ERR_INPUT)
			return err_wrap(e,
				"truncated or damaged %s data near byte %llu",
				u->codec->name,
				(unsigned long long)(u->taken - u->in.n));
		if (r < 0)
			return -1;
		u->is_in_member = r == 1;
	}
	*out = (struct slice){u->out, got};
	return got > 0;
}

struct layer_source
unpack_source(struct unpack *u)
{
	return (struct layer_source){block, u};
}

void
unpack_close(struct unpack *u)
{
	if (!u)
		return;
	u->codec->stop(u->state);
	free(u);
}
