/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>

#include "base/text.h"
#include "compare/compare.h"

void
comparison_fini(struct comparison *c)
{
	free(c->differences);
	arena_fini(&c->arena);
	*c = (struct comparison){0};
}

static void
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
	size_t n = c->n_differences;

	fprintf(f, "%s: %s\n", verdict_name(c->verdict),
		verdict_sentence(c->verdict));
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
