/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/drv.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "rebuild/guix.h"

struct reader {
	const char *p, *end;
	struct arena *a;
	struct err *e;
};

static int
bad(struct reader *r, const char *what)
{
	return err_set(r->e, ERR_INPUT, "a derivation: %s", what);
}

static int
expect(struct reader *r, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, text, n) != 0)
		return bad(r, "something else was expected");
	r->p += n;
	return 0;
}

static bool
take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* "...", with \" \\ \n \r \t */
static int
read_text(struct reader *r, const char **out)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (!take(r, '"'))
		return bad(r, "a string was expected");
	while (r->p < r->end && *r->p != '"') {
		char c = *r->p++;

		if (c == '\\' && r->p < r->end) {
			c = *r->p++;
			c = c == 'n'       ? '\n'
				: c == 'r' ? '\r'
				: c == 't' ? '\t'
					   : c;
		}
		if (!c)
			return bad(r, "a NUL");
		buf_char(&text, c);
	}
	if (!take(r, '"'))
		return bad(r, "a string has no end");
	*out = arena_copy(r->a, buf_text(&text), text.n);
	return 0;
}

/* ("out","/gnu/store/...","sha256","HASH") */
static int
read_output(struct reader *r, struct drv_output *o)
{
	const char *algo;

	if (expect(r, "(") < 0 || read_text(r, &o->name) < 0 ||
		expect(r, ",") < 0 || read_text(r, &o->path) < 0 ||
		expect(r, ",") < 0 || read_text(r, &algo) < 0 ||
		expect(r, ",") < 0 || read_text(r, &o->hash) < 0 ||
		expect(r, ")") < 0)
		return -1;
	if (!guix_is_store_path(slice_of(o->path)))
		return bad(r, "an output that is no store path");
	return 0;
}

/* ("/gnu/store/....drv",["out","lib"]) */
static int
read_input(struct reader *r, const char **drv)
{
	const char *name;

	if (expect(r, "(") < 0 || read_text(r, drv) < 0 || expect(r, ",[") < 0)
		return -1;
	if (!guix_is_drv(slice_of(*drv)))
		return bad(r, "an input that is no derivation");
	while (!take(r, ']')) {
		if (read_text(r, &name) < 0)
			return -1;
		if (!take(r, ',') && (r->p == r->end || *r->p != ']'))
			return bad(r, "a list has no end");
	}
	return expect(r, ")");
}

static int
read_outputs(struct reader *r, struct drv *d)
{
	CLEANUP(own_free)
	struct drv_output *v = NULL;
	size_t n = 0, cap = 0;

	while (!take(r, ']')) {
		if (n == DRV_LIST)
			return bad(r, "too many outputs");
		VEC_GROW(v, n, cap);
		if (read_output(r, &v[n++]) < 0)
			return -1;
		if (!take(r, ',') && (r->p == r->end || *r->p != ']'))
			return bad(r, "a list has no end");
	}
	d->outputs = arena_alloc(r->a, (n + 1) * sizeof(*v));
	if (n)
		memcpy(d->outputs, v, n * sizeof(*v));
	d->n_outputs = n;
	return 0;
}

static int
read_inputs(struct reader *r, struct drv *d)
{
	CLEANUP(own_free)
	const char **v = NULL;
	size_t n = 0, cap = 0;

	while (!take(r, ']')) {
		if (n == DRV_LIST)
			return bad(r, "too many inputs");
		VEC_GROW(v, n, cap);
		if (read_input(r, &v[n++]) < 0)
			return -1;
		if (!take(r, ',') && (r->p == r->end || *r->p != ']'))
			return bad(r, "a list has no end");
	}
	d->inputs = arena_alloc(r->a, (n + 1) * sizeof(*v));
	if (n)
		memcpy(d->inputs, v, n * sizeof(*v));
	d->n_inputs = n;
	return 0;
}

int
drv_parse(struct arena *a, struct slice text, struct drv *out, struct err *e)
{
	struct reader r = {text.p, text.p + text.n, a, e};

	*out = (struct drv){0};
	if (expect(&r, "Derive([") < 0 || read_outputs(&r, out) < 0 ||
		expect(&r, ",[") < 0 || read_inputs(&r, out) < 0)
		return -1;
	return expect(&r, ",[");
}

const char *
drv_out(const struct drv *d)
{
	for (size_t i = 0; i < d->n_outputs; i++)
		if (strcmp(d->outputs[i].name, "out") == 0)
			return d->outputs[i].path;
	return NULL;
}

bool
drv_is_source(const struct drv *d)
{
	return d->n_outputs == 1 && d->outputs[0].hash[0];
}
