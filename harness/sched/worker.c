/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "compare/compare.h"
#include "image/image.h"
#include "provenance/provenance.h"
#include "rebuild/rebuild.h"
#include "recipe/recipe.h"
#include "sched/batch.h"
#include "sched/explain.h"
#include "sched/job.h"
#include "store/record.h"

enum {
	SCHEME_FILE_MAX = 4 << 20
}; /* channels and manifest of a corpus */

/* All that one attempt gathers on its way. */
struct attempt {
	struct job job;
	const volatile int *stop;
	struct record record;
	struct image *image;
	struct provenance *provenance;
	struct recipe *recipe;
	struct rebuild rebuild;
	bool has_rebuild; /* it was tried */
	struct image *rebuilt;
	struct comparison comparison;
	bool has_comparison;
	const char *const *notes; /* on what differs */
	size_t n_notes;

	/* the end, once a step gave 1 */
	enum verdict verdict;
	const char *class_;
	const char *cause;
	const char *advice;
	struct arena arena;
};

static void
say(const char *what, const char *name)
{
	printf("%s %s\n", what, name);
	fflush(stdout);
}

/* The verdict is found: the value of a step that ends the way. */
static int
judge(struct attempt *a, enum verdict verdict, const char *class_,
	const char *cause, const char *advice)
{
	a->verdict = verdict;
	a->class_ = class_;
	a->cause = cause ? arena_copy(&a->arena, cause, strlen(cause)) : NULL;
	a->advice =
		advice ? arena_copy(&a->arena, advice, strlen(advice)) : NULL;
	return 1;
}

/*
 * Read the image.  What is wrong with the bytes is a verdict on the image;
 * what is wrong with this machine is not.
 */
static int
step_read(struct attempt *a, struct err *e)
{
	const struct job *job = &a->job;

	if (image_read(job->image, &job->image_limits, &a->image, e) < 0) {
		if (e->kind == ERR_INPUT)
			return judge(a, VERDICT_UNREADABLE, "malformed",
				e->text,
				"Fetch the image again; if it stays so, it was "
				"published broken.");
		if (e->kind == ERR_POLICY)
			return judge(a, VERDICT_REFUSED, "limit", e->text,
				"If you trust it, raise the limit.");
		if (e->kind == ERR_ABSENT)
			return judge(a, VERDICT_NOT_TRIED, "image-missing",
				e->text,
				"Put the file where the corpus says it is, or "
				"correct the corpus.");
		return -1;
	}
	record_image(&a->record, a->image);
	if (job->has_sha256 && !digest_eq(&job->sha256, &a->image->sha256)) {
		char is[DIGEST_HEX + 1], should[DIGEST_HEX + 1], cause[300];

		digest_hex(&a->image->sha256, is);
		digest_hex(&job->sha256, should);
		snprintf(cause, sizeof(cause),
			"The file's sha256 is %s; the corpus says %s.", is,
			should);
		return judge(a, VERDICT_UNREADABLE, "digest-mismatch", cause,
			"The file is not the one that was meant.");
	}
	return 0;
}

static int
step_provenance(struct attempt *a, struct err *e)
{
	if (provenance_read(a->image, &a->provenance, e) < 0) {
		if (a->provenance)
			record_provenance(&a->record, a->provenance);
		if (e->kind == ERR_ABSENT) {
			if (a->job.channels)
				return 0;
			return judge(a, VERDICT_NO_PROVENANCE, "no-provenance",
				e->text,
				"Pack with --save-provenance, or give channels "
				"and manifest in the corpus.");
		}
		if (e->kind == ERR_INPUT)
			return judge(a, VERDICT_UNREADABLE, "bad-manifest",
				e->text, NULL);
		if (e->kind == ERR_POLICY)
			return judge(
				a, VERDICT_REFUSED, "limit", e->text, NULL);
		return -1;
	}
	record_provenance(&a->record, a->provenance);
	return 0;
}

static int
read_scheme(
	struct attempt *a, const char *path, const char **out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (!path)
		return 0;
	if (path_read(path, SCHEME_FILE_MAX, &text, e) < 0)
		return -1;
	*out = arena_copy(&a->arena, buf_text(&text), text.n);
	return 0;
}

static int
step_recipe(struct attempt *a, struct err *e)
{
	struct recipe_override override = {.pack_options = a->job.pack_options};

	if (read_scheme(a, a->job.channels, &override.channels_scm, e) < 0 ||
		read_scheme(a, a->job.manifest, &override.manifest_scm, e) < 0)
		return judge(
			a, VERDICT_NOT_TRIED, "corpus-file", e->text, NULL);
	if (recipe_make(a->image, a->provenance, &override, &a->recipe, e) <
		0) {
		if (e->kind == ERR_ABSENT)
			return judge(a, VERDICT_NO_PROVENANCE, "no-provenance",
				e->text,
				"Give channels and manifest in the corpus.");
		if (e->kind == ERR_INPUT)
			return judge(a, VERDICT_REFUSED, "bad-recipe", e->text,
				"The provenance in the image cannot be what "
				"Guix wrote.");
		if (e->kind == ERR_POLICY)
			return judge(a, VERDICT_REFUSED, "pack-option", e->text,
				NULL);
		return -1;
	}
	return 0;
}

/* What was worked out after the image was read; the recipe is known to be the
 * right one, or not, only when it was lowered. */
static void
record_rest(struct attempt *a)
{
	CLEANUP(buf_fini)
	struct buf command = {0};

	if (a->recipe && a->recipe->manifest_scm[0] &&
		a->recipe->channels_scm[0]) {
		recipe_command(
			a->recipe, "channels.scm", "manifest.scm", &command);
		record_recipe(&a->record, a->recipe, buf_text(&command));
	}
	if (a->has_rebuild)
		record_rebuild(&a->record, &a->rebuild);
	if (a->has_comparison)
		record_comparison(&a->record, a->rebuilt, &a->comparison);
	record_notes(&a->record, a->notes, a->n_notes);
}

/* Nothing was built: does the recipe lead to what the image holds? */
static int
judge_recipe(struct attempt *a)
{
	const struct rebuild *b = &a->rebuild;
	const char *profile = a->recipe->profile;
	CLEANUP(buf_fini)
	struct buf cause = {0};

	if (!profile)
		return judge(a, VERDICT_NO_PROVENANCE, "profile-unknown",
			"The image does not tell which profile it was packed "
			"from: there is nothing to hold the recipe against.",
			"Rebuild it at depth pack.");
	if (b->profile && strcmp(b->profile, profile) == 0)
		return judge(a, VERDICT_SAME_RECIPE, NULL,
			"Not rebuilt: depth recipe.", NULL);
	buf_printf(&cause,
		"The image holds the profile %s; the recipe leads to %s.",
		profile, b->profile ? b->profile : "none");
	return judge(a, VERDICT_DIFFERENT, "recipe-differs", buf_text(&cause),
		"Its packages came from somewhere else than the image says, or "
		"it was packed with options that no image keeps: give "
		"pack-options in the corpus.");
}

static void
tell_stage(void *arg, const char *stage)
{
	(void)arg;
	say("stage", stage);
}

/* options->trust is the caller's to free. */
static int
make_options(struct attempt *a, struct trust **trust,
	struct rebuild_options *options, struct err *e)
{
	const struct job *job = &a->job;
	const char *slash = strrchr(job->image, '/');

	*trust = trust_load(job->trust, e);
	if (!*trust)
		return -1;
	*options = (struct rebuild_options){
		.trust = *trust,
		.limits = job->limits,
		.cache = job->cache,
		.work = job->work,
		.mirrors = job->mirrors,
		.guix = job->guix,
		.depth = job->depth,
		.image_name = slash ? slash + 1 : job->image,
		.is_fixed = job->pack_options != NULL,
		.stop = a->stop,
		.stage = tell_stage,
	};
	return 0;
}

static int
step_rebuild(struct attempt *a, struct err *e)
{
	static const enum verdict verdicts[] = {
		[REBUILD_REFUSED] = VERDICT_REFUSED,
		[REBUILD_UNAVAILABLE] = VERDICT_UNAVAILABLE,
		[REBUILD_UNBUILDABLE] = VERDICT_UNBUILDABLE,
		[REBUILD_TIMEOUT] = VERDICT_TIMEOUT,
		[REBUILD_NOT_TRIED] = VERDICT_NOT_TRIED,
	};
	CLEANUP(own_trust)
	struct trust *trust = NULL;
	struct rebuild_options options;

	if (make_options(a, &trust, &options, e) < 0 ||
		rebuild_run(a->recipe, &options, &a->rebuild, e) < 0)
		return -1;
	a->has_rebuild = true;
	if (a->rebuild.variant)
		recipe_take(a->recipe, a->rebuild.variant);
	if (a->rebuild.end != REBUILD_DONE)
		return judge(a, verdicts[a->rebuild.end], a->rebuild.class_,
			a->rebuild.cause, a->rebuild.advice);
	return a->job.depth == DEPTH_RECIPE ? judge_recipe(a) : 0;
}

/* Why the rebuilt image is not as the original, in a sentence. */
static const char *
cause_of(struct attempt *a)
{
	const struct comparison *c = &a->comparison;
	struct buf text = {0};
	const char *kept;

	if (c->total == 0)
		return NULL;
	buf_printf(&text, "%llu difference%s", (unsigned long long)c->total,
		c->total == 1 ? "" : "s");
	for (size_t i = 0; i < c->n_packages && i < 5; i++)
		buf_printf(
			&text, "%s%s", i == 0 ? " in " : ", ", c->packages[i]);
	if (c->n_packages > 5)
		buf_printf(&text, " and %zu more packages", c->n_packages - 5);
	if (c->n_differences > 0)
		buf_printf(&text, "; the first: %s%s (%s)",
			c->differences[0].path[0] ? "/" : "the image",
			c->differences[0].path, c->differences[0].kind);
	buf_char(&text, '.');
	kept = arena_copy(&a->arena, buf_text(&text), text.n);
	buf_fini(&text);
	return kept;
}

static const char *
advice_on(const struct attempt *a)
{
	if (a->comparison.verdict == VERDICT_DIFFERENT)
		return "The image was changed after it was packed, or made by "
		       "a recipe that its provenance does not tell in full.";
	return NULL;
}

/*
 * The store paths are the same and some contents are not: is it chance, or has
 * somebody changed the image?
 */
static int
examine(struct attempt *a, struct err *e)
{
	CLEANUP(own_trust)
	struct trust *trust = NULL;
	CLEANUP(words_fini)
	struct words roots = {.arena = &a->arena};
	CLEANUP(words_fini)
	struct words notes = {.arena = &a->arena};
	CLEANUP(buf_fini)
	struct buf cause = {0};
	struct rebuild_options options;
	struct examined *v;
	size_t n = explain_items(&a->comparison, &a->arena, &v);
	enum verdict verdict;

	explain_roots(a->provenance, &roots);
	if (make_options(a, &trust, &options, e) < 0)
		return -1;
	if (rebuild_examine(&a->rebuild, a->recipe, &options, v, n, roots.v,
		    roots.n, e) < 0) {
		if (e->kind == ERR_BUG)
			return -1;
		buf_printf(&cause, "%s Not examined further: %s.", cause_of(a),
			e->text);
		return judge(a, VERDICT_SAME_INPUTS, "not-examined",
			buf_text(&cause), NULL);
	}
	verdict = explain_verdict(v, n);
	explain_cause(&a->comparison, a->provenance, v, n, &cause);
	explain_notes(a->provenance, v, n, &notes);
	a->n_notes = notes.n;
	a->notes = words_take(&notes);
	if (verdict == VERDICT_NONDETERMINISTIC)
		return judge(a, verdict, NULL, buf_text(&cause),
			"Find out what differs between two builds of it (guix "
			"build --rounds=2 --keep-failed, then diffoscope), and "
			"tell its authors.");
	if (verdict == VERDICT_ALTERED)
		return judge(a, verdict, NULL, buf_text(&cause),
			"Somebody changed the image after it was packed, or "
			"something that the package was built with, and that "
			"is not in the image, does not build the same twice: "
			"depth closure tells.");
	return judge(
		a, VERDICT_SAME_INPUTS, "not-examined", buf_text(&cause), NULL);
}

static int
step_compare(struct attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *work = path_join(a->job.work, "compare");

	if (image_read(a->rebuild.output, &a->job.image_limits, &a->rebuilt,
		    e) < 0)
		return judge(a, VERDICT_NOT_TRIED, "rebuilt-unreadable",
			e->text,
			"What Guix built here cannot be read: a fault of this "
			"machine or of this program, not of the image.");
	if (path_mkdirs(work, 0700, e) < 0 ||
		compare_images(a->image, a->rebuilt, a->provenance, work,
			&a->comparison, e) < 0)
		return -1;
	a->has_comparison = true;
	if (a->comparison.verdict == VERDICT_SAME_INPUTS)
		return examine(a, e);
	return judge(a, a->comparison.verdict, NULL, cause_of(a), advice_on(a));
}

/* The way of an image; a step gives 0 to go on, 1 when there is a verdict. */
static const struct step {
	const char *name;
	int (*run)(struct attempt *a, struct err *e);
} steps[] = {
	{"read", step_read},
	{"provenance", step_provenance},
	{"recipe", step_recipe},
	{"rebuild", step_rebuild},
	{"compare", step_compare},
};

static int
walk(struct attempt *a, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int end;

		say("stage", steps[i].name);
		if (a->job.is_together && steps[i].run == step_rebuild &&
			a->recipe->profile)
			return batch_wait(&a->job, a->recipe, e) < 0
				? WORKER_FAILED
				: WORKER_WAITS;
		end = steps[i].run(a, e);
		if (a->stop && *a->stop)
			return WORKER_STOPPED;
		if (end < 0 && e->kind != ERR_BUG) {
			/* A fault of the machine is never the image's. */
			end = judge(
				a, VERDICT_NOT_TRIED, "machine", e->text, NULL);
		}
		if (end < 0)
			return WORKER_FAILED;
		if (end > 0)
			return WORKER_DONE;
	}
	(void)!err_set(e, ERR_BUG, "no verdict at the end of the way");
	return WORKER_FAILED;
}

int
worker_run(const char *work, const volatile int *stop, struct err *e)
{
	int64_t started_s = clock_wall_s(), started_ms = clock_mono_ms();
	CLEANUP(own_free)
	char *spool = path_join(work, "spool");
	struct attempt a = {.stop = stop};
	int status = WORKER_FAILED;

	if (batch_is(work))
		return batch_run(work, stop, e);
	if (job_read(work, &a.arena, &a.job, e) == 0 &&
		record_open(&a.record, spool, e) == 0)
		status = walk(&a, e);
	if (status == WORKER_DONE || status == WORKER_WAITS)
		record_rest(&a);
	if (status == WORKER_WAITS && record_pause(&a.record, e) < 0)
		status = WORKER_FAILED;
	if (status == WORKER_DONE &&
		record_verdict(&a.record, a.verdict, a.class_, a.cause,
			a.advice, started_s, clock_mono_ms() - started_ms,
			e) < 0)
		status = WORKER_FAILED;
	if (status == WORKER_DONE)
		say("verdict", verdict_name(a.verdict));
	record_drop(&a.record);
	comparison_fini(&a.comparison);
	rebuild_fini(&a.rebuild);
	image_free(a.rebuilt);
	recipe_free(a.recipe);
	provenance_free(a.provenance);
	image_free(a.image);
	arena_fini(&a.arena);
	return status;
}
