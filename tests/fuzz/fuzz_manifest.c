/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An image manifest or an index, and what is chosen of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Every string is ended, and can be read to its end. */
static size_t
touch(const struct descriptor *d)
{
	size_t n = strlen(d->media_type);

	if (d->size > INT64_MAX)
		abort();
	for (size_t i = 0; i < DESCRIPTOR_NAMES; i++)
		n += d->names[i] ? strlen(d->names[i]) : 0;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum {
		LAYERS = 100
	};
	static const struct platform arm = {"linux", "arm", "v7"};
	const struct platform *wanted[] = {NULL, &arm};
	struct arena arena = {0};
	struct manifest m;
	struct err e = {0};
	volatile size_t bytes = 0;

	if (manifest_parse((struct slice){(const char *)data, len}, LAYERS,
		    &arena, &m, &e) < 0) {
		if (e.kind != ERR_INPUT && e.kind != ERR_POLICY)
			abort();
		arena_fini(&arena);
		return 0;
	}
	if (m.n_layers > LAYERS || (m.is_index && m.n_layers > 0))
		abort();
	for (size_t i = 0; i < m.n_layers; i++)
		bytes += touch(&m.layers[i]);
	for (size_t i = 0; i < m.n_images; i++)
		bytes += touch(&m.images[i]);
	for (size_t i = 0; m.is_index && i < 2; i++) {
		const struct descriptor *chosen = NULL;

		if (manifest_choose(&m, wanted[i], &chosen, &e) == 0 &&
			(chosen < m.images || chosen >= m.images + m.n_images))
			abort();
	}
	arena_fini(&arena);
	(void)bytes;
	return 0;
}
