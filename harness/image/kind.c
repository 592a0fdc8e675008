/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/kind.h"

#include <sys/stat.h>

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/path.h"
#include "image/ar.h"
#include "image/file.h"
#include "image/inside.h"
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

/* Is it a file that docker export or podman export adds, and no pack has? */
static bool
is_of_export(struct slice name)
{
	return slice_is(name, ".dockerenv") ||
		slice_is(name, "etc/resolv.conf") ||
		slice_is(name, "run/.containerenv");
}

/*
 * KIND_TARBALL or KIND_ROOTFS where there is a store, else KIND_ARCHIVE.  A
 * failure is left to the reader: it will see the same.
 */
static enum kind
kind_of_tar(const char *path, const struct image_limits *limits)
{
	static const char store[] = "gnu/store";
	CLEANUP(own_outer)
	struct outer *o = NULL;
	CLEANUP(buf_fini)
	struct buf name = {0};
	const struct tar_member *m;
	enum kind with_store = KIND_TARBALL;
	uint64_t before = 0;
	struct err ignored = {0};

	if (outer_open(path, limits, &o, &ignored) < 0)
		return KIND_ARCHIVE;
	while (outer_next(o, &m, &ignored) > 0) {
		buf_clear(&name);
		if (!path_normalise(&name, m->path))
			return KIND_ARCHIVE;
		if (is_of_export(buf_get(&name)))
			with_store = KIND_ROOTFS;
		if (slice_starts(buf_get(&name), store) &&
			(name.n == sizeof(store) - 1 ||
				name.p[sizeof(store) - 1] == '/'))
			return with_store;
		before += m->size;
		if (m->type == TAR_FILE &&
			(is_of_docker(buf_get(&name)) || before > BEFORE_MAX))
			return KIND_ARCHIVE;
	}
	return KIND_ARCHIVE;
}

static int
kind_of_file(const char *path, const struct image_limits *limits,
	enum kind *out, struct err *e)
{
	CLEANUP(own_image_file)
	struct file *f = NULL;
	char head[MAGIC_BYTES] = {0};
	size_t n = sizeof(head);

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
	*out = kind_of_tar(path, limits);
	return 0;
}

static int
kind_of_folder(const char *path, enum kind *out, struct err *e)
{
	/* The first that is there: what is in a layout is named so. */
	static const struct {
		const char *name;
		enum kind kind;
	} names[] = {
		{"oci-layout", KIND_LAYOUT},
		{"index.json", KIND_LAYOUT},
		{"manifest.json", KIND_DIR},
		{"gnu", KIND_ROOTFS_FOLDER},
	};
	CLEANUP(own_fd)
	int folder = -1;

	if (inside_open(path, &folder, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (inside_has(folder, names[i].name)) {
			*out = names[i].kind;
			return 0;
		}
	return err_set(e, ERR_INPUT,
		"is a folder without an index.json (oci:), a manifest.json "
		"(dir:) or a gnu (rootfs:)");
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int
kind_of_place(const struct place *place, const struct image_limits *limits,
	enum kind *out, struct err *e)
{
	switch (place->transport) {
	case TRANSPORT_DOCKER_ARCHIVE:
	case TRANSPORT_OCI_ARCHIVE:
		*out = KIND_ARCHIVE;
		return 0;
	case TRANSPORT_OCI:
		*out = KIND_LAYOUT;
		return 0;
	case TRANSPORT_DIR:
		*out = KIND_DIR;
		return 0;
	case TRANSPORT_ROOTFS:
		*out = is_folder(place->path) ? KIND_ROOTFS_FOLDER
					      : KIND_ROOTFS;
		return 0;
	case TRANSPORT_PACK:
		return is_folder(place->path)
			? kind_of_folder(place->path, out, e)
			: kind_of_file(place->path, limits, out, e);
	case TRANSPORT_DOCKER:
	case TRANSPORT_DOCKER_DAEMON:
	case TRANSPORT_WEB:
	default:
		return err_set(
			e, ERR_BUG, "'%.100s' was not fetched", place->path);
	}
}
