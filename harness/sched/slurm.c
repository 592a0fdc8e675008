/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/slurm.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "sched/shard.h"
#include "sched/slurm_own.h"
#include "store/merge.h"

enum {
	POLL_MIN_MS = 1000,  /* between looks at the queue, growing */
	POLL_MAX_MS = 15000, /* since squeue costs the controller */
	/* A task that is not in the queue may not be there yet, and what it wrote
	 * may not be seen here yet. */
	ABSENCES_MAX = 2,
	AWAY_MS = 3600 * 1000, /* that Slurm may not answer */
	LOG_TAIL = 600
};

PRINTF_LIKE(2, 3)
static void
tell(const struct slurm *s, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *text = NULL;
	CLEANUP(buf_fini)
	struct buf clean = {0};
	va_list ap;

	if (!s->o->run->progress)
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	text_clean(&clean, slice_of(text), TEXT_MANY_LINES);
	fprintf(s->o->run->progress, "%s\n", buf_text(&clean));
	fflush(s->o->run->progress);
}

static char *
shard_db(const struct slurm *s, uint32_t shard)
{
	return xasprintf("%s/shard-%" PRIu32 ".db", s->o->folder, shard);
}

/* ---- the queue ---- */

static void
see_task(void *arg, const struct slurm_task *t)
{
	struct slurm *s = arg;
	struct shard *shard;

	if (t->shard < 1 || t->shard > s->n)
		return;
	shard = &s->shards[t->shard];
	if (t->job < shard->job)
		return;
	shard->job = t->job;
	shard->is_seen = !slurm_is_over(t->state);
	snprintf(shard->said, sizeof(shard->said), "%.*s",
		(int)(t->state.n < STATE_MAX ? t->state.n : STATE_MAX - 1),
		t->state.p);
}

/* Is its run at its end?  Its database says so, once nobody writes to it. */
static bool
is_done(const struct slurm *s, uint32_t number)
{
	CLEANUP(own_free)
	char *path = shard_db(s, number);
	CLEANUP(own_store)
	struct store *db = NULL;
	struct store_run run;
	struct err ignored;

	return path_exists(path) &&
		store_open(path, STORE_READ, &db, &ignored) == 0 &&
		store_run_get(db, 0, &run, &ignored) == 0 && run.ended_s != 0;
}

/* The end of what a shard said, for a person. */
static void
tell_log(const struct slurm *s, uint32_t number)
{
	CLEANUP(own_free)
	char *path =
		xasprintf("%s/shard-%" PRIu32 ".log", s->o->folder, number);
	char tail[LOG_TAIL + 1];
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (!f)
		return;
	if (fseek(f, -LOG_TAIL, SEEK_END) < 0)
		rewind(f);
	n = fread(tail, 1, LOG_TAIL, f);
	fclose(f);
	tail[n] = '\0';
	tell(s, "the end of %s:\n%s", path, tail);
}

/* It is not in the queue any more. */
static void
settle(struct slurm *s, uint32_t number)
{
	struct shard *shard = &s->shards[number];

	if (is_done(s, number)) {
		shard->state = SHARD_DONE;
		tell(s, "shard %" PRIu32 " is done", number);
		return;
	}
	if (++shard->absences < ABSENCES_MAX)
		return;
	shard->absences = 0;
	if (shard->tries >= SLURM_TRIES_MAX) {
		shard->state = SHARD_FAILED;
		tell(s, "shard %" PRIu32 " was lost %u times (%s): given up",
			number, shard->tries, shard->said);
		tell_log(s, number);
		return;
	}
	shard->state = SHARD_NEW;
	tell(s, "shard %" PRIu32 " was lost (job %" PRId64 "%s%s): again",
		number, shard->job, shard->said[0] ? ", " : "", shard->said);
}

static void
look_at(struct slurm *s, uint32_t number)
{
	struct shard *shard = &s->shards[number];
	bool is_running;

	if (shard->state != SHARD_QUEUED && shard->state != SHARD_RUNNING)
		return;
	if (!shard->is_seen) {
		settle(s, number);
		return;
	}
	shard->absences = 0;
	is_running = strcmp(shard->said, "RUNNING") == 0 ||
		strcmp(shard->said, "COMPLETING") == 0;
	if (is_running && shard->state == SHARD_QUEUED)
		tell(s, "shard %" PRIu32 " runs", number);
	else if (!is_running && shard->state == SHARD_RUNNING)
		tell(s, "shard %" PRIu32 " waits again: %s", number,
			shard->said);
	shard->state = is_running ? SHARD_RUNNING : SHARD_QUEUED;
}

/* Slurm may be away for a while, not for ever. */
static int
bear(struct slurm *s, struct err *e)
{
	int64_t now_ms = clock_mono_ms();

	if (e->kind != ERR_TRANSIENT)
		return -1;
	if (s->away_since_ms == 0) {
		s->away_since_ms = now_ms;
		tell(s, "Slurm does not answer: %s", e->text);
	}
	if (now_ms - s->away_since_ms < AWAY_MS)
		return 0;
	e->kind = ERR_HOST;
	return err_wrap(e, "Slurm has not answered for an hour");
}

static int
look(struct slurm *s, struct err *e)
{
	for (uint32_t i = 1; i <= s->n; i++)
		s->shards[i].is_seen = false;
	if (slurm_list(&s->queue, see_task, s, e) < 0)
		return bear(s, e);
	s->away_since_ms = 0;
	for (uint32_t i = 1; i <= s->n; i++)
		look_at(s, i);
	return 0;
}

/* All that are to be submitted, as one array: "1-3,7". */
static int
submit(struct slurm *s, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf list = {0};
	int64_t job = 0;
	uint32_t n = 0;

	for (uint32_t i = 1; i <= s->n; i++) {
		uint32_t last = i;

		if (s->shards[i].state != SHARD_NEW)
			continue;
		while (last < s->n && s->shards[last + 1].state == SHARD_NEW)
			last++;
		buf_printf(&list, "%s%" PRIu32, list.n ? "," : "", i);
		if (last > i)
			buf_printf(&list, "-%" PRIu32, last);
		n += last - i + 1;
		i = last;
	}
	if (n == 0)
		return 0;
	if (slurm_submit(&s->queue, buf_text(&list), &job, e) < 0)
		return bear(s, e);
	for (uint32_t i = 1; i <= s->n; i++) {
		struct shard *shard = &s->shards[i];

		if (shard->state != SHARD_NEW)
			continue;
		*shard = (struct shard){.state = SHARD_QUEUED,
			.tries = shard->tries + 1,
			.job = job};
	}
	tell(s, "job %" PRId64 ": %" PRIu32 " shard%s", job, n,
		n == 1 ? "" : "s");
	return 0;
}

static bool
is_at_end(const struct slurm *s)
{
	for (uint32_t i = 1; i <= s->n; i++)
		if (s->shards[i].state < SHARD_DONE)
			return false;
	return true;
}

/* Wait; true when a signal told us to stop. */
static bool
is_told_to_stop(const struct slurm *s, int wait_ms)
{
	struct pollfd fd = {.fd = s->signals.fd, .events = POLLIN};

	poll(&fd, 1, wait_ms);
	return signals_stop(&s->signals);
}

static int
stop(struct slurm *s, struct err *e)
{
	tell(s, "stopped: cancelling what is in the queue");
	if (slurm_cancel(&s->queue, e) < 0)
		tell(s, "%s", e->text);
	return 0;
}

/* On the way again after an end of this process: what is in the queue stays. */
static int
adopt(struct slurm *s, struct err *e)
{
	if (slurm_list(&s->queue, see_task, s, e) < 0)
		return -1;
	for (uint32_t i = 1; i <= s->n; i++) {
		if (s->shards[i].is_seen)
			s->shards[i].state = SHARD_QUEUED;
		else if (is_done(s, i))
			s->shards[i].state = SHARD_DONE;
	}
	return 0;
}

static int
follow(struct slurm *s, bool *is_stopped, struct err *e)
{
	int wait_ms = POLL_MIN_MS;

	if (s->o->run->is_resume && adopt(s, e) < 0)
		return -1;
	while (!is_at_end(s)) {
		if (submit(s, e) < 0)
			return -1;
		*is_stopped = is_told_to_stop(s, wait_ms);
		if (*is_stopped)
			return stop(s, e);
		if (look(s, e) < 0)
			return -1;
		wait_ms += wait_ms / 8;
		if (wait_ms > POLL_MAX_MS)
			wait_ms = POLL_MAX_MS;
	}
	return 0;
}

/* ---- the end ---- */

static int
merge_one(struct slurm *s, uint32_t number, int64_t *run, struct err *e)
{
	CLEANUP(own_free)
	char *path = shard_db(s, number);
	struct merge_count count;

	if (!path_exists(path))
		return 0;
	if (merge_file(s->store, path, &count, e) < 0)
		return -1;
	if (count.newest > *run)
		*run = count.newest;
	return 0;
}

static int
merge_all(struct slurm *s, struct slurm_result *out, struct err *e)
{
	int result = 0;

	if (store_batch_begin(s->store, e) < 0)
		return -1;
	for (uint32_t i = 1; i <= s->n && result == 0; i++) {
		if (s->shards[i].state == SHARD_DONE)
			result = merge_one(s, i, &out->run, e);
		else
			out->n_failed++;
	}
	if (store_batch_end(s->store, result, e) < 0)
		return -1;
	/* What is left of a failure is for --resume. */
	return out->n_failed ? 0 : path_remove(s->o->folder, e);
}

static int
run_all(struct slurm *s, struct slurm_result *out, struct err *e)
{
	struct shard_images images = {0};
	const struct sample **v = slurm_select(&s->run, &images.n);
	uint32_t *of = xcalloc(images.n + 1, sizeof(*of));
	CLEANUP(own_free)
	char *study = NULL;
	int result;

	images.v = v;
	out->n_selected = images.n;
	result = slurm_prepare(s, &images, of, &study, e);
	free(of);
	free(v);
	if (result < 0)
		return -1;
	s->shards = xcalloc((size_t)s->n + 1, sizeof(*s->shards));
	result = follow(s, &out->is_stopped, e);
	if (result == 0 && !out->is_stopped)
		result = merge_all(s, out, e);
	free(s->shards);
	return result;
}

int
slurm_run(struct store *store, const struct slurm_options *o,
	struct slurm_result *out, struct err *e)
{
	struct slurm s = {
		.o = o,
		.run = *o->run,
		.store = store,
		.queue.o = o,
		.n = (uint32_t)o->run->shards,
	};
	int result;

	*out = (struct slurm_result){0};
	if (signals_open(&s.signals, false, e) < 0)
		return -1;
	s.queue.script = path_join(o->folder, "script");
	result = run_all(&s, out, e);
	free(s.queue.script);
	free(s.queue.name);
	signals_close(&s.signals);
	return result;
}
