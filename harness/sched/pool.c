/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "fetch/ref.h"
#include "sched/job.h"
#include "sched/own.h"
#include "sched/request.h"
#include "sched/result.h"

enum {
	/* What a worker does beside a rebuild: reading, comparing. */
	WORKER_SLACK_S = 1800,
	FETCH_S = 24 * 3600,
	WORKER_OUT_CAP = 64 * 1024,
	WORKER_LOG_CAP = 16 * 1024,
	LAST_WORDS = 1000
};

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

/* ---- starting ---- */

static void
fill_job(const struct scheduler *s, const char *work, struct job *job)
{
	const struct sched_options *o = s->o;

	*job = (struct job){
		.name = "",
		.image = "",
		.work = work,
		.cache = o->cache,
		.trust = o->trust,
		.guix = o->guix,
		.daemon = o->daemon,
		.mirrors = o->mirrors,
		.depth = o->depth,
		.limits = o->limits,
		.image_limits = o->image_limits,
	};
}

static void
fill_sample(const struct sample *sample, struct job *job)
{
	job->name = sample->name;
	job->channels = sample->channels;
	job->manifest = sample->manifest;
	job->pack_options = sample->pack_options;
	job->sha256 = sample->sha256;
	job->has_sha256 = sample->has_sha256;
	if (sample->has_depth)
		job->depth = sample->depth;
	if (sample->timeout_s)
		job->limits.deadline_s = sample->timeout_s;
	if (sample->silence_s)
		job->limits.silence_s = sample->silence_s;
}

static int
start_worker(struct scheduler *s, struct slot *slot, const struct job *job,
	int64_t deadline_s, struct err *e)
{
	const char *const argv[] = {s->self, "worker", slot->work, NULL};
	struct child_spec spec = {
		.argv = argv,
		.pass_fd = s->workers_fd,
		.deadline_ms = (deadline_s + WORKER_SLACK_S) * 1000,
		.grace_ms = 10000,
		.out_cap = WORKER_OUT_CAP,
		.log_cap = WORKER_LOG_CAP,
	};

	slot->started_ms = clock_mono_ms();
	slot->heard = 0;
	slot->again[0] = '\0';
	snprintf(slot->stage, sizeof(slot->stage), "%s",
		tell_kind(slot->job.kind));
	confine_begin(&slot->confine, &s->cgroup, (unsigned)(slot - s->slots),
		&job->limits, &spec);
	if (path_mkdirs(slot->work, 0700, e) < 0 || job_write(job, e) < 0 ||
		child_start(&spec, &slot->child, e) < 0)
		return -1;
	slot->is_busy = true;
	tell_start(s, slot);
	return 0;
}

/* The reading of one image, in a folder; *ref is the caller's to end. */
static int
fill_read(const struct scheduler *s, const char *work, uint32_t image,
	struct ref *ref, struct job *job, struct err *e)
{
	const struct sample *sample = s->queue[image].sample;

	fill_job(s, work, job);
	job->step = JOB_READ;
	fill_sample(sample, job);
	/* The corpus was checked: this is a source that can be read. */
	if (ref_parse(sample->source, sample->folder, ref, e) < 0)
		return -1;
	job->kept = s->o->kept;
	if (!s->o->keeps_all)
		job->accept = sample->expect ? sample->expect
					     : verdict_name(s->o->accept);
	job->image = ref->path;
	job->source = sample->source;
	job->folder = sample->folder;
	job->platform = s->o->platform;
	job->tls_ca = s->o->tls_ca;
	job->plain_hosts = s->o->plain_hosts;
	job->cache_bytes = s->o->cache_bytes;
	return 0;
}

static int
start_read(struct scheduler *s, struct slot *slot, struct err *e)
{
	struct ref ref;
	struct job job;
	int rc;

	slot->work = pool_image(s, slot->job.items[0]);
	if (fill_read(s, slot->work, slot->job.items[0], &ref, &job, e) < 0)
		return -1;
	/* Fetching has its own clocks: what makes progress goes on. */
	rc = start_worker(s, slot, &job,
		transport_is_local(ref.transport) ? 0 : FETCH_S, e);
	ref_fini(&ref);
	return rc;
}

/* One of several that are read by one worker: its folder with its job. */
static int
place_read(const struct scheduler *s, const char *folder, uint32_t image,
	struct err *e)
{
	struct ref ref;
	struct job job;
	int rc;

	if (fill_read(s, folder, image, &ref, &job, e) < 0)
		return -1;
	rc = path_mkdirs(folder, 0700, e);
	if (rc == 0)
		rc = job_write(&job, e);
	ref_fini(&ref);
	return rc;
}

/* What a group may take: the longest that one of its images is allowed; those
 * of one request have the same. */
static int64_t
deadline_of(const struct scheduler *s, uint32_t group)
{
	uint32_t first = plan_members(s->plan, group, PLAN_END);
	const struct sample *sample =
		first == PLAN_END ? NULL : s->queue[first].sample;

	return sample && sample->timeout_s ? sample->timeout_s
					   : s->o->limits.deadline_s;
}

static int
start_build(struct scheduler *s, struct slot *slot, struct err *e)
{
	uint32_t group = slot->job.items[0];
	struct job job;

	slot->work = pool_group(s, group);
	fill_job(s, slot->work, &job);
	job.step = JOB_BUILD;
	return start_worker(s, slot, &job, deadline_of(s, group), e);
}

/* A job of several folders, in one of its own. */
static int
start_many(struct scheduler *s, struct slot *slot, struct err *e)
{
	static const struct {
		const char *prefix;
		enum job_step step;
	} kinds[] = {
		[PLAN_READ] = {"b", JOB_READ},
		[PLAN_LOWER] = {"l", JOB_LOWER},
		[PLAN_COMPARE] = {"c", JOB_COMPARE},
	};
	const struct plan_job *p = &slot->job;
	char **folders = xcalloc(p->n + 1, sizeof(*folders));
	char **results = xcalloc(p->n + 1, sizeof(*results));
	struct job job;
	int64_t deadline_s = s->o->limits.deadline_s;
	int rc = 0;

	slot->work = xasprintf(
		"%s/%s%zu", s->work, kinds[p->kind].prefix, ++s->n_jobs);
	fill_job(s, slot->work, &job);
	job.step = kinds[p->kind].step;
	for (size_t i = 0; i < p->n; i++)
		folders[i] = p->kind == PLAN_LOWER ? pool_group(s, p->items[i])
						   : pool_image(s, p->items[i]);
	job.folders = (const char *const *)folders;
	if (p->kind == PLAN_COMPARE) {
		job.results = (const char *const *)results;
		deadline_s = 0;
	}
	for (size_t i = 0; i < p->n && p->kind == PLAN_COMPARE; i++) {
		uint32_t group = plan_group(s->plan, p->items[i]);

		results[i] = pool_group(s, group);
		/* Comparing may build once more what differs. */
		deadline_s += deadline_of(s, group);
	}
	for (size_t i = 0; i < p->n && rc == 0 && p->kind == PLAN_READ; i++)
		rc = place_read(s, folders[i], p->items[i], e);
	if (rc == 0)
		rc = start_worker(s, slot, &job, deadline_s, e);
	for (size_t i = 0; i < p->n; i++) {
		free(folders[i]);
		free(results[i]);
	}
	free(folders);
	free(results);
	return rc;
}

static int
start(struct scheduler *s, struct slot *slot, struct err *e)
{
	switch (slot->job.kind) {
	case PLAN_READ:
		return slot->job.n > 1 ? start_many(s, slot, e)
				       : start_read(s, slot, e);
	case PLAN_BUILD:
		return start_build(s, slot, e);
	case PLAN_LOWER:
	case PLAN_COMPARE:
		return start_many(s, slot, e);
	case PLAN_NONE:
		break;
	}
	return 0;
}

/* ---- ending ---- */

static void
take_word(struct slice line, const char *before, char out[STAGE_MAX])
{
	size_t n = strlen(before);

	if (slice_starts(line, before))
		snprintf(out, STAGE_MAX, "%.*s", (int)(line.n - n), line.p + n);
}

/* Look at the lines that the worker wrote since; the last "stage" stays. */
static void
listen(struct slot *slot)
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

/* A worker has ended: keep what it found. */
static int
finish(struct scheduler *s, struct slot *slot, struct err *e)
{
	static int (*const ends[])(
		struct scheduler * s, struct slot * slot, struct err * e) = {
		[PLAN_READ] = finish_read,
		[PLAN_LOWER] = finish_lower,
		[PLAN_BUILD] = finish_build,
		[PLAN_COMPARE] = finish_compare,
	};
	int rc = 0;

	listen(slot);
	end_confined(s, slot);
	/* Of those that were ended nothing is believed but what is whole: it
	 * is there when the run is resumed. */
	if (s->n_stops < 2)
		rc = ends[slot->job.kind](s, slot, e);
	release(slot);
	return rc;
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
			finish(s, slot, e) < 0)
			return -1;
		if (slot->is_busy)
			listen(slot);
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
		if (start(s, slot, e) < 0)
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
	return start(s, slot, e);
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

			if (slot->is_busy && child_step(&slot->child) == 1) {
				end_confined(s, slot);
				release(slot);
			}
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
