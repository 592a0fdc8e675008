/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/flat.h"

#include <string.h>

#include "base/attr.h"

/* What is there of a path. */
enum form {
	FORM_FOLDER,
	FORM_EMPTY, /* a file of no bytes */
	FORM_FILE,  /* a file of few bytes: a name, some addresses */
	FORM_DEVICE /* a device, or an empty file to mount it on */
};

enum {
	FILE_MAX = 4096
};

/*
 * moby, daemon/initlayer (setup_unix.go), and container/container_unix.go;
 * podman, libpod/container_internal_common.go, and the OCI runtime-spec's
 * default file systems (config-linux.md).
 */
static const struct {
	const char *path;
	enum form form;
} runtime[] = {
	{".dockerenv", FORM_EMPTY},
	{".dockerinit", FORM_EMPTY},
	{"dev", FORM_FOLDER},
	{"dev/console", FORM_DEVICE},
	{"dev/fd", FORM_EMPTY},
	{"dev/full", FORM_DEVICE},
	{"dev/mqueue", FORM_FOLDER},
	{"dev/null", FORM_DEVICE},
	{"dev/ptmx", FORM_DEVICE},
	{"dev/pts", FORM_FOLDER},
	{"dev/random", FORM_DEVICE},
	{"dev/shm", FORM_FOLDER},
	{"dev/tty", FORM_DEVICE},
	{"dev/urandom", FORM_DEVICE},
	{"dev/zero", FORM_DEVICE},
	{"etc", FORM_FOLDER},
	{"etc/hostname", FORM_FILE},
	{"etc/hosts", FORM_FILE},
	{"etc/resolv.conf", FORM_FILE},
	{"proc", FORM_FOLDER},
	{"run", FORM_FOLDER},
	{"run/.containerenv", FORM_FILE},
	{"run/secrets", FORM_FOLDER},
	{"sys", FORM_FOLDER},
};

bool
flat_is_runtime(const struct tree_entry *t)
{
	bool is_file = t->type == TREE_FILE;

	if (t->type == TREE_LINK)
		return strcmp(t->path, "etc/mtab") == 0 &&
			(strcmp(t->link, "/proc/mounts") == 0 ||
				strcmp(t->link, "../proc/self/mounts") == 0);
	for (size_t i = 0; i < ARRAY_LEN(runtime); i++) {
		if (strcmp(runtime[i].path, t->path) != 0)
			continue;
		switch (runtime[i].form) {
		case FORM_FOLDER:
			return t->type == TREE_DIR;
		case FORM_EMPTY:
			return is_file && t->size == 0;
		case FORM_FILE:
			return is_file && t->size <= FILE_MAX;
		case FORM_DEVICE:
		default:
			return t->type == TREE_CHAR ||
				(is_file && t->size == 0);
		}
	}
	return false;
}

bool
flat_has_one_owner(const struct tree *t, const struct tree *other,
	uint32_t *uid, uint32_t *gid)
{
	bool is_other_same = true;

	if (t->n == 0 || other->n == 0)
		return false;
	*uid = t->v[0].uid;
	*gid = t->v[0].gid;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].uid != *uid || t->v[i].gid != *gid)
			return false;
	for (size_t i = 0; i < other->n; i++)
		is_other_same = is_other_same && other->v[i].uid == *uid &&
			other->v[i].gid == *gid;
	return *uid != 0 && !is_other_same;
}
