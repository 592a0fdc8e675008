/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "rebuild/classify.h"
#include "sched/own.h"

/* What runs before this one, and tries before this try, make of what is next. */

enum {
	PAUSE_MS = 2000,      /* before the first try again */
	PAUSE_GROWS = 4,      /* times, for each one more */
	PAUSE_MAX_MS = 300000 /* at most */
};

/* It says nothing of the image, or less than could be found: tried again, it may
 * end otherwise. */
static bool
may_pass(const struct store_standing *at)
{
	return at->verdict == VERDICT_NOT_TRIED ||
		classify_may_pass(at->class_) ||
		(at->class_ && strcmp(at->class_, "not-examined") == 0);
}

/* As far as it is known, is all as it was then? */
static bool
is_alike(const struct store_standing *at, const struct store_basis *is)
{
	struct store_basis was = at->basis;

	if (!at->has_basis)
		return false;
	if (was.file && is->file)
		return basis_same(&was, is);
	return strcmp(was.guix, is->guix) == 0 &&
		digest_eq(&was.entry, &is->entry) &&
		digest_eq(&was.policy, &is->policy);
}

int
before_look(struct scheduler *s, int64_t run, uint32_t image,
	const struct store_basis *is, struct err *e)
{
	struct queued *q = &s->queue[image];
	struct store_standing at;
	int rc = store_standing(s->store, q->sample->name, run, &at, e);

	if (rc <= 0)
		return rc;
	if (at.verdict != VERDICT_NOT_TRIED)
		q->expected_ms = at.elapsed_ms;
	if (may_pass(&at))
		return is_alike(&at, is)
			? store_tries(
				  s->store, q->sample->name, run, &q->tries, e)
			: 0;
	if (!s->o->is_changed || !at.has_basis || !basis_same(&at.basis, is))
		return 0;
	q->is_done = true;
	q->verdict = at.verdict;
	q->of_run = at.run;
	q->of_sample = at.sample;
	return 0;
}

void
before_tell(struct scheduler *s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->n_queue; i++) {
		const struct queued *q = &s->queue[i];
		CLEANUP(own_free)
		char *why = NULL;

		if (q->of_run == 0)
			continue;
		why = xasprintf("unchanged since run %" PRId64, q->of_run);
		tell_skip(s, i, q->verdict, q->of_run, why);
		tell_line(s, "[%zu/%zu] %-16s %s: not tried, %s", ++n,
			s->n_queue, verdict_name(q->verdict), q->sample->name,
			why);
	}
	if (s->o->is_changed && n < s->n_queue)
		tell_line(s, "%zu of %zu images unchanged", n, s->n_queue);
}

/* ---- trying again ---- */

static int64_t
pause_after(int64_t tries)
{
	int64_t ms = PAUSE_MS;

	while (tries-- > 0 && ms < PAUSE_MAX_MS)
		ms *= PAUSE_GROWS;
	return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

/* That an image's try ended in a way that may pass. */
static int
add_trial(struct scheduler *s, uint32_t image, const char *class_,
	int64_t after_ms, struct err *e)
{
	struct queued *q = &s->queue[image];

	if (store_trial_add(s->store, q->id, clock_wall_s(), class_, e) < 0)
		return -1;
	q->tries++;
	tell_retry(s, image, class_, after_ms);
	return 0;
}

int
again_image(
	struct scheduler *s, uint32_t image, const char *class_, struct err *e)
{
	CLEANUP(own_free)
	char *folder = pool_image(s, image);
	int64_t tries = s->queue[image].tries, after_ms = pause_after(tries);

	if (tries >= s->o->retries)
		return 0;
	if (add_trial(s, image, class_, after_ms, e) < 0 ||
		path_remove(folder, e) < 0)
		return -1;
	plan_read_again(s->plan, image, clock_mono_ms() + after_ms);
	return 1;
}

int
again_group(
	struct scheduler *s, uint32_t group, const char *class_, struct err *e)
{
	int64_t tries = 0, after_ms;
	int result = 0;

	for (uint32_t i = plan_members(s->plan, group, PLAN_END); i != PLAN_END;
		i = plan_members(s->plan, group, i))
		if (s->queue[i].tries > tries)
			tries = s->queue[i].tries;
	if (tries >= s->o->retries)
		return 0;
	after_ms = pause_after(tries);
	if (store_batch_begin(s->store, e) < 0)
		return -1;
	for (uint32_t i = plan_members(s->plan, group, PLAN_END);
		i != PLAN_END && result == 0;
		i = plan_members(s->plan, group, i))
		result = add_trial(s, i, class_, after_ms, e);
	if (store_batch_end(s->store, result, e) < 0 ||
		resume_group(s, group, e) < 0)
		return -1;
	plan_build_again(s->plan, group, clock_mono_ms() + after_ms);
	return 1;
}
