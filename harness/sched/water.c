/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/water.h"

#include <sys/statvfs.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/path.h"
#include "sched/own.h"

enum {
	LOOK_MS = 1000 /* at the disks, at most so often */
};

/* Less than the mark is free where path is; a folder that is not there yet is on
 * its parent's disk. */
static bool
is_short(const char *path, uint64_t mark, uint64_t *free_bytes)
{
	CLEANUP(own_free)
	char *at = xstrdup(path);
	struct statvfs v;

	while (!path_exists(at) && strcmp(at, "/") != 0 &&
		strcmp(at, ".") != 0) {
		char *up = path_dir(at);

		free(at);
		at = up;
	}
	if (statvfs(at, &v) < 0)
		return false;
	*free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return *free_bytes < mark;
}

static const char *
find_short(const struct scheduler *s, uint64_t *free_bytes)
{
	const char *tmp = getenv("TMPDIR");
	const char *const paths[] = {"/gnu/store", s->o->cache, s->work,
		!s->o->daemon         ? "/gnu/store"
			: tmp && *tmp ? tmp
				      : "/tmp"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (is_short(paths[i], s->o->low_water, free_bytes))
			return paths[i];
	return NULL;
}

static bool
is_idle(const struct scheduler *s)
{
	for (unsigned i = 0; i < s->o->slots; i++)
		if (s->slots[i].is_busy)
			return false;
	return true;
}

static void
tell(struct scheduler *s, const char *path, uint64_t free_bytes)
{
	struct jout *j = events_begin(s->events, path ? "pause" : "go-on");

	if (j && path) {
		jout_str(j, "path", path);
		jout_int(j, "free_bytes", (int64_t)free_bytes);
	}
	events_end(s->events);
	if (path)
		tell_line(s,
			"unblend: paused: %s has %" PRIu64
			" MiB free, --low-water asks for %" PRIu64,
			path, free_bytes >> 20, s->o->low_water >> 20);
	else
		tell_line(s, "unblend: there is room again");
}

/* Nothing of ours can make room any more. */
static void
watch_patience(struct scheduler *s, int64_t now)
{
	struct water *w = &s->water;

	if (!is_idle(s)) {
		w->idle_ms = 0;
		return;
	}
	if (!w->idle_ms)
		w->idle_ms = now;
	if (now - w->idle_ms < s->o->limits.silence_s * 1000)
		return;
	tell_line(s, "unblend: nobody makes room: no new jobs");
	s->n_stops++;
}

bool
water_allows(struct scheduler *s)
{
	struct water *w = &s->water;
	int64_t now = clock_mono_ms();
	uint64_t free_bytes = 0;
	const char *path;

	if (!s->o->low_water || s->n_stops || s->n_done == s->n_queue) {
		w->is_low = false;
		return true;
	}
	if (!w->asked_ms || now - w->asked_ms >= LOOK_MS) {
		w->asked_ms = now;
		path = find_short(s, &free_bytes);
		if ((path != NULL) != w->is_low) {
			w->is_low = path != NULL;
			w->idle_ms = 0;
			tell(s, path, free_bytes);
		}
	}
	if (w->is_low)
		watch_patience(s, now);
	return !w->is_low;
}

int
water_wait_ms(const struct scheduler *s)
{
	return s->water.is_low ? LOOK_MS : -1;
}
