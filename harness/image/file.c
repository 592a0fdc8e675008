/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"

enum {
	CHUNK = 1 << 17
};

struct file {
	int fd;
	char *chunk;
	uint64_t size; /* told by fstat */
	uint64_t got;  /* given by the source so far */
	struct digest_sum *sum;
};

static int
check_regular(struct file *f, const struct image_limits *limits, struct err *e)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return err_sys(e, ERR_HOST, "cannot stat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "is no regular file");
	f->size = (uint64_t)st.st_size;
	if (f->size > limits->file_bytes)
		return limits_refuse(limits, LIMIT_file_bytes, e,
			"has %llu bytes", (unsigned long long)f->size);
	return 0;
}

int
file_open(const char *path, const struct image_limits *limits,
	struct file **out, struct err *e)
{
	/* O_NONBLOCK: a fifo without a writer must not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENXIO) /* a socket */
		return err_set(e, ERR_INPUT, "is no regular file");
	if (fd < 0)
		return err_sys(e,
			errno == ENOENT || errno == ENOTDIR ? ERR_ABSENT
							    : ERR_HOST,
			"cannot open");
	return file_take(fd, limits, out, e);
}

int
file_take(int fd, const struct image_limits *limits, struct file **out,
	struct err *e)
{
	CLEANUP(own_image_file)
	struct file *f = xcalloc(1, sizeof(*f));

	f->fd = fd;
	if (check_regular(f, limits, e) < 0)
		return -1;
	f->chunk = xmalloc(CHUNK);
	f->sum = limits->is_provenance_only ? NULL : digest_new();
	*out = STEAL(f);
	return 0;
}

uint64_t
file_size(const struct file *f)
{
	return f->size;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct file *f = arg;
	ssize_t n;

	do
		n = read(f->fd, f->chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, ERR_HOST, "cannot read");
	f->got += (uint64_t)n;
	if (f->got > f->size || (n == 0 && f->got < f->size))
		return err_set(e, ERR_HOST, "changed while it was read");
	if (f->sum)
		digest_add(f->sum, f->chunk, (size_t)n);
	*out = (struct slice){f->chunk, (size_t)n};
	return n > 0;
}

struct layer_source
file_source(struct file *f)
{
	return (struct layer_source){block, f};
}

int
file_read_at(struct file *f, uint64_t at, void *p, size_t n, struct err *e)
{
	char *to = p;

	if (at > f->size || n > f->size - at)
		return err_set(e, ERR_INPUT,
			"ends at byte %llu, where %zu bytes at %llu should be",
			(unsigned long long)f->size, n, (unsigned long long)at);
	while (n > 0) {
		ssize_t got = pread(f->fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_HOST, "cannot read");
		if (got == 0)
			return err_set(
				e, ERR_HOST, "changed while it was read");
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

struct digest
file_digest(struct file *f)
{
	return f->sum ? digest_end(f->sum) : (struct digest){0};
}

void
file_close(struct file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	digest_free(f->sum);
	free(f->chunk);
	free(f);
}

void
own_image_file(struct file **f)
{
	file_close(*f);
}
