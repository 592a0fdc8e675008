/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/path.h"
#include "fetch/blobs.h"
#include "fetch/blobs_own.h"

/* --- what is there --------------------------------------------------------- */

struct item {
	enum blobs_kind kind;
	uint64_t size;
	struct timespec used;
	struct digest digest;  /* BLOBS_WHOLE, BLOBS_BAD */
	char name[BLOBS_NAME]; /* with its folder */
};

struct list {
	struct item *v;
	size_t n, cap;
	uint64_t total;
};

static void
list_fini(struct list *list)
{
	free(list->v);
}

static const char *const folders[] = {
	[BLOBS_WHOLE] = BLOBS_DIR,
	[BLOBS_PART] = PART_DIR,
	[BLOBS_BAD] = BAD_DIR,
};

/* What has another kind of name, or is no file, is nothing of ours. */
static void
add_item(const struct blobs *b, enum blobs_kind kind, const char *name,
	struct list *list)
{
	struct item item = {.kind = kind};
	struct stat st;

	if (name[0] == '.' ||
		strlen(name) + strlen(folders[kind]) + 2 > BLOBS_NAME ||
		(kind != BLOBS_PART &&
			(strlen(name) != DIGEST_HEX ||
				!digest_parse(slice_of(name), &item.digest))))
		return;
	snprintf(item.name, sizeof(item.name), "%s/%s", folders[kind], name);
	/* Gone since it was listed: another process is cleaning, too. */
	if (fstatat(b->dir, item.name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode))
		return;
	item.size = (uint64_t)st.st_size;
	item.used = st.st_mtim;
	VEC_GROW(list->v, list->n, list->cap);
	list->v[list->n++] = item;
	list->total += item.size;
}

static int
list_folder(const struct blobs *b, enum blobs_kind kind, struct list *list,
	struct err *e)
{
	int fd = openat(
		b->dir, folders[kind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, ERR_HOST, "%s/%s: cannot list", b->folder,
			folders[kind]);
	}
	while ((entry = readdir(d)))
		add_item(b, kind, entry->d_name, list);
	closedir(d);
	return 0;
}

static int
list_all(const struct blobs *b, struct list *list, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (list_folder(b, (enum blobs_kind)i, list, e) < 0)
			return -1;
	return 0;
}

static int
by_use(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
by_name(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const char *
bare_name(const struct item *item)
{
	return item->name + strlen(folders[item->kind]) + 1;
}

static void
tell_of(const struct item *item, enum blobs_fate fate, blobs_tell *tell,
	void *arg)
{
	struct blobs_entry entry = {.kind = item->kind,
		.name = bare_name(item),
		.size = item->size,
		.used_s = (int64_t)item->used.tv_sec};

	if (tell)
		tell(arg, &entry, fate);
}

/* --- what goes ------------------------------------------------------------- */

static bool
is_private(const struct item *item)
{
	return item->kind == BLOBS_PART &&
		strncmp(bare_name(item), PRIVATE_PART, strlen(PRIVATE_PART)) ==
		0;
}

static int
remove_item(const struct blobs *b, const struct item *item, bool dry_run,
	struct err *e)
{
	if (!dry_run && unlinkat(b->dir, item->name, 0) < 0 && errno != ENOENT)
		return err_sys(e, ERR_HOST, "%s/%s: cannot remove", b->folder,
			item->name);
	return 1;
}

/* A partial is in use by whom it is flocked. */
static int
remove_part(const struct blobs *b, const struct item *item, bool dry_run,
	struct err *e)
{
	CLEANUP(own_fd)
	int fd = openat(b->dir, item->name,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT
			? 1
			: err_sys(e, ERR_HOST, "%s/%s", b->folder, item->name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	return remove_item(b, item, dry_run, e);
}

/* 1: it is gone (dry_run: would be), 0: it is in use. */
static int
remove_unused(const struct blobs *b, int lock, const struct item *item,
	bool dry_run, struct err *e)
{
	int result;

	if (item->kind == BLOBS_BAD)
		return remove_item(b, item, dry_run, e);
	if (item->kind == BLOBS_PART)
		return remove_part(b, item, dry_run, e);
	result = blobs_lock(b, lock, &item->digest, F_WRLCK, false, e);
	if (result <= 0)
		return result;
	result = remove_item(b, item, dry_run, e);
	if (blobs_lock(b, lock, &item->digest, F_UNLCK, false, e) < 0)
		return -1;
	return result;
}

int
blobs_gc(struct blobs *b, uint64_t limit, bool dry_run, blobs_tell *tell,
	void *arg, struct err *e)
{
	CLEANUP(list_fini)
	struct list list = {0};
	/* Of its own, so that what b uses counts as in use here too. */
	CLEANUP(own_fd)
	int lock = blobs_open_lock(b, e);
	int64_t old_s = clock_wall_s() - BLOBS_PART_AGE_S;

	if (lock < 0 || list_all(b, &list, e) < 0)
		return -1;
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), by_use);
	for (size_t i = 0; i < list.n; i++) {
		const struct item *item = &list.v[i];
		int gone = 0;
		bool must = limit == 0 || list.total > limit ||
			item->kind == BLOBS_BAD || is_private(item) ||
			(item->kind == BLOBS_PART && item->used.tv_sec < old_s);

		if (must)
			gone = remove_unused(b, lock, item, dry_run, e);
		if (gone < 0)
			return -1;
		if (gone)
			list.total -= item->size;
		tell_of(item,
			gone           ? BLOBS_GOES
				: must ? BLOBS_IN_USE
				       : BLOBS_STAYS,
			tell, arg);
	}
	b->total = list.total;
	b->has_total = true;
	return 0;
}

static int
count(struct blobs *b, struct err *e)
{
	CLEANUP(list_fini)
	struct list list = {0};

	if (b->has_total)
		return 0;
	if (list_all(b, &list, e) < 0)
		return -1;
	b->total = list.total;
	b->has_total = true;
	return 0;
}

int
blobs_make_room(struct blobs *b, uint64_t size, struct err *e)
{
	if (b->limit == BLOBS_ANY)
		return 0;
	if (count(b, e) < 0)
		return -1;
	if (b->total + size <= b->trim_at || b->total + size < size)
		return 0;
	if (blobs_gc(b, b->limit > size ? b->limit - size : 1, false, NULL,
		    NULL, e) < 0)
		return -1;
	/* Where all is in use, the next look can wait. */
	b->trim_at = b->limit;
	if (b->total + size > b->limit)
		b->trim_at = b->total + size + b->limit / 16;
	return 0;
}

int
blobs_grown(struct blobs *b, uint64_t size, struct err *e)
{
	if (b->has_total)
		b->total += size;
	return blobs_make_room(b, 0, e);
}

int
blobs_yield(struct blobs *b, uint64_t need, struct err *e)
{
	CLEANUP(list_fini)
	struct list list = {0};
	uint64_t before;

	if (list_all(b, &list, e) < 0)
		return -1;
	before = list.total;
	if (blobs_gc(b, before > need ? before - need : 1, false, NULL, NULL,
		    e) < 0)
		return -1;
	return b->total < before;
}

/* --- what is damaged ------------------------------------------------------- */

/* 1: good, 0: not, -1: it is gone, or cannot be moved (ERR_HOST). */
static int
verify(const struct blobs *b, const struct item *item, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(b->folder, item->name);
	CLEANUP(own_free)
	char *bad = xasprintf("%s/" BAD_DIR "/%s", b->folder, bare_name(item));
	struct digest found;
	struct err why = {0};

	/* What cannot be read is as useless as what reads wrong. */
	if (digest_file(path, &found, NULL, &why) < 0) {
		if (why.kind == ERR_ABSENT)
			return err_set(e, ERR_ABSENT, "%s", why.text);
	} else if (digest_eq(&found, &item->digest)) {
		return 1;
	}
	if (rename(path, bad) < 0)
		return err_sys(e, ERR_HOST, "%s: cannot move to %s", path, bad);
	return 0;
}

int
blobs_verify(struct blobs *b, blobs_tell *tell, void *arg, struct err *e)
{
	CLEANUP(list_fini)
	struct list list = {0};
	CLEANUP(own_fd)
	int lock = blobs_open_lock(b, e);

	if (lock < 0 || list_folder(b, BLOBS_WHOLE, &list, e) < 0)
		return -1;
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), by_name);
	for (size_t i = 0; i < list.n; i++) {
		const struct item *item = &list.v[i];
		struct err why = {0};
		int good;

		if (blobs_lock(b, lock, &item->digest, F_RDLCK, true, e) < 0)
			return -1;
		good = verify(b, item, &why);
		if (blobs_lock(b, lock, &item->digest, F_UNLCK, true, e) < 0)
			return -1;
		if (good < 0 && why.kind == ERR_ABSENT)
			continue;
		if (good < 0) {
			*e = why;
			return -1;
		}
		tell_of(item, good ? BLOBS_GOOD : BLOBS_DAMAGED, tell, arg);
	}
	return 0;
}
