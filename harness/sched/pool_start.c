/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "fetch/ref.h"
#include "sched/job.h"
#include "sched/own.h"

enum {
	/* What a worker does beside a rebuild: reading, comparing. */
	WORKER_SLACK_S = 1800,
	FETCH_S = 24 * 3600,
	WORKER_OUT_CAP = 64 * 1024,
	WORKER_LOG_CAP = 16 * 1024
};

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

int
pool_start(struct scheduler *s, struct slot *slot, struct err *e)
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
