/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/aside.h"
#include "base/path.h"
#include "base/sexp.h"
#include "base/text.h"
#include "rebuild/guix.h"
#include "rebuild/task.h"

static const char script[] =
#include "rebuild/versions.scm.h"
	;

/* ("NAME" ...) */
static int
write_names(struct task *t, const char *path, const char *const *names,
	size_t n, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	buf_char(&text, '(');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(&text, '\n');
		if (text_scheme(&text, slice_of(names[i])) < 0)
			return task_end(t, REBUILD_REFUSED, "bad-recipe",
				"The name of a package is not UTF-8.", NULL);
	}
	buf_str(&text, ")\n");
	if (aside_write_brief(path, buf_text(&text), text.n, e) < 0)
		return task_end_host(t, "host", e);
	return 1;
}

/* What the script printed: as many lists of strings as there were names. */
static const struct versions *
read_versions(struct task *t, struct slice out, size_t n)
{
	struct arena scratch = {0};
	struct err ignored = {0};
	const struct sexp *all = sexp_parse(&scratch, out, &ignored);
	const struct sexp *list = sexp_at(all, 0);
	struct versions *v = arena_alloc(t->a, n * sizeof(*v));
	bool is_good = sexp_len(all) == 1 && list->type == SEXP_LIST &&
		sexp_len(list) == n;
	size_t i = 0;

	for (const struct sexp *x = is_good ? list->first : NULL; x;
		x = x->next) {
		CLEANUP(words_fini)
		struct words found = {.arena = t->a};

		SEXP_FOREACH(y, x) {
			is_good &= y->type == SEXP_STRING &&
				!memchr(y->text.p, '\0', y->text.n);
			words_add(
				&found, arena_copy(t->a, y->text.p, y->text.n));
		}
		v[i].n = found.n;
		v[i++].v = words_take(&found);
	}
	arena_fini(&scratch);
	return is_good ? v : NULL;
}

int
versions_ask(struct task *t, const char *const *names, size_t n,
	const struct versions **found, struct err *e)
{
	CLEANUP(words_fini)
	struct words cmd = {.arena = t->a};
	CLEANUP(own_free)
	char *program = path_join(t->work, "versions.scm");
	CLEANUP(own_free)
	char *file = path_join(t->work, "names.scm");
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	int code, rc;

	if (aside_write_brief(program, script, strlen(script), e) < 0)
		return task_end_host(t, "host", e);
	rc = write_names(t, file, names, n, e);
	if (rc <= 0)
		return rc;
	instance_command(t, &cmd);
	words_add(&cmd, "repl");
	words_add(&cmd, "--");
	words_add(&cmd, program);
	words_add(&cmd, file);
	rc = task_command(
		t, words_take(&cmd), VOICE_QUIET, &out, &log, &code, e);
	if (rc <= 0)
		return rc;
	if (code != 0)
		return task_diagnose(t, STEP_LOWER, buf_get(&log), e);
	*found = read_versions(t, buf_get(&out), n);
	if (!*found)
		return task_end(t, REBUILD_UNBUILDABLE, "lower-failed",
			"guix repl did not print the versions of the packages "
			"that it was asked for.",
			NULL);
	return 1;
}
