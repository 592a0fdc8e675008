/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/examine.h"

#include <string.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "rebuild/closure.h"
#include "rebuild/guix.h"
#include "rebuild/lower.h"

static const char script[] =
#include "rebuild/examine.scm.h"
	;

enum {
	WAY_MAX = 1000 /* items on a way */
};

/* --- the script's data, and what it prints --------------------------------- */

static int
add_strings(struct buf *out, const char *const *v, size_t n, struct err *e)
{
	buf_char(out, '(');
	for (size_t i = 0; i < n; i++) {
		if (text_scheme(out, slice_of(v[i])) < 0)
			return err_set(e, ERR_INPUT,
				"a name of the store is not UTF-8");
		buf_char(out, ' ');
	}
	buf_str(out, ")\n");
	return 0;
}

int
examine_data(const struct examination *x, size_t from, size_t n,
	long long timeout_s, const struct limits *l, struct buf *out,
	struct err *e)
{
	const char **drvs = xcalloc(n + 1, sizeof(*drvs));
	bool is_first = from == 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		drvs[i] = x->probes[from + i].drv;
	buf_printf(out,
		"(((rounds . %u) (timeout . %lld) (silence . %lld)"
		" (substitutes? . %s)",
		x->rounds, timeout_s, (long long)l->silence_s,
		x->no_substitutes ? "#f" : "#t");
	if (l->cpus)
		buf_printf(out, " (cores . %llu)", (unsigned long long)l->cpus);
	buf_str(out, ")\n");
	rc = add_strings(out, drvs, n, e);
	if (rc == 0)
		rc = add_strings(out, x->roots, is_first ? x->n_roots : 0, e);
	if (rc == 0)
		rc = add_strings(
			out, x->targets, is_first ? x->n_targets : 0, e);
	buf_str(out, ")\n");
	free(drvs);
	return rc;
}

static bool
has(struct slice s, const char *text)
{
	return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

void
examine_read(struct arena *a, struct slice section, struct probe *p)
{
	CLEANUP(buf_fini)
	struct buf why = {0};
	struct slice line;

	p->end = EXAMINED_FAILED;
	p->why = "guix repl said nothing of it";
	while (guix_log_line(&section, &line)) {
		if (slice_is(line, "built")) {
			p->was_missing = true;
		} else if (slice_is(line, "same")) {
			p->end = EXAMINED_SAME;
			p->why = NULL;
			return;
		} else if (slice_is(line, "failed")) {
			/* nix/libstore/build.cc, registerOutputs */
			if (has(section, "may not be deterministic") ||
				has(section, " from previous round")) {
				p->end = EXAMINED_DIFFERS;
				p->why = NULL;
				return;
			}
			if (!guix_log_line(&section, &line))
				line = slice_of("no word of why");
			text_clean(&why, line, TEXT_ONE_LINE);
			p->why = arena_copy(a, buf_text(&why), why.n);
			return;
		}
	}
}

static const char *const *
read_way(struct task *t, struct slice section)
{
	CLEANUP(words_fini)
	struct words way = {.arena = t->a};
	struct slice line;

	while (guix_log_line(&section, &line) && way.n < WAY_MAX)
		if (guix_is_store_path(line))
			words_add(&way, arena_copy(t->a, line.p, line.n));
	return words_take(&way);
}

/* --- running it ------------------------------------------------------------ */

static int
write_files(struct task *t, const struct examination *x, size_t from, size_t n,
	const char *program, const char *data, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	int64_t left_ms = t->until_ms - clock_mono_ms();

	if (examine_data(x, from, n, left_ms > 0 ? left_ms / 1000 + 1 : 1,
		    &t->o->limits, &text, e) < 0 ||
		aside_write(program, script, sizeof(script) - 1, e) < 0 ||
		aside_write(data, buf_text(&text), text.n, e) < 0)
		return task_end_host(t, "host", e);
	return 1;
}

/* As task_command; what the script printed goes to out, whatever came of it. */
static int
run_script(struct task *t, const struct examination *x, size_t from, size_t n,
	struct buf *out, struct err *e)
{
	CLEANUP(words_fini)
	struct words cmd = {.arena = t->a};
	CLEANUP(own_free)
	char *program = xasprintf("%s/examine.scm", t->work);
	CLEANUP(own_free)
	char *data = xasprintf("%s/examine.data", t->work);
	CLEANUP(buf_fini)
	struct buf log = {0};
	int code, rc = write_files(t, x, from, n, program, data, e);

	if (rc <= 0)
		return rc;
	/* Any client will do: it only asks the daemon. */
	words_add(&cmd, t->instance ? t->instance : t->guix);
	words_add(&cmd, "repl");
	words_add(&cmd, "--");
	words_add(&cmd, program);
	words_add(&cmd, data);
	rc = task_command(t, words_take(&cmd), VOICE_LOUD, out, &log, &code, e);
	if (rc == 1 && code != 0)
		return task_diagnose(t, STEP_LOWER, buf_get(&log), e);
	return rc;
}

/* A derivation that was examined before is not counted again. */
static void
count(struct task *t, const struct probe *v, size_t n)
{
	CLEANUP(words_fini)
	struct words known = {.arena = t->a};
	CLEANUP(words_fini)
	struct words built = {.arena = t->a};
	struct rebuild *r = t->out;

	for (size_t i = 0; i < r->examined; i++)
		words_add(&known, r->examined_drvs[i]);
	for (size_t i = 0; i < n; i++) {
		bool is_done = v[i].end == EXAMINED_SAME ||
			v[i].end == EXAMINED_DIFFERS;

		if (v[i].was_missing || is_done)
			words_add(&built, v[i].drv);
		if (!is_done || words_has(&known, v[i].drv))
			continue;
		words_add(&known, v[i].drv);
		r->unstable += v[i].end == EXAMINED_DIFFERS;
	}
	r->examined = (unsigned)known.n;
	r->examined_drvs = words_take(&known);
	build_note_drvs(t, built.v, built.n);
}

static void
take_results(struct task *t, struct examination *x, size_t from, size_t n,
	struct slice out)
{
	struct slice text;

	/* A section without its end is of one that was under way. */
	for (size_t i = 0; i < n; i++)
		if (lower_section(out, "unblend-examined", i, &text))
			examine_read(t->a, text, &x->probes[from + i]);
	count(t, x->probes + from, n);
	for (size_t i = 0; from == 0 && i < x->n_targets; i++)
		if (lower_section(out, "unblend-chain", i, &text))
			x->ways[i] = read_way(t, text);
}

/* 1, or 0 with what ended it as the why of those not done. */
static int
run_some(struct task *t, struct examination *x, size_t from, size_t n,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf out = {0};
	int rc = run_script(t, x, from, n, &out, e);

	if (rc < 0)
		return -1;
	for (size_t i = from; i < x->n; i++)
		x->probes[i].why = rc == 0 ? t->out->cause : "not reached";
	take_results(t, x, from, n, buf_get(&out));
	return rc;
}

int
examine_run(struct task *t, struct examination *x, struct err *e)
{
	static const char *const none[] = {NULL};
	const struct rebuild before = *t->out;
	struct rebuild *out = t->out;
	int rc = 1;

	for (size_t i = 0; i < x->n; i++) {
		x->probes[i].end = EXAMINED_FAILED;
		x->probes[i].was_missing = false;
	}
	for (size_t i = 0; i < x->n_targets; i++)
		x->ways[i] = none;
	for (size_t from = 0; from < x->n && rc == 1; from += EXAMINE_AT_ONCE) {
		size_t n = x->n - from;

		rc = run_some(t, x, from,
			n < EXAMINE_AT_ONCE ? n : EXAMINE_AT_ONCE, e);
	}
	/* The image was rebuilt, whatever became of this. */
	out->end = before.end;
	out->class_ = before.class_;
	out->cause = before.cause;
	out->advice = before.advice;
	out->failed_drv = before.failed_drv;
	out->failed_lines = before.failed_lines;
	return rc < 0 ? -1 : 0;
}
