/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "rebuild/rebuild.h"
#include "sched/explain.h"
#include "sched/keep.h"
#include "sched/worker.h"

enum {
	SAME_MAX = 1 << 20 /* bytes of a file "same" */
};

/* What was built, read once for all images that are held against it. */
struct artefact {
	const char *folder; /* of the request */
	struct image *image;
};

/* Nothing was built: does the recipe lead to what the image holds? */
static int
judge_recipe(struct attempt *a, const char *profile)
{
	const struct rebuild *b = &a->result.rebuild;
	CLEANUP(buf_fini)
	struct buf cause = {0};

	if (!profile)
		return worker_judge(a, VERDICT_NO_PROVENANCE, "profile-unknown",
			"The image does not tell which profile it was packed "
			"from: there is nothing to hold the recipe against.",
			"Rebuild it at depth pack.");
	if (b->profile && strcmp(b->profile, profile) == 0)
		return worker_judge(a, VERDICT_SAME_RECIPE, NULL,
			"Not rebuilt: depth recipe.", NULL);
	buf_printf(&cause,
		"The image holds the profile %s; the recipe leads to %s.",
		profile, b->profile ? b->profile : "none");
	return worker_judge(a, VERDICT_DIFFERENT, "recipe-differs",
		buf_text(&cause),
		"Its packages came from somewhere else than the image says, or "
		"it was packed with options that no image keeps: give "
		"pack-options in the corpus.");
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
		.shared = job->shared,
		.mirrors = job->mirrors,
		.guix = job->guix,
		.daemon = job->daemon,
		.depth = job->depth,
		.image_name = slash ? slash + 1 : job->image,
		.is_fixed = job->pack_options != NULL,
		.stop = a->stop,
		.stage = worker_stage,
	};
	return 0;
}

/* Of an image made of a packed one: what is equal, and what came on it. */
static void
derived_cause(const struct comparison *c, struct buf *out)
{
	enum {
		TOLD_MAX = 5
	};
	size_t told = 0;

	comparison_derived(c, out);
	out->p[0] = 'I';
	for (size_t i = 0; i < c->n_differences && told < TOLD_MAX; i++) {
		const struct difference *d = &c->differences[i];

		if (!d->path[0])
			continue;
		buf_str(out, told++ ? ", /" : "; the first of them: /");
		text_clean(out, slice_of(d->path), TEXT_ONE_LINE);
	}
	buf_char(out, '.');
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
	if (c->derived.base_layers > 0) {
		derived_cause(c, &text);
		kept = arena_copy(&a->arena, buf_text(&text), text.n);
		buf_fini(&text);
		return kept;
	}
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
	if (a->comparison.derived.base_layers > 0)
		return "It was made of an image that Guix packed: look at what "
		       "was added, or compare the packed image itself.";
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
	if (rebuild_examine(&a->result.rebuild, a->recipe, &options, v, n,
		    roots.v, roots.n, e) < 0) {
		if (e->kind == ERR_BUG)
			return -1;
		buf_printf(&cause, "%s Not examined further: %s.", cause_of(a),
			e->text);
		return worker_judge(a, VERDICT_SAME_INPUTS, "not-examined",
			buf_text(&cause), NULL);
	}
	verdict = explain_verdict(v, n);
	explain_cause(&a->comparison, a->provenance, v, n, &cause);
	explain_notes(a->provenance, v, n, &notes);
	a->n_notes = notes.n;
	a->notes = words_take(&notes);
	if (verdict == VERDICT_NONDETERMINISTIC)
		return worker_judge(a, verdict, NULL, buf_text(&cause),
			"Find out what differs between two builds of it (guix "
			"build --rounds=2 --keep-failed, then diffoscope), and "
			"tell its authors.");
	if (verdict == VERDICT_ALTERED)
		return worker_judge(a, verdict, NULL, buf_text(&cause),
			"Somebody changed the image after it was packed, or "
			"something that the package was built with, and that "
			"is not in the image, does not build the same twice: "
			"depth closure tells.");
	return worker_judge(
		a, VERDICT_SAME_INPUTS, "not-examined", buf_text(&cause), NULL);
}

static int
compare(struct attempt *a, struct artefact *artefact, struct err *e)
{
	CLEANUP(own_free)
	char *work = path_join(a->job.work, "compare");

	worker_say("stage", "compare");
	if (!artefact->image &&
		image_read(a->result.rebuild.output, &a->job.image_limits,
			&artefact->image, e) < 0)
		return worker_judge(a, VERDICT_NOT_TRIED, "rebuilt-unreadable",
			e->text,
			"What Guix built here cannot be read: a fault of this "
			"machine or of this program, not of the image.");
	a->rebuilt = artefact->image;
	if (path_mkdirs(work, 0700, e) < 0 ||
		compare_images(a->image, a->rebuilt, a->provenance, work,
			&a->comparison, e) < 0)
		return -1;
	a->has_comparison = true;
	if (a->comparison.verdict == VERDICT_SAME_INPUTS)
		return examine(a, e);
	return worker_judge(
		a, a->comparison.verdict, NULL, cause_of(a), advice_on(a));
}

/* What the rebuild says of itself, and nothing else of the image matters. */
static int
judge_end(struct attempt *a)
{
	static const enum verdict verdicts[] = {
		[REBUILD_REFUSED] = VERDICT_REFUSED,
		[REBUILD_UNAVAILABLE] = VERDICT_UNAVAILABLE,
		[REBUILD_UNBUILDABLE] = VERDICT_UNBUILDABLE,
		[REBUILD_TIMEOUT] = VERDICT_TIMEOUT,
		[REBUILD_NOT_TRIED] = VERDICT_NOT_TRIED,
	};
	const struct rebuild *b = &a->result.rebuild;

	return worker_judge(
		a, verdicts[b->end], b->class_, b->cause, b->advice);
}

/* Append the lines of the file "same". */
static int
copy_same(struct attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(a->job.work, "same");
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (path_read(path, SAME_MAX, &text, e) < 0)
		return -1;
	fwrite(text.p, 1, text.n, a->record.f);
	return 0;
}

/*
 * A verdict without reading the image again, where there is nothing to compare,
 * or the rebuilt file has the digest of the image file: 1, 0 when there is
 * none, -1.  What was recorded when it was read stays.
 */
static int
judge_at_once(struct attempt *a, const struct worker_read *read, struct err *e)
{
	const struct result *r = &a->result;
	bool is_same = r->rebuild.end == REBUILD_DONE && r->has_sha256 &&
		digest_eq(&r->sha256, &read->sha256);
	CLEANUP(own_free)
	char *spool = path_join(a->job.work, "spool");

	/* Another recipe than the one that was recorded. */
	if (r->rebuild.variant)
		return 0;
	if (r->rebuild.end == REBUILD_DONE && !is_same &&
		r->rebuild.depth != DEPTH_RECIPE)
		return 0;
	/* A killed worker may have gone on with it. */
	if (truncate(spool, read->spool_bytes) < 0)
		return err_sys(e, ERR_HOST, "%s", spool);
	if (record_resume(&a->record, spool, e) < 0)
		return -1;
	record_rebuild(&a->record, &r->rebuild);
	if (r->rebuild.end != REBUILD_DONE)
		return judge_end(a);
	if (!is_same)
		return judge_recipe(a, read->profile);
	if (copy_same(a, e) < 0)
		return -1;
	return worker_judge(a, VERDICT_IDENTICAL, NULL, NULL, NULL);
}

/* From the image's file once more. */
static int
judge_anew(struct attempt *a, const struct worker_read *read,
	struct artefact *artefact, struct err *e)
{
	const struct rebuild *b = &a->result.rebuild;
	CLEANUP(own_free)
	char *spool = path_join(a->job.work, "spool");
	int end;

	if (record_open(&a->record, spool, e) < 0)
		return -1;
	a->pinned = &read->sha256;
	end = worker_read(a, e);
	if (end == 0 && !digest_eq(&a->image->sha256, &read->sha256))
		end = worker_judge(a, VERDICT_NOT_TRIED, "image-changed",
			"The image was changed between reading it and holding "
			"it against what was built.",
			"Run it again.");
	if (end != 0) {
		if (end > 0)
			worker_record_recipe(a);
		return end;
	}
	if (b->variant)
		recipe_take(a->recipe, b->variant);
	if (b->end != REBUILD_DONE)
		end = judge_end(a);
	else if (b->depth == DEPTH_RECIPE)
		end = judge_recipe(a, a->recipe->profile);
	else
		end = compare(a, artefact, e);
	worker_record_recipe(a);
	record_rebuild(&a->record, b);
	if (a->has_comparison)
		record_comparison(&a->record, a->rebuilt, &a->comparison);
	record_notes(&a->record, a->notes, a->n_notes);
	return end;
}

/* What its rebuild left, where that is wanted; its verdict is as it is, whatever
 * comes of this. */
static void
keep(struct attempt *a, const struct artefact *artefact)
{
	const struct job *job = &a->job;
	enum verdict line;
	struct err e = {0};

	if (!job->kept ||
		(job->accept && verdict_parse(job->accept, &line) &&
			verdict_reaches(a->verdict, line)))
		return;
	if (keep_rebuild(job->kept, job->name, artefact->folder,
		    &a->result.rebuild, &e) < 0) {
		const char *note =
			arena_copy(&a->arena, e.text, strlen(e.text));

		record_notes(&a->record, &note, 1);
	}
}

/* One image: its spool gets a verdict. */
static int
judge_image(const char *folder, struct artefact *artefact,
	const volatile int *stop, struct err *e)
{
	struct attempt a = {.stop = stop};
	struct worker_read read;
	int64_t started_ms = clock_mono_ms();
	int end = -1;

	if (job_read(folder, &a.arena, &a.job, e) == 0 &&
		worker_read_load(folder, &a.arena, &read, e) == 0 &&
		result_read(artefact->folder, &a.result, e) == 0) {
		end = judge_at_once(&a, &read, e);
		if (end == 0)
			end = judge_anew(&a, &read, artefact, e);
		if (end < 0 && e->kind != ERR_BUG && a.record.f)
			end = worker_judge(&a, VERDICT_NOT_TRIED, "machine",
				e->text, NULL);
	}
	if (end > 0 && !*stop) {
		keep(&a, artefact);
		end = record_verdict(&a.record, a.verdict, a.class_, a.cause,
			a.advice, read.started_s,
			read.elapsed_ms + a.result.rebuild.elapsed_ms +
				clock_mono_ms() - started_ms,
			e);
		if (end == 0)
			worker_say("verdict", verdict_name(a.verdict));
	}
	worker_fini(&a);
	return end < 0 ? -1 : 0;
}

int
judge_run(const struct job *job, const volatile int *stop, struct err *e)
{
	struct artefact artefact = {0};
	const char *const *folders = job->folders,
			  *const *results = job->results;
	int rc = 0;

	for (; *folders && *results && rc == 0 && !*stop;
		folders++, results++) {
		if (!artefact.folder ||
			strcmp(artefact.folder, *results) != 0) {
			image_free(artefact.image);
			artefact = (struct artefact){.folder = *results};
		}
		rc = judge_image(*folders, &artefact, stop, e);
	}
	image_free(artefact.image);
	if (*stop)
		return WORKER_STOPPED;
	return rc < 0 ? WORKER_FAILED : WORKER_DONE;
}
