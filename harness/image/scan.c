/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/scan.h"

#include <elf.h>
#include <string.h>

#include "base/attr.h"
#include "base/path.h"
#include "image/shown.h"
#include "image/tar.h"
#include "image/tree.h"

enum {
	INTERN_MAX = 64,     /* names looked through; the others are copied */
	OWNER_NAME_MAX = 256 /* bytes, as LOGIN_NAME_MAX */
};

static const char *
intern(struct scan *s, struct slice name)
{
	for (size_t i = s->n_names; i-- > 0;)
		if (slice_is(name, s->names[i]))
			return s->names[i];
	if (s->n_names == INTERN_MAX)
		return arena_copy(s->arena, name.p, name.n);
	VEC_GROW(s->names, s->n_names, s->cap_names);
	s->names[s->n_names] = arena_copy(s->arena, name.p, name.n);
	return s->names[s->n_names++];
}

static bool
has_nul(struct slice s)
{
	return s.n != 0 && memchr(s.p, '\0', s.n) != NULL;
}

/* gnu/store/ITEM/manifest: what a profile has. */
static bool
is_manifest(struct slice path)
{
	static const char before[] = "gnu/store/", after[] = "/manifest";
	const char *item = path.p + sizeof(before) - 1;
	size_t n;

	if (!slice_starts(path, before) || !slice_ends(path, after) ||
		path.n < sizeof(before) - 1 + sizeof(after))
		return false;
	n = path.n - (sizeof(before) - 1) - (sizeof(after) - 1);
	return !memchr(item, '/', n);
}

/* Count a file of the store that begins with these bytes. */
static void
count_machine(struct scan *s, const unsigned char *head, size_t n)
{
	enum {
		CODE_AT = 18 /* e_machine, in both classes */
	};
	struct machine m;
	bool is_big = n > EI_DATA && head[EI_DATA] == ELFDATA2MSB;

	if (n < CODE_AT + 2 || memcmp(head, ELFMAG, SELFMAG) != 0)
		return;
	m = (struct machine){
		.code = (uint16_t)(head[CODE_AT + is_big] |
			head[CODE_AT + !is_big] << 8),
		.is_64 = head[EI_CLASS] == ELFCLASS64,
		.is_big_endian = is_big,
	};
	for (size_t i = 0; i < s->n_machines; i++) {
		const struct machine *x = &s->machines[i].machine;

		if (x->code == m.code && x->is_64 == m.is_64 &&
			x->is_big_endian == is_big) {
			s->machines[i].files++;
			return;
		}
	}
	if (s->n_machines < ARRAY_LEN(s->machines))
		s->machines[s->n_machines++] = (struct scan_machine){m, 1};
}

struct machine
scan_machine(const struct scan *s)
{
	const struct scan_machine *most = NULL;

	for (size_t i = 0; i < s->n_machines; i++)
		if (!most || s->machines[i].files > most->files)
			most = &s->machines[i];
	return most ? most->machine : (struct machine){0};
}

int
scan_contents(struct scan *s, struct tree_entry *entry,
	struct layer_source from, struct err *e)
{
	struct slice part;
	bool is_kept = is_manifest(slice_of(entry->path)) &&
		entry->size <= s->limits->kept_bytes;
	bool is_first = slice_starts(slice_of(entry->path), "gnu/store/");
	int r;

	if (is_kept) {
		s->kept += entry->size;
		if (s->kept > s->limits->kept_total)
			return limits_refuse(s->limits, LIMIT_kept_total, e,
				"more bytes of manifests than are kept");
		buf_clear(&s->data);
	}
	while ((r = layer_pull(from, &part, e)) > 0) {
		if (!s->limits->is_provenance_only)
			digest_add(s->sum, part.p, part.n);
		if (is_first)
			count_machine(s, (const unsigned char *)part.p, part.n);
		is_first = false;
		if (is_kept)
			buf_slice(&s->data, part);
		else if (s->limits->is_provenance_only)
			return 0;
	}
	if (r < 0)
		return -1;
	if (!s->limits->is_provenance_only)
		entry->sha256 = digest_end(s->sum);
	if (is_kept)
		entry->data = (struct slice){
			arena_copy(s->arena, s->data.p, s->data.n), s->data.n};
	return 0;
}

/*
 * Whiteouts are regular files by their names alone.  Replaces the path by the
 * one that is meant.
 */
static int
whiteout(struct buf *path, uint8_t *type, struct err *e)
{
	static const char mark[] = ".wh.", opaque[] = ".wh..wh..opq";
	const char *slash = memrchr(path->p, '/', path->n);
	size_t at = slash ? (size_t)(slash - path->p) + 1 : 0;
	struct slice name = {path->p + at, path->n - at};

	if (!slice_starts(name, mark))
		return 0;
	if (slice_is(name, opaque)) {
		path->n = at ? at - 1 : 0;
		*type = TREE_OPAQUE;
		return 0;
	}
	/* AUFS's own files would be such: layer.md has no meaning for them. */
	if (slice_starts(name, ".wh..wh."))
		return err_set(e, ERR_INPUT, "a whiteout of a whiteout");
	if (name.n == sizeof(mark) - 1 || slice_is(name, ".wh..") ||
		slice_is(name, ".wh..."))
		return err_set(e, ERR_INPUT, "a whiteout of nothing");
	memmove(path->p + at, path->p + at + sizeof(mark) - 1,
		name.n - (sizeof(mark) - 1));
	path->n -= sizeof(mark) - 1;
	*type = TREE_WHITEOUT;
	return 0;
}

static uint8_t
entry_type(enum tar_type t)
{
	switch (t) {
	case TAR_HARD_LINK:
		return TREE_HARD_LINK;
	case TAR_LINK:
		return TREE_LINK;
	case TAR_CHAR:
		return TREE_CHAR;
	case TAR_BLOCK:
		return TREE_BLOCK;
	case TAR_DIR:
		return TREE_DIR;
	case TAR_FIFO:
		return TREE_FIFO;
	case TAR_FILE:
	default:
		return TREE_FILE;
	}
}

/* The names of m as the tree has them, in s->path and s->link. */
static int
set_paths(struct scan *s, const struct tar_member *m, uint8_t *type,
	struct err *e)
{
	buf_clear(&s->path);
	buf_clear(&s->link);
	*type = entry_type(m->type);
	if (!path_normalise(&s->path, m->path))
		return err_set(e, ERR_INPUT, "a name that leaves the tree");
	if (m->uname.n > OWNER_NAME_MAX || m->gname.n > OWNER_NAME_MAX ||
		has_nul(m->uname) || has_nul(m->gname))
		return err_set(e, ERR_INPUT, "bad name of its owner");
	if (m->path.n == 0)
		return err_set(e, ERR_INPUT, "no name");
	if (s->path.n != 0 && !s->is_plain && whiteout(&s->path, type, e) < 0)
		return -1;
	if (*type >= TREE_WHITEOUT ||
		(*type != TREE_LINK && *type != TREE_HARD_LINK))
		return 0;
	if (m->link.n == 0 || has_nul(m->link))
		return err_set(e, ERR_INPUT, "bad target of a link");
	if (*type == TREE_LINK)
		buf_slice(&s->link, m->link);
	else if (!path_normalise(&s->link, m->link))
		return err_set(e, ERR_INPUT,
			"hard link to '%s', which leaves the tree",
			shown_of(m->link).text);
	return 0;
}

/* Before anything is allocated for one more member. */
static int
check_limits(const struct scan *s, const struct tar_member *m, struct err *e)
{
	const struct image_limits *l = s->limits;
	uint64_t names =
		s->arena->total - s->kept + m->path.n + m->link.n + m->xattrs.n;
	uint64_t memory = names + (s->n + 1) * sizeof(*s->v);

	if (s->n == l->entries)
		return limits_refuse(
			l, LIMIT_entries, e, "more entries than that");
	if (m->path.n > l->path_bytes || m->link.n > l->path_bytes)
		return limits_refuse(l, LIMIT_path_bytes, e,
			"a path of %zu bytes",
			m->path.n > l->path_bytes ? m->path.n : m->link.n);
	if (names > l->names)
		return limits_refuse(
			l, LIMIT_names, e, "names that take more bytes");
	return limits_density(l, memory, s->budget.packed, e);
}

int
scan_member(struct scan *s, const struct tar_member *m,
	const struct layer_source *contents, struct err *e)
{
	struct tree_entry entry = {
		.layer = TREE_NO_LAYER, .seq = (uint32_t)s->n};

	if (check_limits(s, m, e) < 0 || set_paths(s, m, &entry.type, e) < 0)
		return -1;
	entry.path = arena_copy(s->arena, s->path.p, s->path.n);
	if (s->link.n)
		entry.link = arena_copy(s->arena, s->link.p, s->link.n);
	else if (entry.type == TREE_HARD_LINK)
		entry.link = "";
	if (m->xattrs.n)
		entry.xattrs = arena_copy(s->arena, m->xattrs.p, m->xattrs.n);
	entry.uname = intern(s, m->uname);
	entry.gname = intern(s, m->gname);
	entry.mtime = m->mtime;
	entry.mtime_ns = m->mtime_ns;
	entry.mode = m->mode;
	entry.uid = m->uid;
	entry.gid = m->gid;
	entry.dev_major = m->dev_major;
	entry.dev_minor = m->dev_minor;
	entry.size = m->size;
	entry.is_hard_link = entry.type == TREE_HARD_LINK;
	/* a name and its NUL */
	digest_add(s->order, entry.path, s->path.n + 1);
	if (entry.type == TREE_FILE && contents &&
		scan_contents(s, &entry, *contents, e) < 0)
		return -1;
	VEC_GROW(s->v, s->n, s->cap);
	s->v[s->n++] = entry;
	return 0;
}

static int
read_tar(struct scan *s, struct tar *tar, struct layer *out, struct err *e)
{
	const struct tar_member *m;
	int r;

	while ((r = tar_next(tar, &m, e)) > 0) {
		struct layer_source contents = tar_contents(tar);

		out->entries++;
		if (scan_member(s, m, &contents, e) < 0)
			return err_wrap(e, "'%s'", shown_of(m->path).text);
		if (s->is_last && s->is_last(s->arg, &s->v[s->n - 1])) {
			s->is_stopped = true;
			return 0;
		}
	}
	return r < 0 ? -1 : tar_finish(tar, s->is_plain, e);
}

void
scan_begin(struct scan *s)
{
	if (!s->sum) {
		s->sum = digest_new();
		s->order = digest_new();
	}
	(void)digest_end(s->sum);
	(void)digest_end(s->order);
}

struct digest
scan_order(struct scan *s)
{
	return digest_end(s->order);
}

int
scan_layer(struct scan *s, struct layer_stream *from, struct layer *out,
	struct err *e)
{
	CLEANUP(own_tar)
	struct tar *tar = tar_new(layer_source(from), &s->budget);
	size_t before = s->n;

	scan_begin(s);
	out->entries = 0;
	if (read_tar(s, tar, out, e) < 0) {
		s->n = before;
		layer_stop(from);
		return -1;
	}
	out->compression = layer_compression(from);
	if (s->is_stopped) {
		layer_stop(from);
		return 0;
	}
	out->size = layer_size(from);
	out->diff_id = layer_digest(from);
	out->order = scan_order(s);
	return 0;
}

void
scan_fini(struct scan *s)
{
	free(s->v);
	free(s->names);
	digest_free(s->sum);
	digest_free(s->order);
	buf_fini(&s->path);
	buf_fini(&s->link);
	buf_fini(&s->data);
	*s = (struct scan){0};
}
