/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/compare.h"

#include "compare/attributes.h"
#include "compare/config.h"
#include "compare/envelope.h"
#include "compare/findings.h"
#include "compare/judge.h"
#include "compare/offsets.h"
#include "compare/walk.h"

int
compare_images(const struct image *image, const struct image *rebuilt,
	const struct provenance *provenance, const char *work,
	struct comparison *out, struct err *e)
{
	CLEANUP(findings_fini)
	struct findings found = {.out = out, .provenance = provenance};
	struct facts facts = {0};

	*out = (struct comparison){0};
	envelope_compare(image, rebuilt, &facts);
	if (!facts.is_file_equal) {
		config_compare(image, rebuilt, &found);
		attributes_compare(image, rebuilt, &found);
		walk_trees(&image->tree, &rebuilt->tree, &found, facts.allowed);
	}
	facts.config = found.config;
	facts.items = found.items;
	facts.inside = found.inside;
	facts.outside = found.outside;

	out->verdict = judge_verdict(&facts);
	out->forgiven = arena_alloc(
		&out->arena, ALLOWANCE_COUNT * sizeof(*out->forgiven));
	out->n_forgiven = judge_forgiven(&facts, out->forgiven);
	findings_packages(&found);
	if (work && offsets_find(image, rebuilt, work, out, e) < 0) {
		comparison_fini(out);
		return err_wrap(e, "first differing bytes");
	}
	return 0;
}
