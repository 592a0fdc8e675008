/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile's manifest, and the recipe that is made of it: whatever the former
 * holds, the latter is data of the expected form. */
#include <stdint.h>
#include <stdlib.h>

#include "base/sexp.h"
#include "image/own.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* Strings of the list that is the last datum's second element, counted. */
static void
check_file(const char *text, const char *form, size_t elements)
{
	struct arena a = {0};
	struct err e = {0};
	const struct sexp *file = sexp_parse(&a, slice_of(text), &e), *last;

	must(file != NULL);
	last = sexp_at(file, sexp_len(file) - 1);
	must(sexp_is(last, form));
	if (!sexp_is(last, "list"))
		last = sexp_at(last, 1);
	must(sexp_is(last, "list") && sexp_len(last) == elements + 1);
	arena_fini(&a);
}

static bool
is_transformed(const struct provenance *p)
{
	for (size_t i = 0; i < p->n_packages; i++) {
		if (p->packages[i]->n_transformations)
			return true;
	}
	return false;
}

static void
check_owners(const struct provenance *p)
{
	for (size_t i = 0; i < p->n_packages; i++) {
		char *label = package_label(p->packages[i]);

		free(label);
	}
	(void)provenance_owner(p, "none");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct image_own own = {.image.format = "docker-archive",
		.config.architecture = "amd64"};
	struct provenance *p = NULL;
	struct recipe *r = NULL;
	struct err e = {0};

	if (provenance_parse("/gnu/store/x-profile", text, &p, &e) == 0)
		must(p && p->n_channels);
	if (p) {
		check_owners(p);
		if (recipe_make(&own.image, p, NULL, &r, &e) == 0) {
			check_file(r->channels_scm, "list", r->n_channels);
			check_file(r->manifest_scm,
				is_transformed(p) ? "packages->manifest"
						  : "specifications->manifest",
				p->n_packages);
		}
	}
	recipe_free(r);
	provenance_free(p);
	return 0;
}
