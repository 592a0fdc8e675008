/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_BLOBS_H
#define UB_FETCH_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * The blob folder CACHE/oci: what was brought here, each blob under its own
 * SHA-256.  It is an OCI image layout (image-spec, image-layout.md) whose index
 * is empty, so that whoever reads oci:DIR reads what is here:
 *
 *	oci-layout  index.json
 *	blobs/sha256/HEX    whole and verified, else it would not be here
 *	part/NAME           not whole: being written, or to be resumed
 *	bad/HEX             did not hash to its name (unblend doctor --verify)
 *	web/HEX             what a web server said of a file (fetch/web.h)
 *	lock                its bytes are what processes lock, see blobs.c
 *
 * Any number of processes use it at the same time.  Any of them may be killed
 * at any moment: locks end with their process, and a blob is renamed into place
 * only when it is whole, has the right digest, and is on the disk.
 */
struct blobs;

/* Bytes that the folder may grow to, where no limit is given: 20 GiB. */
#define BLOBS_LIMIT (UINT64_C(20) << 30)
/*
 * A limit as people write it: bytes, with K, M, G or T after the number where
 * wanted (powers of 1024), or "none".  False when it is anything else.
 */
bool blobs_limit_parse(const char *text, uint64_t *out);
/* As limit: none.  As a size: not known before. */
#define BLOBS_ANY UINT64_MAX

/*
 * Open CACHE/oci, made with mode 0700 where absent: images may be private.
 * When what is put makes it larger than limit bytes, blobs go that are not in
 * use, the least recently used first; what is in use stays even then, and goes
 * when blobs_close ends that use.  ERR_HOST, when the folder cannot be used.
 */
int blobs_open(const char *cache, uint64_t limit, struct blobs **out,
	struct err *e) NODISCARD;
/* Ends the use of all that was found or put by b.  NULL is fine. */
void blobs_close(struct blobs *b);
/* CLEANUP(own_blobs) struct blobs *b = NULL; */
void own_blobs(struct blobs **b);

/* CACHE/oci, absolute; b's own. */
const char *blobs_folder(const struct blobs *b);
/* Where that blob is or would be; the caller's to free. */
char *blobs_path(const struct blobs *b, const struct digest *d);

/* Where its bytes gather until it is whole; the caller's to free. */
char *blobs_part_path(const struct blobs *b, const struct digest *d);

/*
 * Is this blob here?  1: yes, *size (may be NULL) gets its bytes, and from now
 * it is in use: no process removes it before blobs_close(b) or the end of this
 * process, however it ends.  0: no.  -1: ERR_HOST.
 */
int blobs_find(struct blobs *b, const struct digest *d, uint64_t *size,
	struct err *e) NODISCARD;

/*
 * Read a blob of at most cap bytes that blobs_find found, and check its digest;
 * ERR_INPUT when it is larger or no longer what its name says.
 */
int blobs_read(struct blobs *b, const struct digest *d, size_t cap,
	struct buf *out, struct err *e) NODISCARD;

/*
 * A blob on its way in.  Several may be open at once, also of the same blob, in
 * one process or many; all of them can be committed.
 *
 *	CLEANUP(own_blobs_put) struct blobs_put *put = NULL;
 *	if (blobs_put_open(b, &want, size, NULL, &put, e) < 0) ...
 *	... ask for what follows the blobs_put_have(put) bytes that are here;
 *	    when all comes instead: blobs_put_restart(put, e) ...
 *	if (blobs_put_write(put, p, n, e) < 0) ...        as often as it takes
 *	return blobs_put_commit(put, &got, e);
 *
 * One that ends without commit leaves its bytes to be resumed, by any later
 * run, where it had a want or a name; otherwise nothing.
 */
struct blobs_put;

/*
 * want: the digest it must have; NULL: any.  size: the bytes it must have, or
 * BLOBS_ANY; known, room is made for it first.  name: what a put without want
 * is resumed by (letters, digits, "-", not 64 digits); NULL: it is not
 * resumed.  When another put writes the same partial just now, this one starts
 * at 0 and shares nothing with it.
 */
int blobs_put_open(struct blobs *b, const struct digest *want, uint64_t size,
	const char *name, struct blobs_put **out, struct err *e) NODISCARD;
/* Bytes that are here already: those of an earlier run and those written. */
uint64_t blobs_put_have(const struct blobs_put *put);
/* Will they be kept for a later run, if it ends without commit? */
bool blobs_put_is_kept(const struct blobs_put *put);
/* Forget them; the digest starts anew. */
int blobs_put_restart(struct blobs_put *put, struct err *e) NODISCARD;
/*
 * The next bytes.  ERR_INPUT when they are more than size, ERR_HOST when the
 * disk does not take them even after blobs not in use went: the partial goes
 * then, so that a full disk is left with more room, not less.
 */
int blobs_put_write(struct blobs_put *put, const void *p, size_t n,
	struct err *e) NODISCARD;
/*
 * All is written: check size and digest, bring it to the disk, put it in place;
 * in use from now as by blobs_find.  *got (may be NULL) gets its digest.
 * ERR_TRANSIENT when it is shorter than size: it can be resumed.  ERR_INPUT when
 * it is not what was wanted: its bytes are forgotten, so that a further try
 * starts at 0.
 */
int blobs_put_commit(
	struct blobs_put *put, struct digest *got, struct err *e) NODISCARD;
/* Forget its bytes; nothing is left to resume. */
void blobs_put_drop(struct blobs_put *put);
/* Ends it, committed or not.  NULL is fine. */
void blobs_put_close(struct blobs_put *put);
void own_blobs_put(struct blobs_put **put);

/* Put n bytes that are at hand; *got (may be NULL) gets their digest. */
int blobs_add(struct blobs *b, const void *p, size_t n, struct digest *got,
	struct err *e) NODISCARD;

/* --- housekeeping ---------------------------------------------------------- */

enum blobs_kind {
	BLOBS_WHOLE, /* blobs/sha256/HEX */
	BLOBS_PART,  /* part/NAME */
	BLOBS_BAD    /* bad/HEX */
};

enum blobs_fate {
	BLOBS_STAYS,
	BLOBS_IN_USE, /* would have gone, were it not in use */
	BLOBS_GOES,   /* removed; with dry_run: would be */
	BLOBS_GOOD,   /* blobs_verify: hashes to its name */
	BLOBS_DAMAGED /* blobs_verify: does not; moved to bad/ */
};

struct blobs_entry {
	enum blobs_kind kind;
	const char *name; /* in its folder: 64 hex digits, unless a partial */
	uint64_t size;
	int64_t used_s; /* last use, seconds since 1970 */
};

/* Told of one entry; the entry is borrowed for the call. */
typedef void
blobs_tell(void *arg, const struct blobs_entry *entry, enum blobs_fate fate);

/* Seconds without a write after which a partial goes. */
enum {
	BLOBS_PART_AGE_S = 7 * 24 * 3600
};

/*
 * Remove what is old: all that is bad, partials that nobody writes and that
 * nobody will resume, and then, least recently used first, what makes the
 * folder larger than limit bytes (0: all).  Nothing in use.  Every entry is
 * told once, in the order of last use.
 */
int blobs_gc(struct blobs *b, uint64_t limit, bool dry_run, blobs_tell *tell,
	void *arg, struct err *e) NODISCARD;

/*
 * Hash every blob; what does not hash to its name is moved to bad/, in use or
 * not, so that nobody reads it again.  Told in the order of names.
 */
int blobs_verify(
	struct blobs *b, blobs_tell *tell, void *arg, struct err *e) NODISCARD;

#endif
