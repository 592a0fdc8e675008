/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipe/parts.h"

/* A transformation that gives a package another version. */
static const char *const changing[] = {"with-branch", "with-commit",
	"with-git-url", "with-latest", "with-source", "with-version"};
/* Those whose result depends on what is elsewhere today. */
static const char *const drifting[] = {
	"with-branch", "with-git-url", "with-latest", "with-version"};
/* Those that read a file or fetch a URL. */
static const char *const reading[] = {"with-source", "with-patch"};

static bool
is_among(const char *s, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(s, v[i]) == 0)
			return true;
	}
	return false;
}

/* Is the package that a transformation is for (before "=" or "@") p?  A
 * with-source of a file alone is for the package that the file is named for,
 * which may be p. */
static bool
is_for(const struct transformation *t, const struct package *p)
{
	size_t n = strcspn(t->value, "=@"), len = strlen(p->name);

	if (strcmp(t->key, "with-source") == 0 && !strchr(t->value, '='))
		return true;
	return n == len && memcmp(t->value, p->name, n) == 0;
}

static bool
has_changed_version(const struct package *p)
{
	for (size_t i = 0; i < p->n_transformations; i++) {
		const struct transformation *t = &p->transformations[i];

		if (is_among(t->key, changing, ARRAY_LEN(changing)) &&
			is_for(t, p))
			return true;
	}
	return false;
}

/*
 * NAME[@VERSION][:OUTPUT] as (gnu packages) reads it: the output is after the
 * last ":", the version after the last "@".
 */
static int
make_spec(const struct package *p, bool with_output, struct buf *out,
	struct err *e)
{
	bool is_bare = !p->version[0] || has_changed_version(p);
	bool has_colon =
		strchr(p->name, ':') || (!is_bare && strchr(p->version, ':'));

	buf_clear(out);
	if (!p->name[0])
		return err_set(e, ERR_INPUT, "a package without a name");
	if (is_bare && strchr(p->name, '@'))
		return scheme_bad(
			"package", p->name, "has an @ and no version", e);
	if (!is_bare && strchr(p->version, '@'))
		return scheme_bad("version", p->version, "has an @", e);
	if (!p->output[0] || strchr(p->output, ':'))
		return scheme_bad("output", p->output, "is not one", e);
	buf_str(out, p->name);
	if (!is_bare)
		buf_printf(out, "@%s", p->version);
	if (with_output && strcmp(p->output, "out") != 0)
		buf_printf(out, ":%s", p->output);
	else if (has_colon) /* what is after a name's own is no output */
		buf_str(out, ":out");
	return 0;
}

/* What a reader of the recipe must know of an entry. */
static void
explain(const struct package *p, struct words *guessed, struct words *missing)
{
	CLEANUP(own_free)
	char *label = package_label(p);

	if (!p->version[0])
		words_say(guessed,
			"%s: no version is recorded, so the newest of the "
			"channels is taken",
			label);
	else if (has_changed_version(p))
		words_say(guessed,
			"%s: its version comes from a transformation, so the "
			"package is looked up by name alone",
			label);
	for (size_t i = 0; i < p->n_transformations; i++) {
		const struct transformation *t = &p->transformations[i];

		if (is_among(t->key, drifting, ARRAY_LEN(drifting)))
			words_say(missing,
				"%s: --%s=%s follows what is there today, and "
				"what was there is not recorded",
				label, t->key, t->value);
		else if (is_among(t->key, reading, ARRAY_LEN(reading)) &&
			!strstr(t->value, "://"))
			words_say(missing,
				"%s: --%s=%s names a local file, which the "
				"image does not hold",
				label, t->key, t->value);
	}
}

bool
manifest_file_is_alike(const struct package *a, const struct package *b)
{
	if (a->n_transformations != b->n_transformations)
		return false;
	for (size_t i = 0; i < a->n_transformations; i++) {
		if (strcmp(a->transformations[i].key,
			    b->transformations[i].key) != 0 ||
			strcmp(a->transformations[i].value,
				b->transformations[i].value) != 0)
			return false;
	}
	return true;
}

/* (define transformN (options->transformation '((KEY . "VALUE") ...))) */
static int
put_definition(
	const struct package *p, size_t number, struct buf *out, struct err *e)
{
	buf_printf(out,
		"(define transform%zu\n"
		"  (options->transformation\n"
		"   '(",
		number);
	for (size_t i = 0; i < p->n_transformations; i++) {
		const struct transformation *t = &p->transformations[i];

		if (!scheme_is_plain(t->key))
			return scheme_bad("transformation", t->key,
				"is not one of Guix", e);
		buf_printf(out, "%s(%s . ", i ? "\n     " : "", t->key);
		if (scheme_string(out, "transformation", t->value, e) < 0)
			return -1;
		buf_char(out, ')');
	}
	buf_str(out, ")))\n\n");
	return 0;
}

/* The numbers of the packages' transformations, 0 for none; defines them. */
static int
put_definitions(const struct provenance *p, size_t *numbers, struct buf *out,
	struct err *e)
{
	CLEANUP(own_free)
	size_t *first = xcalloc(DEFINITIONS_MAX, sizeof(*first));
	size_t n = 0;

	for (size_t i = 0; i < p->n_packages; i++) {
		const struct package *x = p->packages[i];
		size_t k = 0;

		if (x->n_transformations == 0)
			continue;
		while (k < n &&
			!manifest_file_is_alike(x, p->packages[first[k]]))
			k++;
		numbers[i] = k + 1;
		if (k < n)
			continue;
		if (n == DEFINITIONS_MAX)
			return err_set(e, ERR_POLICY,
				"more than %d lists of transformations",
				DEFINITIONS_MAX);
		first[n++] = i;
		if (put_definition(x, n, out, e) < 0)
			return -1;
	}
	return 0;
}

/* [(list ][(transformN ](specification->package "SPEC")[)][ "OUTPUT")] */
static int
put_package(
	const struct package *p, size_t number, struct buf *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf spec = {0};
	bool has_output = strcmp(p->output, "out") != 0;

	if (make_spec(p, false, &spec, e) < 0)
		return -1;
	if (has_output)
		buf_str(out, "(list ");
	if (number)
		buf_printf(out, "(transform%zu ", number);
	buf_str(out, "(specification->package ");
	if (scheme_string(out, "package", buf_text(&spec), e) < 0)
		return -1;
	buf_str(out, number ? "))" : ")");
	if (has_output) {
		buf_char(out, ' ');
		if (scheme_string(out, "output", p->output, e) < 0)
			return -1;
		buf_char(out, ')');
	}
	return 0;
}

static int
put_packages(const struct provenance *p, struct buf *out, struct err *e)
{
	CLEANUP(own_free)
	size_t *numbers = xcalloc(p->n_packages, sizeof(*numbers));

	buf_str(out,
		"(use-modules (gnu packages) (guix profiles)\n"
		"             (guix transformations))\n\n");
	if (put_definitions(p, numbers, out, e) < 0)
		return -1;
	buf_str(out, "(packages->manifest\n (list ");
	for (size_t i = 0; i < p->n_packages; i++) {
		if (i)
			buf_str(out, "\n       ");
		if (put_package(p->packages[i], numbers[i], out, e) < 0)
			return -1;
	}
	buf_str(out, "))\n");
	return 0;
}

static int
put_specifications(const struct provenance *p, struct buf *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf spec = {0};

	buf_str(out,
		"(use-modules (gnu packages))\n\n"
		"(specifications->manifest\n (list ");
	for (size_t i = 0; i < p->n_packages; i++) {
		if (i)
			buf_str(out, "\n       ");
		if (make_spec(p->packages[i], true, &spec, e) < 0 ||
			scheme_string(out, "package", buf_text(&spec), e) < 0)
			return -1;
	}
	buf_str(out, "))\n");
	return 0;
}

int
manifest_file_print(const struct provenance *p, struct words *guessed,
	struct words *missing, struct buf *out, struct err *e)
{
	bool is_transformed = false;

	for (size_t i = 0; i < p->n_packages; i++) {
		is_transformed |= p->packages[i]->n_transformations > 0;
		explain(p->packages[i], guessed, missing);
	}
	buf_str(out,
		";; The packages of the image, by exact versions and in their\n"
		";; order, for 'guix pack -m' under the channels beside it.\n");
	return is_transformed ? put_packages(p, out, e)
			      : put_specifications(p, out, e);
}
