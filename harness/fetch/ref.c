/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/ref.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/slice.h"

enum {
	NAME_MAX_BYTES = 255, /* distribution: reference.NameTotalLengthMax */
	TAG_MAX_BYTES = 128,
	URL_MAX_BYTES = 4096
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS
#define DEFAULT_HOST "docker.io"

/* What may follow the prefix of a transport. */
enum form {
	FORM_FILE,     /* a file or folder, whatever its name */
	FORM_FILE_REF, /* FILE[:REF]: so FILE has no ":" */
	FORM_IMAGE,    /* [HOST/]NAME[:TAG][@DIGEST] */
	FORM_DAEMON,   /* the same, or ALGO:HEX */
	FORM_URL
};

static const struct {
	const char *prefix;
	enum transport transport;
	enum form form;
} transports[] = {
	{"docker-archive:", TRANSPORT_DOCKER_ARCHIVE, FORM_FILE_REF},
	{"oci-archive:", TRANSPORT_OCI_ARCHIVE, FORM_FILE_REF},
	{"oci:", TRANSPORT_OCI, FORM_FILE_REF},
	{"dir:", TRANSPORT_DIR, FORM_FILE},
	{"rootfs:", TRANSPORT_ROOTFS, FORM_FILE},
	{"pack:", TRANSPORT_PACK, FORM_FILE},
	{"docker://", TRANSPORT_DOCKER, FORM_IMAGE},
	{"docker-daemon:", TRANSPORT_DOCKER_DAEMON, FORM_DAEMON},
	{"https://", TRANSPORT_WEB, FORM_URL},
	{"http://", TRANSPORT_WEB, FORM_URL},
};

bool
transport_is_local(enum transport t)
{
	return t != TRANSPORT_DOCKER && t != TRANSPORT_DOCKER_DAEMON &&
		t != TRANSPORT_WEB;
}

const char *
transport_prefix(enum transport t)
{
	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (transports[i].transport == t && t != TRANSPORT_WEB)
			return transports[i].prefix;
	return "";
}

/* "word:" of lower-case letters and dashes: a transport. */
static bool
names_transport(const char *text)
{
	size_t n = strspn(text, LOWER "-");

	return n > 1 && text[n] == ':';
}

static bool
is_made_of(struct slice s, const char *allowed)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || !strchr(allowed, s.p[i]))
			return false;
	return s.n > 0;
}

/* One part of a repository's name (distribution: reference.NameRegexp):
 * letters and digits, between them ".", "_", "__" or dashes. */
static bool
is_component(struct slice s)
{
	size_t run = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (strchr(LOWER DIGITS, s.p[i])) {
			run = 0;
			continue;
		}
		run++;
		if (!strchr("._-", s.p[i]) || i == 0 || i + 1 == s.n ||
			(run > 1 && s.p[i] != s.p[i - 1]) ||
			(run > 1 && s.p[i] == '.') ||
			(run > 2 && s.p[i] == '_'))
			return false;
	}
	return s.n > 0;
}

static bool
is_repository(struct slice s)
{
	if (s.n == 0 || s.n > NAME_MAX_BYTES)
		return false;
	for (;;) {
		const char *end = memchr(s.p, '/', s.n);
		size_t n = end ? (size_t)(end - s.p) : s.n;

		if (!is_component((struct slice){s.p, n}))
			return false;
		if (!end)
			return true;
		s = (struct slice){end + 1, s.n - n - 1};
	}
}

static bool
is_tag(struct slice s)
{
	return s.n <= TAG_MAX_BYTES && is_made_of(s, ALNUM "_.-") &&
		s.p[0] != '.' && s.p[0] != '-';
}

/* HOST[:PORT], an IPv6 address within brackets. */
static bool
is_host(struct slice s)
{
	const char *port = memrchr(s.p, ':', s.n);
	struct slice name = s;

	if (s.n > 0 && s.p[s.n - 1] == ']')
		port = NULL;
	if (port) {
		name.n = (size_t)(port - s.p);
		if (!is_made_of(
			    (struct slice){port + 1, s.n - name.n - 1}, DIGITS))
			return false;
	}
	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		return is_made_of((struct slice){name.p + 1, name.n - 2},
			DIGITS "abcdefABCDEF:.");
	return is_made_of(name, ALNUM "-.") && name.p[0] != '-' &&
		name.p[0] != '.';
}

/* As is_host, and not the first part of a repository's name. */
static bool
looks_like_host(struct slice s)
{
	return memchr(s.p, '.', s.n) || memchr(s.p, ':', s.n) ||
		slice_is(s, "localhost");
}

/* The parts of [HOST/]NAME[:TAG][@DIGEST]; those not there have p NULL. */
struct name {
	struct slice host, repository, tag, digest;
};

/* What is wrong with it, NULL when nothing is. */
static const char *
split_name(const char *text, struct name *out)
{
	struct slice rest = slice_of(text);
	const char *at = memchr(rest.p, '@', rest.n);
	const char *slash = memchr(rest.p, '/', rest.n);
	struct digest digest;
	const char *colon;

	*out = (struct name){0};
	if (at) {
		out->digest = slice_of(at + 1);
		rest.n = (size_t)(at - rest.p);
		if (!slice_starts(out->digest, "sha256:") ||
			!digest_parse(out->digest, &digest))
			return "the digest is not sha256: and 64 digits";
		if (slash && slash > at)
			slash = NULL;
	}
	if (slash) {
		out->host = (struct slice){rest.p, (size_t)(slash - rest.p)};
		if (looks_like_host(out->host)) {
			if (!is_host(out->host))
				return "the host is none";
			rest.n -= out->host.n + 1;
			rest.p = slash + 1;
		} else {
			out->host = (struct slice){0};
		}
	}
	colon = memchr(rest.p, ':', rest.n);
	if (colon) {
		out->tag = (struct slice){
			colon + 1, rest.n - (size_t)(colon - rest.p) - 1};
		rest.n = (size_t)(colon - rest.p);
		if (!is_tag(out->tag))
			return "the tag is not up to 128 letters, digits, "
			       "'_', '.' and '-'";
	}
	out->repository = rest;
	if (!is_repository(rest))
		return "the name is not lower-case letters and digits, single "
		       "'.', '_' or '-' between them";
	return NULL;
}

static bool
is_default_host(const struct name *n)
{
	return !n->host.p || slice_is(n->host, DEFAULT_HOST) ||
		slice_is(n->host, "index.docker.io");
}

/* The repository as the registry knows it: Docker's own images are in
 * library/ there. */
static void
add_repository(const struct name *n, struct buf *out)
{
	if (is_default_host(n) &&
		!memchr(n->repository.p, '/', n->repository.n))
		buf_str(out, "library/");
	buf_slice(out, n->repository);
}

int
ref_normalise(const char *text, struct buf *out, struct err *e)
{
	struct name n;
	const char *wrong = split_name(text, &n);
	size_t start = out->n;

	if (wrong)
		return err_set(e, ERR_INPUT, "'%.100s': %s", text, wrong);
	if (is_default_host(&n))
		buf_str(out, DEFAULT_HOST);
	else
		buf_slice(out, n.host);
	buf_char(out, '/');
	add_repository(&n, out);
	/* with what was added: the limit is on the whole form */
	if (out->n - start > NAME_MAX_BYTES) {
		out->n = start;
		return err_set(e, ERR_INPUT,
			"'%.100s...': a name of more than %d bytes", text,
			NAME_MAX_BYTES);
	}
	if (n.tag.p || !n.digest.p) {
		buf_char(out, ':');
		buf_slice(out, n.tag.p ? n.tag : slice_of("latest"));
	}
	if (n.digest.p) {
		buf_char(out, '@');
		buf_slice(out, n.digest);
	}
	return 0;
}

static int
parse_image(const char *text, struct ref *out, struct err *e)
{
	struct buf path = {0};
	struct name n;
	const char *wrong = split_name(text, &n);

	if (wrong)
		return err_set(e, ERR_INPUT,
			"'docker://%.100s': %s; this is written "
			"docker://HOST/NAME[:TAG][@DIGEST]",
			text, wrong);
	add_repository(&n, &path);
	out->path = buf_take(&path);
	out->host = is_default_host(&n) ? xstrdup(DEFAULT_HOST)
					: xmemdup0(n.host.p, n.host.n);
	/* A digest says more than a tag: skopeo, podman and docker take the
	 * digest where both are given. */
	if (n.digest.p)
		out->ref = xmemdup0(n.digest.p, n.digest.n);
	else
		out->ref = n.tag.p ? xmemdup0(n.tag.p, n.tag.n)
				   : xstrdup("latest");
	return 0;
}

static int
parse_daemon(const char *text, struct ref *out, struct err *e)
{
	struct slice id = slice_of(text);
	struct digest digest;
	struct name n;
	const char *wrong;

	if (slice_starts(id, "sha256:") && digest_parse(id, &digest)) {
		out->path = xstrdup(text);
		return 0;
	}
	wrong = split_name(text, &n);
	if (wrong)
		return err_set(e, ERR_INPUT,
			"'docker-daemon:%.100s': %s; this is written "
			"docker-daemon:NAME[:TAG] or docker-daemon:sha256:HEX",
			text, wrong);
	out->path = n.tag.p || n.digest.p ? xstrdup(text)
					  : xasprintf("%s:latest", text);
	return 0;
}

static int
parse_url(const char *text, struct ref *out, struct err *e)
{
	struct slice url = slice_of(text);
	const char *host = strstr(text, "//") + 2;
	size_t n = strcspn(host, "/?#");

	if (url.n > URL_MAX_BYTES)
		return err_set(e, ERR_INPUT,
			"'%.60s...' has %zu bytes; a URL may have %d", text,
			url.n, URL_MAX_BYTES);
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' ||
			(unsigned char)url.p[i] >= 127)
			return err_set(e, ERR_INPUT,
				"'%.100s' has a character that no URL may "
				"hold; it is written %%XX there",
				text);
	if (memchr(host, '@', n))
		return err_set(e, ERR_INPUT,
			"'%.8s...' has a password in it, which reports would "
			"show; ~/.netrc is the place for it",
			text);
	if (!is_host((struct slice){host, n}))
		return err_set(e, ERR_INPUT, "'%.100s' names no host", text);
	out->path = xstrdup(text);
	return 0;
}

static int
parse_file(const char *whole, const char *text, const char *folder,
	bool has_ref, struct ref *out, struct err *e)
{
	const char *colon = has_ref ? strchr(text, ':') : NULL;
	CLEANUP(own_free)
	char *file =
		xmemdup0(text, colon ? (size_t)(colon - text) : strlen(text));

	if (file[0] == '\0')
		return err_set(e, ERR_INPUT, "'%.100s' names no file", whole);
	if (colon && colon[1] == '\0')
		return err_set(e, ERR_INPUT,
			"'%.100s' names no image after the ':'", whole);
	out->path = path_join(folder, file);
	out->ref = colon ? xstrdup(colon + 1) : NULL;
	return 0;
}

/* The transports' prefixes, for a person. */
static int
unknown(const char *text, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf known = {0};

	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		buf_printf(&known, "%s%s", i ? ", " : "", transports[i].prefix);
	return err_set(e, ERR_INPUT,
		"'%.60s' names no transport that is known: %s or a FILE", text,
		buf_text(&known));
}

int
ref_parse(const char *text, const char *folder, struct ref *out, struct err *e)
{
	*out = (struct ref){.transport = TRANSPORT_PACK};
	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		const char *rest = text + strlen(transports[i].prefix);

		if (!slice_starts(slice_of(text), transports[i].prefix))
			continue;
		out->transport = transports[i].transport;
		switch (transports[i].form) {
		case FORM_IMAGE:
			return parse_image(rest, out, e);
		case FORM_DAEMON:
			return parse_daemon(rest, out, e);
		case FORM_URL:
			return parse_url(text, out, e);
		case FORM_FILE:
		case FORM_FILE_REF:
		default:
			return parse_file(text, rest, folder,
				transports[i].form == FORM_FILE_REF, out, e);
		}
	}
	if (names_transport(text))
		return unknown(text, e);
	return parse_file(text, text, folder, false, out, e);
}

void
ref_fini(struct ref *r)
{
	free(r->path);
	free(r->ref);
	free(r->host);
	*r = (struct ref){0};
}
