/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A folder of files, made as the lines say: "d PATH", "f PATH CONTENTS", "l PATH
 * TARGET" (a symbolic link), "h PATH OTHER" (a hard one), "p PATH" (a fifo), "m
 * PATH MODE", "x PATH NAME VALUE" (an attribute).  Lines that cannot be are nothing.
 */
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>

#include "base/path.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Of the rest of the line, as a string of its own. */
static bool
take_word(struct slice *rest, char *out, size_t cap)
{
	const char *at = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	size_t n = at ? (size_t)(at - rest->p) : rest->n;

	if (n >= cap || memchr(rest->p, '\0', n))
		return false;
	memcpy(out, rest->p, n);
	out[n] = '\0';
	rest->p += n + (at != NULL);
	rest->n -= n + (at != NULL);
	return n > 0;
}

/* The folder that path is in, and its last part; nothing leads out of root. */
static int
open_parent(int root, char *path, const char **last)
{
	int fd = dup(root);

	for (;;) {
		char *slash = strchr(path, '/');
		int next;

		*last = path;
		if (fd < 0 || strcmp(path, "..") == 0 || path[0] == '\0' ||
			strncmp(path, "../", 3) == 0) {
			if (fd >= 0)
				close(fd);
			return -1;
		}
		if (!slash)
			return fd;
		*slash = '\0';
		next = path[0] == '\0'
			? -1
			: openat(fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		close(fd);
		fd = next;
		path = slash + 1;
	}
}

static void
make_file(int folder, const char *name, struct slice contents)
{
	int fd = openat(
		folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);

	if (fd < 0)
		return;
	if (write(fd, contents.p, contents.n) != (ssize_t)contents.n)
		abort();
	close(fd);
}

static void
make_link(int root, int folder, const char *name, char *other)
{
	const char *last;
	int there = open_parent(root, other, &last);

	if (there < 0)
		return;
	(void)!linkat(there, last, folder, name, 0);
	close(there);
}

static void
make_attribute(int folder, const char *name, struct slice rest)
{
	char attribute[300];
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	if (take_word(&rest, attribute, sizeof(attribute)))
		(void)!fsetxattr(fd, attribute, rest.p, rest.n, 0);
	close(fd);
}

static void
make_one(int root, struct slice line)
{
	char path[300], other[300];
	const char *last;
	int folder;
	char what = line.n > 2 && line.p[1] == ' ' ? line.p[0] : '\0';

	line = (struct slice){line.p + 2, line.n > 2 ? line.n - 2 : 0};
	if (!what || !take_word(&line, path, sizeof(path)))
		return;
	folder = open_parent(root, path, &last);
	if (folder < 0)
		return;
	if (what == 'd')
		(void)!mkdirat(folder, last, 0755);
	else if (what == 'p')
		(void)!mkfifoat(folder, last, 0600);
	else if (what == 'f')
		make_file(folder, last, line);
	else if (what == 'x')
		make_attribute(folder, last, line);
	else if (take_word(&line, other, sizeof(other))) {
		if (what == 'l')
			(void)!symlinkat(other, folder, last);
		else if (what == 'h')
			make_link(root, folder, last, other);
		else if (what == 'm')
			(void)!fchmodat(folder, last,
				(mode_t)strtoul(other, NULL, 8) & 07777, 0);
	}
	close(folder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct image_limits limits = image_limits_default;
	char path[] = "/dev/shm/fuzz.XXXXXX";
	struct slice rest = {(const char *)data, len};
	struct image *image = NULL;
	struct err e = {0};
	int root, lines = 0;

	if (len == 0 || len > 8192)
		return 0;
	root = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY) : -1;
	if (root < 0)
		abort();
	for (; rest.n && lines < 100; lines++) {
		const char *at = memchr(rest.p, '\n', rest.n);
		size_t n = at ? (size_t)(at - rest.p) : rest.n;

		make_one(root, (struct slice){rest.p, n});
		rest.p += n + (at != NULL);
		rest.n -= n + (at != NULL);
	}
	close(root);
	limits.unpacked = 8 << 20;
	if (image_read(path, &limits, &image, &e) < 0) {
		if (image || (e.kind != ERR_INPUT && e.kind != ERR_POLICY))
			abort();
	} else {
		fuzz_file_check(image);
		image_free(image);
	}
	if (path_remove(path, &e) < 0)
		abort();
	return 0;
}
