/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_RECIPE_VARIANTS_H
#define UB_RECIPE_VARIANTS_H

#include <stddef.h>

#include "base/alloc.h"
#include "recipe/recipe.h"

/*
 * What of `guix pack' leaves no trace in an image and changes its bits all the
 * same: --no-grafts, -R against -RR, --target against --system, and the order
 * of several -S, which changes the derivation alone.
 */
enum {
	VARIANTS_MAX = 16,
	VARIANTS_LINKS_ALL = 3 /* so many -S come in every order; more of them
				* only in the opposite one */
};

/* Another list of options that may have made the same image. */
struct variant {
	const char *label;     /* what is other: "--no-grafts", ... */
	const char *overrules; /* how a guess of the recipe begins that this
				* contradicts; NULL: none */
	const char *const *options;
	size_t n_options;
};

/*
 * The variants of a recipe, likely ones first, at most VARIANTS_MAX; the recipe
 * itself is none of them.  Strings live in a, or are the recipe's.
 */
size_t recipe_variants(
	const struct recipe *r, struct arena *a, const struct variant **out);

/* Make it the recipe of that variant: options, id, guesses. */
void recipe_take(struct recipe *r, const struct variant *v);

#endif
