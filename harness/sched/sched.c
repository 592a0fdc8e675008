/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/sched.h"

#include <sys/stat.h>

#include <stdlib.h>

#include "base/clock.h"
#include "base/orphans.h"
#include "base/path.h"
#include "fetch/ref.h"
#include "sched/machine.h"
#include "sched/own.h"

enum {
	SMALL_BYTES = 256 << 10
};

static int
begin_run(struct scheduler *s, int64_t *run, struct err *e)
{
	const struct sched_options *o = s->o;
	CLEANUP(own_free)
	char *host = machine_host();
	CLEANUP(own_free)
	char *kernel = machine_kernel();
	CLEANUP(own_free)
	char *fs = machine_fs("/gnu/store");
	struct store_run row = {
		.started_s = clock_wall_s(),
		.unblend_version = o->version,
		.guix_version = "",
		.host = host,
		.kernel = kernel,
		.store_fs = fs,
		.accept = verdict_name(o->accept),
		.corpora = o->corpora,
		.depth = depth_name(o->depth),
	};

	if (store_run_begin(s->store, &row, e) < 0)
		return -1;
	*run = row.id;
	return 0;
}

static int
add_sample(struct scheduler *s, int64_t run, struct queued *q, struct err *e)
{
	const struct sample *sample = q->sample;
	CLEANUP(buf_fini)
	struct buf tags = {0};
	struct store_basis basis;
	struct store_sample row = {
		.seq = q->seq,
		.name = sample->name,
		.collection = sample->collection,
		.source = sample->source,
		.expect = sample->expect,
	};

	for (size_t i = 0; sample->tags && sample->tags[i]; i++)
		buf_printf(&tags, "%s%s", i ? " " : "", sample->tags[i]);
	row.tags = buf_text(&tags);
	basis_of(&s->basis, sample, &basis);
	if (store_sample_add(s->store, run, &row, e) < 0 ||
		store_basis_add(s->store, row.id, &basis, e) < 0 ||
		before_look(s, run, (uint32_t)(q - s->queue), &basis, e) < 0)
		return -1;
	q->id = row.id;
	if (q->of_run == 0)
		return 0;
	return store_skip_add(s->store, q->id, q->of_sample, e);
}

/* The run and its samples: all of them in the database, or none. */
static int
add_all(struct scheduler *s, int64_t *run, struct err *e)
{
	int result;

	if (store_batch_begin(s->store, e) < 0)
		return -1;
	result = begin_run(s, run, e);
	if (result == 0 && s->o->shard)
		result = shard_record(s, *run, e);
	for (size_t i = 0; result == 0 && i < s->n_queue; i++)
		result = add_sample(s, *run, &s->queue[i], e);
	return store_batch_end(s->store, result, e);
}

/* Files that are read as quickly as a worker is started. */
static void
find_small(struct scheduler *s)
{
	for (size_t i = 0; i < s->n_queue; i++) {
		const struct sample *sample = s->queue[i].sample;
		struct stat st;
		struct ref ref;
		struct err e = {0};

		if (ref_parse(sample->source, sample->folder, &ref, &e) < 0)
			continue;
		if (transport_is_local(ref.transport) &&
			stat(ref.path, &st) == 0 && S_ISREG(st.st_mode) &&
			st.st_size <= SMALL_BYTES)
			plan_small(s->plan, (uint32_t)i);
		ref_fini(&ref);
	}
}

static int
begin_all(struct scheduler *s, int64_t *run, struct err *e)
{
	/* Whatever is there is of a run that nobody goes on with. */
	if (path_remove(s->work, e) < 0 || workplace_open(s, e) < 0 ||
		add_all(s, run, e) < 0)
		return -1;
	for (size_t i = 0; i < s->n_queue; i++) {
		if (s->queue[i].is_done)
			s->n_done++;
		else
			plan_add(s->plan, (uint32_t)i, s->queue[i].expected_ms);
	}
	return 0;
}

static void
select_all(struct scheduler *s)
{
	const struct sched_options *o = s->o;

	for (size_t i = 0; i < o->corpus->n; i++) {
		if (!selection_has(&o->selection, &o->corpus->v[i]))
			continue;
		s->queue[s->n_queue] =
			(struct queued){.sample = &o->corpus->v[i],
				.seq = (int64_t)s->n_queue + 1};
		s->n_queue++;
	}
}

static int
run_all(struct scheduler *s, struct sched_result *out, struct err *e)
{
	const struct sched_options *o = s->o;
	int was = 0;

	out->n_selected = s->n_queue;
	find_small(s);
	if (path_mkdirs(o->cache, 0755, e) < 0 || workplace_clear(s, e) < 0)
		return -1;
	confine_sweep(s->work);
	if (o->is_resume)
		was = resume_run(s, &out->run, e);
	out->was_ended = was == 2;
	if (was < 0 || (was == 0 && begin_all(s, &out->run, e) < 0))
		return -1;
	s->n_before = s->n_done;
	tell_begin(s, out->run);
	before_tell(s);
	if (!out->was_ended && pool_run(s, e) < 0)
		return -1;
	tell_end(s);
	out->is_stopped = s->n_done < s->n_queue;
	if (out->is_stopped)
		return 0;
	if (!out->was_ended && store_run_end(s->store, out->run, e) < 0)
		return -1;
	return path_remove(s->work, e);
}

int
sched_open(struct scheduler *s, struct store *store,
	const struct sched_options *o, const char *work, struct err *e)
{
	*s = (struct scheduler){.store = store, .o = o, .workers_fd = -1};
	if (signals_open(&s->signals, true, e) < 0)
		return -1;
	if (basis_open(&s->basis, o, e) < 0) {
		signals_close(&s->signals);
		return -1;
	}
	s->queue = xcalloc(o->corpus->n + 1, sizeof(*s->queue));
	s->slots = xcalloc(o->slots, sizeof(*s->slots));
	s->work = xstrdup(work);
	s->self = machine_program();
	s->n_strangers = orphans_list(&s->strangers);
	confine_open(&s->cgroup);
	s->events = events_open(o->events_fd);
	select_all(s);
	if (o->shard && shard_pick(s, e) < 0) {
		sched_close(s);
		return -1;
	}
	s->plan = plan_new(s->n_queue, o->slots);
	return 0;
}

void
sched_close(struct scheduler *s)
{
	for (unsigned i = 0; i < s->o->slots; i++)
		if (s->slots[i].is_busy)
			child_fini(&s->slots[i].child);
	for (unsigned i = 0; i < s->o->slots; i++) {
		confine_end(&s->slots[i].confine, s->slots[i].work,
			s->strangers, s->n_strangers);
		free(s->slots[i].work);
	}
	cgroup_close(&s->cgroup);
	free(s->strangers);
	events_close(s->events);
	plan_free(s->plan);
	basis_fini(&s->basis);
	own_fd(&s->workers_fd);
	free(s->self);
	free(s->work);
	free(s->slots);
	free(s->queue);
	signals_close(&s->signals);
}

int
sched_run(struct store *store, const struct sched_options *o,
	struct sched_result *out, struct err *e)
{
	CLEANUP(own_free)
	char *db = path_absolute(o->db);
	CLEANUP(own_free)
	char *work = xasprintf("%s.work", db);
	struct scheduler s;
	int result;

	*out = (struct sched_result){0};
	if (sched_open(&s, store, o, work, e) < 0)
		return -1;
	result = run_all(&s, out, e);
	sched_close(&s);
	return result;
}
