/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/words.h"
#include "cmd/bounding.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/corpora.h"
#include "cmd/reading.h"
#include "cmd/sharding.h"
#include "report/report.h"
#include "sched/sched.h"

enum {
	JOBS_MAX = 256,
	RETRIES_MAX = 1000,
	FD_MAX = 1 << 20,
	SECONDS_MAX = CORPUS_TIMEOUT_MAX
};

/* What the command line says. */
struct request {
	struct sched_options o;
	const char *output, *db, *trust;
	bool is_plan;
	int64_t jobs;
	bool has_accept, keeps;
	struct reading reading;
	struct words mirrors; /* pairs */
	struct sharding sharding;
	struct arena arena;
};

enum {
	OPT_ACCEPT = 256,
	OPT_CHANGED,
	OPT_PLAN,
	OPT_RETRIES,
	OPT_DEPTH,
	OPT_EVENTS,
	OPT_ONLY,
	OPT_TAG,
	OPT_TRUST,
	OPT_MIRROR,
	OPT_MIRRORS,
	OPT_CACHE,
	OPT_GUIX,
	OPT_TIMEOUT,
	OPT_SILENCE,
	OPT_RESUME,
	OPT_KEEP
};

static bool
take_retries(struct sched_options *o, const char *text)
{
	if (strcmp(text, "0") != 0)
		return common_number(
			text, "--retries", RETRIES_MAX, &o->retries);
	o->retries = 0;
	return true;
}

static bool
take_depth(struct request *r, const char *text)
{
	CLEANUP(buf_fini)
	struct buf why = {0};

	if (depth_parse(text, &r->o.depth, &why))
		return true;
	common_complain("--depth: %s", buf_text(&why));
	return false;
}

/* --json-events FD: one that can be written to. */
static bool
take_events(struct request *r, const char *text)
{
	int64_t fd;
	int flags;

	if (!common_number(text, "--json-events", FD_MAX, &fd))
		return false;
	flags = fcntl((int)fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
		common_complain("--json-events: descriptor %s is not open for "
				"writing",
			text);
		return false;
	}
	r->o.events_fd = (int)fd;
	return true;
}

/* --mirrors FILE: a mistake in it is one of the command line. */
static bool
add_mirrors(struct request *r, const char *path)
{
	struct err e = {0};

	if (moves_load(path, &r->mirrors, &e) == 0)
		return true;
	common_complain("%s", e.text);
	return false;
}

static bool
take_keep(struct request *r, const char *text)
{
	r->keeps = strcmp(text, "nothing") != 0;
	r->o.keeps_all = strcmp(text, "all") == 0;
	if (!r->keeps || r->o.keeps_all || strcmp(text, "failed") == 0)
		return true;
	common_complain("--keep takes nothing, failed or all, not '%s'", text);
	return false;
}

static bool
take_option(struct request *r, int c)
{
	struct sched_options *o = &r->o;

	switch (c) {
	case 'o':
		r->output = optarg;
		return true;
	case 'd':
		r->db = optarg;
		return true;
	case 'q':
		o->progress = NULL;
		return true;
	case 'j':
		return common_number(optarg, "-j", JOBS_MAX, &r->jobs);
	case OPT_PLAN:
		r->is_plan = true;
		return true;
	case OPT_CHANGED:
		o->is_changed = true;
		return true;
	case OPT_RETRIES:
		return take_retries(o, optarg);
	case OPT_ACCEPT:
		r->has_accept = true;
		return common_verdict(optarg, &o->accept);
	case OPT_DEPTH:
		return take_depth(r, optarg);
	case OPT_EVENTS:
		return take_events(r, optarg);
	case OPT_ONLY:
		o->selection.only = optarg;
		return true;
	case OPT_TAG:
		o->selection.tag = optarg;
		return true;
	case OPT_TRUST:
		r->trust = optarg;
		return true;
	case OPT_MIRROR:
		return common_mirror(&r->mirrors, optarg);
	case OPT_MIRRORS:
		return add_mirrors(r, optarg);
	case OPT_CACHE:
		r->reading.cache = optarg;
		return true;
	case OPT_GUIX:
		o->guix = optarg;
		return true;
	case OPT_TIMEOUT:
		return common_number(optarg, "--timeout", SECONDS_MAX,
			&o->limits.deadline_s);
	case OPT_SILENCE:
		return common_number(
			optarg, "--silence", SECONDS_MAX, &o->limits.silence_s);
	case OPT_KEEP:
		return take_keep(r, optarg);
	case OPT_RESUME:
		o->is_resume = true;
		return true;
	default:
		if (sharding_has(c))
			return sharding_take(&r->sharding, c);
		return bounding_has(c) ? bounding_take(&o->limits, &o->daemon,
						 &o->low_water, c)
				       : reading_take(&r->reading, c);
	}
}

static bool
take_options(struct request *r, int argc, char *argv[])
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"database", required_argument, NULL, 'd'},
		{"jobs", required_argument, NULL, 'j'},
		{"quiet", no_argument, NULL, 'q'},
		{"plan", no_argument, NULL, OPT_PLAN},
		{"changed", no_argument, NULL, OPT_CHANGED},
		{"retries", required_argument, NULL, OPT_RETRIES},
		{"accept", required_argument, NULL, OPT_ACCEPT},
		{"depth", required_argument, NULL, OPT_DEPTH},
		{"json-events", required_argument, NULL, OPT_EVENTS},
		{"only", required_argument, NULL, OPT_ONLY},
		{"tag", required_argument, NULL, OPT_TAG},
		{"trust", required_argument, NULL, OPT_TRUST},
		{"mirror", required_argument, NULL, OPT_MIRROR},
		{"mirrors", required_argument, NULL, OPT_MIRRORS},
		{"cache", required_argument, NULL, OPT_CACHE},
		{"guix", required_argument, NULL, OPT_GUIX},
		{"timeout", required_argument, NULL, OPT_TIMEOUT},
		{"silence", required_argument, NULL, OPT_SILENCE},
		{"resume", no_argument, NULL, OPT_RESUME},
		{"keep", required_argument, NULL, OPT_KEEP},
		READING_OPTIONS,
		BOUNDING_OPTIONS,
		SHARDING_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	r->mirrors.arena = &r->arena;
	r->jobs = 1;
	r->o.depth = DEPTH_PACK;
	r->o.limits = limits_default;
	reading_init(&r->reading);
	r->o.retries = SCHED_RETRIES;
	sharding_init(&r->sharding, &r->arena);
	r->o.progress = stderr;
	r->o.is_terminal = isatty(STDERR_FILENO);
	while ((c = common_option(argc, argv, ":o:d:j:qh", longs)) != -1) {
		if (!take_option(r, c))
			return false;
		sharding_note(&r->sharding, longs, c);
	}
	if (!r->has_accept)
		r->o.accept = r->o.depth == DEPTH_RECIPE
			? VERDICT_SAME_RECIPE
			: VERDICT_SAME_CONTENTS;
	r->o.slots = (unsigned)r->jobs;
	r->o.mirrors = r->mirrors.n ? words_take(&r->mirrors) : NULL;
	r->o.version = CMD_VERSION;
	return sharding_check(&r->sharding, argv[0], &r->o);
}

static const char *
keep(struct request *r, char *text)
{
	const char *kept = arena_copy(&r->arena, text, strlen(text));

	free(text);
	return kept;
}

/* Defaults that follow from other options, and paths made absolute. */
static void
complete(struct request *r, int n, char *files[])
{
	struct buf corpora = {0};

	words_add(&r->sharding.words, "--");
	for (int i = 0; i < n; i++) {
		buf_printf(&corpora, "%s%s", i ? "\n" : "", files[i]);
		words_add(&r->sharding.words, files[i]);
	}
	r->o.corpora = keep(r, buf_take(&corpora));
	r->o.db = r->db     ? r->db
		: r->output ? keep(r, path_join(r->output, "unblend.db"))
			    : NULL;
	r->o.cache = keep(r, common_cache(r->reading.cache));
	if (r->trust)
		r->o.trust = keep(r, path_absolute(r->trust));
	if (r->keeps) {
		CLEANUP(own_free)
		char *output = path_absolute(r->output);

		r->o.kept = keep(r, path_join(output, "kept"));
	}
	r->o.image_limits = r->reading.limits;
	r->o.platform = r->reading.platform;
	r->o.plain_hosts = reading_plain_hosts(&r->reading);
	r->o.cache_bytes = r->reading.cache_bytes;
	if (r->reading.tls_ca)
		r->o.tls_ca = keep(r, path_absolute(r->reading.tls_ca));
}

/* Exit status of a run that ended: the store knows. */
static int
judge(struct store *store, const struct sched_result *result, struct err *e)
{
	int64_t counts[VERDICT_COUNT], unjudged, unaccepted;

	if (store_counts(
		    store, result->run, counts, &unjudged, &unaccepted, e) < 0)
		return common_fail(e);
	/* Those of a shard that failed are not even in it. */
	unjudged = (int64_t)result->n_selected;
	for (int v = 0; v < VERDICT_COUNT; v++)
		unjudged -= counts[v];
	if (result->is_stopped) {
		common_complain("stopped: %lld of %zu images have no verdict; "
				"--resume goes on with them",
			(long long)unjudged, result->n_selected);
		return EXIT_MACHINE;
	}
	/* What was not tried says nothing of an image. */
	if (unaccepted > 0 && unaccepted == counts[VERDICT_NOT_TRIED])
		return EXIT_MACHINE;
	return unaccepted > 0 ? EXIT_NOT : EXIT_ACCEPTED;
}

static int
perform(struct store *store, struct request *r, struct sched_result *result,
	struct err *e)
{
	if (r->sharding.is_slurm)
		return sharding_run(store, &r->sharding, &r->o, result, e);
	return sched_run(store, &r->o, result, e);
}

static int
run(struct request *r, struct err *e)
{
	CLEANUP(own_store)
	struct store *store = NULL;
	/* A trust file with a mistake is told before anything is run. */
	CLEANUP(own_trust)
	struct trust *trust = trust_load(r->o.trust, e);
	struct sched_result result;

	if (!trust || path_mkdirs(r->output, 0755, e) < 0)
		return common_fail(e);
	path_spread(r->output);
	if (store_open(r->o.db, STORE_WRITE, &store, e) < 0 ||
		perform(store, r, &result, e) < 0 ||
		report_write(store, result.run, r->output, e) < 0 ||
		report_text(store, result.run, stdout, common_has_colour(), e) <
			0)
		return common_fail(e);
	if (result.was_ended)
		common_complain("run %lld had ended: nothing to resume",
			(long long)result.run);
	printf("report: %s/index.html\n", r->output);
	return judge(store, &result, e);
}

/* Nothing is written: where there is no database, there was no run. */
static int
plan(struct request *r, struct err *e)
{
	CLEANUP(own_store)
	struct store *store = NULL;
	CLEANUP(own_trust)
	struct trust *trust = trust_load(r->o.trust, e);

	if (!trust)
		return common_fail(e);
	if (r->o.db && store_open(r->o.db, STORE_READ, &store, e) < 0 &&
		e->kind != ERR_ABSENT)
		return common_fail(e);
	if (sched_foresee(store, &r->o, stdout, e) < 0)
		return common_fail(e);
	return EXIT_ACCEPTED;
}

int
cmd_run(int argc, char *argv[])
{
	struct request r = {0};
	struct corpus corpus = {0};
	struct err e = {0};
	int status = EXIT_WRONG;

	if (take_options(&r, argc, argv)) {
		if (!r.output && !r.is_plan)
			status = common_usage(argv[0], "-o DIR is missing");
		else if (optind == argc)
			status = common_usage(argv[0], "no corpus is named");
		else if (corpora_load(argc - optind, argv + optind, &corpus)) {
			complete(&r, argc - optind, argv + optind);
			r.o.corpus = &corpus;
			status = r.is_plan ? plan(&r, &e) : run(&r, &e);
		}
	}
	corpus_fini(&corpus);
	words_fini(&r.mirrors);
	sharding_fini(&r.sharding);
	reading_fini(&r.reading);
	arena_fini(&r.arena);
	return status;
}
