/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/pax.h"

#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "image/shown.h"

/* Digits alone, up to INT64_MAX; *n of them were read. */
static bool
digits(struct slice s, int64_t *out, size_t *n)
{
	int64_t v = 0;
	size_t i = 0;

	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		if (v > (INT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = v;
	*n = i;
	return i > 0;
}

static bool
whole(struct slice s, int64_t max, int64_t *out)
{
	size_t n;

	return digits(s, out, &n) && n == s.n && *out <= max;
}

static bool
whole32(struct slice s, uint32_t *out)
{
	int64_t v = 0;
	bool is_good = whole(s, UINT32_MAX, &v);

	*out = (uint32_t)v;
	return is_good;
}

/* "[-]SECONDS[.FRACTION]"; what is beyond nanoseconds is cut. */
static bool
seconds(struct slice s, int64_t *out, uint32_t *ns)
{
	bool is_negative = s.n > 0 && s.p[0] == '-';
	uint32_t scale = 100000000;
	size_t n;

	*ns = 0;
	if (is_negative)
		s = (struct slice){s.p + 1, s.n - 1};
	if (!digits(s, out, &n))
		return false;
	if (n < s.n && s.p[n] != '.')
		return false;
	for (n++; n < s.n; n++) {
		if (s.p[n] < '0' || s.p[n] > '9')
			return false;
		*ns += scale * (uint32_t)(s.p[n] - '0');
		scale /= 10;
	}
	if (is_negative) {
		*out = -*out;
		if (*ns != 0) {
			*out -= 1;
			*ns = 1000000000 - *ns;
		}
	}
	return true;
}

static int
add_span(struct pax *p, int64_t offset, struct err *e)
{
	if (p->n_spans == PAX_SPANS_MAX)
		return err_set(e, ERR_POLICY,
			"a sparse file in more than %d pieces", PAX_SPANS_MAX);
	VEC_GROW(p->spans, p->n_spans, p->cap_spans);
	p->spans[p->n_spans++] = (struct pax_span){(uint64_t)offset, 0};
	return 0;
}

/* GNU.sparse.map of format 0.1: "OFFSET,SIZE,OFFSET,SIZE..." */
static int
sparse_map(struct pax *p, struct slice s, bool *is_good, struct err *e)
{
	bool is_size = false;
	int64_t v;
	size_t n;

	p->n_spans = 0;
	for (; s.n != 0; is_size = !is_size) {
		*is_good = digits(s, &v, &n) && (n == s.n || s.p[n] == ',');
		if (!*is_good)
			return 0;
		if (is_size)
			p->spans[p->n_spans - 1].size = (uint64_t)v;
		else if (add_span(p, v, e) < 0)
			return -1;
		n += n < s.n;
		s = (struct slice){s.p + n, s.n - n};
	}
	*is_good = !is_size;
	return 0;
}

static int
sparse(struct pax *p, struct slice key, struct slice value, bool *is_good,
	struct err *e)
{
	int64_t v = 0;

	if (slice_is(key, "name")) {
		p->sparse_name = value;
		return 0;
	}
	p->is_sparse = true;
	if (slice_is(key, "map"))
		return sparse_map(p, value, is_good, e);
	*is_good = whole(value, INT64_MAX, &v);
	if (!*is_good)
		return 0;
	if (slice_is(key, "size") || slice_is(key, "realsize"))
		p->sparse_size = (uint64_t)v;
	else if (slice_is(key, "major"))
		p->sparse_major = v;
	else if (slice_is(key, "offset"))
		return add_span(p, v, e);
	else if (slice_is(key, "numbytes")) {
		*is_good = p->n_spans > 0;
		if (*is_good)
			p->spans[p->n_spans - 1].size = (uint64_t)v;
	} else if (!slice_is(key, "minor") && !slice_is(key, "numblocks"))
		*is_good = false;
	return 0;
}

static int
add_xattr(struct pax *p, struct slice name, struct slice value, struct err *e)
{
	for (size_t i = 0; i < p->n_xattrs; i++)
		if (slice_eq(p->xattrs[i].name, name)) {
			p->xattrs[i].value = value;
			return 0;
		}
	if (p->n_xattrs == PAX_XATTRS_MAX)
		return err_set(e, ERR_POLICY,
			"more than %d extended attributes", PAX_XATTRS_MAX);
	VEC_GROW(p->xattrs, p->n_xattrs, p->cap_xattrs);
	p->xattrs[p->n_xattrs++] = (struct pax_xattr){name, value};
	return 0;
}

static struct slice
after(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return (struct slice){s.p + n, s.n - n};
}

static bool
text(struct slice value, struct slice *to)
{
	*to = value;
	return value.n == 0 || !memchr(value.p, '\0', value.n);
}

/* One record; those that say nothing of the tree are passed over. */
static int
record(struct pax *p, struct slice key, struct slice value, struct err *e)
{
	bool is_good = true;
	int r = 0;

	p->has_any = true;
	/* An empty value takes back: the header's own counts (POSIX). */
	if (slice_is(key, "path"))
		is_good = text(value, &p->path);
	else if (slice_is(key, "linkpath"))
		is_good = text(value, &p->link);
	else if (slice_is(key, "uname"))
		is_good = text(value, &p->uname);
	else if (slice_is(key, "gname"))
		is_good = text(value, &p->gname);
	else if (slice_is(key, "size"))
		is_good = !(p->has_size = value.n != 0) ||
			whole(value, INT64_MAX, &p->size);
	else if (slice_is(key, "mtime"))
		is_good = !(p->has_mtime = value.n != 0) ||
			seconds(value, &p->mtime, &p->mtime_ns);
	else if (slice_is(key, "uid"))
		is_good =
			!(p->has_uid = value.n != 0) || whole32(value, &p->uid);
	else if (slice_is(key, "gid"))
		is_good =
			!(p->has_gid = value.n != 0) || whole32(value, &p->gid);
	else if (slice_is(key, "SCHILY.devmajor"))
		is_good = !(p->has_dev_major = value.n != 0) ||
			whole32(value, &p->dev_major);
	else if (slice_is(key, "SCHILY.devminor"))
		is_good = !(p->has_dev_minor = value.n != 0) ||
			whole32(value, &p->dev_minor);
	else if (slice_starts(key, "GNU.sparse."))
		r = sparse(p, after(key, "GNU.sparse."), value, &is_good, e);
	else if (slice_starts(key, "SCHILY.xattr."))
		r = add_xattr(p, after(key, "SCHILY.xattr."), value, e);
	else if (slice_starts(key, "SCHILY.acl.")) /* not in the above */
		r = add_xattr(p, key, value, e);
	else
		p->has_any = false;
	if (r == 0 && !is_good)
		return err_set(e, ERR_INPUT, "extended header: bad '%s'",
			shown_of(key).text);
	return r;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts all of it; *s moves past it. */
static bool
next_record(struct slice *s, struct slice *key, struct slice *value)
{
	int64_t len;
	size_t n;
	const char *equals;

	if (!digits(*s, &len, &n) || n >= s->n || s->p[n] != ' ' ||
		(uint64_t)len > s->n || (size_t)len < n + 3 ||
		s->p[len - 1] != '\n')
		return false;
	*key = (struct slice){s->p + n + 1, (size_t)len - n - 2};
	equals = memchr(key->p, '=', key->n);
	if (!equals || equals == key->p)
		return false;
	*value = (struct slice){
		equals + 1, (size_t)(key->p + key->n - equals - 1)};
	key->n = (size_t)(equals - key->p);
	*s = (struct slice){s->p + len, s->n - (size_t)len};
	return true;
}

int
pax_parse(struct pax *p, struct slice body, struct err *e)
{
	struct slice rest, key, value;
	bool has_any = false;

	pax_reset(p);
	buf_slice(&p->text, body);
	rest = buf_get(&p->text);
	while (rest.n != 0) {
		if (!next_record(&rest, &key, &value))
			return err_set(e, ERR_INPUT,
				"malformed extended header, %zu bytes before its end",
				rest.n);
		if (record(p, key, value, e) < 0)
			return -1;
		has_any |= p->has_any;
	}
	p->has_any = has_any;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct pax_xattr *x = a, *y = b;

	return slice_cmp(x->name, y->name);
}

void
pax_print_xattrs(const struct pax *p, struct buf *out)
{
	if (p->n_xattrs > 1)
		qsort(p->xattrs, p->n_xattrs, sizeof(*p->xattrs), by_name);
	for (size_t i = 0; i < p->n_xattrs; i++) {
		struct slice name = p->xattrs[i].name;
		struct slice value = p->xattrs[i].value;

		for (size_t k = 0; k < name.n; k++) {
			unsigned char c = (unsigned char)name.p[k];

			if (c <= ' ' || c >= 0x7f || c == '%' || c == '=')
				buf_printf(out, "%%%02x", c);
			else
				buf_char(out, (char)c);
		}
		buf_char(out, '=');
		for (size_t k = 0; k < value.n; k++)
			buf_printf(out, "%02x", (unsigned char)value.p[k]);
		buf_char(out, '\n');
	}
}

void
pax_reset(struct pax *p)
{
	struct pax empty = {
		.text = p->text,
		.spans = p->spans,
		.cap_spans = p->cap_spans,
		.xattrs = p->xattrs,
		.cap_xattrs = p->cap_xattrs,
	};

	buf_clear(&empty.text);
	*p = empty;
}

void
pax_fini(struct pax *p)
{
	buf_fini(&p->text);
	free(p->spans);
	free(p->xattrs);
	*p = (struct pax){0};
}
