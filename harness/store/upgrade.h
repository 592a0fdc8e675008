/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_STORE_UPGRADE_H
#define UB_STORE_UPGRADE_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

enum {
	UPGRADE_APPLICATION = 0x55424c44, /* "UBLD": application_id of ours */
	UPGRADE_VERSION = 4               /* user_version that this reads */
};

/* Bring a database from version (0: nothing in it) to UPGRADE_VERSION, in one
 * transaction. */
int upgrade_run(struct store *s, int64_t version, struct err *e) NODISCARD;

#endif
