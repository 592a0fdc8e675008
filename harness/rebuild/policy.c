/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/policy.h"

#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "rebuild/trust.h"

enum {
	URL_BYTES_MAX = 2048,
	COMMIT_HEX = 40
};

const struct limits limits_default = {
	.deadline_s = 3600,
	.silence_s = 600,
	.log_bytes = 4u << 20,
	.output_bytes = 1u << 20,
	.memory_bytes = 0,
};

/*
 * The official channel: guix/channels.scm (%default-guix-channel and its
 * introduction), and the URLs it has had: Savannah until 2025, git.guix.gnu.org
 * and Codeberg since.  The older introduction is the one that channel files
 * written in 2020 and 2021 have.
 */
#define OFFICIAL_SIGNER "BBB0 2DDF 2CEA F6A8 0D1D  E643 A2A0 6DF2 A33A 54FA"
#define OFFICIAL_COMMIT "9edb3f66fd807b096b48283debdcddccfea34bad"
#define OFFICIAL_OLDER "afb9f2752315f131e4ddd44eba02eed403365085"
#define OFFICIAL(url)                                \
	{url, OFFICIAL_COMMIT, OFFICIAL_SIGNER},     \
	{                                            \
		url, OFFICIAL_OLDER, OFFICIAL_SIGNER \
	}

static const struct trusted builtin[] = {
	OFFICIAL("https://git.savannah.gnu.org/git/guix.git"),
	OFFICIAL("https://git.guix.gnu.org/guix.git"),
	OFFICIAL("https://codeberg.org/guix/guix.git"),
	OFFICIAL("https://codeberg.org/guix/guix"),
};

static const char *const moved[] = {
	"https://codeberg.org/guix/guix.git",
	"https://git.guix.gnu.org/guix.git",
	"https://git.savannah.gnu.org/git/guix.git",
	NULL,
};
static const char *const unmoved[] = {NULL};

const struct trusted *
trust_builtin(size_t *n)
{
	*n = ARRAY_LEN(builtin);
	return builtin;
}

const char *const *
policy_other_urls(const char *url)
{
	for (size_t i = 0; i < ARRAY_LEN(builtin); i++)
		if (strcmp(builtin[i].url, url) == 0)
			return moved;
	return unmoved;
}

bool
trust_signer_eq(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

static void
quote(struct buf *out, const char *s)
{
	/* Bytes that no Scheme string can hold are shown, not pasted. */
	if (text_scheme(out, slice_of(s)) < 0) {
		buf_char(out, '"');
		text_clean(out, slice_of(s), TEXT_ONE_LINE);
		buf_char(out, '"');
	}
}

static void
print_line(struct buf *line, const struct channel *c)
{
	buf_str(line, "(channel (url ");
	quote(line, c->url);
	buf_char(line, ')');
	if (c->intro_commit && c->intro_signer) {
		buf_str(line, " (introduction (commit ");
		quote(line, c->intro_commit);
		buf_str(line, ") (signer ");
		quote(line, c->intro_signer);
		buf_str(line, "))");
	}
	buf_char(line, ')');
}

static void
add(struct buf *why, const char *before, const char *value)
{
	buf_str(why, before);
	text_clean(why, slice_of(value), TEXT_ONE_LINE);
}

static void
print_why(struct buf *why, const struct channel *c, bool is_url_known)
{
	add(why, "channel '", c->name ? c->name : "?");
	add(why, "' from ", c->url ? c->url : "nowhere");
	add(why, " at commit ", c->commit ? c->commit : "(not recorded)");
	if (c->intro_commit && c->intro_signer) {
		add(why, ", introduced by ", c->intro_commit);
		add(why, " signed by ", c->intro_signer);
	} else {
		buf_str(why, ", without an introduction");
	}
	buf_str(why,
		is_url_known ? ": this URL is trusted with another "
			       "introduction only"
			     : ": this URL is not on the trust list");
}

static bool
entry_allows(const struct trusted *t, const struct channel *c)
{
	if (!t->intro_commit)
		return true;
	return c->intro_commit && c->intro_signer &&
		strcmp(t->intro_commit, c->intro_commit) == 0 &&
		trust_signer_eq(t->intro_signer, c->intro_signer);
}

bool
trust_allows(const struct trust *t, const struct channel *c, struct buf *why,
	struct buf *line)
{
	bool is_url_known = false;
	const struct trusted *lists[] = {builtin, t ? t->list : NULL};
	size_t n[] = {ARRAY_LEN(builtin), t ? t->n : 0};

	for (size_t l = 0; c->url && l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < n[l]; i++) {
			if (strcmp(lists[l][i].url, c->url) != 0)
				continue;
			if (entry_allows(&lists[l][i], c))
				return true;
			is_url_known = true;
		}
	print_why(why, c, is_url_known);
	if (c->url)
		print_line(line, c);
	return false;
}

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
