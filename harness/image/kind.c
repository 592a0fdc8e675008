/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/kind.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/ar.h"
#include "image/file.h"
#include "image/outer.h"
#include "image/rpm.h"
#include "image/squashfs.h"

enum {
	MAGIC_BYTES = 8,
	BEFORE_MAX = 64 << 20 /* bytes of files before a store */
};

static const struct {
	const char *magic;
	size_t n;
	enum kind kind;
} magics[] = {
	{SQUASHFS_MAGIC, sizeof(SQUASHFS_MAGIC) - 1, KIND_SQUASHFS},
	{AR_MAGIC, sizeof(AR_MAGIC) - 1, KIND_DEB},
	{RPM_MAGIC, sizeof(RPM_MAGIC) - 1, KIND_RPM},
	{"\177ELF", 4, KIND_APPIMAGE},
};

/* Is it a file that only a docker archive has, of whatever tool? */
static bool
is_of_docker(struct slice name)
{
	static const char *const names[] = {
		"VERSION", "json", "repositories", "oci-layout"};
	const char *slash = memrchr(name.p, '/', name.n);
	struct slice last = name;

	if (slash)
		last = (struct slice){
			slash + 1, name.n - (size_t)(slash + 1 - name.p)};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_is(last, names[i]))
			return true;
	return slice_ends(last, ".json") || slice_ends(last, ".tar") ||
		slice_starts(name, "blobs/");
}

/* A failure is left to the reader: it will see the same. */
static bool
has_store(const char *path, const struct image_limits *limits)
{
	static const char store[] = "gnu/store";
	CLEANUP(own_outer)
	struct outer *o = NULL;
	CLEANUP(buf_fini)
	struct buf name = {0};
	const struct tar_member *m;
	uint64_t before = 0;
	struct err ignored = {0};

	if (outer_open(path, limits, &o, &ignored) < 0)
		return false;
	while (outer_next(o, &m, &ignored) > 0) {
		buf_clear(&name);
		if (!path_normalise(&name, m->path))
			return false;
		if (slice_starts(buf_get(&name), store) &&
			(name.n == sizeof(store) - 1 ||
				name.p[sizeof(store) - 1] == '/'))
			return true;
		before += m->size;
		if (m->type == TAR_FILE &&
			(is_of_docker(buf_get(&name)) || before > BEFORE_MAX))
			return false;
	}
	return false;
}

int
kind_of_file(const char *path, const struct image_limits *limits,
	enum kind *out, struct err *e)
{
	CLEANUP(own_image_file)
	struct file *f = NULL;
	char head[MAGIC_BYTES] = {0};
	size_t n = sizeof(head);

	*out = KIND_DOCKER;
	if (file_open(path, limits, &f, e) < 0)
		return -1;
	if (file_size(f) < n)
		n = (size_t)file_size(f);
	if (file_read_at(f, 0, head, n, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (n >= magics[i].n &&
			memcmp(head, magics[i].magic, magics[i].n) == 0) {
			*out = magics[i].kind;
			return 0;
		}
	if (has_store(path, limits))
		*out = KIND_TARBALL;
	return 0;
}
