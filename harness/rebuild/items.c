/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/attr.h"
#include "base/path.h"
#include "rebuild/closure.h"
#include "rebuild/examine.h"
#include "rebuild/guix.h"

enum {
	ROUNDS = 2 /* builds of each: of the two one may be as the store's by
		    * chance */
};

/* The search for derivations of store items. */
struct search {
	struct task *t;
	struct examined *v;
	size_t n, n_found;
};

static int
visit(void *arg, const char *path, const struct drv *drv)
{
	struct search *s = arg;

	for (size_t i = 0; i < drv->n_outputs; i++) {
		const char *item = drv->outputs[i].path + strlen(GUIX_STORE);

		for (size_t k = 0; k < s->n; k++) {
			if (s->v[k].drv || strcmp(s->v[k].item, item) != 0)
				continue;
			s->v[k].drv = task_keep(s->t, path);
			s->n_found++;
		}
	}
	return s->n_found == s->n;
}

/* Has the daemon of this machine a log of its build?  A substitute leaves none
 * (nix/libstore/build.cc, openLogFile: drvs/XX/REST). */
static bool
has_log(const char *drv)
{
	static const char *const ends[] = {".gz", ".bz2", ""};
	const char *name = drv + strlen(GUIX_STORE);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		CLEANUP(own_free)
		char *path = xasprintf("/var/log/guix/drvs/%.2s/%s%s", name,
			name + 2, ends[i]);

		if (path_exists(path))
			return true;
	}
	return false;
}

static bool
was_built_here(const struct task *t, const char *drv)
{
	for (size_t i = 0; i < t->out->n_built_drvs; i++)
		if (strcmp(t->out->built_drvs[i], drv) == 0)
			return true;
	return has_log(drv);
}

static void
take(struct examined *x, const struct probe *p)
{
	x->end = p->end;
	x->why = p->why;
	if (p->end == EXAMINED_DIFFERS && !p->is_ours) {
		x->end = EXAMINED_FOREIGN;
		x->why = "it does not come out as in the store here, but that "
			 "one is a substitute: two builds here were not "
			 "compared";
	}
}

/* The search for an item that does not build the same twice. */
struct inputs {
	const struct examined *v;
	size_t n;
	const struct examined *found;
};

static int
visit_input(void *arg, const char *path, const struct drv *drv)
{
	struct inputs *s = arg;

	(void)drv;
	for (size_t i = 0; i < s->n && !s->found; i++)
		if (s->v[i].end == EXAMINED_DIFFERS &&
			strcmp(s->v[i].drv, path) == 0)
			s->found = &s->v[i];
	return s->found != NULL;
}

/* Nobody is to be accused for what chance did. */
static int
find_followers(struct task *t, struct examined *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct inputs s = {.v = v, .n = n};
		CLEANUP(own_free)
		char *why = NULL;

		if (v[i].end != EXAMINED_SAME)
			continue;
		if (closure_walk(v[i].drv, visit_input, &s, e) < 0)
			return -1;
		if (!s.found)
			continue;
		v[i].end = EXAMINED_FOLLOWS;
		why = xasprintf("it is built with %s",
			strchr(s.found->item, '-')
				? strchr(s.found->item, '-') + 1
				: s.found->item);
		v[i].why = task_keep(t, why);
	}
	return 0;
}

int
items_examine(struct task *t, struct examined *v, size_t n,
	const char *const *roots, size_t n_roots, struct err *e)
{
	struct search s = {.t = t, .v = v, .n = n};
	struct probe *probes = arena_alloc(t->a, (n + 1) * sizeof(*probes));
	const char **targets = arena_alloc(t->a, (n + 1) * sizeof(*targets));
	struct examination x = {.probes = probes,
		.rounds = ROUNDS,
		.roots = roots,
		.n_roots = n_roots,
		.targets = targets,
		.ways = arena_alloc(t->a, (n + 1) * sizeof(*x.ways))};

	if (closure_walk(t->out->drv, visit, &s, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(own_free)
		char *path = xasprintf(GUIX_STORE "%s", v[i].item);

		v[i].end = EXAMINED_FAILED;
		v[i].why = "no derivation of the recipe gives it";
		if (!v[i].drv)
			continue;
		targets[x.n] = task_keep(t, path);
		probes[x.n++] = (struct probe){.drv = v[i].drv,
			.is_ours = was_built_here(t, v[i].drv)};
	}
	x.n_targets = x.n;
	if (x.n == 0)
		return 0;
	if (examine_run(t, &x, e) < 0)
		return -1;
	for (size_t i = 0, k = 0; i < n; i++)
		if (v[i].drv) {
			take(&v[i], &probes[k]);
			v[i].way = x.ways[k++];
		}
	return find_followers(t, v, n, e);
}
