/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_MIRROR_H
#define UB_REBUILD_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "provenance/provenance.h"
#include "rebuild/classify.h"

/*
 * A bare git repository a channel URL, at CACHE/mirrors/SHA256-OF-URL.git,
 * that only grows: branches and tags of wherever the channel was fetched from,
 * and a branch unblend-keep/COMMIT for each commit that was asked for, so that
 * a clone of it has that commit whatever becomes of the channel's branches.
 */
struct mirror_options {
	const char *cache; /* the folder, absolute */
	const char *const
		*redirects; /* from, to, from, to, ..., NULL; or NULL */
	int64_t until_ms;   /* of clock_mono_ms */
	int64_t silence_ms;
	size_t log_cap;
	const volatile int *stop;
	struct buf *log; /* what git said is appended */
	/* the date of the commit, in seconds since 1970; -1: not known.  May be
	 * NULL */
	int64_t *date_s;
	/* each command line as run */
	void (*ran)(void *arg, const char *const *argv);
	void *ran_arg;
};

/*
 * Have the channel's commit (and its introduction's) in the mirror: fetch only
 * what is not there yet, from the redirected URL, the URL itself, and where
 * else an official channel is to be had.  URL and commits have passed policy.
 * git runs in bubblewrap, with the network, without homes and the store; of what
 * it sees only this mirror can be written.  Returns 1 with *path (in a) when the
 * mirror has them; 0 with *why when no place does: every place that was asked is
 * in its cause, with what it answered; -1 for ERR_HOST, ERR_ABSENT (no git) and
 * ERR_TRANSIENT (locked).
 */
int mirror_get(const struct mirror_options *o, const struct channel *c,
	struct arena *a, const char **path, struct diagnosis *why,
	struct err *e) NODISCARD;

/* "CACHE/mirrors/SHA256.git"; the caller's own string. */
char *mirror_path(const char *cache, const char *url);
/*
 * Pure: the places of a URL in the order they are asked, NULL-ended, in a: those
 * of redirects, the longest prefix first; the URL itself; and for an official
 * one where that channel is today.
 */
const char *const *
mirror_places(const char *const *redirects, const char *url, struct arena *a);

/*
 * Pure: the text of a git configuration that makes file access of a client go
 * to the mirrors: url.<file:///MIRROR>.insteadOf of each URL.
 */
void mirror_config(const char *const *paths, const struct channel *channels,
	size_t n, struct buf *out);

/*
 * An exclusive lock on file path (made), waited for until the clock until_ms or
 * *stop.  Returns the descriptor, closing it lets go; -1 with ERR_TRANSIENT
 * when it was not to be had in time, ERR_HOST else.
 */
int mirror_lock(const char *path, int64_t until_ms, const volatile int *stop,
	struct err *e) NODISCARD;

#endif
