/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_IMAGE_SHOWN_H
#define UB_IMAGE_SHOWN_H

#include "base/slice.h"

enum {
	SHOWN_BYTES = 100
};

/* A name from an archive as an error shows it: cleaned, and its middle left
 * out where it is long.  For use in one expression: shown_of(name).text */
struct shown {
	char text[SHOWN_BYTES];
};

struct shown shown_of(struct slice name);

#endif
