/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jout.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "report/words.h"

enum {
	OPT_JSON = 256,
	RUNS_MAX = 100000, /* of one name, the newest */
	ID_CHARS = 65,     /* 64 hex digits */
	WHY_CHARS = 60,    /* of a cause */
	NAME_CHARS_MAX = 40,
	VERDICT_CHARS = 16,
	TIME_CHARS = 12
};

/* One run's judgement, kept. */
struct point {
	int64_t run, started_s, elapsed_ms;
	enum verdict verdict;
	bool is_accepted, is_change;
	char image[ID_CHARS], recipe[ID_CHARS]; /* "": none */
	char why[WHY_CHARS * 4 + 1];
};

/* All that is told of a name.  not-tried is among the points, and counts for
 * nothing: it says nothing of the image. */
struct past {
	const char *name;
	struct point *v;
	size_t n, cap;
	size_t judged, changes;
	const struct point *first, *last;               /* judged; NULL */
	const struct point *first_change, *last_change; /* NULL: none */
	int64_t total_ms, max_ms;
	bool is_flaky;
};

struct telling {
	struct store *store;
	struct jout *j; /* NULL: text */
	bool is_colour, has_runs;
	size_t name_chars; /* width of the column of a table */
	struct past past;
};

static void
keep_id(char out[ID_CHARS], const char *id)
{
	if (id && strlen(id) < ID_CHARS)
		memcpy(out, id, strlen(id) + 1);
}

static int
add_point(void *arg, const struct store_judgement *j, struct err *e)
{
	struct past *p = arg;
	CLEANUP(buf_fini)
	struct buf why = {0};
	struct point *at;

	(void)e;
	VEC_GROW(p->v, p->n, p->cap);
	at = &p->v[p->n++];
	*at = (struct point){
		.run = j->run,
		.started_s = j->started_s,
		.elapsed_ms = j->elapsed_ms,
		.verdict = j->verdict,
		.is_accepted = j->is_accepted,
	};
	keep_id(at->image, j->image_sha256);
	keep_id(at->recipe, j->recipe_id);
	/* Characters, of at most four bytes. */
	report_short(&why, j->cause, WHY_CHARS);
	memcpy(at->why, buf_text(&why), why.n);
	return 0;
}

/* Of those with the image and recipe of the newest. */
static bool
is_flaky(const struct past *p)
{
	const struct point *newest = p->last;
	struct report_turns turns = {.was = newest && newest->is_accepted};
	bool is = false;

	for (size_t i = p->n; newest && i-- > 0;) {
		const struct point *at = &p->v[i];

		if (at->verdict != VERDICT_NOT_TRIED &&
			strcmp(at->image, newest->image) == 0 &&
			strcmp(at->recipe, newest->recipe) == 0)
			is = report_turn(&turns, at->is_accepted);
	}
	return is;
}

static void
sum_up(struct past *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct point *at = &p->v[i];

		if (at->verdict == VERDICT_NOT_TRIED)
			continue;
		at->is_change = p->last && p->last->verdict != at->verdict;
		if (at->is_change) {
			p->changes++;
			p->last_change = at;
			if (!p->first_change)
				p->first_change = at;
		}
		if (!p->first)
			p->first = at;
		p->last = at;
		p->judged++;
		p->total_ms += at->elapsed_ms;
		if (at->elapsed_ms > p->max_ms)
			p->max_ms = at->elapsed_ms;
	}
	p->is_flaky = is_flaky(p);
}

static int
load(struct telling *t, const char *name, struct err *e)
{
	struct past *p = &t->past;
	struct point *v = p->v;
	size_t cap = p->cap;

	*p = (struct past){.name = name, .v = v, .cap = cap};
	if (store_history(t->store, name, 0, RUNS_MAX, add_point, p, e) < 0)
		return -1;
	if (p->n == 0)
		return err_set(
			e, ERR_ABSENT, "no run has judged an image '%s'", name);
	sum_up(p);
	return 0;
}

/* ---- JSON ---- */

static void
json_started(struct jout *j, const struct point *at)
{
	char iso[CLOCK_ISO];

	clock_iso(at->started_s, iso);
	jout_int(j, "run", at->run);
	jout_str(j, "started", iso);
	jout_str(j, "verdict", verdict_name(at->verdict));
}

static void
json_change(struct jout *j, const char *key, const struct point *at)
{
	if (!at) {
		jout_null(j, key);
		return;
	}
	jout_begin(j, key, '{');
	json_started(j, at);
	jout_end(j, '}');
}

static void
json_point(struct jout *j, const struct point *at)
{
	jout_begin(j, NULL, '{');
	json_started(j, at);
	jout_bool(j, "accepted", at->is_accepted);
	jout_bool(j, "changed", at->is_change);
	jout_int(j, "elapsed_ms", at->elapsed_ms);
	jout_str(j, "image_sha256", at->image[0] ? at->image : NULL);
	jout_str(j, "recipe", at->recipe[0] ? at->recipe : NULL);
	jout_str(j, "cause", at->why[0] ? at->why : NULL);
	jout_end(j, '}');
}

static void
json_past(struct jout *j, const struct past *p, bool has_runs)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "name", p->name);
	jout_str(j, "verdict", p->last ? verdict_name(p->last->verdict) : NULL);
	jout_bool(j, "accepted", p->last && p->last->is_accepted);
	jout_int(j, "runs", (int64_t)p->judged);
	jout_int(j, "changes", (int64_t)p->changes);
	json_change(j, "first", p->first);
	json_change(j, "last", p->last);
	json_change(j, "first_change", p->first_change);
	json_change(j, "last_change", p->last_change);
	jout_bool(j, "flaky", p->is_flaky);
	jout_int(j, "total_ms", p->total_ms);
	jout_int(j, "longest_ms", p->max_ms);
	if (has_runs) {
		jout_begin(j, "history", '[');
		for (size_t i = 0; i < p->n; i++)
			json_point(j, &p->v[i]);
		jout_end(j, ']');
	}
	jout_end(j, '}');
}

/* ---- text ---- */

static void
print_padded(const char *text, size_t width)
{
	size_t chars = report_chars(text);

	printf("%s%*s", text, chars < width ? (int)(width - chars) : 0, "");
}

static void
print_verdict(const struct telling *t, const struct point *at)
{
	const char *on = at->is_accepted ? "\033[32m" : "\033[31m";

	if (at->verdict == VERDICT_NOT_TRIED)
		on = "\033[35m";
	printf("%s%s%s%*s", t->is_colour ? on : "", verdict_name(at->verdict),
		t->is_colour ? "\033[0m" : "",
		VERDICT_CHARS - (int)strlen(verdict_name(at->verdict)), "");
}

static void
print_point(const struct telling *t, const struct past *p, size_t i)
{
	const struct point *at = &p->v[i];
	CLEANUP(buf_fini)
	struct buf time = {0};
	char iso[CLOCK_ISO];

	clock_iso(at->started_s, iso);
	report_duration(&time, at->elapsed_ms);
	printf("%c run %-5" PRId64 " %s  ", at->is_change ? '*' : ' ', at->run,
		iso);
	print_verdict(t, at);
	printf("  %*s", TIME_CHARS, buf_text(&time));
	if (i > 0 && at->image[0] && p->v[i - 1].image[0] &&
		strcmp(at->image, p->v[i - 1].image) != 0)
		fputs("  other image", stdout);
	if (i > 0 && at->recipe[0] && p->v[i - 1].recipe[0] &&
		strcmp(at->recipe, p->v[i - 1].recipe) != 0)
		fputs("  other recipe", stdout);
	if (at->why[0])
		printf("  %s", at->why);
	putchar('\n');
}

static void
print_mean(const struct past *p, int width)
{
	CLEANUP(buf_fini)
	struct buf time = {0};

	report_duration(
		&time, p->judged ? p->total_ms / (int64_t)p->judged : 0);
	printf("%*s", width, buf_text(&time));
}

/* A name with all its runs. */
static void
print_past(const struct telling *t, const struct past *p)
{
	CLEANUP(own_free)
	char *name = text_clean_new(slice_of(p->name));

	printf("%s: %zu run%s, %zu change%s", name, p->judged,
		p->judged == 1 ? "" : "s", p->changes,
		p->changes == 1 ? "" : "s");
	if (p->first_change && p->first_change != p->last_change)
		printf(", the first in run %" PRId64, p->first_change->run);
	if (p->last_change)
		printf(", %s in run %" PRId64,
			p->changes > 1 ? "the last" : "it was",
			p->last_change->run);
	fputs(p->is_flaky ? "; flaky" : "", stdout);
	fputs("; mean time ", stdout);
	print_mean(p, 0);
	putchar('\n');
	for (size_t i = 0; i < p->n; i++)
		print_point(t, p, i);
}

/* A name in the table of all. */
static void
print_row(const struct telling *t, const struct past *p)
{
	CLEANUP(own_free)
	char *name = text_clean_new(slice_of(p->name));

	print_verdict(t, p->last);
	fputs("  ", stdout);
	print_padded(name, t->name_chars);
	printf("  %5zu  %7zu  ", p->judged, p->changes);
	if (p->last_change)
		printf("run %-5" PRId64, p->last_change->run);
	else
		fputs("-        ", stdout);
	print_mean(p, TIME_CHARS);
	puts(p->is_flaky ? "  flaky" : "");
}

static int
tell(struct telling *t, const char *name, struct err *e)
{
	if (load(t, name, e) < 0)
		return -1;
	if (t->j)
		json_past(t->j, &t->past, t->has_runs);
	else if (t->has_runs)
		print_past(t, &t->past);
	else
		print_row(t, &t->past);
	return 0;
}

static int
measure_name(void *arg, const struct store_name *n, struct err *e)
{
	struct telling *t = arg;
	size_t chars = report_chars(n->name);

	(void)e;
	if (chars > NAME_CHARS_MAX)
		chars = NAME_CHARS_MAX;
	if (chars > t->name_chars)
		t->name_chars = chars;
	return 0;
}

static int
tell_name(void *arg, const struct store_name *n, struct err *e)
{
	return tell(arg, n->name, e);
}

static int
tell_all(struct telling *t, struct err *e)
{
	t->name_chars = strlen("NAME");
	if (!t->j) {
		if (store_names(t->store, measure_name, t, e) < 0)
			return -1;
		printf("%-*s  ", VERDICT_CHARS, "VERDICT");
		print_padded("NAME", t->name_chars);
		printf("   RUNS  CHANGES  THE LAST %*s\n", TIME_CHARS,
			"MEAN TIME");
	}
	return store_names(t->store, tell_name, t, e);
}

static int
tell_these(struct telling *t, int n, char *names[], struct err *e)
{
	int result = 0;

	if (t->j) {
		jout_begin(t->j, NULL, '{');
		jout_begin(t->j, "images", '[');
	}
	if (n == 0)
		result = tell_all(t, e);
	for (int i = 0; i < n && result == 0; i++)
		result = tell(t, names[i], e);
	if (t->j) {
		jout_end(t->j, ']');
		jout_end(t->j, '}');
	}
	return result;
}

static int
history(const char *db, bool is_json, int n, char *names[], struct err *e)
{
	CLEANUP(own_store)
	struct store *store = NULL;
	struct jout j;
	struct telling t = {
		.has_runs = n > 0,
		.is_colour = common_has_colour(),
	};
	int result;

	if (store_open(db, STORE_READ, &store, e) < 0 ||
		store_read_begin(store, e) < 0)
		return -1;
	t.store = store;
	if (is_json) {
		jout_open(&j, stdout, 2);
		t.j = &j;
	}
	result = tell_these(&t, n, names, e);
	store_read_end(store);
	free(t.past.v);
	if (result == 0 && is_json)
		result = jout_close(&j, e);
	else if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		result = err_sys(e, ERR_HOST, "cannot print the history");
	return result;
}

int
cmd_history(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"database", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *db = NULL;
	bool is_json = false;
	struct err e = {0};
	int c;

	while ((c = common_option(argc, argv, ":d:h", longs)) != -1) {
		if (c == 'd')
			db = optarg;
		else if (c == OPT_JSON)
			is_json = true;
		else
			return EXIT_WRONG;
	}
	if (!db)
		return common_usage(argv[0], "expected -d FILE");
	if (history(db, is_json, argc - optind, argv + optind, &e) < 0)
		return common_fail(&e);
	return EXIT_ACCEPTED;
}
