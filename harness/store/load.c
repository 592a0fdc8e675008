/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/db.h"
#include "store/pack.h"
#include "store/record.h"
#include "store/spool.h"
#include "store/store.h"

enum {
	COMMIT_SHOWN = 7 /* digits of a commit in the label of a channel set */
};

enum text_kind {
	TEXT_MISSING,
	TEXT_GUESSED,
	TEXT_NOTE,
	TEXT_COMMAND,
	TEXT_BUILT_DRV,
	TEXT_DIFFERING_PACKAGE,
	TEXT_KINDS
};

static const char *const text_kinds[TEXT_KINDS] = {
	[TEXT_MISSING] = "missing",
	[TEXT_GUESSED] = "guessed",
	[TEXT_NOTE] = "note",
	[TEXT_COMMAND] = "command",
	[TEXT_BUILT_DRV] = "built-drv",
	[TEXT_DIFFERING_PACKAGE] = "differing-package",
};

enum {
	SEEN_SOURCE = 1 << 0,
	SEEN_IMAGE = 1 << 1,
	SEEN_PROVENANCE = 1 << 2,
	SEEN_RECIPE = 1 << 3,
	SEEN_COMMAND = 1 << 4,
	SEEN_REBUILD = 1 << 5,
	SEEN_REBUILT = 1 << 6,
	SEEN_COMPARISON = 1 << 7,
	SEEN_VERDICT = 1 << 8
};

/* A spool on its way into the database. */
struct load {
	struct store *s;
	struct err *e;
	int64_t sample;
	struct spool sp;
	unsigned seen; /* SEEN_... of the lines so far */
	int stage;     /* of the last line; they do not go back */
	bool is_done;  /* the verdict was read */
	/* numbers of rows, 0: none */
	int64_t image, provenance, recipe;
	char *image_path, *command;
	struct digest image_sha256, rebuilt_sha256;
	int64_t differences, packages;
	/* rows so far */
	int64_t texts[TEXT_KINDS], rebuilt_layers, forgiven, stored;
	struct pack *log;
};

/* An INSERT of values of the current line, unless one was bad. */
static int
add(struct load *l, enum stmt which, int64_t *id, const struct db_value *args,
	size_t n)
{
	return l->sp.is_bad ? -1 : db_run(l->s, which, args, n, id, l->e);
}

#define ADD(l, which, id, ...) add(l, STMT_##which, id, DB_ARGS(__VA_ARGS__))

/* The line that must come next. */
static int
expect(struct load *l, const char *what)
{
	int more = spool_next(&l->sp);
	struct slice r;

	if (more < 0)
		return -1;
	r = jdoc_str(jdoc_get(l->sp.doc, "r"));
	if (more == 0 || !slice_is(r, what))
		return spool_bad(&l->sp, "\"%s\" expected", what);
	return 0;
}

/* The digest over the line that was read and the n after it, whose bytes are
 * passed over. */
static int
content(struct load *l, int64_t n, struct digest *out)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();

	for (;;) {
		int more;

		digest_add(sum, l->sp.raw.p, l->sp.raw.n);
		if (n-- == 0)
			break;
		more = spool_raw(&l->sp);
		if (more < 0)
			return -1;
		if (more == 0)
			return spool_bad(&l->sp,
				"%" PRId64 " more lines expected", n + 1);
	}
	*out = digest_end(sum);
	return 0;
}

/*
 * Is what begins with the current line, n lines more, in the database already?
 * 1: *id is its row, and the spool is behind it.  0: the spool is where it
 * was.  What was only claimed to be the same never is: all bytes are looked at.
 */
static int
known(struct load *l, enum stmt find, int64_t n, struct digest *out,
	int64_t *id)
{
	struct spool_mark mark = spool_mark(&l->sp);
	int found;

	if (l->sp.is_bad || content(l, n, out) < 0)
		return -1;
	found = db_one(l->s, find, DB_ARGS(db_digest(out)), id, l->e);
	if (found == 0)
		spool_seek(&l->sp, mark);
	return found;
}

/* ---- image ---- */

static int
load_source(struct load *l)
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
				  &l->sp, l->sp.doc, key_hex, PATH_MAX_BYTES)};

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
	int found = known(l, STMT_ITEM_FIND, files, &sum, &id);

	if (found < 0)
		return -1;
	if (found == 0 &&
		ADD(l, ITEM_ADD, &id, db_digest(&sum), db_slice(name),
			db_digest(&digest), db_int(bytes), db_int(files)) < 0)
		return -1;
	for (int64_t i = 0; found == 0 && i < files; i++) {
		struct entry t;

		if (expect(l, "file") < 0)
			return -1;
		read_entry(l, &t);
		if (ADD(l, ITEM_FILE_ADD, NULL, db_int(id), db_int(i),
			    db_slice(t.path.text), db_blob(t.path.raw),
			    db_slice(t.type), db_int(t.mode), t.size, t.sha256,
			    db_slice(t.link.text), db_blob(t.link.raw)) < 0)
			return -1;
	}
	*left -= files;
	return ADD(l, IMAGE_ITEM_ADD, NULL, db_int(l->image), db_int(seq),
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
	return ADD(l, IMAGE_FILE_ADD, NULL, db_int(l->image), db_int(seq),
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

static int
load_layer(struct load *l, enum stmt which, int64_t id, int64_t seq)
{
	struct spool *sp = &l->sp;
	struct digest diff_id = spool_digest(sp, sp->doc, "diff_id");

	if (seq >= RECORD_LAYERS_MAX)
		return spool_bad(sp, "over %d layers", RECORD_LAYERS_MAX);
	return add(l, which, NULL,
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
			result = load_layer(
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

static int
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
	found = known(l, STMT_IMAGE_FIND, lines, &sum, &l->image);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (ADD(l, IMAGE_ADD, &l->image, db_digest(&sum),
		    db_digest(&l->image_sha256),
		    db_int(spool_int(sp, sp->doc, "bytes", 0, INT64_MAX)),
		    db_slice(spool_word(sp, sp->doc, "format")),
		    db_slice(spool_word(sp, sp->doc, "compression")),
		    db_digest(&config), db_blob(raw),
		    db_int(spool_int(sp, sp->doc, "entries", 0, INT64_MAX)),
		    db_int(spool_int(sp, sp->doc, "items", 0, INT64_MAX))) < 0)
		return -1;
	for (size_t i = 0; i < jdoc_len(tags); i++)
		if (ADD(l, IMAGE_TAG_ADD, NULL, db_int(l->image),
			    db_int((int64_t)i),
			    db_slice(spool_word_at(sp, tags, i))) < 0)
			return -1;
	return load_parts(l, lines);
}

/* ---- provenance and recipe ---- */

/* "guix@523bbfe+alice@efb454e" */
static void
label_channel(struct buf *label, struct slice name, struct slice commit)
{
	if (label->n > 0)
		buf_char(label, '+');
	buf_slice(label, name);
	if (commit.n > COMMIT_SHOWN)
		commit.n = COMMIT_SHOWN;
	/* A digit is a byte: what is no commit may be cut within a character,
	 * and is then no text. */
	if (commit.n > 0 && text_is_utf8(commit)) {
		buf_char(label, '@');
		buf_slice(label, commit);
	}
}

static int
load_channels(struct load *l, int64_t *id)
{
	struct spool *sp = &l->sp;
	CLEANUP(buf_fini)
	struct buf label = {0};
	const struct jdoc *v;
	struct digest sum;
	int found;

	if (expect(l, "channels") < 0)
		return -1;
	v = jdoc_get(sp->doc, "v");
	if (jdoc_type(v) != JDOC_ARRAY || jdoc_len(v) > RECORD_CHANNELS_MAX)
		return spool_bad(sp, "\"v\" is no array of at most %d",
			RECORD_CHANNELS_MAX);
	found = known(l, STMT_CHANNEL_SET_FIND, 0, &sum, id);
	if (found != 0)
		return found < 0 ? -1 : 0;
	for (size_t i = 0; i < jdoc_len(v); i++)
		label_channel(&label, spool_word(sp, jdoc_at(v, i), "name"),
			spool_word_opt(sp, jdoc_at(v, i), "commit"));
	if (ADD(l, CHANNEL_SET_ADD, id, db_digest(&sum),
		    db_text(buf_text(&label))) < 0)
		return -1;
	for (size_t i = 0; i < jdoc_len(v); i++) {
		const struct jdoc *c = jdoc_at(v, i);

		if (ADD(l, CHANNEL_ADD, NULL, db_int(*id), db_int((int64_t)i),
			    db_slice(spool_word(sp, c, "name")),
			    db_slice(spool_word(sp, c, "url")),
			    db_slice(spool_word_opt(sp, c, "branch")),
			    db_slice(spool_word_opt(sp, c, "commit")),
			    db_slice(spool_word_opt(sp, c, "intro_commit")),
			    db_slice(spool_word_opt(sp, c, "intro_signer"))) <
			0)
			return -1;
	}
	return 0;
}

static int
load_package(struct load *l, int64_t seq)
{
	struct spool *sp = &l->sp;
	const struct jdoc *v = sp->doc;
	/* What propagates it came before it. */
	int64_t parent = spool_int_opt(sp, v, "parent", 0, seq - 1, -1);

	return ADD(l, PACKAGE_ADD, NULL, db_int(l->provenance), db_int(seq),
		parent < 0 ? (struct db_value){0} : db_int(parent),
		db_int(spool_int(sp, v, "depth", 0, seq)),
		db_slice(spool_word(sp, v, "name")),
		db_slice(spool_word(sp, v, "version")),
		db_slice(spool_word(sp, v, "output")),
		db_slice(spool_word(sp, v, "store_path")),
		db_slice(spool_word(sp, v, "channels")),
		db_slice(spool_text(sp, v, "transformations")),
		db_slice(spool_text(sp, v, "properties")),
		db_int(spool_bool(sp, v, "is_repeated")));
}

static int
load_provenance(struct load *l)
{
	struct spool *sp = &l->sp;
	CLEANUP(own_free)
	char *profile = NULL, *how = NULL;
	struct slice text;
	int64_t version = spool_int(sp, sp->doc, "version", 0, INT32_MAX);
	int64_t n = spool_int(sp, sp->doc, "packages", 0, RECORD_PACKAGES_MAX);
	int64_t channels = 0;
	struct digest sum;
	int found;

	/* They outlive the line. */
	text = spool_word(sp, sp->doc, "profile");
	profile = xmemdup0(text.p, text.n);
	text = spool_text(sp, sp->doc, "found");
	how = xmemdup0(text.p, text.n);
	found = known(l, STMT_PROVENANCE_FIND, n + 1, &sum, &l->provenance);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (load_channels(l, &channels) < 0 ||
		ADD(l, PROVENANCE_ADD, &l->provenance, db_digest(&sum),
			db_text(profile), db_text(how), db_int(version),
			db_int(channels)) < 0)
		return -1;
	for (int64_t i = 0; i < n; i++)
		if (expect(l, "package") < 0 || load_package(l, i) < 0)
			return -1;
	return 0;
}

static int
load_recipe(struct load *l)
{
	struct spool *sp = &l->sp;
	CLEANUP(own_jdoc)
	struct jdoc *v = NULL;
	struct digest sum, id, channels_id;
	int64_t channels = 0;
	int found = known(l, STMT_RECIPE_FIND, 1, &sum, &l->recipe);

	if (found != 0)
		return found < 0 ? -1 : 0;
	/* The channels' line comes second and is needed first. */
	v = STEAL(sp->doc);
	if (load_channels(l, &channels) < 0)
		return -1;
	id = spool_digest(sp, v, "id");
	channels_id = spool_digest(sp, v, "channels_id");
	return ADD(l, RECIPE_ADD, &l->recipe, db_digest(&sum), db_digest(&id),
		db_digest(&channels_id),
		db_slice(spool_text(sp, v, "channels_scm")),
		db_slice(spool_text(sp, v, "manifest_scm")),
		db_slice(spool_word(sp, v, "format")),
		db_slice(spool_text(sp, v, "options")),
		db_slice(spool_text(sp, v, "revealed")),
		db_slice(spool_word(sp, v, "profile")), db_int(channels));
}

static int
load_command(struct load *l)
{
	struct slice text = spool_text(&l->sp, l->sp.doc, "text");

	l->command = xmemdup0(text.p, text.n);
	return 0;
}

/* ---- rebuild ---- */

static int
load_rebuild(struct load *l)
{
	static const char *const ends[] = {"done", "refused", "unavailable",
		"unbuildable", "timeout", "not-tried"};
	struct spool *sp = &l->sp;
	const struct jdoc *v = sp->doc;
	struct slice ended = spool_word(sp, v, "ended");
	struct slice guix = spool_word_opt(sp, v, "guix_version");
	bool is_end = false;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		is_end = is_end || slice_is(ended, ends[i]);
	if (!is_end)
		return spool_bad(sp, "\"ended\" is none of the ends");
	if (ADD(l, REBUILD_ADD, NULL, db_int(l->sample), db_slice(ended),
		    db_slice(spool_word_opt(sp, v, "class")),
		    db_slice(spool_word_opt(sp, v, "drv")),
		    db_slice(spool_word_opt(sp, v, "output")),
		    db_slice(spool_word_opt(sp, v, "profile")),
		    db_slice(spool_word_opt(sp, v, "failed_drv")),
		    db_slice(spool_text_opt(sp, v, "failed_lines")),
		    db_slice(guix), db_int(spool_bool(sp, v, "is_checked")),
		    db_int(spool_bool(sp, v, "is_stable")),
		    db_int(spool_int(sp, v, "built", 0, UINT32_MAX)),
		    db_int(spool_int(sp, v, "substituted", 0, UINT32_MAX)),
		    db_int(spool_int(sp, v, "valid", 0, UINT32_MAX)),
		    db_int(spool_int(sp, v, "downloaded", 0, UINT32_MAX)),
		    db_int(spool_int(sp, v, "elapsed_ms", 0, INT64_MAX))) < 0)
		return -1;
	if (guix.n == 0)
		return 0;
	return ADD(l, RUN_GUIX, NULL, db_int(l->sample), db_slice(guix));
}

static int
load_log(struct load *l)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};
	const struct jdoc *v = jdoc_get(l->sp.doc, "text");

	if (jdoc_type(v) != JDOC_STRING)
		return spool_bad(&l->sp, "has no \"text\"");
	text_clean(&clean, jdoc_str(v), TEXT_MANY_LINES);
	if (!l->log)
		l->log = pack_new();
	if (pack_bytes(l->log) + clean.n > RECORD_LOG_TEXT_MAX)
		return spool_bad(&l->sp, "the log has over %d bytes",
			RECORD_LOG_TEXT_MAX);
	pack_add(l->log, buf_get(&clean));
	return 0;
}

static int
load_text(struct load *l)
{
	struct spool *sp = &l->sp;
	struct slice kind = spool_word(sp, sp->doc, "kind");
	size_t k = 0;

	while (k < TEXT_KINDS && !slice_is(kind, text_kinds[k]))
		k++;
	if (k == TEXT_KINDS)
		return spool_bad(sp, "\"kind\" is none of the kinds");
	if (l->texts[k] >= RECORD_TEXTS_MAX)
		return spool_bad(sp, "over %d texts of kind %s",
			RECORD_TEXTS_MAX, text_kinds[k]);
	return ADD(l, TEXT_ADD, NULL, db_int(l->sample), db_slice(kind),
		db_int(l->texts[k]++),
		db_slice(spool_text(sp, sp->doc, "text")));
}

/* ---- comparison and verdict ---- */

static int
load_rebuilt(struct load *l)
{
	struct spool *sp = &l->sp;
	struct digest config = spool_digest(sp, sp->doc, "config_digest");

	l->rebuilt_sha256 = spool_digest(sp, sp->doc, "sha256");
	return ADD(l, REBUILT_ADD, NULL, db_int(l->sample),
		db_digest(&l->rebuilt_sha256),
		db_int(spool_int(sp, sp->doc, "bytes", 0, INT64_MAX)),
		db_slice(spool_word(sp, sp->doc, "compression")),
		db_digest(&config));
}

static int
load_rebuilt_layer(struct load *l)
{
	return load_layer(
		l, STMT_REBUILT_LAYER_ADD, l->sample, l->rebuilt_layers++);
}

static int
load_comparison(struct load *l)
{
	struct spool *sp = &l->sp;

	l->differences = spool_int(sp, sp->doc, "total", 0, INT64_MAX);
	l->packages = spool_int(sp, sp->doc, "packages", 0, INT64_MAX);
	return 0;
}

static int
load_forgiven(struct load *l)
{
	struct spool *sp = &l->sp;

	if (l->forgiven >= RECORD_FORGIVEN_MAX)
		return spool_bad(sp, "over %d kinds of forgiven differences",
			RECORD_FORGIVEN_MAX);
	return ADD(l, FORGIVEN_ADD, NULL, db_int(l->sample),
		db_int(l->forgiven++),
		db_slice(spool_word(sp, sp->doc, "what")),
		db_int(spool_int(sp, sp->doc, "count", 0, INT64_MAX)));
}

static int
load_difference(struct load *l)
{
	struct spool *sp = &l->sp;
	const struct jdoc *v = sp->doc;
	int64_t offset = spool_int_opt(sp, v, "offset", 0, INT64_MAX, -1);

	if (l->stored >= COMPARE_DIFFERENCES_MAX || l->stored >= l->differences)
		return spool_bad(sp, "more differences than %s",
			l->stored >= l->differences ? "it found" : "are kept");
	return ADD(l, DIFFERENCE_ADD, NULL, db_int(l->sample),
		db_int(l->stored++), db_slice(spool_word(sp, v, "path")),
		db_slice(spool_word_opt(sp, v, "store_item")),
		db_slice(spool_word_opt(sp, v, "package")),
		db_slice(spool_word(sp, v, "kind")),
		db_slice(spool_text(sp, v, "detail")),
		offset < 0 ? (struct db_value){0} : db_int(offset));
}

static int
load_verdict(struct load *l)
{
	struct spool *sp = &l->sp;
	const struct jdoc *v = sp->doc;
	struct slice name = spool_word(sp, v, "verdict");
	CLEANUP(own_free)
	char *name0 = xmemdup0(name.p, name.n);
	enum verdict verdict;

	if (!verdict_parse(name0, &verdict))
		return spool_bad(sp, "\"verdict\" is no verdict");
	/* The one verdict that two stored numbers can contradict. */
	if (verdict == VERDICT_IDENTICAL && l->seen & SEEN_REBUILT &&
		l->seen & SEEN_IMAGE &&
		!digest_eq(&l->image_sha256, &l->rebuilt_sha256))
		return spool_bad(sp, "identical, but the digests are not");
	l->is_done = true;
	return ADD(l, ATTEMPT_SET, NULL, db_int(l->sample), db_slice(name),
		db_slice(spool_word_opt(sp, v, "class")),
		db_slice(spool_text_opt(sp, v, "cause")),
		db_slice(spool_text_opt(sp, v, "advice")),
		db_int(spool_int(sp, v, "started_s", 0, INT64_MAX)),
		db_int(spool_int(sp, v, "elapsed_ms", 0, INT64_MAX)),
		db_text(l->image_path), db_id(l->image), db_id(l->provenance),
		db_id(l->recipe), db_text(l->command), db_int(l->differences),
		db_int(l->packages));
}

/* ---- all of it ---- */

static const struct kind {
	const char *name;
	int stage;      /* may not come after a higher one; 0: anywhere */
	unsigned once;  /* bit of load.seen; 0: may come again */
	unsigned after; /* bits that must be there before it */
	int (*load)(struct load *l);
} kinds[] = {
	{"source", 1, SEEN_SOURCE, 0, load_source},
	{"image", 1, SEEN_IMAGE, SEEN_SOURCE, load_image},
	{"provenance", 2, SEEN_PROVENANCE, 0, load_provenance},
	{"recipe", 3, SEEN_RECIPE, 0, load_recipe},
	{"command", 3, SEEN_COMMAND, SEEN_RECIPE, load_command},
	{"rebuild", 4, SEEN_REBUILD, 0, load_rebuild},
	{"rebuilt", 5, SEEN_REBUILT, 0, load_rebuilt},
	{"rebuilt-layer", 5, 0, SEEN_REBUILT, load_rebuilt_layer},
	{"comparison", 6, SEEN_COMPARISON, 0, load_comparison},
	{"forgiven", 6, 0, SEEN_COMPARISON, load_forgiven},
	{"difference", 6, 0, SEEN_COMPARISON, load_difference},
	{"verdict", 7, SEEN_VERDICT, 0, load_verdict},
	{"text", 0, 0, 0, load_text},
	{"log", 0, 0, 0, load_log},
};

static int
load_line(struct load *l)
{
	struct slice r = jdoc_str(jdoc_get(l->sp.doc, "r"));
	const struct kind *k = kinds;

	while (k < kinds + ARRAY_LEN(kinds) && !slice_is(r, k->name))
		k++;
	if (k == kinds + ARRAY_LEN(kinds))
		return spool_bad(&l->sp, "is of no known kind");
	if (l->is_done)
		return spool_bad(&l->sp, "comes after the verdict");
	if (k->stage != 0 && k->stage < l->stage)
		return spool_bad(&l->sp, "\"%s\" comes too late", k->name);
	if (k->once & l->seen)
		return spool_bad(&l->sp, "a second \"%s\"", k->name);
	if ((k->after & l->seen) != k->after)
		return spool_bad(&l->sp, "\"%s\" comes too early", k->name);
	if (k->stage != 0)
		l->stage = k->stage;
	l->seen |= k->once;
	if (k->load(l) < 0 || l->sp.is_bad)
		return -1;
	return 0;
}

static int
load_all(struct load *l)
{
	int64_t judged;
	int more = db_one(l->s, STMT_SAMPLE_JUDGED, DB_ARGS(db_int(l->sample)),
		&judged, l->e);

	if (more < 0)
		return -1;
	if (more == 0 || judged)
		return err_set(l->e, ERR_BUG, "sample %" PRId64 " %s",
			l->sample, more == 0 ? "is none" : "is judged already");
	/* For the others to refer to; load_verdict gives it its values. */
	if (db_run(l->s, STMT_ATTEMPT_ADD,
		    DB_ARGS(db_int(l->sample),
			    db_text(verdict_name(VERDICT_NOT_TRIED)),
			    db_text(NULL), db_text(NULL), db_text(NULL),
			    db_int(0), db_int(0)),
		    NULL, l->e) < 0)
		return -1;
	while ((more = spool_next(&l->sp)) > 0)
		if (load_line(l) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (!l->is_done)
		return spool_bad(&l->sp, "ends without a verdict");
	if (!l->log)
		return 0;
	/* In this order: the end may give some of the text. */
	return ADD(l, LOG_ADD, NULL, db_int(l->sample),
		db_int((int64_t)pack_bytes(l->log)), db_blob(pack_end(l->log)));
}

int
store_attempt_load(
	struct store *s, int64_t sample, const char *spool, struct err *e)
{
	struct load l = {.s = s, .e = e, .sample = sample};
	int result = spool_open(&l.sp, spool, e);

	if (result == 0)
		result = db_write_begin(s, e);
	if (result == 0)
		result = db_write_end(s, load_all(&l), e);
	spool_fini(&l.sp);
	own_pack(&l.log);
	free(l.image_path);
	free(l.command);
	return result;
}
