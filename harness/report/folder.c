/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/folder.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

static const char marker[] = ".unblend-report";

/* Absent, empty, or made by us before. */
static int
may_replace(const char *path, struct err *e)
{
	CLEANUP(own_free)
	char *mark = path_join(path, marker);

	if (!path_exists(path) || path_exists(mark) || rmdir(path) == 0)
		return 0;
	return err_set(e, ERR_POLICY,
		"%s: is there and was not made by a report; remove it or name "
		"another folder",
		path);
}

int
folder_open(struct folder *f, const char *path, struct err *e)
{
	CLEANUP(own_free)
	char *mark = NULL;
	CLEANUP(own_fd)
	int fd = -1;

	*f = (struct folder){0};
	if (may_replace(path, e) < 0)
		return -1;
	f->path = xstrdup(path);
	f->temp = xasprintf("%s.XXXXXX", path);
	if (!mkdtemp(f->temp)) {
		free(STEAL(f->temp));
		return err_sys(e, ERR_HOST, "%s: cannot write beside it", path);
	}
	mark = path_join(f->temp, marker);
	fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	/* mkdtemp gives 0700; what we publish is for others to read. */
	if (fd < 0 || chmod(f->temp, 0755) < 0)
		return err_sys(e, ERR_HOST, "%s: cannot write", f->temp);
	return 0;
}

int
folder_publish(struct folder *f, struct err *e)
{
	CLEANUP(own_free)
	char *old = xasprintf("%s.old", f->temp);

	if (rename(f->path, old) < 0 && errno != ENOENT)
		return err_sys(e, ERR_HOST, "%s: cannot move away", f->path);
	if (rename(f->temp, f->path) < 0)
		return err_sys(e, ERR_HOST, "%s: cannot put in place", f->path);
	free(STEAL(f->temp));
	return path_remove(old, e);
}

void
folder_drop(struct folder *f)
{
	struct err ignored;

	if (f->temp)
		(void)!path_remove(f->temp, &ignored);
	free(f->temp);
	free(f->path);
	*f = (struct folder){0};
}
