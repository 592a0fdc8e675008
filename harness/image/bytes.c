/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/bytes.h"

int
bytes_pull(struct bytes *b, uint64_t max, struct slice *out, struct err *e)
{
	size_t n;

	if (max == 0)
		return 0;
	if (b->rest.n == 0) {
		int r = layer_pull(b->from, &b->rest, e);

		if (r <= 0) {
			b->rest.n = 0;
			return r;
		}
	}
	n = max < b->rest.n ? (size_t)max : b->rest.n;
	*out = (struct slice){b->rest.p, n};
	b->rest.p += n;
	b->rest.n -= n;
	b->at += n;
	return 1;
}

static int
ended(const struct bytes *b, struct err *e)
{
	return err_set(e, ERR_INPUT, "truncated: it ends at byte %llu",
		(unsigned long long)b->at);
}

int
bytes_read(struct bytes *b, void *p, size_t n, struct err *e)
{
	char *to = p;
	struct slice part;

	while (n > 0) {
		int r = bytes_pull(b, n, &part, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return ended(b, e);
		memcpy(to, part.p, part.n);
		to += part.n;
		n -= part.n;
	}
	return 0;
}

int
bytes_skip(struct bytes *b, uint64_t n, struct err *e)
{
	struct slice part;

	while (n > 0) {
		int r = bytes_pull(b, n, &part, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return ended(b, e);
		n -= part.n;
	}
	return 0;
}

static int
rest(void *arg, struct slice *out, struct err *e)
{
	return bytes_pull(arg, UINT64_MAX, out, e);
}

struct layer_source
bytes_rest(struct bytes *b)
{
	return (struct layer_source){rest, b};
}
