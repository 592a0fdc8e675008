/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/path.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum {
	REMOVE_DEPTH_MAX = 200
};

char *
path_join(const char *dir, const char *name)
{
	if (name[0] == '/' || !dir || !dir[0])
		return xstrdup(name);
	return xasprintf(
		"%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

char *
path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xmemdup0(path, slash == path ? 1 : (size_t)(slash - path));
}

char *
path_absolute(const char *path)
{
	CLEANUP(own_free)
	char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);

	return path_join(here, path);
}

bool
path_normalise(struct buf *out, struct slice path)
{
	size_t start = out->n, i = 0;

	if (path.n > PATH_MAX_BYTES || (path.n && memchr(path.p, 0, path.n)))
		return false;
	while (i < path.n) {
		size_t from = i;
		struct slice part;

		while (i < path.n && path.p[i] != '/')
			i++;
		part = (struct slice){path.p + from, i - from};
		i++;
		if (part.n == 0 || slice_is(part, "."))
			continue;
		if (slice_is(part, "..")) {
			out->n = start;
			if (out->p)
				out->p[start] = '\0';
			return false;
		}
		if (out->n > start)
			buf_char(out, '/');
		buf_slice(out, part);
	}
	return true;
}

int
path_mkdirs(const char *path, mode_t mode, struct err *e)
{
	CLEANUP(own_free)
	char *p = xstrdup(path);

	for (char *at = p + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return err_sys(e, ERR_HOST, "%s: cannot make", p);
		*at = '/';
	}
	if (mkdir(p, mode) < 0) {
		struct stat st;

		if (errno != EEXIST)
			return err_sys(e, ERR_HOST, "%s: cannot make", p);
		if (stat(p, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_set(e, ERR_HOST, "%s: is no folder", p);
	}
	return 0;
}

/* Remove what is in folder fd (closed here); depth guards the recursion. */
static int
empty_folder(int fd, dev_t dev, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;
	int failed = 0;

	if (!d) {
		close(fd);
		return -1;
	}
	while (!failed && (entry = readdir(d))) {
		const char *name = entry->d_name;
		struct stat st;
		int below;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlinkat(fd, name, 0) == 0)
			continue;
		if ((errno != EISDIR && errno != EPERM) ||
			fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISDIR(st.st_mode) || st.st_dev != dev ||
			depth >= REMOVE_DEPTH_MAX) {
			failed = errno != ENOENT;
			continue;
		}
		/* Where this fails, so does what follows. */
		(void)!fchmodat(fd, name, 0700, 0);
		below = openat(fd, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		failed = below < 0 || empty_folder(below, dev, depth + 1) < 0 ||
			unlinkat(fd, name, AT_REMOVEDIR) < 0;
	}
	closedir(d);
	return failed ? -1 : 0;
}

int
path_remove(const char *path, struct err *e)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, ERR_HOST, "%s: cannot remove", path);
	}
	if (!S_ISDIR(st.st_mode)) {
		if (unlink(path) < 0)
			return err_sys(e, ERR_HOST, "%s: cannot remove", path);
		return 0;
	}
	(void)!chmod(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || empty_folder(fd, st.st_dev, 0) < 0 || rmdir(path) < 0)
		return err_sys(e, ERR_HOST, "%s: cannot remove", path);
	return 0;
}

int
path_read(const char *path, size_t cap, struct buf *out, struct err *e)
{
	CLEANUP(own_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char chunk[16384];
	size_t total = 0;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, errno == ENOENT ? ERR_ABSENT : ERR_INPUT,
			"%s: cannot open", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: is no regular file", path);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_INPUT, "%s: cannot read", path);
		total += (size_t)n;
		if (total > cap)
			return err_set(e, ERR_INPUT,
				"%s: larger than the %zu bytes allowed", path,
				cap);
		buf_add(out, chunk, (size_t)n);
	}
	return 0;
}

bool
path_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

void
path_spread(const char *folder)
{
	CLEANUP(own_fd)
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return;
	flags |= FS_TOPDIR_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

char *
path_program(const char *name)
{
	CLEANUP(own_free)
	char *path = NULL;
	const char *dirs = getenv("PATH");
	char *real;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? realpath(name, NULL) : NULL;
	for (; dirs && *dirs; dirs += *dirs == ':') {
		size_t n = strcspn(dirs, ":");

		free(path);
		path = xasprintf("%.*s/%s", (int)n, dirs, name);
		dirs += n;
		if (n && access(path, X_OK) == 0 &&
			(real = realpath(path, NULL)))
			return real;
	}
	return NULL;
}
