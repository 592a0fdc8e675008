/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/form.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/path.h"

int
form_at(const struct form *f, const struct sexp *s, const char *what,
	struct err *e)
{
	return err_set(e, ERR_INPUT, "%s:%u:%u: %s", f->path, s->line,
		s->column, what);
}

int
form_string(const struct form *f, const struct sexp *field, const char **out,
	struct err *e)
{
	struct slice s = sexp_str(sexp_at(field, 1));

	if (*out)
		return form_at(f, field, "given twice", e);
	if (sexp_len(field) != 2 || field->dotted || !s.p || s.n == 0)
		return form_at(f, field, "one string was expected", e);
	if (memchr(s.p, '\0', s.n))
		return form_at(f, field, "a string holds a NUL", e);
	*out = arena_copy(f->arena, s.p, s.n);
	return 0;
}

static int
read_version(const struct form *f, const struct sexp *field, bool *has,
	struct err *e)
{
	int64_t n;

	if (*has)
		return form_at(f, field, "given twice", e);
	if (sexp_len(field) != 2 || !sexp_int(sexp_at(field, 1), &n) || n != 0)
		return form_at(f, field, "only version 0 is known", e);
	*has = true;
	return 0;
}

/* "unknown field: version, a and b are known" */
static int
unknown(const struct form *f, const struct sexp *field,
	const struct form_field *fields, size_t n, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf what = {0};

	buf_str(&what, "unknown field: version");
	for (size_t i = 0; i < n; i++)
		buf_printf(&what, "%s%s", i + 1 < n ? ", " : " and ",
			fields[i].name);
	buf_str(&what, " are known");
	return form_at(f, field, buf_text(&what), e);
}

static int
read_fields(const struct form *f, const struct sexp *all, const char *name,
	const struct form_field *fields, size_t n, struct err *e)
{
	const struct sexp *top = sexp_at(all, 0);
	bool has_version = false;

	if (sexp_len(all) != 1 || !sexp_is(top, name) || top->dotted) {
		char what[80];

		snprintf(what, sizeof(what),
			"the file is to be one list, (%s ...)", name);
		return form_at(f, top ? top : all, what, e);
	}
	for (const struct sexp *x = top->first->next; x; x = x->next) {
		size_t i = 0;
		int rc;

		while (i < n && !sexp_is(x, fields[i].name))
			i++;
		if (sexp_is(x, "version"))
			rc = read_version(f, x, &has_version, e);
		else if (i == n)
			rc = unknown(f, x, fields, n, e);
		else if (x->dotted)
			rc = form_at(f, x, "a dot has no meaning here", e);
		else
			rc = fields[i].read(f, x, e);
		if (rc < 0)
			return -1;
	}
	if (!has_version)
		return form_at(f, top, "(version 0) is missing", e);
	return 0;
}

/* "line L column C: what" becomes what an editor jumps to. */
static void
place(const char *path, struct err *e)
{
	char what[sizeof(e->text)];
	unsigned line, column;
	int end = 0;

	memcpy(what, e->text, sizeof(what));
	if (sscanf(what, "line %u column %u: %n", &line, &column, &end) == 2 &&
		end > 0)
		(void)!err_set(e, ERR_INPUT, "%s:%u:%u: %s", path, line, column,
			what + end);
	else
		(void)!err_wrap(e, "%s", path);
}

int
form_read(const struct form *f, size_t max, const char *name,
	const struct form_field *fields, size_t n, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(arena_fini)
	struct arena a = {0};
	const struct sexp *all;

	if (path_read(f->path, max, &text, e) < 0)
		return -1;
	all = sexp_parse(&a, buf_get(&text), e);
	if (!all) {
		place(f->path, e);
		return -1;
	}
	return read_fields(f, all, name, fields, n, e);
}
