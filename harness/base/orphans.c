/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/orphans.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/clock.h"

enum {
	END_MS = 5000, /* for those that were killed to be gone */
	LOOKS = 3      /* that find none, and are believed */
};

void
orphans_adopt(void)
{
	/* Where it cannot be, they go to process 1 as they would without. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static FILE *
open_children(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid,
		(long)pid);
	return fopen(path, "re");
}

size_t
orphans_list(pid_t **out)
{
	CLEANUP(own_file)
	FILE *f = open_children(getpid());
	size_t n = 0, cap = 0;
	long pid;

	*out = NULL;
	while (f && fscanf(f, "%ld", &pid) == 1) {
		VEC_GROW(*out, n, cap);
		(*out)[n++] = (pid_t)pid;
	}
	return n;
}

static bool
is_one(pid_t pid, const pid_t *v, size_t n)
{
	while (n > 0)
		if (v[--n] == pid)
			return true;
	return false;
}

/* Kill them; false when there was none. */
static bool
kill_some(const pid_t *but, size_t n)
{
	CLEANUP(own_file)
	FILE *f = open_children(getpid());
	bool was_one = false;
	long pid;

	while (f && fscanf(f, "%ld", &pid) == 1) {
		if (is_one((pid_t)pid, but, n))
			continue;
		was_one = true;
		kill((pid_t)pid, SIGKILL);
		waitpid((pid_t)pid, NULL, WNOHANG);
	}
	return was_one;
}

void
orphans_end(const pid_t *but, size_t n)
{
	int64_t until = clock_mono_ms() + END_MS;

	if (!kill_some(but, n))
		return;
	/* While children come and go, the list may leave some out (proc(5)). */
	for (int looks = LOOKS; looks > 0 && clock_mono_ms() < until;) {
		nanosleep(&(struct timespec){0, 2000000}, NULL);
		looks = kill_some(but, n) ? LOOKS : looks - 1;
	}
}

bool
orphans_has_child(pid_t pid)
{
	CLEANUP(own_file)
	FILE *f = open_children(pid);
	long child;

	return f && fscanf(f, "%ld", &child) == 1;
}
