/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provenance/profile.h"

#include <search.h>
#include <stdint.h>

#include "base/buf.h"

/* One manifest as it is read. */
struct reader {
	struct arena *arena; /* the provenance's */
	struct channels channels;
	struct words notes;
	void *seen; /* tsearch(3) tree of struct package, by is_before */
	size_t n_entries;
	int64_t version;
	struct err *e;
};

/* What `repeated' names an entry by. */
static int
is_before(const void *a, const void *b)
{
	const struct package *x = a, *y = b;
	int c = strcmp(x->store_path, y->store_path);

	if (c == 0)
		c = strcmp(x->name, y->name);
	return c ? c : strcmp(x->version, y->version);
}

static void
keep(void *node)
{
	(void)node; /* the arena's */
}

/* From now on p is what (repeated NAME VERSION PATH) means. */
static int
remember(struct reader *r, const struct package *p)
{
	const struct package **node = tsearch(p, &r->seen, is_before);

	if (!node)
		return err_set(r->e, ERR_HOST, "no memory for an entry");
	*node = p;
	return 0;
}

static int
read_search_path(
	struct reader *r, const struct sexp *s, struct search_path *out)
{
	const struct sexp *files = sexp_at(s, 1), *separator = sexp_at(s, 2);
	const struct sexp *type = sexp_at(s, 3), *pattern = sexp_at(s, 4);
	CLEANUP(words_fini)
	struct words list = {.arena = r->arena};
	const char *file;

	if (sexp_len(s) != 5 || files->type != SEXP_LIST ||
		type->type != SEXP_SYMBOL)
		return profile_bad(s, r->e,
			"a search path is (VARIABLE FILES SEPARATOR TYPE "
			"PATTERN)");
	if (profile_text(r->arena, s->first, "variable", &out->variable, r->e) <
		0)
		return -1;
	SEXP_FOREACH(x, files) {
		if (profile_text(r->arena, x, "file", &file, r->e) < 0)
			return -1;
		words_add(&list, file);
	}
	out->n_files = list.n;
	out->files = words_take(&list);
	out->type = arena_copy(r->arena, type->text.p, type->text.n);
	if (separator->type != SEXP_BOOL &&
		profile_text(r->arena, separator, "separator", &out->separator,
			r->e) < 0)
		return -1;
	if (pattern->type != SEXP_BOOL &&
		profile_text(
			r->arena, pattern, "pattern", &out->pattern, r->e) < 0)
		return -1;
	return 0;
}

static int
read_search_paths(struct reader *r, const struct sexp *list, struct package *p)
{
	struct search_path *v =
		arena_alloc(r->arena, sexp_len(list) * sizeof(*v));

	p->search_paths = v;
	SEXP_FOREACH(x, list) {
		if (read_search_path(r, x, &v[p->n_search_paths++]) < 0)
			return -1;
	}
	return 0;
}

/* (transformations (KEY . STRING) ...) */
static int
read_transformations(
	struct reader *r, const struct sexp *list, struct package *p)
{
	struct transformation *v =
		arena_alloc(r->arena, sexp_len(list) * sizeof(*v));

	p->transformations = v;
	p->has_transformations = true;
	for (const struct sexp *x = list->first->next; x; x = x->next) {
		struct transformation *t = &v[p->n_transformations++];

		if (sexp_len(x) != 1 || !x->dotted ||
			x->first->type != SEXP_SYMBOL ||
			memchr(x->first->text.p, '\0', x->first->text.n))
			return profile_bad(
				x, r->e, "a transformation is (KEY . STRING)");
		t->key = arena_copy(
			r->arena, x->first->text.p, x->first->text.n);
		if (profile_text(r->arena, x->dotted, "a transformation",
			    &t->value, r->e) < 0)
			return -1;
	}
	return 0;
}

/* The properties from s on; of two with one key the first counts, as in Guix
 * (assq-ref). */
static int
read_properties(struct reader *r, const struct sexp *s, struct package *p)
{
	CLEANUP(words_fini)
	struct words other = {.arena = r->arena};
	CLEANUP(buf_fini)
	struct buf text = {0};
	bool has_provenance = false, has_transformations = false;

	for (; s; s = s->next) {
		if (sexp_is(s, "provenance") && !has_provenance) {
			has_provenance = true;
			if (channels_read(&r->channels, s, &p->channels,
				    &p->n_channels, r->e) < 0)
				return -1;
		} else if (sexp_is(s, "transformations") &&
			!has_transformations) {
			has_transformations = true;
			if (read_transformations(r, s, p) < 0)
				return -1;
		} else {
			buf_clear(&text);
			sexp_print(&text, s);
			words_add(&other, buf_text(&text));
		}
	}
	p->n_other_properties = other.n;
	p->other_properties = words_take(&other);
	return 0;
}

static int read_entries(struct reader *r, const struct sexp *list,
	const struct package *parent, int depth,
	const struct package *const **out, size_t *n);

/* The list that is the value of field key of an entry; NULL when not there. */
static int
list_field(struct reader *r, const struct sexp *entry, const char *key,
	const struct sexp **out)
{
	const struct sexp *field = sexp_assoc(entry, key);

	*out = sexp_at(field, 1);
	if (field && (!*out || (*out)->type != SEXP_LIST))
		return profile_bad(field, r->e, "%s is not a list", key);
	return 0;
}

/*
 * Propagated inputs as versions 1 and 2 have them: paths, or (LABEL PATH).  The
 * name is what the path has after the hash, with the version in it.
 */
static int
read_paths(struct reader *r, const struct sexp *list, struct package *p)
{
	size_t len = sexp_len(list), i = 0;
	const struct package **v;

	if (len > PROFILE_ENTRIES_MAX - r->n_entries)
		return err_set(r->e, ERR_POLICY,
			"line %u: more than %d entries", list->line,
			PROFILE_ENTRIES_MAX);
	r->n_entries += len;
	v = arena_alloc(r->arena, len * sizeof(struct package *));
	SEXP_FOREACH(x, list) {
		const struct sexp *path =
			x->type == SEXP_LIST ? sexp_at(x, 1) : x;
		struct package *below = arena_alloc(r->arena, sizeof(*below));
		const char *name;

		if (!path)
			return profile_bad(x, r->e,
				"a propagated input is PATH or (LABEL PATH)");
		*below = (struct package){
			.version = "", .output = "out", .parent = p};
		if (profile_text(r->arena, path, "path", &below->store_path,
			    r->e) < 0)
			return -1;
		name = strrchr(below->store_path, '/');
		name = name ? name + 1 : below->store_path;
		below->name = strchr(name, '-') ? strchr(name, '-') + 1 : name;
		v[i++] = below;
	}
	p->propagated = v;
	p->n_propagated = len;
	return 0;
}

/* Version 0: nothing but the four strings; 1: propagated inputs after them; 2:
 * fields, of which two were there (guix/profiles.scm, sexp->manifest, as it was
 * until 2015 and is). */
static int
read_old_fields(struct reader *r, const struct sexp *entry, struct package *p)
{
	const struct sexp *list = NULL;

	if (r->version == 0)
		return 0;
	if (r->version == 1) {
		list = sexp_at(entry, 4);
		if (list && list->type != SEXP_LIST)
			return profile_bad(
				list, r->e, "propagated inputs are no list");
		return read_paths(r, list, p);
	}
	if (list_field(r, entry, "propagated-inputs", &list) < 0 ||
		read_paths(r, list, p) < 0 ||
		list_field(r, entry, "search-paths", &list) < 0)
		return -1;
	return read_search_paths(r, list, p);
}

static int
read_fields(struct reader *r, const struct sexp *entry, struct package *p,
	int depth)
{
	const struct sexp *list, *properties = sexp_assoc(entry, "properties");

	if (list_field(r, entry, "propagated-inputs", &list) < 0 ||
		read_entries(r, list, p, depth + 1, &p->propagated,
			&p->n_propagated) < 0)
		return -1;
	if (list_field(r, entry, "search-paths", &list) < 0 ||
		read_search_paths(r, list, p) < 0)
		return -1;
	/* Version 3 writes (properties . ALIST), 4 (properties ALIST). */
	if (r->version == 3)
		return properties
			? read_properties(r, properties->first->next, p)
			: 0;
	if (list_field(r, entry, "properties", &list) < 0)
		return -1;
	return list ? read_properties(r, list->first, p) : 0;
}

static int
read_repeated(struct reader *r, const struct sexp *s,
	const struct package *parent, struct package *p)
{
	struct package key = {0};
	const struct package *const *found;

	if (sexp_len(s) != 4 ||
		profile_text(r->arena, sexp_at(s, 1), "name", &key.name, r->e) <
			0 ||
		profile_text(r->arena, sexp_at(s, 2), "version", &key.version,
			r->e) < 0 ||
		profile_text(r->arena, sexp_at(s, 3), "path", &key.store_path,
			r->e) < 0)
		return profile_bad(s, r->e,
			"a repeated entry is (repeated NAME VERSION PATH)");
	found = tfind(&key, &r->seen, is_before);
	if (!found)
		return profile_bad(
			s, r->e, "a repeated entry that was not there before");
	*p = **found;
	p->parent = parent;
	p->is_repeated = true;
	return 0;
}

static int
read_entry(struct reader *r, const struct sexp *s, const struct package *parent,
	int depth, struct package *p)
{
	static const char *const what[] = {"name", "version", "output", "path"};
	const char **to[] = {&p->name, &p->version, &p->output, &p->store_path};

	if (r->version >= 4 && sexp_is(s, "repeated"))
		return read_repeated(r, s, parent, p);
	if (sexp_len(s) < ARRAY_LEN(to))
		return profile_bad(
			s, r->e, "an entry is (NAME VERSION OUTPUT PATH ...)");
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		if (profile_text(
			    r->arena, sexp_at(s, i), what[i], to[i], r->e) < 0)
			return -1;
	}
	p->parent = parent;
	if ((r->version < 3 ? read_old_fields(r, s, p)
			    : read_fields(r, s, p, depth)) < 0)
		return -1;
	return remember(r, p);
}

static int
read_entries(struct reader *r, const struct sexp *list,
	const struct package *parent, int depth,
	const struct package *const **out, size_t *n)
{
	size_t len = sexp_len(list), i = 0;
	const struct package **v;

	*out = NULL;
	*n = 0;
	if (len == 0)
		return 0;
	if (depth > PROFILE_DEPTH_MAX)
		return err_set(r->e, ERR_POLICY,
			"line %u: more than %d levels of propagated inputs",
			list->line, PROFILE_DEPTH_MAX);
	if (len > PROFILE_ENTRIES_MAX - r->n_entries)
		return err_set(r->e, ERR_POLICY,
			"line %u: more than %d entries", list->line,
			PROFILE_ENTRIES_MAX);
	r->n_entries += len;
	v = arena_alloc(r->arena, len * sizeof(struct package *));
	SEXP_FOREACH(x, list) {
		struct package *p = arena_alloc(r->arena, sizeof(*p));

		if (read_entry(r, x, parent, depth, p) < 0)
			return -1;
		v[i++] = p;
	}
	*out = v;
	*n = len;
	return 0;
}

/* (manifest (version N) (packages (ENTRY ...))) */
static int
read_manifest(struct reader *r, const struct sexp *s, struct provenance *p)
{
	const struct sexp *packages = sexp_at(s, 2);

	if (!sexp_is(s, "manifest") || !sexp_is(sexp_at(s, 1), "version") ||
		!sexp_int(sexp_at(sexp_at(s, 1), 1), &r->version))
		return err_set(r->e, ERR_INPUT,
			"line %u: not a profile's manifest", s ? s->line : 1);
	if (r->version < 0 || r->version > 4)
		return err_set(r->e, ERR_INPUT,
			"a profile manifest of version %jd: versions 0 to 4 "
			"are known",
			(intmax_t)r->version);
	p->manifest_version = (int)r->version;
	if (!sexp_is(packages, "packages") || !sexp_at(packages, 1) ||
		sexp_at(packages, 1)->type != SEXP_LIST)
		return profile_bad(s, r->e, "no (packages ...)");
	return read_entries(
		r, sexp_at(packages, 1), NULL, 0, &p->packages, &p->n_packages);
}

/* Which entries come from nowhere, and which facts are less than they seem. */
static void
judge_entries(
	const struct provenance *p, struct words *missing, struct words *notes)
{
	size_t n_without = 0;

	for (size_t i = 0; i < p->n_packages; i++) {
		const struct package *x = p->packages[i];
		CLEANUP(own_free)
		char *label = package_label(x);

		if (x->n_channels == 0 && x->is_repeated) {
			words_say(notes,
				"%s: also a propagated input of another "
				"package, and Guix records no channel for such",
				label);
		} else if (x->n_channels == 0) {
			if (++n_without <= PROFILE_SENTENCES_MAX)
				words_say(missing,
					"%s: no channel is recorded, so "
					"nothing says where its definition "
					"is (a local file, -L or -e)",
					label);
		} else if (x->n_transformations && x->n_channels == 1) {
			words_say(notes,
				"%s: transformed, and for such Guix records "
				"only its own channel: if the package came "
				"from another one, that is lost",
				label);
		}
	}
	if (n_without > PROFILE_SENTENCES_MAX)
		words_say(missing,
			"no channel is recorded for %zu more packages",
			n_without - PROFILE_SENTENCES_MAX);
}

static void
judge_channels(const struct provenance *p, struct words *notes)
{
	for (size_t i = 0; i < p->n_channels; i++) {
		const struct channel *c = &p->channels[i];

		if (!c->is_named)
			words_say(notes,
				"channel %s (%s): its name is not recorded; "
				"this one is made up as Guix does",
				c->name, c->url);
		if (!c->intro_commit)
			words_say(notes,
				"channel %s (%s): no introduction is recorded, "
				"so its commits cannot be authenticated from "
				"the image alone",
				c->name, c->url);
	}
}

static int
judge(struct provenance *p, struct reader *r)
{
	CLEANUP(words_fini)
	struct words missing = {.arena = r->arena};
	int status = 0;

	/* Version 3 came in 2017, and --save-provenance in 2019. */
	if (p->manifest_version < 3) {
		words_say(&missing,
			"the profile's manifest is of version %d, which Guix "
			"wrote before it recorded any provenance: nothing says "
			"which Guix made it, and none that old can be had by "
			"guix time-machine",
			p->manifest_version);
		status = err_set(r->e, ERR_ABSENT,
			"a profile manifest of version %d, as Guix wrote them "
			"before provenance was recorded: too old to rebuild",
			p->manifest_version);
	} else if (p->n_packages == 0) {
		words_say(&missing, "the profile holds no package");
		status = err_set(
			r->e, ERR_ABSENT, "the profile holds no package");
	} else if (p->n_channels == 0) {
		words_say(&missing,
			"none of the %zu packages of the profile has a "
			"recorded channel: packed without --save-provenance, "
			"or from local files",
			p->n_packages);
		status = err_set(r->e, ERR_ABSENT,
			"none of the %zu packages of the profile has "
			"provenance",
			p->n_packages);
	} else {
		judge_entries(p, &missing, &r->notes);
		judge_channels(p, &r->notes);
	}
	p->n_missing = missing.n;
	p->missing = words_take(&missing);
	p->n_notes = r->notes.n;
	p->notes = words_take(&r->notes);
	return status;
}

int
provenance_parse(const char *profile, struct slice manifest,
	struct provenance **out, struct err *e)
{
	CLEANUP(own_provenance)
	struct provenance *p = xcalloc(1, sizeof(*p));
	struct arena scratch = {0};
	struct reader r = {.arena = &p->arena, .e = e};
	const struct sexp *top;
	int status = -1;

	*out = NULL;
	r.notes.arena = r.channels.arena = r.arena;
	r.channels.notes = &r.notes;
	p->profile = arena_copy(&p->arena, profile, strlen(profile));
	p->profile_found = "given";
	top = sexp_parse(&scratch, manifest, e);
	if (top && read_manifest(&r, sexp_at(top, 0), p) == 0) {
		size_t size = r.channels.n * sizeof(*r.channels.v);
		struct channel *v = arena_alloc(r.arena, size);

		if (size)
			memcpy(v, r.channels.v, size);
		p->channels = v;
		p->n_channels = r.channels.n;
		status = judge(p, &r);
		*out = STEAL(p);
	}
	tdestroy(r.seen, keep);
	words_fini(&r.notes);
	free(r.channels.v);
	arena_fini(&scratch);
	return status;
}
