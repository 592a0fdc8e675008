/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/slurm.h"

#include <sys/signalfd.h>

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "sched/machine.h"
#include "sched/shard.h"
#include "sched/slurm_own.h"
#include "store/merge.h"
#include "store/runs.h"

enum {
	POLL_MIN_MS = 1000,  /* between looks at the queue, growing */
	POLL_MAX_MS = 15000, /* since squeue costs the controller */
	/* A task that is not in the queue may not be there yet, and what it wrote
	 * may not be seen here yet. */
	ABSENCES_MAX = 2,
	AWAY_MS = 3600 * 1000, /* that Slurm may not answer */
	STUDY_MAX = 256,       /* bytes of the file */
	LOG_TAIL = 600,
	STATE_MAX = 24
};

enum shard_state {
	SHARD_NEW, /* to be submitted */
	SHARD_QUEUED,
	SHARD_RUNNING,
	SHARD_DONE,
	SHARD_FAILED /* lost too often */
};

struct shard {
	enum shard_state state;
	unsigned tries, absences;
	int64_t job;          /* of the newest task that the queue has of it */
	bool is_seen;         /* and it has not ended */
	char said[STATE_MAX]; /* that task's state */
};

struct slurm {
	const struct slurm_options *o;
	struct sched_options run; /* with the number of shards that there are */
	struct store *store;
	struct slurm_queue queue;
	struct digest study;
	struct shard *shards;
	uint32_t n;
	int signals;
	int64_t away_since_ms; /* Slurm does not answer; 0: it does */
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

	va_start(ap, fmt);
	if (s->o->run->progress && vasprintf(&text, fmt, ap) >= 0) {
		text_clean(&clean, slice_of(text), TEXT_MANY_LINES);
		fprintf(s->o->run->progress, "%s\n", buf_text(&clean));
		fflush(s->o->run->progress);
	}
	va_end(ap);
}

static char *
shard_db(const struct slurm *s, uint32_t shard)
{
	return xasprintf("%s/shard-%" PRIu32 ".db", s->o->folder, shard);
}

/* ---- the division ---- */

static const struct sample **
select_all(const struct sched_options *run, size_t *n)
{
	const struct sample **v =
		xcalloc(run->corpus->n + 1, sizeof(const struct sample *));

	*n = 0;
	for (size_t i = 0; i < run->corpus->n; i++)
		if (selection_has(&run->selection, &run->corpus->v[i]))
			v[(*n)++] = &run->corpus->v[i];
	return v;
}

/* From history, how long each takes. */
static int
expect_all(struct store *store, const struct shard_images *images,
	int64_t *expected_ms, struct err *e)
{
	for (size_t i = 0; i < images->n; i++) {
		struct store_standing was;
		int known =
			store_standing(store, images->v[i]->name, 0, &was, e);

		if (known < 0)
			return -1;
		expected_ms[i] = known ? was.elapsed_ms : 0;
	}
	return 0;
}

/* Which image is of which shard; fewer shards where there is less to build. */
static int
divide(struct slurm *s, const struct shard_images *images, uint32_t *of,
	struct err *e)
{
	struct digest *keys = xcalloc(images->n + 1, sizeof(*keys));
	int64_t *expected_ms = xcalloc(images->n + 1, sizeof(*expected_ms));
	int result;

	result = shard_keys(&s->run, images, s->signals, keys, e);
	if (result == 0)
		result = expect_all(s->store, images, expected_ms, e);
	if (result == 0)
		shard_balance(keys, expected_ms, images->n, s->n, of);
	s->n = 1;
	for (size_t i = 0; i < images->n; i++)
		if (of[i] > s->n)
			s->n = of[i];
	free(keys);
	free(expected_ms);
	return result;
}

/* ---- the folder ---- */

/* The number of shards and what tells the study from others. */
static int
write_study(const struct slurm *s, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(s->o->folder, "study");
	CLEANUP(own_free)
	char *text = xasprintf("%" PRIu32 " %s\n", s->n, s->run.study);

	return aside_write(path, text, strlen(text), e);
}

/* 1, 0 when there is none. */
static int
read_study(struct slurm *s, char **study, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(s->o->folder, "study");
	CLEANUP(buf_fini)
	struct buf text = {0};
	unsigned long n;
	char *end;

	if (!path_exists(path))
		return 0;
	if (path_read(path, STUDY_MAX, &text, e) < 0)
		return -1;
	n = strtoul(buf_text(&text), &end, 10);
	if (n < 1 || n > SHARDS_MAX || *end != ' ' ||
		buf_text(&text)[text.n - 1] != '\n')
		return err_set(e, ERR_INPUT, "%s: is not of unblend", path);
	s->n = (uint32_t)n;
	*study = xmemdup0(end + 1, strlen(end + 1) - 1);
	return 1;
}

static void
name_job(struct slurm *s, const char *study)
{
	char hex[DIGEST_HEX + 1];
	struct digest d = digest_of(study, strlen(study));

	digest_hex(&d, hex);
	free(s->queue.name);
	s->queue.name = xasprintf("unblend-%.12s", hex);
}

static void
see_active(void *arg, const struct slurm_task *t)
{
	if (!slurm_is_over(t->state))
		*(int64_t *)arg = t->job;
}

/* What a run before left: nothing of it may still be at work. */
static int
clear(struct slurm *s, struct err *e)
{
	CLEANUP(own_free)
	char *study = NULL;
	int64_t active = 0;
	int there = read_study(s, &study, e);

	if (there < 0)
		return -1;
	s->n = (uint32_t)s->run.shards;
	if (there) {
		name_job(s, study);
		if (slurm_list(&s->queue, see_active, &active, e) < 0)
			return -1;
	}
	if (active)
		return err_set(e, ERR_INPUT,
			"job %" PRId64
			" of a run before is still in the queue; --resume goes "
			"on with it, scancel --name=%s ends it",
			active, s->queue.name);
	if (path_remove(s->o->folder, e) < 0)
		return -1;
	return path_mkdirs(s->o->folder, 0755, e);
}

static int
write_script(struct slurm *s, struct err *e)
{
	struct slurm_options o = *s->o;
	CLEANUP(own_free)
	char *program = machine_program();
	CLEANUP(buf_fini)
	struct buf text = {0};

	o.run = &s->run;
	if (slurm_script(&text, program, &o, e) < 0)
		return -1;
	return aside_write(s->queue.script, buf_text(&text), text.n, e);
}

/* A new study, or the one that is there: 1 when there is one. */
static int
find_study(struct slurm *s, char **study, struct err *e)
{
	CLEANUP(own_free)
	char *host = NULL;
	int there;

	if (s->o->is_resume) {
		there = read_study(s, study, e);
		if (there != 0)
			return there;
	}
	if (clear(s, e) < 0)
		return -1;
	host = machine_host();
	*study = xasprintf("%s%s%s %" PRId64 " %ld",
		s->o->run->study ? s->o->run->study : "",
		s->o->run->study ? " " : "", host, clock_wall_s(),
		(long)getpid());
	return 0;
}

static int
prepare(struct slurm *s, const struct shard_images *images, uint32_t *of,
	char **study, struct err *e)
{
	CLEANUP(own_free)
	char *plan = path_join(s->o->folder, "plan");
	int there = find_study(s, study, e);

	if (there < 0 || (there == 0 && divide(s, images, of, e) < 0))
		return -1;
	s->run.study = *study;
	s->run.shards = s->n;
	name_job(s, *study);
	if (shard_study(&s->run, images, &s->study, e) < 0)
		return -1;
	if (there) {
		/* Is it of these corpora and options? */
		if (shard_plan_read(plan, &s->study, s->n, of, images->n, e) <
			0)
			return err_wrap(e, "--resume");
		return 0;
	}
	if (shard_plan_write(plan, &s->study, of, images->n, e) < 0 ||
		write_script(s, e) < 0)
		return -1;
	return write_study(s, e);
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
	struct pollfd fd = {.fd = s->signals, .events = POLLIN};
	struct signalfd_siginfo info;

	if (poll(&fd, 1, wait_ms) <= 0)
		return false;
	return read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info);
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

	if (s->o->is_resume && adopt(s, e) < 0)
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
	CLEANUP(own_store)
	struct store *db = NULL;
	struct merge_count count;

	if (!path_exists(path))
		return 0;
	if (store_open(path, STORE_READ, &db, e) < 0 ||
		merge_store(s->store, db, &count, e) < 0)
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
	const struct sample **v = select_all(&s->run, &images.n);
	uint32_t *of = xcalloc(images.n + 1, sizeof(*of));
	CLEANUP(own_free)
	char *study = NULL;
	int result;

	images.v = v;
	out->n_selected = images.n;
	result = prepare(s, &images, of, &study, e);
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
	sigset_t set, before;
	int result = -1;

	*out = (struct slurm_result){0};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, &before) < 0 ||
		(s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) <
			0)
		return err_sys(e, ERR_HOST, "cannot watch signals");
	s.queue.script = path_join(o->folder, "script");
	s.queue.name = xstrdup("unblend");
	result = run_all(&s, out, e);
	free(s.queue.script);
	free(s.queue.name);
	close(s.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}
