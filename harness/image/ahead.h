/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_AHEAD_H
#define UB_IMAGE_AHEAD_H

#include "image/layer.h"

/*
 * A source that is pulled by a thread of its own, a few blocks before they are
 * asked for: so that one processor unpacks while another digests.  What comes
 * out, its end or failure too, is what comes out of the source itself.
 */
struct ahead;

/*
 * The first bytes are pulled by who asks for them, and only then does the
 * thread begin: what is small is not worth one.  From then on until the end or
 * a failure was given, or ahead_free, only the thread may pull from from, and
 * what it works on is the thread's alone.
 */
struct ahead *ahead_new(struct layer_source from);
struct layer_source ahead_source(struct ahead *a);
/* Ends the thread first.  from stands some blocks after what was given. */
void ahead_free(struct ahead *a);

#endif
