/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/attr.h"
#include "base/words.h"
#include "rebuild/form.h"
#include "rebuild/policy.h"

enum {
	MOVES_FILE_BYTES = 1 << 20
};

static int
check_url(const struct form *f, const struct sexp *mirror, const char *url,
	const char *missing, struct err *e)
{
	if (!url)
		return form_at(f, mirror, missing, e);
	if (policy_url_ok(url))
		return 0;
	return form_at(f, mirror,
		"the URLs of a mirror are https, http, git, or file with an "
		"absolute path",
		e);
}

static int
read_mirror(const struct form *f, const struct sexp *mirror, struct err *e)
{
	const char *from = NULL, *to = NULL;
	struct words *pairs = f->into;

	for (const struct sexp *x = mirror->first->next; x; x = x->next) {
		const char **url = sexp_is(x, "from") ? &from
			: sexp_is(x, "to")            ? &to
						      : NULL;

		if (!url)
			return form_at(f, x,
				"unknown field of a mirror: from and to are "
				"known",
				e);
		if (form_string(f, x, url, e) < 0)
			return -1;
	}
	if (check_url(f, mirror, from, "a mirror has a from", e) < 0 ||
		check_url(f, mirror, to, "a mirror has a to", e) < 0)
		return -1;
	for (size_t i = 0; i + 1 < pairs->n; i += 2)
		if (strcmp(pairs->v[i], from) == 0 &&
			strcmp(pairs->v[i + 1], to) == 0)
			return form_at(f, mirror, "this is there twice", e);
	if (pairs->n / 2 == MOVES_MAX)
		return form_at(f, mirror, "too many mirrors", e);
	words_add(pairs, from);
	words_add(pairs, to);
	return 0;
}

int
moves_load(const char *path, struct words *pairs, struct err *e)
{
	static const struct form_field fields[] = {{"mirror", read_mirror}};
	struct form f = {path, pairs->arena, pairs};

	return form_read(
		&f, MOVES_FILE_BYTES, "mirrors", fields, ARRAY_LEN(fields), e);
}
