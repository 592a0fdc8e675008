/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/official.h"

#include <stddef.h>
#include <string.h>

#include "base/attr.h"
#include "rebuild/trust.h"

/*
 * Savannah until May 2025 (https since Guix 0.16; http and git before and in
 * channel files), then git.guix.gnu.org, which leads to Codeberg; and the
 * mirrors that the project or its users name in channel files.
 */
static const char *const urls[] = {
	"https://codeberg.org/guix/guix.git",
	"https://git.guix.gnu.org/guix.git",
	"https://git.savannah.gnu.org/git/guix.git",
	"https://git.savannah.gnu.org/r/guix.git",
	"http://git.savannah.gnu.org/git/guix.git",
	"http://git.savannah.gnu.org/r/guix.git",
	"git://git.savannah.gnu.org/guix.git",
	"git://git.sv.gnu.org/guix.git",
	"https://codeberg.org/guix/guix-mirror.git",
	"https://github.com/guix-mirror/guix.git",
};

static const char *const places[] = {
	"https://codeberg.org/guix/guix.git",
	"https://git.guix.gnu.org/guix.git",
	"https://git.savannah.gnu.org/git/guix.git",
	"https://github.com/guix-mirror/guix.git",
	NULL,
};

/*
 * The first is guix/channels.scm's %guix-channel-introduction, a commit of 26
 * May 2020; the second is what channel files of some users have, by the same
 * key.
 */
static const char signer[] =
	"BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA";
static const char *const commits[] = {
	"9edb3f66fd807b096b48283debdcddccfea34bad",
	"afb9f2752315f131e4ddd44eba02eed403365085",
};

/* Bytes of the URL without what its end may have or lack. */
static size_t
stem(const char *url)
{
	static const char suffix[] = ".git";
	size_t n = strlen(url), k = strlen(suffix);

	if (n && url[n - 1] == '/')
		n--;
	if (n > k && memcmp(url + n - k, suffix, k) == 0)
		n -= k;
	return n;
}

bool
official_url(const char *url)
{
	size_t n = stem(url);

	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		if (n == stem(urls[i]) && memcmp(url, urls[i], n) == 0)
			return true;
	return false;
}

bool
official_introduction(const struct channel *c)
{
	if (!c->intro_commit && !c->intro_signer)
		return c->name && strcmp(c->name, "guix") == 0;
	if (!c->intro_commit || !c->intro_signer ||
		!trust_signer_eq(c->intro_signer, signer))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(commits); i++)
		if (strcmp(c->intro_commit, commits[i]) == 0)
			return true;
	return false;
}

const char *const *
official_places(void)
{
	return places;
}
