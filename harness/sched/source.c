/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/source.h"

#include "base/alloc.h"
#include "base/attr.h"
#include "fetch/fetch.h"
#include "fetch/manifest.h"
#include "fetch/ref.h"

int
source_read(const struct source *s, struct image **out, struct err *e)
{
	CLEANUP(place_fini)
	struct place place = {0};
	CLEANUP(ref_fini)
	struct ref ref = {0};
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct platform platform;
	struct fetch_options how = {
		.cache = s->cache,
		.tls_ca = s->tls_ca,
		.plain_hosts = s->plain_hosts,
		.is_lazy = s->limits->is_provenance_only,
		.layers_max = s->limits->layers,
		.total_bytes = s->limits->file_bytes,
		.sha256 = s->sha256,
		.stop = s->stop,
		.notice = s->notice,
		.arg = s->arg,
	};
	struct image_options options = {.limits = s->limits};

	if (s->platform) {
		if (platform_parse(s->platform, &arena, &platform, e) < 0)
			return -1;
		how.platform = options.platform = &platform;
	}
	if (ref_parse(s->name, s->folder, &ref, e) < 0 ||
		fetch(&ref, &how, &place, e) < 0 ||
		image_read_place(&place, &options, out, e) < 0)
		return -1;
	image_hold(*out, &place);
	return 0;
}
