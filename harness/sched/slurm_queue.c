/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/path.h"
#include "base/text.h"
#include "base/words.h"
#include "sched/slurm_own.h"

enum {
	ASK_MS = 60 * 1000,
	OUT_CAP = 4 << 20, /* SHARDS_MAX tasks, tried some times */
	LOG_CAP = 4096
};

/* ---- the pure parts ---- */

static int
put_word(struct buf *out, const char *word, struct err *e)
{
	if (strchr(word, '\n') || strchr(word, '\r'))
		return err_set(e, ERR_INPUT,
			"'%s' has a newline in it, which no batch script can "
			"hold",
			word);
	buf_char(out, ' ');
	text_shell(out, slice_of(word));
	return 0;
}

static int
put_option(struct buf *out, const char *name, const char *value, struct err *e)
{
	CLEANUP(own_free)
	char *word = xasprintf("--%s=%s", name, value);

	return put_word(out, word, e);
}

/* A file of the task in the folder: its number is for the shell. */
static int
put_file(struct buf *out, const char *name, const struct slurm_options *o,
	const char *prefix, const char *suffix, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/%s", o->folder, prefix);

	if (put_option(out, name, path, e) < 0)
		return -1;
	buf_printf(out, "\"$SLURM_ARRAY_TASK_ID\"%s", suffix);
	return 0;
}

int
slurm_script(struct buf *out, const char *program,
	const struct slurm_options *o, struct err *e)
{
	CLEANUP(own_free)
	char *plan = path_join(o->folder, "plan");
	CLEANUP(own_free)
	char *log = path_join(o->folder, "shard-");

	buf_str(out, "#!/bin/sh\nexec");
	if (put_word(out, program, e) < 0)
		return -1;
	buf_printf(out, " run --shard=\"$SLURM_ARRAY_TASK_ID\"/%" PRId64,
		o->run->shards);
	if (put_option(out, "shard-plan", plan, e) < 0 ||
		put_option(out, "study", o->run->study, e) < 0 ||
		put_file(out, "database", o, "shard-", ".db", e) < 0 ||
		put_file(out, "output", o, "report-", "", e) < 0)
		return -1;
	buf_str(out, " --resume --quiet");
	for (size_t i = 0; o->words[i]; i++)
		if (put_word(out, o->words[i], e) < 0)
			return -1;
	buf_str(out, " >>");
	if (put_word(out, log, e) < 0)
		return -1;
	buf_str(out, "\"$SLURM_ARRAY_TASK_ID\".log 2>&1\n");
	return 0;
}

bool
slurm_parse_task(struct slice line, struct slurm_task *out)
{
	char text[64];
	char *job_end, *index_end;

	if (line.n == 0 || line.n >= sizeof(text) || line.p[0] < '0' ||
		line.p[0] > '9')
		return false;
	memcpy(text, line.p, line.n);
	text[line.n] = '\0';
	out->job = strtoll(text, &job_end, 10);
	if (*job_end != ' ' || job_end[1] < '0' || job_end[1] > '9')
		return false;
	out->shard = (uint32_t)strtoul(job_end + 1, &index_end, 10);
	if (*index_end != ' ' || !index_end[1])
		return false;
	out->state = (struct slice){
		line.p + (index_end + 1 - text), strlen(index_end + 1)};
	return true;
}

bool
slurm_is_over(struct slice state)
{
	static const char *const over[] = {"BOOT_FAIL", "CANCELLED",
		"COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
		"PREEMPTED", "REVOKED", "TIMEOUT"};

	for (size_t i = 0; i < ARRAY_LEN(over); i++)
		if (slice_is(state, over[i]))
			return true;
	return false;
}

/* ---- asking ---- */

static int
ask(const char *const *argv, struct buf *out, struct buf *log, int *status,
	struct err *e)
{
	const struct child_spec spec = {
		.argv = argv,
		.deadline_ms = ASK_MS,
		.out_cap = OUT_CAP,
		.log_cap = LOG_CAP,
	};
	struct outcome outcome;
	CLEANUP(buf_fini)
	struct buf how = {0};

	if (child_run(&spec, out, log, NULL, &outcome, e) < 0) {
		if (e->kind == ERR_ABSENT)
			return err_set(e, ERR_ABSENT,
				"there is no %s here: --executor slurm needs "
				"Slurm's commands (Debian: slurm-client), on a "
				"machine that may submit jobs",
				argv[0]);
		return -1;
	}
	if (outcome.end != CHILD_EXITED) {
		child_describe(&outcome, &how);
		return err_set(
			e, ERR_TRANSIENT, "%s %s", argv[0], buf_text(&how));
	}
	*status = outcome.code;
	return 0;
}

/* Of what it said, the first line: after that it tells of its --help. */
static char *
first_words(const struct buf *log)
{
	const char *text = buf_text(log);

	return xmemdup0(text, (size_t)(strchrnul(text, '\n') - text));
}

/* Of what it said, the last line. */
static const char *
last_words(struct buf *log)
{
	char *line;

	while (log->n > 0 && strchr("\n ", log->p[log->n - 1]))
		log->p[--log->n] = '\0';
	line = log->n ? strrchr(log->p, '\n') : NULL;
	return line ? line + 1 : buf_text(log);
}

/* Is it the controller that is away, and not something of ours? */
static enum err_kind
kind_of(const char *words)
{
	static const char *const away[] = {"Unable to contact slurm controller",
		"Socket timed out", "Connection refused", "try again",
		"temporarily"};

	for (size_t i = 0; i < ARRAY_LEN(away); i++)
		if (strcasestr(words, away[i]))
			return ERR_TRANSIENT;
	return ERR_INPUT;
}

int
slurm_submit(const struct slurm_queue *q, const char *shards, int64_t *job,
	struct err *e)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	CLEANUP(words_fini)
	struct words argv = {.arena = &arena};
	CLEANUP(buf_fini)
	struct buf word = {0};
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	char *end;
	int status = 0;

	words_add(&argv, "sbatch");
	for (const char *const *w = q->o->options; w && *w; w++)
		words_add(&argv, *w);
	/* Ours are last, since the last one counts. */
	words_add(&argv, "--parsable");
	/* The script has a log of its own: of a name with a backslash in it
	 * sbatch replaces nothing. */
	words_add(&argv, "--output=/dev/null");
	buf_printf(&word, "--job-name=%s", q->name);
	words_add(&argv, buf_text(&word));
	buf_clear(&word);
	buf_printf(&word, "--array=%s", shards);
	words_add(&argv, buf_text(&word));
	words_add(&argv, q->script);
	if (ask(words_take(&argv), &out, &log, &status, e) < 0)
		return -1;
	if (status != 0) {
		CLEANUP(own_free)
		char *words = first_words(&log);

		return err_set(e, kind_of(words), "%s", words);
	}
	*job = strtoll(buf_text(&out), &end, 10);
	if (*job <= 0)
		return err_set(e, ERR_HOST,
			"sbatch gives '%s' where the number of a job was "
			"expected",
			buf_text(&out));
	return 0;
}

int
slurm_list(const struct slurm_queue *q,
	void (*f)(void *arg, const struct slurm_task *t), void *arg,
	struct err *e)
{
	CLEANUP(own_free)
	char *name = xasprintf("--name=%s", q->name);
	const char *const argv[] = {"squeue", "--noheader", "--array",
		"--states=all", "--format=%F %K %T", name, NULL};
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	const char *p;
	int status = 0;

	if (ask(argv, &out, &log, &status, e) < 0)
		return -1;
	if (status != 0)
		return err_set(
			e, ERR_TRANSIENT, "squeue: %s", last_words(&log));
	for (p = buf_text(&out); *p;) {
		const char *end = strchrnul(p, '\n');
		struct slurm_task task;

		if (slurm_parse_task(
			    (struct slice){p, (size_t)(end - p)}, &task))
			f(arg, &task);
		p = *end ? end + 1 : end;
	}
	return 0;
}

int
slurm_cancel(const struct slurm_queue *q, struct err *e)
{
	CLEANUP(own_free)
	char *name = xasprintf("--name=%s", q->name);
	const char *const argv[] = {"scancel", "--quiet", name, NULL};
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	int status = 0;

	if (ask(argv, &out, &log, &status, e) < 0)
		return -1;
	return status == 0
		? 0
		: err_set(e, ERR_TRANSIENT, "scancel: %s", last_words(&log));
}
