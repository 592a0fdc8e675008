/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/failed.h"

#include <string.h>

#include "base/attr.h"
#include "rebuild/closure.h"
#include "rebuild/guix.h"
#include "rebuild/shared.h"

/* shared_get's words; "some" is there once anything failed. */
#define FAILED "failed"
#define SOME "some"

/* Four lines: how it ended, class, cause and advice; then the log's. */
void
failed_keep(struct task *t)
{
	const struct rebuild *r = t->out;
	bool is_gone = r->end == REBUILD_UNAVAILABLE;
	CLEANUP(buf_fini)
	struct buf text = {0};

	if ((r->end != REBUILD_UNBUILDABLE && !is_gone) || !r->failed_drv ||
		classify_may_pass(r->class_))
		return;
	buf_printf(&text, "%s\n%s\n%s\n%s\n%s", is_gone ? "gone" : "failed",
		r->class_, r->cause, r->advice ? r->advice : "",
		r->failed_lines ? r->failed_lines : "");
	shared_put(t, r->failed_drv, FAILED, buf_get(&text));
	shared_put(t, SOME, FAILED, (struct slice){"", 0});
}

struct search {
	struct task *t;
	const char *drv; /* that failed; NULL: none */
	struct buf text; /* what is known of it */
};

static int
visit(void *arg, const char *path, const struct drv *drv)
{
	struct search *s = arg;

	(void)drv;
	if (!shared_get(s->t, path, FAILED, &s->text))
		return 0;
	s->drv = task_keep(s->t, path);
	return 1;
}

/* The next line of what is kept. */
static const char *
take_line(struct task *t, struct slice *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct slice line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};

	rest->p += line.n + (end != NULL);
	rest->n -= line.n + (end != NULL);
	return arena_copy(t->a, line.p, line.n);
}

static void
end_as(struct task *t, const char *drv, struct slice text)
{
	const char *how = take_line(t, &text);
	const char *class_ = take_line(t, &text);
	const char *cause = take_line(t, &text);
	const char *advice = take_line(t, &text);

	t->out->failed_drv = drv;
	if (text.n)
		t->out->failed_lines = arena_copy(t->a, text.p, text.n);
	task_note(t,
		"%s was not built once more: it failed in this run, for "
		"another recipe that needs it.",
		drv);
	task_end(t,
		strcmp(how, "gone") == 0 ? REBUILD_UNAVAILABLE
					 : REBUILD_UNBUILDABLE,
		class_, cause, advice[0] ? advice : NULL);
}

/* Would Guix build it now, for this pack?  What needs it may be there, or to be
 * had as a substitute.  Values as of a step; 1 also where it would not. */
static int
ask(struct task *t, const char *drv, bool *is_needed, struct err *e)
{
	const char *const cmd[] = {t->instance ? t->instance : t->guix, "build",
		"--dry-run", t->out->drv, NULL};
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct slice rest, line;
	int code, rc;

	rc = task_command(t, cmd, VOICE_LOUD, NULL, &log, &code, e);
	if (rc <= 0)
		return rc;
	for (rest = buf_get(&log); guix_log_line(&rest, &line);)
		*is_needed = *is_needed || slice_is(line, drv);
	return 1;
}

int
failed_take(struct task *t, struct err *e)
{
	struct search s = {.t = t};
	struct err ignored = {0};
	bool is_needed = false;
	int rc = 1;

	if (shared_get(t, SOME, FAILED, &s.text) &&
		closure_walk(t->out->drv, visit, &s, &ignored) == 0 && s.drv)
		rc = ask(t, s.drv, &is_needed, e);
	if (is_needed) {
		end_as(t, s.drv, buf_get(&s.text));
		rc = 0;
	}
	buf_fini(&s.text);
	return rc;
}
