/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REBUILD_POLICY_H
#define UB_REBUILD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/words.h"
#include "provenance/provenance.h"

/*
 * Which channels' code may be run.  The official Guix channel with its known
 * URLs and introductions is built in; a trust file adds others:
 *
 *	(trust
 *	 (version 0)
 *	 ;; one channel under its introduction; whatever is at a URL
 *	 (channel (url "https://...") (introduction (commit "...") (signer "...")))
 *	 (channel (url "https://..."))
 *	 ;; wherever they are: what this introduces; what this signer introduced
 *	 (introduction (commit "...") (signer "..."))
 *	 (signer "..."))
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

/*
 * Where channels have moved, from a file:
 *
 *	(mirrors
 *	 (version 0)
 *	 (mirror (from "https://old.example.org/") (to "https://new.example.org/")))
 *
 * A channel whose URL begins with `from' is fetched from `to' and the rest.
 * Adds from, to, from, to, ... to pairs.  Mistakes as of trust_load, and then
 * pairs may have some of the file.
 */
int moves_load(const char *path, struct words *pairs, struct err *e) NODISCARD;
enum {
	MOVES_MAX = 10000 /* mirrors, of all files and options */
};

/* A URL that unblend itself may hand to git: https, http, git, ssh-less; file
 * only where it is absolute.  No option-like text, no control characters. */
bool policy_url_ok(const char *url);
/* Exactly 40 lower-case hex digits. */
bool policy_commit_ok(const char *commit);
/* An OpenPGP fingerprint: 40 hex digits, spaces between them or not. */
bool policy_signer_ok(const char *signer);

/* Limits on one job, and so on one rebuild; 0: none. */
struct limits {
	int64_t deadline_s;    /* wall time of the whole rebuild */
	int64_t silence_s;     /* without a line from Guix */
	uint64_t log_bytes;    /* kept of the log (head and tail) */
	uint64_t output_bytes; /* kept of the stdout of one command */
	uint64_t said_bytes;   /* output of all commands, kept or not */
	uint64_t memory_bytes; /* of all processes; of each without cgroup */
	uint64_t processes;    /* threads too */
	uint64_t cpus;         /* processors */
	uint64_t disk_bytes;   /* of builds of a daemon of the job's own */
};
/* 3600 s, 600 s, 4 MiB, 1 MiB, 1 GiB, none, 16384, none, none */
extern const struct limits limits_default;

#endif
