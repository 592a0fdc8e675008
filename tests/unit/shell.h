/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_SHELL_H
#define TESTS_UNIT_SHELL_H

#include <sys/wait.h>

#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What tests need of the real tar, gzip, sha256sum: a folder and a shell. */

/* A new private folder; the caller removes it by shell_drop. */
static inline char *
shell_folder(void)
{
	char template[] = "/tmp/unblend-shell-XXXXXX";

	return mkdtemp(template) ? strdup(template) : NULL;
}

/* Run a script in dir, with "set -e" and a fixed locale and zone. */
static inline bool
shell(const char *dir, const char *script)
{
	static const char before[] =
		"set -e; export LC_ALL=C.UTF-8 TZ=UTC; umask 022; cd \"$0\"; ";
	char *text = malloc(sizeof(before) + strlen(script));
	const char *argv[] = {"sh", "-c", NULL, dir, NULL};
	union {
		const char **ours;
		char *const *theirs;
	} args = {.ours = argv};
	int status = -1;
	pid_t pid;

	sprintf(text, "%s%s", before, script);
	argv[2] = text;
	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, args.theirs, environ) == 0)
		waitpid(pid, &status, 0);
	free(text);
	return status == 0;
}

/* All of a file, NUL-ended, from malloc; NULL when there is none. */
static inline char *
shell_read(const char *dir, const char *name, size_t *n)
{
	char path[4096];
	char *p = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	*n = 0;
	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	p = calloc(1, (size_t)ftell(f) + 1);
	*n = (size_t)ftell(f);
	rewind(f);
	*n = fread(p, 1, *n, f);
	fclose(f);
	return p;
}

static inline void
shell_drop(char *dir)
{
	if (dir && strncmp(dir, "/tmp/unblend-shell-", 19) == 0)
		(void)!shell(dir, "chmod -R u+rwX .; rm -rf \"$0\"");
	free(dir);
}

#endif
