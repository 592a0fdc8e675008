/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_COMPARE_JUDGE_H
#define UB_COMPARE_JUDGE_H

#include "compare/compare.h"

/* The counts of what a verdict may forgive. */
enum allowance {
	ALLOWANCE_FORMAT,       /* container formats: 1 */
	ALLOWANCE_MANIFEST,     /* manifests of other kinds: 1 */
	ALLOWANCE_FLAT,         /* an image against its file system alone: 1 */
	ALLOWANCE_COMPRESSION,  /* outer compressions, other kinds: 1 */
	ALLOWANCE_PACKING,      /* compressions of a package's or file system's
			    * contents, other kinds: 1 */
	ALLOWANCE_TAGS,         /* tags that only one side has */
	ALLOWANCE_MEMBER_SET,   /* members that only one side has */
	ALLOWANCE_MEMBER_NAME,  /* layers, config: members named otherwise */
	ALLOWANCE_MEMBER_ORDER, /* members in another place */
	ALLOWANCE_MEMBER_BYTES, /* descriptions (manifest.json, ...) that differ */
	ALLOWANCE_LAYER_PACKING, /* layers in other compressions */
	ALLOWANCE_CONFIG_FORM,  /* config of other bytes and equal meaning: 1 */
	ALLOWANCE_CONFIG_NOTES, /* remarks in the config that one side lacks */
	ALLOWANCE_CONFIG_HISTORY, /* the same, its history: 1 */
	ALLOWANCE_LAYER_COUNT, /* layers that one side has more than the other */
	ALLOWANCE_LAYER_SPLIT, /* paths that come from another layer */
	ALLOWANCE_LAYER_ORDER, /* layers whose members are in another order */
	ALLOWANCE_LAYER_FORM,  /* layers of the same members in the same order,
				  * written otherwise */
	/* formats of one archive: as the three before, of that */
	ALLOWANCE_ARCHIVE_ORDER,
	ALLOWANCE_ARCHIVE_FORM,
	ALLOWANCE_LAYOUT,       /* of file systems of the same names: 1 */
	ALLOWANCE_CONTROL_FORM, /* control.tar, rpm header: 1 */
	ALLOWANCE_HARD_LINK,    /* paths that are hard links on one side only */
	/* of a file system alone */
	ALLOWANCE_RUNTIME, /* paths that a container's runtime puts there */
	ALLOWANCE_PARENTS, /* folders that the image has no entry for */
	ALLOWANCE_FOLDER_TIMES, /* of folders that are in no store item */
	ALLOWANCE_OWNER_NAMES,  /* paths whose owners have numbers alone */
	ALLOWANCE_LINK_MODES,   /* of symbolic links, which mean nothing */
	ALLOWANCE_COMPRESSOR,   /* all of the above equal, compressed: 1 */
	ALLOWANCE_ENVELOPE,     /* all of the above equal, not compressed: 1 */
	ALLOWANCE_COUNT
};

/* All that the verdict follows from. */
struct facts {
	bool is_file_equal;   /* sha256 of the files */
	bool is_layers_equal; /* diffIDs, in order */
	bool is_config_equal; /* raw bytes; of control.tar, of an rpm header */
	bool is_compressed;   /* the image file, as a whole */
	uint64_t config;      /* differences in the config's meaning */
	uint64_t items;       /* store items that only one side has */
	uint64_t inside;      /* differences below items that both have */
	uint64_t outside;     /* differences outside the store */
	uint64_t allowed[ALLOWANCE_COUNT];
};

/*
 * From IDENTICAL to SAME_INPUTS, or DIFFERENT.  Layers that are equal and a
 * config that says the same are the SAME_IMAGE though the config's bytes are not:
 * a push as OCI writes it anew, and leaves out the remarks that OCI has no place
 * for (containers/image, manifestSchema2.convertToManifestOCI1).  Its history
 * it keeps.
 */
enum verdict judge_verdict(const struct facts *f);

/*
 * The differences between two files that the verdict does not count: list gets
 * those that are there (at most ALLOWANCE_COUNT), best explained first.
 * Returns how many.  What can only be told of images that are equal otherwise,
 * such as the order in a layer, is left out where they are not.
 */
size_t judge_forgiven(const struct facts *f, struct forgiven *list);

#endif
