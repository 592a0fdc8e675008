/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/load.h"
#include "store/record.h"

int
load_image_source(struct load *l)
{
	struct slice path = spool_word(&l->sp, l->sp.doc, "path");

	l->image_path = xmemdup0(path.p, path.n);
	return 0;
}

/* A path or link target: its text, and its bytes where they are others. */
struct exact {
	struct slice text, raw;
};

static struct exact
exact(struct load *l, const char *key, const char *key_hex)
{
	CLEANUP(own_free)
	char *shown = NULL;
	struct exact x = {.raw = spool_hex_opt(
				  &l->sp, l->sp.doc, key_hex, RECORD_PATH_MAX)};

	if (!x.raw.p) {
		x.text = spool_word_opt(&l->sp, l->sp.doc, key);
		return x;
	}
	shown = text_clean_new(x.raw);
	x.text.n = strlen(shown);
	x.text.p = arena_copy(&l->sp.texts, shown, x.text.n);
	return x;
}

/* What files within and outside of items have in common. */
struct entry {
	struct exact path, link;
	struct slice type;
	int64_t mode;
	struct db_value size, sha256;
	struct digest digest;
};

static void
read_entry(struct load *l, struct entry *t)
{
	struct spool *sp = &l->sp;

	*t = (struct entry){
		.path = exact(l, "path", "path_hex"),
		.link = exact(l, "link", "link_hex"),
		.type = spool_word(sp, sp->doc, "type"),
		.mode = spool_int(sp, sp->doc, "mode", 0, 07777),
	};
	if (!t->path.text.p)
		(void)!spool_bad(sp, "has no \"path\"");
	if (t->type.n != 1 || !strchr("dflcbp", t->type.p[0]))
		(void)!spool_bad(sp, "\"type\" is none of d f l c b p");
	else if (t->type.p[0] == 'l' && !t->link.text.p)
		(void)!spool_bad(sp, "has no \"link\"");
	else if (t->type.p[0] == 'f') {
		t->size = db_int(spool_int(sp, sp->doc, "size", 0, INT64_MAX));
		t->digest = spool_digest(sp, sp->doc, "sha256");
		t->sha256 = db_digest(&t->digest);
	}
}

static int
load_item(struct load *l, int64_t seq, int64_t *left)
{
	struct spool *sp = &l->sp;
	struct slice name = spool_word(sp, sp->doc, "name");
	struct digest digest = spool_digest(sp, sp->doc, "digest"), sum;
	int64_t bytes = spool_int(sp, sp->doc, "bytes", 0, INT64_MAX);
	int64_t files = spool_int(sp, sp->doc, "files", 0, *left);
	int64_t id = 0;
	int found = load_known(l, STMT_ITEM_FIND, files, &sum, &id);

	if (found < 0)
		return -1;
	if (found == 0 &&
		LOAD_ADD(l, ITEM_ADD, &id, db_digest(&sum), db_slice(name),
			db_digest(&digest), db_int(bytes), db_int(files)) < 0)
		return -1;
	for (int64_t i = 0; found == 0 && i < files; i++) {
		struct entry t;

		if (load_expect(l, "file") < 0)
			return -1;
		read_entry(l, &t);
		if (LOAD_ADD(l, ITEM_FILE_ADD, NULL, db_int(id), db_int(i),
			    db_slice(t.path.text), db_blob(t.path.raw),
			    db_slice(t.type), db_int(t.mode), t.size, t.sha256,
			    db_slice(t.link.text), db_blob(t.link.raw)) < 0)
			return -1;
	}
	*left -= files;
	return LOAD_ADD(l, IMAGE_ITEM_ADD, NULL, db_int(l->image), db_int(seq),
		db_int(id));
}

static int
load_path(struct load *l, int64_t seq)
{
	struct spool *sp = &l->sp;
	CLEANUP(own_free)
	char *device = NULL;
	struct entry t;

	read_entry(l, &t);
	if (t.type.n == 1 && (t.type.p[0] == 'c' || t.type.p[0] == 'b'))
		device = xasprintf("%" PRId64 ":%" PRId64,
			spool_int(sp, sp->doc, "major", 0, UINT32_MAX),
			spool_int(sp, sp->doc, "minor", 0, UINT32_MAX));
	return LOAD_ADD(l, IMAGE_FILE_ADD, NULL, db_int(l->image), db_int(seq),
		db_slice(t.path.text), db_blob(t.path.raw), db_slice(t.type),
		db_int(t.mode), t.size, t.sha256, db_slice(t.link.text),
		db_blob(t.link.raw),
		db_int(spool_int(sp, sp->doc, "uid", 0, UINT32_MAX)),
		db_int(spool_int(sp, sp->doc, "gid", 0, UINT32_MAX)),
		db_slice(spool_word(sp, sp->doc, "uname")),
		db_slice(spool_word(sp, sp->doc, "gname")),
		db_int(spool_int(sp, sp->doc, "mtime_s", INT64_MIN, INT64_MAX)),
		db_int(spool_int(sp, sp->doc, "mtime_ns", 0, 999999999)),
		db_text(device),
		db_slice(spool_text_opt(sp, sp->doc, "xattrs")),
		db_int(spool_int(sp, sp->doc, "layer", 0, RECORD_LAYERS_MAX)));
}

int
load_image_layer(struct load *l, enum stmt which, int64_t id, int64_t seq)
{
	struct spool *sp = &l->sp;
	struct digest diff_id = spool_digest(sp, sp->doc, "diff_id");

	if (seq >= RECORD_LAYERS_MAX)
		return spool_bad(sp, "over %d layers", RECORD_LAYERS_MAX);
	return load_add(l, which, NULL,
		DB_ARGS(db_int(id), db_int(seq), db_digest(&diff_id),
			db_slice(spool_word(sp, sp->doc, "compression")),
			db_int(spool_int(sp, sp->doc, "bytes", 0, INT64_MAX)),
			db_int(spool_int(
				sp, sp->doc, "entries", 0, INT64_MAX))));
}

/* The lines that belong to an image. */
static int
load_parts(struct load *l, int64_t left)
{
	int64_t layers = 0, items = 0, paths = 0;

	while (left > 0) {
		struct slice r;
		int more = spool_next(&l->sp), result;

		if (more < 0)
			return -1;
		left--;
		r = jdoc_str(jdoc_get(l->sp.doc, "r"));
		if (more > 0 && slice_is(r, "layer"))
			result = load_image_layer(
				l, STMT_IMAGE_LAYER_ADD, l->image, layers++);
		else if (more > 0 && slice_is(r, "item"))
			result = load_item(l, items++, &left);
		else if (more > 0 && slice_is(r, "path"))
			result = load_path(l, paths++);
		else
			result = spool_bad(
				&l->sp, "a part of the image expected");
		if (result < 0)
			return -1;
	}
	return 0;
}

int
load_image(struct load *l)
{
	struct spool *sp = &l->sp;
	struct digest config = spool_digest(sp, sp->doc, "config_digest"), sum;
	struct slice raw =
		spool_hex_opt(sp, sp->doc, "config_hex", RECORD_CONFIG_MAX);
	int64_t lines = spool_int(sp, sp->doc, "lines", 0, RECORD_LINES_MAX);
	const struct jdoc *tags = jdoc_get(sp->doc, "tags");
	int found;

	l->image_sha256 = spool_digest(sp, sp->doc, "sha256");
	if (jdoc_type(tags) != JDOC_ARRAY || jdoc_len(tags) > RECORD_TAGS_MAX)
		return spool_bad(sp, "\"tags\" is no array of at most %d",
			RECORD_TAGS_MAX);
	found = load_known(l, STMT_IMAGE_FIND, lines, &sum, &l->image);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (LOAD_ADD(l, IMAGE_ADD, &l->image, db_digest(&sum),
		    db_digest(&l->image_sha256),
		    db_int(spool_int(sp, sp->doc, "bytes", 0, INT64_MAX)),
		    db_slice(spool_word(sp, sp->doc, "format")),
		    db_slice(spool_word(sp, sp->doc, "compression")),
		    db_digest(&config), db_blob(raw),
		    db_int(spool_int(sp, sp->doc, "entries", 0, INT64_MAX)),
		    db_int(spool_int(sp, sp->doc, "items", 0, INT64_MAX))) < 0)
		return -1;
	for (size_t i = 0; i < jdoc_len(tags); i++)
		if (LOAD_ADD(l, IMAGE_TAG_ADD, NULL, db_int(l->image),
			    db_int((int64_t)i),
			    db_slice(spool_word_at(sp, tags, i))) < 0)
			return -1;
	return load_parts(l, lines);
}
