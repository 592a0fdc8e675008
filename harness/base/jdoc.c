/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/jdoc.h"

#include <jansson.h>
#include <strings.h>

#include "base/attr.h"
#include "base/text.h"

/* A struct jdoc is jansson's json_t: only this file knows. */
static json_t *
in(const struct jdoc *v)
{
	union {
		const struct jdoc *ours;
		json_t *theirs;
	} u = {.ours = v};

	return u.theirs;
}

struct jdoc *
jdoc_parse(struct slice text, struct err *e)
{
	json_error_t why;
	json_t *v = json_loadb(text.p ? text.p : "", text.n,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
		&why);

	if (!v) {
		CLEANUP(own_free)
		char *clean = text_clean_new(slice_of(why.text));

		(void)!err_set(e, ERR_INPUT, "line %d column %d: %s", why.line,
			why.column, clean);
	}
	return (struct jdoc *)v;
}

void
jdoc_free(struct jdoc *v)
{
	json_decref((json_t *)v);
}

void
own_jdoc(struct jdoc **v)
{
	jdoc_free(*v);
}

enum jdoc_type
jdoc_type(const struct jdoc *v)
{
	if (!v)
		return JDOC_NULL;
	switch (json_typeof(in(v))) {
	case JSON_OBJECT:
		return JDOC_OBJECT;
	case JSON_ARRAY:
		return JDOC_ARRAY;
	case JSON_STRING:
		return JDOC_STRING;
	case JSON_INTEGER:
		return JDOC_INT;
	case JSON_REAL:
		return JDOC_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JDOC_BOOL;
	case JSON_NULL:
	default:
		return JDOC_NULL;
	}
}

const struct jdoc *
jdoc_get(const struct jdoc *v, const char *key)
{
	return v ? (const struct jdoc *)json_object_get(in(v), key) : NULL;
}

const struct jdoc *
jdoc_get_ci(const struct jdoc *v, const char *key)
{
	const struct jdoc *exact = jdoc_get(v, key);

	if (exact || jdoc_type(v) != JDOC_OBJECT)
		return exact;
	for (void *i = json_object_iter(in(v)); i;
		i = json_object_iter_next(in(v), i))
		if (strcasecmp(json_object_iter_key(i), key) == 0)
			return (const struct jdoc *)json_object_iter_value(i);
	return NULL;
}

size_t
jdoc_len(const struct jdoc *v)
{
	enum jdoc_type type = jdoc_type(v);

	if (type == JDOC_ARRAY)
		return json_array_size(in(v));
	return type == JDOC_OBJECT ? json_object_size(in(v)) : 0;
}

const struct jdoc *
jdoc_at(const struct jdoc *v, size_t i)
{
	return v ? (const struct jdoc *)json_array_get(in(v), i) : NULL;
}

struct slice
jdoc_str(const struct jdoc *v)
{
	if (jdoc_type(v) != JDOC_STRING)
		return (struct slice){0};
	return (struct slice){
		json_string_value(in(v)), json_string_length(in(v))};
}

const char *
jdoc_copy(const struct jdoc *v, const char *key, struct arena *a)
{
	struct slice s = jdoc_str(jdoc_get(v, key));

	return s.p ? arena_copy(a, s.p, s.n) : NULL;
}

const char *const *
jdoc_copies(const struct jdoc *v, const char *key, struct arena *a, size_t *n)
{
	const struct jdoc *list = jdoc_get(v, key);
	size_t count = jdoc_type(list) == JDOC_ARRAY ? jdoc_len(list) : 0;
	const char **copies;

	if (n)
		*n = count;
	if (jdoc_type(list) != JDOC_ARRAY)
		return NULL;
	copies = arena_alloc(a, (count + 1) * sizeof(*copies));
	for (size_t i = 0; i < count; i++) {
		struct slice s = jdoc_str(jdoc_at(list, i));

		copies[i] = arena_copy(a, s.p ? s.p : "", s.n);
	}
	return copies;
}

int64_t
jdoc_int(const struct jdoc *v, int64_t otherwise)
{
	return jdoc_type(v) == JDOC_INT ? json_integer_value(in(v)) : otherwise;
}

bool
jdoc_bool(const struct jdoc *v, bool otherwise)
{
	return jdoc_type(v) == JDOC_BOOL ? json_is_true(in(v)) : otherwise;
}

int
jdoc_each(const struct jdoc *v,
	int (*f)(void *arg, struct slice key, const struct jdoc *value),
	void *arg)
{
	if (jdoc_type(v) != JDOC_OBJECT)
		return 0;
	for (void *i = json_object_iter(in(v)); i;
		i = json_object_iter_next(in(v), i)) {
		int stop = f(arg, slice_of(json_object_iter_key(i)),
			(const struct jdoc *)json_object_iter_value(i));

		if (stop)
			return stop;
	}
	return 0;
}

bool
jdoc_eq(const struct jdoc *a, const struct jdoc *b)
{
	return a && b ? json_equal(in(a), in(b)) : a == b;
}
