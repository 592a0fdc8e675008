/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/task.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/text.h"
#include "rebuild/drv.h"
#include "rebuild/guix.h"
#include "rebuild/lanes.h"

enum {
	BUILD_LOG_BYTES = 1 << 20, /* kept of a failed build's own log */
	BUILD_LOG_MS = 60 * 1000,  /* to unpack it */
	/* Guix's daemon ends a silent build and says which it was: we wait
	 * that much longer. */
	SILENCE_MORE_MS = 10 * 1000
};

const char *
task_keep(struct task *t, const char *s)
{
	return s ? arena_copy(t->a, s, strlen(s)) : NULL;
}

const char *
task_text(struct task *t, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return task_keep(t, s);
}

void
task_note(struct task *t, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	words_say(&t->notes, "%s", text);
}

int
task_drv(struct task *t, const char *path, struct drv *drv, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (path_read(path, DRV_BYTES, &text, e) < 0)
		return -1;
	if (drv_parse(t->a, buf_get(&text), drv, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

int
task_end(struct task *t, enum rebuild_end end, const char *class_,
	const char *cause, const char *advice)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (cause)
		text_clean(&text, slice_of(cause), TEXT_ONE_LINE);
	t->out->end = end;
	t->out->class_ = class_;
	t->out->cause = arena_copy(t->a, buf_text(&text), text.n);
	t->out->advice = advice;
	return 0;
}

int
task_end_host(struct task *t, const char *class_, const struct err *e)
{
	return task_end(t, REBUILD_NOT_TRIED, class_, e->text, NULL);
}

int
task_end_diagnosed(struct task *t, const struct diagnosis *d)
{
	t->out->failed_drv = d->failed_drv;
	t->out->failed_lines = d->lines;
	return task_end(t, d->end, d->class_, d->cause, d->advice);
}

void
task_stage(struct task *t, const char *stage)
{
	if (t->o->stage)
		t->o->stage(t->o->stage_arg, stage);
}

char *
task_find_guix(const char *guix)
{
	return path_program(guix ? guix : "guix");
}

/* The folder, made, links resolved. */
static int
folder(struct task *t, const char *path, const char **out, struct err *e)
{
	CLEANUP(own_free)
	char *real = NULL;

	if (path_mkdirs(path, 0755, e) < 0)
		return -1;
	real = realpath(path, NULL);
	if (!real)
		return err_sys(e, ERR_HOST, "%s", path);
	*out = arena_copy(t->a, real, strlen(real));
	return 0;
}

static int
make_folders(struct task *t, struct err *e)
{
	char id[DIGEST_HEX + 1];
	const char *roots;

	digest_hex(&t->recipe->channels_id, id);
	if (folder(t, t->o->cache, &t->cache, e) < 0 ||
		folder(t, t->o->work, &t->work, e) < 0)
		return -1;
	t->lane = task_text(t, "%s/lanes/%s", t->cache, id);
	t->home = task_text(t, "%s/home", t->lane);
	t->profiles = task_text(t, "%s/profiles", t->lane);
	t->roots = task_text(t, "%s/roots", t->work);
	t->channels = task_text(t, "%s/channels.scm", t->work);
	t->manifest = task_text(t, "%s/manifest.scm", t->work);
	t->mirrors = task_text(t, "%s/mirrors", t->cache);
	roots = task_text(t, "%s/roots", t->home);
	t->lane_fd = lanes_use(t->lane, e);
	if (t->lane_fd < 0 || path_mkdirs(t->mirrors, 0755, e) < 0 ||
		path_mkdirs(roots, 0755, e) < 0 ||
		path_mkdirs(t->profiles, 0755, e) < 0 ||
		path_mkdirs(t->roots, 0755, e) < 0)
		return -1;
	if (aside_write_brief(t->channels, t->recipe->channels_scm,
		    strlen(t->recipe->channels_scm), e) < 0 ||
		aside_write_brief(t->manifest, t->recipe->manifest_scm,
			strlen(t->recipe->manifest_scm), e) < 0)
		return -1;
	t->out->log_path = task_text(t, "%s/guix.log", t->work);
	t->log_fd = open(t->out->log_path,
		O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (t->log_fd < 0)
		return err_sys(e, ERR_HOST, "%s", t->out->log_path);
	return 0;
}

int
task_open(struct task *t, struct err *e)
{
	CLEANUP(own_free)
	char *guix = task_find_guix(t->o->guix);
	int rc;

	if (!guix)
		return task_end(t, REBUILD_NOT_TRIED, "guix",
			"There is no guix to run.",
			"Install GNU Guix, and start its daemon.");
	t->guix = arena_copy(t->a, guix, strlen(guix));
	if (make_folders(t, e) < 0)
		return task_end_host(t, "host", e);
	rc = bound_open(t, e);
	if (rc <= 0)
		return rc;
	if (sandbox_plan(&t->box,
		    &(struct sandbox_places){t->home, t->profiles, t->mirrors,
			    t->work, t->roots, t->guix, t->bound.socket},
		    e) < 0)
		return task_end_host(t, "daemon", e);
	return 1;
}

/* What goes into a log of at most limits.log_bytes: head and tail. */
static void
cap_log(struct task *t, struct buf *out)
{
	size_t cap = t->o->limits.log_bytes, head = cap / 2;

	if (t->log.n <= cap) {
		buf_slice(out, buf_get(&t->log));
		return;
	}
	buf_add(out, t->log.p, head);
	buf_printf(out, "\n[%zu bytes left out]\n", t->log.n - cap);
	buf_add(out, t->log.p + t->log.n - (cap - head), cap - head);
}

int
task_close(struct task *t, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf log = {0};

	t->out->elapsed_ms = clock_mono_ms() - t->started_ms;
	t->out->n_commands = t->commands.n;
	t->out->commands = words_take(&t->commands);
	t->out->n_notes = t->notes.n;
	t->out->notes = words_take(&t->notes);
	if (t->log_fd < 0)
		return 0;
	cap_log(t, &log);
	return aside_write(t->out->log_path, buf_text(&log), log.n, e);
}

void
task_fini(struct task *t)
{
	bound_close(t);
	if (t->log_fd > 0)
		close(t->log_fd);
	if (t->lane_fd > 0)
		close(t->lane_fd);
	buf_fini(&t->log);
	words_fini(&t->commands);
	words_fini(&t->notes);
	sandbox_fini(&t->box);
}

static int64_t
left_ms(const struct task *t)
{
	int64_t left = t->until_ms - clock_mono_ms();

	return left > 1 ? left : 1;
}

const char *const *
task_limits(struct task *t)
{
	CLEANUP(words_fini)
	struct words limits = {.arena = t->a};
	char *s;

	s = xasprintf("--timeout=%lld", (long long)(left_ms(t) / 1000 + 1));
	words_add(&limits, s);
	free(s);
	s = xasprintf(
		"--max-silent-time=%lld", (long long)t->o->limits.silence_s);
	words_add(&limits, s);
	free(s);
	if (t->o->limits.cpus) {
		s = xasprintf("--cores=%" PRIu64, t->o->limits.cpus);
		words_add(&limits, s);
		free(s);
	}
	return words_take(&limits);
}

void
task_ran(void *task, const char *const *argv)
{
	struct task *t = task;
	CLEANUP(buf_fini)
	struct buf line = {0};

	for (; *argv; argv++) {
		if (line.n)
			buf_char(&line, ' ');
		text_shell(&line, slice_of(*argv));
	}
	words_add(&t->commands, buf_text(&line));
	buf_printf(&t->log, "%s$ %s\n", t->log.n ? "\n" : "", buf_text(&line));
	if (t->log_fd >= 0)
		dprintf(t->log_fd, "\n$ %s\n", buf_text(&line));
}

/* How bwrap itself ended, where that was no end of the command's own. */
static int
end_outcome(struct task *t, const char *what, const struct outcome *o,
	struct slice log)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	const char *lines = classify_last_lines(t->a, log, CLASSIFY_LINES);

	buf_printf(&text, "guix %s: ", what);
	child_describe(o, &text);
	buf_char(&text, '.');
	t->out->failed_lines = lines;
	if (o->end != CHILD_STOPPED && bound_is_passed(t, NULL, NULL, log))
		return 0;
	switch (o->end) {
	case CHILD_STOPPED:
		return task_end(t, REBUILD_NOT_TRIED, "stopped",
			buf_text(&text), "Run it again.");
	case CHILD_DEADLINE:
		buf_clear(&text);
		buf_printf(&text, "guix %s: the rebuild took more than %lld s.",
			what, (long long)t->o->limits.deadline_s);
		return task_end(t, REBUILD_TIMEOUT, "deadline", buf_text(&text),
			"Give it more time.");
	case CHILD_SILENT:
		return task_end(t, REBUILD_TIMEOUT, "silence", buf_text(&text),
			"Give it more time.");
	case CHILD_FLOOD:
		return bound_end_flood(t, log);
	case CHILD_OVER: /* then a limit was passed, above */
	case CHILD_EXITED:
	case CHILD_SIGNALLED:
		break;
	}
	if (o->end == CHILD_SIGNALLED)
		return task_end(t, REBUILD_NOT_TRIED, "killed", buf_text(&text),
			"Something killed it, as the kernel does when memory "
			"is short.");
	buf_clear(&text);
	buf_printf(&text, "The sandbox could not run guix: %s",
		lines ? lines : "no word of why");
	return task_end(t, REBUILD_NOT_TRIED, "sandbox", buf_text(&text),
		"unblend doctor says what is missing.");
}

int
task_command(struct task *t, const char *const *argv, enum voice voice,
	struct buf *out, struct buf *log, int *code, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf own = {0};
	const struct limits *l = &t->o->limits;
	struct child_spec spec = {
		.deadline_ms = left_ms(t),
		.silence_ms = voice == VOICE_QUIET
			? 0
			: l->silence_s * 1000 + SILENCE_MORE_MS,
		.out_cap = l->output_bytes,
		.log_cap = l->log_bytes,
		.log_fd = t->log_fd,
	};
	struct outcome o;
	bool has_run;
	size_t before;

	if (!log)
		log = &own;
	before = log->n;
	bound_command(t, &spec);
	task_ran(t, argv);
	if (sandbox_run(&t->box, argv, spec, out, log, t->o->stop, &o, &has_run,
		    code, e) < 0) {
		if (e->kind == ERR_ABSENT)
			return task_end(t, REBUILD_NOT_TRIED, "sandbox",
				"There is no bwrap to run.",
				"Install bubblewrap.");
		return task_end_host(t, "host", e);
	}
	buf_add(&t->log, buf_text(log) + before, log->n - before);
	t->bound.said += o.said;
	if (o.end != CHILD_EXITED || !has_run)
		return end_outcome(t, argv[1], &o, buf_get(log));
	/* bwrap gives 128 and the signal that ended the command. */
	if (*code > 128) {
		o = (struct outcome){
			.end = CHILD_SIGNALLED, .code = *code - 128};
		return end_outcome(t, argv[1], &o, buf_get(log));
	}
	return 1;
}

/* The log of a failed build, unpacked; best effort: without it, there are the
 * client's lines. */
static void
read_build_log(struct task *t, const char *path, struct buf *text)
{
	const char *program = slice_ends(slice_of(path), ".gz") ? "gzip"
		: slice_ends(slice_of(path), ".bz2")            ? "bzip2"
								: "cat";
	CLEANUP(own_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const char *const argv[] = {
		program, *program == 'c' ? "-" : "-dc", NULL};
	struct child_spec spec = {
		.argv = argv,
		.stdin_fd = fd,
		.deadline_ms = BUILD_LOG_MS,
		.out_cap = BUILD_LOG_BYTES,
	};
	struct outcome o;
	struct err e = {0};

	/* A longer one is cut at its end, where what decides is. */
	if (fd < 0 || child_run(&spec, text, NULL, t->o->stop, &o, &e) < 0 ||
		o.is_out_cut)
		buf_clear(text);
}

int
task_diagnose(struct task *t, enum step step, struct slice log, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf own = {0};
	struct diagnosis d;
	struct drv drv;
	bool is_source = false;

	classify(t->a, step, log, &d);
	if (d.failed_drv) {
		if (path_read(d.failed_drv, DRV_BYTES, &text, e) == 0 &&
			drv_parse(t->a, buf_get(&text), &drv, e) == 0)
			is_source = drv_is_source(&drv);
		if (d.log_file)
			read_build_log(t, d.log_file, &own);
		classify_build_log(t->a, is_source, buf_get(&own), &d);
	}
	t->out->failed_lines = d.lines;
	if (bound_is_passed(t, d.class_, d.failed_drv, log))
		return 0;
	return task_end_diagnosed(t, &d);
}
