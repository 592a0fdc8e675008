/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/blobs.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/path.h"
#include "fetch/blobs_own.h"

void
blobs_name(const struct digest *d, char out[BLOBS_NAME])
{
	static const char prefix[] = BLOBS_DIR "/";

	memcpy(out, prefix, sizeof(prefix) - 1);
	digest_hex(d, out + sizeof(prefix) - 1);
}

/*
 * Locks of an open file description (fcntl(2)): any number of blobs with one
 * descriptor, kept apart from locks by other descriptors of this same process,
 * and gone with the last copy of theirs.  A blob's byte is the number that the
 * first 62 bits of its digest are; two that share one are only kept longer.
 */
int
blobs_lock(const struct blobs *b, int fd, const struct digest *d, int type,
	bool wait, struct err *e)
{
	struct flock at = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_len = 1};
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | d->b[i];
	at.l_start = (off_t)(n >> 2);
	while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &at) < 0) {
		if (errno == EINTR)
			continue;
		if (!wait && (errno == EAGAIN || errno == EACCES))
			return 0;
		return err_sys(e, ERR_HOST, "%s/" LOCK_FILE ": cannot lock",
			b->folder);
	}
	return 1;
}

int
blobs_open_lock(const struct blobs *b, struct err *e)
{
	int fd = openat(b->dir, LOCK_FILE,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(e, ERR_HOST, "%s/" LOCK_FILE ": cannot open",
			b->folder);
	return fd;
}

bool
blobs_limit_parse(const char *text, uint64_t *out)
{
	static const char suffixes[] = "KMGT";
	uint64_t n = 0;
	const char *p = text, *suffix;

	if (strcmp(text, "none") == 0) {
		*out = BLOBS_ANY;
		return true;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	if (p == text)
		return false;
	if (*p) {
		suffix = strchr(suffixes, *p);
		if (!suffix || p[1] != '\0')
			return false;
		for (const char *s = suffixes; s <= suffix; s++)
			if (__builtin_mul_overflow(n, 1024, &n))
				return false;
	}
	*out = n;
	return true;
}

/* A small file of the layout, unless there is one. */
static int
supply(const struct blobs *b, const char *name, const char *text, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(b->folder, name);

	if (path_exists(path))
		return 0;
	return aside_write(path, text, strlen(text), e);
}

static int
make_layout(struct blobs *b, struct err *e)
{
	static const char *const folders[] = {BLOBS_DIR, PART_DIR, BAD_DIR};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		CLEANUP(own_free)
		char *path = path_join(b->folder, folders[i]);

		if (path_mkdirs(path, 0700, e) < 0)
			return -1;
	}
	/* image-spec, image-layout.md: both files must be there. */
	if (supply(b, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}\n", e) <
			0 ||
		supply(b, "index.json",
			"{\"schemaVersion\":2,\"manifests\":[]}\n", e) < 0)
		return -1;
	b->dir = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->dir < 0)
		return err_sys(e, ERR_HOST, "%s: cannot open", b->folder);
	b->lock = blobs_open_lock(b, e);
	return b->lock < 0 ? -1 : 0;
}

int
blobs_open(const char *cache, uint64_t limit, struct blobs **out, struct err *e)
{
	CLEANUP(own_free)
	char *whole = path_absolute(cache);
	CLEANUP(own_blobs)
	struct blobs *b = xcalloc(1, sizeof(*b));

	*b = (struct blobs){.folder = path_join(whole, "oci"),
		.dir = -1,
		.lock = -1,
		.limit = limit,
		.trim_at = limit};
	if (path_mkdirs(whole, 0755, e) < 0 || make_layout(b, e) < 0)
		return err_wrap(e, "the blob folder");
	*out = STEAL(b);
	return 0;
}

void
blobs_close(struct blobs *b)
{
	struct err ignored;

	if (!b)
		return;
	/* What was in use by us alone may go now. */
	if (b->lock >= 0)
		close(b->lock);
	if (b->has_total && b->total > b->limit)
		(void)!blobs_gc(b, b->limit, false, NULL, NULL, &ignored);
	if (b->dir >= 0)
		close(b->dir);
	free(b->folder);
	free(b);
}

void
own_blobs(struct blobs **b)
{
	blobs_close(*b);
}

const char *
blobs_folder(const struct blobs *b)
{
	return b->folder;
}

char *
blobs_path(const struct blobs *b, const struct digest *d)
{
	char name[BLOBS_NAME];

	blobs_name(d, name);
	return path_join(b->folder, name);
}

char *
blobs_part_path(const struct blobs *b, const struct digest *d)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(d, hex);
	return xasprintf("%s/" PART_DIR "/%s", b->folder, hex);
}

int
blobs_find(
	struct blobs *b, const struct digest *d, uint64_t *size, struct err *e)
{
	char name[BLOBS_NAME];
	struct stat st;

	/* First in use, then looked for: what is seen then stays. */
	if (blobs_lock(b, b->lock, d, F_RDLCK, true, e) < 0)
		return -1;
	blobs_name(d, name);
	if (fstatat(b->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, ERR_HOST, "%s/%s", b->folder, name);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_HOST, "%s/%s: is no regular file",
			b->folder, name);
	/* The time of last use; it costs only order when it cannot be set. */
	(void)!utimensat(b->dir, name, NULL, AT_SYMLINK_NOFOLLOW);
	if (size)
		*size = (uint64_t)st.st_size;
	return 1;
}

int
blobs_read(struct blobs *b, const struct digest *d, size_t cap, struct buf *out,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = blobs_path(b, d);
	size_t start = out->n;
	struct digest found;

	if (path_read(path, cap, out, e) < 0)
		return -1;
	found = digest_of(buf_text(out) + start, out->n - start);
	if (!digest_eq(&found, d))
		return err_set(e, ERR_INPUT,
			"%s: does not hash to its name; unblend doctor "
			"--verify moves it away",
			path);
	return 0;
}
