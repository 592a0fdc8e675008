/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/attributes.h"

#include <string.h>

void
attribute_set(struct attribute *out, const char *name, struct slice value,
	struct arena *arena)
{
	size_t kept =
		value.n < ATTRIBUTE_KEPT_MAX ? value.n : ATTRIBUTE_KEPT_MAX;

	*out = (struct attribute){
		.name = arena_copy(arena, name, strlen(name)),
		.value = {arena_copy(arena, value.p, kept), kept},
		.size = value.n,
		.sha256 = digest_of(value.p, value.n),
	};
}

const struct attribute *
image_attribute(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->n_attributes; i++)
		if (strcmp(image->attributes[i].name, name) == 0)
			return &image->attributes[i];
	return NULL;
}
