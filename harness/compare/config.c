/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/config.h"

#include <inttypes.h>
#include <strings.h>

#include "base/text.h"

enum {
	CONFIG_VALUE_MAX = 160, /* bytes of a value that a detail shows */
	CONFIG_KEY_MAX = 64,    /* bytes of a member's name */
	CONFIG_WHERE_MAX = 256  /* bytes of a member's path */
};

/* How the names of an object are compared. */
enum names {
	NAMES_IMAGE,  /* a Go struct: the top of an image config */
	NAMES_ROOTFS, /* a Go struct: its `rootfs' */
	NAMES_STRUCT, /* another Go struct */
	NAMES_MAP     /* a Go map: as they are */
};

struct config {
	struct findings *f;
	uint64_t *allowed;
	struct buf where; /* path of the member being compared */
	struct buf detail;
};

/* At most max bytes of s, cut between characters where it is UTF-8. */
static struct slice
cut(struct slice s, size_t max)
{
	if (s.n <= max)
		return s;
	s.n = max;
	while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

struct shown {
	struct buf *out;
	size_t end; /* nothing is begun beyond */
	bool is_object;
	bool has_any;
};

static void show(struct buf *out, size_t end, const struct jdoc *v);

static int
show_member(void *arg, struct slice key, const struct jdoc *value)
{
	struct shown *s = arg;

	if (s->out->n >= s->end)
		return 1;
	if (s->has_any)
		buf_str(s->out, ", ");
	s->has_any = true;
	jout_quote(s->out, cut(key, CONFIG_KEY_MAX));
	buf_str(s->out, ": ");
	show(s->out, s->end, value);
	return 0;
}

static void
show(struct buf *out, size_t end, const struct jdoc *v)
{
	struct shown object = {.out = out, .end = end};
	struct slice s = jdoc_str(v);

	switch (jdoc_type(v)) {
	case JDOC_NULL:
		buf_str(out, "null");
		break;
	case JDOC_BOOL:
		buf_str(out, jdoc_bool(v, false) ? "true" : "false");
		break;
	case JDOC_INT:
		buf_printf(out, "%" PRId64, jdoc_int(v, 0));
		break;
	case JDOC_REAL:
		buf_str(out, "a fraction");
		break;
	case JDOC_STRING:
		jout_quote(out, cut(s, CONFIG_VALUE_MAX));
		if (s.n > CONFIG_VALUE_MAX)
			buf_str(out, "…");
		break;
	case JDOC_ARRAY:
		buf_char(out, '[');
		for (size_t i = 0; i < jdoc_len(v) && out->n < end; i++) {
			if (i > 0)
				buf_str(out, ", ");
			show(out, end, jdoc_at(v, i));
		}
		buf_str(out, out->n < end ? "]" : "…]");
		break;
	case JDOC_OBJECT:
	default:
		buf_char(out, '{');
		(void)jdoc_each(v, show_member, &object);
		buf_str(out, out->n < end ? "}" : "…}");
		break;
	}
}

static void
side(struct buf *out, const struct jdoc *v, const char *where)
{
	if (v)
		show(out, out->n + CONFIG_VALUE_MAX, v);
	else
		buf_str(out, "absent");
	buf_printf(out, " in the %s", where);
}

static void
differ(struct config *c, const struct jdoc *a, const struct jdoc *b)
{
	struct buf raw = {0};

	if (c->where.n > 0) {
		buf_slice(&raw, buf_get(&c->where));
		buf_str(&raw, ": ");
	}
	side(&raw, a, "image");
	buf_str(&raw, ", ");
	side(&raw, b, "rebuild");
	/* jout_quote leaves newlines as two characters: one line already */
	text_clean(&c->detail, buf_get(&raw), TEXT_ONE_LINE);
	findings_add(c->f, FINDING_CONFIG, "", &c->detail);
	buf_clear(&c->detail);
	buf_fini(&raw);
}

/* Go on to a member: where gets longer; leave takes it back to was. */
static size_t
enter(struct config *c, struct slice key)
{
	size_t was = c->where.n;
	bool is_plain = key.n > 0;

	for (size_t i = 0; i < key.n && is_plain; i++)
		is_plain = (key.p[i] >= 'a' && key.p[i] <= 'z') ||
			(key.p[i] >= 'A' && key.p[i] <= 'Z') ||
			(key.p[i] >= '0' && key.p[i] <= '9') || key.p[i] == '_';
	if (was >= CONFIG_WHERE_MAX)
		return was;
	if (is_plain && key.n <= CONFIG_KEY_MAX) {
		if (was > 0)
			buf_char(&c->where, '.');
		buf_slice(&c->where, key);
	} else {
		buf_char(&c->where, '[');
		jout_quote(&c->where, cut(key, CONFIG_KEY_MAX));
		buf_char(&c->where, ']');
	}
	return was;
}

static void
leave(struct config *c, size_t was)
{
	c->where.n = was;
	if (c->where.p)
		c->where.p[was] = '\0';
}

static void compare(struct config *c, enum names names, const struct jdoc *a,
	const struct jdoc *b);

/* One object's members looked for in the other's. */
struct pairing {
	struct config *c;
	enum names names;
	const struct jdoc *mine, *other;
	bool is_second; /* mine is the rebuild's: only what the first has not */
};

/* The value that mine[key] corresponds to in other, NULL when none. */
static const struct jdoc *
partner(const struct pairing *p, const char *key)
{
	const struct jdoc *exact = jdoc_get(p->other, key);

	if (exact || p->names == NAMES_MAP)
		return exact;
	return jdoc_get_ci(p->other, key);
}

static enum names
names_below(enum names names, const char *key)
{
	if (names != NAMES_IMAGE)
		return NAMES_MAP;
	if (strcasecmp(key, "rootfs") == 0)
		return NAMES_ROOTFS;
	if (strcasecmp(key, "config") == 0 ||
		strcasecmp(key, "container_config") == 0)
		return NAMES_STRUCT;
	return NAMES_MAP;
}

static int
is_named(void *arg, struct slice key, const struct jdoc *value)
{
	struct slice *name = arg;

	(void)value;
	name->n += strcasecmp(name->p, key.p) == 0;
	return name->n > 1;
}

/*
 * Did the first look, over the other object's members, take mine[key]?  Surely
 * where the names are the same, and where no second member of mine has this
 * name in another case; Go would let the later of two win, we compare both.
 */
static bool
was_compared(const struct pairing *p, const char *key, const struct jdoc *other)
{
	struct slice name = {key, 0};

	if (!other)
		return false;
	if (jdoc_get(p->other, key))
		return true;
	(void)jdoc_each(p->mine, is_named, &name);
	return name.n == 1;
}

/* Is it a remark, which are dropped from a config that becomes OCI's? */
static bool
is_remark(const struct pairing *p, const char *key)
{
	static const char *const remarks[] = {
		"comment", "container_config", "docker_version"};

	for (size_t i = 0; p->names == NAMES_IMAGE && i < ARRAY_LEN(remarks);
		i++)
		if (strcasecmp(key, remarks[i]) == 0)
			return true;
	return false;
}

/* That says no more of the image, but is not lost so. */
static bool
is_history(const struct pairing *p, const char *key)
{
	return p->names == NAMES_IMAGE && strcasecmp(key, "history") == 0;
}

/*
 * Absent is what Go makes of it: as good as no text in any struct, and as
 * false, 0, [] or {} among those of `config', which docker writes all.
 */
static bool
is_zero(enum names names, const struct jdoc *v)
{
	switch (jdoc_type(v)) {
	case JDOC_STRING:
		return names != NAMES_MAP && jdoc_str(v).n == 0;
	case JDOC_BOOL:
		return names == NAMES_STRUCT && !jdoc_bool(v, true);
	case JDOC_INT:
		return names == NAMES_STRUCT && jdoc_int(v, 1) == 0;
	case JDOC_ARRAY:
	case JDOC_OBJECT:
		return names == NAMES_STRUCT && jdoc_len(v) == 0;
	case JDOC_NULL:
	case JDOC_REAL:
	default:
		return false;
	}
}

static int
compare_member(void *arg, struct slice key, const struct jdoc *value)
{
	const struct pairing *p = arg;
	const struct jdoc *other = partner(p, key.p);
	bool is_struct = p->names != NAMES_MAP;
	size_t was;

	if (p->names == NAMES_ROOTFS && strcasecmp(key.p, "diff_ids") == 0)
		return 0;
	if (p->is_second && was_compared(p, key.p, other))
		return 0;
	if (is_struct && jdoc_type(value) == JDOC_NULL &&
		jdoc_type(other) == JDOC_NULL)
		return 0;
	if (!other && is_zero(p->names, value))
		return 0;
	if (!other && is_remark(p, key.p)) {
		p->c->allowed[ALLOWANCE_CONFIG_NOTES]++;
		return 0;
	}
	if (!other && is_history(p, key.p)) {
		p->c->allowed[ALLOWANCE_CONFIG_HISTORY]++;
		return 0;
	}
	was = enter(p->c, key);
	if (!other)
		differ(p->c, p->is_second ? NULL : value,
			p->is_second ? value : NULL);
	else
		compare(p->c, names_below(p->names, key.p),
			p->is_second ? other : value,
			p->is_second ? value : other);
	leave(p->c, was);
	return 0;
}

static void
compare_arrays(struct config *c, const struct jdoc *a, const struct jdoc *b)
{
	size_t na = jdoc_len(a), nb = jdoc_len(b);

	for (size_t i = 0; i < na || i < nb; i++) {
		const struct jdoc *va = jdoc_at(a, i), *vb = jdoc_at(b, i);
		size_t was = c->where.n;

		if (was < CONFIG_WHERE_MAX)
			buf_printf(&c->where, "[%zu]", i);
		if (va && vb)
			compare(c, NAMES_MAP, va, vb);
		else
			differ(c, va, vb);
		leave(c, was);
	}
}

static void
compare(struct config *c, enum names names, const struct jdoc *a,
	const struct jdoc *b)
{
	enum jdoc_type type = jdoc_type(a);

	if (type == JDOC_OBJECT && jdoc_type(b) == JDOC_OBJECT) {
		struct pairing there = {c, names, a, b, false};
		struct pairing back = {c, names, b, a, true};

		(void)jdoc_each(a, compare_member, &there);
		(void)jdoc_each(b, compare_member, &back);
	} else if (type == JDOC_ARRAY && jdoc_type(b) == JDOC_ARRAY) {
		compare_arrays(c, a, b);
	} else if (!jdoc_eq(a, b)) {
		differ(c, a, b);
	}
}

void
config_compare(const struct image *image, const struct image *rebuilt,
	struct findings *f, uint64_t allowed[ALLOWANCE_COUNT])
{
	struct config c = {.f = f, .allowed = allowed};

	if (slice_eq(image->config, rebuilt->config))
		return;
	compare(&c, NAMES_IMAGE, image->config_doc, rebuilt->config_doc);
	buf_fini(&c.where);
	buf_fini(&c.detail);
}

/*
 * The config's bytes without the list of its layers' diffIDs, from the first
 * to the last with what is between them: more layers are no other form.  A
 * list with anything else in it, such as white space, stays.
 */
static void
without_diff_ids(struct buf *out, const struct image *image)
{
	struct slice text = image->config;
	size_t begin = text.n, end = 0;
	char hex[DIGEST_HEX + 1];

	for (size_t i = 0; i < image->n_layers; i++) {
		const char *at = NULL;

		digest_hex(&image->layers[i].diff_id, hex);
		if (text.n > 0)
			at = memmem(text.p, text.n, hex, DIGEST_HEX);
		if (at && (size_t)(at - text.p) < begin)
			begin = (size_t)(at - text.p);
		if (at && (size_t)(at - text.p) + DIGEST_HEX > end)
			end = (size_t)(at - text.p) + DIGEST_HEX;
	}
	for (size_t i = begin; i < end; i++)
		if (!strchr("0123456789abcdefsh:\",", text.p[i]))
			begin = end = text.n;
	if (begin >= end)
		begin = end = text.n;
	buf_slice(out, (struct slice){text.p, begin});
	buf_slice(out, (struct slice){text.p + end, text.n - end});
}

bool
config_is_same_form(const struct image *image, const struct image *rebuilt)
{
	CLEANUP(buf_fini)
	struct buf a = {0};
	CLEANUP(buf_fini)
	struct buf b = {0};

	without_diff_ids(&a, image);
	without_diff_ids(&b, rebuilt);
	return slice_eq(buf_get(&a), buf_get(&b));
}
