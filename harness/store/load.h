/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_LOAD_H
#define UB_STORE_LOAD_H

#include "base/digest.h"
#include "base/err.h"
#include "store/db.h"
#include "store/pack.h"
#include "store/spool.h"

/* Lines of which there is one; bits of struct load.seen. */
enum load_seen {
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

enum {
	LOAD_TEXT_KINDS = 6
};

/* A spool on its way into the database, within one transaction. */
struct load {
	struct store *s;
	struct err *e;
	int64_t sample;
	struct spool sp;
	unsigned seen;            /* SEEN_... of the lines so far */
	int stage;                /* of the last line; they do not go back */
	bool is_done;             /* the verdict was read */
	struct store_taken taken; /* once it is */
	/* numbers of rows, 0: none */
	int64_t image, provenance, recipe;
	char *image_path, *command;
	struct digest image_sha256, rebuilt_sha256;
	int64_t differences, packages;
	/* rows so far */
	int64_t texts[LOAD_TEXT_KINDS], rebuilt_layers, forgiven, stored, dates;
	struct pack *log;
};

/*
 * All of these: 0, or -1 with l->e set.
 */

/* An INSERT of values of the current line, unless one was bad. */
int load_add(struct load *l, enum stmt which, int64_t *id,
	const struct db_value *args, size_t n) NODISCARD;
#define LOAD_ADD(l, which, id, ...) \
	load_add(l, STMT_##which, id, DB_ARGS(__VA_ARGS__))

/* Read the next line, which must be of this kind. */
int load_expect(struct load *l, const char *what) NODISCARD;

/*
 * Is what begins with the current line, n lines more, in the database already?
 * *content is the digest over their bytes.  1: *id is its row, and the spool is
 * behind it.  0: the spool is where it was.  What was only claimed to be the
 * same never is: all bytes are looked at.
 */
int load_known(struct load *l, enum stmt find, int64_t n,
	struct digest *content, int64_t *id) NODISCARD;

/* Kinds of lines that open something: load_image.c and load_recipe.c. */
int load_image_source(struct load *l) NODISCARD;
int load_image(struct load *l) NODISCARD;
/* A line of a layer, which is number seq of the row id. */
int load_image_layer(
	struct load *l, enum stmt which, int64_t id, int64_t seq) NODISCARD;
int load_recipe(struct load *l) NODISCARD;
int load_recipe_command(struct load *l) NODISCARD;
int load_recipe_provenance(struct load *l) NODISCARD;

#endif
