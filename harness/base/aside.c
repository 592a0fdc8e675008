/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/aside.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

int
aside_open(struct aside *a, const char *path, struct err *e)
{
	int fd;

	*a = (struct aside){0};
	a->path = xstrdup(path);
	a->temp = xasprintf("%s.XXXXXX", path);
	fd = mkostemp(a->temp, O_CLOEXEC);
	if (fd < 0) {
		free(a->temp);
		a->temp = NULL;
		return err_sys(e, ERR_HOST, "%s: cannot write beside it", path);
	}
	/* mkostemp gives 0600; what we publish is for others to read. */
	if (fchmod(fd, 0644) < 0 || !(a->f = fdopen(fd, "w"))) {
		close(fd);
		return err_sys(e, ERR_HOST, "%s: cannot write", a->temp);
	}
	return 0;
}

int
aside_publish(struct aside *a, struct err *e)
{
	FILE *f = STEAL(a->f);
	int failed = fflush(f) != 0 || ferror(f) ||
		(!a->is_brief && fsync(fileno(f)) != 0);

	if (fclose(f) != 0 || failed)
		return err_sys(e, ERR_HOST, "%s: cannot write", a->path);
	if (rename(a->temp, a->path) < 0)
		return err_sys(e, ERR_HOST, "%s: cannot put in place", a->path);
	free(STEAL(a->temp));
	return 0;
}

void
aside_drop(struct aside *a)
{
	if (a->f)
		fclose(a->f);
	if (a->temp)
		unlink(a->temp);
	free(a->temp);
	free(a->path);
	*a = (struct aside){0};
}

static int
write_whole(
	const char *path, const void *p, size_t n, bool is_brief, struct err *e)
{
	CLEANUP(aside_drop)
	struct aside a = {0};

	if (aside_open(&a, path, e) < 0)
		return -1;
	a.is_brief = is_brief;
	fwrite(p, 1, n, a.f);
	return aside_publish(&a, e);
}

int
aside_write(const char *path, const void *p, size_t n, struct err *e)
{
	return write_whole(path, p, n, false, e);
}

int
aside_write_brief(const char *path, const void *p, size_t n, struct err *e)
{
	return write_whole(path, p, n, true, e);
}
