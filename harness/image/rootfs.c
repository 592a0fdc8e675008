/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/rootfs.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "image/file.h"
#include "image/inside.h"
#include "image/shown.h"

enum {
	DEPTH_MAX = 256,       /* folders in folders: each holds a descriptor */
	XATTRS_MAX = 64 << 10, /* bytes of names, and of a value: Linux's own */
	HASH_SIZE = 64         /* to begin with; a power of two */
};

/* A file that has several names, and the entry of its first. */
struct linked {
	dev_t dev;
	ino_t ino;
	size_t entry;
	bool is_used;
};

struct reading {
	struct scan scan;
	struct layer *layer;
	dev_t dev; /* the file system that is read */
	struct buf path, link, xattrs;
	struct linked *linked; /* by a hash of the inode */
	size_t n_linked, linked_size;
};

static void
end_reading(struct reading *r)
{
	scan_fini(&r->scan);
	buf_fini(&r->path);
	buf_fini(&r->link);
	buf_fini(&r->xattrs);
	free(r->linked);
}

static struct linked *
linked_slot(struct linked *v, size_t size, dev_t dev, ino_t ino)
{
	uint64_t h = ((uint64_t)ino ^ (uint64_t)dev << 32) *
		UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (size - 1);

	while (v[i].is_used && (v[i].ino != ino || v[i].dev != dev))
		i = (i + 1) & (size - 1);
	return &v[i];
}

static void
grow_linked(struct reading *r)
{
	size_t size = r->linked_size ? 2 * r->linked_size : HASH_SIZE;
	struct linked *v;

	if (2 * r->n_linked < r->linked_size)
		return;
	v = xcalloc(size, sizeof(*v));
	for (size_t i = 0; i < r->linked_size; i++)
		if (r->linked[i].is_used)
			*linked_slot(v, size, r->linked[i].dev,
				r->linked[i].ino) = r->linked[i];
	free(r->linked);
	r->linked = v;
	r->linked_size = size;
}

/* Sorted NUL-ended names in text to "name=HEX\n...", as tars have them. */
struct names {
	const char **v;
	size_t n, cap;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_of_machine(const char *name)
{
	return strcmp(name, "security.selinux") == 0 ||
		strcmp(name, "security.ima") == 0 ||
		strcmp(name, "security.evm") == 0;
}

static int
put_xattr(
	struct reading *r, int fd, const char *name, char *value, struct err *e)
{
	ssize_t n = fgetxattr(fd, name, value, XATTRS_MAX);

	if (n < 0)
		return err_sys(e, ERR_HOST, "cannot read its attribute %s",
			shown_of(slice_of(name)).text);
	buf_printf(&r->xattrs, "%s=", name);
	for (ssize_t i = 0; i < n; i++)
		buf_printf(&r->xattrs, "%02x", (unsigned char)value[i]);
	buf_char(&r->xattrs, '\n');
	return 0;
}

static int
put_xattrs(struct reading *r, int fd, struct names *names, char *text,
	char *value, struct err *e)
{
	ssize_t n = flistxattr(fd, text, XATTRS_MAX);

	if (n < 0)
		return errno == ENOTSUP
			? 0
			: err_sys(e, ERR_HOST, "cannot list its attributes");
	for (const char *p = text; p < text + n; p += strlen(p) + 1) {
		if (is_of_machine(p))
			continue;
		VEC_GROW(names->v, names->n, names->cap);
		names->v[names->n++] = p;
	}
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_text);
	for (size_t i = 0; i < names->n; i++)
		if (put_xattr(r, fd, names->v[i], value, e) < 0)
			return -1;
	return 0;
}

/* Of an open file or folder, into r->xattrs. */
static int
read_xattrs(struct reading *r, int fd, struct err *e)
{
	CLEANUP(own_free)
	char *text = NULL;
	struct names names = {0};
	int result;

	buf_clear(&r->xattrs);
	if (flistxattr(fd, NULL, 0) == 0)
		return 0;
	text = xmalloc(2 * (size_t)XATTRS_MAX);
	result = put_xattrs(r, fd, &names, text, text + XATTRS_MAX, e);
	free(names.v);
	return result;
}

static struct tar_member
member_of(struct reading *r, const struct stat *st)
{
	return (struct tar_member){
		.path = r->path.n ? buf_get(&r->path) : slice_of("."),
		.link = buf_get(&r->link),
		.xattrs = buf_get(&r->xattrs),
		.uname = slice_of(""),
		.gname = slice_of(""),
		.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
}

/* A further name of a file that was read. */
static void
set_same(struct reading *r, const struct linked *first)
{
	struct tree_entry *entry = &r->scan.v[r->scan.n - 1];
	const struct tree_entry *same = &r->scan.v[first->entry];

	entry->sha256 = same->sha256;
	entry->data = same->data;
	entry->size = same->size;
	entry->is_hard_link = true;
}

static int
add_file(struct reading *r, int folder, const char *name, struct err *e)
{
	CLEANUP(own_image_file)
	struct file *f = NULL;
	struct linked *linked = NULL;
	struct tar_member m;
	struct layer_source from;
	struct stat st;
	CLEANUP(own_fd)
	int fd = openat(folder, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, ERR_HOST, "cannot open");
	if (fstat(fd, &st) < 0)
		return err_sys(e, ERR_HOST, "cannot stat");
	if (read_xattrs(r, fd, e) < 0)
		return -1;
	if (file_take(steal_fd(&fd), r->scan.limits, &f, e) < 0)
		return -1;
	if (st.st_nlink > 1) {
		grow_linked(r);
		linked = linked_slot(
			r->linked, r->linked_size, st.st_dev, st.st_ino);
	}
	m = member_of(r, &st);
	if (linked && linked->is_used) {
		if (scan_member(&r->scan, &m, NULL, e) < 0)
			return -1;
		set_same(r, linked);
		return 0;
	}
	from = file_source(f);
	if (layer_spend(&r->scan.budget, m.size, e) < 0 ||
		scan_member(&r->scan, &m, &from, e) < 0)
		return -1;
	r->layer->size += m.size;
	if (linked) {
		*linked = (struct linked){
			st.st_dev, st.st_ino, r->scan.n - 1, true};
		r->n_linked++;
	}
	return 0;
}

static int
add_link(struct reading *r, int folder, const char *name, const struct stat *st,
	struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(folder, name, target, sizeof(target));
	struct tar_member m;

	if (n < 0)
		return err_sys(e, ERR_HOST, "cannot read the link");
	buf_add(&r->link, target, (size_t)n);
	m = member_of(r, st);
	m.type = TAR_LINK;
	return scan_member(&r->scan, &m, NULL, e);
}

static int
add_other(struct reading *r, const struct stat *st, struct err *e)
{
	struct tar_member m = member_of(r, st);

	if (S_ISSOCK(st->st_mode))
		return err_set(
			e, ERR_INPUT, "is a socket, which no image can hold");
	m.type = S_ISCHR(st->st_mode)  ? TAR_CHAR
		: S_ISBLK(st->st_mode) ? TAR_BLOCK
				       : TAR_FIFO;
	if (m.type != TAR_FIFO) {
		m.dev_major = major(st->st_rdev);
		m.dev_minor = minor(st->st_rdev);
	}
	return scan_member(&r->scan, &m, NULL, e);
}

struct listing {
	char **v;
	size_t n, cap;
};

static void
listing_fini(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

/* The names in a folder, sorted by their bytes. */
static int
list(struct reading *r, int folder, struct listing *out, struct err *e)
{
	int fd = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!d) {
		(void)!err_sys(e, ERR_HOST, "cannot list");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (errno = 0; result == 0 && (entry = readdir(d)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		/* Before they take memory. */
		if (r->scan.n + out->n >= r->scan.limits->entries) {
			result = limits_refuse(r->scan.limits, LIMIT_entries, e,
				"has more entries");
			break;
		}
		VEC_GROW(out->v, out->n, out->cap);
		out->v[out->n++] = xstrdup(entry->d_name);
	}
	if (result == 0 && errno != 0)
		result = err_sys(e, ERR_HOST, "cannot list");
	closedir(d);
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_text);
	return result;
}

/* What a running container has mounted there. */
static bool
may_be_mounted(const char *path)
{
	static const char *const tops[] = {"proc", "sys", "dev", "run"};

	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		size_t n = strlen(tops[i]);

		if (strncmp(path, tops[i], n) == 0 &&
			(path[n] == '\0' || path[n] == '/'))
			return true;
	}
	return false;
}

static int
add(struct reading *r, int folder, const char *name, int depth, struct err *e);

/* A folder and all that is in it; fd is closed. */
static int
add_folder(struct reading *r, int fd, int depth, struct err *e)
{
	CLEANUP(own_fd)
	int folder = fd;
	CLEANUP(listing_fini)
	struct listing names = {0};
	struct tar_member m;
	struct stat st;
	size_t was = r->path.n;

	if (fstat(folder, &st) < 0)
		return err_sys(e, ERR_HOST, "cannot stat");
	if (read_xattrs(r, folder, e) < 0)
		return -1;
	m = member_of(r, &st);
	m.type = TAR_DIR;
	r->layer->entries++;
	if (scan_member(&r->scan, &m, NULL, e) < 0)
		return -1;
	if (st.st_dev != r->dev)
		return may_be_mounted(buf_text(&r->path))
			? 0
			: err_set(e, ERR_INPUT,
				  "is another file system, which is not read");
	if (depth == DEPTH_MAX)
		return err_set(e, ERR_POLICY, "folders are more than %d deep",
			DEPTH_MAX);
	if (list(r, folder, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (r->path.n)
			buf_char(&r->path, '/');
		buf_str(&r->path, names.v[i]);
		if (add(r, folder, names.v[i], depth + 1, e) < 0)
			return -1;
		r->path.n = was;
		if (r->path.p)
			r->path.p[was] = '\0';
	}
	return 0;
}

static int
add(struct reading *r, int folder, const char *name, int depth, struct err *e)
{
	struct stat st;
	int fd;

	buf_clear(&r->link);
	buf_clear(&r->xattrs);
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, ERR_HOST, "cannot stat");
	if (S_ISDIR(st.st_mode)) {
		fd = openat(folder, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, ERR_HOST, "cannot open");
		return add_folder(r, fd, depth, e);
	}
	r->layer->entries++;
	if (S_ISREG(st.st_mode))
		return add_file(r, folder, name, e);
	if (S_ISLNK(st.st_mode))
		return add_link(r, folder, name, &st, e);
	return add_other(r, &st, e);
}

static void
add_number(struct digest_sum *sum, uint64_t v)
{
	unsigned char b[8];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(v >> 8 * i);
	digest_add(sum, b, sizeof(b));
}

static void
add_text(struct digest_sum *sum, const char *s)
{
	digest_add(sum, s ? s : "", s ? strlen(s) + 1 : 1);
}

/* The digest that image.h says a folder has. */
static struct digest
digest_tree(const struct tree *t)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();

	for (size_t i = 0; i < t->n; i++) {
		const struct tree_entry *x = &t->v[i];

		add_text(sum, x->path);
		add_number(sum, x->type);
		add_number(sum, x->mode);
		add_number(sum, (uint64_t)x->uid << 32 | x->gid);
		add_number(sum, (uint64_t)x->mtime);
		add_number(sum, x->mtime_ns);
		add_number(sum, (uint64_t)x->dev_major << 32 | x->dev_minor);
		add_number(sum, x->size);
		add_text(sum, x->link);
		add_text(sum, x->xattrs);
		digest_add(sum, x->sha256.b, sizeof(x->sha256.b));
	}
	return digest_end(sum);
}

int
rootfs_read(
	struct image_own *own, const struct image_limits *limits, struct err *e)
{
	CLEANUP(end_reading)
	struct reading r = {.scan.is_plain = true};
	struct image *image = &own->image;
	struct tree_range all = {0};
	struct stat st;
	int fd;

	if (inside_open(image->path, &fd, e) < 0)
		return -1;
	if (fstat(fd, &st) < 0) {
		(void)!err_sys(e, ERR_HOST, "cannot stat");
		close(fd);
		return -1;
	}
	r.dev = st.st_dev;
	r.scan.limits = limits;
	r.scan.arena = &image->arena;
	/* Nothing is packed here: only the sum of all is limited. */
	r.scan.budget = layer_budget_of(limits, limits->unpacked);
	image->layers = arena_alloc(&image->arena, sizeof(*image->layers));
	image->n_layers = 1;
	r.layer = &image->layers[0];
	r.layer->name = "folder";
	scan_begin(&r.scan);
	if (add_folder(&r, fd, 0, e) < 0)
		return err_wrap(e, "'/%s'", shown_of(buf_get(&r.path)).text);
	r.layer->order = scan_order(&r.scan);
	all.end = r.scan.n;
	if (own_set_tree(own, &r.scan, &all, e) < 0)
		return -1;
	image->size = r.layer->size;
	if (!limits->is_provenance_only)
		image->sha256 = digest_tree(&image->tree);
	r.layer->diff_id = image->sha256;
	return 0;
}
