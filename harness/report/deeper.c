/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/deeper.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/path.h"
#include "base/text.h"
#include "rebuild/sandbox.h"
#include "report/words.h"

enum {
	LOG_CAP = 16 << 10,
	NAME_MAX_BYTES = 900, /* of a file's path below a side, else a number */
	GRACE_S = 600         /* to read the images, for a process of its own */
};

static int64_t
seconds(int64_t timeout_s)
{
	return timeout_s ? timeout_s : DEEPER_TIMEOUT_S;
}

int64_t
deeper_deadline_s(int64_t timeout_s)
{
	return seconds(timeout_s) + GRACE_S;
}

int
deeper_can(struct err *e)
{
	CLEANUP(own_free)
	char *program = path_program("diffoscope");

	if (!program)
		return err_set(e, ERR_HOST,
			"there is no diffoscope on PATH (Debian: "
			"diffoscope-minimal)");
	return 0;
}

/* ---- the files ---- */

struct pairs {
	const char *paths[DEEPER_FILES_MAX];
	size_t n;
};

static void
choose(const struct image *image, const struct image *rebuilt,
	const struct comparison *c, struct pairs *out)
{
	static const struct comparison_cap cap = {
		DEEPER_FILES_MAX, DEEPER_FILE_MAX, DEEPER_TOTAL_MAX};
	size_t at[DEEPER_FILES_MAX];

	out->n = comparison_files(c, image, rebuilt, &cap, at);
	for (size_t i = 0; i < out->n; i++)
		out->paths[i] = c->differences[at[i]].path;
}

/* The nth path below a folder of ours: no component of it is a stranger's
 * word. */
static char *
safe_path(const char *folder, const char *path, size_t n)
{
	CLEANUP(buf_fini)
	struct buf safe = {0};

	while (*path) {
		size_t length = strcspn(path, "/");
		CLEANUP(own_free)
		char *name = xmemdup0(path, length);

		buf_char(&safe, '/');
		report_file(&safe, name);
		path += length + (path[length] == '/');
	}
	if (safe.n > NAME_MAX_BYTES)
		return xasprintf("%s/%zu", folder, n);
	return xasprintf("%s%s", folder, buf_text(&safe));
}

/* Take one side's files out, to where they are to be seen. */
static int
take_side(const struct image *image, const struct pairs *p, const char *from,
	const char *to, struct err *e)
{
	if (path_mkdirs(from, 0700, e) < 0 || path_mkdirs(to, 0700, e) < 0 ||
		image_extract(image, &image->limits, p->paths, p->n,
			DEEPER_FILE_MAX, from, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		CLEANUP(own_free)
		char *file = xasprintf("%s/%zu", from, i);
		CLEANUP(own_free)
		char *seen = safe_path(to, p->paths[i], i);
		CLEANUP(own_free)
		char *dir = path_dir(seen);

		if (path_mkdirs(dir, 0700, e) < 0)
			return -1;
		if (rename(file, seen) < 0 && errno != ENOENT)
			return err_sys(e, ERR_HOST, "%s", seen);
	}
	return 0;
}

/* ---- the page ---- */

/* The page as diffoscope wrote it, and a policy under which it runs nothing. */
static int
publish(const char *from, const char *page, struct buf *why, struct err *e)
{
	static const char head[] = "<head>";
	static const char policy[] =
		"\n  <meta http-equiv=\"Content-Security-Policy\" content=\""
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
		"base-uri 'none'; form-action 'none'\">";
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf out = {0};
	const char *at;
	size_t n;

	if (path_read(from, DEEPER_PAGE_MAX, &text, e) < 0) {
		if (e->kind == ERR_HOST)
			return -1;
		buf_printf(why, "its page cannot be had: %s", e->text);
		return 0;
	}
	at = memmem(text.p, text.n, head, sizeof(head) - 1);
	if (!at) {
		buf_str(why, "what it wrote is no page");
		return 0;
	}
	n = (size_t)(at - text.p) + sizeof(head) - 1;
	buf_add(&out, text.p, n);
	buf_str(&out, policy);
	buf_add(&out, text.p + n, text.n - n);
	return aside_write(page, out.p, out.n, e) < 0 ? -1 : 1;
}

/* 1: it ran and found differences. */
static int
settle(const struct outcome *o, bool has_run, int code, const struct buf *log,
	struct buf *why)
{
	CLEANUP(own_free)
	char *last = NULL;
	struct slice s = buf_get(log);
	const char *line;

	if (has_run && o->end == CHILD_EXITED && code == 1)
		return 1;
	if (has_run && o->end == CHILD_EXITED && code == 0) {
		buf_str(why, "it finds no difference");
		return 0;
	}
	buf_str(why, "it ");
	if (o->end != CHILD_EXITED)
		child_describe(o, why);
	else if (has_run)
		buf_printf(why, "exited with %d", code);
	else
		buf_str(why, "could not be run in bwrap");
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	line = s.n ? memrchr(s.p, '\n', s.n) : NULL;
	line = line ? line + 1 : s.p;
	if (s.n == 0)
		return 0;
	last = text_clean_new((struct slice){line, (size_t)(s.p + s.n - line)});
	buf_printf(why, ": %.200s", last);
	return 0;
}

static int
explain(const struct deeper_options *o, const char *program, struct buf *why,
	struct err *e)
{
	int64_t timeout_s = seconds(o->timeout_s);
	CLEANUP(own_free)
	char *home = xasprintf("HOME=%s", o->work);
	CLEANUP(own_free)
	char *temporary = xasprintf("TMPDIR=%s", o->work);
	CLEANUP(own_free)
	char *path = xasprintf(
		"PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	const char *const env[] = {
		home, temporary, path, "LC_ALL=C.UTF-8", "TZ=UTC", NULL};
	CLEANUP(own_free)
	char *most = xasprintf("%d", DEEPER_PAGE_MAX / 2);
	CLEANUP(own_free)
	char *soft = xasprintf("%" PRId64, timeout_s * 4 / 5 + 1);
	/* Its own time limit is a soft one: it writes what it has. */
	const char *const cmd[] = {program, "--no-progress", "--html",
		"out.html", "--max-report-size", most, "--max-page-size", most,
		"--timeout", soft, "--exclude-directory-metadata", "recursive",
		"image", "rebuild", NULL};
	static const char *const none[] = {NULL};
	CLEANUP(sandbox_fini)
	struct sandbox box = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct child_spec spec = {.env = env,
		.deadline_ms = timeout_s * 1000,
		.log_cap = LOG_CAP,
		.memory_max = DEEPER_MEMORY_MAX,
		.file_max = 2 * (uint64_t)DEEPER_FILE_MAX,
		.is_first_to_go = true};
	struct outcome outcome;
	bool has_run = false;
	int code = 0;

	sandbox_plan_git(&box, program, o->work, none, false);
	if (sandbox_run(&box, cmd, spec, NULL, &log, NULL, &outcome, &has_run,
		    &code, e) < 0)
		return e->kind == ERR_ABSENT
			? err_set(e, ERR_HOST, "there is no bwrap to run")
			: -1;
	return settle(&outcome, has_run, code, &log, why);
}

static int
write_in(const struct image *image, const struct image *rebuilt,
	const struct pairs *p, const struct deeper_options *o, const char *page,
	struct buf *why, struct err *e)
{
	CLEANUP(own_free)
	char *program = path_program("diffoscope");
	CLEANUP(own_free)
	char *from = path_join(o->work, "taken");
	CLEANUP(own_free)
	char *a = path_join(o->work, "image");
	CLEANUP(own_free)
	char *b = path_join(o->work, "rebuild");
	CLEANUP(own_free)
	char *out = path_join(o->work, "out.html");
	int is_done;

	if (!program)
		return deeper_can(e);
	if (take_side(image, p, from, a, e) < 0 || path_remove(from, e) < 0 ||
		take_side(rebuilt, p, from, b, e) < 0)
		return -1;
	is_done = explain(o, program, why, e);
	return is_done > 0 ? publish(out, page, why, e) : is_done;
}

int
deeper_write(const struct image *image, const struct image *rebuilt,
	const struct comparison *c, const struct deeper_options *o,
	const char *page, struct buf *why, struct err *e)
{
	CLEANUP(own_free)
	char *inner = path_join(o->work, "diffoscope");
	struct deeper_options within = *o;
	struct pairs p = {0};
	struct err late = {0};
	int status;

	choose(image, rebuilt, c, &p);
	if (p.n == 0) {
		buf_str(why,
			"no file that both sides have differs in its contents");
		return 0;
	}
	within.work = inner;
	if (path_mkdirs(inner, 0700, e) < 0)
		return -1;
	status = write_in(image, rebuilt, &p, &within, page, why, e);
	if (path_remove(inner, &late) < 0) {
		if (status >= 0)
			*e = late;
		return -1;
	}
	return status;
}

int
deeper_run(const char *image, const char *rebuilt, int64_t timeout_s,
	const char *page, struct buf *why, struct err *e)
{
	CLEANUP(own_free)
	char *a = xasprintf("pack:%s", image);
	CLEANUP(own_free)
	char *b = xasprintf("pack:%s", rebuilt);
	CLEANUP(own_free)
	char *within = xasprintf("%" PRId64, seconds(timeout_s));
	const char *const argv[] = {"/proc/self/exe", "compare", "--json",
		"--diffoscope", page, "--diffoscope-timeout", within, a, b,
		NULL};
	static const char *const begins[] = {
		"unblend: ", "no page of diffoscope: "};
	struct slice said;
	struct child_spec spec = {.argv = argv,
		.deadline_ms = deeper_deadline_s(timeout_s) * 1000,
		.log_cap = LOG_CAP};
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct outcome outcome;

	if (child_run(&spec, NULL, &log, NULL, &outcome, e) < 0)
		return -1;
	if (outcome.end == CHILD_EXITED && outcome.code <= 1 &&
		path_exists(page))
		return 1;
	said = buf_get(&log);
	for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
		size_t n = strlen(begins[i]);

		if (slice_starts(said, begins[i]))
			said = (struct slice){said.p + n, said.n - n};
	}
	while (said.n > 0 && said.p[said.n - 1] == '\n')
		said.n--;
	if (said.n > 0)
		text_clean(why, said, TEXT_ONE_LINE);
	else
		child_describe(&outcome, why);
	return 0;
}
