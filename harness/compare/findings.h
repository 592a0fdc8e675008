/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_FINDINGS_H
#define UB_COMPARE_FINDINGS_H

#include "base/buf.h"
#include "compare/compare.h"

/* What a difference is of; findings_kind gives the stable word. */
enum finding {
	FINDING_ONLY_IMAGE,
	FINDING_ONLY_REBUILD,
	FINDING_ITEM_MISSING,
	FINDING_ITEM_EXTRA,
	FINDING_TYPE,
	FINDING_MODE,
	FINDING_OWNER,
	FINDING_MTIME,
	FINDING_SIZE,
	FINDING_CONTENTS,
	FINDING_LINK,
	FINDING_XATTRS,
	FINDING_DEVICE,
	FINDING_CONFIG,
	FINDING_COUNT
};
const char *findings_kind(enum finding k);

enum {
	FINDINGS_DETAIL_MAX = 512
}; /* bytes of one detail, then "…" */

/*
 * Where the differences of a comparison come together: those within the caps
 * are kept, all are counted, and the packages they are of are remembered.
 * {.out, .provenance} is a start; findings_fini ends it, not out.
 */
struct findings {
	struct comparison *out;              /* borrowed */
	const struct provenance *provenance; /* borrowed, may be NULL */

	uint64_t config;  /* found in the config */
	uint64_t items;   /* store items that only one side has */
	uint64_t inside;  /* below a store item that both sides have */
	uint64_t outside; /* the store */

	/* the rest is findings.c's own */
	size_t cap;
	struct buf name;             /* of the last item that was looked up */
	const struct package *owner; /* of that item */
	const char *item, *label;    /* its kept texts; NULL: not kept yet */
	const struct package **owners;
	size_t n_owners, owners_cap;
};

/* The store item that path is or is below; {NULL, 0} outside the store. */
struct slice findings_item(const char *path);

/* Count and perhaps keep a difference at path.  detail is clean text. */
void findings_add(struct findings *f, enum finding kind, const char *path,
	const struct buf *detail);

/* Set out->packages: the labels in the order of the manifest. */
void findings_packages(struct findings *f);
void findings_fini(struct findings *f);

/* CLEANUP(findings_fini) struct findings f = {...}; */
#endif
