/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/tree.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/shown.h"

static const char store[] = "gnu/store/";

/* A moment in the making of the tree: layers before order in the tar. */
static uint64_t
moment(const struct tree_entry *all, uint32_t i)
{
	return (uint64_t)all[i].layer << 32 | i;
}

/* The first moment of a layer: what is before it is in lower layers. */
static uint64_t
start_of(uint16_t layer)
{
	return (uint64_t)layer << 32;
}

/* All entries, and their indexes sorted by path and moment. */
struct sorted {
	struct tree_entry *v;
	size_t total;
	uint32_t *at;
	size_t n;
};

static int
by_path_and_moment(const void *a, const void *b, void *arg)
{
	const struct tree_entry *v = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = strcmp(v[x].path, v[y].path);
	uint64_t m = moment(v, x), o = moment(v, y);

	return c ? c : (m > o) - (m < o);
}

/* The index in s->at, from lo to hi, of the first entry whose path is not
 * before path. */
static size_t
first_within(const struct sorted *s, struct slice path, size_t lo, size_t hi)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(slice_of(s->v[s->at[mid]].path), path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static size_t
first_at(const struct sorted *s, struct slice path)
{
	return first_within(s, path, 0, s->n);
}

static bool
is_at(const struct sorted *s, size_t i, struct slice path)
{
	return i < s->n && slice_is(path, s->v[s->at[i]].path);
}

/* What all entries at one path come to. */
struct group {
	size_t end;    /* in s->at */
	bool has_last; /* is there anything, hidden or not? */
	uint32_t last;
	uint64_t hides;       /* the path: whatever was before this moment */
	uint64_t hides_below; /* and what is below it */
};

static struct group
group_at(const struct sorted *s, size_t begin, struct slice path)
{
	struct group g = {.end = begin};

	for (; is_at(s, g.end, path); g.end++) {
		uint32_t i = s->at[g.end];
		uint64_t until;

		switch (s->v[i].type) {
		case TREE_DIR:
			until = 0;
			break;
		case TREE_OPAQUE:
		case TREE_WHITEOUT:
			until = start_of(s->v[i].layer);
			break;
		default:
			until = moment(s->v, i);
			break;
		}
		if (until > g.hides_below)
			g.hides_below = until;
		if (s->v[i].type == TREE_WHITEOUT && until > g.hides)
			g.hides = until;
		if (s->v[i].type < TREE_WHITEOUT) {
			g.last = i;
			g.has_last = true;
		}
	}
	return g;
}

/* A folder above the path that is looked at. */
struct above {
	size_t len;           /* of its path */
	size_t first;         /* in s->at: nothing before is it or below it */
	uint64_t hides_below; /* by it or by those above it */
	bool is_blocked;      /* it is there, and is no folder */
	uint64_t blocked_at;
};

struct walk {
	const struct sorted *s;
	const char *path; /* the one before; "" at first */
	size_t at;        /* in s->at: what is looked at now */
	struct above *v;
	size_t n, cap;
};

static void
push(struct walk *w, const char *path, size_t len)
{
	struct slice prefix = {path, len};
	/* A folder stands before what is below it, and after those above: of
	 * thousands of folders that are not there none is searched for. */
	size_t first = first_within(
		w->s, prefix, w->n ? w->v[w->n - 1].first : 0, w->at);
	struct group g = {.end = first};
	struct above a = {.len = len, .first = first};
	uint64_t over = w->n ? w->v[w->n - 1].hides_below : 0;

	if (first < w->at)
		g = group_at(w->s, first, prefix);
	a.hides_below = g.hides_below;
	if (over > a.hides_below)
		a.hides_below = over;
	if (g.has_last && w->s->v[g.last].type != TREE_DIR) {
		a.blocked_at = moment(w->s->v, g.last);
		a.is_blocked = a.blocked_at >= g.hides && a.blocked_at >= over;
	}
	VEC_GROW(w->v, w->n, w->cap);
	w->v[w->n++] = a;
}

/* Make the stack that of path: the folders above it, from the root. */
static void
walk_to(struct walk *w, const char *path)
{
	size_t same = 0, len;

	while (path[same] != '\0' && path[same] == w->path[same])
		same++;
	/* Keep those that are above both. */
	while (w->n > 0) {
		len = w->v[w->n - 1].len;
		if (len == 0 || (len <= same && path[len] == '/'))
			break;
		w->n--;
	}
	if (w->n == 0 && path[0] != '\0')
		push(w, path, 0);
	if (path[0] == '\0')
		w->n = 0;
	len = w->n ? w->v[w->n - 1].len : 0;
	if (path[0] != '\0')
		for (const char *p = strchr(path + len + (len != 0), '/'); p;
			p = strchr(p + 1, '/'))
			push(w, path, (size_t)(p - path));
	w->path = path;
}

static int
check_above(const struct walk *w, const char *path, struct err *e)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].is_blocked)
			return err_set(e, ERR_INPUT,
				"'%s' is below '%s', which is no folder",
				shown_of(slice_of(path)).text,
				shown_of((struct slice){path, w->v[i].len})
					.text);
	return 0;
}

/*
 * Keep in s->at only what is seen in the end.  An entry is hidden when
 * something above it, or a whiteout of itself, is of a later moment.
 */
static int
keep_seen(struct sorted *s, struct err *e)
{
	struct walk w = {.s = s, .path = ""};
	CLEANUP(own_free)
	uint32_t *seen = xreallocarray(NULL, s->n, sizeof(*seen));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0;) {
		const char *path = s->v[s->at[i]].path;
		struct group g = group_at(s, i, slice_of(path));
		uint64_t until;

		w.at = i;
		i = g.end;
		if (!g.has_last)
			continue;
		walk_to(&w, path);
		until = w.n ? w.v[w.n - 1].hides_below : 0;
		if (until < g.hides)
			until = g.hides;
		if (moment(s->v, g.last) < until)
			continue;
		r = check_above(&w, path, e);
		seen[n++] = g.last;
	}
	free(w.v);
	memcpy(s->at, seen, n * sizeof(*seen));
	s->n = n;
	return r;
}

/* The newest regular entry at path before a moment; NULL when none. */
static struct tree_entry *
newest_before(const struct sorted *s, const char *path, uint64_t when,
	uint32_t *index)
{
	struct slice p = slice_of(path);
	struct tree_entry *found = NULL;

	for (size_t i = first_at(s, p); is_at(s, i, p); i++) {
		uint32_t k = s->at[i];

		if (moment(s->v, k) >= when)
			break;
		if (s->v[k].type == TREE_WHITEOUT && found &&
			found->layer < s->v[k].layer)
			found = NULL;
		if (s->v[k].type < TREE_HARD_LINK) {
			found = &s->v[k];
			*index = k;
		}
	}
	return found;
}

/* Where the contents of links are, while they are found out. */
struct links {
	struct tree_source *v;
	uint32_t n, cap;
	uint32_t *of; /* an entry's in v, if it is a link; NULL until needed */
};

static int
link_one(const struct sorted *s, uint32_t i, struct links *links, struct err *e)
{
	struct tree_entry *link = &s->v[i];
	uint32_t k = 0;
	const struct tree_entry *to =
		newest_before(s, link->link, moment(s->v, i), &k);
	struct tree_source source = {0};

	if (!to || to->type == TREE_DIR)
		return err_set(e, ERR_INPUT,
			"hard link '%s' to '%s', which is %s",
			shown_of(slice_of(link->path)).text,
			shown_of(slice_of(link->link)).text,
			to ? "a folder" : "not there");
	source.source = to->path;
	source.layer = to->layer;
	if (!links->of)
		links->of = xcalloc(s->total, sizeof(*links->of));
	/* A link to a link: it was resolved before. */
	if (to->is_hard_link)
		source = links->v[links->of[k]];
	source.path = link->path;
	source.order = links->n;
	link->type = to->type;
	link->link = to->link;
	link->data = to->data;
	link->sha256 = to->sha256;
	link->size = to->size;
	link->dev_major = to->dev_major;
	link->dev_minor = to->dev_minor;
	if (!link->xattrs)
		link->xattrs = to->xattrs;
	VEC_GROW(links->v, links->n, links->cap);
	links->of[i] = links->n;
	links->v[links->n++] = source;
	return 0;
}

static int
by_source_path(const void *a, const void *b)
{
	const struct tree_source *x = a, *y = b;

	int c = strcmp(x->path, y->path);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* In the order of their making, so that links to links work. */
static int
resolve_links(const struct sorted *s, const struct tree_range *layers,
	size_t n_layers, struct links *links, struct err *e)
{
	for (size_t l = 0; l < n_layers; l++)
		for (size_t i = layers[l].begin; i < layers[l].end; i++)
			if (s->v[i].layer == l &&
				s->v[i].type == TREE_HARD_LINK &&
				link_one(s, (uint32_t)i, links, e) < 0)
				return -1;
	return 0;
}

/* Bring v[at[i]] to v[i], for all i, in place. */
static void
permute(struct tree_entry *v, const uint32_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t from = at[i];
		struct tree_entry swap;

		/* What was there has gone where that one's was taken from. */
		while (from < i)
			from = at[from];
		swap = v[i];
		v[i] = v[from];
		v[from] = swap;
	}
}

int
tree_merge(struct tree_entry *v, size_t n, const struct tree_range *layers,
	size_t n_layers, struct arena *arena, struct tree *out,
	struct tree_source **sources, size_t *n_sources, struct err *e)
{
	CLEANUP(own_free)
	uint32_t *at = xreallocarray(NULL, n, sizeof(*at));
	struct sorted s = {.v = v, .total = n, .at = at};
	struct links links = {0};
	int r;

	/* A range that is there twice is what it is the last time. */
	for (size_t l = 0; l < n_layers; l++)
		for (size_t i = layers[l].begin; i < layers[l].end; i++)
			v[i].layer = (uint16_t)l;
	for (size_t i = 0; i < n; i++)
		if (v[i].layer != TREE_NO_LAYER)
			at[s.n++] = (uint32_t)i;
	qsort_r(at, s.n, sizeof(*at), by_path_and_moment, v);
	r = resolve_links(&s, layers, n_layers, &links, e);
	if (r == 0)
		r = keep_seen(&s, e);
	if (r == 0) {
		permute(v, at, s.n);
		*out = (struct tree){v, s.n};
		if (links.n)
			qsort(links.v, links.n, sizeof(*links.v),
				by_source_path);
		*sources = arena_alloc(arena, links.n * sizeof(*links.v));
		if (links.n)
			memcpy(*sources, links.v, links.n * sizeof(*links.v));
		*n_sources = links.n;
	}
	free(links.of);
	free(links.v);
	return r;
}

const char *
tree_type_name(enum tree_type t)
{
	static const char *const names[] = {
		[TREE_DIR] = "directory",
		[TREE_FILE] = "file",
		[TREE_LINK] = "symbolic link",
		[TREE_CHAR] = "character device",
		[TREE_BLOCK] = "block device",
		[TREE_FIFO] = "fifo",
	};

	return names[t];
}

static size_t
lower(const struct tree *t, struct slice path)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_cmp(slice_of(t->v[mid].path), path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct tree_entry *
find(const struct tree *t, struct slice path)
{
	size_t i = lower(t, path);

	return i < t->n && slice_is(path, t->v[i].path) ? &t->v[i] : NULL;
}

size_t
tree_lower(const struct tree *t, const char *path)
{
	return lower(t, slice_of(path));
}

const struct tree_entry *
tree_find(const struct tree *t, const char *path)
{
	return find(t, slice_of(path));
}

/* Put the target of a link before what is left of the path. */
static void
put_before(struct buf *rest, const char *target)
{
	struct buf both = {0};

	buf_str(&both, target);
	buf_char(&both, '/');
	buf_slice(&both, buf_get(rest));
	buf_fini(rest);
	*rest = both;
}

static void
drop_last(struct buf *path)
{
	while (path->n > 0 && path->p[path->n - 1] != '/')
		path->n--;
	if (path->n > 0)
		path->n--;
}

const struct tree_entry *
tree_resolve(const struct tree *t, const char *path)
{
	CLEANUP(buf_fini)
	struct buf rest = {0};
	CLEANUP(buf_fini)
	struct buf done = {0};
	size_t at = 0, n_links = 0;

	buf_str(&rest, path);
	while (at < rest.n) {
		const char *slash = memchr(rest.p + at, '/', rest.n - at);
		size_t end = slash ? (size_t)(slash - rest.p) : rest.n;
		struct slice part = {rest.p + at, end - at};
		const struct tree_entry *entry;

		at = end + (slash != NULL);
		if (part.n == 0 || slice_is(part, "."))
			continue;
		if (slice_is(part, "..")) {
			drop_last(&done);
			continue;
		}
		if (done.n + 1 + part.n > PATH_MAX_BYTES)
			return NULL;
		if (done.n > 0)
			buf_char(&done, '/');
		buf_slice(&done, part);
		entry = find(t, buf_get(&done));
		if (!entry || entry->type == TREE_DIR)
			continue;
		if (entry->type != TREE_LINK) {
			/* A file has nothing below it. */
			return at < rest.n ? NULL : entry;
		}
		if (++n_links > TREE_LINKS_MAX)
			return NULL;
		if (entry->link[0] == '/')
			done.n = 0;
		else
			drop_last(&done);
		memmove(rest.p, rest.p + at, rest.n - at);
		rest.n -= at;
		at = 0;
		put_before(&rest, entry->link);
		if (rest.n > 2 * PATH_MAX_BYTES)
			return NULL;
	}
	return find(t, buf_get(&done));
}

static int
by_name(const void *a, const void *b)
{
	const struct store_item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The digest of one entry of an item, as image.h has it. */
static void
digest_entry(struct digest_sum *sum, const struct tree_entry *x, size_t skip)
{
	const char *link = x->link ? x->link : "";
	unsigned char fixed[1 + 4 + 8];

	fixed[0] = x->type;
	for (size_t i = 0; i < 4; i++)
		fixed[1 + i] = (unsigned char)(x->mode >> 8 * i);
	for (size_t i = 0; i < 8; i++)
		fixed[5 + i] = (unsigned char)(x->size >> 8 * i);
	digest_add(sum, x->path + skip, strlen(x->path + skip) + 1);
	digest_add(sum, link, strlen(link) + 1);
	digest_add(sum, fixed, sizeof(fixed));
	digest_add(sum, x->sha256.b, sizeof(x->sha256.b));
}

/*
 * What is at and below the item.  Another item may stand between the two,
 * as "a-b" does between "a" and "a/x".
 */
static void
set_item(const struct tree *t, struct store_item *item, struct digest_sum *sum)
{
	CLEANUP(buf_fini)
	struct buf path = {0};
	size_t own, from, skip;

	buf_printf(&path, "%s%s", store, item->name);
	skip = path.n;
	own = lower(t, buf_get(&path));
	buf_char(&path, '/');
	from = lower(t, buf_get(&path));
	path.p[path.n - 1] = '/' + 1;
	item->end = lower(t, buf_get(&path));
	path.n--;
	item->begin = from;
	if (own < t->n && slice_is(buf_get(&path), t->v[own].path)) {
		item->begin = own;
		if (item->end == from)
			item->end = own + 1;
		digest_entry(sum, &t->v[own], skip);
		item->bytes += t->v[own].size;
	}
	for (size_t i = from; i < item->end; i++) {
		digest_entry(sum, &t->v[i], skip);
		item->bytes += t->v[i].size;
	}
	item->digest = digest_end(sum);
}

struct store_item *
tree_items(const struct tree *t, struct arena *arena, size_t *n)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	CLEANUP(own_free)
	struct store_item *found = NULL;
	struct store_item *items;
	size_t n_found = 0, cap = 0;
	struct slice last = {0};

	for (size_t i = tree_lower(t, store); i < t->n; i++) {
		struct slice name = slice_of(t->v[i].path);
		const char *slash;

		if (!slice_starts(name, store))
			break;
		name.p += sizeof(store) - 1;
		name.n -= sizeof(store) - 1;
		slash = memchr(name.p, '/', name.n);
		if (slash)
			name.n = (size_t)(slash - name.p);
		if (slice_eq(name, last))
			continue;
		last = name;
		VEC_GROW(found, n_found, cap);
		found[n_found++] = (struct store_item){
			.name = arena_copy(arena, name.p, name.n)};
	}
	if (n_found)
		qsort(found, n_found, sizeof(*found), by_name);
	items = arena_alloc(arena, n_found * sizeof(*items));
	*n = 0;
	for (size_t i = 0; i < n_found; i++) {
		if (*n > 0 && strcmp(items[*n - 1].name, found[i].name) == 0)
			continue;
		items[*n] = found[i];
		set_item(t, &items[(*n)++], sum);
	}
	return items;
}
