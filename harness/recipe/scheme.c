/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"
#include "recipe/parts.h"

int
scheme_bad(const char *kind, const char *value, const char *what, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf b = {0};

	text_clean(&b, slice_of(value), TEXT_ONE_LINE);
	return err_set(
		e, ERR_INPUT, "%s '%.100s' %s", kind, buf_text(&b), what);
}

int
scheme_string(struct buf *out, const char *kind, const char *s, struct err *e)
{
	if (text_scheme(out, slice_of(s)) < 0)
		return scheme_bad(kind, s, "is not UTF-8", e);
	return 0;
}

bool
scheme_is_plain(const char *s)
{
	if (!(s[0] >= 'a' && s[0] <= 'z') && !(s[0] >= 'A' && s[0] <= 'Z'))
		return false;
	for (; *s; s++) {
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
			!(*s >= '0' && *s <= '9') && !strchr("-_.+", *s))
			return false;
	}
	return true;
}
