/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/load.h"
#include "store/record.h"

enum {
	COMMIT_SHOWN = 7 /* digits of a commit in the label of a channel set */
};

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

	if (load_expect(l, "channels") < 0)
		return -1;
	v = jdoc_get(sp->doc, "v");
	if (jdoc_type(v) != JDOC_ARRAY || jdoc_len(v) > RECORD_CHANNELS_MAX)
		return spool_bad(sp, "\"v\" is no array of at most %d",
			RECORD_CHANNELS_MAX);
	found = load_known(l, STMT_CHANNEL_SET_FIND, 0, &sum, id);
	if (found != 0)
		return found < 0 ? -1 : 0;
	for (size_t i = 0; i < jdoc_len(v); i++)
		label_channel(&label, spool_word(sp, jdoc_at(v, i), "name"),
			spool_word_opt(sp, jdoc_at(v, i), "commit"));
	if (LOAD_ADD(l, CHANNEL_SET_ADD, id, db_digest(&sum),
		    db_text(buf_text(&label))) < 0)
		return -1;
	for (size_t i = 0; i < jdoc_len(v); i++) {
		const struct jdoc *c = jdoc_at(v, i);

		if (LOAD_ADD(l, CHANNEL_ADD, NULL, db_int(*id),
			    db_int((int64_t)i),
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

	return LOAD_ADD(l, PACKAGE_ADD, NULL, db_int(l->provenance),
		db_int(seq), db_int_from(0, parent),
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

int
load_recipe_provenance(struct load *l)
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
	found = load_known(
		l, STMT_PROVENANCE_FIND, n + 1, &sum, &l->provenance);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (load_channels(l, &channels) < 0 ||
		LOAD_ADD(l, PROVENANCE_ADD, &l->provenance, db_digest(&sum),
			db_text(profile), db_text(how), db_int(version),
			db_int(channels)) < 0)
		return -1;
	for (int64_t i = 0; i < n; i++)
		if (load_expect(l, "package") < 0 || load_package(l, i) < 0)
			return -1;
	return 0;
}

int
load_recipe(struct load *l)
{
	struct spool *sp = &l->sp;
	CLEANUP(own_jdoc)
	struct jdoc *v = NULL;
	struct digest sum, id, channels_id;
	int64_t channels = 0;
	int found = load_known(l, STMT_RECIPE_FIND, 1, &sum, &l->recipe);

	if (found != 0)
		return found < 0 ? -1 : 0;
	/* The channels' line comes second and is needed first. */
	v = STEAL(sp->doc);
	if (load_channels(l, &channels) < 0)
		return -1;
	id = spool_digest(sp, v, "id");
	channels_id = spool_digest(sp, v, "channels_id");
	return LOAD_ADD(l, RECIPE_ADD, &l->recipe, db_digest(&sum),
		db_digest(&id), db_digest(&channels_id),
		db_slice(spool_text(sp, v, "channels_scm")),
		db_slice(spool_text(sp, v, "manifest_scm")),
		db_slice(spool_word(sp, v, "format")),
		db_slice(spool_text(sp, v, "options")),
		db_slice(spool_text(sp, v, "revealed")),
		db_slice(spool_word(sp, v, "profile")), db_int(channels));
}

int
load_recipe_command(struct load *l)
{
	struct slice text = spool_text(&l->sp, l->sp.doc, "text");

	l->command = xmemdup0(text.p, text.n);
	return 0;
}
