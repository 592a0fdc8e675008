/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_BLOBS_OWN_H
#define UB_FETCH_BLOBS_OWN_H

#include "fetch/blobs.h"

/* What the files of the blob folder share; nobody else includes it. */

#define BLOBS_DIR "blobs/sha256"
#define PART_DIR "part"
#define BAD_DIR "bad"
#define LOCK_FILE "lock"
/* Names of partials that nobody can resume start so; no name given can. */
#define PRIVATE_PART "new."

enum {
	/* "blobs/sha256/" or "part/", a name, and its NUL */
	BLOBS_NAME = 100
};

struct blobs {
	char *folder;
	int dir;  /* of the folder, for openat */
	int lock; /* read-locked: the bytes of blobs in use */
	uint64_t limit;
	uint64_t total;   /* bytes in the folder as far as we know */
	uint64_t trim_at; /* more than that: time to look again */
	bool has_total;
};

/* "blobs/sha256/HEX" */
void blobs_name(const struct digest *d, char out[BLOBS_NAME]);

/*
 * Lock the byte of lock file fd that stands for d: type is F_RDLCK (in use),
 * F_WRLCK (to remove it) or F_UNLCK.  1: done; 0: others are in the way (only
 * without wait); -1: ERR_HOST.
 */
int blobs_lock(const struct blobs *b, int fd, const struct digest *d, int type,
	bool wait, struct err *e) NODISCARD;
/* A descriptor of the lock file with locks of its own. */
int blobs_open_lock(const struct blobs *b, struct err *e) NODISCARD;

/* A blob of size bytes is there now: go back below the limit if need be. */
int blobs_grown(struct blobs *b, uint64_t size, struct err *e) NODISCARD;
/*
 * The disk is full: remove what was least recently used until at least need
 * bytes went.  1: some did, 0: there is nothing to remove.
 */
int blobs_yield(struct blobs *b, uint64_t need, struct err *e) NODISCARD;
/* Room for size more bytes below the limit. */
int blobs_make_room(struct blobs *b, uint64_t size, struct err *e) NODISCARD;

#endif
