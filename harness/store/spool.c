/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/spool.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "store/record.h"

enum {
	WINDOW = 128 << 10
};

int
spool_bad(struct spool *sp, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *what = NULL;
	va_list ap;

	if (sp->is_bad)
		return -1;
	sp->is_bad = true;
	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(
		sp->e, ERR_INPUT, "spool line %" PRId64 ": %s", sp->line, what);
}

int
spool_open(struct spool *sp, const char *path, struct err *e)
{
	struct stat st;

	*sp = (struct spool){.fd = -1, .e = e};
	/* The worker wrote in that folder: no link out of it, no pipe. */
	sp->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (sp->fd < 0 && errno == ELOOP)
		return err_set(e, ERR_INPUT, "spool %s is a link", path);
	if (sp->fd < 0)
		return err_sys(e, errno == ENOENT ? ERR_INPUT : ERR_HOST,
			"spool %s", path);
	if (fstat(sp->fd, &st) < 0)
		return err_sys(e, ERR_HOST, "spool %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(
			e, ERR_INPUT, "spool %s is no regular file", path);
	if (st.st_size > RECORD_SPOOL_MAX)
		return err_set(e, ERR_INPUT,
			"spool %s has %" PRIdMAX " bytes, at most %" PRId64
			" are allowed",
			path, (intmax_t)st.st_size, RECORD_SPOOL_MAX);
	sp->cap = WINDOW;
	sp->window = xmalloc(sp->cap);
	return 0;
}

void
spool_fini(struct spool *sp)
{
	if (!sp->window && !sp->e)
		return;
	if (sp->fd >= 0)
		close(sp->fd);
	jdoc_free(sp->doc);
	free(sp->window);
	buf_fini(&sp->scratch);
	arena_fini(&sp->texts);
	*sp = (struct spool){.fd = -1};
}

/* More bytes after window[to]: 1, 0 at the end of the file. */
static int
fill(struct spool *sp)
{
	ssize_t n;

	if (sp->from > 0) {
		memmove(sp->window, sp->window + sp->from, sp->to - sp->from);
		sp->to -= sp->from;
		sp->from = 0;
	}
	if (sp->to == sp->cap) {
		if (sp->cap >= RECORD_LINE_MAX) {
			sp->line++;
			return spool_bad(
				sp, "is longer than %d bytes", RECORD_LINE_MAX);
		}
		sp->cap *= 2;
		sp->window = xrealloc(sp->window, sp->cap);
	}
	do
		n = pread(sp->fd, sp->window + sp->to, sp->cap - sp->to,
			sp->from_offset + (int64_t)sp->to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(sp->e, ERR_HOST, "cannot read the spool");
	sp->to += (size_t)n;
	return n > 0;
}

int
spool_raw(struct spool *sp)
{
	size_t looked = 0;

	for (;;) {
		const char *p = sp->window + sp->from;
		size_t have = sp->to - sp->from;
		const char *nl = memchr(p + looked, '\n', have - looked);
		int more;

		if (nl) {
			size_t n = (size_t)(nl - p) + 1;

			sp->raw = (struct slice){p, n};
			sp->from += n;
			sp->from_offset += (int64_t)n;
			sp->line++;
			return 1;
		}
		looked = have;
		more = fill(sp);
		if (more < 0)
			return -1;
		if (more == 0 && have == 0)
			return 0;
		if (more == 0) {
			sp->line++;
			return spool_bad(sp, "is cut");
		}
	}
}

int
spool_next(struct spool *sp)
{
	struct err why;
	int more = spool_raw(sp);

	jdoc_free(sp->doc);
	sp->doc = NULL;
	arena_fini(&sp->texts);
	if (more <= 0)
		return more;
	sp->doc = jdoc_parse(sp->raw, &why);
	if (!sp->doc)
		return spool_bad(sp, "%s", why.text);
	if (jdoc_type(sp->doc) != JDOC_OBJECT)
		return spool_bad(sp, "is no object");
	return 1;
}

struct spool_mark
spool_mark(const struct spool *sp)
{
	return (struct spool_mark){sp->from_offset, sp->line};
}

void
spool_seek(struct spool *sp, struct spool_mark mark)
{
	sp->line = mark.line;
	sp->from = sp->to = 0;
	sp->from_offset = mark.offset;
}

/* ---- fields ---- */

static const struct jdoc *
field(struct spool *sp, const struct jdoc *v, const char *key,
	enum jdoc_type type, bool is_opt)
{
	const struct jdoc *member = jdoc_get(v, key);

	if (is_opt && jdoc_type(member) == JDOC_NULL)
		return NULL;
	if (jdoc_type(member) == type)
		return member;
	(void)!spool_bad(sp,
		member ? "\"%s\" is of another type" : "has no \"%s\"", key);
	return NULL;
}

int64_t
spool_int_opt(struct spool *sp, const struct jdoc *v, const char *key,
	int64_t min, int64_t max, int64_t otherwise)
{
	const struct jdoc *member = field(sp, v, key, JDOC_INT, true);
	int64_t n = jdoc_int(member, otherwise);

	if (!member || (n >= min && n <= max))
		return n;
	(void)!spool_bad(sp,
		"\"%s\" is %" PRId64 ", allowed is %" PRId64 " to %" PRId64,
		key, n, min, max);
	return 0;
}

int64_t
spool_int(struct spool *sp, const struct jdoc *v, const char *key, int64_t min,
	int64_t max)
{
	if (!field(sp, v, key, JDOC_INT, false))
		return 0;
	return spool_int_opt(sp, v, key, min, max, 0);
}

bool
spool_bool(struct spool *sp, const struct jdoc *v, const char *key)
{
	return jdoc_bool(field(sp, v, key, JDOC_BOOL, false), false);
}

/* As it came, where nothing had to be cleaned: that is nearly always. */
static struct slice
clean(struct spool *sp, const char *key, struct slice s, enum text_lines lines,
	size_t cap)
{
	buf_clear(&sp->scratch);
	if (s.n <= cap)
		text_clean(&sp->scratch, s, lines);
	if (s.n > cap || sp->scratch.n > cap) {
		(void)!spool_bad(sp, "\"%s\" has over %zu bytes", key, cap);
		return slice_of("");
	}
	if (slice_eq(buf_get(&sp->scratch), s))
		return s;
	return (struct slice){
		arena_copy(&sp->texts, sp->scratch.p, sp->scratch.n),
		sp->scratch.n};
}

static struct slice
text_field(struct spool *sp, const struct jdoc *v, const char *key,
	enum text_lines lines, size_t cap, bool is_opt)
{
	const struct jdoc *member = field(sp, v, key, JDOC_STRING, is_opt);

	if (!member)
		return slice_of(is_opt ? NULL : "");
	return clean(sp, key, jdoc_str(member), lines, cap);
}

struct slice
spool_word(struct spool *sp, const struct jdoc *v, const char *key)
{
	return text_field(sp, v, key, TEXT_ONE_LINE, RECORD_WORD_MAX, false);
}

struct slice
spool_word_opt(struct spool *sp, const struct jdoc *v, const char *key)
{
	return text_field(sp, v, key, TEXT_ONE_LINE, RECORD_WORD_MAX, true);
}

struct slice
spool_text(struct spool *sp, const struct jdoc *v, const char *key)
{
	return text_field(sp, v, key, TEXT_MANY_LINES, RECORD_TEXT_MAX, false);
}

struct slice
spool_text_opt(struct spool *sp, const struct jdoc *v, const char *key)
{
	return text_field(sp, v, key, TEXT_MANY_LINES, RECORD_TEXT_MAX, true);
}

struct slice
spool_word_at(struct spool *sp, const struct jdoc *v, size_t i)
{
	const struct jdoc *element = jdoc_at(v, i);

	if (jdoc_type(element) != JDOC_STRING) {
		(void)!spool_bad(sp, "element %zu is no string", i);
		return slice_of("");
	}
	return clean(sp, "element", jdoc_str(element), TEXT_ONE_LINE,
		RECORD_WORD_MAX);
}

struct digest
spool_digest(struct spool *sp, const struct jdoc *v, const char *key)
{
	struct digest d = {{0}};
	const struct jdoc *member = field(sp, v, key, JDOC_STRING, false);

	if (member && !digest_parse(jdoc_str(member), &d))
		(void)!spool_bad(sp, "\"%s\" is no SHA-256", key);
	return d;
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct slice
spool_hex_opt(
	struct spool *sp, const struct jdoc *v, const char *key, size_t cap)
{
	const struct jdoc *member = field(sp, v, key, JDOC_STRING, true);
	struct slice s = jdoc_str(member);
	char *out;

	if (!member)
		return (struct slice){0};
	if (s.n % 2 != 0 || s.n / 2 > cap) {
		(void)!spool_bad(
			sp, "\"%s\" is no hex of at most %zu bytes", key, cap);
		return (struct slice){0};
	}
	out = arena_alloc(&sp->texts, s.n / 2 + 1);
	for (size_t i = 0; i < s.n / 2; i++) {
		int hi = nibble(s.p[2 * i]), lo = nibble(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0) {
			(void)!spool_bad(sp, "\"%s\" is no hex", key);
			return (struct slice){0};
		}
		out[i] = (char)(hi << 4 | lo);
	}
	return (struct slice){out, s.n / 2};
}
