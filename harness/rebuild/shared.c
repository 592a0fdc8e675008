/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/shared.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/mirror.h"

enum {
	LOCK_DIGITS = 2 /* of the hash: 32 * 32 files to lock */
};

/* The name of a store item; anything else is one already. */
static const char *
base_of(const char *key)
{
	size_t n = strlen(GUIX_STORE);

	return strncmp(key, GUIX_STORE, n) == 0 ? key + n : key;
}

static int
by_digits(const void *a, const void *b)
{
	return strncmp(base_of(*(const char *const *)a),
		base_of(*(const char *const *)b), LOCK_DIGITS);
}

/* All lock in the same order, so that nobody waits for one who waits for him. */
void
shared_lock(struct task *t, const char *const *drvs, size_t n,
	struct shared_lock *out)
{
	const char **v;
	struct err e = {0};

	if (!t->o->shared || n == 0 || path_mkdirs(t->o->shared, 0700, &e) < 0)
		return;
	v = xcalloc(n, sizeof(*v));
	memcpy(v, drvs, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_digits);
	out->fds = xcalloc(n < SHARED_LOCKS ? n : SHARED_LOCKS, sizeof(int));
	for (size_t i = 0; i < n && out->n < SHARED_LOCKS; i++) {
		CLEANUP(own_free)
		char *path = xasprintf("%s/lock-%.*s", t->o->shared,
			LOCK_DIGITS, base_of(v[i]));
		int fd;

		if (i > 0 && by_digits(&v[i - 1], &v[i]) == 0)
			continue;
		fd = mirror_lock(path, t->until_ms, t->o->stop, &e);
		if (fd < 0)
			break;
		out->fds[out->n++] = fd;
	}
	free(v);
}

void
shared_unlock(struct shared_lock *lock)
{
	while (lock->n > 0)
		close(lock->fds[--lock->n]);
	free(lock->fds);
	*lock = (struct shared_lock){0};
}

static char *
path_of(const struct task *t, const char *key, const char *word)
{
	return xasprintf("%s/%s.%s", t->o->shared, base_of(key), word);
}

bool
shared_get(const struct task *t, const char *key, const char *word,
	struct buf *out)
{
	CLEANUP(own_free)
	char *path = NULL;
	struct err e = {0};

	buf_clear(out);
	if (!t->o->shared)
		return false;
	path = path_of(t, key, word);
	return path_read(path, SHARED_BYTES, out, &e) == 0;
}

void
shared_put(const struct task *t, const char *key, const char *word,
	struct slice text)
{
	CLEANUP(own_free)
	char *path = NULL;
	struct err e = {0};

	if (!t->o->shared || text.n > SHARED_BYTES)
		return;
	path = path_of(t, key, word);
	(void)!aside_write_brief(path, text.p, text.n, &e);
}
