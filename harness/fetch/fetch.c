/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/fetch.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fetch/blobs.h"
#include "fetch/daemon.h"
#include "fetch/http.h"
#include "fetch/registry.h"
#include "fetch/web.h"

/* Put the name before what went wrong with it, a digest cut short. */
static int
wrap(const struct place *p, struct err *e)
{
	const char *digest = strstr(p->name, "@sha256:");
	size_t n = strlen(p->name);

	if (digest && n > 140)
		return err_wrap(e, "%.*s...",
			(int)(digest - p->name > 120 ? 120
						     : digest - p->name + 16),
			p->name);
	return err_wrap(e, "%.140s", p->name);
}

static int
fetch_registry(const struct ref *r, const struct fetch_options *o,
	struct place *out, struct err *e)
{
	char hex[DIGEST_HEX + 1];

	if (o->pinned)
		digest_hex(o->pinned, hex);
	out->from = xcalloc(1, sizeof(*out->from));
	*out->from = (struct ref){.transport = r->transport,
		.host = xstrdup(r->host),
		.path = xstrdup(r->path),
		.ref = o->pinned ? xasprintf("sha256:%s", hex)
				 : xstrdup(r->ref)};
	out->name = xasprintf("docker://%s/%s%s%s", r->host, r->path,
		strchr(r->ref, ':') ? "@" : ":", r->ref);
	if (blobs_open(o->cache, o->cache_bytes ? o->cache_bytes : BLOBS_LIMIT,
		    &out->blobs, e) < 0)
		return -1;
	if (registry_open(out->from, o, out->blobs, &out->registry, e) < 0 ||
		(!o->is_lazy && registry_bring(out->registry, NULL, e) < 0))
		return wrap(out, e);
	digest_hex(registry_manifest(out->registry), hex);
	out->transport = TRANSPORT_OCI;
	out->path = xstrdup(blobs_folder(out->blobs));
	out->ref = xasprintf("@sha256:%s", hex);
	return 0;
}

/* What comes as one file, unless that of before is still here. */
static int
bring_file(const struct ref *r, const struct fetch_options *o,
	struct place *out, struct digest *got, struct err *e)
{
	int found = o->pinned ? blobs_find(out->blobs, o->pinned, NULL, e) : 0;

	if (found > 0)
		*got = *o->pinned;
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (r->transport == TRANSPORT_WEB)
		return web_bring(r->path, o->sha256, o, out->blobs, got, e);
	return daemon_bring(r->path, o, out->blobs, got, e);
}

/* Its contents tell what it is. */
static int
fetch_file(const struct ref *r, const struct fetch_options *o,
	struct place *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf name = {0};
	struct digest got;

	if (r->transport == TRANSPORT_WEB)
		http_show(r->path, &name);
	else
		buf_printf(&name, "docker-daemon:%s", r->path);
	out->name = buf_take(&name);
	if (blobs_open(o->cache, o->cache_bytes ? o->cache_bytes : BLOBS_LIMIT,
		    &out->blobs, e) < 0)
		return -1;
	if (bring_file(r, o, out, &got, e) < 0)
		return wrap(out, e);
	out->transport = TRANSPORT_PACK;
	out->path = blobs_path(out->blobs, &got);
	return 0;
}

int
fetch(const struct ref *r, const struct fetch_options *o, struct place *out,
	struct err *e)
{
	*out = (struct place){.transport = r->transport};
	if (r->transport == TRANSPORT_DOCKER)
		return fetch_registry(r, o, out, e);
	if (!transport_is_local(r->transport))
		return fetch_file(r, o, out, e);
	out->path = xstrdup(r->path);
	out->ref = r->ref ? xstrdup(r->ref) : NULL;
	return 0;
}

enum fetch_failure
fetch_failure(const struct err *e)
{
	switch (e->kind) {
	case ERR_TRANSIENT:
		return FETCH_NETWORK;
	case ERR_ABSENT:
		return e->sys == EACCES ? FETCH_DENIED : FETCH_MISSING;
	case ERR_POLICY:
		return e->sys == EKEYREJECTED       ? FETCH_TLS
			: e->sys == EPROTONOSUPPORT ? FETCH_PLAIN
						    : FETCH_OTHER;
	case ERR_HOST:
		return e->sys == ENOSPC || e->sys == EDQUOT ? FETCH_FULL
							    : FETCH_OTHER;
	case ERR_NONE:
	case ERR_INPUT:
	case ERR_BUG:
	default:
		return FETCH_OTHER;
	}
}

int
place_bring(const struct place *p, const struct digest *layer, struct err *e)
{
	return p->registry ? registry_bring(p->registry, layer, e) : 0;
}

int
place_lacks(const struct place *p, const struct digest *layer, bool *is_lacking,
	struct err *e)
{
	int found = p->registry ? blobs_find(p->blobs, layer, NULL, e) : 1;

	*is_lacking = found == 0;
	return found < 0 ? -1 : 0;
}

int
place_bring_some(const struct place *p, const struct digest *layer, uint64_t n,
	int *fd, struct err *e)
{
	CLEANUP(own_free)
	char *whole = blobs_path(p->blobs, layer);
	CLEANUP(own_free)
	char *part = blobs_part_path(p->blobs, layer);
	struct stat st;

	if (registry_bring_some(p->registry, layer, n, e) < 0)
		return -1;
	*fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd >= 0)
		return 0;
	*fd = open(part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd >= 0 && fstat(*fd, &st) == 0 && (uint64_t)st.st_size >= n)
		return 0;
	if (*fd >= 0)
		close(*fd);
	/* Another process has it in hand: then all of it, from the start. */
	if (registry_bring(p->registry, layer, e) < 0)
		return -1;
	*fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *fd < 0 ? err_sys(e, ERR_HOST, "%s", whole) : 0;
}

void
place_fini(struct place *p)
{
	registry_close(p->registry);
	blobs_close(p->blobs);
	if (p->from)
		ref_fini(p->from);
	free(p->from);
	free(p->path);
	free(p->ref);
	free(p->name);
	*p = (struct place){0};
}
