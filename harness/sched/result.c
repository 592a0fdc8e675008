/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/result.h"

#include "base/aside.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"

static void
put_strings(struct jout *j, const char *key, const char *const *v, size_t n)
{
	jout_begin(j, key, '[');
	for (size_t i = 0; i < n; i++)
		jout_str(j, NULL, v[i]);
	jout_end(j, ']');
}

static void
put_variant(struct jout *j, const struct variant *v)
{
	if (!v)
		return;
	jout_begin(j, "variant", '{');
	jout_str(j, "label", v->label);
	jout_str(j, "overrules", v->overrules);
	put_strings(j, "options", v->options, v->n_options);
	jout_end(j, '}');
}

static void
put_dates(struct jout *j, const struct commit_date *v, size_t n)
{
	jout_begin(j, "dates", '[');
	for (size_t i = 0; i < n; i++) {
		jout_begin(j, NULL, '{');
		jout_str(j, "commit", v[i].commit);
		jout_int(j, "time_s", v[i].time_s);
		jout_end(j, '}');
	}
	jout_end(j, ']');
}

static void
put_rebuild(struct jout *j, const struct rebuild *b)
{
	jout_int(j, "end", b->end);
	jout_str(j, "cause", b->cause);
	jout_str(j, "advice", b->advice);
	jout_str(j, "class", b->class_);
	jout_bool(j, "transient", b->is_transient);
	jout_str(j, "drv", b->drv);
	jout_str(j, "path", b->path);
	jout_str(j, "output", b->output);
	put_variant(j, b->variant);
	jout_str(j, "profile", b->profile);
	jout_str(j, "failed_drv", b->failed_drv);
	jout_str(j, "failed_lines", b->failed_lines);
	jout_str(j, "guix_version", b->guix_version);
	jout_bool(j, "checked", b->is_checked);
	jout_bool(j, "stable", b->is_stable);
	jout_int(j, "built", b->built);
	jout_int(j, "substituted", b->substituted);
	jout_int(j, "valid", b->valid);
	jout_int(j, "downloaded", b->downloaded);
	jout_str(j, "depth", depth_name(b->depth));
	put_strings(j, "examined", b->examined_drvs, b->examined);
	jout_int(j, "unstable", b->unstable);
	put_dates(j, b->dates, b->n_dates);
	put_strings(j, "notes", b->notes, b->n_notes);
	put_strings(j, "built_drvs", b->built_drvs, b->n_built_drvs);
	put_strings(j, "commands", b->commands, b->n_commands);
	jout_str(j, "log_path", b->log_path);
	jout_int(j, "elapsed_ms", b->elapsed_ms);
}

int
result_write(const char *folder, const struct result *r, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(folder, "rebuilt");
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (aside_open(&a, path, e) < 0)
		return -1;
	jout_open(&j, a.f, 1);
	jout_begin(&j, NULL, '{');
	put_rebuild(&j, &r->rebuild);
	if (r->has_sha256)
		jout_digest(&j, "sha256", &r->sha256);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

static const struct variant *
get_variant(struct arena *a, const struct jdoc *doc)
{
	struct variant *v;

	if (jdoc_type(doc) != JDOC_OBJECT)
		return NULL;
	v = arena_alloc(a, sizeof(*v));
	v->label = jdoc_copy(doc, "label", a);
	v->overrules = jdoc_copy(doc, "overrules", a);
	v->options = jdoc_copies(doc, "options", a, &v->n_options);
	return v->label ? v : NULL;
}

static struct commit_date *
get_dates(struct arena *a, const struct jdoc *doc, size_t *n)
{
	const struct jdoc *list = jdoc_get(doc, "dates");
	struct commit_date *v;

	*n = jdoc_len(list);
	v = arena_alloc(a, (*n + 1) * sizeof(*v));
	for (size_t i = 0; i < *n; i++) {
		const struct jdoc *one = jdoc_at(list, i);
		const char *commit = jdoc_copy(one, "commit", a);

		v[i] = (struct commit_date){commit ? commit : "",
			jdoc_int(jdoc_get(one, "time_s"), 0)};
	}
	return v;
}

static unsigned
get_count(const struct jdoc *doc, const char *key)
{
	return (unsigned)jdoc_int(jdoc_get(doc, key), 0);
}

static void
get_rebuild(const struct jdoc *doc, struct rebuild *b)
{
	struct arena *a = &b->arena;
	size_t n;

	b->cause = jdoc_copy(doc, "cause", a);
	b->advice = jdoc_copy(doc, "advice", a);
	b->class_ = jdoc_copy(doc, "class", a);
	b->is_transient = jdoc_bool(jdoc_get(doc, "transient"), false);
	b->drv = jdoc_copy(doc, "drv", a);
	b->path = jdoc_copy(doc, "path", a);
	b->output = jdoc_copy(doc, "output", a);
	b->variant = get_variant(a, jdoc_get(doc, "variant"));
	b->profile = jdoc_copy(doc, "profile", a);
	b->failed_drv = jdoc_copy(doc, "failed_drv", a);
	b->failed_lines = jdoc_copy(doc, "failed_lines", a);
	b->guix_version = jdoc_copy(doc, "guix_version", a);
	b->is_checked = jdoc_bool(jdoc_get(doc, "checked"), false);
	b->is_stable = jdoc_bool(jdoc_get(doc, "stable"), false);
	b->built = get_count(doc, "built");
	b->substituted = get_count(doc, "substituted");
	b->valid = get_count(doc, "valid");
	b->downloaded = get_count(doc, "downloaded");
	b->examined_drvs = jdoc_copies(doc, "examined", a, &n);
	b->examined = (unsigned)n;
	b->unstable = get_count(doc, "unstable");
	b->dates = get_dates(a, doc, &b->n_dates);
	b->notes = jdoc_copies(doc, "notes", a, &b->n_notes);
	b->built_drvs = jdoc_copies(doc, "built_drvs", a, &b->n_built_drvs);
	b->commands = jdoc_copies(doc, "commands", a, &b->n_commands);
	b->log_path = jdoc_copy(doc, "log_path", a);
	b->elapsed_ms = jdoc_int(jdoc_get(doc, "elapsed_ms"), 0);
}

int
result_read(const char *folder, struct result *out, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(folder, "rebuilt");
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct rebuild *b = &out->rebuild;
	const char *depth;
	int64_t end;

	*out = (struct result){0};
	if (path_read(path, RESULT_MAX, &text, e) < 0)
		return -1;
	doc = jdoc_parse(buf_get(&text), e);
	if (!doc)
		return err_wrap(e, "%s", path);
	get_rebuild(doc, b);
	end = jdoc_int(jdoc_get(doc, "end"), -1);
	depth = jdoc_copy(doc, "depth", &b->arena);
	out->has_sha256 =
		digest_parse(jdoc_str(jdoc_get(doc, "sha256")), &out->sha256);
	if (end < REBUILD_DONE || end > REBUILD_NOT_TRIED || !depth ||
		!depth_parse(depth, &b->depth, NULL) ||
		(end == REBUILD_DONE && b->depth != DEPTH_RECIPE &&
			!b->output)) {
		result_fini(out);
		return err_set(e, ERR_BUG, "%s: not a whole result", path);
	}
	b->end = (enum rebuild_end)end;
	return 0;
}

void
result_fini(struct result *r)
{
	rebuild_fini(&r->rebuild);
	*r = (struct result){0};
}

bool
result_is(const char *folder)
{
	CLEANUP(own_free)
	char *path = path_join(folder, "rebuilt");

	return path_exists(path);
}

int
result_lowered_write(
	const char *folder, const struct result_lowered *l, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(folder, "lowered");
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (aside_open(&a, path, e) < 0)
		return -1;
	jout_open(&j, a.f, 1);
	jout_begin(&j, NULL, '{');
	jout_str(&j, "drv", l->lowered.drv);
	jout_str(&j, "path", l->lowered.path);
	jout_str(&j, "profile", l->lowered.profile);
	jout_str(&j, "note", l->note);
	put_dates(&j, l->dates, l->n_dates);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

int
result_lowered_read(const char *folder, struct arena *a,
	struct result_lowered *out, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(folder, "lowered");
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;

	*out = (struct result_lowered){0};
	if (path_read(path, RESULT_MAX, &text, e) < 0)
		return e->kind == ERR_ABSENT ? 0 : -1;
	doc = jdoc_parse(buf_get(&text), e);
	if (!doc)
		return err_wrap(e, "%s", path);
	out->lowered = (struct lowered){.drv = jdoc_copy(doc, "drv", a),
		.path = jdoc_copy(doc, "path", a),
		.profile = jdoc_copy(doc, "profile", a)};
	out->note = jdoc_copy(doc, "note", a);
	out->dates = get_dates(a, doc, &out->n_dates);
	return out->lowered.drv != NULL;
}
