/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_ATTR_H
#define UB_BASE_ATTR_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NODISCARD __attribute__((warn_unused_result))
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Number of elements of an array (not of a pointer). */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Hand an owned pointer out of a CLEANUP variable: yields its value and leaves
 * NULL behind.
 */
#define STEAL(p)                             \
	__extension__({                      \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})

/* CLEANUP(own_free) char *p = NULL; for anything that free(3) ends. */
static inline void
own_free(void *p)
{
	free(*(void **)p);
}

/* CLEANUP(own_fd) int fd = -1; */
static inline void
own_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* STEAL of a descriptor: leaves -1 behind. */
static inline int
steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* CLEANUP(own_file) FILE *f = NULL; for files that are only read. */
static inline void
own_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif
