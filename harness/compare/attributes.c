/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compare/attributes.h"

#include <inttypes.h>

#include "base/text.h"

enum {
	ATTRIBUTE_VALUE_MAX = 80 /* bytes of one that a detail shows */
};

/* A short value itself, of another only its size. */
static void
show(struct buf *out, const struct attribute *a, const char *where)
{
	if (!a)
		buf_str(out, "absent");
	else if (a->size <= ATTRIBUTE_VALUE_MAX && text_is_utf8(a->value)) {
		buf_char(out, '"');
		text_clean(out, a->value, TEXT_ONE_LINE);
		buf_char(out, '"');
	} else
		buf_printf(out, "%" PRIu64 " bytes", a->size);
	buf_printf(out, " in the %s", where);
}

static void
differ(struct findings *f, const char *name, const struct attribute *a,
	const struct attribute *b)
{
	CLEANUP(buf_fini)
	struct buf detail = {0};

	text_clean(&detail, slice_of(name), TEXT_ONE_LINE);
	buf_str(&detail, ": ");
	show(&detail, a, "image");
	buf_str(&detail, ", ");
	show(&detail, b, "rebuild");
	findings_add(f, FINDING_CONFIG, "", &detail);
}

static bool
is_equal(const struct attribute *a, const struct attribute *b)
{
	return a->size == b->size && digest_eq(&a->sha256, &b->sha256);
}

void
attributes_compare(const struct image *image, const struct image *rebuilt,
	struct findings *f)
{
	for (size_t i = 0; i < image->n_attributes; i++) {
		const struct attribute *a = &image->attributes[i];
		const struct attribute *b = image_attribute(rebuilt, a->name);

		if (!b || !is_equal(a, b))
			differ(f, a->name, a, b);
	}
	for (size_t i = 0; i < rebuilt->n_attributes; i++) {
		const struct attribute *b = &rebuilt->attributes[i];

		if (!image_attribute(image, b->name))
			differ(f, b->name, NULL, b);
	}
}
