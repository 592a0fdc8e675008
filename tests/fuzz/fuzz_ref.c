/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of images and of platforms: the first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "fetch/manifest.h"
#include "fetch/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
reference(const char *text)
{
	struct ref r = {0};
	struct err e = {0};

	if (ref_parse(text, "folder", &r, &e) < 0) {
		if (e.kind != ERR_INPUT || e.text[0] == '\0')
			abort();
		return;
	}
	if (!r.path || r.path[0] == '\0')
		abort();
	if (r.transport == TRANSPORT_DOCKER &&
		(!r.host || r.host[0] == '\0' || !r.ref || strchr(r.host, '/')))
		abort();
	/* What goes into a URL holds nothing that would lead elsewhere. */
	if (r.transport == TRANSPORT_DOCKER &&
		(strpbrk(r.path, " ?#%\\@\r\n") || strstr(r.path, "..") ||
			strpbrk(r.ref, "/ ?#%\\@\r\n")))
		abort();
	ref_fini(&r);
}

/* The whole form of a name is a name, and is its own whole form. */
static void
name(const char *text)
{
	CLEANUP(buf_fini)
	struct buf once = {0};
	CLEANUP(buf_fini)
	struct buf twice = {0};
	struct err e = {0};

	if (ref_normalise(text, &once, &e) < 0)
		return;
	if (ref_normalise(buf_text(&once), &twice, &e) < 0 ||
		strcmp(buf_text(&once), buf_text(&twice)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(own_free)
	char *text = NULL;
	struct arena arena = {0};
	struct platform p;
	struct err e = {0};

	if (len == 0)
		return 0;
	text = xmemdup0(data + 1, len - 1);
	if (data[0] == 'n')
		name(text);
	else if (data[0] != 'p')
		reference(text);
	else if (platform_parse(text, &arena, &p, &e) == 0 &&
		(p.os[0] == '\0' || p.architecture[0] == '\0'))
		abort();
	arena_fini(&arena);
	return 0;
}
