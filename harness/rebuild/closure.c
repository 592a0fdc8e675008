/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/closure.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "rebuild/guix.h"

/* Derivations in the order they were met, and a hash table over them. */
struct walk {
	const char **v;
	size_t n, cap;
	size_t *slots; /* index into v and one more; 0: free */
	size_t n_slots;
	struct arena arena;
};

static void
walk_fini(struct walk *w)
{
	free(w->v);
	free(w->slots);
	arena_fini(&w->arena);
}

/* FNV-1a; the paths begin with a digest, so nobody can choose them. */
static size_t
hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return (size_t)h;
}

static size_t *
find(struct walk *w, const char *path)
{
	size_t at = hash(path) & (w->n_slots - 1);

	while (w->slots[at] && strcmp(w->v[w->slots[at] - 1], path) != 0)
		at = (at + 1) & (w->n_slots - 1);
	return &w->slots[at];
}

static void
grow(struct walk *w)
{
	if (w->n * 2 < w->n_slots)
		return;
	w->n_slots = w->n_slots ? w->n_slots * 2 : 1024;
	free(w->slots);
	w->slots = xcalloc(w->n_slots, sizeof(*w->slots));
	for (size_t i = 0; i < w->n; i++)
		*find(w, w->v[i]) = i + 1;
}

static int
meet(struct walk *w, const char *path, struct err *e)
{
	size_t *slot;

	grow(w);
	slot = find(w, path);
	if (*slot)
		return 0;
	if (w->n == CLOSURE_MAX)
		return err_set(e, ERR_POLICY,
			"more than %d derivations in one closure", CLOSURE_MAX);
	VEC_GROW(w->v, w->n, w->cap);
	w->v[w->n++] = arena_copy(&w->arena, path, strlen(path));
	*slot = w->n;
	return 0;
}

static int
visit_one(struct walk *w, const char *path,
	int (*visit)(void *arg, const char *path, const struct drv *drv),
	void *arg, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(arena_fini)
	struct arena scratch = {0};
	struct err unread = {0};
	struct drv drv;

	if (path_read(path, DRV_BYTES, &text, &unread) < 0 ||
		drv_parse(&scratch, buf_get(&text), &drv, &unread) < 0)
		return 0;
	if (visit(arg, path, &drv))
		return 1;
	for (size_t i = 0; i < drv.n_inputs; i++)
		if (meet(w, drv.inputs[i], e) < 0)
			return -1;
	return 0;
}

int
closure_walk(const char *drv,
	int (*visit)(void *arg, const char *path, const struct drv *drv),
	void *arg, struct err *e)
{
	CLEANUP(walk_fini)
	struct walk w = {0};
	int rc = meet(&w, drv, e);

	for (size_t i = 0; i < w.n && rc == 0; i++)
		rc = visit_one(&w, w.v[i], visit, arg, e);
	return rc < 0 ? -1 : 0;
}

const char *
closure_name(const char *path)
{
	size_t n = strlen(GUIX_STORE);
	const char *dash;

	if (strncmp(path, GUIX_STORE, n) != 0)
		return "";
	dash = strchr(path + n, '-');
	return dash ? dash + 1 : "";
}
