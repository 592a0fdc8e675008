/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/compare.h"

#include "compare/attributes.h"
#include "compare/config.h"
#include "compare/envelope.h"
#include "compare/excerpt.h"
#include "compare/findings.h"
#include "compare/judge.h"
#include "compare/offsets.h"
#include "compare/walk.h"

/* Has the image more layers than the rebuild, and those of it first? */
static struct derived
layers_of(const struct image *image, const struct image *rebuilt)
{
	struct derived d = {0};
	size_t n = rebuilt->n_layers;

	if (!image_is_docker(image) || !image_is_docker(rebuilt) || n == 0 ||
		image->n_layers <= n)
		return d;
	d.base_layers = n;
	d.added_layers = image->n_layers - n;
	d.is_exact = true;
	for (size_t i = 0; i < n; i++)
		d.is_exact = d.is_exact &&
			digest_eq(&image->layers[i].diff_id,
				&rebuilt->layers[i].diff_id);
	return d;
}

/*
 * Layers of other bytes are the rebuild's too when nothing in them differs; of
 * what is gone nobody can tell whether a layer above removed it.
 */
static void
settle_derived(struct comparison *out)
{
	struct derived *d = &out->derived;
	bool is_equal = d->is_exact || d->other + d->removed == 0;

	if (d->base_layers > 0 && is_equal && out->total > 0)
		return;
	*d = (struct derived){0};
}

int
compare_images(const struct image *image, const struct image *rebuilt,
	const struct provenance *provenance, const char *work,
	struct comparison *out, struct err *e)
{
	CLEANUP(findings_fini)
	struct findings found = {.out = out, .provenance = provenance};
	struct facts facts = {0};
	struct walk_mode mode = {0};

	*out = (struct comparison){.derived = layers_of(image, rebuilt)};
	envelope_compare(image, rebuilt, &facts);
	mode.is_flat = image_is_rootfs(image) || image_is_rootfs(rebuilt);
	mode.base_layers = out->derived.base_layers;
	if (!facts.is_file_equal && !mode.is_flat) {
		config_compare(image, rebuilt, &found, facts.allowed);
		attributes_compare(image, rebuilt, &found);
	}
	if (!facts.is_file_equal)
		walk_trees(&image->tree, &rebuilt->tree, &mode, &found,
			facts.allowed, &out->derived);
	facts.config = found.config;
	facts.items = found.items;
	facts.inside = found.inside;
	facts.outside = found.outside;

	out->verdict = judge_verdict(&facts);
	out->forgiven = arena_alloc(
		&out->arena, ALLOWANCE_COUNT * sizeof(*out->forgiven));
	out->n_forgiven = judge_forgiven(&facts, out->forgiven);
	settle_derived(out);
	findings_packages(&found);
	excerpt_lists(image, rebuilt, out);
	if (work && offsets_find(image, rebuilt, work, out, e) < 0) {
		comparison_fini(out);
		return err_wrap(e, "first differing bytes");
	}
	return 0;
}
