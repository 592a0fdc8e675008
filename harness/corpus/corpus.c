/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "corpus/corpus.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/sexp.h"
#include "base/text.h"

/* The reading of one file. */
struct loader {
	struct corpus *corpus;
	const struct corpus_checks *checks;
	const char *file, *folder, *collection;
	struct sample defaults;
	bool has_version, has_defaults;
	struct buf *mistakes;
	size_t n_mistakes;
};

static void mistake(struct loader *l, const struct sexp *at, const char *fmt,
	...) PRINTF_LIKE(3, 4);

static void
mistake(struct loader *l, const struct sexp *at, const char *fmt, ...)
{
	CLEANUP(buf_fini)
	struct buf line = {0};
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	buf_printf(&line, "%s:%u:%u: %s", l->file, at->line, at->column, what);
	text_clean(l->mistakes, buf_get(&line), TEXT_ONE_LINE);
	buf_char(l->mistakes, '\n');
	l->n_mistakes++;
}

static const char *
keep(struct loader *l, struct slice s)
{
	return arena_copy(&l->corpus->arena, s.p, s.n);
}

/* The one string of (field "..."), NULL and a mistake otherwise. */
static const char *
one_string(struct loader *l, const struct sexp *field, size_t max)
{
	const struct sexp *value = sexp_at(field, 1);
	struct slice s = sexp_str(value);

	if (sexp_len(field) != 2 || field->dotted || !s.p) {
		mistake(l, field, "'%.*s' takes one string",
			SLICE_ARG(field->first->text));
		return NULL;
	}
	if (s.n == 0 || s.n > max || memchr(s.p, '\0', s.n)) {
		mistake(l, value,
			"'%.*s' takes 1 to %zu bytes without NUL, not %zu",
			SLICE_ARG(field->first->text), max, s.n);
		return NULL;
	}
	return keep(l, s);
}

/* The strings or symbols of (field a b ...), NULL-ended. */
static const char *const *
many_strings(struct loader *l, const struct sexp *field, size_t max)
{
	size_t n = 0;
	const char **v = arena_alloc(
		&l->corpus->arena, (sexp_len(field) + 1) * sizeof(*v));

	for (const struct sexp *x = field->first->next; x; x = x->next) {
		if ((x->type != SEXP_STRING && x->type != SEXP_SYMBOL) ||
			x->text.n == 0 || x->text.n > max ||
			memchr(x->text.p, '\0', x->text.n)) {
			mistake(l, x,
				"'%.*s' takes strings of 1 to %zu bytes "
				"without NUL",
				SLICE_ARG(field->first->text), max);
			return NULL;
		}
		v[n++] = keep(l, x->text);
	}
	return v;
}

static void
read_name(struct loader *l, const struct sexp *field, struct sample *s)
{
	struct buf shown = {0};

	s->name = one_string(l, field, CORPUS_NAME_MAX);
	if (!s->name)
		return;
	text_clean(&shown, slice_of(s->name), TEXT_ONE_LINE);
	if (!slice_is(buf_get(&shown), s->name)) {
		mistake(l, sexp_at(field, 1),
			"the name holds characters that cannot be shown");
		s->name = NULL;
	}
	buf_fini(&shown);
}

static void
read_source(struct loader *l, const struct sexp *field, struct sample *s)
{
	struct buf why = {0};

	s->source = one_string(l, field, CORPUS_TEXT_MAX);
	if (s->source && !l->checks->source(s->source, &why))
		mistake(l, sexp_at(field, 1), "%s", buf_text(&why));
	buf_fini(&why);
}

static void
read_sha256(struct loader *l, const struct sexp *field, struct sample *s)
{
	const char *text = one_string(l, field, CORPUS_TEXT_MAX);

	if (!text)
		return;
	s->has_sha256 = digest_parse(slice_of(text), &s->sha256);
	if (!s->has_sha256)
		mistake(l, sexp_at(field, 1),
			"'sha256' takes 64 hexadecimal digits");
}

static void
read_expect(struct loader *l, const struct sexp *field, struct sample *s)
{
	const struct sexp *value = sexp_at(field, 1);
	struct buf why = {0};

	if (sexp_len(field) != 2 || value->type != SEXP_SYMBOL)
		mistake(l, field, "'expect' takes one verdict");
	else {
		s->expect = keep(l, value->text);
		if (!l->checks->verdict(s->expect, &why))
			mistake(l, value, "%s", buf_text(&why));
	}
	buf_fini(&why);
}

static void
read_depth(struct loader *l, const struct sexp *field, struct sample *s)
{
	const struct sexp *value = sexp_at(field, 1);
	struct buf why = {0};

	if (sexp_len(field) != 2 || value->type != SEXP_SYMBOL)
		mistake(l, field,
			"'depth' takes recipe, pack, packages or closure");
	else if (!depth_parse(keep(l, value->text), &s->depth, &why))
		mistake(l, value, "%s", buf_text(&why));
	else
		s->has_depth = true;
	buf_fini(&why);
}

static int64_t
read_seconds(struct loader *l, const struct sexp *field)
{
	int64_t n;

	if (sexp_len(field) == 2 && sexp_int(sexp_at(field, 1), &n) && n > 0 &&
		n <= CORPUS_TIMEOUT_MAX)
		return n;
	mistake(l, field, "'%.*s' takes seconds, 1 to %d",
		SLICE_ARG(field->first->text), CORPUS_TIMEOUT_MAX);
	return 0;
}

static void
read_timeout(struct loader *l, const struct sexp *field, struct sample *s)
{
	s->timeout_s = read_seconds(l, field);
}

static void
read_silence(struct loader *l, const struct sexp *field, struct sample *s)
{
	s->silence_s = read_seconds(l, field);
}

static void
read_tags(struct loader *l, const struct sexp *field, struct sample *s)
{
	s->tags = many_strings(l, field, CORPUS_NAME_MAX);
	for (size_t i = 0; s->tags && s->tags[i]; i++) {
		if (strpbrk(s->tags[i], " \t\n"))
			mistake(l, field, "a tag holds no blanks");
	}
}

static void
read_pack_options(struct loader *l, const struct sexp *field, struct sample *s)
{
	s->pack_options = many_strings(l, field, CORPUS_TEXT_MAX);
}

/* A file that must be there and not too large. */
static const char *
read_file_name(struct loader *l, const struct sexp *field)
{
	const char *name = one_string(l, field, CORPUS_TEXT_MAX);
	CLEANUP(own_free)
	char *path = NULL;
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct err e = {0};

	if (!name)
		return NULL;
	path = path_join(l->folder, name);
	if (path_read(path, CORPUS_SCHEME_MAX, &text, &e) < 0) {
		mistake(l, sexp_at(field, 1), "%s", e.text);
		return NULL;
	}
	return keep(l, slice_of(path));
}

static void
read_channels(struct loader *l, const struct sexp *field, struct sample *s)
{
	s->channels = read_file_name(l, field);
}

static void
read_manifest(struct loader *l, const struct sexp *field, struct sample *s)
{
	s->manifest = read_file_name(l, field);
}

static const struct field {
	const char *name;
	void (*read)(struct loader *l, const struct sexp *f, struct sample *s);
	bool is_default; /* may stand in (defaults ...) */
} fields[] = {
	{"name", read_name, false},
	{"source", read_source, false},
	{"sha256", read_sha256, false},
	{"expect", read_expect, true},
	{"tags", read_tags, true},
	{"timeout", read_timeout, true},
	{"silence", read_silence, true},
	{"depth", read_depth, true},
	{"pack-options", read_pack_options, true},
	{"channels", read_channels, false},
	{"manifest", read_manifest, false},
};

/* The fields of (image ...) or (defaults ...) into s. */
static void
read_fields(struct loader *l, const struct sexp *form, struct sample *s,
	bool is_default)
{
	bool seen[ARRAY_LEN(fields)] = {false};

	for (const struct sexp *x = form->first->next; x; x = x->next) {
		size_t i;

		if (x->type != SEXP_LIST || !x->first ||
			x->first->type != SEXP_SYMBOL || x->dotted) {
			mistake(l, x, "expected (FIELD VALUE...)");
			continue;
		}
		for (i = 0; i < ARRAY_LEN(fields); i++) {
			if (sexp_is(x, fields[i].name) &&
				(!is_default || fields[i].is_default))
				break;
		}
		if (i == ARRAY_LEN(fields)) {
			mistake(l, x, "unknown field '%.*s' in %s",
				SLICE_ARG(x->first->text),
				is_default ? "defaults" : "image");
		} else if (seen[i]) {
			mistake(l, x, "'%s' is given twice", fields[i].name);
		} else {
			seen[i] = true;
			fields[i].read(l, x, s);
		}
	}
	if (is_default)
		return;
	for (size_t i = 0; i < 2; i++) { /* name and source */
		if (!seen[i])
			mistake(l, form, "an image needs '%s'", fields[i].name);
	}
	if ((s->channels == NULL) != (s->manifest == NULL))
		mistake(l, form,
			"'channels' and 'manifest' are given together or not "
			"at all");
}

static void
read_image(struct loader *l, const struct sexp *form)
{
	struct corpus *c = l->corpus;
	struct sample s = l->defaults;

	s.collection = l->collection;
	s.folder = l->folder;
	s.file = l->file;
	s.line = form->line;
	s.column = form->column;
	read_fields(l, form, &s, false);
	if (c->n >= CORPUS_IMAGES_MAX) {
		mistake(l, form, "more than %d images", CORPUS_IMAGES_MAX);
		return;
	}
	VEC_GROW(c->v, c->n, c->cap);
	c->v[c->n++] = s;
}

static void
read_version(struct loader *l, const struct sexp *form)
{
	int64_t version;

	if (sexp_len(form) != 2 || !sexp_int(sexp_at(form, 1), &version) ||
		version != 0)
		mistake(l, form, "expected (version 0)");
}

static void
read_form(struct loader *l, const struct sexp *x)
{
	if (sexp_is(x, "version")) {
		if (l->has_version)
			mistake(l, x, "'version' is given twice");
		l->has_version = true;
		read_version(l, x);
	} else if (sexp_is(x, "defaults")) {
		if (l->has_defaults)
			mistake(l, x, "'defaults' is given twice");
		l->has_defaults = true;
		read_fields(l, x, &l->defaults, true);
	} else if (sexp_is(x, "image")) {
		read_image(l, x);
	} else {
		mistake(l, x,
			"expected (version 0), (defaults ...) or (image ...)");
	}
}

/* all is an outline: a corpus of many images is not in memory as data. */
static void
read_corpus(struct loader *l, struct slice text, const struct sexp *all)
{
	const struct sexp *form = sexp_at(all, 0);

	l->has_version = l->has_defaults = false;
	if (sexp_len(all) != 1 || !sexp_is(form, "corpus")) {
		mistake(l, form ? form : all, "expected one (corpus ...)");
		return;
	}
	for (const struct sexp *x = form->first->next; x; x = x->next) {
		struct arena data = {0};
		struct err e = {0};
		const struct sexp *whole = sexp_whole(&data, text, x, &e);

		/* It was read before: there is nothing wrong with it. */
		if (whole)
			read_form(l, whole);
		else
			mistake(l, x, "%s", e.text);
		arena_fini(&data);
	}
	if (!l->has_version)
		mistake(l, form, "(version 0) is missing");
}

static const char *
stem(struct loader *l, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	const char *dot = strrchr(name, '.');
	size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name);

	return keep(l, (struct slice){name, n});
}

static void
load_file(struct loader *l, const char *file)
{
	static const struct sexp start = {.line = 1, .column = 1};
	CLEANUP(own_free)
	char *folder = path_dir(file);
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct arena data = {0};
	const struct sexp *all;
	struct err e = {0};

	l->file = keep(l, slice_of(file));
	l->folder = keep(l, slice_of(folder));
	l->collection = stem(l, file);
	l->defaults = (struct sample){.depth = DEPTH_PACK};
	if (path_read(file, CORPUS_FILE_MAX, &text, &e) < 0) {
		mistake(l, &start, "%s", e.text);
		return;
	}
	all = sexp_outline(&data, buf_get(&text), &e);
	if (all) {
		read_corpus(l, buf_get(&text), all);
	} else {
		/* The text says "line L column C: what" already. */
		unsigned line = 1, column = 1;
		const char *what = strstr(e.text, ": ");

		if (sscanf(e.text, "line %u column %u:", &line, &column) != 2)
			what = NULL;
		mistake(l, &(struct sexp){.line = line, .column = column}, "%s",
			what ? what + 2 : e.text);
	}
	arena_fini(&data);
}

static int
by_name(const void *a, const void *b)
{
	const struct sample *const *x = a, *const *y = b;
	int c = strcmp((*x)->name, (*y)->name);

	return c ? c : (*x > *y) - (*x < *y);
}

/* Names are keys of a history: none may stand twice. */
static void
check_names(struct loader *l)
{
	struct corpus *c = l->corpus;
	CLEANUP(own_free)
	const struct sample **v = xcalloc(c->n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].name)
			v[n++] = &c->v[i];
	}
	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(v[i - 1]->name, v[i]->name) != 0)
			continue;
		l->file = v[i]->file;
		mistake(l,
			&(struct sexp){
				.line = v[i]->line, .column = v[i]->column},
			"the name '%s' is taken by %s:%u", v[i]->name,
			v[i - 1]->file, v[i - 1]->line);
	}
}

int
corpus_load(const char *const *files, size_t n,
	const struct corpus_checks *checks, struct corpus *out,
	struct buf *mistakes, struct err *e)
{
	struct loader l = {
		.corpus = out, .checks = checks, .mistakes = mistakes};

	*out = (struct corpus){0};
	for (size_t i = 0; i < n; i++)
		load_file(&l, files[i]);
	check_names(&l);
	if (l.n_mistakes > 0)
		return err_set(e, ERR_INPUT, "%zu mistake%s in the corpus",
			l.n_mistakes, l.n_mistakes == 1 ? "" : "s");
	return 0;
}

void
corpus_fini(struct corpus *c)
{
	free(c->v);
	arena_fini(&c->arena);
	*c = (struct corpus){0};
}

bool
selection_has(const struct selection *s, const struct sample *sample)
{
	if (s->only && !text_glob(s->only, sample->name))
		return false;
	if (!s->tag)
		return true;
	for (size_t i = 0; sample->tags && sample->tags[i]; i++) {
		if (strcmp(sample->tags[i], s->tag) == 0)
			return true;
	}
	return false;
}
