/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/offsets.h"

#include <errno.h>

#include "base/path.h"
#include "compare/excerpt.h"

enum {
	OFFSETS_BUFFER = 64 * 1024
};

/* Fills buf as far as the file goes. */
static int
read_full(FILE *f, const char *path, char *buf, size_t *n, struct err *e)
{
	*n = fread(buf, 1, OFFSETS_BUFFER, f);
	if (ferror(f))
		return err_sys(e, ERR_HOST, "read %s", path);
	return 0;
}

static int
open_file(const char *path, FILE **f, struct err *e)
{
	*f = fopen(path, "rbe");
	if (!*f && errno != ENOENT)
		return err_sys(e, ERR_HOST, "open %s", path);
	return 0;
}

int
offsets_of_files(const char *a, const char *b, int64_t *offset, struct err *e)
{
	CLEANUP(own_file)
	FILE *fa = NULL;
	CLEANUP(own_file)
	FILE *fb = NULL;
	CLEANUP(own_free)
	char *bytes = xmalloc(2 * (size_t)OFFSETS_BUFFER);
	char *pa = bytes, *pb = bytes + OFFSETS_BUFFER;
	int64_t at = 0;

	*offset = -1;
	if (open_file(a, &fa, e) < 0 || open_file(b, &fb, e) < 0)
		return -1;
	if (!fa || !fb)
		return 0;
	for (;;) {
		size_t na, nb, n, i = 0;

		if (read_full(fa, a, pa, &na, e) < 0 ||
			read_full(fb, b, pb, &nb, e) < 0)
			return -1;
		n = na < nb ? na : nb;
		if (memcmp(pa, pb, n) != 0) {
			while (pa[i] == pb[i])
				i++;
			*offset = at + (int64_t)i;
			return 0;
		}
		if (na != nb)
			*offset = at + (int64_t)n;
		if (na != nb || n == 0)
			return 0;
		at += (int64_t)n;
	}
}

static int
extract(const struct image *image, const char *const *paths, size_t n,
	const char *folder, struct err *e)
{
	if (path_mkdirs(folder, 0700, e) < 0)
		return -1;
	return image_extract(image, &image->limits, paths, n,
		COMPARE_OFFSET_FILE_MAX, folder, e);
}

static int
find(const struct image *image, const struct image *rebuilt, const char *a,
	const char *b, struct comparison *c, struct err *e)
{
	static const struct comparison_cap cap = {COMPARE_OFFSETS_MAX,
		COMPARE_OFFSET_FILE_MAX, COMPARE_OFFSET_TOTAL_MAX};
	size_t at[COMPARE_OFFSETS_MAX];
	const char *paths[COMPARE_OFFSETS_MAX];
	size_t n = comparison_files(c, image, rebuilt, &cap, at);
	uint64_t budget = COMPARE_REASON_TOTAL_MAX;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		paths[i] = c->differences[at[i]].path;
	if (extract(image, paths, n, a, e) < 0 ||
		extract(rebuilt, paths, n, b, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(own_free)
		char *fa = xasprintf("%s/%zu", a, i);
		CLEANUP(own_free)
		char *fb = xasprintf("%s/%zu", b, i);
		struct difference *d = &c->differences[at[i]];

		if (offsets_of_files(fa, fb, &d->offset, e) < 0 ||
			excerpt_of_files(fa, fb, d, &budget, &c->arena, e) < 0)
			return -1;
	}
	return 0;
}

int
offsets_find(const struct image *image, const struct image *rebuilt,
	const char *work, struct comparison *c, struct err *e)
{
	CLEANUP(own_free)
	char *a = path_join(work, "a");
	CLEANUP(own_free)
	char *b = path_join(work, "b");
	struct err late = {0};
	int status = find(image, rebuilt, a, b, c, e);

	if (path_remove(a, &late) < 0 || path_remove(b, &late) < 0) {
		if (status == 0)
			*e = late;
		status = -1;
	}
	return status;
}
