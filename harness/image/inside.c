/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/inside.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "image/shown.h"

static int
failed(const char *path, struct err *e)
{
	const char *name = path[0] ? path : ".";

	if (errno == ENOENT)
		return err_set(e, ERR_ABSENT, "'%s' is not there",
			shown_of(slice_of(name)).text);
	if (errno == ELOOP || errno == ENOTDIR)
		return err_set(e, ERR_INPUT,
			"'%s' is, or is behind, a symbolic link or what is no "
			"folder: it is not followed",
			shown_of(slice_of(name)).text);
	if (errno == ENXIO) /* a socket, or a device that is not there */
		return err_set(e, ERR_INPUT, "'%s' is no regular file",
			shown_of(slice_of(name)).text);
	return err_sys(e, ERR_HOST, "'%s': cannot open",
		shown_of(slice_of(name)).text);
}

int
inside_open(const char *path, int *fd, struct err *e)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == ENOTDIR)
		return err_set(e, ERR_INPUT, "is no folder");
	return err_sys(
		e, errno == ENOENT ? ERR_ABSENT : ERR_HOST, "cannot open");
}

/* openat2(2) would do it in one call, where no seccomp filter forbids it. */
int
inside_at(int folder, const char *path, int flags, int *out, struct err *e)
{
	CLEANUP(own_fd)
	int at = -1;
	CLEANUP(buf_fini)
	struct buf name = {0};
	const char *rest = path;

	for (;;) {
		size_t n = strcspn(rest, "/");
		bool is_last = rest[n] == '\0';
		int next;

		buf_clear(&name);
		buf_add(&name, rest, n);
		if (n == 0 || slice_is(buf_get(&name), ".."))
			return err_set(e, ERR_INPUT,
				"'%s' is no path below the folder",
				shown_of(slice_of(path)).text);
		next = openat(at < 0 ? folder : at, buf_text(&name),
			(is_last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW |
				O_CLOEXEC);
		if (next < 0)
			return failed(path, e);
		if (is_last) {
			*out = next;
			return 0;
		}
		if (at >= 0)
			close(at);
		at = next;
		rest += n + 1;
	}
}

int
inside_file(int folder, const char *path, const struct image_limits *limits,
	struct file **out, struct err *e)
{
	int fd;

	/* O_NONBLOCK: a fifo without a writer must not hold us. */
	if (inside_at(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, e) <
		0)
		return -1;
	if (file_take(fd, limits, out, e) < 0)
		return err_wrap(e, "'%s'", shown_of(slice_of(path)).text);
	return 0;
}

bool
inside_has(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
