/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_SBOM_H
#define UB_REPORT_SBOM_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "image/image.h"
#include "provenance/provenance.h"

enum sbom_form {
	SBOM_CYCLONEDX, /* CycloneDX 1.6, JSON */
	SBOM_SPDX       /* SPDX 2.3, JSON */
};

/* What a bill of materials is made of. */
struct sbom {
	enum sbom_form form;
	const struct image *image;
	const struct provenance *provenance; /* NULL: none was found */
	const char *tool_version;            /* of this program */
	int64_t created_s;                   /* SPDX asks for it */
};

/*
 * Write the bill of an image: each store item that it holds and each entry of
 * its manifest, once by store path, with name, version, output, channel and
 * commit; what propagates what.  Names and versions of items that the manifest
 * does not have are read off their store names.  But for created_s it follows
 * from the image alone.  ERR_HOST when out cannot be written.
 */
int sbom_write(const struct sbom *s, FILE *out, struct err *e) NODISCARD;

#endif
