/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/outer.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "image/shown.h"

enum {
	CHUNK = 1 << 17
};

struct outer {
	const struct image_limits *limits;
	int fd;
	char *chunk;
	uint64_t size; /* of the file, told by fstat */
	uint64_t got;  /* of it so far */
	struct digest_sum *file_sum;
	struct layer_budget budget;
	struct layer_stream *stream;
	struct tar *tar;
	uint32_t n_members;
	struct digest_sum *member_sum;
	bool has_digest; /* of the present member */
	bool has_failed;
};

static int
read_file(void *arg, struct slice *out, struct err *e)
{
	struct outer *o = arg;
	ssize_t n;

	do
		n = read(o->fd, o->chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, ERR_HOST, "cannot read");
	o->got += (uint64_t)n;
	if (o->got > o->size || (n == 0 && o->got < o->size))
		return err_set(e, ERR_HOST, "changed while it was read");
	digest_add(o->file_sum, o->chunk, (size_t)n);
	*out = (struct slice){o->chunk, (size_t)n};
	return n > 0;
}

static int
open_file(struct outer *o, const char *path, struct err *e)
{
	struct stat st;

	/* O_NONBLOCK: a fifo without a writer must not hold us. */
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (o->fd < 0)
		return err_sys(e,
			errno == ENOENT || errno == ENOTDIR ? ERR_ABSENT
							    : ERR_HOST,
			"cannot open");
	if (fstat(o->fd, &st) < 0)
		return err_sys(e, ERR_HOST, "cannot stat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "is no regular file");
	o->size = (uint64_t)st.st_size;
	if (o->size > o->limits->file_bytes)
		return err_set(e, ERR_POLICY,
			"has %llu bytes, allowed are %llu (limit file_bytes)",
			(unsigned long long)o->size,
			(unsigned long long)o->limits->file_bytes);
	o->chunk = xmalloc(CHUNK);
	return 0;
}

int
outer_open(const char *path, const struct image_limits *limits,
	struct outer **out, struct err *e)
{
	CLEANUP(own_outer)
	struct outer *o = xcalloc(1, sizeof(*o));

	o->limits = limits;
	o->fd = -1;
	if (open_file(o, path, e) < 0)
		return -1;
	o->file_sum = digest_new();
	o->member_sum = digest_new();
	o->budget = (struct layer_budget){
		.unpacked = limits->unpacked,
		.ratio = limits->ratio,
		.packed = o->size,
	};
	if (layer_open((struct layer_source){read_file, o}, &o->budget, false,
		    &o->stream, e) < 0)
		return -1;
	if (!layer_is_tar(o->stream))
		return err_set(e, ERR_INPUT, "%s",
			o->size == 0 ? "is empty"
				     : "is no image: neither a tar nor a "
				       "compressed one");
	o->tar = tar_new(layer_source(o->stream), NULL);
	*out = STEAL(o);
	return 0;
}

int
outer_next(struct outer *o, const struct tar_member **out, struct err *e)
{
	int r = tar_next(o->tar, out, e);

	if (r <= 0)
		return r;
	if (++o->n_members > o->limits->members)
		return err_set(e, ERR_POLICY,
			"has more than %u members (limit members)",
			o->limits->members);
	(void)digest_end(o->member_sum);
	o->has_digest = true;
	return 1;
}

static int
read_member(void *arg, struct slice *out, struct err *e)
{
	struct outer *o = arg;
	int r = layer_pull(tar_contents(o->tar), out, e);

	if (r > 0 && o->has_digest)
		digest_add(o->member_sum, out->p, out->n);
	if (r < 0)
		o->has_failed = true;
	return r;
}

struct layer_source
outer_contents(struct outer *o)
{
	return (struct layer_source){read_member, o};
}

void
outer_stop_digest(struct outer *o)
{
	o->has_digest = false;
}

int
outer_end_member(struct outer *o, struct digest *out, struct err *e)
{
	struct slice part;
	int r;

	while ((r = read_member(o, &part, e)) > 0)
		;
	*out = digest_end(o->member_sum);
	return r;
}

bool
outer_has_failed(const struct outer *o)
{
	return o->has_failed;
}

int
outer_finish(
	struct outer *o, struct digest *sha256, uint64_t *size, struct err *e)
{
	if (tar_finish(o->tar, true, e) < 0)
		return -1;
	*sha256 = digest_end(o->file_sum);
	*size = o->got;
	return 0;
}

enum compression
outer_compression(const struct outer *o)
{
	return layer_compression(o->stream);
}

uint64_t
outer_size(const struct outer *o)
{
	return o->size;
}

void
outer_close(struct outer *o)
{
	if (!o)
		return;
	tar_free(o->tar);
	layer_close(o->stream);
	digest_free(o->file_sum);
	digest_free(o->member_sum);
	if (o->fd >= 0)
		close(o->fd);
	free(o->chunk);
	free(o);
}

void
own_outer(struct outer **o)
{
	outer_close(*o);
}
