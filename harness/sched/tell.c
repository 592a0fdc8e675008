/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/ioctl.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/text.h"
#include "sched/own.h"

enum {
	TOLD_EVERY_MS = 200, /* on a terminal */
	RATE_IMAGES = 5 /* judged, before time is reckoned from their number */
};

const char *
tell_kind(enum plan_kind kind)
{
	static const char *const names[] = {
		[PLAN_NONE] = "none",
		[PLAN_READ] = "read",
		[PLAN_LOWER] = "lower",
		[PLAN_BUILD] = "build",
		[PLAN_COMPARE] = "compare",
	};

	return names[kind];
}

/* Can the lines of a terminal be written over? */
static bool
is_rewritten(const struct scheduler *s)
{
	const char *term = getenv("TERM");

	return s->o->progress && s->o->is_terminal && term &&
		strcmp(term, "dumb") != 0;
}

void
tell_clear(struct scheduler *s)
{
	if (s->n_lines == 0)
		return;
	fputc('\r', s->o->progress);
	if (s->n_lines > 1)
		fprintf(s->o->progress, "\033[%zuA", s->n_lines - 1);
	fputs("\033[J", s->o->progress);
	s->n_lines = 0;
	s->told_ms = 0;
}

void
tell_line(struct scheduler *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->o->progress)
		return;
	tell_clear(s);
	va_start(ap, fmt);
	vfprintf(s->o->progress, fmt, ap);
	va_end(ap);
	fputc('\n', s->o->progress);
	fflush(s->o->progress);
}

/* ---- events ---- */

static const char *
name_of(const struct scheduler *s, uint32_t image)
{
	return image == PLAN_END ? "?" : s->queue[image].sample->name;
}

void
tell_begin(struct scheduler *s, int64_t run)
{
	struct jout *j = events_begin(s->events, "run-begin");

	s->started_ms = clock_mono_ms();
	if (j) {
		jout_int(j, "version", EVENTS_VERSION);
		jout_int(j, "run", run);
		jout_int(j, "images", (int64_t)s->n_queue);
		jout_int(j, "done", (int64_t)s->n_done);
		jout_int(j, "jobs", s->o->slots);
	}
	events_end(s->events);
}

void
tell_end(struct scheduler *s)
{
	struct jout *j = events_begin(s->events, "run-end");

	if (j) {
		jout_bool(j, "stopped", s->n_done < s->n_queue);
		jout_int(j, "done", (int64_t)s->n_done);
		jout_int(j, "elapsed_ms", clock_mono_ms() - s->started_ms);
		jout_begin(j, "verdicts", '{');
		for (int v = 0; v < VERDICT_COUNT; v++)
			if (s->counts[v] > 0)
				jout_int(j, verdict_name((enum verdict)v),
					s->counts[v]);
		jout_end(j, '}');
	}
	events_end(s->events);
}

/* Calls f for the images that a job is for. */
static void
each_image(const struct scheduler *s, const struct plan_job *job,
	void (*f)(void *arg, const char *name), void *arg)
{
	bool is_of_groups = job->kind == PLAN_LOWER || job->kind == PLAN_BUILD;

	for (size_t i = 0; i < job->n; i++) {
		uint32_t image = job->items[i];

		if (is_of_groups)
			image = plan_members(s->plan, job->items[i], PLAN_END);
		for (; image != PLAN_END; image = is_of_groups
				? plan_members(s->plan, job->items[i], image)
				: PLAN_END)
			f(arg, name_of(s, image));
	}
}

/* The first of the names, and how many there are. */
struct names {
	struct jout *out;
	const char *first;
	size_t n;
};

static void
take_name(void *arg, const char *name)
{
	struct names *names = arg;

	if (names->out && names->n < PLAN_ITEMS_MAX)
		jout_str(names->out, NULL, name);
	if (!names->first)
		names->first = name;
	names->n++;
}

void
tell_start(struct scheduler *s, const struct slot *slot)
{
	struct jout *j = events_begin(s->events, "job-begin");
	struct names names = {.out = j};

	if (j) {
		jout_int(j, "slot", slot - s->slots + 1);
		jout_str(j, "stage", tell_kind(slot->job.kind));
		jout_begin(j, "images", '[');
		each_image(s, &slot->job, take_name, &names);
		jout_end(j, ']');
		jout_int(j, "n", (int64_t)names.n);
	}
	events_end(s->events);
}

void
tell_verdict(
	struct scheduler *s, uint32_t image, const struct store_taken *taken)
{
	const char *verdict = verdict_name(taken->verdict);
	struct jout *j = events_begin(s->events, "verdict");

	s->counts[taken->verdict]++;
	if (j) {
		jout_str(j, "image", name_of(s, image));
		jout_str(j, "verdict", verdict);
		jout_int(j, "elapsed_ms", taken->elapsed_ms);
		jout_int(j, "done", (int64_t)s->n_done);
	}
	events_end(s->events);
	tell_line(s, "[%zu/%zu] %-16s %s (%.1f s)", s->n_done, s->n_queue,
		verdict, name_of(s, image), (double)taken->elapsed_ms / 1000);
}

void
tell_skip(struct scheduler *s, uint32_t image, enum verdict verdict,
	int64_t run, const char *why)
{
	struct jout *j = events_begin(s->events, "skip");

	s->counts[verdict]++;
	if (j) {
		jout_str(j, "image", name_of(s, image));
		jout_str(j, "verdict", verdict_name(verdict));
		jout_int(j, "of_run", run);
		jout_str(j, "why", why);
	}
	events_end(s->events);
}

void
tell_retry(struct scheduler *s, uint32_t image, const char *class_,
	int64_t after_ms)
{
	struct jout *j = events_begin(s->events, "retry");
	CLEANUP(buf_fini)
	struct buf shown = {0};

	text_clean(&shown, slice_of(class_ ? class_ : "?"), TEXT_ONE_LINE);
	if (j) {
		jout_str(j, "image", name_of(s, image));
		jout_str(j, "class", buf_text(&shown));
		jout_int(j, "after_ms", after_ms);
	}
	events_end(s->events);
	tell_line(s, "%s: %s; again in %" PRId64 " s", name_of(s, image),
		buf_text(&shown), (after_ms + 999) / 1000);
}

/* ---- a terminal ---- */

static void
add_duration(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 100)
		buf_printf(out, "%" PRId64 " s", s);
	else if (s < 100 * 60)
		buf_printf(out, "%" PRId64 " min", (s + 30) / 60);
	else
		buf_printf(out, "%" PRId64 " h %" PRId64 " min", s / 3600,
			s % 3600 / 60);
}

/* From what history says of the images that are left; of those that it does not
 * know, from how long the others took. */
static void
add_left(const struct scheduler *s, struct buf *out)
{
	struct plan_count c = plan_count(s->plan);
	int64_t left = c.left_ms / s->o->slots;
	size_t n = s->n_done - s->n_before;

	if (n < RATE_IMAGES && c.unknown > 0)
		return;
	if (n > 0)
		left += (clock_mono_ms() - s->started_ms) * (int64_t)c.unknown /
			(int64_t)n;
	if (s->n_done == s->n_queue)
		return;
	buf_str(out, "; about ");
	add_duration(out, left);
	buf_str(out, " left");
}

static void
add_counts(const struct scheduler *s, struct buf *out)
{
	bool is_first = true;

	for (int v = 0; v < VERDICT_COUNT; v++) {
		if (s->counts[v] == 0)
			continue;
		buf_printf(out, "%s%" PRId64 " %s", is_first ? ": " : ", ",
			s->counts[v], verdict_name((enum verdict)v));
		is_first = false;
	}
}

static void
add_slot(const struct scheduler *s, const struct slot *slot, struct buf *out)
{
	struct names names = {0};

	each_image(s, &slot->job, take_name, &names);
	buf_printf(out, "  %-10s ", slot->stage);
	add_duration(out, clock_mono_ms() - slot->started_ms);
	buf_printf(out, "  %s", names.first ? names.first : "?");
	if (names.n > 1)
		buf_printf(out, " and %zu more", names.n - 1);
}

/* As much of it as a line of so many columns holds. */
static void
put_line(FILE *f, const struct buf *line, size_t columns)
{
	size_t n = 0, shown = 0;

	for (; n < line->n; n++) {
		/* the bytes that go on with a character of UTF-8 */
		if (((unsigned char)line->p[n] & 0xc0) != 0x80 &&
			shown++ == columns)
			break;
	}
	fwrite(line->p, 1, n, f);
}

void
tell_running(struct scheduler *s)
{
	CLEANUP(buf_fini)
	struct buf line = {0};
	struct winsize size = {.ws_col = 80, .ws_row = 24};
	size_t columns, most, n = 1;
	int64_t now = clock_mono_ms();

	if (!is_rewritten(s) || now - s->told_ms < TOLD_EVERY_MS)
		return;
	(void)ioctl(fileno(s->o->progress), TIOCGWINSZ, &size);
	columns = size.ws_col > 20 ? size.ws_col - 1U : 79;
	most = size.ws_row > 4 ? size.ws_row - 2U : 2;
	tell_clear(s);
	buf_printf(&line, "%zu of %zu done", s->n_done, s->n_queue);
	add_counts(s, &line);
	add_left(s, &line);
	put_line(s->o->progress, &line, columns);
	for (unsigned i = 0; i < s->o->slots && n < most; i++) {
		if (!s->slots[i].is_busy)
			continue;
		buf_clear(&line);
		add_slot(s, &s->slots[i], &line);
		fputc('\n', s->o->progress);
		put_line(s->o->progress, &line, columns);
		n++;
	}
	fflush(s->o->progress);
	s->n_lines = n;
	s->told_ms = now;
}
