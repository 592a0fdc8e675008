/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/reading.h"

#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "fetch/blobs.h"
#include "fetch/manifest.h"
#include "fetch/ref.h"
#include "sched/source.h"

void
reading_init(struct reading *r)
{
	*r = (struct reading){.limits = image_limits_default};
	r->plain_hosts.arena = &r->arena;
}

void
reading_fini(struct reading *r)
{
	words_fini(&r->plain_hosts);
	arena_fini(&r->arena);
}

static bool
take_platform(struct reading *r, const char *text)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct platform ignored;
	struct err e = {0};

	if (platform_parse(text, &arena, &ignored, &e) < 0) {
		common_complain("--platform: %s", e.text);
		return false;
	}
	r->platform = text;
	return true;
}

static bool
take_host(struct reading *r, const char *text)
{
	CLEANUP(own_free)
	char *name = xasprintf("docker://%s/x", text);
	CLEANUP(ref_fini)
	struct ref ref = {0};
	struct err e = {0};

	if (ref_parse(name, NULL, &ref, &e) < 0 || !ref.host ||
		strchr(text, '/') != NULL) {
		common_complain("--plain-http takes HOST or HOST:PORT, not "
				"'%s'",
			text);
		return false;
	}
	words_add(&r->plain_hosts, text);
	return true;
}

static bool
take_cache_limit(struct reading *r, const char *text)
{
	if (blobs_limit_parse(text, &r->cache_bytes) && r->cache_bytes > 0)
		return true;
	common_complain("--cache-limit takes bytes as 500M or 20G, or none, "
			"not '%s'",
		text);
	return false;
}

bool
reading_take(struct reading *r, int c)
{
	switch (c) {
	case COMMON_LIMIT:
		return common_limit(&r->limits, optarg);
	case READING_PLATFORM:
		return take_platform(r, optarg);
	case READING_PLATFORM + 1:
		r->tls_ca = optarg;
		return true;
	case READING_PLAIN_HTTP:
		return take_host(r, optarg);
	case READING_CACHE_LIMIT:
		return take_cache_limit(r, optarg);
	default:
		return false;
	}
}

const char *const *
reading_plain_hosts(struct reading *r)
{
	if (r->plain_hosts.n > 0) {
		words_add(&r->plain_hosts, "");
		r->plain_hosts.v[--r->plain_hosts.n] = NULL;
	}
	return r->plain_hosts.v;
}

static void
tell(void *arg, const char *line)
{
	(void)arg;
	common_complain("%s", line);
}

static struct source
source_of(struct reading *r, const char *name, const char *cache)
{
	return (struct source){
		.name = name,
		.cache = cache,
		.cache_bytes = r->cache_bytes,
		.platform = r->platform,
		.tls_ca = r->tls_ca,
		.plain_hosts = reading_plain_hosts(r),
		.limits = &r->limits,
		.notice = tell,
	};
}

int
reading_bring(
	struct reading *r, const char *name, struct place *out, struct err *e)
{
	CLEANUP(own_free)
	char *cache = common_cache(r->cache);
	const struct source source = source_of(r, name, cache);

	return source_bring(&source, out, e);
}

int
reading_image(
	struct reading *r, const char *name, struct image **out, struct err *e)
{
	CLEANUP(own_free)
	char *cache = common_cache(r->cache);
	const struct source source = source_of(r, name, cache);

	return source_read(&source, out, e);
}
