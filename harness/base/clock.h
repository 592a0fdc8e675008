/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_CLOCK_H
#define UB_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that never jumps. */
int64_t clock_mono_ms(void);
/* Seconds since 1970 (UTC). */
int64_t clock_wall_s(void);

enum {
	CLOCK_ISO = 21
};
/* "2026-11-24T04:22:00Z" of seconds since 1970; years 0 to 9999. */
void clock_iso(int64_t wall_s, char out[CLOCK_ISO]);

#endif
