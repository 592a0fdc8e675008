/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "sched/own.h"
#include "sched/result.h"
#include "sched/worker.h"

/* ---- is it the same run? ---- */

/* The samples that were, held against those that are. */
struct match {
	struct scheduler *s;
	size_t n;     /* of those that were */
	char **files; /* store_basis.file that each image was begun with */
	int64_t run;
};

PRINTF_LIKE(3, 4)
static int
differs(const struct match *m, struct err *e, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(e, ERR_INPUT,
		"run %" PRId64 " cannot be resumed, for %s; without --resume a "
		"run of its own begins",
		m->run, what);
}

static int
match_run(const struct match *m, const struct store_run *run, struct err *e)
{
	const struct sched_options *o = m->s->o;

	if (strcmp(run->accept, verdict_name(o->accept)) != 0)
		return differs(m, e, "it accepts %s, and this %s", run->accept,
			verdict_name(o->accept));
	if (strcmp(run->depth, depth_name(o->depth)) != 0)
		return differs(m, e, "its depth is %s, and not %s", run->depth,
			depth_name(o->depth));
	return 0;
}

/* What the verdicts of a run must all depend on. */
static int
match_basis(const struct match *m, const struct sample *sample,
	const struct store_basis *was, struct err *e)
{
	struct scheduler *s = m->s;
	CLEANUP(buf_fini)
	struct buf what = {0};
	struct store_basis is;

	basis_of(&s->basis, sample, &is);
	if (!digest_eq(&was->policy, &is.policy)) {
		workplace_tell_policy(s, &what);
		return differs(m, e, "%s", buf_text(&what));
	}
	if (strcmp(was->guix, is.guix) != 0)
		return differs(m, e, "its guix is '%s', and this one's '%s'",
			was->guix, is.guix);
	if (!digest_eq(&was->entry, &is.entry))
		return differs(m, e,
			"what the corpus says of '%s' has changed since",
			sample->name);
	return 0;
}

static int
match_sample(void *arg, const struct store_run_sample *r, struct err *e)
{
	struct match *m = arg;
	struct scheduler *s = m->s;
	struct queued *q = &s->queue[m->n];

	if (m->n == s->n_queue)
		return differs(m, e, "it has '%s', and this has not", r->name);
	if (strcmp(q->sample->name, r->name) != 0 ||
		strcmp(q->sample->source, r->source) != 0)
		return differs(m, e,
			"it has '%s' (%s), where this has '%s' (%s)", r->name,
			r->source, q->sample->name, q->sample->source);
	if (r->has_basis && match_basis(m, q->sample, &r->basis, e) < 0)
		return -1;
	q->id = r->id;
	q->is_done = r->is_done;
	m->files[m->n] = r->basis.file ? xstrdup(r->basis.file) : NULL;
	m->n++;
	return 0;
}

static int
match_all(struct match *m, const struct store_run *run, struct err *e)
{
	struct scheduler *s = m->s;

	if (match_run(m, run, e) < 0 ||
		store_run_samples(s->store, run->id, match_sample, m, e) < 0)
		return -1;
	if (m->n < s->n_queue)
		return differs(m, e, "it has no '%s', and this has",
			s->queue[m->n].sample->name);
	return 0;
}

/* ---- what its workers left ---- */

/* Of a group that can be held against its images. */
static bool
is_built(const char *folder)
{
	CLEANUP(result_fini)
	struct result result = {0};
	const struct rebuild *r = &result.rebuild;
	struct err ignored;

	if (result_read(folder, &result, &ignored) < 0 || r->is_transient ||
		r->end == REBUILD_NOT_TRIED)
		return false;
	/* It was rooted; but a root is no more than a link. */
	return r->end != REBUILD_DONE || !r->output || path_exists(r->output);
}

static bool
is_lowered(const char *folder)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct result_lowered l;
	struct err ignored;

	return result_lowered_read(folder, &arena, &l, &ignored) > 0 &&
		path_exists(l.lowered.drv);
}

int
resume_group(struct scheduler *s, uint32_t group, struct err *e)
{
	static const char *const all[] = {"request", "lowered", NULL};
	static const char *const alone[] = {"request", NULL};
	CLEANUP(own_free)
	char *folder = pool_group(s, group);
	bool has_lowered = is_lowered(folder);

	return workplace_keep(folder, has_lowered ? all : alone, e) < 0
		? -1
		: has_lowered;
}

static int
take_group(struct scheduler *s, uint32_t group, struct err *e)
{
	CLEANUP(own_free)
	char *folder = pool_group(s, group);
	int rc;

	if (is_built(folder)) {
		plan_built(s->plan, group);
		return 0;
	}
	rc = resume_group(s, group, e);
	if (rc > 0)
		plan_lowered(s->plan, group);
	return rc < 0 ? -1 : 0;
}

/* Was it read, to its end, from a file that is still the same (mark, which was
 * `was'), and is what was recorded of it as the reader left it? */
static bool
is_read(const char *folder, const char *was, const char *mark)
{
	CLEANUP(own_free)
	char *request = path_join(folder, "request");
	CLEANUP(own_free)
	char *spool = path_join(folder, "spool");
	CLEANUP(arena_fini)
	struct arena arena = {0};
	struct worker_read read;
	struct err ignored;
	struct stat st;

	return path_exists(request) &&
		(!was || (mark && strcmp(was, mark) == 0)) &&
		worker_read_load(folder, &arena, &read, &ignored) == 0 &&
		stat(spool, &st) == 0 && st.st_size == read.spool_bytes;
}

static int
take_image(
	const struct match *m, uint32_t image, const char *mark, struct err *e)
{
	static const char *const files[] = {
		"job.json", "request", "read", "same", "spool", NULL};
	struct scheduler *s = m->s;
	CLEANUP(own_free)
	char *folder = pool_image(s, image);
	uint32_t group;

	if (!is_read(folder, m->files[image], mark)) {
		plan_add(s->plan, image, s->queue[image].expected_ms);
		return path_remove(folder, e);
	}
	if (workplace_keep(folder, files, e) < 0)
		return -1;
	if (pool_take_request(s, image, &group, e) < 0) {
		if (e->kind == ERR_HOST)
			return -1;
		plan_add(s->plan, image, s->queue[image].expected_ms);
		return path_remove(folder, e);
	}
	plan_expect(s->plan, image, s->queue[image].expected_ms);
	/* The first of a group finds what became of it. */
	return plan_members(s->plan, group, PLAN_END) == image
		? take_group(s, group, e)
		: 0;
}

/* Of the run before it was interrupted, and of those before it. */
static int
count_tries(const struct match *m, uint32_t image, const struct store_basis *is,
	struct err *e)
{
	struct scheduler *s = m->s;
	struct queued *q = &s->queue[image];
	int64_t n, last_s;

	if (before_look(s, m->run, image, is, e) < 0 ||
		store_trials(s->store, q->id, &n, &last_s, e) < 0)
		return -1;
	/* Which verdicts stand was found out when it began. */
	q->is_done = false;
	q->of_run = 0;
	q->tries += n;
	return 0;
}

static int
take_all(struct match *m, struct err *e)
{
	struct scheduler *s = m->s;
	int64_t unjudged, unaccepted;

	if (!workplace_is_sound(s) && path_remove(s->work, e) < 0)
		return -1;
	if (workplace_open(s, e) < 0 || workplace_sweep(s, e) < 0 ||
		store_counts(s->store, m->run, s->counts, &unjudged,
			&unaccepted, e) < 0)
		return -1;
	for (size_t i = 0; i < s->n_queue; i++) {
		struct queued *q = &s->queue[i];
		struct store_basis is;

		if (q->is_done) {
			s->n_done++;
			continue;
		}
		basis_of(&s->basis, q->sample, &is);
		if (count_tries(m, (uint32_t)i, &is, e) < 0 ||
			take_image(m, (uint32_t)i, is.file, e) < 0)
			return -1;
	}
	return 0;
}

int
resume_run(struct scheduler *s, int64_t *run, struct err *e)
{
	struct match m = {.s = s};
	struct store_run row;
	int rc;

	if (store_run_get(s->store, 0, &row, e) < 0)
		return e->kind == ERR_ABSENT ? 0 : -1;
	*run = m.run = row.id;
	m.files = xcalloc(s->n_queue + 1, sizeof(*m.files));
	rc = match_all(&m, &row, e);
	if (rc == 0 && row.ended_s > 0) {
		s->n_done = s->n_queue;
		rc = 2;
	} else if (rc == 0) {
		rc = take_all(&m, e) < 0 ? -1 : 1;
	}
	for (size_t i = 0; i < m.n; i++)
		free(m.files[i]);
	free(m.files);
	return rc;
}
