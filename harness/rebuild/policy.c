/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/policy.h"

#include <ctype.h>
#include <string.h>

#include "base/attr.h"

enum {
	URL_BYTES_MAX = 2048,
	COMMIT_HEX = 40,
	FINGERPRINT_HEX = 40
};

const struct limits limits_default = {
	.deadline_s = 3600,
	.silence_s = 600,
	.log_bytes = 4u << 20,
	.output_bytes = 1u << 20,
	.said_bytes = 1u << 30,
	.processes = 16384,
};

bool
policy_url_ok(const char *url)
{
	static const char *const net[] = {"https://", "http://", "git://"};
	size_t n = strlen(url);

	if (n > URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (url[i] <= ' ' || url[i] > '~')
			return false;
	/* git would take the user's name for an option of ssh, and for the
	 * others a host that begins with a dash is none. */
	for (size_t i = 0; i < ARRAY_LEN(net); i++)
		if (strncmp(url, net[i], strlen(net[i])) == 0)
			return isalnum((unsigned char)url[strlen(net[i])]) ||
				url[strlen(net[i])] == '[';
	return strncmp(url, "file:///", 8) == 0 && url[8] != '\0';
}

bool
policy_commit_ok(const char *commit)
{
	return commit && strlen(commit) == COMMIT_HEX &&
		strspn(commit, "0123456789abcdef") == COMMIT_HEX;
}

bool
policy_signer_ok(const char *signer)
{
	size_t n = 0;

	for (; *signer; signer++) {
		if (*signer == ' ')
			continue;
		if (!strchr("0123456789abcdefABCDEF", *signer))
			return false;
		n++;
	}
	return n == FINGERPRINT_HEX;
}
