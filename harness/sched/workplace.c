/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/aside.h"
#include "base/path.h"
#include "sched/own.h"

/*
 * The folder of a run's jobs.  Beside their folders it has
 *	workers  locked by every worker, and so as long as one is left
 *	boot     which start of the machine it is from
 *	policy   what the run was told, in words
 */
enum {
	WAIT_MS = 100,
	WAIT_TIMES = 600, /* a killed worker ends at once, a stopped one soon */
	BOOT_MAX = 100,
	POLICY_MAX = 4 << 20
};

/* Until nobody has the file locked. */
static int
wait_for_workers(int fd, const char *path, struct err *e)
{
	for (int i = 0; i < WAIT_TIMES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, ERR_HOST, "%s: cannot lock", path);
		poll(NULL, 0, WAIT_MS);
	}
	return err_set(e, ERR_HOST,
		"%s: workers of a run before still run, after %d s", path,
		WAIT_MS * WAIT_TIMES / 1000);
}

int
workplace_clear(struct scheduler *s, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(s->work, "workers");
	CLEANUP(own_fd)
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, ERR_HOST, "%s", path);
	return wait_for_workers(fd, path, e);
}

/* Which start of the machine this is; "" where that is not told. */
static void
read_boot(struct buf *out)
{
	struct err ignored;

	if (path_read("/proc/sys/kernel/random/boot_id", BOOT_MAX, out,
		    &ignored) < 0)
		buf_clear(out);
}

static int
write_mark(struct scheduler *s, const char *name, const struct buf *text,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(s->work, name);

	return aside_write(path, buf_text(text), text->n, e);
}

int
workplace_open(struct scheduler *s, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(s->work, "workers");
	CLEANUP(buf_fini)
	struct buf boot = {0};

	read_boot(&boot);
	if (path_mkdirs(s->work, 0700, e) < 0)
		return -1;
	path_spread(s->work);
	s->workers_fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->workers_fd < 0 || flock(s->workers_fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(e, ERR_HOST, "%s", path);
	if (write_mark(s, "policy", &s->basis.text, e) < 0)
		return -1;
	return write_mark(s, "boot", &boot, e);
}

bool
workplace_is_sound(const struct scheduler *s)
{
	CLEANUP(own_free)
	char *path = path_join(s->work, "boot");
	CLEANUP(buf_fini)
	struct buf was = {0};
	CLEANUP(buf_fini)
	struct buf is = {0};
	struct err ignored;

	read_boot(&is);
	return is.n > 0 && path_read(path, BOOT_MAX, &was, &ignored) == 0 &&
		strcmp(buf_text(&was), buf_text(&is)) == 0;
}

/* The first line of a that is not the same in b; "" where a has no more. */
static struct slice
first_other(const char *a, const char *b)
{
	for (;;) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

		if (n != m || memcmp(a, b, n) != 0)
			return (struct slice){a, n};
		if (!a[n] || !b[m])
			return (struct slice){"", 0};
		a += n + 1;
		b += m + 1;
	}
}

void
workplace_tell_policy(const struct scheduler *s, struct buf *out)
{
	CLEANUP(own_free)
	char *path = path_join(s->work, "policy");
	CLEANUP(buf_fini)
	struct buf was = {0};
	struct err ignored;
	struct slice then, now;

	if (path_read(path, POLICY_MAX, &was, &ignored) < 0) {
		buf_str(out,
			"depth, trust file, mirrors, platform, limits or "
			"the version of unblend");
		return;
	}
	then = first_other(buf_text(&was), buf_text(&s->basis.text));
	now = first_other(buf_text(&s->basis.text), buf_text(&was));
	buf_str(out, "it had '");
	buf_slice(out, then.n ? then : slice_of("no more mirrors"));
	buf_str(out, "', this has '");
	buf_slice(out, now.n ? now : slice_of("no more mirrors"));
	buf_str(out, "'");
}

/* ---- what is in it ---- */

int
workplace_keep(const char *folder, const char *const *names, struct err *e)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, ERR_HOST, "%s", folder);
	while (rc == 0 && (entry = readdir(d))) {
		const char *const *n = names;
		CLEANUP(own_free)
		char *path = path_join(folder, entry->d_name);

		while (*n && strcmp(*n, entry->d_name) != 0)
			n++;
		if (!*n && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			rc = path_remove(path, e);
	}
	closedir(d);
	return rc;
}

/* Of a group, of an image that is not judged, or the folder's own. */
static bool
is_of_use(const struct scheduler *s, const char *name)
{
	static const char *const own[] = {"workers", "boot", "policy"};
	char *end;
	unsigned long n;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	if (name[0] != 'i')
		return name[0] == 'r' || name[0] == '.';
	n = strtoul(name + 1, &end, 10);
	return !*end && n > 0 && n <= s->n_queue && !s->queue[n - 1].is_done;
}

int
workplace_sweep(const struct scheduler *s, struct err *e)
{
	DIR *d = opendir(s->work);
	const struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_sys(e, ERR_HOST, "%s", s->work);
	while (rc == 0 && (entry = readdir(d))) {
		CLEANUP(own_free)
		char *path = path_join(s->work, entry->d_name);

		if (!is_of_use(s, entry->d_name))
			rc = path_remove(path, e);
	}
	closedir(d);
	return rc;
}
