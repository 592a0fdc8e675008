/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/limits.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the words of limits.def come to. */
#define COUNT_ONE UINT64_C(1)
#define COUNT_K UINT64_C(1000)
#define COUNT_M UINT64_C(1000000)
#define BYTES_K (UINT64_C(1) << 10)
#define BYTES_M (UINT64_C(1) << 20)
#define BYTES_G (UINT64_C(1) << 30)
#define IS_COUNT false
#define IS_BYTES true
#define SUFFIX_ONE ""
#define SUFFIX_K "K"
#define SUFFIX_M "M"
#define SUFFIX_G "G"
#define MOST_uint16_t UINT16_MAX
#define MOST_uint32_t UINT32_MAX
#define MOST_uint64_t UINT64_MAX

const struct image_limits image_limits_default = {
#define LIMIT(field, type, name, unit, number, scale, sentence) \
	.field = number * unit##_##scale,
#include "image/limits.def"
#undef LIMIT
};

static const struct limit_row rows[] = {
#define LIMIT(field, type, name, unit, number, scale, sentence) \
	{name, IS_##unit, MOST_##type, #number SUFFIX_##scale, sentence},
#include "image/limits.def"
#undef LIMIT
};

const struct limit_row *
limits_row(size_t i)
{
	return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

uint64_t
limits_get(const struct image_limits *l, enum limit which)
{
	switch (which) {
#define LIMIT(field, type, name, unit, number, scale, sentence) \
	case LIMIT_##field:                                     \
		return l->field;
#include "image/limits.def"
#undef LIMIT
	case LIMITS_END:
	default:
		return 0;
	}
}

void
limits_put(struct image_limits *l, enum limit which, uint64_t value)
{
	switch (which) {
#define LIMIT(field, type, name, unit, number, scale, sentence) \
	case LIMIT_##field:                                     \
		l->field = (type)value;                         \
		break;
#include "image/limits.def"
#undef LIMIT
	case LIMITS_END:
	default:
		break;
	}
}

/* "12", "12K": false when it is none or more than most. */
static bool
parse_value(const char *text, bool is_bytes, uint64_t most, uint64_t *out)
{
	static const char suffixes[] = "KMGT";
	uint64_t step = is_bytes ? 1024 : 1000, factor = 1, v = 0;
	const char *p = text, *suffix;

	for (; isdigit((unsigned char)*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (*p != '\0') {
		suffix = strchr(suffixes, *p);
		if (!suffix || p[1] != '\0')
			return false;
		for (const char *s = suffixes; s <= suffix; s++)
			factor *= step;
	}
	*out = v * factor;
	return p != text && v >= 1 && v <= most / factor;
}

int
limits_set(struct image_limits *l, const char *text, struct err *e)
{
	const char *value = strchr(text, '=');
	size_t n = value ? (size_t)(value - text) : strlen(text);
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct limit_row *row = &rows[i];

		if (strlen(row->name) != n || strncmp(row->name, text, n) != 0)
			continue;
		if (!value ||
			!parse_value(value + 1, row->is_bytes, row->most, &v))
			return err_set(e, ERR_POLICY,
				"--limit %s= takes a number from 1 to %llu, with K, M, G or T after it where wanted, not '%.40s'",
				row->name, (unsigned long long)row->most,
				value ? value + 1 : "");
		limits_put(l, (enum limit)i, v);
		return 0;
	}
	return err_set(e, ERR_POLICY,
		"--limit takes NAME=VALUE, and there is no limit '%.*s'",
		n < 40 ? (int)n : 40, text);
}

int
limits_refuse(const struct image_limits *l, enum limit which, struct err *e,
	const char *fmt, ...)
{
	char what[sizeof(e->text) / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_POLICY,
		"%s (limit %s is %llu: --limit %s=N raises it)", what,
		rows[which].name, (unsigned long long)limits_get(l, which),
		rows[which].name);
}

/* Past the string that begins at i. */
static size_t
skip_string(struct slice text, size_t i)
{
	for (i++; i < text.n && text.p[i] != '"'; i++)
		if (text.p[i] == '\\')
			i++;
	return i + 1;
}

int
limits_json(const struct image_limits *l, struct slice text, struct err *e)
{
	size_t n = 1, i = 0;

	while (i < text.n) {
		char c = text.p[i];

		if (c == '"') {
			i = skip_string(text, i);
			continue;
		}
		n += c == ',' || c == '[' || c == '{';
		i++;
	}
	if (n <= l->json_values)
		return 0;
	return limits_refuse(
		l, LIMIT_json_values, e, "JSON of up to %zu values", n);
}

/* Does it end what stands before it? */
static bool
is_delimiter(char c)
{
	return isspace((unsigned char)c) || strchr("()[]\"';", c) != NULL;
}

int
limits_data(const struct image_limits *l, struct slice text, struct err *e)
{
	size_t n = 0, i = 0;

	while (i < text.n) {
		char c = text.p[i];
		size_t from = i;

		if (c == ';') {
			while (i < text.n && text.p[i] != '\n')
				i++;
		} else if (c == '"') {
			i = skip_string(text, i);
			n++;
		} else if (is_delimiter(c)) {
			/* 'x is (quote x): two more */
			n += c == '(' || c == '[' ? 1 : c == '\'' ? 2 : 0;
			i++;
		} else {
			while (i < text.n && !is_delimiter(text.p[i]))
				i++;
			n += i > from;
		}
	}
	if (n <= l->data)
		return 0;
	return limits_refuse(
		l, LIMIT_data, e, "a profile manifest of %zu data", n);
}

int
limits_density(const struct image_limits *l, uint64_t memory, uint64_t file,
	struct err *e)
{
	if (memory <= LIMITS_DENSITY_FROM || memory / l->density <= file / 100)
		return 0;
	return limits_refuse(l, LIMIT_density, e,
		"entries and names take %llu bytes, the file has %llu",
		(unsigned long long)memory, (unsigned long long)file);
}

void
limits_print(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fprintf(out, "        %-12s %-5s%s%s\n", rows[i].name,
			rows[i].standard, rows[i].is_bytes ? "bytes " : "",
			rows[i].sentence);
}
