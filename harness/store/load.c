/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/load.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rebuild/rebuild.h"
#include "store/record.h"

static const char *const text_kinds[LOAD_TEXT_KINDS] = {"missing", "guessed",
	"note", "command", "built-drv", "differing-package"};

int
load_add(struct load *l, enum stmt which, int64_t *id,
	const struct db_value *args, size_t n)
{
	return l->sp.is_bad ? -1 : db_run(l->s, which, args, n, id, l->e);
}

int
load_expect(struct load *l, const char *what)
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

int
load_known(struct load *l, enum stmt find, int64_t n, struct digest *out,
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
	if (LOAD_ADD(l, REBUILD_ADD, NULL, db_int(l->sample), db_slice(ended),
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
		    db_int(spool_int(sp, v, "elapsed_ms", 0, INT64_MAX)),
		    db_slice(spool_word(sp, v, "depth")),
		    db_int(spool_int(sp, v, "examined", 0, UINT32_MAX)),
		    db_int(spool_int(sp, v, "unstable", 0, UINT32_MAX))) < 0)
		return -1;
	if (guix.n == 0)
		return 0;
	return LOAD_ADD(l, RUN_GUIX, NULL, db_int(l->sample), db_slice(guix));
}

static int
load_date(struct load *l)
{
	struct spool *sp = &l->sp;

	if (l->dates++ >= RECORD_CHANNELS_MAX)
		return spool_bad(
			sp, "over %d dates of commits", RECORD_CHANNELS_MAX);
	return LOAD_ADD(l, COMMIT_DATE_ADD, NULL,
		db_slice(spool_word(sp, sp->doc, "commit")),
		db_int(spool_int(sp, sp->doc, "time_s", 0, REBUILD_DATE_MAX)));
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

	while (k < LOAD_TEXT_KINDS && !slice_is(kind, text_kinds[k]))
		k++;
	if (k == LOAD_TEXT_KINDS)
		return spool_bad(sp, "\"kind\" is none of the kinds");
	if (l->texts[k] >= RECORD_TEXTS_MAX)
		return spool_bad(sp, "over %d texts of kind %s",
			RECORD_TEXTS_MAX, text_kinds[k]);
	return LOAD_ADD(l, TEXT_ADD, NULL, db_int(l->sample), db_slice(kind),
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
	return LOAD_ADD(l, REBUILT_ADD, NULL, db_int(l->sample),
		db_digest(&l->rebuilt_sha256),
		db_int(spool_int(sp, sp->doc, "bytes", 0, INT64_MAX)),
		db_slice(spool_word(sp, sp->doc, "compression")),
		db_digest(&config));
}

static int
load_rebuilt_layer(struct load *l)
{
	return load_image_layer(
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
	return LOAD_ADD(l, FORGIVEN_ADD, NULL, db_int(l->sample),
		db_int(l->forgiven++),
		db_slice(spool_word(sp, sp->doc, "what")),
		db_int(spool_int(sp, sp->doc, "count", 0, INT64_MAX)));
}

static int
load_excerpt(struct load *l, int64_t seq)
{
	struct spool *sp = &l->sp;
	const struct jdoc *v = sp->doc;
	struct slice why = spool_word_opt(sp, v, "why");
	struct slice image =
		spool_hex_opt(sp, v, "image_hex", COMPARE_LIST_MAX);
	struct slice rebuilt =
		spool_hex_opt(sp, v, "rebuilt_hex", COMPARE_LIST_MAX);
	int64_t at = spool_int_opt(sp, v, "part_at", 0, INT64_MAX, 0);

	if (!why.p && !image.p && !rebuilt.p)
		return sp->is_bad ? -1 : 0;
	return LOAD_ADD(l, EXCERPT_ADD, NULL, db_int(l->sample), db_int(seq),
		db_slice(why), db_int(at), db_blob(image), db_blob(rebuilt));
}

static int
load_difference(struct load *l)
{
	struct spool *sp = &l->sp;
	const struct jdoc *v = sp->doc;
	int64_t offset = spool_int_opt(sp, v, "offset", 0, INT64_MAX, -1);
	int64_t seq = l->stored;

	if (l->stored >= COMPARE_DIFFERENCES_MAX || l->stored >= l->differences)
		return spool_bad(sp, "more differences than %s",
			l->stored >= l->differences ? "it found" : "are kept");
	return LOAD_ADD(l, DIFFERENCE_ADD, NULL, db_int(l->sample),
		       db_int(l->stored++), db_slice(spool_word(sp, v, "path")),
		       db_slice(spool_word_opt(sp, v, "store_item")),
		       db_slice(spool_word_opt(sp, v, "package")),
		       db_slice(spool_word(sp, v, "kind")),
		       db_slice(spool_text(sp, v, "detail")),
		       db_int_from(0, offset)) < 0
		? -1
		: load_excerpt(l, seq);
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
	l->taken.verdict = verdict;
	l->taken.elapsed_ms = spool_int(sp, v, "elapsed_ms", 0, INT64_MAX);
	return LOAD_ADD(l, ATTEMPT_SET, NULL, db_int(l->sample), db_slice(name),
		db_slice(spool_word_opt(sp, v, "class")),
		db_slice(spool_text_opt(sp, v, "cause")),
		db_slice(spool_text_opt(sp, v, "advice")),
		db_int(spool_int(sp, v, "started_s", 0, INT64_MAX)),
		db_int(l->taken.elapsed_ms), db_text(l->image_path),
		db_int_from(1, l->image), db_int_from(1, l->provenance),
		db_int_from(1, l->recipe), db_text(l->command),
		db_int(l->differences), db_int(l->packages));
}

/* ---- all of it ---- */

static const struct kind {
	const char *name;
	int stage;      /* may not come after a higher one; 0: anywhere */
	unsigned once;  /* bit of load.seen; 0: may come again */
	unsigned after; /* bits that must be there before it */
	int (*load)(struct load *l);
} kinds[] = {
	{"source", 1, SEEN_SOURCE, 0, load_image_source},
	{"image", 1, SEEN_IMAGE, SEEN_SOURCE, load_image},
	{"provenance", 2, SEEN_PROVENANCE, 0, load_recipe_provenance},
	{"recipe", 3, SEEN_RECIPE, 0, load_recipe},
	{"command", 3, SEEN_COMMAND, SEEN_RECIPE, load_recipe_command},
	{"rebuild", 4, SEEN_REBUILD, 0, load_rebuild},
	{"commit-date", 4, 0, SEEN_REBUILD, load_date},
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
	return LOAD_ADD(l, LOG_ADD, NULL, db_int(l->sample),
		db_int((int64_t)pack_bytes(l->log)), db_blob(pack_end(l->log)));
}

int
store_attempt_take(struct store *s, int64_t sample, const char *spool,
	struct store_taken *out, struct err *e)
{
	struct load l = {.s = s, .e = e, .sample = sample};
	int result = spool_open(&l.sp, spool, e);

	if (result == 0)
		result = db_write_begin(s, e);
	if (result == 0)
		result = db_write_end(s, load_all(&l), e);
	if (out)
		*out = l.taken;
	spool_fini(&l.sp);
	own_pack(&l.log);
	free(l.image_path);
	free(l.command);
	return result;
}
