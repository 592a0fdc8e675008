/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/attr.h"
#include "base/path.h"
#include "provenance/provenance.h"
#include "rebuild/closure.h"
#include "rebuild/examine.h"
#include "rebuild/guix.h"

enum {
	MANIFEST_BYTES = 64 << 20, /* of the profile that was built */
	TOLD_MAX = 20              /* derivations named in one note */
};

/* What is to be built once more. */
struct search {
	struct task *t;
	bool is_all; /* every derivation; else those of the packages */
	struct words paths, labels; /* of the packages, side by side */
	struct probe *probes;
	size_t n, cap;
};

static void
search_fini(struct search *s)
{
	words_fini(&s->paths);
	words_fini(&s->labels);
	free(s->probes);
}

static void
add(struct search *s, const char *drv, const char *label)
{
	for (size_t i = 0; !s->is_all && i < s->n; i++)
		if (strcmp(s->probes[i].drv, drv) == 0)
			return;
	VEC_GROW(s->probes, s->n, s->cap);
	s->probes[s->n++] = (struct probe){
		.drv = task_keep(s->t, drv), .label = task_keep(s->t, label)};
}

/* The label of the package that one of the outputs is, NULL for none. */
static const char *
label_of(const struct search *s, const struct drv *drv)
{
	for (size_t i = 0; i < drv->n_outputs; i++)
		for (size_t k = 0; k < s->paths.n; k++)
			if (strcmp(drv->outputs[i].path, s->paths.v[k]) == 0)
				return s->labels.v[k];
	return NULL;
}

static int
visit(void *arg, const char *path, const struct drv *drv)
{
	struct search *s = arg;
	const char *label = label_of(s, drv);

	if (s->is_all) {
		/* What is fixed by its content is held against that anyway. */
		if (!drv_is_source(drv))
			add(s, path, label ? label : closure_name(path));
		return 0;
	}
	if (!label)
		return 0;
	add(s, path, label);
	/* A graft takes in what it grafts, of the same name: that is what was
	 * compiled (guix/grafts.scm, graft-derivation/shallow). */
	for (size_t i = 0; i < drv->n_inputs; i++)
		if (strcmp(closure_name(drv->inputs[i]), closure_name(path)) ==
			0)
			add(s, drv->inputs[i], label);
	return 0;
}

static void
add_packages(struct search *s, const struct package *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(own_free)
		char *label = package_label(v[i]);

		words_add(&s->paths, v[i]->store_path);
		words_add(&s->labels, label);
		if (!v[i]->is_repeated)
			add_packages(s, v[i]->propagated, v[i]->n_propagated);
	}
}

/* The packages of the profile that was built: the recipe's, whatever the image
 * holds. */
static int
read_packages(struct search *s, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/manifest", s->t->out->profile);
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_provenance)
	struct provenance *p = NULL;

	if (path_read(path, MANIFEST_BYTES, &text, e) < 0 ||
		(provenance_parse(s->t->out->profile, buf_get(&text), &p, e) <
				0 &&
			!p))
		return -1;
	add_packages(s, p->packages, p->n_packages);
	return 0;
}

/* The derivation of the profile, among what the pack takes in. */
static const char *
profile_drv(struct task *t)
{
	struct err e = {0};
	struct drv pack, drv;

	if (!t->out->profile || task_drv(t, t->out->drv, &pack, &e) < 0)
		return NULL;
	for (size_t i = 0; i < pack.n_inputs; i++)
		if (slice_ends(slice_of(pack.inputs[i]), "-profile.drv") &&
			task_drv(t, pack.inputs[i], &drv, &e) == 0 &&
			drv_out(&drv) &&
			strcmp(drv_out(&drv), t->out->profile) == 0)
			return pack.inputs[i];
	return NULL;
}

/* "; WHAT: A, B, C and 5 more", of the probes with that end. */
static void
list(const struct search *s, enum examined_end end, const char *what,
	struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct probe *p = &s->probes[i];

		if (p->end != end || ++n > TOLD_MAX)
			continue;
		buf_printf(out, "%s%s (%s)", n > 1 ? ", " : what, p->label,
			p->why ? p->why : p->drv);
	}
	if (n > TOLD_MAX)
		buf_printf(out, " and %zu more", n - TOLD_MAX);
}

static void
tell(const struct search *s)
{
	struct task *t = s->t;
	CLEANUP(buf_fini)
	struct buf text = {0};

	buf_printf(&text,
		"Depth %s: of %zu derivation%s %u %s built once more, and %u "
		"did not come out the same",
		depth_name(t->o->depth), s->n, s->n == 1 ? "" : "s",
		t->out->examined, t->out->examined == 1 ? "was" : "were",
		t->out->unstable);
	list(s, EXAMINED_DIFFERS, ": ", &text);
	list(s, EXAMINED_FAILED, "; not built: ", &text);
	task_note(t, "%s.", buf_text(&text));
}

int
depth_step(struct task *t, struct err *e)
{
	CLEANUP(search_fini)
	struct search s = {.t = t, .is_all = t->o->depth == DEPTH_CLOSURE};
	struct examination x = {
		.rounds = 1, .no_substitutes = t->o->depth == DEPTH_CLOSURE};
	const char *profile;

	if (t->o->depth < DEPTH_PACKAGES)
		return 1;
	s.paths.arena = s.labels.arena = t->a;
	profile = profile_drv(t);
	if (!profile || read_packages(&s, e) < 0 ||
		closure_walk(profile, visit, &s, e) < 0) {
		task_note(t, "Nothing was built once more: %s.",
			profile ? e->text
				: "the profile's derivation is not known");
		return 1;
	}
	x.probes = s.probes;
	x.n = s.n;
	if (examine_run(t, &x, e) < 0)
		return -1;
	tell(&s);
	return 1;
}
