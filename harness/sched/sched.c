/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/sched.h"

#include <sys/signalfd.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/path.h"
#include "fetch/ref.h"
#include "sched/batch.h"
#include "sched/job.h"
#include "sched/machine.h"

enum {
	/* What a worker does beside the rebuild: reading, comparing. */
	WORKER_SLACK_S = 1800,
	WORKER_OUT_CAP = 64 * 1024,
	WORKER_LOG_CAP = 16 * 1024,
	STAGE_MAX = 32
};

/* One place where a worker runs. */
struct slot {
	bool is_busy;
	struct child child;
	size_t queued;    /* index into the queue */
	bool is_together; /* it will leave its recipe for a batch */
	size_t *batch;    /* of a batch: such indexes; NULL: of one image */
	size_t n_batch;
	char *work;
	char stage[STAGE_MAX]; /* the last it told */
	size_t heard;          /* bytes of its stdout that were looked at */
	int64_t started_ms;
};

/* A sample that is to be judged. */
struct queued {
	const struct sample *sample;
	int64_t id;    /* in the store */
	bool is_alone; /* a batch did not judge it */
};

/* Indexes into the queue. */
struct indexes {
	size_t *v;
	size_t n, cap, next;
};

struct scheduler {
	struct store *store;
	const struct sched_options *o;
	struct queued *queue;
	size_t n_queue, next, n_done;
	struct indexes waiting; /* their recipes are to be lowered together */
	struct indexes again;   /* to be tried alone */
	struct slot *slots;
	char *work;  /* folder of the jobs' folders */
	char *self;  /* this program */
	int signals; /* descriptor that tells SIGINT, SIGTERM and SIGCHLD */
	unsigned n_stops;
	size_t line_width; /* of the progress line that is on the terminal */
};

/* ---- telling ---- */

static void
clear_line(struct scheduler *s)
{
	if (s->line_width > 0)
		fprintf(s->o->progress, "\r%*s\r", (int)s->line_width, "");
	s->line_width = 0;
}

static void
tell_end(struct scheduler *s, const struct slot *slot, const char *verdict)
{
	FILE *f = s->o->progress;

	if (!f)
		return;
	clear_line(s);
	fprintf(f, "[%zu/%zu] %-16s %s (%.1f s)\n", s->n_done, s->n_queue,
		verdict, s->queue[slot->queued].sample->name,
		(double)(clock_mono_ms() - slot->started_ms) / 1000);
	fflush(f);
}

/* On a terminal, one line that is written over: what runs and how long. */
static void
tell_running(struct scheduler *s)
{
	CLEANUP(buf_fini)
	struct buf line = {0};

	if (!s->o->progress || !s->o->is_terminal)
		return;
	buf_printf(&line, "%zu of %zu done", s->n_done, s->n_queue);
	for (unsigned i = 0; i < s->o->slots; i++) {
		const struct slot *slot = &s->slots[i];

		if (!slot->is_busy)
			continue;
		if (slot->batch)
			buf_printf(&line, ", %zu recipes", slot->n_batch);
		else
			buf_printf(&line, ", %s",
				s->queue[slot->queued].sample->name);
		buf_printf(&line, ": %s %" PRId64 " s", slot->stage,
			(clock_mono_ms() - slot->started_ms) / 1000);
	}
	clear_line(s);
	s->line_width = line.n < 78 ? line.n : 78;
	fprintf(s->o->progress, "\r%.78s", buf_text(&line));
	fflush(s->o->progress);
}

/* ---- one job ---- */

static void
fill_job(const struct scheduler *s, const struct sample *sample,
	const struct ref *ref, const char *work, struct job *job)
{
	const struct sched_options *o = s->o;

	*job = (struct job){
		.name = sample->name,
		.image = ref->path,
		.work = work,
		.cache = o->cache,
		.trust = o->trust,
		.guix = o->guix,
		.channels = sample->channels,
		.manifest = sample->manifest,
		.pack_options = sample->pack_options,
		.mirrors = o->mirrors,
		.sha256 = sample->sha256,
		.has_sha256 = sample->has_sha256,
		.depth = sample->has_depth ? sample->depth : o->depth,
		.limits = o->limits,
		.image_limits = o->image_limits,
	};
	if (sample->timeout_s)
		job->limits.deadline_s = sample->timeout_s;
	if (sample->silence_s)
		job->limits.silence_s = sample->silence_s;
}

static void
index_add(struct indexes *x, size_t i)
{
	VEC_GROW(x->v, x->n, x->cap);
	x->v[x->n++] = i;
}

static char *
work_of(const struct scheduler *s, size_t queued)
{
	return xasprintf("%s/%zu", s->work, queued + 1);
}

/* Run the worker of a folder. */
static int
start_worker(struct scheduler *s, struct slot *slot, int64_t deadline_s,
	struct err *e)
{
	const char *const argv[] = {s->self, "worker", slot->work, NULL};
	const struct child_spec spec = {
		.argv = argv,
		.deadline_ms = (deadline_s + WORKER_SLACK_S) * 1000,
		.grace_ms = 10000,
		.out_cap = WORKER_OUT_CAP,
		.log_cap = WORKER_LOG_CAP,
	};

	slot->started_ms = clock_mono_ms();
	slot->heard = 0;
	strcpy(slot->stage, "start");
	if (child_start(&spec, &slot->child, e) < 0)
		return -1;
	slot->is_busy = true;
	return 0;
}

static int
start_image(
	struct scheduler *s, struct slot *slot, size_t queued, struct err *e)
{
	const struct queued *q = &s->queue[queued];
	struct ref ref;
	struct job job;
	int failed;

	slot->queued = queued;
	slot->work = work_of(s, queued);
	/* The corpus was checked: this is a source that can be read. */
	if (ref_parse(q->sample->source, q->sample->folder, &ref, e) < 0)
		return -1;
	fill_job(s, q->sample, &ref, slot->work, &job);
	job.is_together = job.depth == DEPTH_RECIPE && !q->is_alone;
	slot->is_together = job.is_together;
	failed = path_mkdirs(slot->work, 0700, e) < 0 || job_write(&job, e) < 0;
	ref_fini(&ref);
	return failed ? -1 : start_worker(s, slot, job.limits.deadline_s, e);
}

/* The recipes that wait, up to BATCH_MAX of them. */
static int
start_batch(struct scheduler *s, struct slot *slot, struct err *e)
{
	const struct sched_options *o = s->o;
	struct indexes *w = &s->waiting;
	size_t n = w->n - w->next < BATCH_MAX ? w->n - w->next : BATCH_MAX;
	const char **folders = xcalloc(n + 1, sizeof(*folders));
	struct arena arena = {0};
	struct job job = {.name = "batch",
		.image = "",
		.cache = o->cache,
		.trust = o->trust,
		.guix = o->guix,
		.mirrors = o->mirrors,
		.depth = DEPTH_RECIPE,
		.limits = o->limits};
	int failed;

	slot->is_together = false;
	slot->batch = xcalloc(n, sizeof(*slot->batch));
	slot->n_batch = n;
	slot->work = xasprintf("%s/batch-%zu", s->work, w->next);
	job.work = slot->work;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(own_free)
		char *folder = work_of(s, w->v[w->next]);

		slot->batch[i] = w->v[w->next++];
		folders[i] = arena_copy(&arena, folder, strlen(folder));
	}
	failed = path_mkdirs(slot->work, 0700, e) < 0 ||
		batch_write(&job, folders, n, e) < 0;
	arena_fini(&arena);
	free(folders);
	return failed ? -1 : start_worker(s, slot, o->limits.deadline_s, e);
}

/* Start what there is to start: images first, then what they left for a batch
 * once they all did or it is full, then what a batch did not judge. */
static int
start(struct scheduler *s, struct slot *slot, unsigned n_reading, struct err *e)
{
	struct indexes *again = &s->again;
	size_t n_waiting = s->waiting.n - s->waiting.next;

	if (n_waiting >= BATCH_MAX ||
		(n_waiting > 0 && s->next == s->n_queue && n_reading == 0))
		return start_batch(s, slot, e);
	if (s->next < s->n_queue)
		return start_image(s, slot, s->next++, e);
	if (again->next < again->n)
		return start_image(s, slot, again->v[again->next++], e);
	return 0;
}

/* Look at the lines that the worker wrote since; the last "stage" stays. */
static void
listen(struct slot *slot)
{
	const struct buf *out = &slot->child.out;

	while (slot->heard < out->n) {
		const char *line = out->p + slot->heard;
		const char *end = memchr(line, '\n', out->n - slot->heard);

		if (!end)
			break;
		if (strncmp(line, "stage ", 6) == 0)
			snprintf(slot->stage, sizeof(slot->stage), "%.*s",
				(int)(end - line) - 6, line + 6);
		if (strncmp(line, "verdict ", 8) == 0)
			snprintf(slot->stage, sizeof(slot->stage), "%.*s",
				(int)(end - line) - 8, line + 8);
		slot->heard = (size_t)(end - out->p) + 1;
	}
}

/* The worker gave no verdict: say so, with its last words. */
static int
store_failure(
	struct scheduler *s, struct slot *slot, const char *why, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf cause = {0};
	const struct buf *log = &slot->child.log;
	size_t from = log->n > 1000 ? log->n - 1000 : 0;

	buf_str(&cause, "The worker process gave no verdict: ");
	if (why)
		buf_str(&cause, why);
	else
		child_describe(&slot->child.outcome, &cause);
	buf_printf(&cause, ", in stage %s.", slot->stage);
	if (log->n > 0) {
		buf_str(&cause, " Its last words: ");
		buf_add(&cause, log->p + from, log->n - from);
	}
	strcpy(slot->stage, verdict_name(VERDICT_NOT_TRIED));
	return store_attempt_failed(s->store, s->queue[slot->queued].id,
		VERDICT_NOT_TRIED, "worker", buf_text(&cause),
		clock_mono_ms() - slot->started_ms, e);
}

static void
release(struct slot *slot)
{
	child_fini(&slot->child);
	free(STEAL(slot->work));
	free(STEAL(slot->batch));
	slot->is_busy = false;
}

/* A batch has ended: keep what it judged, whatever became of it; what it did
 * not is tried alone, which tells why. */
static int
finish_batch(struct scheduler *s, struct slot *slot, struct err *e)
{
	strcpy(slot->stage, verdict_name(VERDICT_SAME_RECIPE));
	for (size_t i = 0; i < slot->n_batch; i++) {
		CLEANUP(own_free)
		char *work = work_of(s, slot->batch[i]);
		CLEANUP(own_free)
		char *spool = path_join(work, "spool");
		struct queued *q = &s->queue[slot->batch[i]];

		if (store_attempt_load(s->store, q->id, spool, e) == 0) {
			slot->queued = slot->batch[i];
			s->n_done++;
			tell_end(s, slot, slot->stage);
		} else if (e->kind == ERR_INPUT) {
			q->is_alone = true;
			index_add(&s->again, slot->batch[i]);
		} else {
			return -1;
		}
		if (path_remove(work, e) < 0)
			return -1;
	}
	if (path_remove(slot->work, e) < 0)
		return -1;
	release(slot);
	return 0;
}

/* A worker has ended: keep what it found. */
static int
finish(struct scheduler *s, struct slot *slot, struct err *e)
{
	const struct outcome *outcome = &slot->child.outcome;
	CLEANUP(own_free)
	char *spool = path_join(slot->work, "spool");
	bool is_done =
		outcome->end == CHILD_EXITED && outcome->code == WORKER_DONE;
	bool is_stopped = s->n_stops > 1;
	int failed = 0;

	listen(slot);
	if (outcome->end == CHILD_EXITED && outcome->code == WORKER_WAITS) {
		index_add(&s->waiting, slot->queued);
		release(slot);
		return 0;
	}
	if (is_done &&
		store_attempt_load(
			s->store, s->queue[slot->queued].id, spool, e) < 0) {
		failed = e->kind != ERR_INPUT ||
			store_failure(s, slot, e->text, e) < 0;
	} else if (!is_done && !is_stopped) {
		failed = store_failure(s, slot, NULL, e) < 0;
	}
	if (!failed && (is_done || !is_stopped)) {
		s->n_done++;
		tell_end(s, slot, slot->stage);
	}
	if (!failed)
		failed = path_remove(slot->work, e) < 0;
	release(slot);
	return failed ? -1 : 0;
}

/* ---- the loop ---- */

static void
take_signals(struct scheduler *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		s->n_stops++;
		if (s->o->progress) {
			clear_line(s);
			fprintf(s->o->progress,
				s->n_stops == 1
					? "unblend: no new jobs; once more to "
					  "end those that run\n"
					: "unblend: ending\n");
		}
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
	struct pollfd *fds = xcalloc(1 + 2 * s->o->slots, sizeof(*fds));
	nfds_t n = 0;
	int wait_ms = s->o->is_terminal ? 1000 : 60000;

	fds[n++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
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
loop(struct scheduler *s, struct err *e)
{
	for (;;) {
		unsigned n_busy = 0, n_reading = 0;

		for (unsigned i = 0; i < s->o->slots; i++) {
			struct slot *slot = &s->slots[i];

			if (slot->is_busy && child_step(&slot->child) == 1 &&
				(slot->batch ? finish_batch(s, slot, e)
					     : finish(s, slot, e)) < 0)
				return -1;
			if (slot->is_busy)
				listen(slot);
			n_busy += slot->is_busy;
			n_reading += slot->is_busy && slot->is_together;
		}
		for (unsigned i = 0; i < s->o->slots && s->n_stops == 0; i++) {
			struct slot *slot = &s->slots[i];

			if (slot->is_busy)
				continue;
			if (start(s, slot, n_reading, e) < 0)
				return -1;
			n_busy += slot->is_busy;
			n_reading += slot->is_busy && slot->is_together;
		}
		tell_running(s);
		if (n_busy == 0)
			break;
		wait_for_events(s);
		take_signals(s);
	}
	clear_line(s);
	return 0;
}

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
add_sample(struct scheduler *s, int64_t run, const struct sample *sample,
	struct err *e)
{
	struct buf tags = {0};
	struct store_sample row = {
		.seq = (int64_t)s->n_queue + 1,
		.name = sample->name,
		.collection = sample->collection,
		.source = sample->source,
		.expect = sample->expect,
	};
	int failed;

	for (size_t i = 0; sample->tags && sample->tags[i]; i++)
		buf_printf(&tags, "%s%s", i ? " " : "", sample->tags[i]);
	row.tags = buf_text(&tags);
	failed = store_sample_add(s->store, run, &row, e) < 0;
	buf_fini(&tags);
	if (failed)
		return -1;
	s->queue[s->n_queue++] =
		(struct queued){.sample = sample, .id = row.id};
	return 0;
}

static int
open_signals(sigset_t *before, struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, before) < 0 ||
		(fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_sys(e, ERR_HOST, "cannot watch signals");
	return fd;
}

/* The path of this program, to start workers. */
static char *
own_program(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return n > 0 ? xmemdup0(path, (size_t)n) : xstrdup("unblend");
}

/* The run and its samples: all of them in the database, or none. */
static int
begin_all(struct scheduler *s, int64_t *run, struct err *e)
{
	const struct sched_options *o = s->o;
	int result;

	if (store_batch_begin(s->store, e) < 0)
		return -1;
	result = begin_run(s, run, e);
	for (size_t i = 0; result == 0 && i < o->corpus->n; i++)
		if (selection_has(&o->selection, &o->corpus->v[i]))
			result = add_sample(s, *run, &o->corpus->v[i], e);
	return store_batch_end(s->store, result, e);
}

static int
run_all(struct scheduler *s, struct sched_result *out, struct err *e)
{
	const struct sched_options *o = s->o;

	/* Only one run writes to a database: what is there is of a dead one. */
	if (path_remove(s->work, e) < 0 || path_mkdirs(s->work, 0700, e) < 0 ||
		path_mkdirs(o->cache, 0755, e) < 0 ||
		begin_all(s, &out->run, e) < 0)
		return -1;
	out->n_selected = s->n_queue;
	if (loop(s, e) < 0)
		return -1;
	out->is_stopped = s->n_done < s->n_queue;
	if (!out->is_stopped && store_run_end(s->store, out->run, e) < 0)
		return -1;
	return path_remove(s->work, e);
}

int
sched_run(struct store *store, const struct sched_options *o,
	struct sched_result *out, struct err *e)
{
	CLEANUP(own_free)
	char *db = path_absolute(o->db);
	struct scheduler s = {.store = store, .o = o};
	sigset_t before;
	int result = -1;

	*out = (struct sched_result){0};
	s.signals = open_signals(&before, e);
	if (s.signals < 0)
		return -1;
	s.queue = xcalloc(o->corpus->n + 1, sizeof(*s.queue));
	s.slots = xcalloc(o->slots, sizeof(*s.slots));
	s.work = xasprintf("%s.work", db);
	s.self = own_program();
	result = run_all(&s, out, e);
	for (unsigned i = 0; i < o->slots; i++) {
		if (s.slots[i].is_busy)
			child_fini(&s.slots[i].child);
		free(s.slots[i].work);
		free(s.slots[i].batch);
	}
	free(s.self);
	free(s.work);
	free(s.slots);
	free(s.queue);
	free(s.waiting.v);
	free(s.again.v);
	close(s.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}
