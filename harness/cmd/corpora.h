/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_CORPORA_H
#define UB_CMD_CORPORA_H

#include <stdbool.h>

#include "corpus/corpus.h"

/*
 * Load the corpus files of a command line; false when there are mistakes, each
 * told on stderr.
 */
bool corpora_load(int n, char *const files[], struct corpus *out);

#endif
