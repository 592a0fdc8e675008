/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/copy.h"
#include "base/path.h"
#include "rebuild/drv.h"
#include "rebuild/failed.h"
#include "rebuild/guix.h"
#include "rebuild/shared.h"
#include "rebuild/task.h"

static void
note_built(struct task *t, const struct guix_told *told)
{
	CLEANUP(words_fini)
	struct words built = {.arena = t->a};

	for (size_t i = 0; i < t->out->n_built_drvs; i++)
		words_add(&built, t->out->built_drvs[i]);
	for (size_t i = 0; i < told->n_built; i++)
		if (!words_has(&built, told->built[i]))
			words_add(&built, told->built[i]);
	t->out->n_built_drvs = built.n;
	t->out->built = (unsigned)built.n;
	t->out->built_drvs = words_take(&built);
	t->out->substituted += told->substituted;
}

void
build_note(struct task *t, struct slice log)
{
	CLEANUP(guix_told_fini)
	struct guix_told told = {0};

	guix_told_read(&told, t->a, log);
	note_built(t, &told);
}

void
build_note_drvs(struct task *t, const char *const *drvs, size_t n)
{
	CLEANUP(guix_told_fini)
	struct guix_told told = {0};

	for (size_t i = 0; i < n; i++) {
		VEC_GROW(told.built, told.n_built, told.cap);
		told.built[told.n_built++] = drvs[i];
	}
	note_built(t, &told);
}

/* What was there already: derivations that those built here took in, and that
 * were neither built nor substituted for this. */
void
build_count(struct task *t)
{
	CLEANUP(words_fini)
	struct words seen = {.arena = t->a};
	struct rebuild *r = t->out;
	unsigned downloaded = 0;

	for (size_t i = 0; i < r->n_built_drvs; i++)
		words_add(&seen, r->built_drvs[i]);
	for (size_t i = 0; i < r->n_built_drvs; i++) {
		struct drv drv;
		struct err e = {0};

		if (task_drv(t, r->built_drvs[i], &drv, &e) < 0)
			continue;
		downloaded += drv_is_source(&drv);
		for (size_t k = 0; k < drv.n_inputs; k++)
			if (!words_has(&seen, drv.inputs[k]))
				words_add(&seen, drv.inputs[k]);
	}
	r->downloaded = downloaded;
	r->valid = (unsigned)(seen.n - r->n_built_drvs);
	r->valid -= r->substituted < r->valid ? r->substituted : r->valid;
}

/* A copy in work of what --check kept: no root can hold that. */
static int
copy_kept(struct task *t, const char *from, struct err *e)
{
	CLEANUP(own_free)
	char *to = xasprintf("%s/%s", t->work, strrchr(from, '/') + 1);

	if (copy_file(from, to, e) < 0)
		return -1;
	t->out->output = arena_copy(t->a, to, strlen(to));
	return 0;
}

static int
not_built(struct task *t)
{
	t->out->output = NULL;
	return task_end(t, REBUILD_NOT_TRIED, "not-built",
		"Guix says that it is done, but its log does not say that the "
		"pack was built now.",
		NULL);
}

/* `guix build [-r ROOT] DRV', once more or not. */
static int
run_build(struct task *t, bool is_check, const char *root, struct buf *log,
	int *code, struct err *e)
{
	CLEANUP(words_fini)
	struct words cmd = {.arena = t->a};

	/* A derivation is built the same by any client: the daemon does it. */
	words_add(&cmd, t->instance ? t->instance : t->guix);
	words_add(&cmd, "build");
	for (const char *const *l = task_limits(t); *l; l++)
		words_add(&cmd, *l);
	words_add(&cmd, "--verbosity=3");
	if (is_check) {
		words_add(&cmd, "--check");
		words_add(&cmd, "-K");
	}
	words_add(&cmd, t->out->drv);
	words_add(&cmd, "-r");
	words_add(&cmd, root);
	unlink(root);
	return task_command(
		t, words_take(&cmd), VOICE_LOUD, NULL, log, code, e);
}

/* -K is for the output; the folder that it was built in stays too. */
static void
remove_kept(struct task *t, struct slice log)
{
	const char *folder = guix_kept_folder(t->a, log, t->out->drv);
	struct stat st;
	struct err e = {0};

	/* The daemon gives it to whom it builds for. */
	if (folder && lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
		st.st_uid == geteuid() && path_remove(folder, &e) < 0)
		task_note(t, "The build left a folder: %s", e.text);
}

/* The output is there: build it a second time.  2 when it is not. */
static int
check(struct task *t, const char *path, const char *root, struct err *e)
{
	CLEANUP(guix_told_fini)
	struct guix_told told = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	const char *kept;
	int code, rc;

	rc = run_build(t, true, root, &log, &code, e);
	if (rc <= 0)
		return rc;
	if (code != 0 && guix_check_impossible(buf_get(&log), t->out->drv))
		return 2;
	t->out->is_checked = true;
	guix_told_read(&told, t->a, buf_get(&log));
	note_built(t, &told);
	kept = code == 0
		? NULL
		: guix_check_differs(t->a, buf_get(&log), t->out->drv, path);
	remove_kept(t, buf_get(&log));
	if (code != 0 && !kept)
		return task_diagnose(t, STEP_BUILD, buf_get(&log), e);
	if (kept) {
		/* It says so instead of "successfully built". */
		build_note_drvs(t, &t->out->drv, 1);
		return copy_kept(t, kept, e) < 0 ? task_end_host(t, "store", e)
						 : 1;
	}
	if (!guix_told_built(&told, t->out->drv))
		return not_built(t);
	t->out->is_stable = true;
	t->out->output = path;
	return 1;
}

/* The output is not there.  2 when it is by now, and not by us. */
static int
build(struct task *t, const char *path, const char *root, struct err *e)
{
	CLEANUP(guix_told_fini)
	struct guix_told told = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	int code, rc;

	rc = run_build(t, false, root, &log, &code, e);
	if (rc <= 0)
		return rc;
	guix_told_read(&told, t->a, buf_get(&log));
	note_built(t, &told);
	if (code != 0)
		return task_diagnose(t, STEP_BUILD, buf_get(&log), e);
	if (!guix_told_built(&told, t->out->drv))
		return 2;
	t->out->output = path;
	return 1;
}

/* What another recipe of this run, which leads to the same, has built: lines of
 * words.  An output that differed from the store's is a file of its own. */
static void
keep_built(struct task *t)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	const struct rebuild *r = t->out;

	buf_printf(&text, "output %s\nchecked %d %d\n", r->output,
		r->is_checked, r->is_stable);
	for (size_t i = 0; i < r->n_built_drvs; i++)
		buf_printf(&text, "built %s\n", r->built_drvs[i]);
	shared_put(t, r->drv, "built", buf_get(&text));
}

/* 1, 2 when there is none that can be taken. */
static int
take_built(struct task *t, const char *path, const char *root, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	CLEANUP(words_fini)
	struct words built = {.arena = t->a};
	const char *output = NULL;
	bool is_checked = false, is_stable = false;
	struct slice rest, line;
	int code, rc;

	if (!shared_get(t, t->out->drv, "built", &text))
		return 2;
	for (rest = buf_get(&text); guix_log_line(&rest, &line);) {
		is_checked |= slice_is(line, "checked 1 0") ||
			slice_is(line, "checked 1 1");
		is_stable |= slice_is(line, "checked 1 1");
		if (slice_starts(line, "output "))
			output = arena_copy(t->a, line.p + 7, line.n - 7);
		else if (slice_starts(line, "built "))
			words_add(&built,
				arena_copy(t->a, line.p + 6, line.n - 6));
	}
	if (!output || !path_exists(output))
		return 2;
	if (strcmp(output, path) != 0) {
		if (copy_kept(t, output, e) < 0)
			return 2;
	} else {
		/* It is there: this only holds it. */
		rc = run_build(t, false, root, &log, &code, e);
		if (rc <= 0)
			return rc;
		if (code != 0)
			return 2;
		t->out->output = path;
	}
	t->out->is_checked |= is_checked;
	t->out->is_stable |= is_stable;
	build_note_drvs(t, built.v, built.n);
	return 1;
}

int
build_output(struct task *t, struct err *e)
{
	CLEANUP(own_free)
	char *root = xasprintf("%s/output", t->roots);
	CLEANUP(shared_unlock)
	struct shared_lock lock = {0};
	const char *path;
	int rc;

	if (t->o->depth == DEPTH_RECIPE) {
		t->out->end = REBUILD_DONE;
		return 1;
	}
	path = t->out->path;
	if (!path)
		return task_end(t, REBUILD_UNBUILDABLE, "lower-failed",
			"The derivation of the pack has no output.", NULL);
	shared_lock(t, &t->out->drv, 1, &lock);
	rc = take_built(t, path, root, e);
	if (rc != 2) {
		if (rc == 1)
			t->out->end = REBUILD_DONE;
		return rc;
	}
	rc = failed_take(t, e);
	if (rc <= 0)
		return rc;
	/* What is there need not be valid, and what is not there may be made by
	 * another in the meantime: then the other way is right, once. */
	rc = path_exists(path) ? check(t, path, root, e)
			       : build(t, path, root, e);
	if (rc == 2)
		rc = t->out->is_checked || path_exists(path)
			? check(t, path, root, e)
			: build(t, path, root, e);
	if (rc == 2)
		return not_built(t);
	if (rc == 0)
		failed_keep(t);
	if (rc <= 0)
		return rc;
	keep_built(t);
	t->out->end = REBUILD_DONE;
	return 1;
}
