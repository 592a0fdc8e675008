/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_POLICY_H
#define UB_REBUILD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "provenance/provenance.h"

/*
 * Which channels' code may be run.  The official Guix channel with its known
 * URLs and introductions is built in; a trust file adds others:
 *
 *	(trust
 *	 (version 0)
 *	 (channel (url "https://...") (introduction (commit "...") (signer "...")))
 *	 (channel (url "https://...")))    ; any introduction, or none recorded
 */
struct trust;

/* path NULL: only what is built in.  Unknown fields, duplicates and bad values
 * are ERR_INPUT "FILE:LINE:COLUMN: what". */
struct trust *trust_load(const char *path, struct err *e) NODISCARD;
void trust_free(struct trust *t);
/* CLEANUP(own_trust) struct trust *t = NULL; */
void own_trust(struct trust **t);
/*
 * True when c may be run.  Else why (appended) says what would be run, from
 * where and signed by whom, and line the (channel ...) form to add.  A trusted
 * URL with another introduction than the listed one is refused.
 */
bool trust_allows(const struct trust *t, const struct channel *c,
	struct buf *why, struct buf *line);

/* A URL that unblend itself may hand to git: https, http, git, ssh-less; file
 * only where it is absolute.  No option-like text, no control characters. */
bool policy_url_ok(const char *url);
/*
 * Where else the channel of this URL is to be had, NULL-ended: the official
 * channel has moved.  Guix authenticates what comes from there all the same.
 */
const char *const *policy_other_urls(const char *url);
/* Exactly 40 lower-case hex digits. */
bool policy_commit_ok(const char *commit);

/* Limits on one rebuild. */
struct limits {
	int64_t deadline_s;    /* wall time of the whole rebuild */
	int64_t silence_s;     /* without a line from Guix */
	uint64_t log_bytes;    /* kept of the log (head and tail) */
	uint64_t output_bytes; /* stdout of one command */
	uint64_t memory_bytes; /* address space of the client; 0: none */
};
extern const struct limits limits_default; /* 3600 s, 600 s, 4 MiB, 1 MiB, 0 */

#endif
