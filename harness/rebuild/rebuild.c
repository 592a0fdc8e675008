/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/rebuild.h"

#include <sys/stat.h>

#include <string.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/lower.h"
#include "rebuild/task.h"

enum {
	LOG_MORE = 4096,    /* bytes that a capped log says of itself */
	CLIENT_BYTES = 8192 /* of the file that knows the client's version */
};

static const char *const ends[] = {
	[REBUILD_DONE] = "done",
	[REBUILD_REFUSED] = "refused",
	[REBUILD_UNAVAILABLE] = "unavailable",
	[REBUILD_UNBUILDABLE] = "unbuildable",
	[REBUILD_TIMEOUT] = "timeout",
	[REBUILD_NOT_TRIED] = "not-tried",
};

static int
refuse(struct task *t, const char *class_, const struct channel *c,
	const char *what)
{
	CLEANUP(buf_fini)
	struct buf cause = {0};

	buf_printf(&cause, "Channel '%s': %s", c->name ? c->name : "?", what);
	return task_end(t, REBUILD_REFUSED, class_, buf_text(&cause), NULL);
}

/* Before anything is fetched or run. */
static int
check_policy(struct task *t)
{
	const struct recipe *r = t->recipe;
	CLEANUP(buf_fini)
	struct buf cause = {0};
	CLEANUP(buf_fini)
	struct buf advice = {0};

	if (r->n_channels == 0)
		return task_end(t, REBUILD_REFUSED, "untrusted",
			"It is not known which channels the recipe would run.",
			NULL);
	for (size_t i = 0; i < r->n_channels; i++) {
		const struct channel *c = &r->channels[i];
		CLEANUP(buf_fini)
		struct buf why = {0};
		CLEANUP(buf_fini)
		struct buf line = {0};

		if (!c->name || !c->url || !policy_url_ok(c->url))
			return refuse(t, "url", c,
				"its URL is none of https, http, git or an "
				"absolute file.");
		if (!policy_commit_ok(c->commit) ||
			(c->intro_commit && !policy_commit_ok(c->intro_commit)))
			return refuse(t, "commit", c,
				"its commit or introduction is not 40 "
				"lower-case hex digits.");
		if (c->intro_signer && !policy_signer_ok(c->intro_signer))
			return refuse(t, "signer", c,
				"its introduction's signer is no fingerprint "
				"of 40 hex digits.");
		if (trust_allows(t->o->trust, c, &why, &line))
			continue;
		buf_printf(&cause, "%s%s",
			cause.n ? "; " : "Not trusted: ", buf_text(&why));
		buf_printf(&advice, "%s%s",
			advice.n ? "\n"
				 : "If you trust what would be run, add to the "
				   "trust file:\n",
			buf_text(&line));
	}
	if (!cause.n)
		return 1;
	buf_str(&cause, ". Nothing of it was fetched or run.");
	return task_end(t, REBUILD_REFUSED, "untrusted", buf_text(&cause),
		arena_copy(t->a, buf_text(&advice), advice.n));
}

/* What tells one program from another at the same place. */
static const char *
client_mark(struct task *t)
{
	struct stat st;

	if (stat(t->guix, &st) < 0)
		return NULL;
	return task_text(t, "%s %lld.%09ld %lld\n", t->guix,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		(long long)st.st_size);
}

/* The version of the client, which is asked once, and then known as long as it
 * is the same program. */
static int
ask_version(struct task *t, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	CLEANUP(own_free)
	char *file = xasprintf("%s/client", t->cache);
	CLEANUP(buf_fini)
	struct buf known = {0};
	const char *mark = client_mark(t);
	int code, rc;

	if (mark && path_read(file, CLIENT_BYTES, &known, e) == 0 &&
		slice_starts(buf_get(&known), mark)) {
		t->out->guix_version =
			task_keep(t, buf_text(&known) + strlen(mark));
		return 1;
	}
	rc = task_command(t, (const char *const[]){t->guix, "--version", NULL},
		VOICE_LOUD, &out, &log, &code, e);
	if (rc <= 0)
		return rc;
	t->out->guix_version = guix_version(t->a, buf_get(&out));
	if (code != 0 || !t->out->guix_version)
		return task_end(t, REBUILD_NOT_TRIED, "guix",
			"guix --version does not say that it is GNU Guix.",
			NULL);
	if (!mark)
		return 1;
	buf_clear(&known);
	buf_printf(&known, "%s%s", mark, t->out->guix_version);
	if (aside_write(file, known.p, known.n, e) < 0)
		return task_end_host(t, "host", e);
	return 1;
}

static int
run_steps(struct task *t, struct err *e)
{
	static const struct {
		const char *stage;
		int (*run)(struct task *t, struct err *e);
	} steps[] = {
		{NULL, ask_version},
		{"instance", instance_get},
		{"lower", lower_step},
		{"build", build_output},
		{"depth", depth_step},
	};
	int rc = check_policy(t);

	if (rc > 0)
		rc = task_open(t, e);
	for (size_t i = 0; rc > 0 && i < ARRAY_LEN(steps); i++) {
		if (steps[i].stage)
			task_stage(t, steps[i].stage);
		rc = steps[i].run(t, e);
	}
	build_count(t);
	return rc < 0 ? -1 : 0;
}

int
rebuild_run(const struct recipe *recipe, const struct rebuild_options *o,
	struct rebuild *out, struct err *e)
{
	CLEANUP(task_fini)
	struct task t = {.recipe = recipe, .o = o, .out = out, .log_fd = -1};

	*out = (struct rebuild){.end = REBUILD_NOT_TRIED, .depth = o->depth};
	t.a = &out->arena;
	t.commands.arena = t.notes.arena = t.a;
	t.started_ms = clock_mono_ms();
	t.until_ms = t.started_ms + o->limits.deadline_s * 1000;
	if (run_steps(&t, e) < 0)
		return -1;
	if (task_close(&t, e) < 0)
		task_end_host(&t, "host", e);
	if (out->end != REBUILD_DONE)
		out->output = NULL;
	out->is_transient = classify_may_pass(out->class_);
	return 0;
}

static int
ask_versions(struct task *t, const char *const *names, size_t n,
	const struct versions **found, struct err *e)
{
	int rc = check_policy(t);

	if (rc > 0)
		rc = task_open(t, e);
	if (rc > 0)
		rc = ask_version(t, e);
	if (rc > 0) {
		task_stage(t, "instance");
		rc = instance_get(t, e);
	}
	if (rc > 0) {
		task_stage(t, "versions");
		rc = versions_ask(t, names, n, found, e);
	}
	if (rc > 0)
		t->out->end = REBUILD_DONE;
	return rc < 0 ? -1 : 0;
}

int
rebuild_versions(const struct recipe *recipe, const struct rebuild_options *o,
	const char *const *names, size_t n, struct rebuild *out,
	const struct versions **found, struct err *e)
{
	CLEANUP(task_fini)
	struct task t = {.recipe = recipe, .o = o, .out = out, .log_fd = -1};

	*found = NULL;
	*out = (struct rebuild){.end = REBUILD_NOT_TRIED};
	t.a = &out->arena;
	t.commands.arena = t.notes.arena = t.a;
	t.started_ms = clock_mono_ms();
	t.until_ms = t.started_ms + o->limits.deadline_s * 1000;
	if (ask_versions(&t, names, n, found, e) < 0)
		return -1;
	if (task_close(&t, e) < 0)
		task_end_host(&t, "host", e);
	return 0;
}

static int
lower_recipes(struct task *t, const struct recipe *const *recipes, size_t n,
	struct lowered *found, struct err *e)
{
	struct lowering *v;
	int rc = check_policy(t);

	if (rc > 0)
		rc = task_open(t, e);
	if (rc > 0)
		rc = ask_version(t, e);
	if (rc > 0) {
		task_stage(t, "instance");
		rc = instance_get(t, e);
	}
	if (rc <= 0)
		return rc;
	v = arena_alloc(t->a, n * sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		CLEANUP(own_free)
		char *file = xasprintf("%s/manifest-%zu.scm", t->work, i);

		v[i] = (struct lowering){.options = recipes[i]->options,
			.n_options = recipes[i]->n_options,
			.manifest = task_keep(t, file)};
		if (aside_write_brief(file, recipes[i]->manifest_scm,
			    strlen(recipes[i]->manifest_scm), e) < 0)
			return task_end_host(t, "host", e);
	}
	task_stage(t, "lower");
	rc = lower_all(t, v, n, e);
	for (size_t i = 0; i < n && rc > 0; i++)
		found[i] = (struct lowered){v[i].drv, v[i].path, v[i].profile};
	if (rc > 0)
		t->out->end = REBUILD_DONE;
	return rc;
}

int
rebuild_lower(const struct recipe *const *recipes, size_t n,
	const struct rebuild_options *o, struct rebuild *out,
	struct lowered *found, struct err *e)
{
	CLEANUP(task_fini)
	struct task t = {
		.recipe = recipes[0], .o = o, .out = out, .log_fd = -1};

	*out = (struct rebuild){
		.end = REBUILD_NOT_TRIED, .depth = DEPTH_RECIPE};
	t.a = &out->arena;
	t.commands.arena = t.notes.arena = t.a;
	t.started_ms = clock_mono_ms();
	t.until_ms = t.started_ms + o->limits.deadline_s * 1000;
	for (size_t i = 0; i < n; i++)
		found[i] = (struct lowered){0};
	if (lower_recipes(&t, recipes, n, found, e) < 0)
		return -1;
	return task_close(&t, e);
}

/* A task that goes on with the log and the lists of the one before. */
static int
reopen(struct task *t, struct err *e)
{
	struct rebuild *r = t->out;
	struct err none = {0};

	if (r->log_path &&
		path_read(r->log_path, t->o->limits.log_bytes + LOG_MORE,
			&t->log, &none) < 0)
		buf_clear(&t->log);
	for (size_t i = 0; i < r->n_commands; i++)
		words_add(&t->commands, r->commands[i]);
	for (size_t i = 0; i < r->n_notes; i++)
		words_add(&t->notes, r->notes[i]);
	return task_open(t, e);
}

int
rebuild_examine(struct rebuild *r, const struct recipe *recipe,
	const struct rebuild_options *o, struct examined *v, size_t n,
	const char *const *roots, size_t n_roots, struct err *e)
{
	CLEANUP(task_fini)
	struct task t = {.recipe = recipe, .o = o, .out = r, .log_fd = -1};
	const int64_t elapsed_ms = r->elapsed_ms;
	size_t n_done = n < REBUILD_EXAMINE_MAX ? n : REBUILD_EXAMINE_MAX;
	int rc;

	t.a = &r->arena;
	t.commands.arena = t.notes.arena = t.a;
	t.started_ms = clock_mono_ms();
	t.until_ms = t.started_ms + o->limits.deadline_s * 1000 - r->elapsed_ms;
	for (size_t i = n_done; i < n; i++) {
		v[i].end = EXAMINED_FAILED;
		v[i].why = "it is one of too many";
	}
	rc = reopen(&t, e);
	if (rc > 0) {
		task_stage(&t, "examine");
		instance_find(&t);
		rc = items_examine(&t, v, n_done, roots, n_roots, e);
	} else if (rc == 0) {
		/* What could be opened before cannot be now. */
		r->end = REBUILD_DONE;
		rc = err_set(e, ERR_HOST, "%s", r->cause);
	}
	build_count(&t);
	if (task_close(&t, e) < 0)
		rc = -1;
	r->elapsed_ms += elapsed_ms;
	return rc;
}

void
rebuild_fini(struct rebuild *r)
{
	arena_fini(&r->arena);
	*r = (struct rebuild){0};
}

static void
strings(struct jout *j, const char *key, const char *const *v, size_t n)
{
	jout_begin(j, key, '[');
	for (size_t i = 0; i < n; i++)
		jout_str(j, NULL, v[i]);
	jout_end(j, ']');
}

void
rebuild_json(const struct rebuild *r, struct jout *j, const char *key)
{
	jout_begin(j, key, '{');
	jout_str(j, "ended", ends[r->end]);
	jout_str(j, "class", r->class_);
	jout_str(j, "cause", r->cause);
	jout_str(j, "advice", r->advice);
	jout_bool(j, "transient", r->is_transient);
	jout_str(j, "derivation", r->drv);
	jout_str(j, "output", r->output);
	jout_str(j, "profile", r->profile);
	jout_str(j, "failed_derivation", r->failed_drv);
	jout_str(j, "failed_lines", r->failed_lines);
	jout_str(j, "guix_version", r->guix_version);
	jout_bool(j, "checked", r->is_checked);
	jout_bool(j, "stable", r->is_stable);
	jout_int(j, "built", r->built);
	jout_int(j, "substituted", r->substituted);
	jout_int(j, "valid", r->valid);
	jout_int(j, "downloaded", r->downloaded);
	jout_str(j, "depth", depth_name(r->depth));
	jout_int(j, "examined", r->examined);
	jout_int(j, "unstable", r->unstable);
	strings(j, "notes", r->notes, r->n_notes);
	strings(j, "built_derivations", r->built_drvs, r->n_built_drvs);
	strings(j, "commands", r->commands, r->n_commands);
	jout_int(j, "elapsed_ms", r->elapsed_ms);
	jout_end(j, '}');
}
