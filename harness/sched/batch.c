/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/rebuild.h"
#include "store/record.h"

/* ---- requests ---- */

static void
put_strings(struct jout *j, const char *key, const char *const *v, size_t n)
{
	jout_begin(j, key, '[');
	for (size_t i = 0; i < n; i++)
		jout_str(j, NULL, v[i]);
	jout_end(j, ']');
}

int
batch_wait(const struct job *job, const struct recipe *r, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(job->work, "request");
	const char *slash = strrchr(job->image, '/');
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (aside_open(&a, path, e) < 0)
		return -1;
	jout_open(&j, a.f, 1);
	jout_begin(&j, NULL, '{');
	jout_str(&j, "channels_scm", r->channels_scm);
	jout_str(&j, "manifest_scm", r->manifest_scm);
	jout_str(&j, "profile", r->profile);
	jout_bool(&j, "unnamed", r->is_unnamed);
	jout_str(&j, "image_name", slash ? slash + 1 : job->image);
	put_strings(&j, "options", r->options, r->n_options);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

static const char *
get(struct arena *a, const struct jdoc *doc, const char *key)
{
	struct slice s = jdoc_str(jdoc_get(doc, key));

	return s.p ? arena_copy(a, s.p, s.n) : NULL;
}

/* False when there is none that can be lowered together with others. */
static bool
read_request(const char *work, struct arena *a, struct recipe *r,
	const char **image_name)
{
	CLEANUP(own_free)
	char *path = path_join(work, "request");
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	const struct jdoc *options;
	struct channel *channels;
	const char **v;
	struct err e = {0};

	if (path_read(path, BATCH_REQUEST_MAX, &text, &e) < 0)
		return false;
	doc = jdoc_parse(buf_get(&text), &e);
	options = jdoc_get(doc, "options");
	*r = (struct recipe){
		.channels_scm = get(a, doc, "channels_scm"),
		.manifest_scm = get(a, doc, "manifest_scm"),
		.profile = get(a, doc, "profile"),
		.is_unnamed = jdoc_bool(jdoc_get(doc, "unnamed"), false),
		.n_options = jdoc_len(options),
	};
	*image_name = get(a, doc, "image_name");
	if (!r->channels_scm || !r->manifest_scm || !r->profile ||
		!*image_name ||
		guix_channels_parse(a, slice_of(r->channels_scm), &channels,
			&r->n_channels, &e) < 0)
		return false;
	r->channels = channels;
	r->channels_id = digest_of(r->channels_scm, strlen(r->channels_scm));
	v = arena_alloc(a, (r->n_options + 1) * sizeof(*v));
	for (size_t i = 0; i < r->n_options; i++) {
		struct slice s = jdoc_str(jdoc_at(options, i));

		v[i] = arena_copy(a, s.p ? s.p : "", s.n);
	}
	r->options = v;
	return true;
}

/* ---- batches ---- */

int
batch_write(const struct job *job, const char *const *folders, size_t n,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(job->work, "batch");
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (job_write(job, e) < 0 || aside_open(&a, path, e) < 0)
		return -1;
	jout_open(&j, a.f, 1);
	jout_begin(&j, NULL, '{');
	put_strings(&j, "folders", folders, n);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

bool
batch_is(const char *work)
{
	CLEANUP(own_free)
	char *path = path_join(work, "batch");

	return path_exists(path);
}

/* One folder of a batch. */
struct recipe_of {
	const char *folder;
	struct recipe recipe;
	const char *image_name; /* of the image file */
	bool is_ready;          /* it has a request, and is of no group yet */
};

/* All that a batch is. */
struct batch {
	struct job job;
	struct recipe_of *v;
	size_t n;
	const volatile int *stop;
	struct arena arena;
};

static int
read_batch(const char *work, struct batch *b, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(work, "batch");
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	const struct jdoc *folders;

	if (job_read(work, &b->arena, &b->job, e) < 0 ||
		path_read(path, JOB_FILE_MAX, &text, e) < 0)
		return -1;
	doc = jdoc_parse(buf_get(&text), e);
	if (!doc)
		return -1;
	folders = jdoc_get(doc, "folders");
	b->n = jdoc_len(folders);
	b->v = arena_alloc(&b->arena, (b->n + 1) * sizeof(*b->v));
	for (size_t i = 0; i < b->n; i++) {
		struct slice s = jdoc_str(jdoc_at(folders, i));

		b->v[i].folder = arena_copy(&b->arena, s.p ? s.p : "", s.n);
		b->v[i].is_ready = read_request(b->v[i].folder, &b->arena,
			&b->v[i].recipe, &b->v[i].image_name);
	}
	return 0;
}

/* Complete the spool of a recipe that leads to its image's profile. */
static int
complete(const struct recipe_of *m, const struct rebuild *all,
	const struct lowered *l, size_t n, int64_t started_s, struct err *e)
{
	CLEANUP(own_free)
	char *spool = path_join(m->folder, "spool");
	CLEANUP(own_free)
	char *note = xasprintf(
		"Lowered together with %zu other recipe%s of these channels, "
		"in one process of Guix.",
		n - 1, n == 2 ? "" : "s");
	const char *const notes[] = {note};
	int64_t share_ms = all->elapsed_ms / (int64_t)n;
	const struct rebuild one = {
		.end = REBUILD_DONE,
		.depth = DEPTH_RECIPE,
		.drv = l->drv,
		.path = l->path,
		.profile = l->profile,
		.guix_version = all->guix_version,
		.notes = notes,
		.n_notes = n > 1,
		.commands = all->commands,
		.n_commands = all->n_commands,
		.elapsed_ms = share_ms,
	};
	struct record r = {0};

	if (record_resume(&r, spool, e) < 0)
		return -1;
	record_rebuild(&r, &one);
	return record_verdict(&r, VERDICT_SAME_RECIPE, NULL,
		"Not rebuilt: depth recipe.", NULL, started_s, share_ms, e);
}

/* Does it lead to the image's profile, and to the image file's own name where
 * that is a store item's?  Else a variant might. */
static bool
is_right(const struct recipe_of *m, const struct lowered *l)
{
	CLEANUP(own_free)
	char *path = xasprintf(GUIX_STORE "%s", m->image_name);

	return l->profile && strcmp(l->profile, m->recipe.profile) == 0 &&
		(!guix_is_store_path(slice_of(path)) ||
			(l->path && strcmp(l->path, path) == 0));
}

static void
tell_stage(void *arg, const char *stage)
{
	(void)arg;
	printf("stage %s\n", stage);
	fflush(stdout);
}

static int
lower(struct batch *b, struct recipe_of *const *v, size_t n, size_t group,
	struct err *e)
{
	CLEANUP(own_trust)
	struct trust *trust = trust_load(b->job.trust, e);
	CLEANUP(own_free)
	char *work = xasprintf("%s/%zu", b->job.work, group);
	const struct rebuild_options o = {
		.trust = trust,
		.limits = b->job.limits,
		.cache = b->job.cache,
		.work = work,
		.mirrors = b->job.mirrors,
		.guix = b->job.guix,
		.depth = DEPTH_RECIPE,
		.stop = b->stop,
		.stage = tell_stage,
	};
	int64_t started_s = clock_wall_s();
	const struct recipe **recipes =
		arena_alloc(&b->arena, n * sizeof(*recipes));
	struct lowered *found = arena_alloc(&b->arena, n * sizeof(*found));
	struct rebuild all;
	int rc;

	if (!trust || path_mkdirs(work, 0700, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		recipes[i] = &v[i]->recipe;
	rc = rebuild_lower(recipes, n, &o, &all, found, e);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (is_right(v[i], &found[i]))
			rc = complete(v[i], &all, &found[i], n, started_s, e);
	rebuild_fini(&all);
	return rc;
}

int
batch_run(const char *work, const volatile int *stop, struct err *e)
{
	struct batch b = {.stop = stop};
	int rc = read_batch(work, &b, e);
	struct recipe_of **group =
		arena_alloc(&b.arena, (b.n + 1) * sizeof(*group));

	for (size_t i = 0; i < b.n && rc == 0 && !*stop; i++) {
		size_t n = 0;

		if (!b.v[i].is_ready)
			continue;
		for (size_t k = i; k < b.n; k++) {
			if (!b.v[k].is_ready ||
				b.v[k].recipe.is_unnamed !=
					b.v[i].recipe.is_unnamed ||
				strcmp(b.v[k].recipe.channels_scm,
					b.v[i].recipe.channels_scm) != 0)
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
