/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both JSON texts of a docker archive: the first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/docker.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Every string is ended, and can be read to its end. */
static void
touch(const char *const *v, size_t n)
{
	volatile size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(v[i]);
	(void)bytes;
}

static void
manifest(struct slice text, struct arena *arena, struct err *e)
{
	enum {
		LAYERS = 100
	};
	struct docker_manifest m;

	if (docker_manifest_parse(text, NULL, LAYERS, arena, &m, e) < 0)
		return;
	if (!m.config || m.config[0] == '\0' || m.config[0] == '/' ||
		m.n_layers > LAYERS)
		abort();
	for (size_t i = 0; i < m.n_layers; i++)
		if (m.layers[i][0] == '\0' || m.layers[i][0] == '/' ||
			strncmp(m.layers[i], "../", 3) == 0)
			abort();
	touch(m.layers, m.n_layers);
	touch(m.repo_tags, m.n_repo_tags);
}

static void
config(struct slice text, struct arena *arena, struct err *e)
{
	struct docker_config c;
	struct jdoc *doc = NULL;

	if (docker_config_parse(text, arena, &doc, &c, e) < 0) {
		if (doc)
			abort();
		return;
	}
	touch(c.env, c.n_env);
	touch(c.entrypoint, c.n_entrypoint);
	touch(&c.architecture, 1);
	if (c.n_diff_ids != 0 && !c.has_diff_ids)
		abort();
	jdoc_free(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena = {0};
	struct err e = {0};
	struct slice text;

	if (len == 0)
		return 0;
	text = (struct slice){(const char *)data + 1, len - 1};
	if (data[0] == 'm')
		manifest(text, &arena, &e);
	else
		config(text, &arena, &e);
	arena_fini(&arena);
	return 0;
}
