/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/bounding.h"

#include <string.h>

#include "cmd/common.h"
#include "fetch/blobs.h"

enum {
	PROCESSES_MAX = 4194304, /* as many as Linux can number */
	CPUS_MAX = 8192
};

/* Below this not even a worker starts. */
static const uint64_t memory_least = UINT64_C(16) << 20;

static bool
take_size(const char *option, uint64_t least, uint64_t *out)
{
	uint64_t n;

	if (!blobs_limit_parse(optarg, &n) || n == 0 || n < least) {
		common_complain("%s takes bytes as 500M or 8G, %sor none, not "
				"'%s'",
			option, least ? "16M or more, " : "", optarg);
		return false;
	}
	*out = n == BLOBS_ANY ? 0 : n;
	return true;
}

static bool
take_number(const char *option, int64_t max, uint64_t *out)
{
	int64_t n;

	if (!common_number(optarg, option, max, &n))
		return false;
	*out = (uint64_t)n;
	return true;
}

static bool
take_daemon(const char **daemon)
{
	if (optarg[strspn(optarg, " ")]) {
		*daemon = optarg;
		return true;
	}
	common_complain("--daemon takes a command, as '/usr/bin/guix-daemon "
			"--build-users-group=guixbuild'");
	return false;
}

bool
bounding_has(int c)
{
	return c >= BOUNDING_MEMORY && c <= BOUNDING_LOW_WATER;
}

bool
bounding_take(struct limits *l, const char **daemon, uint64_t *low_water, int c)
{
	switch (c) {
	case BOUNDING_MEMORY:
		return take_size(
			"--max-memory", memory_least, &l->memory_bytes);
	case BOUNDING_MEMORY + 1:
		return take_number(
			"--max-processes", PROCESSES_MAX, &l->processes);
	case BOUNDING_MEMORY + 2:
		return take_size("--max-output", 0, &l->said_bytes);
	case BOUNDING_MEMORY + 3:
		return take_size("--max-disk", 0, &l->disk_bytes);
	case BOUNDING_MEMORY + 4:
		return take_number("--cpus", CPUS_MAX, &l->cpus);
	case BOUNDING_LOW_WATER:
		return take_size("--low-water", 0, low_water);
	case BOUNDING_DAEMON:
		return take_daemon(daemon);
	default:
		return false;
	}
}
