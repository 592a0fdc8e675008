/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/explain.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum {
	TOLD_MAX = 5 /* items of a kind named in the cause */
};

size_t
explain_items(
	const struct comparison *c, struct arena *a, struct examined **out)
{
	size_t n = 0;
	const char *last = NULL;

	*out = arena_alloc(a, (c->n_differences + 1) * sizeof(**out));
	for (size_t i = 0; i < c->n_differences; i++) {
		const char *item = c->differences[i].store_item;

		/* They come in path order: those of one item together. */
		if (!item || (last && strcmp(item, last) == 0))
			continue;
		last = item;
		(*out)[n++] = (struct examined){
			.item = arena_copy(a, item, strlen(item))};
	}
	return n;
}

static void
add_roots(const struct package *const *v, size_t n, struct words *out)
{
	for (size_t i = 0; i < n; i++) {
		words_add(out, v[i]->store_path);
		if (!v[i]->is_repeated)
			add_roots(v[i]->propagated, v[i]->n_propagated, out);
	}
}

void
explain_roots(const struct provenance *p, struct words *out)
{
	if (p)
		add_roots(p->packages, p->n_packages, out);
}

enum verdict
explain_verdict(const struct examined *v, size_t n)
{
	enum verdict verdict = VERDICT_SAME_INPUTS;

	for (size_t i = 0; i < n; i++) {
		if (v[i].end == EXAMINED_SAME)
			return VERDICT_ALTERED;
		if (v[i].end == EXAMINED_DIFFERS)
			verdict = VERDICT_NONDETERMINISTIC;
	}
	return verdict;
}

/* "HASH-NAME" or a store path without its hash. */
static const char *
short_name(const char *item)
{
	const char *slash = strrchr(item, '/');
	const char *dash = strchr(slash ? slash : item, '-');

	return dash ? dash + 1 : item;
}

/* "hello@2.12"; "inner-1 (needed by box@1)". */
static void
put_name(const struct provenance *p, const struct examined *x, struct buf *out)
{
	const struct package *owner = p ? provenance_owner(p, x->item) : NULL;
	const char *item = x->item;

	if (owner) {
		CLEANUP(own_free)
		char *label = package_label(owner);

		text_clean(out, slice_of(label), TEXT_ONE_LINE);
		return;
	}
	text_clean(out, slice_of(short_name(item)), TEXT_ONE_LINE);
	if (!p || !x->way || !x->way[0])
		return;
	item = strrchr(x->way[0], '/') + 1;
	owner = provenance_owner(p, item);
	if (owner) {
		CLEANUP(own_free)
		char *label = package_label(owner);

		buf_str(out, " (needed by ");
		text_clean(out, slice_of(label), TEXT_ONE_LINE);
		buf_char(out, ')');
	}
}

/* ": /gnu/store/HASH-NAME/bin/hello from byte 12": the first that has one. */
static void
put_place(const struct comparison *c, const char *item, struct buf *out)
{
	const struct difference *best = NULL;

	for (size_t i = 0; i < c->n_differences; i++) {
		const struct difference *d = &c->differences[i];

		if (!d->store_item || strcmp(d->store_item, item) != 0)
			continue;
		if (!best || (best->offset < 0 && d->offset >= 0))
			best = d;
	}
	if (!best)
		return;
	buf_str(out, ": /");
	text_clean(out, slice_of(best->path), TEXT_ONE_LINE);
	if (best->offset >= 0)
		buf_printf(out, " from byte %" PRId64, best->offset);
	else
		buf_printf(out, " (%s)", best->kind);
}

static size_t
count(const struct examined *v, size_t n, enum examined_end end)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += v[i].end == end;
	return found;
}

/* The names of those with that end, and what put adds to each. */
static void
put_list(const struct comparison *c, const struct provenance *p,
	const struct examined *v, size_t n, enum examined_end end,
	struct buf *out)
{
	size_t told = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].end != end || ++told > TOLD_MAX)
			continue;
		if (told > 1)
			buf_str(out, "; ");
		put_name(p, &v[i], out);
		if (end == EXAMINED_SAME)
			put_place(c, v[i].item, out);
		else if (v[i].why)
			buf_printf(out, ": %s", v[i].why);
	}
	if (told > TOLD_MAX)
		buf_printf(out, "; and %zu more", told - TOLD_MAX);
}

void
explain_cause(const struct comparison *c, const struct provenance *p,
	const struct examined *v, size_t n, struct buf *out)
{
	static const struct {
		enum examined_end end;
		const char *before;
	} parts[] = {
		{EXAMINED_SAME,
			"Builds the same every time, only not as in the "
			"image: "},
		{EXAMINED_DIFFERS, "Does not build the same twice here: "},
		{EXAMINED_FOLLOWS, "May follow from that: "},
		{EXAMINED_FOREIGN, "Not known: "},
		{EXAMINED_FAILED, "Not examined: "},
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (count(v, n, parts[i].end) == 0)
			continue;
		buf_printf(out, "%s%s", out->n ? " " : "", parts[i].before);
		put_list(c, p, v, n, parts[i].end, out);
		buf_char(out, '.');
	}
}

static const char *
said(const struct examined *x)
{
	switch (x->end) {
	case EXAMINED_SAME:
		return "builds the same every time, only not as in the image";
	case EXAMINED_DIFFERS:
		return "does not build the same twice here";
	case EXAMINED_FOLLOWS:
	case EXAMINED_FOREIGN:
	case EXAMINED_FAILED:
	default:
		return x->why ? x->why : "not examined";
	}
}

void
explain_notes(const struct provenance *p, const struct examined *v, size_t n,
	struct words *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct examined *x = &v[i];
		CLEANUP(buf_fini)
		struct buf name = {0};
		CLEANUP(buf_fini)
		struct buf way = {0};

		put_name(p, x, &name);
		for (size_t k = 0; x->way && x->way[k] && x->way[k + 1]; k++)
			buf_printf(&way, "%s%s",
				k ? " > " : "; the way to it: ", x->way[k]);
		words_say(out, "%s, %s: %s%s", x->item, buf_text(&name),
			said(x), buf_text(&way));
	}
}
