/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/judge.h"

static const char *const allowances[ALLOWANCE_COUNT] = {
	[ALLOWANCE_FORMAT] = "container format",
	[ALLOWANCE_MANIFEST] = "manifest kind",
	[ALLOWANCE_FLAT] = "layers and config",
	[ALLOWANCE_COMPRESSION] = "outer compression",
	[ALLOWANCE_PACKING] = "compression of the contents",
	[ALLOWANCE_TAGS] = "tags",
	[ALLOWANCE_MEMBER_SET] = "member set",
	[ALLOWANCE_MEMBER_NAME] = "member names",
	[ALLOWANCE_MEMBER_ORDER] = "member order",
	[ALLOWANCE_MEMBER_BYTES] = "member contents",
	[ALLOWANCE_LAYER_PACKING] = "layer compression",
	[ALLOWANCE_CONFIG_FORM] = "config form",
	[ALLOWANCE_CONFIG_NOTES] = "remarks in the config",
	[ALLOWANCE_CONFIG_HISTORY] = "history in the config",
	[ALLOWANCE_LAYER_COUNT] = "number of layers",
	[ALLOWANCE_LAYER_SPLIT] = "split into layers",
	[ALLOWANCE_LAYER_ORDER] = "layer member order",
	[ALLOWANCE_LAYER_FORM] = "layer tar form",
	[ALLOWANCE_ARCHIVE_ORDER] = "archive member order",
	[ALLOWANCE_ARCHIVE_FORM] = "archive form",
	[ALLOWANCE_LAYOUT] = "file system layout",
	[ALLOWANCE_CONTROL_FORM] = "control archive or header form",
	[ALLOWANCE_HARD_LINK] = "hard-link form",
	[ALLOWANCE_RUNTIME] = "paths of the container's runtime",
	[ALLOWANCE_PARENTS] = "folders without an entry",
	[ALLOWANCE_FOLDER_TIMES] = "times of folders outside store items",
	[ALLOWANCE_OWNER_NAMES] = "names of owners",
	[ALLOWANCE_LINK_MODES] = "modes of symbolic links",
	[ALLOWANCE_COMPRESSOR] = "compressor output or outer tar headers",
	[ALLOWANCE_ENVELOPE] = "envelope bytes",
};

static bool
is_contents_equal(const struct facts *f)
{
	return f->config + f->items + f->inside + f->outside == 0;
}

/* Equal, or as a push may have made it of the other one. */
static bool
is_config_same(const struct facts *f)
{
	return f->is_config_equal ||
		(f->config == 0 && f->allowed[ALLOWANCE_CONTROL_FORM] == 0 &&
			f->allowed[ALLOWANCE_FLAT] == 0 &&
			f->allowed[ALLOWANCE_CONFIG_HISTORY] == 0);
}

enum verdict
judge_verdict(const struct facts *f)
{
	if (f->is_file_equal)
		return VERDICT_IDENTICAL;
	if (is_contents_equal(f))
		return f->is_layers_equal && is_config_same(f)
			? VERDICT_SAME_IMAGE
			: VERDICT_SAME_CONTENTS;
	if (f->config + f->items + f->outside == 0)
		return VERDICT_SAME_INPUTS;
	return VERDICT_DIFFERENT;
}

/*
 * A config's form shows where its meaning is equal.  A layer's bytes differ
 * where its files do or went to another layer: only without that do we know
 * why.
 */
static bool
is_told(const struct facts *f, enum allowance a)
{
	if (a == ALLOWANCE_CONFIG_FORM)
		return f->config == 0 && f->allowed[ALLOWANCE_FLAT] == 0;
	if (a == ALLOWANCE_CONTROL_FORM || a == ALLOWANCE_ARCHIVE_ORDER ||
		a == ALLOWANCE_ARCHIVE_FORM || a == ALLOWANCE_LAYOUT)
		return is_contents_equal(f);
	if (a == ALLOWANCE_LAYER_ORDER || a == ALLOWANCE_LAYER_FORM)
		return is_contents_equal(f) &&
			f->allowed[ALLOWANCE_LAYER_COUNT] == 0 &&
			f->allowed[ALLOWANCE_LAYER_SPLIT] == 0;
	return true;
}

size_t
judge_forgiven(const struct facts *f, struct forgiven *list)
{
	size_t n = 0;

	if (f->is_file_equal)
		return 0;
	for (enum allowance a = 0; a < ALLOWANCE_COMPRESSOR; a++)
		if (f->allowed[a] > 0 && is_told(f, a))
			list[n++] =
				(struct forgiven){allowances[a], f->allowed[a]};
	/* The files differ and nothing that we know says why: what is left is
	 * said too, so that no difference goes without a name. */
	if (n == 0 && is_contents_equal(f))
		list[n++] = (struct forgiven){
			allowances[f->is_compressed ? ALLOWANCE_COMPRESSOR
						    : ALLOWANCE_ENVELOPE],
			1};
	return n;
}
