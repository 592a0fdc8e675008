/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/basis.h"

#include <sys/stat.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "fetch/ref.h"
#include "rebuild/task.h"

enum {
	TRUST_FILE_MAX = 16 << 20
};

/* ---- of a run ---- */

static int
put_trust(struct buf *out, const char *trust, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	char hex[DIGEST_HEX + 1];
	struct digest d;

	if (!trust) {
		buf_str(out, "no trust file\n");
		return 0;
	}
	if (path_read(trust, TRUST_FILE_MAX, &text, e) < 0)
		return -1;
	d = digest_of(buf_text(&text), text.n);
	digest_hex(&d, hex);
	buf_printf(out, "trust file %s\n", hex);
	return 0;
}

static void
put_limits(struct buf *out, const struct sched_options *o)
{
	const struct limits *l = &o->limits;
	const struct limit_row *row;

	buf_printf(out, "timeout %" PRId64 "\n", l->deadline_s);
	buf_printf(out, "silence %" PRId64 "\n", l->silence_s);
	buf_printf(out, "log bytes %" PRIu64 "\n", l->log_bytes);
	buf_printf(out, "output bytes %" PRIu64 "\n", l->output_bytes);
	buf_printf(out, "max-output %" PRIu64 "\n", l->said_bytes);
	buf_printf(out, "max-memory %" PRIu64 "\n", l->memory_bytes);
	buf_printf(out, "max-processes %" PRIu64 "\n", l->processes);
	buf_printf(out, "cpus %" PRIu64 "\n", l->cpus);
	buf_printf(out, "max-disk %" PRIu64 "\n", l->disk_bytes);
	buf_printf(out, "daemon %s\n", o->daemon ? o->daemon : "the machine's");
	for (size_t i = 0; (row = limits_row(i)); i++)
		buf_printf(out, "limit %s %" PRIu64 "\n", row->name,
			limits_get(&o->image_limits, (enum limit)i));
}

static char *
find_guix(const char *program)
{
	CLEANUP(own_free)
	char *path = task_find_guix(program);
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return xstrdup("");
	return xasprintf("%s %" PRId64 " %" PRId64 ".%09ld", path,
		(int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec);
}

int
basis_open(struct basis *b, const struct sched_options *o, struct err *e)
{
	*b = (struct basis){0};
	buf_printf(&b->text, "unblend %s\n", o->version);
	buf_printf(&b->text, "depth %s\n", depth_name(o->depth));
	if (put_trust(&b->text, o->trust, e) < 0) {
		buf_fini(&b->text);
		return -1;
	}
	buf_printf(&b->text, "platform %s\n",
		o->platform ? o->platform : "of this machine");
	put_limits(&b->text, o);
	/* Last, since there is any number of them: workplace.c compares lines. */
	for (const char *const *m = o->mirrors; m && *m; m += 2)
		buf_printf(&b->text, "mirror %s=%s\n", m[0], m[1]);
	b->policy = digest_of(buf_text(&b->text), b->text.n);
	b->guix = find_guix(o->guix);
	return 0;
}

void
basis_fini(struct basis *b)
{
	buf_fini(&b->text);
	free(b->guix);
	free(b->mark);
	*b = (struct basis){0};
}

/* ---- of a sample ---- */

/* The time of its last change of any kind is among them: it cannot be set. */
static char *
mark_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	return xasprintf("%" PRId64 " %" PRId64 ".%09ld %" PRId64
			 ".%09ld %" PRIu64 " %" PRIu64,
		(int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec, (int64_t)st.st_ctim.tv_sec,
		st.st_ctim.tv_nsec, (uint64_t)st.st_ino, (uint64_t)st.st_dev);
}

static char *
mark_below(const char *folder, const char *name)
{
	CLEANUP(own_free)
	char *path = path_join(folder, name);

	return mark_file(path);
}

static char *
mark_ref(const struct ref *r, const struct sample *sample)
{
	char hex[DIGEST_HEX + 1];

	switch (r->transport) {
	case TRANSPORT_DOCKER_ARCHIVE:
	case TRANSPORT_OCI_ARCHIVE:
	case TRANSPORT_PACK:
	case TRANSPORT_ROOTFS:
		return mark_file(r->path);
	case TRANSPORT_OCI:
		return mark_below(r->path, "index.json");
	case TRANSPORT_DIR:
		return mark_below(r->path, "manifest.json");
	case TRANSPORT_DOCKER:
		return strncmp(r->ref, "sha256:", 7) == 0 ? xstrdup(r->ref)
							  : NULL;
	case TRANSPORT_WEB:
		if (!sample->has_sha256)
			return NULL;
		digest_hex(&sample->sha256, hex);
		return xasprintf("sha256:%s", hex);
	case TRANSPORT_DOCKER_DAEMON:
	default:
		return NULL;
	}
}

char *
basis_mark(const struct sample *sample)
{
	CLEANUP(ref_fini)
	struct ref ref = {0};
	struct err ignored;

	if (ref_parse(sample->source, sample->folder, &ref, &ignored) < 0)
		return NULL;
	return mark_ref(&ref, sample);
}

/* Each word with its length before it, so that none can be read as two. */
static void
add_text(struct digest_sum *sum, const char *text)
{
	size_t n = text ? strlen(text) + 1 : 0;

	digest_add(sum, &n, sizeof(n));
	digest_add(sum, text ? text : "", n);
}

/* What is in a file of the corpus; one that is not there has a digest too. */
static void
add_file(struct digest_sum *sum, struct known *known, const char *path)
{
	struct err ignored;

	if (!path) {
		add_text(sum, NULL);
		return;
	}
	if (!known->path || strcmp(known->path, path) != 0) {
		known->path = path;
		if (digest_file(path, &known->digest, NULL, &ignored) < 0)
			known->digest = (struct digest){{0}};
	}
	digest_add(sum, known->digest.b, sizeof(known->digest.b));
}

struct digest
basis_entry(struct basis *b, const struct sample *s)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	const int64_t numbers[] = {s->has_depth ? (int64_t)s->depth : -1,
		s->timeout_s, s->silence_s, s->has_sha256};

	add_text(sum, s->source);
	digest_add(sum, numbers, sizeof(numbers));
	if (s->has_sha256)
		digest_add(sum, s->sha256.b, sizeof(s->sha256.b));
	for (const char *const *p = s->pack_options; p && *p; p++)
		add_text(sum, *p);
	add_text(sum, s->pack_options ? "" : NULL);
	add_file(sum, &b->known[0], s->channels);
	add_file(sum, &b->known[1], s->manifest);
	return digest_end(sum);
}

void
basis_of(struct basis *b, const struct sample *sample, struct store_basis *out)
{
	free(b->mark);
	b->mark = basis_mark(sample);
	*out = (struct store_basis){.file = b->mark,
		.entry = basis_entry(b, sample),
		.guix = b->guix,
		.policy = b->policy};
}

bool
basis_same(const struct store_basis *a, const struct store_basis *b)
{
	return a->file && b->file && strcmp(a->file, b->file) == 0 &&
		strcmp(a->guix, b->guix) == 0 &&
		digest_eq(&a->entry, &b->entry) &&
		digest_eq(&a->policy, &b->policy);
}
