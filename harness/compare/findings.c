/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/findings.h"

#include <string.h>

static const char *const kinds[FINDING_COUNT] = {
	[FINDING_ONLY_IMAGE] = "only-in-image",
	[FINDING_ONLY_REBUILD] = "only-in-rebuild",
	[FINDING_ITEM_MISSING] = "store-item-missing",
	[FINDING_ITEM_EXTRA] = "store-item-extra",
	[FINDING_TYPE] = "type",
	[FINDING_MODE] = "mode",
	[FINDING_OWNER] = "owner",
	[FINDING_MTIME] = "mtime",
	[FINDING_SIZE] = "size",
	[FINDING_CONTENTS] = "contents",
	[FINDING_LINK] = "link",
	[FINDING_XATTRS] = "xattrs",
	[FINDING_DEVICE] = "device",
	[FINDING_CONFIG] = "config",
};

const char *
findings_kind(enum finding k)
{
	return kinds[k];
}

struct slice
findings_item(const char *path)
{
	static const char store[] = "gnu/store/";
	size_t n = sizeof(store) - 1;

	if (strncmp(path, store, n) != 0 || path[n] == '\0')
		return (struct slice){0};
	return (struct slice){path + n, strcspn(path + n, "/")};
}

static bool
is_owner(const struct findings *f, const struct package *package)
{
	for (size_t i = 0; i < f->n_owners; i++)
		if (f->owners[i] == package)
			return true;
	return false;
}

static void
remember_owner(struct findings *f, const struct package *owner)
{
	if (is_owner(f, owner))
		return;
	VEC_GROW(f->owners, f->n_owners, f->owners_cap);
	f->owners[f->n_owners++] = owner;
}

/*
 * Differences come in path order, so those of one item come together: its
 * package is looked up once.
 */
static void
look_up(struct findings *f, struct slice item)
{
	if (slice_eq(item, buf_get(&f->name)))
		return;
	buf_clear(&f->name);
	buf_slice(&f->name, item);
	f->item = f->label = NULL;
	f->owner = NULL;
	if (f->provenance)
		f->owner = provenance_owner(f->provenance, buf_text(&f->name));
	if (f->owner)
		remember_owner(f, f->owner);
}

/* The item's texts as the comparison keeps them, once for all that share. */
static void
keep_item(struct findings *f)
{
	struct arena *arena = &f->out->arena;

	if (f->item)
		return;
	f->item = arena_copy(arena, f->name.p, f->name.n);
	if (f->owner) {
		CLEANUP(own_free)
		char *label = package_label(f->owner);

		f->label = arena_copy(arena, label, strlen(label));
	}
}

/* Clean text is UTF-8, and is cut between its characters. */
static const char *
keep_detail(struct arena *arena, const struct buf *detail)
{
	struct slice s = buf_get(detail);
	char *copy;

	if (s.n <= FINDINGS_DETAIL_MAX)
		return arena_copy(arena, s.p, s.n);
	s.n = FINDINGS_DETAIL_MAX;
	while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	copy = arena_copy(arena, s.p, s.n + strlen("…"));
	memcpy(copy + s.n, "…", strlen("…"));
	return copy;
}

void
findings_add(struct findings *f, enum finding kind, const char *path,
	const struct buf *detail)
{
	struct comparison *out = f->out;
	struct slice item = findings_item(path);

	out->total++;
	if (kind == FINDING_CONFIG)
		f->config++;
	else if (kind == FINDING_ITEM_MISSING || kind == FINDING_ITEM_EXTRA)
		f->items++;
	else if (item.p)
		f->inside++;
	else
		f->outside++;

	if (item.p)
		look_up(f, item);
	if (out->n_differences == COMPARE_DIFFERENCES_MAX ||
		out->arena.total >= COMPARE_TEXT_MAX)
		return;
	if (item.p)
		keep_item(f);
	VEC_GROW(out->differences, out->n_differences, f->cap);
	out->differences[out->n_differences++] = (struct difference){
		.path = arena_copy(&out->arena, path, strlen(path)),
		.store_item = item.p ? f->item : NULL,
		.package = item.p ? f->label : NULL,
		.kind = kinds[kind],
		.detail = keep_detail(&out->arena, detail),
		.offset = -1,
	};
}

/* Labels in the manifest's order, each once, however often it is there. */
static void
list_packages(struct findings *f, const struct package *const *packages,
	size_t n, const char **labels, size_t *n_labels)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(own_free)
		char *label = NULL;
		bool is_known = !is_owner(f, packages[i]);

		if (!is_known)
			label = package_label(packages[i]);
		for (size_t k = 0; k < *n_labels && !is_known; k++)
			is_known = strcmp(labels[k], label) == 0;
		if (!is_known && *n_labels < f->n_owners)
			labels[(*n_labels)++] = arena_copy(
				&f->out->arena, label, strlen(label));
		/* what a repeated one propagates was seen at the first */
		if (!packages[i]->is_repeated)
			list_packages(f, packages[i]->propagated,
				packages[i]->n_propagated, labels, n_labels);
	}
}

void
findings_packages(struct findings *f)
{
	const char **labels;

	if (f->n_owners == 0)
		return;
	labels = arena_alloc(&f->out->arena, f->n_owners * sizeof(*labels));
	list_packages(f, f->provenance->packages, f->provenance->n_packages,
		labels, &f->out->n_packages);
	f->out->packages = labels;
}

void
findings_fini(struct findings *f)
{
	free(f->owners);
	buf_fini(&f->name);
	*f = (struct findings){0};
}
