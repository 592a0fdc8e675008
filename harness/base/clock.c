/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t
clock_mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

void
clock_iso(int64_t wall_s, char out[CLOCK_ISO])
{
	const time_t least = -62167219200, most = 253402300799;
	time_t t = wall_s;
	struct tm tm;

	if (t < least)
		t = least;
	if (t > most)
		t = most;
	gmtime_r(&t, &tm);
	/* Within years 0 to 9999 this is 20 characters. */
	strftime(out, CLOCK_ISO, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
