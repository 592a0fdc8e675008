/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/jdoc.h"
#include "base/slice.h"
#include "base/text.h"
#include "fetch/http.h"
#include "fetch/http_words.h"
#include "fetch/kept.h"

#define SOCKET_DEFAULT "/var/run/docker.sock"

enum {
	/* What is not answered at once on this machine seldom is later. */
	DAEMON_TRIES = 2,
	INSPECT_BYTES = 4 << 20,
	MESSAGE_BYTES = 120
};

static const uint64_t archive_bytes_max = UINT64_C(64) << 30;

int
daemon_place_parse(
	const char *docker_host, struct daemon_place *out, struct err *e)
{
	struct slice host = slice_of(docker_host && docker_host[0]
			? docker_host
			: "unix://" SOCKET_DEFAULT);

	*out = (struct daemon_place){0};
	if (slice_starts(host, "unix:///")) {
		out->socket = xstrdup(host.p + 7);
		out->url = xstrdup("http://localhost");
	} else if (slice_starts(host, "tcp://") && host.n > 6 &&
		host.p[6 + strcspn(host.p + 6, "/?#@")] == '\0') {
		out->url = xasprintf("http://%s", host.p + 6);
	} else {
		return err_set(e, ERR_POLICY,
			"DOCKER_HOST is '%.80s'; unix://PATH and "
			"tcp://HOST:PORT are understood",
			host.p);
	}
	return 0;
}

void
daemon_place_fini(struct daemon_place *p)
{
	free(p->socket);
	free(p->url);
	*p = (struct daemon_place){0};
}

/* Is there a socket that we may write to?  libcurl says only that it cannot
 * connect. */
static int
check_socket(const struct daemon_place *p, struct err *e)
{
	if (!p->socket || access(p->socket, R_OK | W_OK) == 0)
		return 0;
	if (errno == EACCES)
		return err_code(e, ERR_ABSENT, EACCES,
			"its daemon's socket %.100s does not let this user in",
			p->socket);
	return err_sys(e, ERR_ABSENT,
		"no daemon listens at %.100s (DOCKER_HOST names another)",
		p->socket);
}

/* --- talking --------------------------------------------------------------- */

struct talk {
	const struct fetch_options *o;
	const char *name;
	struct daemon_place at;
	struct http *http;
	struct http_transfer t;
	char *url;
};

static void
talk_fini(struct talk *k)
{
	http_transfer_fini(&k->t);
	http_close(k->http);
	daemon_place_fini(&k->at);
	free(k->url);
}

/* {"message":"..."}, or whatever text it is. */
static void
add_message(const struct talk *k, struct err *e)
{
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	CLEANUP(own_free)
	char *clean = NULL;
	struct slice said = buf_get(&k->t.body), message;
	struct err ignored, was = *e;

	doc = jdoc_parse(said, &ignored);
	message = jdoc_str(jdoc_get(doc, "message"));
	if (message.p)
		said = message;
	while (said.n && strchr(" \r\n", said.p[said.n - 1]))
		said.n--;
	if (!said.n)
		return;
	if (said.n > MESSAGE_BYTES)
		said.n = MESSAGE_BYTES;
	clean = text_clean_new(said);
	(void)!err_set(e, was.kind, "%.100s: %s", was.text, clean);
}

/* GET /images/NAME/what; 200 or an error. */
static int
ask(struct talk *k, const char *what, uint64_t cap, struct http_sink sink,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf url = {0};
	CLEANUP(own_free)
	char *name = NULL;
	int result;

	buf_printf(&url, "%s/images/", k->at.url);
	/* The API's paths keep the slashes of a name. */
	for (const char *p = k->name; *p; p += strspn(p, "/:@")) {
		size_t n = strcspn(p, "/:@");

		name = xmemdup0(p, n);
		http_escape(&url, name);
		free(STEAL(name));
		p += n;
		buf_add(&url, p, strspn(p, "/:@"));
	}
	buf_printf(&url, "/%s", what);
	http_transfer_fini(&k->t);
	free(k->url);
	k->url = buf_take(&url);
	k->t = (struct http_transfer){.url = k->url,
		.unix_socket = k->at.socket,
		.is_named = true,
		.cap = cap,
		.cap_name = sink.write ? "file-bytes" : NULL,
		.sink = sink};
	result = http_get(k->http, &k->t, e);
	if (result == 0 && k->t.status == 404)
		result = err_set(e, ERR_ABSENT, "the daemon has no such image");
	else if (result == 0 && k->t.status != 200)
		result = err_set(
			e, ERR_ABSENT, "the daemon answers %ld", k->t.status);
	if (result < 0 && k->t.status >= 400)
		add_message(k, e);
	return result;
}

/* The image's ID, which is the digest of its config, as the daemon says it. */
static int
ask_id(struct talk *k, char **id, struct err *e)
{
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct slice found;

	if (ask(k, "json", INSPECT_BYTES, (struct http_sink){0}, e) < 0)
		return -1;
	doc = jdoc_parse(buf_get(&k->t.body), e);
	if (!doc)
		return err_wrap(e, "what the daemon says of it");
	found = jdoc_str(jdoc_get(doc, "Id"));
	*id = kept_value(found);
	return *id ? 0
		   : err_set(e, ERR_INPUT,
			     "the daemon does not say its ID, as Docker's API "
			     "does");
}

/* The archive comes anew at each try: nothing of it is resumed. */
struct archive {
	struct blobs_put *put;
	bool must_restart;
};

static uint64_t
on_have(void *arg)
{
	struct archive *a = arg;

	a->must_restart = blobs_put_have(a->put) > 0;
	return 0;
}

static int
on_restart(void *arg, struct err *e)
{
	struct archive *a = arg;

	a->must_restart = false;
	return blobs_put_restart(a->put, e);
}

static int
on_write(void *arg, const void *p, size_t n, struct err *e)
{
	struct archive *a = arg;

	if (a->must_restart && on_restart(a, e) < 0)
		return -1;
	return blobs_put_write(a->put, p, n, e);
}

static int
bring_archive(
	struct talk *k, struct blobs *b, struct digest *got, struct err *e)
{
	CLEANUP(own_blobs_put)
	struct blobs_put *put = NULL;
	struct archive a = {0};
	struct http_sink sink = {.write = on_write,
		.have = on_have,
		.restart = on_restart,
		.arg = &a};

	if (blobs_put_open(b, NULL, BLOBS_ANY, NULL, &put, e) < 0)
		return -1;
	a.put = put;
	if (ask(k, "get",
		    k->o->total_bytes ? k->o->total_bytes : archive_bytes_max,
		    sink, e) < 0)
		return -1;
	return blobs_put_commit(put, got, e);
}

static int
bring(struct talk *k, struct blobs *b, struct digest *got, struct err *e)
{
	CLEANUP(own_free)
	char *id = NULL;
	CLEANUP(own_free)
	char *place = NULL;
	CLEANUP(kept_fini)
	struct kept kept = {0};
	int found = 0;

	if (ask_id(k, &id, e) < 0)
		return -1;
	/* The archive of an image holds its name beside it. */
	place = xasprintf("docker-daemon:%s %s", k->name, id);
	kept_read(b, place, &kept);
	if (kept.has_sha256)
		found = blobs_find(b, &kept.sha256, NULL, e);
	if (found) {
		*got = kept.sha256;
		return found < 0 ? -1 : 0;
	}
	if (bring_archive(k, b, got, e) < 0)
		return -1;
	kept.has_sha256 = true;
	kept.sha256 = *got;
	return kept_write(b, place, &kept, e);
}

int
daemon_bring(const char *name, const struct fetch_options *o, struct blobs *b,
	struct digest *got, struct err *e)
{
	CLEANUP(talk_fini)
	struct talk k = {.o = o, .name = name};
	struct http_options how = {.tls_ca = o->tls_ca,
		.plain_hosts = o->plain_hosts,
		.tries = DAEMON_TRIES,
		.stop = o->stop,
		.notice = o->notice,
		.arg = o->arg};

	if (daemon_place_parse(getenv("DOCKER_HOST"), &k.at, e) < 0 ||
		check_socket(&k.at, e) < 0 || http_open(&how, &k.http, e) < 0)
		return -1;
	return bring(&k, b, got, e);
}
