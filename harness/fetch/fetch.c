/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/fetch.h"

#include <stdlib.h>

#include "base/alloc.h"

int
fetch(const struct ref *r, const struct fetch_options *o, struct place *out,
	struct err *e)
{
	(void)o;
	*out = (struct place){.transport = r->transport};
	if (!transport_is_local(r->transport))
		return err_set(e, ERR_INPUT,
			"%s%.100s: images are not fetched from there",
			transport_prefix(r->transport), r->path);
	out->path = xstrdup(r->path);
	out->ref = r->ref ? xstrdup(r->ref) : NULL;
	return 0;
}

void
place_fini(struct place *p)
{
	free(p->path);
	free(p->ref);
	*p = (struct place){0};
}
