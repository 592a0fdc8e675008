/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "corpus/depth.h"

#include <string.h>

static const char *const names[DEPTH_COUNT] = {
	[DEPTH_RECIPE] = "recipe",
	[DEPTH_PACK] = "pack",
	[DEPTH_PACKAGES] = "packages",
	[DEPTH_CLOSURE] = "closure",
};

const char *
depth_name(enum depth d)
{
	return names[d];
}

bool
depth_parse(const char *name, enum depth *out, struct buf *why)
{
	for (int i = 0; i < DEPTH_COUNT; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*out = (enum depth)i;
		return true;
	}
	if (why)
		buf_printf(why,
			"'%s' is no depth: recipe pack packages closure", name);
	return false;
}
