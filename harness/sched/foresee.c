/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "base/path.h"
#include "base/text.h"
#include "fetch/ref.h"
#include "sched/own.h"
#include "sched/request.h"

enum {
	NAMES_TOLD = 4, /* images of a recipe that are named */
	COMMIT_TOLD = 7 /* digits of a commit */
};

/* What would be done: the images that are on this machine are read, and no more. */
struct foresight {
	struct scheduler *s;
	FILE *out;
	bool is_changed; /* those that are unchanged are not tried */
	size_t n_standing, n_far, n_alone, n_unread;
	uint32_t *groups; /* of each image; PLAN_END: none */
	uint32_t n_groups;
	int64_t sum_ms, longest_ms; /* expected, of what is known */
	size_t n_unknown;
};

static int
look_back(struct foresight *f, struct err *e)
{
	struct scheduler *s = f->s;

	for (uint32_t i = 0; i < s->n_queue && s->store; i++) {
		struct store_basis basis;

		basis_of(&s->basis, s->queue[i].sample, &basis);
		if (before_look(s, INT64_MAX, i, &basis, e) < 0)
			return -1;
		f->n_standing += s->queue[i].of_run > 0;
	}
	return 0;
}

static bool
is_far(const struct sample *sample)
{
	CLEANUP(ref_fini)
	struct ref ref = {0};
	struct err ignored;

	return ref_parse(sample->source, sample->folder, &ref, &ignored) == 0 &&
		!transport_is_local(ref.transport);
}

static int
read_near(struct foresight *f, struct err *e)
{
	struct scheduler *s = f->s;
	CLEANUP(own_free)
	uint32_t *images = xcalloc(s->n_queue + 1, sizeof(*images));
	size_t n = 0;

	for (uint32_t i = 0; i < s->n_queue; i++) {
		if (s->queue[i].is_done)
			continue;
		if (is_far(s->queue[i].sample))
			f->n_far++;
		else
			images[n++] = i;
	}
	return pool_read(s, images, n, e);
}

static void
expect(struct foresight *f, int64_t ms)
{
	f->sum_ms += ms;
	if (ms > f->longest_ms)
		f->longest_ms = ms;
}

/* Those of one recipe take as long as the longest of them. */
static void
sort_out(struct foresight *f)
{
	struct scheduler *s = f->s;

	for (uint32_t i = 0; i < s->n_queue; i++) {
		CLEANUP(own_free)
		char *folder = pool_image(s, i);
		CLEANUP(own_free)
		char *spool = path_join(folder, "spool");
		struct request_key key;
		struct err ignored;

		f->groups[i] = PLAN_END;
		if (s->queue[i].is_done)
			continue;
		f->n_unknown += s->queue[i].expected_ms == 0;
		if (request_key(folder, &key, &ignored) == 0) {
			f->groups[i] =
				plan_waits(s->plan, i, &key.key, &key.lane);
			if (f->groups[i] >= f->n_groups)
				f->n_groups = f->groups[i] + 1;
			continue;
		}
		expect(f, s->queue[i].expected_ms);
		if (is_far(s->queue[i].sample))
			continue;
		f->n_alone += path_exists(spool);
		f->n_unread += !path_exists(spool);
	}
}

/* ---- telling ---- */

static void
print_duration(FILE *out, int64_t ms)
{
	int64_t s = (ms + 500) / 1000;

	if (ms < 10000)
		fprintf(out, "%.1f s", (double)ms / 1000);
	else if (s < 120)
		fprintf(out, "%" PRId64 " s", s);
	else if (s < 7200)
		fprintf(out, "%" PRId64 " min", (s + 30) / 60);
	else
		fprintf(out, "%" PRId64 " h %02" PRId64 " min", s / 3600,
			s % 3600 / 60);
}

static void
print_standing(const struct foresight *f)
{
	const struct scheduler *s = f->s;

	if (f->n_standing == 0)
		return;
	fprintf(f->out, "\nunchanged%s:\n",
		f->is_changed ? "" : ", and not tried with --changed");
	for (size_t i = 0; i < s->n_queue; i++)
		if (s->queue[i].of_run > 0)
			fprintf(f->out, "  %s: %s in run %" PRId64 "\n",
				s->queue[i].sample->name,
				verdict_name(s->queue[i].verdict),
				s->queue[i].of_run);
}

/* "guix@523bbfe+alice@efb454e", of a group. */
static void
print_channels(const struct foresight *f, uint32_t group)
{
	CLEANUP(own_free)
	char *folder =
		pool_image(f->s, plan_members(f->s->plan, group, PLAN_END));
	CLEANUP(arena_fini)
	struct arena arena = {0};
	CLEANUP(buf_fini)
	struct buf label = {0};
	struct request r;
	struct err ignored;

	if (request_read(folder, &arena, &r, &ignored) < 0)
		return;
	for (size_t i = 0; i < r.recipe.n_channels; i++) {
		const struct channel *c = &r.recipe.channels[i];

		buf_printf(&label, "%s%s@%.*s", i ? "+" : "",
			c->name ? c->name : "?", COMMIT_TOLD,
			c->commit ? c->commit : "?");
	}
	{
		CLEANUP(own_free)
		char *clean = text_clean_new(buf_get(&label));

		fputs(clean, f->out);
	}
}

/* A line on a recipe. */
static void
print_group(struct foresight *f, uint32_t group)
{
	const struct scheduler *s = f->s;
	int64_t ms = 0;
	size_t n = 0;

	for (uint32_t i = plan_members(s->plan, group, PLAN_END); i != PLAN_END;
		i = plan_members(s->plan, group, i), n++)
		if (s->queue[i].expected_ms > ms)
			ms = s->queue[i].expected_ms;
	expect(f, ms);
	fprintf(f->out, "  %zu image%s, ", n, n == 1 ? "" : "s");
	if (ms > 0)
		print_duration(f->out, ms);
	else
		fputs("time not known", f->out);
	n = 0;
	for (uint32_t i = plan_members(s->plan, group, PLAN_END); i != PLAN_END;
		i = plan_members(s->plan, group, i), n++)
		if (n < NAMES_TOLD)
			fprintf(f->out, "%s%s", n ? ", " : ": ",
				s->queue[i].sample->name);
	fputs(n > NAMES_TOLD ? ", ...\n" : "\n", f->out);
}

static void
print_lanes(struct foresight *f)
{
	const struct plan *p = f->s->plan;
	struct plan_count c = plan_count(p);

	for (uint32_t lane = 0; lane < c.lanes; lane++) {
		bool is_told = false;

		for (uint32_t g = 0; g < f->n_groups; g++) {
			if (plan_lane(p, g) != lane)
				continue;
			if (!is_told) {
				fputs("\nchannel set ", f->out);
				print_channels(f, g);
				fputs(":\n", f->out);
			}
			is_told = true;
			print_group(f, g);
		}
	}
}

static void
print_counts(const struct foresight *f)
{
	const struct scheduler *s = f->s;
	struct plan_count c = plan_count(s->plan);
	size_t tried = s->n_queue - (f->is_changed ? f->n_standing : 0);
	size_t to_rebuild = 0;
	FILE *out = f->out;

	for (size_t i = 0; i < s->n_queue; i++)
		to_rebuild += f->groups[i] != PLAN_END;
	fprintf(out, "images: %zu\n", s->n_queue);
	fprintf(out, "unchanged: %zu\n", f->n_standing);
	fprintf(out, "to be tried: %zu\n", tried);
	fprintf(out, "to be rebuilt: %zu, as %zu recipes of %zu channel sets\n",
		to_rebuild, c.groups, c.lanes);
	fprintf(out, "judged by what is read of them: %zu\n", f->n_alone);
	fprintf(out, "known once they are fetched: %zu\n", f->n_far);
	if (f->n_unread > 0)
		fprintf(out, "not read: %zu\n", f->n_unread);
}

/* Side by side as far as there are jobs, and none shorter than its longest. */
static void
print_time(const struct foresight *f)
{
	const struct scheduler *s = f->s;
	int64_t ms = f->sum_ms / s->o->slots;

	if (ms < f->longest_ms)
		ms = f->longest_ms;
	fputs("\nexpected: ", f->out);
	if (ms == 0)
		fputs("not known, since none was tried before", f->out);
	else
		print_duration(f->out, ms);
	fprintf(f->out, ", with %u job%s", s->o->slots,
		s->o->slots == 1 ? "" : "s");
	if (ms > 0 && f->n_unknown > 0)
		fprintf(f->out,
			", and the time of %zu images, which is not known",
			f->n_unknown);
	fputc('\n', f->out);
}

static int
foresee(struct foresight *f, struct err *e)
{
	struct scheduler *s = f->s;

	f->groups = xcalloc(s->n_queue + 1, sizeof(*f->groups));
	if (look_back(f, e) < 0)
		return -1;
	/* Without --changed they would be tried all the same. */
	for (size_t i = 0; i < s->n_queue; i++)
		if (s->queue[i].of_run > 0)
			s->queue[i].is_done = f->is_changed;
	if (read_near(f, e) < 0)
		return -1;
	if (s->n_stops > 0)
		return err_set(e, ERR_HOST, "stopped");
	sort_out(f);
	print_counts(f);
	print_standing(f);
	print_lanes(f);
	print_time(f);
	if (fflush(f->out) != 0 || ferror(f->out))
		return err_sys(e, ERR_HOST, "cannot print the plan");
	return 0;
}

int
sched_foresee(struct store *store, const struct sched_options *o, FILE *out,
	struct err *e)
{
	/* What --changed would do is told in any case. */
	struct sched_options asked = *o;
	struct scheduler s;
	struct foresight f = {.s = &s, .out = out, .is_changed = o->is_changed};
	const char *tmp = getenv("TMPDIR");
	CLEANUP(own_free)
	char *work =
		xasprintf("%s/unblend-plan-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	struct err ignored;
	int rc;

	asked.is_changed = true;
	asked.events_fd = 0;
	asked.progress = NULL;
	if (!mkdtemp(work))
		return err_sys(e, ERR_HOST, "%s", work);
	rc = sched_open(&s, store, &asked, work, e);
	if (rc == 0) {
		rc = foresee(&f, e);
		sched_close(&s);
		free(f.groups);
	}
	(void)!path_remove(work, &ignored);
	return rc;
}
