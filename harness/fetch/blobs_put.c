/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/file.h>
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fetch/blobs.h"
#include "fetch/blobs_own.h"

enum {
	CHUNK_BYTES = 1 << 17,
	NAME_BYTES = 80, /* of a partial */
	TRIES = 100,     /* to open a partial that others take away */
	/* Room to make at once on a full disk, where more is to come. */
	YIELD_BYTES = 64 << 20,
	/* written before the disk is asked to begin with them */
	WRITEBACK_BYTES = 8 << 20
};

struct blobs_put {
	struct blobs *b;
	bool has_want, is_private;
	struct digest want;
	uint64_t size; /* BLOBS_ANY: not known */
	uint64_t have;
	uint64_t begun; /* bytes that are on their way to the disk */
	int fd; /* of the partial, flocked by us alone; -1 once it is gone */
	char name[BLOBS_NAME]; /* "part/..." */
	struct digest_sum *sum;
};

/* Is what fd has open still what that name has?  One that another put in
 * place or removed since is not. */
static bool
is_there(const struct blobs *b, int fd, const char *name)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
		fstatat(b->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(opened.st_mode) && opened.st_ino == named.st_ino &&
		opened.st_dev == named.st_dev;
}

/* 1: the partial of put->name is ours; 0: another writes it. */
static int
open_shared(struct blobs_put *put, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(own_fd)
		int fd = openat(put->b->dir, put->name,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			break;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				return 0;
			break;
		}
		if (!is_there(put->b, fd, put->name))
			continue;
		put->fd = steal_fd(&fd);
		return 1;
	}
	return err_sys(
		e, ERR_HOST, "%s/%s: cannot write", put->b->folder, put->name);
}

static int
open_private(struct blobs_put *put, struct err *e)
{
	put->is_private = true;
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(own_free)
		char *path = xasprintf("%s/" PART_DIR "/" PRIVATE_PART "XXXXXX",
			put->b->folder);
		CLEANUP(own_fd)
		int fd = mkostemp(path, O_CLOEXEC);

		if (fd < 0)
			break;
		snprintf(put->name, sizeof(put->name), "%s",
			path + strlen(put->b->folder) + 1);
		/* Until it is locked, blobs_gc may take it for left over. */
		if (flock(fd, LOCK_EX | LOCK_NB) < 0 ||
			!is_there(put->b, fd, put->name))
			continue;
		put->fd = steal_fd(&fd);
		return 0;
	}
	return err_sys(
		e, ERR_HOST, "%s/" PART_DIR ": cannot write", put->b->folder);
}

/* Take what an earlier run left into the digest. */
static int
resume(struct blobs_put *put, struct err *e)
{
	CLEANUP(own_free)
	char *chunk = xmalloc(CHUNK_BYTES);
	ssize_t n;

	while ((n = read(put->fd, chunk, CHUNK_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_HOST, "%s/%s: cannot read",
				put->b->folder, put->name);
		digest_add(put->sum, chunk, (size_t)n);
		put->have += (uint64_t)n;
	}
	if (put->have > put->size)
		return blobs_put_restart(put, e);
	return 0;
}

static bool
is_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-')
			return false;
	return name[0] && strlen(name) <= NAME_BYTES &&
		strlen(name) != DIGEST_HEX;
}

int
blobs_put_open(struct blobs *b, const struct digest *want, uint64_t size,
	const char *name, struct blobs_put **out, struct err *e)
{
	CLEANUP(own_blobs_put)
	struct blobs_put *put = xcalloc(1, sizeof(*put));
	char hex[DIGEST_HEX + 1];
	int found = 0;

	*put = (struct blobs_put){.b = b,
		.has_want = want != NULL,
		.size = size,
		.fd = -1,
		.sum = digest_new()};
	if (want) {
		put->want = *want;
		digest_hex(want, hex);
		name = hex;
	} else if (name && !is_name(name)) {
		return err_set(e, ERR_BUG, "'%s' names no partial blob", name);
	}
	if (size != BLOBS_ANY && blobs_make_room(b, size, e) < 0)
		return -1;
	if (name) {
		snprintf(put->name, sizeof(put->name), PART_DIR "/%s", name);
		found = open_shared(put, e);
	}
	if (found < 0 || (!found && open_private(put, e) < 0) ||
		(found && resume(put, e) < 0))
		return -1;
	*out = STEAL(put);
	return 0;
}

uint64_t
blobs_put_have(const struct blobs_put *put)
{
	return put->have;
}

bool
blobs_put_is_kept(const struct blobs_put *put)
{
	return !put->is_private;
}

int
blobs_put_restart(struct blobs_put *put, struct err *e)
{
	if (ftruncate(put->fd, 0) < 0 || lseek(put->fd, 0, SEEK_SET) < 0)
		return err_sys(e, ERR_HOST, "%s/%s: cannot empty",
			put->b->folder, put->name);
	put->have = 0;
	(void)digest_end(put->sum);
	return 0;
}

/* After a write or flush that failed: errno is why. */
static int
give_up(struct blobs_put *put, struct err *e)
{
	int result =
		err_sys(e, ERR_HOST, "%s: cannot write a blob", put->b->folder);

	blobs_put_drop(put);
	return result;
}

/* A full disk: may the write be tried again? */
static bool
has_yielded(struct blobs_put *put, int why)
{
	uint64_t need = put->size == BLOBS_ANY ? 0 : put->size - put->have;
	struct err ignored;

	if (why != ENOSPC && why != EDQUOT)
		return false;
	return blobs_yield(put->b, need > YIELD_BYTES ? need : YIELD_BYTES,
		       &ignored) > 0;
}

/* The end waits for the disk: let it begin while the rest is still to come. */
static void
begin_writeback(struct blobs_put *put)
{
	if (put->begun > put->have)
		put->begun = 0; /* it was restarted */
	if (put->have - put->begun < WRITEBACK_BYTES)
		return;
	(void)sync_file_range(put->fd, (off_t)put->begun,
		(off_t)(put->have - put->begun), SYNC_FILE_RANGE_WRITE);
	put->begun = put->have;
}

int
blobs_put_write(struct blobs_put *put, const void *p, size_t n, struct err *e)
{
	const char *at = p;

	if (put->fd < 0)
		return err_set(e, ERR_BUG, "a blob that was dropped goes on");
	if (n > put->size - put->have)
		return err_set(e, ERR_INPUT,
			"more than the %" PRIu64 " bytes that it should have",
			put->size);
	digest_add(put->sum, p, n);
	while (n) {
		ssize_t done = write(put->fd, at, n);
		int why = errno;

		if (done < 0 && why == EINTR)
			continue;
		if (done < 0 && has_yielded(put, why))
			continue;
		if (done < 0) {
			errno = why;
			return give_up(put, e);
		}
		at += done;
		n -= (size_t)done;
		put->have += (uint64_t)done;
	}
	begin_writeback(put);
	return 0;
}

/* Make the new name last: the folder, too, must reach the disk. */
static int
sync_folder(const struct blobs *b, struct err *e)
{
	CLEANUP(own_fd)
	int fd = openat(b->dir, BLOBS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, ERR_HOST, "%s/" BLOBS_DIR ": cannot flush",
			b->folder);
	return 0;
}

static int
check(struct blobs_put *put, struct digest *found, struct err *e)
{
	char want[DIGEST_HEX + 1], got[DIGEST_HEX + 1];

	if (put->size != BLOBS_ANY && put->have != put->size)
		return err_set(e, ERR_TRANSIENT,
			"ends after %" PRIu64 " of %" PRIu64 " bytes",
			put->have, put->size);
	*found = digest_end(put->sum);
	if (!put->has_want || digest_eq(found, &put->want))
		return 0;
	digest_hex(&put->want, want);
	digest_hex(found, got);
	blobs_put_drop(put);
	return err_set(e, ERR_INPUT,
		"its bytes have sha256:%s, expected sha256:%s", got, want);
}

int
blobs_put_commit(struct blobs_put *put, struct digest *got, struct err *e)
{
	struct blobs *b = put->b;
	struct digest found;
	char name[BLOBS_NAME];

	if (put->fd < 0)
		return err_set(e, ERR_BUG, "a blob that was dropped is put");
	if (check(put, &found, e) < 0)
		return -1;
	if (fsync(put->fd) < 0)
		return give_up(put, e);
	blobs_name(&found, name);
	/* In use before it is there, so that it is still there after. */
	if (blobs_lock(b, b->lock, &found, F_RDLCK, true, e) < 0)
		return -1;
	if (renameat(b->dir, put->name, b->dir, name) < 0)
		return give_up(put, e);
	close(put->fd);
	put->fd = -1;
	if (sync_folder(b, e) < 0)
		return -1;
	if (got)
		*got = found;
	return blobs_grown(b, put->have, e);
}

void
blobs_put_drop(struct blobs_put *put)
{
	if (put->fd < 0)
		return;
	unlinkat(put->b->dir, put->name, 0);
	close(put->fd);
	put->fd = -1;
}

void
blobs_put_close(struct blobs_put *put)
{
	if (!put)
		return;
	if (put->is_private || put->have == 0)
		blobs_put_drop(put);
	if (put->fd >= 0)
		close(put->fd);
	digest_free(put->sum);
	free(put);
}

void
own_blobs_put(struct blobs_put **put)
{
	blobs_put_close(*put);
}

int
blobs_add(struct blobs *b, const void *p, size_t n, struct digest *got,
	struct err *e)
{
	CLEANUP(own_blobs_put)
	struct blobs_put *put = NULL;

	if (blobs_put_open(b, NULL, n, NULL, &put, e) < 0 ||
		blobs_put_write(put, p, n, e) < 0)
		return -1;
	return blobs_put_commit(put, got, e);
}
