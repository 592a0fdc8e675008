/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_CPIO_H
#define UB_IMAGE_CPIO_H

#include "base/err.h"
#include "image/layer.h"
#include "image/tar.h"

/*
 * A cpio archive in the "new ASCII" format (cpio(5) of libarchive; guix/cpio.scm
 * writes it), front to back.
 */
struct cpio;

struct cpio *cpio_new(struct layer_source from);
/*
 * 1 and the next member, whose contents cpio_contents then gives; 0 after the
 * trailer.  Owners have no names.  ERR_INPUT: malformed, or a file of several
 * names whose contents stand at another of them, which guix pack does not make.
 */
int cpio_next(
	struct cpio *c, const struct tar_member **out, struct err *e) NODISCARD;
struct layer_source cpio_contents(struct cpio *c);
/* After cpio_next gave 0: pull the source to its end; ERR_INPUT when anything
 * but zeros follows. */
int cpio_finish(struct cpio *c, struct err *e) NODISCARD;
void cpio_free(struct cpio *c);
/* CLEANUP(own_cpio) struct cpio *c = NULL; */
void own_cpio(struct cpio **c);

#endif
