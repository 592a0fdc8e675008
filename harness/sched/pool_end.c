/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "sched/job.h"
#include "sched/own.h"
#include "sched/result.h"

enum {
	LAST_WORDS = 1000
};

static void
take_word(struct slice line, const char *before, char out[STAGE_MAX])
{
	size_t n = strlen(before);

	if (slice_starts(line, before))
		snprintf(out, STAGE_MAX, "%.*s", (int)(line.n - n), line.p + n);
}

void
pool_listen(struct slot *slot)
{
	const struct buf *out = &slot->child.out;

	while (slot->heard < out->n) {
		const char *line = out->p + slot->heard;
		const char *end = memchr(line, '\n', out->n - slot->heard);
		struct slice s;

		if (!end)
			break;
		s = (struct slice){line, (size_t)(end - line)};
		take_word(s, "stage ", slot->stage);
		take_word(s, "again ", slot->again);
		slot->heard = (size_t)(end - out->p) + 1;
	}
}

/* What became of a worker that gave nothing, with its last words. */
static void
describe(const struct scheduler *s, const struct slot *slot, const char *why,
	struct buf *cause)
{
	const struct buf *log = &slot->child.log;
	size_t from = log->n > LAST_WORDS ? log->n - LAST_WORDS : 0;

	buf_str(cause, "The worker process gave no verdict: ");
	if (why)
		buf_str(cause, why);
	else
		child_describe(&slot->child.outcome, cause);
	buf_printf(cause, ", in stage %s.", slot->stage);
	confine_describe(&slot->confine, &s->o->limits, cause);
	if (log->n > 0) {
		buf_str(cause, " Its last words: ");
		buf_add(cause, log->p + from, log->n - from);
	}
}

static int64_t
elapsed_ms(const struct slot *slot)
{
	return clock_mono_ms() - slot->started_ms;
}

/* It is in the store: nothing of it is needed any more. */
static int
judged(struct scheduler *s, uint32_t image, const struct store_taken *taken,
	struct err *e)
{
	CLEANUP(own_free)
	char *folder = pool_image(s, image);

	plan_judged(s->plan, image);
	s->n_done++;
	tell_verdict(s, image, taken);
	return path_remove(folder, e);
}

/* The worker gave no verdict: say so. */
static int
fail_image(struct scheduler *s, const struct slot *slot, uint32_t image,
	const char *why, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf cause = {0};

	const struct store_taken taken = {VERDICT_NOT_TRIED, elapsed_ms(slot)};

	describe(s, slot, why, &cause);
	if (store_attempt_failed(s->store, s->queue[image].id, taken.verdict,
		    "worker", buf_text(&cause), taken.elapsed_ms, e) < 0)
		return -1;
	return judged(s, image, &taken, e);
}

static int
take_spool(const struct scheduler *s, uint32_t image, struct store_taken *taken,
	struct err *e)
{
	CLEANUP(own_free)
	char *folder = pool_image(s, image);
	CLEANUP(own_free)
	char *spool = path_join(folder, "spool");

	return store_attempt_take(
		s->store, s->queue[image].id, spool, taken, e);
}

/* 1 when its spool is in the store, 0 when that has no verdict (*e says what is
 * wrong with it), -1. */
static int
load_image(struct scheduler *s, uint32_t image, struct err *e)
{
	struct store_taken taken;

	if (take_spool(s, image, &taken, e) < 0)
		return e->kind == ERR_INPUT ? 0 : -1;
	return judged(s, image, &taken, e) < 0 ? -1 : 1;
}

/* All of them in one transaction: 1, 0 when one of them cannot be, and so none
 * is, -1. */
static int
load_images(
	struct scheduler *s, const uint32_t *images, size_t n, struct err *e)
{
	struct store_taken taken[PLAN_ITEMS_MAX];
	int result = 0;

	if (store_batch_begin(s->store, e) < 0)
		return -1;
	for (size_t i = 0; i < n && result == 0; i++)
		result = take_spool(s, images[i], &taken[i], e);
	if (store_batch_end(s->store, result, e) < 0)
		return e->kind == ERR_INPUT ? 0 : -1;
	for (size_t i = 0; i < n; i++)
		if (judged(s, images[i], &taken[i], e) < 0)
			return -1;
	return 1;
}

/* The end of a job that read several. */
static int
finish_reads(struct scheduler *s, struct slot *slot, struct err *e)
{
	uint32_t done[PLAN_ITEMS_MAX], group;
	size_t n = 0;

	for (size_t i = 0; i < slot->job.n; i++) {
		uint32_t image = slot->job.items[i];
		CLEANUP(own_free)
		char *folder = pool_image(s, image);
		CLEANUP(own_free)
		char *request = path_join(folder, "request");
		CLEANUP(own_free)
		char *spool = path_join(folder, "spool");

		if (path_exists(request)) {
			if (pool_take_request(s, image, &group, e) == 0)
				continue;
			if (e->kind == ERR_HOST)
				return -1;
		}
		if (slot->child.outcome.end == CHILD_EXITED &&
			slot->child.outcome.code == WORKER_DONE &&
			path_exists(spool))
			done[n++] = image;
		else
			plan_read_alone(s->plan, image);
	}
	if (n > 0) {
		int rc = load_images(s, done, n, e);

		if (rc < 0)
			return -1;
		for (size_t i = 0; i < n && rc == 0; i++)
			plan_read_alone(s->plan, done[i]);
	}
	return path_remove(slot->work, e);
}

static int
finish_read(struct scheduler *s, struct slot *slot, struct err *e)
{
	const struct outcome *o = &slot->child.outcome;
	int code = o->end == CHILD_EXITED ? o->code : WORKER_FAILED;
	uint32_t image = slot->job.items[0], group;
	int rc;

	if (slot->job.n > 1)
		return finish_reads(s, slot, e);
	if (code == WORKER_WAITS) {
		if (pool_take_request(s, image, &group, e) == 0)
			return 0;
		return e->kind == ERR_HOST
			? -1
			: fail_image(s, slot, image, e->text, e);
	}
	if (code != WORKER_DONE && code != WORKER_AGAIN)
		return fail_image(s, slot, image, NULL, e);
	if (code == WORKER_AGAIN && slot->again[0] &&
		(rc = again_image(s, image, slot->again, e)) != 0)
		return rc < 0 ? -1 : 0;
	rc = load_image(s, image, e);
	return rc == 0   ? fail_image(s, slot, image, e->text, e)
		: rc < 0 ? -1
			 : 0;
}

static int
finish_lower(struct scheduler *s, struct slot *slot, struct err *e)
{
	/* Whatever became of it: those that it did nothing for are lowered by
	 * those that build them, which tells why. */
	for (size_t i = 0; i < slot->job.n; i++) {
		uint32_t group = slot->job.items[i];
		CLEANUP(own_free)
		char *folder = pool_group(s, group);

		if (!result_is(folder)) {
			plan_lowered(s->plan, group);
			continue;
		}
		/* Depth recipe: there is no file to be held against another. */
		plan_built(s->plan, group);
		plan_quick(s->plan, group);
	}
	return path_remove(slot->work, e);
}

static int
finish_build(struct scheduler *s, struct slot *slot, struct err *e)
{
	const struct outcome *o = &slot->child.outcome;
	uint32_t group = slot->job.items[0];
	int rc;

	if (o->end == CHILD_EXITED && o->code == WORKER_AGAIN &&
		slot->again[0] &&
		(rc = again_group(s, group, slot->again, e)) != 0)
		return rc < 0 ? -1 : 0;
	if (!result_is(slot->work)) {
		CLEANUP(buf_fini)
		struct buf cause = {0};
		struct result none = {.rebuild = {.end = REBUILD_NOT_TRIED,
					      .class_ = "worker",
					      .depth = s->o->depth}};

		describe(s, slot, NULL, &cause);
		none.rebuild.cause = buf_text(&cause);
		none.rebuild.elapsed_ms = elapsed_ms(slot);
		if (result_write(slot->work, &none, e) < 0)
			return -1;
	}
	plan_built(s->plan, group);
	return 0;
}

static int
finish_compare(struct scheduler *s, struct slot *slot, struct err *e)
{
	const struct plan_job *p = &slot->job;
	int all = p->n > 1 ? load_images(s, p->items, p->n, e) : 0;

	if (all < 0)
		return -1;
	for (size_t i = 0; i < p->n && all == 0; i++) {
		uint32_t image = p->items[i];
		int rc = load_image(s, image, e);

		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		/* One of many that a worker did not survive is to be blamed, or
		 * the others are to be judged. */
		if (p->n > 1)
			plan_compare_alone(s->plan, image);
		else if (fail_image(s, slot, image,
				 slot->child.outcome.end == CHILD_EXITED &&
						 slot->child.outcome.code ==
							 WORKER_DONE
					 ? e->text
					 : NULL,
				 e) < 0)
			return -1;
	}
	return path_remove(slot->work, e);
}

static void
release(struct slot *slot)
{
	child_fini(&slot->child);
	free(STEAL(slot->work));
	slot->is_busy = false;
}

/* Nothing of it is left; the other workers go on. */
static void
end_confined(struct scheduler *s, struct slot *slot)
{
	CLEANUP(own_free)
	pid_t *others = xcalloc(s->o->slots + s->n_strangers, sizeof(*others));
	size_t n = s->n_strangers;

	if (n)
		memcpy(others, s->strangers, n * sizeof(*others));
	for (unsigned i = 0; i < s->o->slots; i++)
		if (s->slots[i].is_busy && &s->slots[i] != slot)
			others[n++] = s->slots[i].child.pid;
	confine_end(&slot->confine, slot->work, others, n);
}

void
pool_drop(struct scheduler *s, struct slot *slot)
{
	end_confined(s, slot);
	release(slot);
}

int
pool_finish(struct scheduler *s, struct slot *slot, struct err *e)
{
	static int (*const ends[])(
		struct scheduler * s, struct slot * slot, struct err * e) = {
		[PLAN_READ] = finish_read,
		[PLAN_LOWER] = finish_lower,
		[PLAN_BUILD] = finish_build,
		[PLAN_COMPARE] = finish_compare,
	};
	int rc = 0;

	pool_listen(slot);
	end_confined(s, slot);
	/* Of those that were ended nothing is believed but what is whole: it
	 * is there when the run is resumed. */
	if (s->n_stops < 2)
		rc = ends[slot->job.kind](s, slot, e);
	release(slot);
	return rc;
}
