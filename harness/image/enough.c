/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/enough.h"

#include <string.h>

#include "image/tree.h"

static const char store[] = "gnu/store/";

/* Of a path from the root, the store item that it is in; n 0: none. */
static struct slice
item_of(struct slice path)
{
	struct slice item = {NULL, 0};

	if (!slice_starts(path, store))
		return item;
	item.p = path.p + sizeof(store) - 1;
	while (item.n < path.n - (sizeof(store) - 1) && item.p[item.n] != '/' &&
		item.p[item.n] != ':')
		item.n++;
	return item;
}

static size_t
find(const struct enough *x, struct slice item)
{
	size_t i = 0;

	while (i < x->n && !slice_eq(x->items[i], item))
		i++;
	return i;
}

/* Text of the config that may be the absolute path of an item. */
static void
name_one(struct enough *x, const char *text)
{
	struct slice item = {NULL, 0};

	if (text[0] == '/')
		item = item_of(slice_of(text + 1));
	if (item.n == 0 || find(x, item) < x->n)
		return;
	if (x->n == ENOUGH_ITEMS_MAX)
		x->is_never = true;
	else
		x->items[x->n++] = item;
}

void
enough_init(struct enough *x, const struct docker_config *config)
{
	*x = (struct enough){0};
	for (size_t i = 0; i < config->n_env; i++) {
		const char *p = strchr(config->env[i], '=');

		for (; p; p = strchr(p + 1, ':'))
			name_one(x, p + 1);
	}
	if (config->n_entrypoint > 0)
		name_one(x, config->entrypoint[0]);
	x->is_never = x->is_never || x->n == 0;
}

static void
look_at(struct enough *x, const struct tree_entry *entry)
{
	struct slice path = slice_of(entry->path);
	struct slice item = item_of(path);
	size_t i = item.n ? find(x, item) : x->n;

	if (i == x->n || entry->type >= TREE_WHITEOUT)
		return;
	x->n_found += !x->is_found[i];
	x->is_found[i] = true;
	x->has_manifest = x->has_manifest ||
		(entry->data.p &&
			path.n ==
				sizeof(store) - 1 + item.n +
					sizeof("/manifest") - 1 &&
			slice_ends(path, "/manifest"));
}

bool
enough_after(struct enough *x, const struct tree_entry *entries, size_t n)
{
	bool has_items = false, has_tmp = false;

	for (size_t i = 0; i < n; i++) {
		/* Its target may be in a layer below. */
		if (entries[i].type == TREE_HARD_LINK && !x->has_outside)
			x->is_never = true;
		look_at(x, &entries[i]);
		has_items = has_items ||
			strncmp(entries[i].path, store, sizeof(store) - 1) == 0;
		has_tmp = has_tmp || strcmp(entries[i].path, "tmp") == 0;
	}
	x->has_outside = x->has_outside || (has_tmp && !has_items);
	return !x->is_never && x->has_outside && x->has_manifest &&
		x->n_found == x->n;
}

bool
enough_at(struct enough *x, const struct tree_entry *entry)
{
	look_at(x, entry);
	return !x->is_never && x->has_manifest && x->n_found == x->n;
}
