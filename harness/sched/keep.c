/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/keep.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/copy.h"
#include "base/path.h"
#include "rebuild/guix.h"

/* Different names stay different. */
static void
file_name(struct buf *out, const char *name)
{
	static const char even[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.+";

	for (const char *p = name; *p; p++)
		if (strchr(even, *p) && (p > name || *p != '.'))
			buf_char(out, *p);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*p);
}

/* What was built, without the hash that is before its name in the store, and
 * what is after it of one that was built once more. */
static int
keep_output(const char *dir, const char *output, struct err *e)
{
	static const char again[] = "-check";
	const char *base = strrchr(output, '/');
	CLEANUP(own_free)
	char *item = xasprintf(GUIX_STORE "%s", base ? base + 1 : output);
	CLEANUP(own_free)
	char *to = NULL;
	struct slice name = slice_of(base ? base + 1 : output);

	if (guix_is_store_path(slice_of(item)))
		name = slice_of(strchr(item, '-') + 1);
	if (slice_ends(name, again))
		name.n -= strlen(again);
	to = xasprintf("%s/%.*s", dir, (int)name.n, name.p);
	return copy_file(output, to, e);
}

int
keep_rebuild(const char *kept, const char *name, const char *folder,
	const struct rebuild *r, struct err *e)
{
	static const char *const files[] = {
		"guix.log", "channels.scm", "manifest.scm"};
	CLEANUP(buf_fini)
	struct buf base = {0};
	CLEANUP(own_free)
	char *dir = NULL;

	file_name(&base, name);
	dir = path_join(kept, buf_text(&base));
	if (path_remove(dir, e) < 0 || path_mkdirs(dir, 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(own_free)
		char *from = path_join(folder, files[i]);
		CLEANUP(own_free)
		char *to = path_join(dir, files[i]);

		if (path_exists(from) && copy_file(from, to, e) < 0)
			return -1;
	}
	return r->output ? keep_output(dir, r->output, e) : 0;
}
