/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/source.h"

#include "base/alloc.h"
#include "base/attr.h"
#include "fetch/fetch.h"
#include "fetch/manifest.h"
#include "fetch/ref.h"

static struct fetch_options
options_of(const struct source *s)
{
	return (struct fetch_options){
		.cache = s->cache,
		.cache_bytes = s->cache_bytes,
		.tls_ca = s->tls_ca,
		.plain_hosts = s->plain_hosts,
		.is_lazy = s->limits->is_provenance_only,
		.layers_max = s->limits->layers,
		.json_bytes = s->limits->json_bytes,
		.total_bytes = s->limits->file_bytes,
		.sha256 = s->sha256,
		.pinned = s->pinned,
		.stop = s->stop,
		.notice = s->notice,
		.arg = s->arg,
	};
}

/* NULL where nothing is said; out and arena outlive it. */
static int
platform_of(const struct source *s, struct arena *arena, struct platform *out,
	const struct platform **which, struct err *e)
{
	*which = s->platform ? out : NULL;
	return s->platform ? platform_parse(s->platform, arena, out, e) : 0;
}

int
source_bring(const struct source *s, struct place *out, struct err *e)
{
	CLEANUP(ref_fini)
	struct ref ref = {0};
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct platform platform;
	struct fetch_options how = options_of(s);

	if (platform_of(s, &arena, &platform, &how.platform, e) < 0 ||
		ref_parse(s->name, s->folder, &ref, e) < 0)
		return -1;
	return fetch(&ref, &how, out, e);
}

int
source_read(const struct source *s, struct image **out, struct err *e)
{
	CLEANUP(place_fini)
	struct place place = {0};
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct platform platform;
	struct image_options options = {.limits = s->limits};

	if (platform_of(s, &arena, &platform, &options.platform, e) < 0 ||
		source_bring(s, &place, e) < 0 ||
		image_read_place(&place, &options, out, e) < 0)
		return -1;
	image_hold(*out, &place);
	return 0;
}
