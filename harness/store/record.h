/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_RECORD_H
#define UB_STORE_RECORD_H

#include <stdio.h>

#include "base/err.h"
#include "base/path.h"
#include "compare/compare.h"
#include "image/image.h"
#include "provenance/provenance.h"
#include "rebuild/rebuild.h"
#include "recipe/recipe.h"

/*
 * What a worker tells of one attempt: lines of JSON, each an object whose
 * member "r" says what it is, in a file (the spool) that the parent takes into
 * the database by store_attempt_take.  Written as each stage ends, the verdict
 * last; a spool without it is that of a worker that died.
 *
 * Lines, each kind at most once but for those marked *, in this order ("text"
 * and "log" anywhere):
 *
 *	source      path
 *	image       sha256 bytes format compression config_digest config_hex
 *	            tags entries items lines; the next `lines' lines are its own:
 *	            layer*, item* (each followed by its `files' lines file*),
 *	            path*
 *	provenance  profile found version packages; then channels and package*
 *	recipe      id channels_id channels_scm manifest_scm format options
 *	            revealed profile; then channels
 *	command     text
 *	rebuild     ended ... elapsed_ms
 *	rebuilt     sha256 bytes compression config_digest; rebuilt-layer*
 *	comparison  total packages; forgiven*, difference*
 *	verdict     verdict class cause advice started_s elapsed_ms
 *	text*       kind text
 *	log*        text, a piece of the rebuild's log
 *
 * JSON holds clean text alone: a path or link target with other bytes in it is
 * in hex, its name with "_hex" after it.
 *
 * Limits on what a spool holds.  The writer stays within and says so in the
 * text where it left something out; the reader refuses what is over.
 */
enum {
	RECORD_LINE_MAX = 16 << 20,  /* bytes of a line */
	RECORD_PATH_MAX = 4096,      /* of a path that is kept exactly */
	RECORD_WORD_MAX = 16 << 10,  /* bytes of a text of one line, clean */
	RECORD_TEXT_MAX = 1 << 20,   /* bytes of a text of many lines, clean */
	RECORD_CONFIG_MAX = 1 << 20, /* bytes of an image's config */
	RECORD_LOG_MAX = 16 << 20,   /* bytes of a log as the rebuild left it */
	RECORD_LOG_TEXT_MAX = 4 * RECORD_LOG_MAX, /* and as clean text */
	RECORD_TAGS_MAX = 64,                     /* of an image */
	RECORD_LAYERS_MAX = 1024,
	RECORD_CHANNELS_MAX = 256,
	RECORD_PACKAGES_MAX = 100000,
	RECORD_TEXTS_MAX = 20000, /* of one kind */
	RECORD_FORGIVEN_MAX = 64,
	RECORD_LINES_MAX = 16 << 20 /* that belong to one image */
};
#define RECORD_SPOOL_MAX (INT64_C(2) << 30) /* bytes of a spool */

/* Writes are checked at the end, by record_verdict or record_pause. */
struct record {
	FILE *f;
};

int record_open(struct record *r, const char *spool, struct err *e) NODISCARD;
void record_image(struct record *r, const struct image *image);
void record_provenance(struct record *r, const struct provenance *p);
void record_recipe(
	struct record *r, const struct recipe *recipe, const char *command);
/* The log is copied. */
void record_rebuild(struct record *r, const struct rebuild *rebuild);
/* Sentences of kind "note". */
void record_notes(struct record *r, const char *const *notes, size_t n);
/* Layers and digests of the rebuilt file, and what differs. */
void record_comparison(struct record *r, const struct image *rebuilt,
	const struct comparison *c);
/* The end: class_, cause and advice may be NULL.  Flushes and closes; ERR_HOST
 * when anything could not be written. */
int record_verdict(struct record *r, enum verdict verdict, const char *class_,
	const char *cause, const char *advice, int64_t started_s,
	int64_t elapsed_ms, struct err *e) NODISCARD;
/* Close what another process goes on with by record_resume. */
int record_pause(struct record *r, struct err *e) NODISCARD;
int record_resume(struct record *r, const char *spool, struct err *e) NODISCARD;
/* Close without a verdict; nothing when closed. */
void record_drop(struct record *r);

#endif
