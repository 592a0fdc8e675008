/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/lower.h"

#include <string.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/path.h"
#include "base/text.h"
#include "rebuild/drv.h"
#include "rebuild/guix.h"

static const char script[] =
#include "rebuild/lower.scm.h"
	;

static const char mark[] = "unblend-lowered";

int
lower_data(const char *const *const *commands, size_t n, struct buf *out,
	struct err *e)
{
	buf_char(out, '(');
	for (size_t i = 0; i < n; i++) {
		buf_char(out, '(');
		for (const char *const *w = commands[i]; *w; w++) {
			if (text_scheme(out, slice_of(*w)) < 0)
				return err_set(e, ERR_INPUT,
					"a word of the recipe is not UTF-8");
			buf_char(out, ' ');
		}
		buf_str(out, ")\n");
	}
	buf_str(out, ")\n");
	return 0;
}

/* The line after which the text of section n begins, or with "" as n, the next
 * one of any. */
static const char *
find_mark(struct slice text, const char *line)
{
	size_t n = strlen(line);

	for (const char *p = text.p; p < text.p + text.n; p++) {
		size_t left = (size_t)(text.p + text.n - p);

		p = memmem(p, left, line, n);
		if (!p)
			return NULL;
		if (p == text.p || p[-1] == '\n')
			return p;
	}
	return NULL;
}

bool
lower_section(struct slice text, const char *word, size_t n, struct slice *out)
{
	CLEANUP(own_free)
	char *begin = xasprintf("%s %zu\n", word, n);
	CLEANUP(own_free)
	char *next = xasprintf("%s ", word);
	const char *p = find_mark(text, begin), *end;

	if (!p)
		return false;
	p += strlen(begin);
	out->p = p;
	out->n = (size_t)(text.p + text.n - p);
	end = find_mark(*out, next);
	if (end)
		out->n = (size_t)(end - p);
	return true;
}

bool
lower_needs_build(struct slice log)
{
	static const char told[] = "error: unable to start any build; ";
	struct slice line;

	while (guix_log_line(&log, &line))
		if (memmem(line.p, line.n, told, strlen(told)))
			return true;
	return false;
}

int
lower_fit(const struct lowering *v, const char *profile, const char *name)
{
	if (!v->drv)
		return 0;
	if (name && v->path && strcmp(v->path + strlen(GUIX_STORE), name) == 0)
		return 2;
	return profile && v->profile && strcmp(v->profile, profile) == 0;
}

/* The profile that the pack's derivation takes in: the recipe's own, where
 * several are there. */
static const char *
find_profile(struct task *t, const struct drv *pack)
{
	const char *found = NULL;

	for (size_t i = 0; i < pack->n_inputs; i++) {
		struct drv drv;
		struct err e = {0};
		const char *path;

		if (!slice_ends(slice_of(pack->inputs[i]), "-profile.drv") ||
			task_drv(t, pack->inputs[i], &drv, &e) < 0)
			continue;
		path = drv_out(&drv);
		if (path && t->recipe->profile &&
			strcmp(path, t->recipe->profile) == 0)
			return path;
		if (!found)
			found = path;
	}
	return found;
}

/* 1, or 0 when the rebuild has ended since the store cannot be read. */
static int
take_drv(
	struct task *t, struct slice printed, struct lowering *v, struct err *e)
{
	struct drv drv;

	v->drv = guix_drv_printed(t->a, printed);
	if (!v->drv)
		return 1;
	if (task_drv(t, v->drv, &drv, e) < 0)
		return task_end_host(t, "store", e);
	v->path = drv_out(&drv);
	v->profile = find_profile(t, &drv);
	return 1;
}

/* A depth without builds leaves the daemon no job to do them. */
static const char *const *
limits_of(struct task *t)
{
	CLEANUP(words_fini)
	struct words limits = {.arena = t->a};

	for (const char *const *l = task_limits(t); *l; l++)
		words_add(&limits, *l);
	if (t->o->depth == DEPTH_RECIPE)
		words_add(&limits, "--max-jobs=0");
	return words_take(&limits);
}

static void
add_pack(struct task *t, const struct lowering *v, struct words *cmd)
{
	const struct recipe with = {
		.options = v->options, .n_options = v->n_options};

	guix_pack(cmd, &with, v->manifest, limits_of(t));
}

static struct slice
keep_log(struct task *t, struct slice log)
{
	return (struct slice){arena_copy(t->a, log.p, log.n), log.n};
}

int
lower_one(struct task *t, struct lowering *v, struct err *e)
{
	CLEANUP(words_fini)
	struct words cmd = {.arena = t->a};
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	int code, rc;

	instance_command(t, &cmd);
	add_pack(t, v, &cmd);
	rc = task_command(
		t, words_take(&cmd), VOICE_LOUD, &out, &log, &code, e);
	if (rc <= 0)
		return rc;
	build_note(t, buf_get(&log));
	v->log = keep_log(t, buf_get(&log));
	v->drv = NULL;
	return code == 0 ? take_drv(t, buf_get(&out), v, e) : 1;
}

static int
write_files(struct task *t, const struct lowering *v, size_t n,
	const char *program, const char *data, struct err *e)
{
	const char *const **commands =
		arena_alloc(t->a, (n + 1) * sizeof(*commands));
	CLEANUP(buf_fini)
	struct buf text = {0};

	for (size_t i = 0; i < n; i++) {
		CLEANUP(words_fini)
		struct words cmd = {.arena = t->a};

		add_pack(t, &v[i], &cmd);
		commands[i] = words_take(&cmd) + 1; /* without "pack" */
	}
	if (lower_data(commands, n, &text, e) < 0 ||
		aside_write_brief(program, script, sizeof(script) - 1, e) < 0 ||
		aside_write_brief(data, buf_text(&text), text.n, e) < 0)
		return task_end_host(t, "host", e);
	return 1;
}

/* 2 when that Guix cannot run the script. */
static int
lower_together(struct task *t, struct lowering *v, size_t n, struct err *e)
{
	CLEANUP(words_fini)
	struct words cmd = {.arena = t->a};
	CLEANUP(own_free)
	char *program = xasprintf("%s/lower.scm", t->work);
	CLEANUP(own_free)
	char *data = xasprintf("%s/lower.data", t->work);
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct slice text;
	int code, rc = write_files(t, v, n, program, data, e);

	if (rc <= 0)
		return rc;
	instance_command(t, &cmd);
	words_add(&cmd, "repl");
	words_add(&cmd, "--");
	words_add(&cmd, program);
	words_add(&cmd, data);
	rc = task_command(
		t, words_take(&cmd), VOICE_LOUD, &out, &log, &code, e);
	if (rc <= 0)
		return rc;
	if (code != 0 || !lower_section(buf_get(&out), mark, n - 1, &text))
		return 2;
	build_note(t, buf_get(&log));
	for (size_t i = 0; i < n && rc == 1; i++) {
		v[i].drv = NULL;
		if (lower_section(buf_get(&log), mark, i, &text))
			v[i].log = keep_log(t, text);
		if (lower_section(buf_get(&out), mark, i, &text))
			rc = take_drv(t, text, &v[i], e);
	}
	return rc;
}

int
lower_all(struct task *t, struct lowering *v, size_t n, struct err *e)
{
	int rc = 2;

	if (n == 0)
		return 1;
	if (n > 1)
		rc = lower_together(t, v, n, e);
	if (rc != 2)
		return rc;
	rc = 1;
	for (size_t i = 0; i < n && rc == 1; i++)
		rc = lower_one(t, &v[i], e);
	return rc;
}

/* --- the step -------------------------------------------------------------- */

/* "HASH-NAME" when the image file is named as the store named it. */
static const char *
own_name(const struct task *t)
{
	CLEANUP(own_free)
	char *path = NULL;

	if (!t->o->image_name)
		return NULL;
	path = xasprintf(GUIX_STORE "%s", t->o->image_name);
	return guix_is_store_path(slice_of(path)) ? t->o->image_name : NULL;
}

static int
take(struct task *t, const struct lowering *v)
{
	t->out->drv = v->drv;
	t->out->path = v->path;
	t->out->profile = v->profile;
	return 1;
}

/* What was tried, and what came of it, in a note. */
static void
tell_tried(struct task *t, const struct variant *variants, size_t n,
	const struct variant *taken, int fit)
{
	CLEANUP(buf_fini)
	struct buf list = {0};

	for (size_t i = 0; i < n; i++)
		buf_printf(&list, "%s%s", i ? "; " : "", variants[i].label);
	task_note(t,
		"The recipe as inferred does not lead to %s. Lowered besides "
		"it: %s.",
		own_name(t) ? "the image file's own name"
			    : "the profile that the image holds",
		buf_text(&list));
	if (taken)
		task_note(t, "Taken: %s, which leads to %s.", taken->label,
			fit == 2 ? "the image file's own name"
				 : "the profile that the image holds");
	else
		task_note(t, "None of them leads there.");
}

/* The base recipe does not fit as well as could be: try the variants. */
static int
try_variants(struct task *t, int fit, struct lowering *best, struct err *e)
{
	const struct variant *variants, *taken = NULL;
	size_t n = recipe_variants(t->recipe, t->a, &variants);
	struct lowering *v = arena_alloc(t->a, (n + 1) * sizeof(*v));
	int rc;

	for (size_t i = 0; i < n; i++)
		v[i] = (struct lowering){.options = variants[i].options,
			.n_options = variants[i].n_options,
			.manifest = t->manifest};
	rc = lower_all(t, v, n, e);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		int other = lower_fit(&v[i], t->recipe->profile, own_name(t));

		if (other <= fit)
			continue;
		fit = other;
		taken = &variants[i];
		*best = v[i];
	}
	t->out->variant = taken;
	tell_tried(t, variants, n, taken, fit);
	return 1;
}

int
lower_step(struct task *t, struct err *e)
{
	struct lowering best = {.options = t->recipe->options,
		.n_options = t->recipe->n_options,
		.manifest = t->manifest};
	const char *name = own_name(t), *profile = t->recipe->profile;
	const struct lowered *known = t->o->lowered;
	bool is_blocked;
	int fit, rc;

	if (known) {
		best.drv = task_keep(t, known->drv);
		best.path = task_keep(t, known->path);
		best.profile = task_keep(t, known->profile);
		return take(t, &best);
	}
	rc = lower_one(t, &best, e);
	if (rc <= 0)
		return rc;
	is_blocked = !best.drv && t->o->depth == DEPTH_RECIPE &&
		lower_needs_build(best.log);
	if (!best.drv && !is_blocked && best.log.n)
		return task_diagnose(t, STEP_LOWER, best.log, e);
	fit = lower_fit(&best, profile, name);
	if (!t->o->is_fixed && (profile || name) && fit < (name ? 2 : 1)) {
		rc = try_variants(t, fit, &best, e);
		if (rc <= 0)
			return rc;
	}
	if (best.drv)
		return take(t, &best);
	if (is_blocked)
		return task_end(t, REBUILD_NOT_TRIED, "needs-build",
			"Guix cannot tell what the recipe leads to without a "
			"build: it must see what a package that is to be "
			"grafted refers to.",
			"Rebuild it at depth pack.");
	return task_end(t, REBUILD_UNBUILDABLE, "lower-failed",
		"guix pack -d did not print a derivation.", NULL);
}
