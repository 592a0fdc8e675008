/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/registry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fetch/manifest.h"
#include "fetch/registry_pull.h"
#include "fetch/registry_session.h"

enum {
	LAYERS_MAX = 4096,
	JSON_BYTES_MAX =
		4 << 20, /* as containers/image and containerd have it */
	INDEXES_MAX = 3  /* one within another */
};

#define TOTAL_BYTES_MAX (UINT64_C(64) << 30)

/* In the order of preference; schema 1 is not asked for. */
static const char accept[] =
	"Accept: application/vnd.oci.image.index.v1+json, "
	"application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.oci.image.manifest.v1+json, "
	"application/vnd.docker.distribution.manifest.v2+json";

struct registry {
	const struct ref *r;
	struct fetch_options o;
	struct blobs *blobs;
	struct session *session;
	struct digest digest; /* of the manifest */
	struct manifest manifest;
	struct arena arena;
};

/* ---- manifests ---- */

/* The bytes are what they are called by, and by what the server calls them. */
static int
check_manifest(const struct http_transfer *t, const struct digest *want,
	struct digest *got, struct err *e)
{
	struct slice named = buf_get(&t->content_digest);
	char is[DIGEST_HEX + 1], should[DIGEST_HEX + 1];
	struct digest header;

	*got = digest_of(t->body.p, t->body.n);
	if (!want && slice_starts(named, "sha256:") &&
		digest_parse(named, &header))
		want = &header;
	if (!want || digest_eq(want, got))
		return 0;
	digest_hex(got, is);
	digest_hex(want, should);
	return err_set(e, ERR_INPUT,
		"the manifest that came has the digest sha256:%.16s..., not "
		"sha256:%.16s...",
		is, should);
}

/* Ask for a manifest or an index, by tag or digest, and keep it. */
static int
ask_manifest(struct registry *g, const char *last, const struct digest *want,
	struct buf *out, struct digest *got, struct err *e)
{
	CLEANUP(http_transfer_fini)
	struct http_transfer t = {
		.cap = g->o.json_bytes, .cap_name = "json-bytes"};

	if (session_get(g->session, last, accept, &t, e) < 0)
		return -1;
	if (t.status != 200)
		return session_refused(g->session, &t, "image", e);
	if (check_manifest(&t, want, got, e) < 0 ||
		blobs_add(g->blobs, t.body.p, t.body.n, got, e) < 0)
		return -1;
	buf_slice(out, buf_get(&t.body));
	return 0;
}

/* By digest, it may be here. */
static int
get_manifest(struct registry *g, const char *last, struct buf *out,
	struct digest *got, struct err *e)
{
	struct digest want;
	bool is_named = slice_starts(slice_of(last), "sha256:") &&
		digest_parse(slice_of(last), &want);
	int found = is_named ? blobs_find(g->blobs, &want, NULL, e) : 0;

	if (found < 0)
		return -1;
	if (found) {
		*got = want;
		return blobs_read(
			g->blobs, &want, (size_t)g->o.json_bytes, out, e);
	}
	return ask_manifest(g, last, is_named ? &want : NULL, out, got, e);
}

static char *
digest_name(const struct digest *d)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(d, hex);
	return xasprintf("sha256:%s", hex);
}

/* From what the user named to the manifest of one image. */
static int
find_image(struct registry *g, struct err *e)
{
	CLEANUP(own_free)
	char *last = xstrdup(g->r->ref);

	for (int depth = 0;; depth++) {
		CLEANUP(buf_fini)
		struct buf text = {0};
		const struct descriptor *chosen;

		if (get_manifest(g, last, &text, &g->digest, e) < 0 ||
			manifest_parse(buf_get(&text), g->o.layers_max,
				&g->arena, &g->manifest, e) < 0)
			return -1;
		if (!g->manifest.is_index)
			return 0;
		if (depth >= INDEXES_MAX)
			return err_set(e, ERR_POLICY,
				"an index within %d indexes; that many are "
				"allowed",
				INDEXES_MAX);
		if (manifest_choose(&g->manifest, g->o.platform, &chosen, e) <
			0)
			return -1;
		free(last);
		last = digest_name(&chosen->digest);
	}
}

/* ---- the whole ---- */

static int
check_sizes(const struct registry *g, struct err *e)
{
	const struct manifest *m = &g->manifest;
	uint64_t total = 0;

	if (m->config.size > g->o.json_bytes)
		return err_set(e, ERR_POLICY,
			"the config has %" PRIu64
			" bytes (limit json-bytes is %" PRIu64
			": --limit json-bytes=N raises it)",
			m->config.size, g->o.json_bytes);
	for (size_t i = 0; i < m->n_layers; i++) {
		if (m->layers[i].size > g->o.total_bytes - total)
			return err_set(e, ERR_POLICY,
				"the layers have more bytes than are allowed "
				"(limit file-bytes is %" PRIu64
				": --limit file-bytes=N raises it)",
				g->o.total_bytes);
		total += m->layers[i].size;
	}
	return 0;
}

static int
pull(struct registry *g, const struct descriptor *v, size_t n, struct err *e)
{
	return registry_pull(g->session, g->blobs, v, n, e);
}

int
registry_open(const struct ref *r, const struct fetch_options *o,
	struct blobs *b, struct registry **out, struct err *e)
{
	struct registry *g = xcalloc(1, sizeof(*g));

	*out = g;
	g->r = r;
	g->o = *o;
	g->blobs = b;
	if (!g->o.layers_max)
		g->o.layers_max = LAYERS_MAX;
	if (!g->o.json_bytes)
		g->o.json_bytes = JSON_BYTES_MAX;
	if (!g->o.total_bytes)
		g->o.total_bytes = TOTAL_BYTES_MAX;
	if (session_open(r, &g->o, &g->session, e) < 0 ||
		find_image(g, e) < 0 || check_sizes(g, e) < 0)
		return -1;
	g->o.platform = NULL; /* the caller's, who may end it */
	return pull(g, &g->manifest.config, 1, e);
}

void
registry_close(struct registry *g)
{
	if (!g)
		return;
	session_close(g->session);
	arena_fini(&g->arena);
	free(g);
}

const struct digest *
registry_manifest(const struct registry *g)
{
	return &g->digest;
}

int
registry_bring(struct registry *g, const struct digest *layer, struct err *e)
{
	return layer ? registry_bring_some(g, layer, UINT64_MAX, e)
		     : pull(g, g->manifest.layers, g->manifest.n_layers, e);
}

int
registry_bring_some(struct registry *g, const struct digest *layer, uint64_t n,
	struct err *e)
{
	const struct manifest *m = &g->manifest;

	for (size_t i = 0; i < m->n_layers; i++)
		if (digest_eq(&m->layers[i].digest, layer))
			return n >= m->layers[i].size
				? pull(g, &m->layers[i], 1, e)
				: registry_pull_some(g->session, g->blobs,
					  &m->layers[i], n, e);
	return 0;
}
