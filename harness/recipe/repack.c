/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recipe of the same environment in another format. */
#include "recipe/parts.h"

/* What is kept of an image's options, and in which formats it has a meaning
 * (guix/scripts/pack.scm). */
static const struct kept {
	const char *name;
	const char *formats; /* "|" around each; NULL: all */
} kept[] = {
	{"symlink", NULL},
	{"relocatable", NULL},
	{"entry-point", "|docker|squashfs|appimage|"},
	{"entry-point-argument", "|docker|"},
	{"localstatedir", "|docker|tarball|"},
	{"profile-name", "|docker|tarball|"},
};

static bool
is_named(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word + 2, name, n) == 0 &&
		(word[2 + n] == '\0' || word[2 + n] == '=');
}

static bool
is_kept(const char *word, const char *format, const struct words *own)
{
	CLEANUP(own_free)
	char *between = xasprintf("|%s|", format);

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const struct kept *k = &kept[i];

		if (!is_named(word, k->name))
			continue;
		if (k->formats && !strstr(k->formats, between))
			return false;
		/* Arguments belong to an entry point. */
		return !options_have(own, k->name) &&
			!(strcmp(k->name, "entry-point-argument") == 0 &&
				options_have(own, "entry-point"));
	}
	return false;
}

int
recipe_repack(const struct image *image, const struct provenance *p,
	const struct recipe_repack *o, struct recipe **out, struct err *e)
{
	struct recipe_override override = {.channels_scm = o->channels_scm};
	CLEANUP(own_recipe)
	struct recipe *as_is = NULL;
	struct arena scratch = {0};
	struct words own = {.arena = &scratch};
	struct words all = {.arena = &scratch};
	struct words format = {.arena = &scratch};
	CLEANUP(own_free)
	char *word = xasprintf("--format=%s", o->format);
	int status = -1;

	*out = NULL;
	if (options_read((const char *const[]){word, NULL}, &format, e) < 0 ||
		recipe_make(image, p, &override, &as_is, e) < 0 ||
		options_read(o->options, &own, e) < 0)
		goto out;
	for (size_t i = 0; i < as_is->n_revealed; i++) {
		if (is_kept(as_is->revealed[i], o->format, &own))
			words_add(&all, as_is->revealed[i]);
	}
	for (size_t i = 0; i < own.n; i++)
		words_add(&all, own.v[i]);
	override.format = o->format;
	override.pack_options = words_take(&all);
	status = recipe_make(image, p, &override, out, e);
out:
	words_fini(&format);
	words_fini(&own);
	words_fini(&all);
	arena_fini(&scratch);
	return status;
}
