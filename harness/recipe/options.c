/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"
#include "recipe/parts.h"

/* What may be given of guix/scripts/pack.scm, %options: all that changes the
 * image and neither reads a file nor runs code. */
static const struct option {
	const char *name;
	char letter;
	bool has_value;
	const char *allowed; /* values, "|" around each; NULL: any */
} known[] = {
	{"compression", 'C', true, "|none|gzip|xz|zstd|bzip2|lzip|"},
	{"entry-point", '\0', true, NULL},
	{"entry-point-argument", 'A', true, NULL},
	{"format", 'f', true, "|docker|tarball|squashfs|deb|rpm|appimage|"},
	{"image-tag", '\0', true, NULL},
	{"localstatedir", '\0', false, NULL},
	{"max-layers", '\0', true, NULL},
	{"no-grafts", '\0', false, NULL},
	{"profile-name", '\0', true, "|guix-profile|current-guix|"},
	{"relocatable", 'R', false, NULL},
	{"save-provenance", '\0', false, NULL},
	{"symlink", 'S', true, NULL},
	{"system", 's', true, NULL},
	{"target", '\0', true, NULL},
};

static const char *
shown(const char *word, struct buf *b)
{
	buf_clear(b);
	text_clean(b, slice_of(word), TEXT_ONE_LINE);
	return buf_text(b);
}

static int
refuse(const char *word, const char *why, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf b = {0};

	return err_set(
		e, ERR_POLICY, "pack option '%s': %s", shown(word, &b), why);
}

static bool
is_value_ok(const struct option *o, const char *value)
{
	CLEANUP(own_free)
	char *between = xasprintf("|%s|", value);

	if (strcmp(o->name, "symlink") == 0) {
		const char *equals = strchr(value, '=');

		return equals && !strchr(equals + 1, '=') && value[0] != '=';
	}
	if (strcmp(o->name, "max-layers") == 0)
		return value[0] && strlen(value) <= 6 &&
			strspn(value, "0123456789") == strlen(value);
	if (strcmp(o->name, "system") == 0 || strcmp(o->name, "target") == 0)
		return value[0] && value[0] != '-' &&
			strspn(value,
				"abcdefghijklmnopqrstuvwxyz"
				"0123456789_-") == strlen(value);
	return !o->allowed ||
		(value[0] && !strchr(value, '|') &&
			strstr(o->allowed, between));
}

static int
take(const struct option *o, const char *word, const char *value,
	struct words *out, struct err *e)
{
	CLEANUP(own_free)
	char *whole = NULL;

	if (o->has_value && !value)
		return refuse(word, "needs a value", e);
	if (!o->has_value && value)
		return refuse(word, "takes no value", e);
	if (value && !text_is_utf8(slice_of(value)))
		return refuse(word, "its value is not UTF-8", e);
	if (value && !is_value_ok(o, value))
		return refuse(word, "not a value that it takes", e);
	whole = xasprintf(
		"--%s%s%s", o->name, value ? "=" : "", value ? value : "");
	words_add(out, whole);
	return 0;
}

static const struct option *
by_name(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) == n &&
			memcmp(known[i].name, name, n) == 0)
			return &known[i];
	}
	return NULL;
}

static const struct option *
by_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (letter && known[i].letter == letter)
			return &known[i];
	}
	return NULL;
}

static const char not_allowed[] =
	"not one that may be given: only those that change the image and "
	"read no file (compression, symlink, entry-point, ...)";

/* --name, --name=value, --name value; *given is left at the last word read. */
static int
read_long(const char *const **given, struct words *out, struct err *e)
{
	const char *word = **given, *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	const struct option *o = by_name(word + 2, n);
	const char *value = equals ? equals + 1 : NULL;

	if (!o)
		return refuse(word, not_allowed, e);
	if (o->has_value && !value && (*given)[1])
		value = *++*given;
	return take(o, word, value, out, e);
}

/* -R, -RR, -Cxz, -C xz */
static int
read_short(const char *const **given, struct words *out, struct err *e)
{
	const char *word = **given;

	for (const char *p = word + 1; *p; p++) {
		const struct option *o = by_letter(*p);
		const char *value = NULL;

		if (!o)
			return refuse(word, not_allowed, e);
		if (o->has_value && p[1])
			value = p + 1;
		else if (o->has_value && (*given)[1])
			value = *++*given;
		if (take(o, word, value, out, e) < 0)
			return -1;
		if (o->has_value)
			return 0;
	}
	return 0;
}

int
options_read(const char *const *given, struct words *out, struct err *e)
{
	for (; *given; given++) {
		const char *word = *given;

		if (word[0] != '-' || !word[1])
			return refuse(word, "not an option", e);
		if ((word[1] == '-' ? read_long(&given, out, e)
				    : read_short(&given, out, e)) < 0)
			return -1;
	}
	return 0;
}

bool
options_have(const struct words *w, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < w->n; i++) {
		const char *after = w->v[i] + 2 + n;

		if (strncmp(w->v[i] + 2, name, n) == 0 &&
			(*after == '\0' || *after == '='))
			return true;
	}
	return false;
}
