/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/worker.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"
#include "fetch/fetch.h"
#include "sched/batch.h"
#include "sched/request.h"
#include "sched/source.h"

enum {
	SCHEME_FILE_MAX = 4 << 20, /* channels and manifest of a corpus */
	READ_FILE_MAX = 64 << 10
};

void
worker_say(const char *what, const char *name)
{
	printf("%s %s\n", what, name);
	fflush(stdout);
}

void
worker_stage(void *arg, const char *stage)
{
	(void)arg;
	worker_say("stage", stage);
}

int
worker_judge(struct attempt *a, enum verdict verdict, const char *class_,
	const char *cause, const char *advice)
{
	a->verdict = verdict;
	a->class_ = class_;
	a->cause = cause ? arena_copy(&a->arena, cause, strlen(cause)) : NULL;
	a->advice =
		advice ? arena_copy(&a->arena, advice, strlen(advice)) : NULL;
	return 1;
}

/* What stood between us and the image says nothing of it. */
static int
judge_unfetched(struct attempt *a, const struct err *e)
{
	static const struct {
		const char *class_, *advice;
	} kinds[] = {
		[FETCH_NETWORK] = {"network",
			"Run it again when the network and the server work: "
			"what was fetched is still there."},
		[FETCH_TLS] = {"tls",
			"If it is the right server, trust its authority by "
			"--tls-ca FILE."},
		[FETCH_PLAIN] = {"unencrypted",
			"Ask by https; or, if the way there is trusted, "
			"--plain-http HOST."},
		[FETCH_DENIED] = {"denied",
			"Log in where it is kept (podman login, docker login), "
			"or let this user read it; or correct the corpus."},
		[FETCH_MISSING] = {"image-missing",
			"Put the image where the corpus says it is, or correct "
			"the corpus; a registry may also want credentials."},
		[FETCH_FULL] = {"disk-full",
			"Make room where the cache is (unblend gc), or choose "
			"another place by --cache."},
	};
	enum fetch_failure why = fetch_failure(e);

	if (why == FETCH_OTHER)
		return 0;
	if (why == FETCH_NETWORK)
		a->again = kinds[why].class_;
	return worker_judge(a, VERDICT_NOT_TRIED, kinds[why].class_, e->text,
		kinds[why].advice);
}

/*
 * Read the image.  What is wrong with the bytes is a verdict on the image;
 * what is wrong with this machine is not.
 */
static int
step_read(struct attempt *a, struct err *e)
{
	const struct job *job = &a->job;

	const struct source source = {
		.name = job->source,
		.folder = job->folder,
		.cache = job->cache,
		.platform = job->platform,
		.tls_ca = job->tls_ca,
		.plain_hosts = job->plain_hosts,
		.cache_bytes = job->cache_bytes,
		.sha256 = job->has_sha256 ? &job->sha256 : NULL,
		.pinned = a->pinned,
		.limits = &job->image_limits,
		.stop = a->stop,
	};

	if (source_read(&source, &a->image, e) < 0) {
		if (e->kind == ERR_INPUT)
			return worker_judge(a, VERDICT_UNREADABLE, "malformed",
				e->text,
				"Fetch the image again; if it stays so, it was "
				"published broken.");
		if (judge_unfetched(a, e) > 0)
			return 1;
		if (e->kind == ERR_POLICY)
			return worker_judge(a, VERDICT_REFUSED, "limit",
				e->text, "If you trust it, raise the limit.");
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
		return worker_judge(a, VERDICT_UNREADABLE, "digest-mismatch",
			cause, "The file is not the one that was meant.");
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
			return worker_judge(a, VERDICT_NO_PROVENANCE,
				"no-provenance", e->text,
				"Pack with --save-provenance, or give channels "
				"and manifest in the corpus.");
		}
		if (e->kind == ERR_INPUT)
			return worker_judge(a, VERDICT_UNREADABLE,
				"bad-manifest", e->text, NULL);
		if (e->kind == ERR_POLICY)
			return worker_judge(
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
		return worker_judge(
			a, VERDICT_NOT_TRIED, "corpus-file", e->text, NULL);
	if (recipe_make(a->image, a->provenance, &override, &a->recipe, e) <
		0) {
		if (e->kind == ERR_ABSENT)
			return worker_judge(a, VERDICT_NO_PROVENANCE,
				"no-provenance", e->text,
				"Give channels and manifest in the corpus.");
		if (e->kind == ERR_INPUT)
			return worker_judge(a, VERDICT_REFUSED, "bad-recipe",
				e->text,
				"The provenance in the image cannot be what "
				"Guix wrote.");
		if (e->kind == ERR_POLICY)
			return worker_judge(a, VERDICT_REFUSED, "pack-option",
				e->text, NULL);
		return -1;
	}
	return 0;
}

/* The way to a recipe; a step gives 0 to go on, 1 when there is a verdict. */
static const struct step {
	const char *name;
	int (*run)(struct attempt *a, struct err *e);
} steps[] = {
	{"read", step_read},
	{"provenance", step_provenance},
	{"recipe", step_recipe},
};

int
worker_read(struct attempt *a, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int end;

		worker_say("stage", steps[i].name);
		end = steps[i].run(a, e);
		if (end < 0 && e->kind != ERR_BUG) {
			if (e->kind == ERR_TRANSIENT)
				a->again = "network";
			/* A fault of the machine is never the image's. */
			end = worker_judge(
				a, VERDICT_NOT_TRIED, "machine", e->text, NULL);
		}
		if (end != 0)
			return end;
	}
	return 0;
}

void
worker_record_recipe(struct attempt *a)
{
	CLEANUP(buf_fini)
	struct buf command = {0};

	if (!a->recipe || !a->recipe->manifest_scm[0] ||
		!a->recipe->channels_scm[0])
		return;
	recipe_command(a->recipe, "channels.scm", "manifest.scm", &command);
	record_recipe(&a->record, a->recipe, buf_text(&command));
}

/* The lines of a rebuilt file that has the image's own bytes. */
static int
write_same(const struct attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(a->job.work, "same");
	const struct comparison none = {.verdict = VERDICT_IDENTICAL};
	struct record r = {0};

	if (record_open(&r, path, e) < 0)
		return -1;
	record_comparison(&r, a->image, &none);
	return record_pause(&r, e);
}

static int
write_read(const struct attempt *a, int64_t started_s, int64_t started_ms,
	struct err *e)
{
	CLEANUP(own_free)
	char *spool = path_join(a->job.work, "spool");
	CLEANUP(own_free)
	char *path = path_join(a->job.work, "read");
	CLEANUP(aside_drop)
	struct aside out = {0};
	struct stat st;
	struct jout j;

	if (stat(spool, &st) < 0)
		return err_sys(e, ERR_HOST, "%s", spool);
	if (aside_open(&out, path, e) < 0)
		return -1;
	out.is_brief = true;
	jout_open(&j, out.f, 1);
	jout_begin(&j, NULL, '{');
	jout_digest(&j, "sha256", &a->image->sha256);
	jout_int(&j, "spool_bytes", st.st_size);
	jout_int(&j, "started_s", started_s);
	jout_int(&j, "elapsed_ms", clock_mono_ms() - started_ms);
	jout_str(&j, "profile", a->recipe->profile);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&out, e);
}

int
worker_read_load(const char *work, struct arena *a, struct worker_read *out,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(work, "read");
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct slice profile;

	if (path_read(path, READ_FILE_MAX, &text, e) < 0)
		return -1;
	doc = jdoc_parse(buf_get(&text), e);
	if (!doc)
		return err_wrap(e, "%s", path);
	*out = (struct worker_read){
		.spool_bytes = jdoc_int(jdoc_get(doc, "spool_bytes"), -1),
		.started_s = jdoc_int(jdoc_get(doc, "started_s"), 0),
		.elapsed_ms = jdoc_int(jdoc_get(doc, "elapsed_ms"), 0),
	};
	profile = jdoc_str(jdoc_get(doc, "profile"));
	out->profile = profile.p ? arena_copy(a, profile.p, profile.n) : NULL;
	if (out->spool_bytes < 0 ||
		!digest_parse(jdoc_str(jdoc_get(doc, "sha256")), &out->sha256))
		return err_set(e, ERR_INPUT, "%s: not whole", path);
	return 0;
}

/* The request comes last: it says that all else is there. */
static int
leave_request(
	struct attempt *a, int64_t started_s, int64_t started_ms, struct err *e)
{
	const char *slash = strrchr(a->job.image, '/');

	worker_record_recipe(a);
	if (record_pause(&a->record, e) < 0 || write_same(a, e) < 0 ||
		write_read(a, started_s, started_ms, e) < 0 ||
		request_write(&a->job, a->recipe,
			slash ? slash + 1 : a->job.image, e) < 0)
		return WORKER_FAILED;
	return WORKER_WAITS;
}

static int
read_image(struct attempt *a, struct err *e)
{
	int64_t started_s = clock_wall_s(), started_ms = clock_mono_ms();
	CLEANUP(own_free)
	char *spool = path_join(a->job.work, "spool");
	int end;

	if (record_open(&a->record, spool, e) < 0)
		return WORKER_FAILED;
	end = worker_read(a, e);
	if (*a->stop)
		return WORKER_STOPPED;
	if (end < 0)
		return WORKER_FAILED;
	if (end == 0)
		return leave_request(a, started_s, started_ms, e);
	worker_record_recipe(a);
	if (record_verdict(&a->record, a->verdict, a->class_, a->cause,
		    a->advice, started_s, clock_mono_ms() - started_ms, e) < 0)
		return WORKER_FAILED;
	worker_say("verdict", verdict_name(a->verdict));
	if (!a->again)
		return WORKER_DONE;
	worker_say("again", a->again);
	return WORKER_AGAIN;
}

/* Small images, one after the other.  What cannot be read now, or may be read
 * later, is left as it was: it is read once more, alone. */
static int
read_many(const struct job *job, const volatile int *stop, struct err *e)
{
	for (const char *const *f = job->folders; *f; f++) {
		struct attempt a = {.stop = stop};
		int status = WORKER_FAILED;

		if (job_read(*f, &a.arena, &a.job, e) == 0)
			status = read_image(&a, e);
		worker_fini(&a);
		if (*stop)
			return WORKER_STOPPED;
		if (status != WORKER_DONE && status != WORKER_WAITS) {
			CLEANUP(own_free)
			char *spool = path_join(*f, "spool");

			if (path_remove(spool, e) < 0)
				return WORKER_FAILED;
		}
	}
	return WORKER_DONE;
}

void
worker_fini(struct attempt *a)
{
	record_drop(&a->record);
	comparison_fini(&a->comparison);
	result_fini(&a->result);
	recipe_free(a->recipe);
	provenance_free(a->provenance);
	image_free(a->image);
	arena_fini(&a->arena);
}

int
worker_run(const char *work, const volatile int *stop, struct err *e)
{
	struct attempt a = {.stop = stop};
	int status = WORKER_FAILED;

	if (job_read(work, &a.arena, &a.job, e) < 0) {
		arena_fini(&a.arena);
		return WORKER_FAILED;
	}
	switch (a.job.step) {
	case JOB_READ:
		status = a.job.folders ? read_many(&a.job, stop, e)
				       : read_image(&a, e);
		break;
	case JOB_LOWER:
		status = batch_lower(&a.job, stop, e);
		break;
	case JOB_BUILD:
		status = batch_build(&a.job, stop, e);
		break;
	case JOB_COMPARE:
		status = judge_run(&a.job, stop, e);
		break;
	}
	worker_fini(&a);
	return status;
}
