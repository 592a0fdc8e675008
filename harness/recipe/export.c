/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `guix package --export-channels' and --export-manifest print. */
#include "base/sexp.h"
#include "base/text.h"
#include "recipe/parts.h"

static const char indent[] = "     ";

/* Lay out the one form in code. */
static int
put_form(const struct buf *code, const char *prefix, struct buf *out,
	struct err *e)
{
	struct arena scratch = {0};
	const struct sexp *all = sexp_parse(&scratch, buf_get(code), e);

	if (all)
		pretty_print(all->first, prefix, out);
	arena_fini(&scratch);
	return all ? 0 : -1;
}

/* guix/openpgp.scm, openpgp-format-fingerprint, of what guix/channels.scm,
 * openpgp-fingerprint->bytevector, reads. */
static int
put_fingerprint(const char *signer, struct buf *out, struct err *e)
{
	size_t n = 0;

	for (const char *p = signer; *p; p++) {
		bool is_lower = *p >= 'a' && *p <= 'f';

		if (!strchr("0123456789ABCDEF", *p) && !is_lower)
			continue;
		if (n < 40) {
			if (n && n % 4 == 0)
				buf_str(out, n == 20 ? "  " : " ");
			buf_char(out, is_lower ? (char)(*p - 'a' + 'A') : *p);
		}
		n++;
	}
	if (n < 40 || n % 2)
		return scheme_bad("signer", signer, "is not a fingerprint", e);
	return 0;
}

/* guix/channels.scm, channel->code */
static int
put_channel(const char *name, const struct channel *c, struct buf *out,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf code = {0};

	buf_str(&code, "(channel (name '");
	pretty_symbol(slice_of(name), &code);
	buf_str(&code, ") (url ");
	if (scheme_string(&code, "URL", c->url, e) < 0)
		return -1;
	buf_str(&code, ") (branch ");
	if (scheme_string(&code, "branch", c->branch, e) < 0)
		return -1;
	buf_str(&code, ") (commit ");
	if (scheme_string(&code, "commit", c->commit, e) < 0)
		return -1;
	buf_char(&code, ')');
	if (c->intro_commit) {
		buf_str(&code, " (introduction (make-channel-introduction ");
		if (scheme_string(&code, "commit", c->intro_commit, e) < 0)
			return -1;
		buf_str(&code, " (openpgp-fingerprint \"");
		if (put_fingerprint(c->intro_signer, &code, e) < 0)
			return -1;
		buf_str(&code, "\")))");
	}
	buf_char(&code, ')');
	return put_form(&code, indent, out, e);
}

/* The channels as Guix collects them: one for each commit. */
struct table {
	struct arena arena;
	const struct channel *v[PROVENANCE_CHANNELS_MAX];
	const char *names[PROVENANCE_CHANNELS_MAX];
	size_t n;
};

/* Channel i of those of a package (guix/describe.scm,
 * manifest-entry-provenance). */
static void
collect(struct table *t, const struct channel *c, size_t i)
{
	const char *name = c->name;
	char made[40];

	for (size_t k = 0; k < t->n; k++) {
		if (strcmp(t->v[k]->commit, c->commit) == 0)
			return;
	}
	if (!c->is_named) {
		snprintf(made, sizeof(made), i ? "channel%zu" : "guix", i);
		name = arena_copy(&t->arena, made, strlen(made));
	}
	t->v[t->n] = c;
	t->names[t->n++] = name;
}

static bool
is_first_of_name(const struct table *t, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(t->names[k], t->names[i]) == 0)
			return false;
	}
	return true;
}

static int
put_name(const struct table *t, size_t first, struct buf *out, struct err *e)
{
	bool is_noted = false;

	for (size_t k = first + 1; k < t->n; k++) {
		if (strcmp(t->names[k], t->names[first]) != 0)
			continue;
		if (!is_noted)
			buf_printf(out,
				"%s;; Note: these other commits were also used "
				"to install some of the packages in this "
				"profile:\n",
				indent);
		is_noted = true;
		buf_printf(out, "%s;;   ", indent);
		if (scheme_string(out, "commit", t->v[k]->commit, e) < 0)
			return -1;
		buf_char(out, '\n');
	}
	return put_channel(t->names[first], t->v[first], out, e);
}

static int
put_table(const struct table *t, struct buf *out, struct err *e)
{
	buf_str(out,
		";; This channel file can be passed to 'guix pull -C' or to\n"
		";; 'guix time-machine -C' to obtain the Guix revision that "
		"was\n"
		";; used to populate this profile.\n"
		"\n"
		"(list\n");
	for (size_t i = 0; i < t->n; i++) {
		if (is_first_of_name(t, i) && put_name(t, i, out, e) < 0)
			return -1;
	}
	buf_str(out, ")\n");
	return 0;
}

int
recipe_export_channels(
	const struct provenance *p, struct buf *out, struct err *e)
{
	struct table *t = xcalloc(1, sizeof(*t));
	int status;

	for (size_t i = 0; i < p->n_packages; i++) {
		const struct package *x = p->packages[i];

		for (size_t k = 0; k < x->n_channels; k++)
			collect(t, &p->channels[x->channels[k]], k);
	}
	status = t->n ? put_table(t, out, e)
		      : err_set(e, ERR_ABSENT,
				"no provenance information for this profile");
	arena_fini(&t->arena);
	free(t);
	return status;
}

/* Is the text a prefix of another version than this one? */
static bool
is_ambiguous(const struct buf *prefix, const char *version,
	const struct versions *known)
{
	for (size_t i = 0; i < known->n; i++) {
		if (strcmp(known->v[i], version) != 0 &&
			slice_starts(slice_of(known->v[i]), buf_text(prefix)))
			return true;
	}
	return false;
}

static bool
is_newest(const char *version, const struct versions *known)
{
	for (size_t i = 0; i < known->n; i++) {
		if (strcmp(known->v[i], version) != 0 &&
			strverscmp(version, known->v[i]) <= 0)
			return false;
	}
	return true;
}

/* What is to be written of a version (gnu/packages.scm,
 * package-unique-version-prefix; guix/utils.scm, version-unique-prefix). */
static void
version_prefix(
	const char *version, const struct versions *known, struct buf *out)
{
	const char *rest = version;

	buf_clear(out);
	if (known->n == 1 || is_newest(version, known))
		return;
	while (is_ambiguous(out, version, known)) {
		size_t n;

		rest += strspn(rest, ".");
		n = strcspn(rest, ".");
		if (n == 0) {
			buf_clear(out);
			buf_str(out, version);
			return;
		}
		if (out->n)
			buf_char(out, '.');
		buf_add(out, rest, n);
		rest += n;
	}
}

/* NAME[@PREFIX][:OUTPUT] as a string of Scheme */
static int
put_spec(const struct package *p, const struct versions *known,
	bool with_output, struct buf *code, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf spec = {0};
	CLEANUP(buf_fini)
	struct buf prefix = {0};

	version_prefix(p->version, known, &prefix);
	buf_str(&spec, p->name);
	if (prefix.n)
		buf_printf(&spec, "@%s", buf_text(&prefix));
	if (with_output && strcmp(p->output, "out") != 0)
		buf_printf(&spec, ":%s", p->output);
	return scheme_string(code, "package", buf_text(&spec), e);
}

static int
put_specifications(const struct provenance *p, const struct versions *known,
	struct buf *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf code = {0};

	buf_str(&code, "(specifications->manifest (list");
	for (size_t i = 0; i < p->n_packages; i++) {
		buf_char(&code, ' ');
		if (put_spec(p->packages[i], &known[i], true, &code, e) < 0)
			return -1;
	}
	buf_str(&code, "))");
	buf_char(out, '\n');
	return put_form(&code, "", out, e);
}

static int
put_definition(
	const struct package *p, size_t number, struct buf *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf code = {0};

	buf_printf(&code, "(define transform%zu (options->transformation '(",
		number);
	for (size_t i = 0; i < p->n_transformations; i++) {
		const struct transformation *t = &p->transformations[i];

		buf_str(&code, i ? " (" : "(");
		pretty_symbol(slice_of(t->key), &code);
		buf_str(&code, " . ");
		if (scheme_string(&code, "transformation", t->value, e) < 0)
			return -1;
		buf_char(&code, ')');
	}
	buf_str(&code, ")))");
	buf_char(out, '\n');
	return put_form(&code, "", out, e);
}

/* Which distinct transformations each package has, from 1; 0: none.  first[]
 * are the packages that have each first. */
static int
number_packages(const struct provenance *p, size_t *numbers, size_t *first,
	size_t *n, struct err *e)
{
	*n = 0;
	for (size_t i = 0; i < p->n_packages; i++) {
		size_t k = 0;

		if (!p->packages[i]->has_transformations)
			continue;
		while (k < *n &&
			!manifest_file_is_alike(
				p->packages[i], p->packages[first[k]]))
			k++;
		numbers[i] = k + 1;
		if (k < *n)
			continue;
		if (*n == DEFINITIONS_MAX)
			return err_set(e, ERR_POLICY,
				"more than %d lists of transformations",
				DEFINITIONS_MAX);
		first[(*n)++] = i;
	}
	return 0;
}

static int
put_packages(const struct provenance *p, const struct versions *known,
	const size_t *numbers, struct buf *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf code = {0};

	buf_str(&code, "(packages->manifest (list");
	for (size_t i = 0; i < p->n_packages; i++) {
		const struct package *x = p->packages[i];
		bool has_output = strcmp(x->output, "out") != 0;

		buf_str(&code, has_output ? " (list " : " ");
		if (numbers[i])
			buf_printf(&code, "(transform%zu ", numbers[i]);
		buf_str(&code, "(specification->package ");
		if (put_spec(x, &known[i], false, &code, e) < 0)
			return -1;
		buf_str(&code, numbers[i] ? "))" : ")");
		if (!has_output)
			continue;
		buf_char(&code, ' ');
		if (scheme_string(&code, "output", x->output, e) < 0)
			return -1;
		buf_char(&code, ')');
	}
	buf_str(&code, "))");
	buf_char(out, '\n');
	return put_form(&code, "", out, e);
}

static int
put_transformed(const struct provenance *p, const struct versions *known,
	const size_t *numbers, const size_t *first, size_t n, struct buf *out,
	struct err *e)
{
	buf_str(out, "\n(use-modules (guix transformations))\n");
	for (size_t k = n; k > 0; k--) {
		if (put_definition(p->packages[first[k - 1]], k, out, e) < 0)
			return -1;
	}
	return put_packages(p, known, numbers, out, e);
}

int
recipe_export_manifest(const struct provenance *p, const struct versions *known,
	struct buf *out, struct err *e)
{
	CLEANUP(own_free)
	size_t *numbers = xcalloc(p->n_packages, sizeof(*numbers));
	CLEANUP(own_free)
	size_t *first = xcalloc(DEFINITIONS_MAX, sizeof(*first));
	size_t n;

	if (p->manifest_version < 2)
		return err_set(e, ERR_ABSENT,
			"a profile manifest of version %d: Guix itself reads "
			"none before version 2",
			p->manifest_version);
	if (number_packages(p, numbers, first, &n, e) < 0)
		return -1;
	buf_str(out,
		";; This \"manifest\" file can be passed to 'guix package -m' "
		"to reproduce\n"
		";; the content of your profile.  This is \"symbolic\": it "
		"only specifies\n"
		";; package names.  To reproduce the exact same profile, you "
		"also need to\n"
		";; capture the channels being used, as returned by \"guix "
		"describe\".\n"
		";; See the \"Replicating Guix\" section in the manual.\n");
	return n ? put_transformed(p, known, numbers, first, n, out, e)
		 : put_specifications(p, known, out, e);
}
