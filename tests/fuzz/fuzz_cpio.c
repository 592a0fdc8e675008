/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cpio archive, as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "image/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	STEP = 97 /* so that headers are split over blocks */
};

static int
give(void *arg, struct slice *out, struct err *e)
{
	struct slice *rest = arg;

	(void)e;
	*out = (struct slice){rest->p, rest->n < STEP ? rest->n : STEP};
	rest->p += out->n;
	rest->n -= out->n;
	return out->n > 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice rest = {(const char *)data, len};
	CLEANUP(own_cpio)
	struct cpio *c = cpio_new((struct layer_source){give, &rest});
	const struct tar_member *m;
	struct err e = {0};
	struct slice part;
	int r;

	while ((r = cpio_next(c, &m, &e)) > 0) {
		uint64_t size = 0;

		if (m->path.n == 0 || memchr(m->path.p, '\0', m->path.n) ||
			(m->type != TAR_FILE && m->size != 0))
			abort();
		if (m->size % 2) /* the others are passed over */
			continue;
		while ((r = layer_pull(cpio_contents(c), &part, &e)) > 0)
			size += part.n;
		if (r == 0 && size != m->size)
			abort();
		if (r < 0)
			break;
	}
	if (r == 0)
		r = cpio_finish(c, &e);
	if (r < 0 && e.kind != ERR_INPUT)
		abort();
	return 0;
}
