/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_COPY_H
#define UB_BASE_COPY_H

#include "base/err.h"

/*
 * Copy the regular file from, which is no link, to a file to, which is made or
 * written over; where the file system can, they share their blocks.  ERR_HOST.
 */
int copy_file(const char *from, const char *to, struct err *e) NODISCARD;

#endif
