/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/sharding.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "sched/shard.h"
#include "sched/slurm.h"

enum {
	SHARDS_DEFAULT = 8,
	STUDY_MAX = 100
};

void
sharding_init(struct sharding *s, struct arena *arena)
{
	*s = (struct sharding){
		.slurm.arena = arena,
		.words.arena = arena,
	};
}

void
sharding_fini(struct sharding *s)
{
	words_fini(&s->slurm);
	words_fini(&s->words);
}

bool
sharding_has(int c)
{
	return c >= SHARDING_SHARD && c <= SHARDING_SLURM;
}

static bool
take_shard(struct sharding *s, const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10), of = 0;

	if (text[0] >= '0' && text[0] <= '9' && *end == '/' && end[1] >= '0' &&
		end[1] <= '9')
		of = strtoll(end + 1, &end, 10);
	if (*end != '\0' || number < 1 || number > of || of > SHARDS_MAX) {
		common_complain("--shard takes I/N, as 2/8, with N up to %d, "
				"not '%s'",
			SHARDS_MAX, text);
		return false;
	}
	s->number = number;
	s->of = of;
	return true;
}

static bool
take_study(struct sharding *s, const char *text)
{
	if (strlen(text) <= STUDY_MAX && !strpbrk(text, "\r\n")) {
		s->study = text;
		return true;
	}
	common_complain(
		"--study takes at most %d bytes on one line", STUDY_MAX);
	return false;
}

static bool
take_executor(struct sharding *s, const char *text)
{
	s->is_slurm = strcmp(text, "slurm") == 0;
	if (s->is_slurm || strcmp(text, "local") == 0)
		return true;
	common_complain("--executor: '%s' is neither local nor slurm", text);
	return false;
}

/* Words with blanks between.  What is no option sbatch would take for the
 * script. */
static bool
take_slurm(struct sharding *s, const char *text)
{
	CLEANUP(own_free)
	char *copy = xstrdup(text);
	char *rest = NULL;

	for (char *w = strtok_r(copy, " \t", &rest); w;
		w = strtok_r(NULL, " \t", &rest)) {
		if (strncmp(w, "--", 2) != 0 || !w[2] ||
			s->slurm.n == SLURM_OPTIONS_MAX) {
			common_complain(
				"--slurm-options takes at most %d words "
				"like --partition=long, not '%s'",
				SLURM_OPTIONS_MAX, w);
			return false;
		}
		words_add(&s->slurm, w);
	}
	return true;
}

bool
sharding_take(struct sharding *s, int c)
{
	switch (c) {
	case SHARDING_SHARD:
		return take_shard(s, optarg);
	case SHARDING_SHARD + 1:
		s->plan = optarg;
		return true;
	case SHARDING_SHARD + 2:
		return take_study(s, optarg);
	case SHARDING_SHARD + 3:
		return take_executor(s, optarg);
	case SHARDING_SHARD + 4:
		return common_number(
			optarg, "--shards", SHARDS_MAX, &s->shards);
	default:
		return take_slurm(s, optarg);
	}
}

/* Those that the script of a task has of its own, or that are of this process. */
static bool
is_for_task(const char *name)
{
	static const char *const ours[] = {
		"output", "database", "quiet", "resume", "json-events", "help"};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return false;
	return true;
}

void
sharding_note(struct sharding *s, const struct option *longs, int c)
{
	CLEANUP(own_free)
	char *word = NULL;

	while (longs->name && longs->val != c)
		longs++;
	if (!longs->name || sharding_has(c) || !is_for_task(longs->name))
		return;
	s->keeps = s->keeps || strcmp(longs->name, "keep") == 0;
	word = longs->has_arg == no_argument
		? xasprintf("--%s", longs->name)
		: xasprintf("--%s=%s", longs->name, optarg);
	words_add(&s->words, word);
}

bool
sharding_check(struct sharding *s, const char *command, struct sched_options *o)
{
	const char *why = NULL;

	if (s->is_slurm && s->of)
		why = "--shard is for those that run by themselves, not for "
		      "--executor slurm";
	else if (!s->is_slurm && (s->shards || s->slurm.n))
		why = "--shards and --slurm-options are for --executor slurm";
	else if (s->plan && !s->of)
		why = "--shard-plan needs --shard";
	else if (s->study && !s->of && !s->is_slurm)
		why = "--study needs --shard";
	else if (s->is_slurm && s->keeps)
		why = "--keep is not for --executor slurm, whose tasks leave "
		      "nothing but their databases";
	else if (s->is_slurm && o->events_fd > 0)
		why = "--json-events is not for --executor slurm, whose tasks "
		      "are elsewhere";
	else if (s->is_slurm && o->is_changed)
		why = "--changed needs a database of runs before, and the "
		      "tasks of Slurm have new ones";
	if (why) {
		(void)common_usage(command, "%s", why);
		return false;
	}
	o->shard = s->number;
	o->shards =
		s->is_slurm ? (s->shards ? s->shards : SHARDS_DEFAULT) : s->of;
	o->shard_plan = s->plan;
	o->study = s->study;
	return true;
}

int
sharding_run(struct store *store, struct sharding *s,
	const struct sched_options *o, struct sched_result *out, struct err *e)
{
	CLEANUP(own_free)
	char *db = path_absolute(o->db);
	CLEANUP(own_free)
	char *folder = xasprintf("%s.slurm", db);
	struct slurm_options slurm = {
		.run = o,
		.folder = folder,
	};
	struct slurm_result result;

	slurm.options = words_take(&s->slurm);
	slurm.words = words_take(&s->words);
	if (slurm_run(store, &slurm, &result, e) < 0)
		return -1;
	if (result.is_stopped)
		return err_set(e, ERR_HOST,
			"stopped: the tasks are cancelled, and --resume goes "
			"on with them");
	if (result.run == 0)
		return err_set(e, ERR_HOST,
			"no shard was done; %s has what they said, and "
			"--resume tries again",
			folder);
	if (result.n_failed)
		common_complain("%zu shard%s failed; %s has what they said, "
				"and --resume tries again",
			result.n_failed, result.n_failed == 1 ? "" : "s",
			folder);
	*out = (struct sched_result){
		.run = result.run,
		.n_selected = result.n_selected,
		.is_stopped = result.n_failed > 0,
	};
	return 0;
}
