/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/machine.h"

#include <sys/utsname.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

char *
machine_host(void)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	return xstrdup(name);
}

char *
machine_program(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return n > 0 ? xmemdup0(path, (size_t)n) : xstrdup("unblend");
}

char *
machine_kernel(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		return xstrdup("unknown");
	return xasprintf("%s %s %s", u.sysname, u.release, u.machine);
}

/* Is path at or below the mount point? */
static int
is_below(const char *path, const char *point)
{
	size_t n = strlen(point);

	if (n == 1) /* the root */
		return 1;
	return strncmp(path, point, n) == 0 &&
		(path[n] == '/' || path[n] == '\0');
}

char *
machine_fs(const char *path)
{
	CLEANUP(own_file)
	FILE *f = fopen("/proc/self/mountinfo", "re");
	CLEANUP(own_free)
	char *line = NULL;
	char point[4096], type[64], best[64] = "unknown";
	size_t cap = 0, best_length = 0;

	while (f && getline(&line, &cap, f) > 0) {
		const char *rest = strstr(line, " - ");

		if (!rest ||
			sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1 ||
			sscanf(rest, " - %63s", type) != 1)
			continue;
		/* A later mount on the same point hides the earlier one. */
		if (is_below(path, point) && strlen(point) >= best_length) {
			best_length = strlen(point);
			strcpy(best, type);
		}
	}
	return xstrdup(best);
}
