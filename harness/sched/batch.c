/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/batch.h"

#include <string.h>

#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/rebuild.h"
#include "sched/request.h"
#include "sched/result.h"
#include "sched/worker.h"

static struct rebuild_options
options_of(const struct job *job, const struct request *r,
	const struct trust *trust, const volatile int *stop)
{
	struct rebuild_options o = {
		.trust = trust,
		.limits = job->limits,
		.cache = job->cache,
		.work = job->work,
		.shared = job->shared,
		.mirrors = job->mirrors,
		.guix = job->guix,
		.daemon = job->daemon,
		.depth = r->depth,
		.image_name = r->image_name,
		.is_fixed = r->is_fixed,
		.stop = stop,
		.stage = worker_stage,
	};

	o.limits.deadline_s = r->limits.deadline_s;
	o.limits.silence_s = r->limits.silence_s;
	return o;
}

/* ---- lowering ---- */

/* One request of a batch. */
struct asked {
	const char *folder;
	struct request request;
	bool is_ready; /* it was read, and is of no group yet */
};

struct batch {
	const struct job *job;
	const volatile int *stop;
	struct asked *v;
	size_t n;
	struct arena arena;
};

static void
read_members(struct batch *b)
{
	const char *const *folders = b->job->folders;

	while (folders && folders[b->n])
		b->n++;
	b->v = arena_alloc(&b->arena, (b->n + 1) * sizeof(*b->v));
	for (size_t i = 0; i < b->n; i++) {
		struct err e = {0};

		b->v[i].folder = folders[i];
		b->v[i].is_ready = request_read(folders[i], &b->arena,
					   &b->v[i].request, &e) == 0;
	}
}

/* Does it lead to the image's profile, and to the image file's own name where
 * that is a store item's?  Else a variant might, unless the options are given. */
static bool
is_right(const struct request *r, const struct lowered *l)
{
	const char *name = r->image_name;

	if (!l->drv)
		return false;
	if (r->is_fixed)
		return true;
	if (r->recipe.profile &&
		(!l->profile || strcmp(l->profile, r->recipe.profile) != 0))
		return false;
	return !name ||
		(l->path && strcmp(l->path + strlen(GUIX_STORE), name) == 0);
}

/* Keep what one of n that were lowered together leads to. */
static int
keep(const struct asked *m, const struct rebuild *all, const struct lowered *l,
	size_t n, struct err *e)
{
	CLEANUP(own_free)
	char *note = n == 1
		? NULL
		: xasprintf("Lowered together with %zu other recipe%s of these "
			    "channels, in one process of Guix.",
			  n - 1, n == 2 ? "" : "s");
	const char *const notes[] = {note};
	const struct result one = {
		.rebuild = {
			.end = REBUILD_DONE,
			.depth = DEPTH_RECIPE,
			.drv = l->drv,
			.path = l->path,
			.profile = l->profile,
			.guix_version = all->guix_version,
			.dates = all->dates,
			.n_dates = all->n_dates,
			.notes = notes,
			.n_notes = n > 1,
			.commands = all->commands,
			.n_commands = all->n_commands,
			.elapsed_ms = all->elapsed_ms / (int64_t)n,
		}};
	const struct result_lowered lowered = {.lowered = *l,
		.note = note,
		.dates = all->dates,
		.n_dates = all->n_dates};

	if (m->request.depth == DEPTH_RECIPE)
		return result_write(m->folder, &one, e);
	return result_lowered_write(m->folder, &lowered, e);
}

static int
lower(struct batch *b, struct asked *const *v, size_t n, size_t group,
	struct err *e)
{
	CLEANUP(own_trust)
	struct trust *trust = trust_load(b->job->trust, e);
	CLEANUP(own_free)
	char *work = xasprintf("%s/%zu", b->job->work, group);
	struct rebuild_options o =
		options_of(b->job, &v[0]->request, trust, b->stop);
	const struct recipe **recipes =
		arena_alloc(&b->arena, n * sizeof(*recipes));
	struct lowered *found = arena_alloc(&b->arena, n * sizeof(*found));
	struct rebuild all;
	int rc;

	o.work = work;
	o.limits = b->job->limits;
	if (!trust || path_mkdirs(work, 0700, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		recipes[i] = &v[i]->request.recipe;
	rc = rebuild_lower(recipes, n, &o, &all, found, e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (is_right(&v[i]->request, &found[i]))
			rc = keep(v[i], &all, &found[i], n, e);
	rebuild_fini(&all);
	return rc;
}

int
batch_lower(const struct job *job, const volatile int *stop, struct err *e)
{
	struct batch b = {.job = job, .stop = stop};
	struct asked **group;
	int rc = 0;

	read_members(&b);
	group = arena_alloc(&b.arena, (b.n + 1) * sizeof(*group));
	/* The parent took a reader's word for their being of one lane. */
	for (size_t i = 0; i < b.n && rc == 0 && !*stop; i++) {
		size_t n = 0;

		if (!b.v[i].is_ready)
			continue;
		for (size_t k = i; k < b.n; k++) {
			if (!b.v[k].is_ready ||
				!request_is_near(
					&b.v[i].request, &b.v[k].request))
				continue;
			b.v[k].is_ready = false;
			group[n++] = &b.v[k];
		}
		rc = lower(&b, group, n, i, e);
	}
	arena_fini(&b.arena);
	if (*stop)
		return WORKER_STOPPED;
	return rc < 0 ? WORKER_FAILED : WORKER_DONE;
}

/* ---- building ---- */

/* What was noted when it was lowered comes first. */
static void
add_note(struct rebuild *r, const char *note)
{
	const char **notes;

	if (!note)
		return;
	notes = arena_alloc(&r->arena, (r->n_notes + 1) * sizeof(*notes));
	notes[0] = arena_copy(&r->arena, note, strlen(note));
	for (size_t i = 0; i < r->n_notes; i++)
		notes[i + 1] = r->notes[i];
	r->notes = notes;
	r->n_notes++;
}

static int
build(const struct job *job, const struct request *r,
	const struct result_lowered *l, const volatile int *stop,
	struct result *out, struct err *e)
{
	CLEANUP(own_trust)
	struct trust *trust = trust_load(job->trust, e);
	struct rebuild_options o = options_of(job, r, trust, stop);
	struct rebuild *b = &out->rebuild;
	uint64_t size;

	if (!trust)
		return -1;
	o.lowered = l->lowered.drv ? &l->lowered : NULL;
	if (rebuild_run(&r->recipe, &o, b, e) < 0)
		return -1;
	add_note(b, l->note);
	if (b->n_dates == 0) {
		b->dates = l->dates;
		b->n_dates = l->n_dates;
	}
	/* It is rooted and read-only: these are the bytes of all comparisons. */
	if (b->end == REBUILD_DONE && b->output) {
		if (digest_file(b->output, &out->sha256, &size, e) < 0)
			return -1;
		out->has_sha256 = true;
	}
	return 0;
}

int
batch_build(const struct job *job, const volatile int *stop, struct err *e)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	CLEANUP(result_fini)
	struct result result = {0};
	struct request request;
	struct result_lowered lowered;

	if (request_read(job->work, &arena, &request, e) < 0 ||
		result_lowered_read(job->work, &arena, &lowered, e) < 0)
		return WORKER_FAILED;
	if (build(job, &request, &lowered, stop, &result, e) < 0) {
		if (e->kind == ERR_BUG)
			return WORKER_FAILED;
		/* A fault of the machine is never the image's. */
		result.rebuild.end = REBUILD_NOT_TRIED;
		result.rebuild.class_ = "machine";
		result.rebuild.cause = e->text;
		result.rebuild.output = NULL;
		result.rebuild.depth = request.depth;
	}
	if (*stop)
		return WORKER_STOPPED;
	if (result_write(job->work, &result, e) < 0)
		return WORKER_FAILED;
	if (!result.rebuild.is_transient)
		return WORKER_DONE;
	worker_say("again", result.rebuild.class_);
	return WORKER_AGAIN;
}
