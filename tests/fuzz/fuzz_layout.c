/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An image of several files: a layout ('o'), a dir: ('d'), or an archive of either
 * kind ('O', 'D'), as the first byte says.  After it are the files' texts, with
 * form feeds between; in those "@2" and "#2" are the digest and the size of the
 * third, so that digests are right where they are meant to be.  One that begins
 * with "%" is a layer: a line "PATH CONTENTS" for each member.
 */
#include <sys/stat.h>

#include <fcntl.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/path.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	PARTS_MAX = 10,
	BLOCK = 512
};

struct parts {
	struct buf v[PARTS_MAX];
	size_t n;
};

static void
add_member(struct buf *out, struct slice name, struct slice contents)
{
	static const char zeros[BLOCK];
	char head[BLOCK] = {0};
	unsigned sum = 0;

	if (name.n > 99)
		name.n = 99;
	memcpy(head, name.p, name.n);
	snprintf(head + 100, 8, "%07o", 0644);
	snprintf(head + 108, 8, "%07o", 0);
	snprintf(head + 116, 8, "%07o", 0);
	snprintf(head + 124, 12, "%011zo", contents.n);
	snprintf(head + 136, 12, "%011o", 1);
	memset(head + 148, ' ', 8);
	head[156] = name.n && name.p[name.n - 1] == '/' ? '5' : '0';
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 7, "%06o", sum);
	buf_add(out, head, BLOCK);
	if (head[156] == '5')
		return;
	buf_slice(out, contents);
	buf_add(out, zeros, (BLOCK - contents.n % BLOCK) % BLOCK);
}

static void
end_tar(struct buf *out)
{
	static const char zeros[2 * BLOCK];

	buf_add(out, zeros, sizeof(zeros));
}

/* What is before c, which is left out. */
static struct slice
take(struct slice *rest, char c)
{
	const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
	struct slice part = {rest->p, at ? (size_t)(at - rest->p) : rest->n};

	rest->p += part.n + (at != NULL);
	rest->n -= part.n + (at != NULL);
	return part;
}

static void
make_layer(struct slice text, struct buf *out)
{
	while (text.n) {
		struct slice line = take(&text, '\n');
		struct slice name = take(&line, ' ');

		if (name.n)
			add_member(out, name, line);
	}
	end_tar(out);
}

/* Replaces what stands for parts that are done: those after. */
static void
make_text(const struct parts *p, size_t i, struct slice text, struct buf *out)
{
	for (size_t k = 0; k < text.n; k++) {
		size_t which = k + 1 < text.n && text.p[k + 1] >= '0'
			? (size_t)(text.p[k + 1] - '0')
			: PARTS_MAX;
		struct digest d;
		char hex[DIGEST_HEX + 1];

		if (which <= i || which >= p->n ||
			(text.p[k] != '@' && text.p[k] != '#')) {
			buf_char(out, text.p[k]);
			continue;
		}
		if (text.p[k++] == '#') {
			buf_printf(out, "%zu", p->v[which].n);
			continue;
		}
		d = digest_of(buf_text(&p->v[which]), p->v[which].n);
		digest_hex(&d, hex);
		buf_str(out, hex);
	}
}

static void
make_parts(struct slice data, struct parts *p)
{
	struct slice texts[PARTS_MAX];

	for (p->n = 0; p->n < PARTS_MAX && data.n; p->n++)
		texts[p->n] = take(&data, '\f');
	for (size_t i = p->n; i-- > 0;)
		if (slice_starts(texts[i], "%"))
			make_layer(
				(struct slice){texts[i].p + 1, texts[i].n - 1},
				&p->v[i]);
		else
			make_text(p, i, texts[i], &p->v[i]);
}

/* The first is of a known name, the others are named by their digests. */
static void
part_name(const struct parts *p, size_t i, char how, char *out, size_t cap)
{
	struct digest d = digest_of(buf_text(&p->v[i]), p->v[i].n);
	char hex[DIGEST_HEX + 1];
	bool is_layout = how == 'o' || how == 'O';

	digest_hex(&d, hex);
	if (i == 0)
		snprintf(out, cap, "%s",
			is_layout ? "index.json" : "manifest.json");
	else if (how == 'D')
		snprintf(out, cap, "%zu", i);
	else
		snprintf(out, cap, "%s%s", is_layout ? "blobs/sha256/" : "",
			hex);
}

static void
write_file(int folder, const char *name, const struct buf *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, buf_text(text), text->n) != (ssize_t)text->n)
		abort();
	close(fd);
}

static struct image *
read_folder(const struct parts *p, char how, bool is_short, struct err *e)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct image_limits limits = image_limits_default;
	char path[] = "/dev/shm/fuzz.XXXXXX", name[100];
	struct buf text = {0};
	struct image *image = NULL;
	struct err ignored;
	int folder = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY) : -1;

	if (folder < 0)
		abort();
	limits.unpacked = 8 << 20;
	limits.entries = 2000;
	limits.names = 1 << 20;
	limits.is_provenance_only = is_short;
	if (how == 'o') {
		mkdirat(folder, "blobs", 0700);
		mkdirat(folder, "blobs/sha256", 0700);
		buf_str(&text, version);
		write_file(folder, "oci-layout", &text);
	}
	for (size_t i = 0; i < p->n; i++) {
		part_name(p, i, how, name, sizeof(name));
		write_file(folder, name, &p->v[i]);
	}
	/* An index may have no image for this machine. */
	if (image_read(path, &limits, &image, e) < 0 &&
		(image ||
			(e->kind != ERR_INPUT && e->kind != ERR_POLICY &&
				e->kind != ERR_ABSENT)))
		abort();
	close(folder);
	buf_fini(&text);
	if (path_remove(path, &ignored) < 0)
		abort();
	return image;
}

static struct image *
read_archive(const struct parts *p, char how, struct err *e)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct buf tar = {0};
	struct image *image;
	char name[100];

	if (how == 'O')
		add_member(&tar, slice_of("oci-layout"), slice_of(version));
	for (size_t i = 0; i < p->n; i++) {
		part_name(p, i, how, name, sizeof(name));
		add_member(&tar, slice_of(name), buf_get(&p->v[i]));
	}
	end_tar(&tar);
	image = fuzz_file_read((const uint8_t *)tar.p, tar.n, e);
	buf_fini(&tar);
	return image;
}

static void
check(struct image *image)
{
	if (!image)
		return;
	fuzz_file_check(image);
	fuzz_file_print(image);
	image_free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct parts p = {.n = 0};
	struct err e = {0};

	if (len < 2 || len > 16384 || !strchr("odOD", data[0]) || !data[0])
		return 0;
	make_parts((struct slice){(const char *)data + 1, len - 1}, &p);
	if (data[0] == 'O' || data[0] == 'D') {
		check(read_archive(&p, (char)data[0], &e));
	} else {
		check(read_folder(&p, (char)data[0], false, &e));
		check(read_folder(&p, (char)data[0], true, &e));
	}
	for (size_t i = 0; i < p.n; i++)
		buf_fini(&p.v[i]);
	return 0;
}
