/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a corpus file: read, or refused with at least one mistake. */
#include <sys/mman.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "corpus/corpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
yes(const char *text, struct buf *why)
{
	(void)text;
	(void)why;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct corpus_checks checks = {yes, yes};
	struct buf mistakes = {0};
	struct corpus c;
	struct err e = {0};
	char path[64];
	const char *files[] = {path};
	int fd = memfd_create("corpus", 0);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((corpus_load(files, 1, &checks, &c, &mistakes, &e) < 0) !=
		(mistakes.n > 0))
		abort();
	corpus_fini(&c);
	buf_fini(&mistakes);
	close(fd);
	return 0;
}
