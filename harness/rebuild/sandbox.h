/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_SANDBOX_H
#define UB_REBUILD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/words.h"

struct sandbox_bind {
	const char *path; /* the same inside and outside */
	const char *from; /* what is to be seen there; NULL: path itself */
	bool is_rw;
};

enum {
	SANDBOX_BINDS = 16,
	SANDBOX_HIDDEN = 12
};

/*
 * What bubblewrap shows of the machine: all of it read-only, without network,
 * but for hidden folders, which are empty, and binds, made after those.  {0}
 * hides and shows nothing.  Strings are borrowed.
 */
struct sandbox {
	const char *hidden[SANDBOX_HIDDEN];
	size_t n_hidden;
	struct sandbox_bind binds[SANDBOX_BINDS];
	size_t n_binds;
	const char *dir;     /* working directory */
	const char *env[24]; /* name, value, name, value, ... */
	size_t n_env;
	bool has_network; /* the machine's own */
	bool keeps_env;   /* the environment is child_spec's, env is not used */
	struct arena arena; /* of what sandbox_plan made up */
};

/* Where the rebuild's own folders are, all absolute. */
struct sandbox_places {
	const char *home;     /* private HOME: read and write */
	const char *profiles; /* seen as the user's folder of Guix profiles */
	const char *mirrors;  /* read-only */
	const char *work;     /* channels.scm, manifest.scm: read-only */
	const char *roots;    /* below work: GC roots are made here */
	const char *guix;     /* the program, links resolved */
	const char *socket;   /* of a daemon of our own; NULL: the machine's */
};

/* The state of Guix: GUIX_STATE_DIRECTORY is not supported. */
#define SANDBOX_STATE "/var/guix"
#define SANDBOX_PROFILES SANDBOX_STATE "/profiles/per-user"

/*
 * Look at the machine (which folders are there, the environment) and decide
 * what is hidden: /tmp, /run with its sockets, every home, other users'
 * profiles; and what is shown: the places.  ERR_HOST when Guix's state is not
 * there or its daemon is only to be reached over a network.
 */
int sandbox_plan(struct sandbox *s, const struct sandbox_places *places,
	struct err *e) NODISCARD;
void sandbox_fini(struct sandbox *s);

/*
 * The sandbox of git: the system read-only without homes, temporary folders,
 * sockets, Guix's state and its store (unless git itself is from there); mirror
 * alone can be written, and what is readable (NULL-ended absolute paths; those
 * not there are skipped) is shown where it would be hidden.  git: the program,
 * links resolved.
 */
void sandbox_plan_git(struct sandbox *s, const char *git, const char *mirror,
	const char *const *readable, bool has_network);

/* Pure: add the command line of bwrap that runs cmd (NULL-ended) to argv. */
void sandbox_argv(const struct sandbox *s, int status_fd,
	const char *const *cmd, struct words *argv);

/*
 * Pure: what `bwrap --json-status-fd' wrote.  True and *code when the payload
 * was run and ended; without an exit-code it was not run (or bwrap was killed),
 * whatever bwrap's own status is.  A killed payload reads 128 and the signal.
 */
bool sandbox_exit_code(struct slice json, int *code);

/*
 * Run cmd in it.  spec gives clocks and caps (argv and pass_fd are set here).
 * *has_run tells whether cmd was run to an end of its own: then *code is its
 * exit code.  outcome is of bwrap itself.  As child_run for the rest.
 */
int sandbox_run(const struct sandbox *s, const char *const *cmd,
	struct child_spec spec, struct buf *out, struct buf *log,
	const volatile int *stop, struct outcome *outcome, bool *has_run,
	int *code, struct err *e) NODISCARD;

#endif
