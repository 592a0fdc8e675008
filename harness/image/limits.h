/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_LIMITS_H
#define UB_IMAGE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

/* Limits on what is read of an image; limits.def says what each is. */
struct image_limits {
#define LIMIT(field, type, name, unit, number, scale, sentence) type field;
#include "image/limits.def"
#undef LIMIT
	/*
	 * Only what tells of the provenance is read: all names and links, and
	 * the contents of manifests, of configs and of what packages say.  No
	 * digest is made or checked (each is zeros), and no other contents are
	 * looked at but their first bytes.  Of layouts and registries not even
	 * that of the layers below those with the provenance (image/enough.h),
	 * and of a single layer in a registry what is before it.
	 */
	bool is_provenance_only;
};
extern const struct image_limits image_limits_default;

enum limit {
#define LIMIT(field, type, name, unit, number, scale, sentence) LIMIT_##field,
#include "image/limits.def"
#undef LIMIT
	LIMITS_END
};

/* A row of limits.def. */
struct limit_row {
	const char *name;
	bool is_bytes;
	uint64_t most;        /* that its field can hold */
	const char *standard; /* the default as --limit takes it: "64G" */
	const char *sentence;
};
/* NULL beyond the last. */
const struct limit_row *limits_row(size_t i);

uint64_t limits_get(const struct image_limits *l, enum limit which);
/* value is at most the row's most. */
void limits_put(struct image_limits *l, enum limit which, uint64_t value);
/*
 * "NAME=VALUE", VALUE a number from 1, with K, M, G or T after it where wanted.
 * ERR_POLICY, for a person at the command line, when it is anything else.
 */
int
limits_set(struct image_limits *l, const char *text, struct err *e) NODISCARD;
/*
 * Set *e to ERR_POLICY: the words, then the limit's name and value, and how to
 * raise it.  Returns -1.
 */
int limits_refuse(const struct image_limits *l, enum limit which, struct err *e,
	const char *fmt, ...) PRINTF_LIKE(4, 5) NODISCARD;
/*
 * ERR_POLICY when JSON text may have more values than json-values, or Scheme
 * data more than data: counted before anything is made of it.
 */
int limits_json(const struct image_limits *l, struct slice text,
	struct err *e) NODISCARD;
int limits_data(const struct image_limits *l, struct slice text,
	struct err *e) NODISCARD;
/*
 * ERR_POLICY when entries and their names take so many bytes of memory that a
 * file of so many bytes cannot have been meant to hold them.
 */
int limits_density(const struct image_limits *l, uint64_t memory, uint64_t file,
	struct err *e) NODISCARD;
/* Below this many bytes they are never too many. */
#define LIMITS_DENSITY_FROM (UINT64_C(32) << 20)
/* One line for each limit, its name, default and sentence, for --help. */
void limits_print(FILE *out);

#endif
