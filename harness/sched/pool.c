/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "sched/own.h"
#include "sched/request.h"

/* ---- folders ---- */

char *
pool_image(const struct scheduler *s, uint32_t image)
{
	return xasprintf("%s/i%u", s->work, image + 1);
}

char *
pool_group(const struct scheduler *s, uint32_t group)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(plan_key(s->plan, group), hex);
	return xasprintf("%s/r-%s", s->work, hex);
}

int
pool_take_request(
	struct scheduler *s, uint32_t image, uint32_t *group, struct err *e)
{
	CLEANUP(own_free)
	char *folder = pool_image(s, image);
	CLEANUP(own_free)
	char *from = path_join(folder, "request");
	CLEANUP(own_free)
	char *group_folder = NULL, *to = NULL;
	struct request_key key;

	if (request_key(folder, &key, e) < 0)
		return -1;
	*group = plan_waits(s->plan, image, &key.key, &key.lane);
	group_folder = pool_group(s, *group);
	to = path_join(group_folder, "request");
	if (path_exists(to))
		return 0;
	if (path_mkdirs(group_folder, 0700, e) < 0)
		return -1;
	if (link(from, to) < 0 && errno != EEXIST)
		return err_sys(e, ERR_HOST, "%s", to);
	return 0;
}

/* ---- the loop ---- */

static void
take_signals(struct scheduler *s)
{
	while (signals_stop(&s->signals)) {
		s->n_stops++;
		tell_line(s, "%s",
			s->n_stops == 1 ? "unblend: no new jobs; once more to "
					  "end those that run"
					: "unblend: ending");
	}
	if (s->n_stops < 2)
		return;
	for (unsigned i = 0; i < s->o->slots; i++) {
		if (s->slots[i].is_busy)
			child_stop(&s->slots[i].child);
	}
}

/* Sleep until a worker says something, ends, or has to be looked at. */
static void
wait_for_events(struct scheduler *s)
{
	CLEANUP(own_free)
	struct pollfd *fds = xcalloc(2 + 2 * s->o->slots, sizeof(*fds));
	nfds_t n = 0;
	int wait_ms = s->o->is_terminal ? 1000 : 60000;
	int64_t until = plan_until(s->plan), now = clock_mono_ms();

	if (until >= 0 && until - now < wait_ms)
		wait_ms = until > now ? (int)(until - now) : 0;
	if (water_wait_ms(s) >= 0 && water_wait_ms(s) < wait_ms)
		wait_ms = water_wait_ms(s);
	fds[n++] = (struct pollfd){.fd = s->signals.fd, .events = POLLIN};
	/* -1, when nothing waits, is passed over. */
	fds[n++] =
		(struct pollfd){.fd = events_fd(s->events), .events = POLLOUT};
	for (unsigned i = 0; i < s->o->slots; i++) {
		const struct slot *slot = &s->slots[i];
		int until_ms;

		if (!slot->is_busy)
			continue;
		fds[n++] = (struct pollfd){
			.fd = slot->child.out_fd, .events = POLLIN};
		fds[n++] = (struct pollfd){
			.fd = slot->child.log_fd, .events = POLLIN};
		until_ms = child_wait_ms(&slot->child);
		if (until_ms >= 0 && until_ms < wait_ms)
			wait_ms = until_ms;
	}
	(void)poll(fds, n, wait_ms);
}

static int
step_slots(struct scheduler *s, unsigned *n_busy, struct err *e)
{
	for (unsigned i = 0; i < s->o->slots; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->is_busy && child_step(&slot->child) == 1 &&
			pool_finish(s, slot, e) < 0)
			return -1;
		if (slot->is_busy)
			pool_listen(slot);
		*n_busy += slot->is_busy;
	}
	return 0;
}

static int
fill_slots(struct scheduler *s, unsigned *n_busy, struct err *e)
{
	if (!water_allows(s))
		return 0;
	for (unsigned i = 0; i < s->o->slots && s->n_stops == 0; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->is_busy)
			continue;
		plan_next(s->plan, clock_mono_ms(), &slot->job);
		if (slot->job.kind == PLAN_NONE)
			break;
		if (pool_start(s, slot, e) < 0)
			return -1;
		*n_busy += slot->is_busy;
	}
	return 0;
}

int
pool_run(struct scheduler *s, struct err *e)
{
	for (;;) {
		unsigned n_busy = 0;

		if (step_slots(s, &n_busy, e) < 0 ||
			fill_slots(s, &n_busy, e) < 0)
			return -1;
		tell_running(s);
		if (n_busy == 0 &&
			(s->n_stops > 0 ||
				(plan_until(s->plan) < 0 &&
					water_wait_ms(s) < 0)))
			break;
		wait_for_events(s);
		take_signals(s);
		events_push(s->events);
	}
	tell_clear(s);
	return 0;
}

/* The next of them, a slot's share or what one job may have. */
static int
start_reading(struct scheduler *s, struct slot *slot, const uint32_t *images,
	size_t n, struct err *e)
{
	slot->job = (struct plan_job){.kind = PLAN_READ, .n = n};
	memcpy(slot->job.items, images, n * sizeof(*images));
	return pool_start(s, slot, e);
}

int
pool_read(struct scheduler *s, const uint32_t *images, size_t n, struct err *e)
{
	size_t next = 0, most = n / s->o->slots + 1;
	unsigned n_busy = 1;

	if (most > PLAN_READ_MAX)
		most = PLAN_READ_MAX;
	while (n_busy > 0) {
		n_busy = 0;
		for (unsigned i = 0; i < s->o->slots; i++) {
			struct slot *slot = &s->slots[i];
			size_t m = n - next < most ? n - next : most;

			if (slot->is_busy && child_step(&slot->child) == 1)
				pool_drop(s, slot);
			if (!slot->is_busy && m > 0 && s->n_stops == 0) {
				if (start_reading(
					    s, slot, images + next, m, e) < 0)
					return -1;
				next += m;
			}
			n_busy += slot->is_busy;
		}
		if (n_busy > 0) {
			wait_for_events(s);
			take_signals(s);
		}
	}
	return 0;
}
