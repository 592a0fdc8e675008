/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_GUIX_H
#define UB_REBUILD_GUIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/words.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"

/*
 * The commands of Guix that a rebuild runs, and what they print.  All pure.
 */

#define GUIX_STORE "/gnu/store/"

enum {
	GUIX_NAME_MAX = 255, /* of a store item's name */
};

/*
 * True for "/gnu/store/" 32 digits of Nix base32, "-", and a name (guix/store.scm,
 * store-path-base; nix/libstore/store-api.cc, checkStoreName), no more.
 */
bool guix_is_store_path(struct slice s);
/* The same, ending in ".drv". */
bool guix_is_drv(struct slice s);

/* Add `guix time-machine [LIMITS] -C channels --' to a command line; limits is
 * NULL-ended. */
void guix_time_machine(struct words *cmd, const char *guix,
	const char *channels, const char *const *limits);
/* The same without the program: from a Guix that was just added. */
void
guix_travel(struct words *cmd, const char *channels, const char *const *limits);
/* Add `pack [LIMITS] OPTIONS -d -m manifest': what to lower. */
void guix_pack(struct words *cmd, const struct recipe *r, const char *manifest,
	const char *const *limits);

/* Of `guix --version': "1.5.0", or a commit; NULL when it says none. */
const char *guix_version(struct arena *a, struct slice out);

/* The one derivation that `guix pack -d' printed; NULL when there is none. */
const char *guix_drv_printed(struct arena *a, struct slice out);

/*
 * The channels that `guix describe -f channels' printed, in its order:
 * (list (channel (name 'N) (url "U") ...) ...).
 */
int guix_channels_parse(struct arena *a, struct slice out,
	struct channel **channels, size_t *n, struct err *e) NODISCARD;
/*
 * The same of an instance's profile, from its file `manifest', which is what
 * describe reads (guix/describe.scm, current-profile-entries).  One is_named
 * when its provenance, which is what an image gets, has the name too.
 */
int guix_instance_parse(struct arena *a, struct slice manifest,
	struct channel **channels, size_t *n, struct err *e) NODISCARD;
/*
 * True when the instance has (in any order) the channels of the recipe: name,
 * URL and commit each, and the introduction where one was recorded (Guix adds
 * the official one where it is missing).  Else why says the first difference.
 */
bool guix_channels_match(const struct channel *want, size_t n_want,
	const struct channel *have, size_t n_have, struct buf *why);

/* What a build's log tells; strings live in the arena given. */
struct guix_told {
	const char **built; /* derivations, each once, in order */
	size_t n_built, cap;
	unsigned substituted; /* store items */
};
enum {
	GUIX_BUILT_MAX = 20000 /* derivations in one log */
};
void guix_told_read(struct guix_told *t, struct arena *a, struct slice log);
void guix_told_fini(struct guix_told *t);
bool guix_told_built(const struct guix_told *t, const char *drv);
/*
 * `build --check -K' of drv found other bits: the path where it kept them, else
 * NULL.  Only output with "-check" after it is believed.
 */
const char *guix_check_differs(
	struct arena *a, struct slice log, const char *drv, const char *output);
/* Where `build -K' of drv says that it left the folder it was built in; NULL when
 * it does not. */
const char *
guix_kept_folder(struct arena *a, struct slice log, const char *drv);
/* `build --check' of drv could not be: its output is not there. */
bool guix_check_impossible(struct slice log, const char *drv);

/*
 * The next line of a log: up to \n, \r or a character of Guix's progress bar,
 * which shares lines with messages; escape sequences and empty lines are
 * skipped.  False at the end.
 */
bool guix_log_line(struct slice *log, struct slice *line);

#endif
