/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_PARTS_H
#define UB_IMAGE_PARTS_H

#include "base/alloc.h"
#include "base/err.h"
#include "image/image.h"
#include "image/outer.h"
#include "image/scan.h"
#include "image/tree.h"

/*
 * The members of an archive, read in passing: what each is for is only known
 * once manifest.json is, which may come last.  Whatever may be a layer was
 * read as one, whatever may be JSON was kept.
 */
struct part {
	const char *key;  /* path_normalise'd name */
	const char *link; /* of a link: key of its target, NULL if outside */
	struct member member;
	bool is_link, is_file;
	char *json; /* from malloc; NULL when not kept */
	bool is_tar;
	struct tree_range entries;
	struct layer layer;
	const struct err *failure; /* why it could not be read as a layer */
};

struct parts {
	struct part *v; /* in the order of the archive */
	size_t n, cap;
	uint64_t json;       /* bytes kept */
	size_t *by_key;      /* indexes in v, once parts_read is done */
	uint32_t link_depth; /* the limit, once parts_read is done */
	bool is_too_deep;    /* a name led through more links than that */
};

/* Read all members of o, to the end of the file. */
int parts_read(struct parts *p, struct outer *o, struct scan *scan,
	struct err *e) NODISCARD;
/* The file named key, links followed; NULL when there is none, or when it is
 * behind more links than are followed. */
struct part *parts_find(struct parts *p, const char *key);
void parts_fini(struct parts *p);

#endif
