/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one sends to those who can do something about an image. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "report/report.h"
#include "report/words.h"

enum {
	SHORT_MAX = 20 /* differences, packages, commands in the text itself */
};

struct bug {
	struct store *s;
	struct store_run run;
	const char *name, *attached;
	FILE *out, *list;
	bool is_found;
	/* of the listing under way */
	FILE *to;
	const char *before;
	const char *title; /* before the first text; NULL once it stands */
	int64_t n, max;
};

/* Foreign text, each line of it behind `before'. */
static void
put_lines(FILE *f, const char *before, const char *text)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};
	const char *line, *end;

	text_clean(&clean, slice_of(text), TEXT_MANY_LINES);
	for (line = buf_text(&clean); *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		fprintf(f, "%s%.*s\n", end == line ? "" : before,
			(int)(end - line), line);
	}
}

/* "- WHAT: TEXT", unless there is no text. */
static void
put_fact(FILE *f, const char *what, const char *text)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};

	if (!text || !text[0])
		return;
	text_clean(&clean, slice_of(text), TEXT_ONE_LINE);
	fprintf(f, "- %s: %s\n", what, buf_text(&clean));
}

/* A title, and text as it is. */
static void
put_block(FILE *f, const char *title, const char *text)
{
	if (!text || !text[0])
		return;
	fprintf(f, "\n%s\n\n", title);
	put_lines(f, "    ", text);
}

static int
add_text(void *arg, const char *text, struct err *e)
{
	struct bug *b = arg;

	(void)e;
	if (b->title)
		fprintf(b->to, "\n%s\n\n", b->title);
	b->title = NULL;
	if (b->n++ < b->max)
		put_lines(b->to, b->before, text);
	return 0;
}

static void
put_rest(const struct bug *b)
{
	if (b->n > b->max)
		fprintf(b->to, "%sand %" PRId64 " more\n", b->before,
			b->n - b->max);
}

static int
put_texts(struct bug *b, int64_t sample, const char *kind, const char *before,
	struct err *e)
{
	b->n = 0;
	b->max = SHORT_MAX;
	b->to = b->out;
	b->before = before;
	if (store_texts(b->s, sample, kind, add_text, b, e) < 0)
		return -1;
	put_rest(b);
	return 0;
}

static int
add_package(void *arg, const struct store_package *p, struct err *e)
{
	struct bug *b = arg;
	CLEANUP(own_free)
	char *line = NULL;

	(void)e;
	if (p->depth > 0 || b->n++ >= b->max)
		return 0;
	line = xasprintf(
		"%s@%s:%s %s", p->name, p->version, p->output, p->store_path);
	put_lines(b->to, b->before, line);
	return 0;
}

static int
add_forgiven(void *arg, const struct forgiven *g, struct err *e)
{
	struct bug *b = arg;
	CLEANUP(own_free)
	char *line =
		xasprintf("forgiven: %s, %" PRIu64 " times", g->what, g->count);

	(void)e;
	put_lines(b->to, b->before, line);
	b->n++;
	return 0;
}

static int
add_difference(void *arg, const struct difference *d, struct err *e)
{
	struct bug *b = arg;
	CLEANUP(buf_fini)
	struct buf line = {0};

	(void)e;
	if (b->n++ >= b->max)
		return 0;
	text_clean(&line, slice_of(d->path), TEXT_ONE_LINE);
	if (line.n == 0)
		buf_str(&line, "the image");
	buf_printf(&line, ": %s", d->kind);
	if (d->detail && d->detail[0])
		buf_printf(&line, ", %s", d->detail);
	if (d->offset >= 0)
		buf_printf(&line, ", first at byte %" PRId64, d->offset);
	difference_why(d, &line);
	if (d->package)
		buf_printf(&line, " (%s)", d->package);
	put_lines(b->to, b->before, buf_text(&line));
	return 0;
}

static int
list_differences(struct bug *b, int64_t sample, FILE *to, const char *before,
	int64_t max, struct err *e)
{
	b->n = 0;
	b->max = max;
	b->to = to;
	b->before = before;
	return store_differences(b->s, sample, add_difference, b, e);
}

static void
put_compared(struct bug *b, const struct store_attempt *a)
{
	CLEANUP(buf_fini)
	struct buf size = {0};
	FILE *f = b->out;

	if (a->image_bytes > 0)
		report_bytes(&size, a->image_bytes);
	fputs("\n## What was compared\n\n", f);
	put_fact(f, "image", a->sample.source);
	put_fact(f, "its sha256", a->image_sha256);
	put_fact(f, "its size", buf_text(&size));
	put_fact(f, "its compression", a->compression);
	put_fact(f, "its profile", a->profile);
	put_fact(f, "rebuilt", a->output);
	put_fact(f, "its sha256", a->rebuilt_sha256);
	put_fact(f, "by the derivation", a->drv);
}

static void
put_machine(struct bug *b, const struct store_attempt *a)
{
	const struct store_run *r = &b->run;
	time_t started = (time_t)(a->started_s ? a->started_s : r->started_s);
	char day[40] = "";
	struct tm tm;

	if (gmtime_r(&started, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &tm);
	fputs("\n## On what machine\n\n", b->out);
	put_fact(b->out, "Guix", r->guix_version);
	put_fact(b->out, "kernel", r->kernel);
	put_fact(b->out, "file system of the store", r->store_fs);
	put_fact(b->out, "unblend", r->unblend_version);
	put_fact(b->out, "when", day);
}

static int
put_rebuild(struct bug *b, const struct store_attempt *a, struct err *e)
{
	FILE *f = b->out;

	if (!a->depth)
		return 0;
	fputs("\n## What was done\n\n", f);
	put_fact(f, "depth", a->depth);
	fprintf(f,
		"- derivations: %" PRId64 " built here, %" PRId64
		" substituted, %" PRId64 " were there\n",
		a->built, a->substituted, a->valid);
	if (a->examined > 0)
		fprintf(f,
			"- built once more: %" PRId64 ", of which %" PRId64
			" did not come out as before\n",
			a->examined, a->unstable);
	if (a->is_checked)
		fprintf(f,
			"- the pack was there already, and was built again "
			"with %s bits\n",
			a->is_stable ? "the same" : "other");
	put_fact(f, "the first derivation that failed", a->failed_drv);
	put_block(f, "Its last words:", a->failed_lines);
	b->title = "Commands, as they were run here:";
	return put_texts(b, a->sample.id, "command", "    ", e);
}

static int
put_recipe(struct bug *b, const struct store_attempt *a, struct err *e)
{
	FILE *f = b->out;

	if (a->channels_scm || a->manifest_scm) {
		fputs("\n## To repeat it\n", f);
		put_block(f, "channels.scm:", a->channels_scm);
		put_block(f, "manifest.scm:", a->manifest_scm);
		put_block(f, "With these two files:", a->command);
	}
	fputs("\n## What the image says of itself\n\nPackages:\n\n", f);
	b->n = 0;
	b->max = SHORT_MAX;
	b->to = f;
	b->before = "    ";
	if (store_packages(b->s, a->sample.id, add_package, b, e) < 0)
		return -1;
	if (b->n == 0)
		fputs("    none that could be read\n", f);
	put_rest(b);
	b->title = "Not certain:";
	return put_texts(b, a->sample.id, "missing", "- not known: ", e) < 0 ||
			put_texts(b, a->sample.id, "guessed",
				"- guessed: ", e) < 0 ||
			put_texts(b, a->sample.id, "note", "- note: ", e) < 0
		? -1
		: 0;
}

static int
put_differences(struct bug *b, const struct store_attempt *a, struct err *e)
{
	FILE *f = b->out;

	if (!a->rebuilt_sha256)
		return 0;
	fprintf(f, "\n## Differences: %" PRId64 "\n\n", a->differences);
	if (list_differences(b, a->sample.id, f, "    ", SHORT_MAX, e) < 0 ||
		store_forgiven(b->s, a->sample.id, add_forgiven, b, e) < 0)
		return -1;
	if (a->differences <= SHORT_MAX)
		return 0;
	if (b->attached) {
		fprintf(f, "\nAll that were recorded are in the file %s.\n",
			b->attached);
		return list_differences(
			b, a->sample.id, b->list, "", INT64_MAX, e);
	}
	fputs("\n## All of them that were recorded\n\n", f);
	return list_differences(b, a->sample.id, f, "    ", INT64_MAX, e);
}

static int
put_attempt(void *arg, const struct store_attempt *a, struct err *e)
{
	struct bug *b = arg;
	CLEANUP(own_free)
	char *name = NULL;

	if (strcmp(a->sample.name, b->name) != 0)
		return 0;
	b->is_found = true;
	name = text_clean_new(slice_of(a->sample.name));
	fprintf(b->out, "# %s: %s\n\n%s\n", name, report_verdict(a),
		report_sentence(a));
	if (a->cause)
		put_lines(b->out, "", a->cause);
	if (a->advice) {
		fputc('\n', b->out);
		put_lines(b->out, "", a->advice);
	}
	put_compared(b, a);
	/* What stands was found by another run, maybe elsewhere. */
	if (a->of_run > 0 && store_run_get(b->s, a->of_run, &b->run, e) < 0)
		return -1;
	put_machine(b, a);
	if (put_rebuild(b, a, e) < 0 || put_recipe(b, a, e) < 0)
		return -1;
	return put_differences(b, a, e);
}

int
report_bug(struct store *s, const struct report_bug *o, struct err *e)
{
	struct bug b = {.s = s,
		.name = o->name,
		.attached = o->attached,
		.out = o->out,
		.list = o->list};
	int status;

	if (store_read_begin(s, e) < 0)
		return -1;
	status = store_run_get(s, o->run, &b.run, e);
	if (status == 0)
		status = store_attempts(s, b.run.id, put_attempt, &b, e);
	store_read_end(s);
	if (status == 0 && !b.is_found) {
		CLEANUP(own_free)
		char *name = text_clean_new(slice_of(o->name));

		return err_set(e, ERR_ABSENT,
			"run %" PRId64 " has no image named '%s'", b.run.id,
			name);
	}
	return status;
}
