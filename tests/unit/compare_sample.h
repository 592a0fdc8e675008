/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_TESTS_UNIT_COMPARE_SAMPLE_H
#define UB_TESTS_UNIT_COMPARE_SAMPLE_H

#include <stdlib.h>

#include "base/buf.h"
#include "compare/compare.h"

/*
 * Images without a file: a small one as Guix packs it, to be changed at will.
 */
enum {
	SAMPLE_ENTRIES = 32,
	SAMPLE_LAYERS = 4,
	SAMPLE_MEMBERS = 16
};

struct sample {
	struct image image;
	struct tree_entry v[SAMPLE_ENTRIES];
	struct layer layers[SAMPLE_LAYERS];
	struct member members[SAMPLE_MEMBERS];
	const char *tags[4];
};

#define HELLO "gnu/store/1111-hello-1.0"
#define PROFILE "gnu/store/2222-profile"

static inline struct digest
sample_digest(const char *s)
{
	return digest_of(s, strlen(s));
}

static inline int
sample_by_path(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static inline struct tree_entry *
sample_add(struct sample *s, enum tree_type type, const char *path)
{
	struct tree_entry *t = &s->v[s->image.tree.n++];

	*t = (struct tree_entry){
		.path = path,
		.uname = "root",
		.gname = "root",
		.mtime = 1,
		.mode = 0555,
		.type = (uint8_t)type,
	};
	return t;
}

static inline void
sample_file(struct sample *s, const char *path, const char *contents)
{
	struct tree_entry *t = sample_add(s, TREE_FILE, path);

	t->sha256 = sample_digest(contents);
	t->size = strlen(contents);
}

static inline void
sample_link(struct sample *s, const char *path, const char *target)
{
	struct tree_entry *t = sample_add(s, TREE_LINK, path);

	t->link = target;
	t->mode = 0777;
}

/* The entry of a path; it is there, or the test is wrong. */
static inline struct tree_entry *
sample_at(struct sample *s, const char *path)
{
	for (size_t i = 0; i < s->image.tree.n; i++)
		if (strcmp(s->v[i].path, path) == 0)
			return &s->v[i];
	abort();
}

static inline void
sample_remove(struct sample *s, const char *path)
{
	struct tree_entry *t = sample_at(s, path);

	*t = s->v[--s->image.tree.n];
}

static inline void
sample_member(struct sample *s, const char *name, const char *contents)
{
	s->members[s->image.n_members++] = (struct member){
		.name = name,
		.size = strlen(contents),
		.sha256 = sample_digest(contents),
		.is_layer = strstr(name, "layer.tar") != NULL,
		.is_config = strcmp(name, "config.json") == 0,
		.is_manifest = strcmp(name, "manifest.json") == 0,
	};
}

/* file stands for the bytes of the whole file: equal where it is equal. */
static inline void
sample_init(struct sample *s, const char *file)
{
	*s = (struct sample){0};
	s->image.format = "docker-archive";
	s->image.sha256 = sample_digest(file);
	s->image.compression = COMPRESSION_GZIP;
	s->image.config = slice_of("{}");
	s->image.layers = s->layers;
	s->image.n_layers = 1;
	s->layers[0].diff_id = sample_digest("layer");
	s->layers[0].order = sample_digest("order");
	s->image.members = s->members;
	sample_member(s, "x/VERSION", "1.0");
	sample_member(s, "x/json", "{}");
	sample_member(s, "x/layer.tar", "layer");
	sample_member(s, "config.json", "{}");
	sample_member(s, "manifest.json", "[]");
	sample_member(s, "repositories", "{}");
	s->image.repo_tags = s->tags;
	s->image.n_repo_tags = 1;
	s->tags[0] = "hello:latest";

	s->image.tree.v = s->v;
	sample_add(s, TREE_DIR, "");
	sample_link(s, "bin", "/" PROFILE "/bin");
	sample_add(s, TREE_CHAR, "dev/null")->dev_minor = 3;
	sample_file(s, "etc/motd", "hi");
	sample_add(s, TREE_DIR, "gnu");
	sample_add(s, TREE_DIR, "gnu/store");
	sample_add(s, TREE_DIR, HELLO);
	sample_file(s, HELLO "/hello", "hello, world");
	sample_file(s, HELLO "/other", "hello, world");
	sample_add(s, TREE_DIR, PROFILE);
	sample_link(s, PROFILE "/bin", "/" HELLO);
}

/* Put the tree in order after changes. */
static inline const struct image *
sample_done(struct sample *s)
{
	qsort(s->v, s->image.tree.n, sizeof(s->v[0]), sample_by_path);
	return &s->image;
}

/* One line a difference: "PATH KIND DETAIL {PACKAGE}\n". */
static inline void
sample_lines(const struct comparison *c, struct buf *out)
{
	for (size_t i = 0; i < c->n_differences; i++) {
		const struct difference *d = &c->differences[i];

		buf_printf(out, "%s %s %s", d->path, d->kind, d->detail);
		if (d->package)
			buf_printf(out, " {%s}", d->package);
		buf_char(out, '\n');
	}
}

/* "WHAT COUNT\n" each. */
static inline void
sample_forgiven(const struct comparison *c, struct buf *out)
{
	for (size_t i = 0; i < c->n_forgiven; i++)
		buf_printf(out, "%s %d\n", c->forgiven[i].what,
			(int)c->forgiven[i].count);
}

#endif
