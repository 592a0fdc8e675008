/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/examine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/text.h"
#include "rebuild/closure.h"
#include "rebuild/guix.h"
#include "rebuild/lower.h"
#include "rebuild/shared.h"

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
		aside_write_brief(program, script, sizeof(script) - 1, e) < 0 ||
		aside_write_brief(data, buf_text(&text), text.n, e) < 0)
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

/* --- what this run knows already ------------------------------------------- */

static void
known_word(const struct examination *x, char out[32])
{
	snprintf(out, 32, "examined-%u%s", x->rounds,
		x->no_substitutes ? "-alone" : "");
}

static bool
get_known(struct task *t, const struct examination *x, struct probe *p)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	char word[32];

	known_word(x, word);
	if (!shared_get(t, p->drv, word, &text))
		return false;
	if (has(buf_get(&text), "same"))
		p->end = EXAMINED_SAME;
	else if (has(buf_get(&text), "differs"))
		p->end = EXAMINED_DIFFERS;
	else
		return false;
	p->why = NULL;
	p->was_missing = has(buf_get(&text), "built");
	p->is_ours = has(buf_get(&text), "ours");
	return true;
}

static void
put_known(struct task *t, const struct examination *x, const struct probe *p)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	char word[32];

	if (p->end != EXAMINED_SAME && p->end != EXAMINED_DIFFERS)
		return;
	known_word(x, word);
	buf_printf(&text, "%s%s%s\n",
		p->end == EXAMINED_SAME ? "same" : "differs",
		p->was_missing ? " built" : "", p->is_ours ? " ours" : "");
	shared_put(t, p->drv, word, buf_get(&text));
}

/* The key of the ways from these roots to target. */
static void
way_key(const struct examination *x, const char *target,
	char hex[DIGEST_HEX + 1])
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	struct digest d;

	for (size_t i = 0; i < x->n_roots; i++)
		digest_add(sum, x->roots[i], strlen(x->roots[i]) + 1);
	digest_add(sum, target, strlen(target) + 1);
	d = digest_end(sum);
	digest_hex(&d, hex);
}

static bool
get_ways(struct task *t, struct examination *x)
{
	for (size_t i = 0; i < x->n_targets; i++) {
		CLEANUP(buf_fini)
		struct buf text = {0};
		char key[DIGEST_HEX + 1];

		way_key(x, x->targets[i], key);
		if (!shared_get(t, key, "way", &text))
			return false;
		x->ways[i] = read_way(t, buf_get(&text));
	}
	return true;
}

static void
put_ways(struct task *t, const struct examination *x)
{
	for (size_t i = 0; i < x->n_targets; i++) {
		CLEANUP(buf_fini)
		struct buf text = {0};
		char key[DIGEST_HEX + 1];

		for (const char *const *way = x->ways[i]; *way; way++)
			buf_printf(&text, "%s\n", *way);
		way_key(x, x->targets[i], key);
		shared_put(t, key, "way", buf_get(&text));
	}
}

/* Wait for those who are at what is not known. */
static void
lock_unknown(struct task *t, const struct examination *x, size_t from, size_t n,
	struct shared_lock *lock)
{
	const char **drvs = xcalloc(n + 1, sizeof(*drvs));
	size_t unknown = 0;

	for (size_t i = from; i < from + n; i++) {
		struct probe p = x->probes[i];

		if (!get_known(t, x, &p))
			drvs[unknown++] = p.drv;
	}
	shared_lock(t, drvs, unknown, lock);
	free(drvs);
}

/* As run_some, of n probes from there; the ways go with the first. */
static int
run_unknown(struct task *t, struct examination *x, size_t from, size_t n,
	struct err *e)
{
	CLEANUP(shared_unlock)
	struct shared_lock lock = {0};
	struct examination rest = *x;
	size_t *at = arena_alloc(t->a, (n + 1) * sizeof(*at));
	int rc = 1;

	lock_unknown(t, x, from, n, &lock);
	rest.probes = arena_alloc(t->a, (n + 1) * sizeof(*rest.probes));
	rest.n = 0;
	for (size_t i = from; i < from + n; i++) {
		if (get_known(t, x, &x->probes[i]))
			continue;
		at[rest.n] = i;
		rest.probes[rest.n++] = x->probes[i];
	}
	if (from > 0 || get_ways(t, x))
		rest.n_roots = rest.n_targets = 0;
	if (rest.n > 0 || rest.n_targets > 0)
		rc = run_some(t, &rest, 0, rest.n, e);
	for (size_t i = 0; i < rest.n; i++) {
		x->probes[at[i]] = rest.probes[i];
		put_known(t, x, &rest.probes[i]);
	}
	if (rc == 1)
		put_ways(t, &rest);
	count(t, x->probes + from, n);
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
		size_t n = x->n - from < EXAMINE_AT_ONCE ? x->n - from
							 : EXAMINE_AT_ONCE;

		rc = run_unknown(t, x, from, n, e);
		for (size_t i = from + n; i < x->n; i++)
			x->probes[i].why = rc == 0 ? out->cause : "not reached";
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
