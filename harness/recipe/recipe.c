/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipe/recipe.h"

#include "recipe/parts.h"

/* A recipe in the making. */
struct draft {
	struct recipe *r;
	struct words revealed, options, guessed, missing;
	struct buf text;
	size_t told_guessed, told_missing; /* those that doubts hold */
};

static void
draft_fini(struct draft *d)
{
	words_fini(&d->revealed);
	words_fini(&d->options);
	words_fini(&d->guessed);
	words_fini(&d->missing);
	buf_fini(&d->text);
}

void
recipe_free(struct recipe *r)
{
	if (!r)
		return;
	arena_fini(&r->arena);
	free(r);
}

void
own_recipe(struct recipe **r)
{
	recipe_free(*r);
}

static const char *
keep_text(struct draft *d)
{
	return arena_copy(&d->r->arena, buf_text(&d->text), d->text.n);
}

static const char *
copy(struct recipe *r, const char *s)
{
	return s ? arena_copy(&r->arena, s, strlen(s)) : NULL;
}

static const struct channel *
find_name(const struct channel *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	}
	return NULL;
}

/*
 * One channel a name: the first, as `guix package --export-channels' does
 * (guix/scripts/package.scm); a channels file cannot hold more.
 */
static void
choose_channels(struct draft *d, const struct provenance *p)
{
	struct recipe *r = d->r;
	struct channel *v = arena_alloc(&r->arena, p->n_channels * sizeof(*v));

	r->channels = v;
	for (size_t i = 0; i < p->n_channels; i++) {
		const struct channel *c = &p->channels[i];
		const struct channel *first =
			find_name(v, r->n_channels, c->name);

		if (first) {
			words_say(&d->guessed,
				"channel %s: commit %s of %s is used, and %s "
				"of %s, recorded for other packages, is not",
				c->name, first->commit, first->url, c->commit,
				c->url);
			continue;
		}
		v[r->n_channels++] = (struct channel){
			.name = copy(r, c->name),
			.url = copy(r, c->url),
			.branch = copy(r, c->branch),
			.commit = copy(r, c->commit),
			.intro_commit = copy(r, c->intro_commit),
			.intro_signer = copy(r, c->intro_signer),
			.is_named = c->is_named,
		};
	}
}

static bool
has_names(const struct provenance *p)
{
	for (size_t i = 0; i < p->n_channels; i++)
		if (p->channels[i].is_named)
			return true;
	return false;
}

static int
make_channels(struct draft *d, const struct provenance *p, const char *given,
	struct err *e)
{
	struct recipe *r = d->r;

	if (given &&
		channel_file_read(&r->arena, slice_of(given), &r->channels,
			&r->n_channels, e) < 0)
		return err_wrap(e, "channels");
	if (!given && p)
		choose_channels(d, p);
	r->is_unnamed = p && p->n_channels && !has_names(p);
	r->channels_scm = "";
	if (r->n_channels) {
		buf_clear(&d->text);
		if (channel_file_print(
			    r->channels, r->n_channels, &d->text, e) < 0)
			return -1;
		r->channels_scm = keep_text(d);
		if (!find_name(r->channels, r->n_channels, "guix"))
			words_say(&d->missing,
				"no channel is named guix, and without it "
				"guix time-machine does nothing");
	}
	r->channels_id = digest_of(r->channels_scm, strlen(r->channels_scm));
	return 0;
}

static int
make_manifest(struct draft *d, const struct provenance *p, const char *given,
	struct err *e)
{
	d->r->manifest_scm = given ? copy(d->r, given) : "";
	if (given || !p || p->n_packages == 0)
		return 0;
	buf_clear(&d->text);
	if (manifest_file_print(p, &d->guessed, &d->missing, &d->text, e) < 0)
		return -1;
	d->r->manifest_scm = keep_text(d);
	return 0;
}

/* An image can hold more links than a command line has room for. */
static int
check_size(const struct words *options, struct err *e)
{
	size_t bytes = 0;

	for (size_t i = 0; i < options->n; i++)
		bytes += strlen(options->v[i]) + 1;
	if (bytes > OPTIONS_BYTES_MAX)
		return err_set(e, ERR_POLICY,
			"options of guix pack of %zu bytes: at most %d are "
			"allowed",
			bytes, OPTIONS_BYTES_MAX);
	return 0;
}

/* What is made must be what the image is, or there is nothing to compare. */
static int
check_format(const struct words *own, const char *format, struct err *e)
{
	CLEANUP(own_free)
	char *right = xasprintf("--format=%s", format);

	if (options_have(own, "format") && !words_has(own, right))
		return err_set(e, ERR_POLICY,
			"pack option '--format': the image is one of %s",
			right);
	return 0;
}

/* The options that are not typed for their own sake, then the rest. */
static int
make_options(struct draft *d, const struct image *image,
	const struct provenance *p, const char *const *given, struct err *e)
{
	CLEANUP(words_fini)
	struct words own = {.arena = &d->r->arena};
	CLEANUP(words_fini)
	struct words overridden = {.arena = &d->r->arena};
	const char *system = infer_system(image);
	CLEANUP(own_free)
	char *word = NULL;

	infer_options(image, p, &d->revealed, given ? &overridden : &d->guessed,
		given ? &overridden : &d->missing);
	if (given &&
		(options_read(given, &own, e) < 0 ||
			check_format(&own, d->r->format, e) < 0))
		return -1;
	if (!options_have(&own, "format")) {
		CLEANUP(own_free)
		char *format = xasprintf("--format=%s", d->r->format);

		words_add(&d->options, format);
	}
	if (system && !options_have(&own, "system")) {
		word = xasprintf("--system=%s", system);
		words_add(&d->options, word);
		if (strcmp(system, "x86_64-linux") != 0 && !given)
			words_say(&d->guessed,
				"--system=%s: an image made with --target "
				"looks the same",
				system);
	} else if (!system && strcmp(d->r->format, "docker") != 0) {
		words_say(&d->guessed,
			"no --system: no program in the image tells for which "
			"it is, so it is made for that of the machine");
	} else if (!system) {
		words_say(&d->missing,
			"the architecture '%s' is none that guix pack writes",
			image_architecture(image));
	}
	if (p && p->n_channels && !options_have(&own, "save-provenance"))
		words_add(&d->options, "--save-provenance");
	for (size_t i = 0; i < (given ? own.n : d->revealed.n); i++)
		words_add(&d->options, given ? own.v[i] : d->revealed.v[i]);
	return check_size(&d->options, e);
}

struct digest
recipe_id(const struct recipe *r)
{
	static const char unnamed[] = "time-machine twice";
	CLEANUP(own_digest)
	struct digest_sum *s = digest_new();

	digest_add(s, r->channels_scm, strlen(r->channels_scm) + 1);
	digest_add(s, r->manifest_scm, strlen(r->manifest_scm) + 1);
	for (size_t i = 0; i < r->n_options; i++)
		digest_add(s, r->options[i], strlen(r->options[i]) + 1);
	if (r->is_unnamed)
		digest_add(s, unnamed, sizeof(unnamed));
	return digest_end(s);
}

static void
finish(struct draft *d)
{
	struct recipe *r = d->r;

	r->n_options = d->options.n;
	r->options = words_take(&d->options);
	r->n_revealed = d->revealed.n;
	r->revealed = words_take(&d->revealed);
	r->n_guessed = d->guessed.n;
	r->guessed = words_take(&d->guessed);
	r->n_missing = d->missing.n;
	r->missing = words_take(&d->missing);
	r->id = recipe_id(r);
}

/* Sentences from v[from] on, a line each with what they are before it. */
static void
add_lines(struct buf *out, const char *what, const char *const *v, size_t from,
	size_t n)
{
	for (size_t i = from; i < n; i++)
		buf_printf(out, "%s: %s\n", what, v[i]);
}

/* What was said since the last call, and sentences of the provenance. */
static const char *
take_doubts(struct draft *d, const char *what, const char *const *v, size_t n)
{
	buf_clear(&d->text);
	add_lines(&d->text, what, v, 0, n);
	add_lines(&d->text, "guessed", d->guessed.v, d->told_guessed,
		d->guessed.n);
	add_lines(&d->text, "not known", d->missing.v, d->told_missing,
		d->missing.n);
	d->told_guessed = d->guessed.n;
	d->told_missing = d->missing.n;
	return keep_text(d);
}

static int
make_all(struct draft *d, const struct image *image, const struct provenance *p,
	const struct recipe_override *o, struct err *e)
{
	static const char *const twice[] = {
		"time-machine twice: the image records its channels without "
		"names, as Guix did until February 2021; what a newer Guix "
		"makes of them at once would record names"};
	struct recipe *r = d->r;

	if (make_channels(d, p, o->channels_scm, e) < 0)
		return -1;
	r->channels_doubts = take_doubts(d, "note", p ? p->notes : NULL,
		p && !o->channels_scm ? p->n_notes : 0);
	if (make_manifest(d, p, o->manifest_scm, e) < 0)
		return -1;
	r->manifest_doubts = take_doubts(d, "not known", p ? p->missing : NULL,
		p && !o->manifest_scm ? p->n_missing : 0);
	if (make_options(d, image, p, o->pack_options, e) < 0)
		return -1;
	r->options_doubts = take_doubts(d, "note", twice, r->is_unnamed);
	return 0;
}

int
recipe_make(const struct image *image, const struct provenance *provenance,
	const struct recipe_override *override, struct recipe **out,
	struct err *e)
{
	static const struct recipe_override none = {0};
	const struct recipe_override *o = override ? override : &none;
	CLEANUP(own_recipe)
	struct recipe *r = xcalloc(1, sizeof(*r));
	struct arena *a = &r->arena;
	CLEANUP(draft_fini)
	struct draft d = {r, {.arena = a}, {.arena = a}, {.arena = a},
		{.arena = a}, {0}, 0, 0};

	*out = NULL;
	r->format = o->format ? copy(r, o->format) : infer_format(image);
	r->image_sha256 = image->sha256;
	r->profile = provenance ? copy(r, provenance->profile) : NULL;
	if (make_all(&d, image, provenance, o, e) < 0)
		return err_wrap(e, "recipe");
	finish(&d);
	*out = STEAL(r);
	if (!(*out)->channels_scm[0])
		return err_set(e, ERR_ABSENT,
			"no channels are known: nothing says which Guix made "
			"this image");
	if (!(*out)->manifest_scm[0])
		return err_set(e, ERR_ABSENT,
			"no packages are known: the image has no manifest of "
			"a profile");
	return 0;
}

void
recipe_json(const struct recipe *r, const struct provenance *p, struct jout *j)
{
	jout_begin(j, "pack", '{');
	jout_str(j, "format", r ? r->format : NULL);
	jout_begin(j, "options", '[');
	for (size_t i = 0; r && i < r->n_revealed; i++)
		jout_str(j, NULL, r->revealed[i]);
	jout_end(j, ']');
	jout_begin(j, "arguments", '[');
	for (size_t i = 0; r && i < r->n_options; i++)
		jout_str(j, NULL, r->options[i]);
	jout_end(j, ']');
	jout_begin(j, "guessed", '[');
	for (size_t i = 0; r && i < r->n_guessed; i++)
		jout_str(j, NULL, r->guessed[i]);
	jout_end(j, ']');
	jout_end(j, '}');
	jout_begin(j, "missing", '[');
	for (size_t i = 0; p && i < p->n_missing; i++)
		jout_str(j, NULL, p->missing[i]);
	for (size_t i = 0; r && i < r->n_missing; i++)
		jout_str(j, NULL, r->missing[i]);
	jout_end(j, ']');
}
