/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/walk.h"

#include <inttypes.h>

#include "base/text.h"
#include "compare/flat.h"

enum {
	WALK_TEXT_MAX = 160
}; /* bytes of a link target or owner's name that
			       * a detail shows */

struct walk {
	const struct tree *a, *b; /* the image's, the rebuild's */
	struct findings *f;
	uint64_t *allowed;
	const struct walk_mode *mode;
	struct derived *derived;
	bool is_owner_told; /* at the root, once for all */
	struct buf detail;
};

static void
add(struct walk *w, enum finding kind, const char *path)
{
	findings_add(w->f, kind, path, &w->detail);
	buf_clear(&w->detail);
}

/* Text of an image in quotes, cleaned and cut. */
static void
quote(struct buf *out, const char *s)
{
	struct slice shown = slice_of(s ? s : "");
	bool is_cut = shown.n > WALK_TEXT_MAX;

	if (is_cut)
		shown.n = WALK_TEXT_MAX;
	buf_char(out, '"');
	text_clean(out, shown, TEXT_ONE_LINE);
	buf_str(out, is_cut ? "…\"" : "\"");
}

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void
mtime(struct buf *out, const struct tree_entry *t)
{
	buf_printf(out, "%" PRId64, t->mtime);
	if (t->mtime_ns)
		buf_printf(out, ".%09" PRIu32, t->mtime_ns);
}

static void
owner(struct buf *out, const struct tree_entry *t)
{
	buf_printf(out, "%" PRIu32 ":%" PRIu32 " (", t->uid, t->gid);
	quote(out, t->uname);
	buf_char(out, ':');
	quote(out, t->gname);
	buf_char(out, ')');
}

static bool
is_added_later(const struct walk *w, const struct tree_entry *a)
{
	return w->mode->base_layers > 0 && a->layer >= w->mode->base_layers;
}

/*
 * Numbers alone, where one side has no names, as those who write layers anew
 * leave them out; they are what a kernel knows.
 */
static bool
is_same_owner(
	struct walk *w, const struct tree_entry *a, const struct tree_entry *b)
{
	bool is_named =
		is_same(a->uname, b->uname) && is_same(a->gname, b->gname);
	bool is_bare = (is_same(a->uname, "") && is_same(a->gname, "")) ||
		(is_same(b->uname, "") && is_same(b->gname, ""));

	if (w->is_owner_told)
		return true;
	if (a->uid != b->uid || a->gid != b->gid)
		return false;
	if (is_named || !is_bare ||
		(!w->mode->is_flat && !is_added_later(w, a)))
		return is_named;
	w->allowed[ALLOWANCE_OWNER_NAMES]++;
	return true;
}

/*
 * Of a folder around the store's items, whose time is that of the last thing
 * that came into it: a runtime's file, or what tar unpacked there later.
 */
static bool
is_allowed_mtime(struct walk *w, const struct tree_entry *a)
{
	bool is = w->mode->is_flat && a->type == TREE_DIR &&
		!findings_item(a->path).p;

	w->allowed[ALLOWANCE_FOLDER_TIMES] += is;
	return is;
}

/* Of a symbolic link, which means nothing. */
static bool
is_allowed_mode(struct walk *w, const struct tree_entry *a)
{
	bool is = w->mode->is_flat && a->type == TREE_LINK;

	w->allowed[ALLOWANCE_LINK_MODES] += is;
	return is;
}

static void
compare_metadata(
	struct walk *w, const struct tree_entry *a, const struct tree_entry *b)
{
	struct buf *d = &w->detail;

	if (a->mode != b->mode && !is_allowed_mode(w, a)) {
		buf_printf(d, "mode %04" PRIo32 ", rebuilt %04" PRIo32, a->mode,
			b->mode);
		add(w, FINDING_MODE, a->path);
	}
	if (!is_same_owner(w, a, b)) {
		buf_str(d, "owner ");
		owner(d, a);
		buf_str(d, ", rebuilt ");
		owner(d, b);
		add(w, FINDING_OWNER, a->path);
	}
	if ((a->mtime != b->mtime || a->mtime_ns != b->mtime_ns) &&
		!is_allowed_mtime(w, a)) {
		buf_str(d, "mtime ");
		mtime(d, a);
		buf_str(d, ", rebuilt ");
		mtime(d, b);
		add(w, FINDING_MTIME, a->path);
	}
	if (!is_same(a->xattrs, b->xattrs)) {
		buf_str(d, "xattrs ");
		quote(d, a->xattrs);
		buf_str(d, ", rebuilt ");
		quote(d, b->xattrs);
		add(w, FINDING_XATTRS, a->path);
	}
}

static void
compare_file(
	struct walk *w, const struct tree_entry *a, const struct tree_entry *b)
{
	if (a->size != b->size) {
		buf_printf(&w->detail,
			"%" PRIu64 " bytes, rebuilt %" PRIu64 " bytes", a->size,
			b->size);
		add(w, FINDING_SIZE, a->path);
	} else if (!digest_eq(&a->sha256, &b->sha256)) {
		buf_printf(&w->detail,
			"%" PRIu64 " bytes each, not the same bytes", a->size);
		add(w, FINDING_CONTENTS, a->path);
	} else if (a->is_hard_link != b->is_hard_link) {
		w->allowed[ALLOWANCE_HARD_LINK]++;
	}
}

static void
compare_entries(
	struct walk *w, const struct tree_entry *a, const struct tree_entry *b)
{
	struct buf *d = &w->detail;

	if (a->layer != b->layer && !w->mode->is_flat)
		w->allowed[ALLOWANCE_LAYER_SPLIT]++;
	if (a->type != b->type) {
		buf_printf(d, "%s, rebuilt %s", tree_type_name(a->type),
			tree_type_name(b->type));
		add(w, FINDING_TYPE, a->path);
		return;
	}
	compare_metadata(w, a, b);
	if (a->type == TREE_FILE)
		compare_file(w, a, b);
	if (a->type == TREE_LINK && !is_same(a->link, b->link)) {
		buf_str(d, "link to ");
		quote(d, a->link);
		buf_str(d, ", rebuilt to ");
		quote(d, b->link);
		add(w, FINDING_LINK, a->path);
	}
	if ((a->type == TREE_CHAR || a->type == TREE_BLOCK) &&
		(a->dev_major != b->dev_major ||
			a->dev_minor != b->dev_minor)) {
		buf_printf(d,
			"device %" PRIu32 ":%" PRIu32 ", rebuilt %" PRIu32
			":%" PRIu32,
			a->dev_major, a->dev_minor, b->dev_major, b->dev_minor);
		add(w, FINDING_DEVICE, a->path);
	}
}

static void
compare_both(
	struct walk *w, const struct tree_entry *a, const struct tree_entry *b)
{
	uint64_t before = w->f->out->total;

	compare_entries(w, a, b);
	if (w->f->out->total == before)
		return;
	if (is_added_later(w, a))
		w->derived->changed++;
	else
		w->derived->other++;
}

/*
 * The entries below "gnu/store/ITEM/" in t, as an index range.  The item's own
 * entry is before them and not always next to them: "ITEM-1" and what is below
 * it sort in between, as "-" is less than "/".
 */
static void
below(struct walk *w, const struct tree *t, const char *path, struct slice item,
	size_t *begin, size_t *end)
{
	size_t n = (size_t)(item.p - path) + item.n;
	struct buf *key = &w->detail; /* free between two findings */

	buf_clear(key);
	buf_add(key, path, n);
	buf_char(key, '/');
	*begin = tree_lower(t, buf_text(key));
	key->p[n] = '/' + 1;
	*end = tree_lower(t, buf_text(key));
	buf_clear(key);
}

static bool
has_entry(struct walk *w, const struct tree *t, const char *path,
	struct slice item)
{
	struct buf *key = &w->detail;
	bool is_there;

	buf_clear(key);
	buf_add(key, path, (size_t)(item.p - path) + item.n);
	is_there = tree_find(t, buf_text(key));
	buf_clear(key);
	return is_there;
}

/* Is there anything below the folder path? */
static bool
has_below(struct walk *w, const struct tree *t, const char *path)
{
	struct buf *key = &w->detail; /* free between two findings */
	size_t at;
	bool has;

	if (path[0] == '\0')
		return t->n > 0;
	buf_clear(key);
	buf_str(key, path);
	buf_char(key, '/');
	at = tree_lower(t, buf_text(key));
	has = at < t->n && slice_starts(slice_of(t->v[at].path), buf_text(key));
	buf_clear(key);
	return has;
}

/* May it be there only because a file system has it? */
static bool
is_allowed(struct walk *w, const struct tree_entry *t, const struct tree *other)
{
	if (!w->mode->is_flat)
		return false;
	if (t->type == TREE_DIR && has_below(w, other, t->path)) {
		w->allowed[ALLOWANCE_PARENTS]++;
		return true;
	}
	if (!flat_is_runtime(t))
		return false;
	w->allowed[ALLOWANCE_RUNTIME]++;
	return true;
}

static void
count_only_one(struct walk *w, const struct tree_entry *t, bool is_rebuilt)
{
	if (is_rebuilt)
		w->derived->removed++;
	else if (is_added_later(w, t))
		w->derived->added++;
	else
		w->derived->other++;
}

/* An entry of mine that the other tree has not. */
static void
only_one(struct walk *w, const struct tree *mine, size_t i,
	const struct tree *other, bool is_rebuilt)
{
	const struct tree_entry *t = &mine->v[i];
	struct slice item = findings_item(t->path);
	size_t begin, end;

	if (is_allowed(w, t, other))
		return;
	count_only_one(w, t, is_rebuilt);
	if (item.p) {
		bool is_item = item.p[item.n] == '\0';

		below(w, other, t->path, item, &begin, &end);
		if (begin == end && !has_entry(w, other, t->path, item)) {
			/* One for the item: at its own entry, or at the first
			 * one below where it has none. */
			below(w, mine, t->path, item, &begin, &end);
			if (!is_item &&
				(i != begin ||
					has_entry(w, mine, t->path, item)))
				return;
			buf_printf(&w->detail, "%s, %zu path%s below it",
				is_item ? tree_type_name(t->type) : "directory",
				end - begin, end - begin == 1 ? "" : "s");
			add(w,
				is_rebuilt ? FINDING_ITEM_EXTRA
					   : FINDING_ITEM_MISSING,
				t->path);
			return;
		}
	}
	buf_str(&w->detail, tree_type_name(t->type));
	if (t->type == TREE_FILE)
		buf_printf(&w->detail, " of %" PRIu64 " byte%s", t->size,
			t->size == 1 ? "" : "s");
	if (t->type == TREE_LINK) {
		buf_str(&w->detail, " to ");
		quote(&w->detail, t->link);
	}
	add(w, is_rebuilt ? FINDING_ONLY_REBUILD : FINDING_ONLY_IMAGE, t->path);
}

/* Every path has another owner, and for one reason: said once. */
static void
tell_owner(struct walk *w)
{
	struct buf *d = &w->detail;
	uint32_t uid, gid;
	bool is_rebuilt = false;

	if (!w->mode->is_flat)
		return;
	if (!flat_has_one_owner(w->a, w->b, &uid, &gid)) {
		is_rebuilt = true;
		if (!flat_has_one_owner(w->b, w->a, &uid, &gid))
			return;
	}
	w->is_owner_told = true;
	buf_printf(d,
		"everything in the %s belongs to %" PRIu32 ":%" PRIu32
		": it was unpacked without root, who alone can give files "
		"away; compare the tar that it was unpacked from, or unpack "
		"it as root (tar -xp --numeric-owner)",
		is_rebuilt ? "rebuild" : "image", uid, gid);
	add(w, FINDING_OWNER, "");
}

void
walk_trees(const struct tree *image, const struct tree *rebuilt,
	const struct walk_mode *mode, struct findings *f,
	uint64_t allowed[ALLOWANCE_COUNT], struct derived *derived)
{
	struct walk w = {.a = image,
		.b = rebuilt,
		.f = f,
		.allowed = allowed,
		.mode = mode,
		.derived = derived};
	size_t i = 0, k = 0;

	tell_owner(&w);
	while (i < image->n || k < rebuilt->n) {
		int c = i == image->n ? 1
			: k == rebuilt->n
			? -1
			: strcmp(image->v[i].path, rebuilt->v[k].path);

		if (c == 0)
			compare_both(&w, &image->v[i++], &rebuilt->v[k++]);
		else if (c < 0)
			only_one(&w, image, i++, rebuilt, false);
		else
			only_one(&w, rebuilt, k++, image, true);
	}
	buf_fini(&w.detail);
}
