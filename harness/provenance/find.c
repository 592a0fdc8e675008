/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which profile of an image it was packed from. */
#include "base/buf.h"
#include "base/path.h"
#include "base/text.h"
#include "provenance/profile.h"

enum {
	NAMED_MAX = 5 /* candidates named in an error */
};

static const char store[] = "/gnu/store/";

/* The profiles of an image, and those still possible. */
struct search {
	const struct image *image;
	size_t *candidates; /* indexes into image->items, in order */
	size_t n;
	bool *is_named; /* by the evidence looked at, one for each candidate */
	size_t n_named;
	/* What evidence leads to though its manifest cannot be read. */
	char *lost;
	char *why; /* clause, of the first of the evidence that named one */
};

static void
search_fini(struct search *s)
{
	free(s->candidates);
	free(s->is_named);
	free(s->lost);
	free(s->why);
}

/* gnu/store/ITEM/manifest, kept or not; NULL when there is no such file. */
static const struct tree_entry *
file_of(const struct image *image, const struct store_item *item)
{
	CLEANUP(own_free)
	char *path = xasprintf("gnu/store/%s/manifest", item->name);
	const struct tree_entry *found = tree_find(&image->tree, path);

	return found && found->type == TREE_FILE ? found : NULL;
}

/* The same; NULL when there is none that was kept. */
static const struct tree_entry *
manifest_of(const struct image *image, const struct store_item *item)
{
	const struct tree_entry *found = file_of(image, item);

	return found && found->data.p ? found : NULL;
}

/* There is no profile: because its manifest is too large to be kept? */
static int
blame_size(const struct image *image, struct err *e)
{
	for (size_t i = 0; i < image->n_items; i++) {
		const struct store_item *item = &image->items[i];
		const struct tree_entry *x = file_of(image, item);

		if (x && !x->data.p && x->size > image->limits.kept_bytes &&
			slice_ends(slice_of(item->name), "-profile"))
			return limits_refuse(&image->limits, LIMIT_kept_bytes,
				e, "a profile manifest of %llu bytes",
				(unsigned long long)x->size);
	}
	return -1;
}

/*
 * A profile's store name ends in -profile (guix/profiles.scm,
 * profile-derivation); for any other name the contents decide.
 */
static bool
is_profile(const struct image *image, const struct store_item *item)
{
	const struct tree_entry *file = manifest_of(image, item);
	struct arena scratch = {0};
	struct err ignored = {0};
	bool is = false;

	if (!file)
		return false;
	if (slice_ends(slice_of(item->name), "-profile"))
		return true;
	is = limits_data(&image->limits, file->data, &ignored) == 0 &&
		sexp_is(sexp_at(sexp_parse(&scratch, file->data, &ignored), 0),
			"manifest");
	arena_fini(&scratch);
	return is;
}

/* Name and length of the store item that text begins with the path of. */
static struct slice
item_at(struct slice text)
{
	struct slice item = {NULL, 0};

	if (!slice_starts(text, store))
		return item;
	item.p = text.p + sizeof(store) - 1;
	while (item.n < text.n - (sizeof(store) - 1) && item.p[item.n] != '/' &&
		item.p[item.n] != ':')
		item.n++;
	return item;
}

/* Which candidate has this name, or s->n; they are in the order of names. */
static size_t
candidate(const struct search *s, struct slice name)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		int c = slice_cmp(name,
			slice_of(s->image->items[s->candidates[at]].name));

		if (c == 0)
			return at;
		if (c < 0)
			to = at;
		else
			from = at + 1;
	}
	return s->n;
}

/* Evidence: `what' leads to the store item at the start of text. */
static void
name_one(struct search *s, struct slice text, const char *what)
{
	struct slice item = item_at(text);
	size_t i = candidate(s, item);

	if (i == s->n) {
		if (!s->lost && slice_ends(item, "-profile"))
			s->lost = xmemdup0(item.p, item.n);
		return;
	}
	if (s->is_named[i])
		return;
	if (s->n_named++ == 0) {
		free(s->why);
		s->why = xstrdup(what);
	}
	s->is_named[i] = true;
}

static void
name_by_environment(struct search *s)
{
	const char **env = NULL;
	size_t n = image_env(s->image, &env);

	for (size_t i = 0; i < n; i++) {
		const char *value = strchr(env[i], '=');
		CLEANUP(own_free)
		char *what = NULL;

		if (!value)
			continue;
		what = xasprintf("named by %.*s in the config's environment",
			(int)(value - env[i]), env[i]);
		for (const char *p = value; p; p = strchr(p + 1, ':'))
			name_one(s, slice_of(p + 1), what);
	}
}

static void
name_by_entry_point(struct search *s)
{
	const char **words = NULL;

	if (image_entrypoint(s->image, &words) > 0)
		name_one(s, slice_of(words[0]),
			"named by the config's entry point");
}

/* The absolute path that a link leads to, by its text alone; false when it
 * leaves the tree. */
static bool
link_target(const struct tree_entry *link, struct buf *out)
{
	struct slice rest = slice_of(link->link);

	buf_clear(out);
	if (!slice_starts(rest, "/")) {
		const char *slash = strrchr(link->path, '/');

		buf_char(out, '/');
		if (slash)
			buf_add(out, link->path, (size_t)(slash - link->path));
	}
	while (rest.n) {
		const char *slash = memchr(rest.p, '/', rest.n);
		size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
		struct slice part = {rest.p, n};

		rest.p += slash ? n + 1 : n;
		rest.n -= slash ? n + 1 : n;
		if (part.n == 0 || slice_is(part, "."))
			continue;
		if (slice_is(part, "..")) {
			while (out->n && out->p[--out->n] != '/')
				;
			continue;
		}
		if (out->n == 0 || out->p[out->n - 1] != '/')
			buf_char(out, '/');
		buf_slice(out, part);
	}
	return out->n > 0;
}

/* Links outside the store, as `guix pack -S' makes them. */
static void
name_by_links(struct search *s)
{
	CLEANUP(buf_fini)
	struct buf target = {0};

	for (size_t i = 0; i < s->image->tree.n; i++) {
		const struct tree_entry *x = &s->image->tree.v[i];
		CLEANUP(own_free)
		char *what = NULL;

		if (x->type != TREE_LINK || !x->link ||
			slice_starts(slice_of(x->path), "gnu/store/") ||
			!link_target(x, &target))
			continue;
		what = xasprintf("the link /%s leads into it", x->path);
		name_one(s, buf_get(&target), what);
	}
}

/*
 * The other way about: profiles that a link of another store item leads into
 * are part of that item.  Those left are named.
 */
static void
name_by_exclusion(struct search *s)
{
	CLEANUP(buf_fini)
	struct buf target = {0};
	CLEANUP(own_free)
	bool *is_inner = xcalloc(s->n, sizeof(*is_inner));

	for (size_t k = 0; k < s->image->n_items; k++) {
		const struct store_item *item = &s->image->items[k];

		for (size_t i = item->begin; i < item->end; i++) {
			const struct tree_entry *x = &s->image->tree.v[i];
			size_t to;

			if (x->type != TREE_LINK || !x->link ||
				!link_target(x, &target))
				continue;
			to = candidate(s, item_at(buf_get(&target)));
			if (to < s->n && s->candidates[to] != k)
				is_inner[to] = true;
		}
	}
	for (size_t c = 0; c < s->n; c++) {
		s->is_named[c] = !is_inner[c];
		s->n_named += !is_inner[c];
	}
	free(s->why);
	s->why = xstrdup("the only profile that no other store item leads "
			 "into");
}

/* Drop the candidates that were not named, if any was. */
static void
narrow(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->n_named == 0 || s->is_named[i])
			s->candidates[kept++] = s->candidates[i];
		s->is_named[i] = false;
	}
	s->n = kept;
	s->n_named = 0;
}

static int
several(const struct search *s, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf names = {0};

	for (size_t i = 0; i < s->n && i < NAMED_MAX; i++) {
		if (i)
			buf_str(&names, ", ");
		text_clean(&names,
			slice_of(s->image->items[s->candidates[i]].name),
			TEXT_ONE_LINE);
	}
	return err_set(e, ERR_ABSENT,
		"%zu profiles, and nothing says which one was packed: %s%s",
		s->n, buf_text(&names), s->n > NAMED_MAX ? ", ..." : "");
}

/* The index of the item that is the profile, into s->candidates[0]. */
static int
choose(struct search *s, struct err *e)
{
	static void (*const evidence[])(struct search *) = {
		name_by_environment, name_by_entry_point, name_by_links};
	bool is_alone = s->n == 1, has_evidence = false;

	for (size_t i = 0; i < ARRAY_LEN(evidence); i++) {
		evidence[i](s);
		has_evidence |= s->n_named > 0;
		/* What leads elsewhere must not end at another profile. */
		if (!has_evidence && s->lost) {
			CLEANUP(own_free)
			char *lost = text_clean_new(slice_of(s->lost));

			return err_set(e, ERR_ABSENT,
				"the profile that the image points to, "
				"/gnu/store/%s, has no manifest that can be "
				"read",
				lost);
		}
		narrow(s);
		if (s->n == 1 && has_evidence)
			return 0;
	}
	if (is_alone) {
		free(s->why);
		s->why = xstrdup("the only profile of the image");
		return 0;
	}
	if (s->n == 0)
		return err_set(e, ERR_ABSENT,
			"no profile of Guix: no store item has a manifest");
	name_by_exclusion(s);
	if (s->n_named == 0)
		return several(s, e);
	narrow(s);
	return s->n == 1 ? 0 : several(s, e);
}

int
provenance_read(
	const struct image *image, struct provenance **out, struct err *e)
{
	CLEANUP(search_fini)
	struct search s = {.image = image};
	CLEANUP(own_free)
	char *path = NULL;
	const struct store_item *item;
	struct slice data;
	int status;

	*out = NULL;
	s.candidates = xcalloc(image->n_items, sizeof(*s.candidates));
	s.is_named = xcalloc(image->n_items, sizeof(*s.is_named));
	for (size_t i = 0; i < image->n_items; i++) {
		if (is_profile(image, &image->items[i]))
			s.candidates[s.n++] = i;
	}
	if (choose(&s, e) < 0)
		return e->kind == ERR_ABSENT ? blame_size(image, e) : -1;
	item = &image->items[s.candidates[0]];
	path = xasprintf("%s%s", store, item->name);
	data = manifest_of(image, item)->data;
	status = limits_data(&image->limits, data, e);
	if (status == 0)
		status = provenance_parse(path, data, out, e);
	if (*out) {
		struct slice why = slice_of(s.why);
		CLEANUP(own_free)
		char *clean = text_clean_new(why);

		(*out)->profile_found =
			arena_copy(&(*out)->arena, clean, strlen(clean));
	}
	if (status < 0 && !*out) {
		CLEANUP(own_free)
		char *clean = text_clean_new(slice_of(path));

		return err_wrap(e, "%s/manifest", clean);
	}
	return status;
}
