/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/rebuilding.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/common.h"

enum {
	SECONDS_MAX = 30 * 24 * 3600,
	CHANNELS_BYTES = 4 << 20 /* of a file of channels */
};

/* A signal handler can reach nothing else. */
static volatile int is_stopping;

static void
stop(int number)
{
	(void)number;
	is_stopping = 1;
}

void
rebuilding_init(struct rebuilding *r)
{
	*r = (struct rebuilding){.o = {.limits = limits_default}};
	reading_init(&r->reading);
	r->mirrors.arena = &r->arena;
}

void
rebuilding_fini(struct rebuilding *r)
{
	struct err e = {0};

	if (r->work && path_remove(r->work, &e) < 0)
		common_complain("%s", e.text);
	free(r->work);
	trust_free(r->trust);
	reading_fini(&r->reading);
	words_fini(&r->mirrors);
	arena_fini(&r->arena);
}

bool
rebuilding_take(struct rebuilding *r, int c)
{
	switch (c) {
	case REBUILDING_TRUST:
		r->trust_file = optarg;
		return true;
	case REBUILDING_TRUST + 1:
		return common_mirror(&r->mirrors, optarg);
	case REBUILDING_TRUST + 2:
		r->reading.cache = optarg;
		return true;
	case REBUILDING_TRUST + 3:
		r->o.guix = optarg;
		return true;
	case REBUILDING_TRUST + 4:
		r->channels = optarg;
		return true;
	case REBUILDING_TIMEOUT:
		return common_number(optarg, "--timeout", SECONDS_MAX,
			&r->o.limits.deadline_s);
	default:
		return reading_take(&r->reading, c);
	}
}

int
rebuilding_open(struct rebuilding *r, struct err *e)
{
	struct sigaction action = {.sa_handler = stop};
	char *cache = common_cache(r->reading.cache);

	r->o.cache = arena_copy(&r->arena, cache, strlen(cache));
	free(cache);
	r->trust = trust_load(r->trust_file, e);
	if (!r->trust || path_mkdirs(r->o.cache, 0755, e) < 0)
		return -1;
	r->work = path_join(r->o.cache, "job-XXXXXX");
	if (!mkdtemp(r->work)) {
		(void)!err_sys(
			e, ERR_HOST, "%s: cannot make a folder", r->work);
		free(STEAL(r->work));
		return -1;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r->o.trust = r->trust;
	r->o.work = r->work;
	r->o.mirrors = r->mirrors.n ? words_take(&r->mirrors) : NULL;
	r->o.stop = &is_stopping;
	return 0;
}

int
rebuilding_channels(struct rebuilding *r, const char **text, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf b = {0};

	*text = NULL;
	if (!r->channels)
		return 0;
	if (path_read(r->channels, CHANNELS_BYTES, &b, e) < 0)
		return -1;
	*text = arena_copy(&r->arena, buf_text(&b), b.n);
	return 0;
}

int
rebuilding_fail(const struct rebuild *rebuild)
{
	common_complain("%s", rebuild->cause ? rebuild->cause : "not done");
	if (rebuild->failed_lines)
		common_complain("%s", rebuild->failed_lines);
	if (rebuild->advice)
		common_complain("%s", rebuild->advice);
	switch (rebuild->end) {
	case REBUILD_NOT_TRIED:
		return EXIT_MACHINE;
	case REBUILD_REFUSED:
		return EXIT_WRONG;
	case REBUILD_DONE:
	case REBUILD_UNAVAILABLE:
	case REBUILD_UNBUILDABLE:
	case REBUILD_TIMEOUT:
	default:
		return EXIT_NOT;
	}
}
