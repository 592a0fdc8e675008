/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_PAX_H
#define UB_IMAGE_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* A stored piece of a sparse file. */
struct pax_span {
	uint64_t offset; /* in the contents */
	uint64_t size;
};

struct pax_xattr {
	struct slice name, value;
};

/*
 * What an extended header says of a member (POSIX.1-2017, pax, "pax Extended
 * Header"; SCHILY.* of star(5); GNU.sparse.* of tar's manual).  {0} says
 * nothing.  The slices are of text, which the struct owns.
 */
struct pax {
	struct buf text;
	struct slice path, link, uname, gname, sparse_name; /* p NULL: absent */
	bool has_size, has_mtime, has_uid, has_gid, has_dev_major,
		has_dev_minor;
	int64_t size, mtime;
	uint32_t mtime_ns, uid, gid, dev_major, dev_minor;

	bool is_sparse;
	int64_t sparse_major; /* 1: the map is at the front of the contents */
	uint64_t sparse_size;
	struct pax_span *spans;
	size_t n_spans, cap_spans;

	struct pax_xattr *xattrs;
	size_t n_xattrs, cap_xattrs;
	bool has_any; /* a record that matters here */
};

enum {
	PAX_SPANS_MAX = 1 << 16,
	PAX_XATTRS_MAX = 1024
};

/*
 * Read the records of an extended header in place of what p said.  ERR_INPUT
 * when they are malformed, ERR_POLICY over one of the limits.
 */
int pax_parse(struct pax *p, struct slice body, struct err *e) NODISCARD;
/*
 * Append "name=HEX\n" for each extended attribute, sorted; in names, '%', '='
 * and what is not printable ASCII is %HH.
 */
void pax_print_xattrs(const struct pax *p, struct buf *out);
/* Say nothing again, keep the memory. */
void pax_reset(struct pax *p);
void pax_fini(struct pax *p);

#endif
