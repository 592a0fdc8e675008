/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sched/own.h"

enum {
	LINE_MAX_COLUMNS = 78
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

void
tell_clear(struct scheduler *s)
{
	if (s->line_width > 0)
		fprintf(s->o->progress, "\r%*s\r", (int)s->line_width, "");
	s->line_width = 0;
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

/* The image whose name stands for a job. */
static uint32_t
first_image(const struct scheduler *s, const struct slot *slot)
{
	const struct plan_job *job = &slot->job;

	if (job->kind == PLAN_READ || job->kind == PLAN_COMPARE)
		return job->items[0];
	return plan_members(s->plan, job->items[0], PLAN_END);
}

static const char *
name_of(const struct scheduler *s, uint32_t image)
{
	return image == PLAN_END ? "?" : s->queue[image].sample->name;
}

void
tell_start(struct scheduler *s, const struct slot *slot)
{
	(void)s;
	(void)slot;
}

void
tell_verdict(
	struct scheduler *s, uint32_t image, const struct store_taken *taken)
{
	s->counts[taken->verdict]++;
	tell_line(s, "[%zu/%zu] %-16s %s (%.1f s)", s->n_done, s->n_queue,
		verdict_name(taken->verdict), name_of(s, image),
		(double)taken->elapsed_ms / 1000);
}

void
tell_running(struct scheduler *s)
{
	CLEANUP(buf_fini)
	struct buf line = {0};

	if (!s->o->progress || !s->o->is_terminal)
		return;
	buf_printf(&line, "%zu of %zu done", s->n_done, s->n_queue);
	for (unsigned i = 0; i < s->o->slots; i++) {
		const struct slot *slot = &s->slots[i];

		if (!slot->is_busy)
			continue;
		if (slot->job.kind == PLAN_LOWER)
			buf_printf(&line, ", %zu recipes", slot->job.n);
		else
			buf_printf(&line, ", %s",
				name_of(s, first_image(s, slot)));
		buf_printf(&line, ": %s %" PRId64 " s", slot->stage,
			(clock_mono_ms() - slot->started_ms) / 1000);
	}
	tell_clear(s);
	s->line_width = line.n < LINE_MAX_COLUMNS ? line.n : LINE_MAX_COLUMNS;
	fprintf(s->o->progress, "\r%.*s", LINE_MAX_COLUMNS, buf_text(&line));
	fflush(s->o->progress);
}
