/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/words.h"
#include "sched/basis.h"
#include "sched/machine.h"
#include "sched/shard.h"

enum {
	BATCH_IMAGES = 16, /* of one process */
	KEY_MAX = 8192,    /* bytes of what is said of one image */
	LOG_CAP = 4096,
	IMAGE_S = 24 * 3600, /* for one process: fetching is slow at times */
	JOBS_MAX = 64
};

#define KEPT "shards" /* folder of the cache */

/* Images that one process reads, one after the other. */
struct batch {
	struct child child;
	bool is_busy;
	size_t images[BATCH_IMAGES]; /* numbers */
	size_t n, n_told;
	size_t heard; /* bytes of its output that were looked at */
};

struct keys {
	const struct sched_options *o;
	const struct shard_images *images;
	struct digest *out;
	char *self, *folder; /* this program; where keys are kept */
	struct buf limits;   /* what reading depends on, for kept keys */
	size_t *queue;       /* images that have none yet */
	size_t n_queue, next;
	struct batch batches[JOBS_MAX];
	size_t n_batches;
	const struct signals *signals;
};

/* ---- keys ---- */

static struct digest
digest_text(const char *what, const char *of)
{
	CLEANUP(own_free)
	char *text = xasprintf("%s %s", what, of);

	return digest_of(text, strlen(text));
}

/* By what the corpus gives to rebuild it from. */
static bool
by_files(const struct sample *s, struct digest *out)
{
	struct digest files[2];
	struct err ignored;

	if (!s->channels || !s->manifest)
		return false;
	if (digest_file(s->channels, &files[0], NULL, &ignored) < 0 ||
		digest_file(s->manifest, &files[1], NULL, &ignored) < 0)
		*out = digest_text("name", s->name);
	else
		*out = digest_of(files, sizeof(files));
	return true;
}

/* ---- what is known ---- */

/* The file that keeps what is said of an image in this state; NULL: nobody could
 * tell whether it is still the same. */
static char *
kept_path(const struct keys *k, const struct sample *s)
{
	CLEANUP(own_free)
	char *mark = basis_mark(s);
	CLEANUP(own_free)
	char *text = NULL;
	char hex[DIGEST_HEX + 1];
	struct digest d;

	if (!mark)
		return NULL;
	text = xasprintf("%s\n%s\n%s\n%s", s->source, s->folder, mark,
		buf_text(&k->limits));
	d = digest_of(text, strlen(text));
	digest_hex(&d, hex);
	return path_join(k->folder, hex);
}

static bool
is_key(const char *text)
{
	return strcmp(text, "none") == 0 ||
		strncmp(text, "profile /", strlen("profile /")) == 0;
}

static void
set_key(struct keys *k, size_t image, const char *text)
{
	k->out[image] = strcmp(text, "none") == 0
		? digest_text("name", k->images->v[image]->name)
		: digest_of(text, strlen(text));
}

static bool
is_kept(struct keys *k, size_t image)
{
	CLEANUP(own_free)
	char *path = kept_path(k, k->images->v[image]);
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct err ignored;

	if (!path || path_read(path, KEY_MAX, &text, &ignored) < 0 ||
		!is_key(buf_text(&text)))
		return false;
	(void)utimensat(AT_FDCWD, path, NULL, 0); /* for shard_keys_gc */
	set_key(k, image, buf_text(&text));
	return true;
}

/* Kept for others; where that cannot be, they read it themselves. */
static void
keep(struct keys *k, size_t image, const char *text)
{
	CLEANUP(own_free)
	char *path = kept_path(k, k->images->v[image]);
	struct err ignored;

	if (path)
		(void)!aside_write_brief(path, text, strlen(text), &ignored);
}

/* ---- processes ---- */

static void
add_options(const struct keys *k, struct words *argv)
{
	const struct sched_options *o = k->o;
	const struct limit_row *row;

	words_add(argv, "--cache");
	words_add(argv, o->cache);
	if (o->platform) {
		words_add(argv, "--platform");
		words_add(argv, o->platform);
	}
	if (o->tls_ca) {
		words_add(argv, "--tls-ca");
		words_add(argv, o->tls_ca);
	}
	for (const char *const *h = o->plain_hosts; h && *h; h++) {
		words_add(argv, "--plain-http");
		words_add(argv, *h);
	}
	for (size_t i = 0; (row = limits_row(i)); i++) {
		CLEANUP(own_free)
		char *text = xasprintf("%s=%" PRIu64, row->name,
			limits_get(&o->image_limits, (enum limit)i));

		words_add(argv, "--limit");
		words_add(argv, text);
	}
	words_add(argv, "--");
}

static int
start(struct keys *k, struct batch *b, struct err *e)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	CLEANUP(words_fini)
	struct words argv = {.arena = &arena};
	struct child_spec spec = {
		.dir = k->images->v[b->images[0]]->folder,
		.deadline_ms = (int64_t)IMAGE_S * 1000,
		.out_cap = (size_t)BATCH_IMAGES * KEY_MAX,
		.log_cap = LOG_CAP,
	};

	words_add(&argv, k->self);
	words_add(&argv, "keys");
	add_options(k, &argv);
	for (size_t i = 0; i < b->n; i++)
		words_add(&argv, k->images->v[b->images[i]]->source);
	spec.argv = words_take(&argv);
	b->n_told = b->heard = 0;
	if (child_start(&spec, &b->child, e) < 0)
		return -1;
	b->is_busy = true;
	return 0;
}

/* The next images of one folder, for a process. */
static int
start_next(struct keys *k, struct batch *b, struct err *e)
{
	const char *folder = k->images->v[k->queue[k->next]]->folder;

	b->n = 0;
	while (k->next < k->n_queue && b->n < BATCH_IMAGES) {
		size_t image = k->queue[k->next];

		if (strcmp(k->images->v[image]->folder, folder) != 0)
			break;
		b->images[b->n++] = image;
		k->next++;
	}
	return start(k, b, e);
}

static void
tell_unreached(const struct keys *k, size_t image)
{
	if (k->o->progress)
		fprintf(k->o->progress,
			"%s: cannot be read to tell its shard; goes by its "
			"name\n",
			k->images->v[image]->name);
}

static void
take_line(struct keys *k, struct batch *b, const char *line)
{
	size_t image = b->images[b->n_told++];

	if (is_key(line)) {
		set_key(k, image, line);
		keep(k, image, line);
		return;
	}
	tell_unreached(k, image);
	set_key(k, image, "none");
}

static void
listen(struct keys *k, struct batch *b)
{
	const struct buf *out = &b->child.out;

	while (b->heard < out->n && b->n_told < b->n) {
		const char *line = out->p + b->heard;
		const char *end = memchr(line, '\n', out->n - b->heard);
		CLEANUP(own_free)
		char *text = NULL;

		if (!end)
			return;
		b->heard = (size_t)(end - out->p) + 1;
		text = xmemdup0(line, (size_t)(end - line));
		take_line(k, b, text);
	}
}

/* It may have died of an image: that one goes by its name, the others are
 * read by another process. */
static int
finish(struct keys *k, struct batch *b, struct err *e)
{
	size_t left;

	listen(k, b);
	child_fini(&b->child);
	b->is_busy = false;
	if (b->n_told == b->n)
		return 0;
	take_line(k, b, "");
	left = b->n - b->n_told;
	memmove(b->images, b->images + b->n_told, left * sizeof(*b->images));
	b->n = left;
	return left ? start(k, b, e) : 0;
}

/* ---- the loop ---- */

static void
wait_for(const struct keys *k)
{
	struct pollfd fds[JOBS_MAX * 2 + 1];
	nfds_t n = 0;
	int wait_ms = -1;

	fds[n++] = (struct pollfd){.fd = k->signals->fd, .events = POLLIN};
	for (size_t i = 0; i < k->n_batches; i++) {
		const struct batch *b = &k->batches[i];
		int ms;

		if (!b->is_busy)
			continue;
		ms = child_wait_ms(&b->child);
		if (ms >= 0 && (wait_ms < 0 || ms < wait_ms))
			wait_ms = ms;
		fds[n++] = (struct pollfd){
			.fd = b->child.out_fd, .events = POLLIN};
		fds[n++] = (struct pollfd){
			.fd = b->child.log_fd, .events = POLLIN};
	}
	poll(fds, n, wait_ms);
}

static int
read_all(struct keys *k, struct err *e)
{
	for (;;) {
		size_t busy = 0;

		for (size_t i = 0; i < k->n_batches; i++) {
			struct batch *b = &k->batches[i];

			if (b->is_busy && child_step(&b->child) &&
				finish(k, b, e) < 0)
				return -1;
			if (b->is_busy)
				listen(k, b);
			else if (k->next < k->n_queue &&
				start_next(k, b, e) < 0)
				return -1;
			busy += b->is_busy;
		}
		if (busy == 0)
			return 0;
		wait_for(k);
		if (signals_stop(k->signals))
			return err_set(e, ERR_HOST,
				"stopped before the images were divided");
	}
}

static void
put_limits(struct keys *k)
{
	const struct sched_options *o = k->o;
	const struct limit_row *row;

	buf_printf(&k->limits, "%s %s\n", o->version,
		o->platform ? o->platform : "");
	for (size_t i = 0; (row = limits_row(i)); i++)
		buf_printf(&k->limits, "%" PRIu64 "\n",
			limits_get(&o->image_limits, (enum limit)i));
}

int
shard_keys(const struct sched_options *o, const struct shard_images *images,
	const struct signals *signals, struct digest *out, struct err *e)
{
	struct keys *k = xcalloc(1, sizeof(*k));
	int result;

	k->o = o;
	k->images = images;
	k->out = out;
	k->signals = signals;
	k->n_batches = o->slots < JOBS_MAX ? o->slots : JOBS_MAX;
	k->self = machine_program();
	k->folder = path_join(o->cache, KEPT);
	k->queue = xcalloc(images->n + 1, sizeof(*k->queue));
	put_limits(k);
	result = path_mkdirs(k->folder, 0755, e);
	for (size_t i = 0; i < images->n && result == 0; i++)
		if (!by_files(images->v[i], &out[i]) && !is_kept(k, i))
			k->queue[k->n_queue++] = i;
	if (result == 0)
		result = read_all(k, e);
	for (size_t i = 0; i < k->n_batches; i++)
		if (k->batches[i].is_busy)
			child_fini(&k->batches[i].child);
	buf_fini(&k->limits);
	free(k->queue);
	free(k->folder);
	free(k->self);
	free(k);
	return result;
}

int
shard_keys_gc(const char *cache, int64_t unused_s, struct err *e)
{
	CLEANUP(own_free)
	char *folder = path_join(cache, KEPT);
	DIR *dir = opendir(folder);
	int64_t now_s = clock_wall_s();
	struct dirent *d;
	struct stat st;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, ERR_HOST, "%s", folder);
	while ((d = readdir(dir)))
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
				0 &&
			S_ISREG(st.st_mode) &&
			now_s - st.st_mtim.tv_sec >= unused_s)
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	return 0;
}
