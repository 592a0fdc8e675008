/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>

#include "base/text.h"
#include "compare/compare.h"
#include "compare/findings.h"
#include "compare/reason.h"

void
comparison_fini(struct comparison *c)
{
	free(c->differences);
	arena_fini(&c->arena);
	*c = (struct comparison){0};
}

static void
evidence_json(const struct difference *d, struct jout *j)
{
	jout_str(j, "why", d->why);
	if (!d->image_part.p && !d->rebuilt_part.p) {
		jout_null(j, "part");
		return;
	}
	jout_begin(j, "part", '{');
	jout_int(j, "offset", d->part_at);
	jout_hex(j, "image_hex", d->image_part);
	jout_hex(j, "rebuilt_hex", d->rebuilt_part);
	jout_end(j, '}');
}

void
difference_json(const struct difference *d, struct jout *j)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "path", d->path);
	jout_str(j, "store_item", d->store_item);
	jout_str(j, "package", d->package);
	jout_str(j, "kind", d->kind);
	jout_str(j, "detail", d->detail);
	if (d->offset < 0)
		jout_null(j, "offset");
	else
		jout_int(j, "offset", d->offset);
	evidence_json(d, j);
	jout_end(j, '}');
}

void
difference_why(const struct difference *d, struct buf *out)
{
	if (!d->why)
		return;
	buf_str(out, ": ");
	reason_phrase(d->why, out);
}

static uint64_t
size_of(const struct image *image, const char *path)
{
	const struct tree_entry *t = tree_find(&image->tree, path);

	return t && t->type == TREE_FILE ? t->size : UINT64_MAX;
}

size_t
comparison_files(const struct comparison *c, const struct image *image,
	const struct image *rebuilt, const struct comparison_cap *cap,
	size_t *at)
{
	uint64_t total = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->n_differences && n < cap->files; i++) {
		const struct difference *d = &c->differences[i];
		uint64_t a, b;

		if (d->kind != findings_kind(FINDING_CONTENTS) &&
			d->kind != findings_kind(FINDING_SIZE))
			continue;
		a = size_of(image, d->path);
		b = size_of(rebuilt, d->path);
		if (a < b)
			a = b;
		if (a > cap->file || total + a > cap->all)
			continue;
		total += a;
		at[n++] = i;
	}
	return n;
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void
comparison_derived(const struct comparison *c, struct buf *out)
{
	const struct derived *d = &c->derived;

	if (d->base_layers == 0)
		return;
	if (d->base_layers == 1)
		buf_str(out, "its first layer is the rebuild's");
	else
		buf_printf(out, "its first %zu layers are the rebuild's",
			d->base_layers);
	buf_printf(out,
		"%s, so the part that Guix packed is equal; %zu layer%s %s on "
		"it: %" PRIu64 " path%s added, %" PRIu64 " changed, %" PRIu64
		" removed",
		d->is_exact ? "" : " but for their form", d->added_layers,
		plural(d->added_layers), d->added_layers == 1 ? "is" : "are",
		d->added, plural(d->added), d->changed, d->removed);
}

static void
derived_json(const struct derived *d, struct jout *j)
{
	if (d->base_layers == 0) {
		jout_null(j, "derived");
		return;
	}
	jout_begin(j, "derived", '{');
	jout_int(j, "base_layers", (int64_t)d->base_layers);
	jout_int(j, "added_layers", (int64_t)d->added_layers);
	jout_bool(j, "is_exact", d->is_exact);
	jout_int(j, "added", (int64_t)d->added);
	jout_int(j, "changed", (int64_t)d->changed);
	jout_int(j, "removed", (int64_t)d->removed);
	jout_end(j, '}');
}

void
comparison_json(const struct comparison *c, struct jout *j)
{
	jout_str(j, "verdict", verdict_name(c->verdict));
	jout_begin(j, "forgiven", '[');
	for (size_t i = 0; i < c->n_forgiven; i++) {
		jout_begin(j, NULL, '{');
		jout_str(j, "what", c->forgiven[i].what);
		jout_int(j, "count", (int64_t)c->forgiven[i].count);
		jout_end(j, '}');
	}
	jout_end(j, ']');
	derived_json(&c->derived, j);
	jout_begin(j, "packages", '[');
	for (size_t i = 0; i < c->n_packages; i++)
		jout_str(j, NULL, c->packages[i]);
	jout_end(j, ']');
	jout_int(j, "total", (int64_t)c->total);
	jout_begin(j, "differences", '[');
	for (size_t i = 0; i < c->n_differences; i++)
		difference_json(&c->differences[i], j);
	jout_end(j, ']');
}

static void
difference_print(const struct difference *d, FILE *f)
{
	CLEANUP(buf_fini)
	struct buf line = {0};

	buf_str(&line, "  ");
	text_clean(&line, slice_of(d->path[0] ? d->path : "(image)"),
		TEXT_ONE_LINE);
	buf_printf(&line, "\n    %s: %s", d->kind, d->detail);
	if (d->offset >= 0)
		buf_printf(&line, ", from byte %" PRId64, d->offset);
	difference_why(d, &line);
	if (d->package) {
		buf_str(&line, " (package ");
		text_clean(&line, slice_of(d->package), TEXT_ONE_LINE);
		buf_char(&line, ')');
	}
	fprintf(f, "%s\n", buf_text(&line));
}

void
comparison_print(const struct comparison *c, size_t max, FILE *f)
{
	CLEANUP(buf_fini)
	struct buf derived = {0};
	size_t n = c->n_differences;

	fprintf(f, "%s: %s\n", verdict_name(c->verdict),
		verdict_sentence(c->verdict));
	comparison_derived(c, &derived);
	if (derived.n > 0)
		fprintf(f, "derived: %s\n", buf_text(&derived));
	if (c->n_forgiven > 0)
		fprintf(f, "forgiven: ");
	for (size_t i = 0; i < c->n_forgiven; i++)
		fprintf(f, "%s (%" PRIu64 ")%s", c->forgiven[i].what,
			c->forgiven[i].count,
			i + 1 < c->n_forgiven ? ", " : "\n");
	for (size_t i = 0; i < c->n_packages; i++) {
		CLEANUP(own_free)
		char *label = text_clean_new(slice_of(c->packages[i]));

		fprintf(f, "%s%s%s", i == 0 ? "packages: " : "", label,
			i + 1 < c->n_packages ? ", " : "\n");
	}
	if (c->total == 0)
		return;
	fprintf(f, "%" PRIu64 " difference%s:\n", c->total,
		c->total == 1 ? "" : "s");
	if (max > 0 && max < n)
		n = max;
	for (size_t i = 0; i < n; i++)
		difference_print(&c->differences[i], f);
	if (n < c->total)
		fprintf(f, "  and %" PRIu64 " more\n", c->total - n);
}
