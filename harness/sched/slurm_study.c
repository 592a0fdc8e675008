/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/path.h"
#include "sched/machine.h"
#include "sched/slurm_own.h"
#include "store/runs.h"

enum {
	STUDY_MAX = 256 /* bytes of the file */
};

/* ---- the division ---- */

const struct sample **
slurm_select(const struct sched_options *run, size_t *n)
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
		/* As before.c has it. */
		if (known && was.verdict != VERDICT_NOT_TRIED)
			expected_ms[i] = was.elapsed_ms;
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

	result = shard_keys(&s->run, images, &s->signals, keys, e);
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

	if (s->o->run->is_resume) {
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

int
slurm_prepare(struct slurm *s, const struct shard_images *images, uint32_t *of,
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
	s->study = shard_study(&s->run, images);
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
