/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/kept.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"

static char *
folder_of(const struct blobs *b)
{
	return path_join(blobs_folder(b), "web");
}

static char *
file_of(const struct blobs *b, const char *place)
{
	CLEANUP(own_free)
	char *folder = folder_of(b);
	struct digest d = digest_of(place, strlen(place));
	char hex[DIGEST_HEX + 1];

	digest_hex(&d, hex);
	return path_join(folder, hex);
}

char *
kept_value(struct slice value)
{
	if (!value.n || value.n > KEPT_VALUE_MAX)
		return NULL;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < ' ' || value.p[i] > '~')
			return NULL;
	return xmemdup0(value.p, value.n);
}

static void
parse(struct slice text, struct kept *out)
{
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct err ignored;

	doc = jdoc_parse(text, &ignored);
	out->has_sha256 =
		digest_parse(jdoc_str(jdoc_get(doc, "sha256")), &out->sha256);
	out->etag = kept_value(jdoc_str(jdoc_get(doc, "etag")));
	out->modified = kept_value(jdoc_str(jdoc_get(doc, "last_modified")));
	out->part = kept_value(jdoc_str(jdoc_get(doc, "part")));
}

void
kept_read(const struct blobs *b, const char *place, struct kept *out)
{
	CLEANUP(own_free)
	char *path = file_of(b, place);
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct err ignored;

	*out = (struct kept){0};
	if (path_read(path, KEPT_BYTES_MAX, &text, &ignored) == 0)
		parse(buf_get(&text), out);
}

int
kept_write(const struct blobs *b, const char *place, const struct kept *k,
	struct err *e)
{
	CLEANUP(own_free)
	char *folder = folder_of(b);
	CLEANUP(own_free)
	char *path = file_of(b, place);
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (path_mkdirs(folder, 0700, e) < 0 || aside_open(&a, path, e) < 0)
		return -1;
	jout_open(&j, a.f, -1);
	jout_begin(&j, NULL, '{');
	if (k->has_sha256)
		jout_digest(&j, "sha256", &k->sha256);
	jout_str(&j, "etag", k->etag);
	jout_str(&j, "last_modified", k->modified);
	jout_str(&j, "part", k->part);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

void
kept_fini(struct kept *k)
{
	free(k->etag);
	free(k->modified);
	free(k->part);
	*k = (struct kept){0};
}

char *
kept_part_name(const char *place)
{
	struct digest d = digest_of(place, strlen(place));
	char hex[DIGEST_HEX + 1];

	digest_hex(&d, hex);
	return xasprintf("url-%s", hex);
}

/* Does that file tell of nothing that is here? */
static bool
is_stale(const struct blobs *b, const char *path)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(kept_fini)
	struct kept k = {0};
	CLEANUP(own_free)
	char *blob = NULL;
	struct stat st;
	struct err ignored;

	if (lstat(path, &st) < 0 ||
		st.st_mtime > clock_wall_s() - BLOBS_PART_AGE_S)
		return false;
	if (path_read(path, KEPT_BYTES_MAX, &text, &ignored) < 0)
		return true;
	parse(buf_get(&text), &k);
	if (k.has_sha256)
		blob = blobs_path(b, &k.sha256);
	return !blob || !path_exists(blob);
}

int
kept_gc(const struct blobs *b, bool dry_run, uint64_t *n, struct err *e)
{
	CLEANUP(own_free)
	char *folder = folder_of(b);
	DIR *d = opendir(folder);
	struct dirent *entry;

	*n = 0;
	if (!d)
		return errno == ENOENT
			? 0
			: err_sys(e, ERR_HOST, "%s: cannot list", folder);
	while ((entry = readdir(d))) {
		CLEANUP(own_free)
		char *path = path_join(folder, entry->d_name);

		if (entry->d_name[0] == '.' || !is_stale(b, path))
			continue;
		*n += 1;
		if (!dry_run)
			unlink(path);
	}
	closedir(d);
	return 0;
}
