/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/ref.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/slice.h"

static const struct {
	const char *prefix;
	enum transport transport;
} transports[] = {
	{"docker-archive:", TRANSPORT_DOCKER_ARCHIVE},
	{"pack:", TRANSPORT_PACK},
};

/* "word:" or "word://" of lower-case letters and dashes: a transport. */
static bool
names_transport(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

	return n > 1 && text[n] == ':';
}

int
ref_parse(const char *text, const char *folder, struct ref *out, struct err *e)
{
	const char *path = NULL;

	*out = (struct ref){.transport = TRANSPORT_PACK};
	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		size_t n = strlen(transports[i].prefix);

		if (strncmp(text, transports[i].prefix, n) == 0) {
			out->transport = transports[i].transport;
			path = text + n;
		}
	}
	if (!path) {
		if (names_transport(text))
			return err_set(e, ERR_INPUT,
				"'%.100s' names no transport that is known: "
				"pack:FILE, docker-archive:FILE or FILE",
				text);
		path = text;
	}
	if (path[0] == '\0')
		return err_set(e, ERR_INPUT, "'%.100s' names no file", text);
	out->path = path_join(folder, path);
	return 0;
}

void
ref_fini(struct ref *r)
{
	free(r->path);
	*r = (struct ref){0};
}
