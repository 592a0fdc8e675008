/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/lanes.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/path.h"

/* Its time is that of the last use; rebuilds lock it, shared.  Open for both, as
 * NFS wants of who locks (flock(2)). */
#define USED "used"

int
lanes_use(const char *lane, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(lane, USED);
	CLEANUP(own_fd)
	int fd = -1;
	int result = 0;

	if (path_mkdirs(lane, 0755, e) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	/* Only lanes_gc keeps others out, and not for long. */
	while (fd >= 0 && (result = flock(fd, LOCK_SH)) < 0 && errno == EINTR)
		;
	if (fd < 0 || result < 0 || futimens(fd, NULL) < 0)
		return err_sys(e, ERR_HOST, "%s", path);
	return steal_fd(&fd);
}

static int
collect_one(const char *lane, int64_t unused_s, bool dry_run,
	struct lanes_count *out, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(lane, USED);
	CLEANUP(own_fd)
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	/* One without that file was being made when it was left. */
	if ((fd < 0 ? lstat(lane, &st) : fstat(fd, &st)) < 0)
		return 0;
	if (clock_wall_s() - st.st_mtim.tv_sec < unused_s) {
		out->stay++;
		return 0;
	}
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		out->used++;
		return 0;
	}
	out->gone++;
	return dry_run ? 0 : path_remove(lane, e);
}

int
lanes_gc(const char *cache, int64_t unused_s, bool dry_run,
	struct lanes_count *out, struct err *e)
{
	CLEANUP(own_free)
	char *folder = path_join(cache, "lanes");
	DIR *dir = opendir(folder);
	struct dirent *d;
	int result = 0;

	*out = (struct lanes_count){0};
	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, ERR_HOST, "%s", folder);
	while (result == 0 && (d = readdir(dir))) {
		CLEANUP(own_free)
		char *lane = path_join(folder, d->d_name);
		struct digest id;

		if (digest_parse(slice_of(d->d_name), &id))
			result = collect_one(lane, unused_s, dry_run, out, e);
	}
	closedir(dir);
	return result;
}
