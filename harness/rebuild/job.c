/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/job.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "rebuild/guix.h"

enum {
	BUILD_LOG_BYTES = 1 << 20, /* kept of a failed build's own log */
	BUILD_LOG_MS = 60 * 1000,  /* to unpack it */
	/* Guix's daemon ends a silent build and says which it was: we wait
	 * that much longer. */
	SILENCE_MORE_MS = 10 * 1000
};

static const char *
keep(struct job *j, char *s)
{
	const char *copy = arena_copy(j->a, s, strlen(s));

	free(s);
	return copy;
}

int
job_end(struct job *j, enum rebuild_end end, const char *class_,
	const char *cause, const char *advice)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (cause)
		text_clean(&text, slice_of(cause), TEXT_ONE_LINE);
	j->out->end = end;
	j->out->class_ = class_;
	j->out->cause = arena_copy(j->a, buf_text(&text), text.n);
	j->out->advice = advice;
	return 0;
}

int
job_end_host(struct job *j, const char *class_, const struct err *e)
{
	return job_end(j, REBUILD_NOT_TRIED, class_, e->text, NULL);
}

int
job_end_diagnosed(struct job *j, const struct diagnosis *d)
{
	j->out->failed_drv = d->failed_drv;
	j->out->failed_lines = d->lines;
	return job_end(j, d->end, d->class_, d->cause, d->advice);
}

void
job_stage(struct job *j, const char *stage)
{
	if (j->o->stage)
		j->o->stage(j->o->stage_arg, stage);
}

char *
job_find_guix(const char *guix)
{
	CLEANUP(own_free)
	char *path = NULL;
	const char *dirs = getenv("PATH");
	char *real;

	if (!guix)
		guix = "guix";
	if (strchr(guix, '/'))
		return access(guix, X_OK) == 0 ? realpath(guix, NULL) : NULL;
	for (; dirs && *dirs; dirs += *dirs == ':') {
		size_t n = strcspn(dirs, ":");

		free(path);
		path = xasprintf("%.*s/%s", (int)n, dirs, guix);
		dirs += n;
		if (n && access(path, X_OK) == 0 &&
			(real = realpath(path, NULL)))
			return real;
	}
	return NULL;
}

/* The folder, made, links resolved. */
static int
folder(struct job *j, const char *path, const char **out, struct err *e)
{
	CLEANUP(own_free)
	char *real = NULL;

	if (path_mkdirs(path, 0755, e) < 0)
		return -1;
	real = realpath(path, NULL);
	if (!real)
		return err_sys(e, ERR_HOST, "%s", path);
	*out = arena_copy(j->a, real, strlen(real));
	return 0;
}

static int
make_folders(struct job *j, struct err *e)
{
	char id[DIGEST_HEX + 1];
	const char *roots;
	char *s;

	digest_hex(&j->recipe->channels_id, id);
	if (folder(j, j->o->cache, &j->cache, e) < 0 ||
		folder(j, j->o->work, &j->work, e) < 0)
		return -1;
	j->lane = keep(j, xasprintf("%s/lanes/%s", j->cache, id));
	j->home = keep(j, xasprintf("%s/home", j->lane));
	j->profiles = keep(j, xasprintf("%s/profiles", j->lane));
	j->roots = keep(j, xasprintf("%s/roots", j->work));
	j->channels = keep(j, xasprintf("%s/channels.scm", j->work));
	j->manifest = keep(j, xasprintf("%s/manifest.scm", j->work));
	j->mirrors = keep(j, xasprintf("%s/mirrors", j->cache));
	roots = keep(j, xasprintf("%s/roots", j->home));
	if (path_mkdirs(j->mirrors, 0755, e) < 0 ||
		path_mkdirs(roots, 0755, e) < 0 ||
		path_mkdirs(j->profiles, 0755, e) < 0 ||
		path_mkdirs(j->roots, 0755, e) < 0)
		return -1;
	if (aside_write(j->channels, j->recipe->channels_scm,
		    strlen(j->recipe->channels_scm), e) < 0 ||
		aside_write(j->manifest, j->recipe->manifest_scm,
			strlen(j->recipe->manifest_scm), e) < 0)
		return -1;
	s = xasprintf("%s/guix.log", j->work);
	j->out->log_path = keep(j, s);
	j->log_fd = open(j->out->log_path,
		O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (j->log_fd < 0)
		return err_sys(e, ERR_HOST, "%s", j->out->log_path);
	return 0;
}

int
job_open(struct job *j, struct err *e)
{
	CLEANUP(own_free)
	char *guix = job_find_guix(j->o->guix);

	if (!guix)
		return job_end(j, REBUILD_NOT_TRIED, "guix",
			"There is no guix to run.",
			"Install GNU Guix, and start its daemon.");
	j->guix = arena_copy(j->a, guix, strlen(guix));
	if (make_folders(j, e) < 0)
		return job_end_host(j, "host", e);
	if (sandbox_plan(&j->box,
		    &(struct sandbox_places){j->home, j->profiles, j->mirrors,
			    j->work, j->roots, j->guix},
		    e) < 0)
		return job_end_host(j, "daemon", e);
	return 1;
}

/* What goes into a log of at most limits.log_bytes: head and tail. */
static void
cap_log(struct job *j, struct buf *out)
{
	size_t cap = j->o->limits.log_bytes, head = cap / 2;

	if (j->log.n <= cap) {
		buf_slice(out, buf_get(&j->log));
		return;
	}
	buf_add(out, j->log.p, head);
	buf_printf(out, "\n[%zu bytes left out]\n", j->log.n - cap);
	buf_add(out, j->log.p + j->log.n - (cap - head), cap - head);
}

int
job_close(struct job *j, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf log = {0};

	j->out->elapsed_ms = clock_mono_ms() - j->started_ms;
	j->out->n_commands = j->commands.n;
	j->out->commands = words_take(&j->commands);
	if (j->log_fd < 0)
		return 0;
	cap_log(j, &log);
	return aside_write(j->out->log_path, buf_text(&log), log.n, e);
}

void
job_fini(struct job *j)
{
	if (j->log_fd > 0)
		close(j->log_fd);
	buf_fini(&j->log);
	words_fini(&j->commands);
	sandbox_fini(&j->box);
}

static int64_t
left_ms(const struct job *j)
{
	int64_t left = j->until_ms - clock_mono_ms();

	return left > 1 ? left : 1;
}

const char *const *
job_limits(struct job *j)
{
	CLEANUP(words_fini)
	struct words limits = {.arena = j->a};
	char *s;

	s = xasprintf("--timeout=%lld", (long long)(left_ms(j) / 1000 + 1));
	words_add(&limits, s);
	free(s);
	s = xasprintf(
		"--max-silent-time=%lld", (long long)j->o->limits.silence_s);
	words_add(&limits, s);
	free(s);
	return words_take(&limits);
}

void
job_ran(void *job, const char *const *argv)
{
	struct job *j = job;
	CLEANUP(buf_fini)
	struct buf line = {0};

	for (; *argv; argv++) {
		if (line.n)
			buf_char(&line, ' ');
		text_shell(&line, slice_of(*argv));
	}
	words_add(&j->commands, buf_text(&line));
	buf_printf(&j->log, "%s$ %s\n", j->log.n ? "\n" : "", buf_text(&line));
	if (j->log_fd >= 0)
		dprintf(j->log_fd, "\n$ %s\n", buf_text(&line));
}

/* How bwrap itself ended, where that was no end of the command's own. */
static int
end_outcome(struct job *j, const char *what, const struct outcome *o,
	struct slice log)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	const char *lines = classify_last_lines(j->a, log, CLASSIFY_LINES);

	buf_printf(&text, "guix %s: ", what);
	child_describe(o, &text);
	buf_char(&text, '.');
	j->out->failed_lines = lines;
	switch (o->end) {
	case CHILD_STOPPED:
		return job_end(j, REBUILD_NOT_TRIED, "stopped", buf_text(&text),
			"Run it again.");
	case CHILD_DEADLINE:
		buf_clear(&text);
		buf_printf(&text, "guix %s: the rebuild took more than %lld s.",
			what, (long long)j->o->limits.deadline_s);
		return job_end(j, REBUILD_TIMEOUT, "deadline", buf_text(&text),
			"Give it more time.");
	case CHILD_SILENT:
		return job_end(j, REBUILD_TIMEOUT, "silence", buf_text(&text),
			"Give it more time.");
	case CHILD_EXITED:
	case CHILD_SIGNALLED:
		break;
	}
	if (o->end == CHILD_SIGNALLED)
		return job_end(j, REBUILD_NOT_TRIED, "killed", buf_text(&text),
			"Something killed it, as the kernel does when memory "
			"is short.");
	buf_clear(&text);
	buf_printf(&text, "The sandbox could not run guix: %s",
		lines ? lines : "no word of why");
	return job_end(j, REBUILD_NOT_TRIED, "sandbox", buf_text(&text),
		"unblend doctor says what is missing.");
}

int
job_command(struct job *j, const char *const *argv, enum voice voice,
	struct buf *out, struct buf *log, int *code, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf own = {0};
	const struct limits *l = &j->o->limits;
	struct child_spec spec = {
		.deadline_ms = left_ms(j),
		.silence_ms = voice == VOICE_QUIET
			? 0
			: l->silence_s * 1000 + SILENCE_MORE_MS,
		.out_cap = l->output_bytes,
		.log_cap = l->log_bytes,
		.log_fd = j->log_fd,
		.memory_max = l->memory_bytes,
	};
	struct outcome o;
	bool has_run;
	size_t before;

	if (!log)
		log = &own;
	before = log->n;
	job_ran(j, argv);
	if (sandbox_run(&j->box, argv, spec, out, log, j->o->stop, &o, &has_run,
		    code, e) < 0) {
		if (e->kind == ERR_ABSENT)
			return job_end(j, REBUILD_NOT_TRIED, "sandbox",
				"There is no bwrap to run.",
				"Install bubblewrap.");
		return job_end_host(j, "host", e);
	}
	buf_add(&j->log, buf_text(log) + before, log->n - before);
	if (o.end != CHILD_EXITED || !has_run)
		return end_outcome(j, argv[1], &o, buf_get(log));
	/* bwrap gives 128 and the signal that ended the command. */
	if (*code > 128) {
		o = (struct outcome){
			.end = CHILD_SIGNALLED, .code = *code - 128};
		return end_outcome(j, argv[1], &o, buf_get(log));
	}
	return 1;
}

/* The log of a failed build, unpacked; best effort: without it, there are the
 * client's lines. */
static void
read_build_log(struct job *j, const char *path, struct buf *text)
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
	if (fd < 0 || child_run(&spec, text, NULL, j->o->stop, &o, &e) < 0 ||
		o.is_out_cut)
		buf_clear(text);
}

int
job_diagnose(struct job *j, enum step step, struct slice log, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf own = {0};
	struct diagnosis d;
	struct drv drv;
	bool is_source = false;

	classify(j->a, step, log, &d);
	if (d.failed_drv) {
		if (path_read(d.failed_drv, GUIX_DRV_BYTES, &text, e) == 0 &&
			guix_drv_parse(j->a, buf_get(&text), &drv, e) == 0)
			is_source = guix_drv_is_source(&drv);
		if (d.log_file)
			read_build_log(j, d.log_file, &own);
		classify_build_log(j->a, is_source, buf_get(&own), &d);
	}
	return job_end_diagnosed(j, &d);
}
