/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_COMPARE_H
#define UB_COMPARE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jout.h"
#include "base/slice.h"
#include "image/image.h"
#include "provenance/provenance.h"

enum verdict {
#define VERDICT(symbol, name, junit, sentence) VERDICT_##symbol,
#include "compare/verdict.def"
#undef VERDICT
	VERDICT_COUNT
};

enum verdict_junit {
	JUNIT_PASS,
	JUNIT_FAILURE,
	JUNIT_SKIPPED,
	JUNIT_ERROR
};

const char *verdict_name(enum verdict v);
const char *verdict_sentence(enum verdict v);
enum verdict_junit verdict_junit(enum verdict v);
/* False when name is no verdict. */
bool verdict_parse(const char *name, enum verdict *out);
/* Is v as good as line or better?  The order of verdict.def. */
bool verdict_reaches(enum verdict v, enum verdict line);

/* A difference that the verdict forgives. */
struct forgiven {
	const char *what; /* "member order", "outer compression", "tags", ... */
	uint64_t count;
};

struct difference {
	const char *path;       /* in the tree, as stored (not cleaned); ""
				 * for the image as a whole */
	const char *store_item; /* "HASH-NAME"; NULL outside the store */
	const char *package;    /* label of the manifest's package, NULL when
				 * the item belongs to none of it directly */
	const char *kind;   /* stable word: "only-in-image", "only-in-rebuild",
			   * "type", "mode", "owner", "mtime", "size",
			   * "contents", "link", "xattrs", "device", "config",
			   * "store-item-missing", "store-item-extra" */
	const char *detail; /* "mode 0555, rebuilt 0755", ...; clean text */
	int64_t offset;     /* first differing byte of contents; -1: unknown */
	/* of contents: what they differ in, in the words of reason.h; NULL when
	 * not known, or proved by nothing */
	const char *why;
	/* of contents: the bytes of both from part_at on, among which is the
	 * first that differs; of a store item that only one side has: what is
	 * below it there, a line each.  p NULL: not looked at */
	struct slice image_part, rebuilt_part;
	int64_t part_at;
};

/*
 * An image with layers beyond those of the rebuild: made FROM a packed one, or
 * a commit of its container.  Paths that differ are counted by what became of
 * them.
 */
struct derived {
	size_t base_layers;  /* the first, which are the rebuild's; 0: not so */
	size_t added_layers; /* those on them */
	bool is_exact;       /* the first ones' diffIDs are the rebuild's */
	uint64_t added, changed, removed; /* by the layers on them */
	uint64_t other; /* that differ in the first layers themselves */
};

enum {
	COMPARE_DIFFERENCES_MAX = 10000,     /* kept; the rest is counted */
	COMPARE_TEXT_MAX = 8 << 20,          /* bytes of text that they keep */
	COMPARE_OFFSETS_MAX = 64,            /* files read for the offset */
	COMPARE_OFFSET_FILE_MAX = 256 << 20, /* bytes of such a file */
	COMPARE_OFFSET_TOTAL_MAX = 1 << 30,  /* bytes of all, on each side */
	COMPARE_PART_MAX = 256,              /* bytes of a file that are kept */
	COMPARE_REASON_MAX = 8 << 20,        /* of a file that is asked why */
	COMPARE_REASON_TOTAL_MAX = 64 << 20, /* and of all of them */
	COMPARE_LISTS_MAX = 64,              /* store items listed */
	COMPARE_LIST_MAX = 2048              /* bytes of such a list */
};

struct comparison {
	enum verdict verdict; /* IDENTICAL ... SAME_INPUTS or DIFFERENT */
	struct forgiven *forgiven;
	size_t n_forgiven;
	struct difference *differences; /* in path order */
	size_t n_differences;
	uint64_t total; /* differences found, kept or not */
	struct derived derived;
	const char *const *packages; /* labels of packages with differences */
	size_t n_packages;
	struct arena arena;
};

/*
 * Judge: image is the original, rebuilt the file made anew.  provenance (of
 * the original, may be NULL) names packages.  work is a private folder for the
 * second pass that finds the first differing offsets, and why contents differ;
 * NULL leaves them out.
 */
int compare_images(const struct image *image, const struct image *rebuilt,
	const struct provenance *provenance, const char *work,
	struct comparison *out, struct err *e) NODISCARD;
void comparison_fini(struct comparison *c);

/* A difference as a JSON object; the bytes of its "part" are hex. */
void difference_json(const struct difference *d, struct jout *j);
/* Append ": only time stamps"; nothing where it is not known why. */
void difference_why(const struct difference *d, struct buf *out);

/* How much of files is looked into, on each side. */
struct comparison_cap {
	size_t files;
	uint64_t file, all; /* bytes of one, of all together */
};
/*
 * The files whose contents differ, as indices of c->differences in their order,
 * but for those that there is no room for.  `at' holds cap->files; gives how
 * many there are.
 */
size_t comparison_files(const struct comparison *c, const struct image *image,
	const struct image *rebuilt, const struct comparison_cap *cap,
	size_t *at);

/* Append "its first 2 layers are the rebuild's, so ...", to be said of the image;
 * nothing where it is not derived. */
void comparison_derived(const struct comparison *c, struct buf *out);

/* Members of `compare --json': verdict, forgiven, derived, total, differences. */
void comparison_json(const struct comparison *c, struct jout *j);
/* The same for a person, at most max differences (0: all). */
void comparison_print(const struct comparison *c, size_t max, FILE *f);

#endif
