/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/ar.h"

#include <ctype.h>

enum {
	NAME_AT = 0,
	NAME_BYTES = 16,
	SIZE_AT = 48,
	SIZE_BYTES = 10,
	END_AT = 58,
	HEADER_BYTES = 60
};

/* Decimal digits, then spaces; false when it is anything else. */
static bool
number(const char *p, size_t n, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	for (; i < n && isdigit((unsigned char)p[i]); i++)
		*out = *out * 10 + (uint64_t)(p[i] - '0');
	if (i == 0)
		return false;
	while (i < n && p[i] == ' ')
		i++;
	return i == n;
}

static int
set_name(struct ar *a, const char *p, struct err *e)
{
	size_t n = NAME_BYTES;

	while (n > 0 && p[n - 1] == ' ')
		n--;
	if (n > 0 && p[n - 1] == '/')
		n--;
	memcpy(a->name, p, n);
	a->name[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == '/')
			n = 0;
	if (n == 0)
		return err_set(e, ERR_INPUT,
			"bad name of a member of the ar archive at byte %llu",
			(unsigned long long)a->bytes.at - HEADER_BYTES);
	return 0;
}

static int
begin(struct ar *a, struct err *e)
{
	char magic[sizeof(AR_MAGIC) - 1];

	a->is_begun = true;
	if (bytes_read(&a->bytes, magic, sizeof(magic), e) < 0)
		return -1;
	if (memcmp(magic, AR_MAGIC, sizeof(magic)) != 0)
		return err_set(e, ERR_INPUT, "is no ar archive");
	return 0;
}

int
ar_next(struct ar *a, struct err *e)
{
	char header[HEADER_BYTES];
	struct slice first;
	int r;

	if (!a->is_begun && begin(a, e) < 0)
		return -1;
	if (bytes_skip(&a->bytes, a->left, e) < 0)
		return -1;
	a->left = 0;
	/* ar(1) pads the last member too; dpkg-deb asks for it. */
	if (a->is_padded && bytes_skip(&a->bytes, 1, e) < 0)
		return -1;
	a->is_padded = false;
	r = bytes_pull(&a->bytes, 1, &first, e);
	if (r <= 0)
		return r;
	header[0] = first.p[0];
	if (bytes_read(&a->bytes, header + 1, sizeof(header) - 1, e) < 0)
		return -1;
	if (header[END_AT] != '`' || header[END_AT + 1] != '\n' ||
		!number(header + SIZE_AT, SIZE_BYTES, &a->size))
		return err_set(e, ERR_INPUT,
			"bad header in the ar archive at byte %llu",
			(unsigned long long)a->bytes.at - HEADER_BYTES);
	if (set_name(a, header + NAME_AT, e) < 0)
		return -1;
	a->left = a->size;
	a->is_padded = a->size % 2 != 0;
	return 1;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct ar *a = arg;
	int r = bytes_pull(&a->bytes, a->left, out, e);

	if (r == 0 && a->left > 0)
		return err_set(e, ERR_INPUT, "truncated: it ends at byte %llu",
			(unsigned long long)a->bytes.at);
	if (r > 0)
		a->left -= out->n;
	return r;
}

struct layer_source
ar_contents(struct ar *a)
{
	return (struct layer_source){block, a};
}
