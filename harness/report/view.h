/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_VIEW_H
#define UB_REPORT_VIEW_H

#include <stdbool.h>

#include "compare/compare.h"
#include "report/markup.h"

/*
 * What was kept of a difference, folded but where is_open: both sides as text
 * where both are, else as hex, what differs marked; a list of a store item.
 * Nothing where nothing was kept.
 */
void view_write(struct markup *m, const struct difference *d, bool is_open);

#endif
