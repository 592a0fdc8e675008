/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/slice.h"
#include "base/text.h"
#include "fetch/http_words.h"

enum {
	READ_BYTES = 512 << 10, /* libcurl's buffer */
	CONNECT_MS = 30000,
	STALL_MS = 60000,
	PAUSE_MS = 500,
	PAUSE_MAX_MS = 60000,
	TRIES = 6
};

/* One transfer on its way: the current try of the current hop. */
struct flight {
	struct http *h;
	struct http_transfer *t;
	CURL *easy; /* NULL while it waits for due_ms */
	struct curl_slist *headers;
	char *url;          /* of this hop */
	bool is_elsewhere;  /* left the origin: without credentials */
	bool is_judged;     /* the answer's status was acted upon */
	bool is_kept_aside; /* no 2xx: the body is kept for a message */
	unsigned hops, tries, tries_in_all;
	uint64_t from; /* bytes at hand when this try began */
	uint64_t got;  /* body bytes, those at hand included */
	uint64_t header_bytes;
	int64_t range_start; /* of Content-Range, -1 when there was none */
	int64_t retry_after_ms;
	int64_t due_ms;
	struct err err; /* of a callback */
	struct flight *next;
};

struct http {
	CURLM *multi;
	struct http_options o;
	struct flight *flights;
	size_t n;
};

int
http_open(const struct http_options *o, struct http **out, struct err *e)
{
	struct http *h;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_HOST, "libcurl does not start");
	h = xcalloc(1, sizeof(*h));
	h->o = *o;
	if (!h->o.connect_ms)
		h->o.connect_ms = CONNECT_MS;
	if (!h->o.stall_ms)
		h->o.stall_ms = STALL_MS;
	if (!h->o.pause_ms)
		h->o.pause_ms = PAUSE_MS;
	if (!h->o.pause_max_ms)
		h->o.pause_max_ms = PAUSE_MAX_MS;
	if (!h->o.tries)
		h->o.tries = TRIES;
	h->multi = curl_multi_init();
	*out = h;
	return h->multi ? 0 : err_set(e, ERR_HOST, "libcurl does not start");
}

static void
land(struct flight *f)
{
	if (f->easy) {
		curl_multi_remove_handle(f->h->multi, f->easy);
		curl_easy_cleanup(f->easy);
		f->easy = NULL;
	}
	curl_slist_free_all(f->headers);
	f->headers = NULL;
}

/* Take the flight out of the list and forget it. */
static void
forget(struct flight *f)
{
	struct flight **at = &f->h->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->h->n--;
	land(f);
	f->t->own = NULL;
	free(f->url);
	free(f);
}

void
http_close(struct http *h)
{
	if (!h)
		return;
	while (h->flights)
		forget(h->flights);
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	free(h);
}

void
own_http(struct http **h)
{
	http_close(*h);
}

/* ---- URLs ---- */

struct origin {
	CURLU *u;
	char *scheme, *host, *port, *path;
};

static void
origin_fini(struct origin *o)
{
	curl_free(o->scheme);
	curl_free(o->host);
	curl_free(o->port);
	curl_free(o->path);
	curl_url_cleanup(o->u);
}

static bool
origin_read(const char *url, struct origin *out)
{
	*out = (struct origin){.u = curl_url()};
	return out->u && curl_url_set(out->u, CURLUPART_URL, url, 0) == 0 &&
		curl_url_get(out->u, CURLUPART_SCHEME, &out->scheme, 0) == 0 &&
		curl_url_get(out->u, CURLUPART_HOST, &out->host, 0) == 0 &&
		curl_url_get(out->u, CURLUPART_PORT, &out->port,
			CURLU_DEFAULT_PORT) == 0 &&
		curl_url_get(out->u, CURLUPART_PATH, &out->path, 0) == 0;
}

static bool
is_same_origin(const char *a, const char *b)
{
	CLEANUP(origin_fini)
	struct origin x = {0};
	CLEANUP(origin_fini)
	struct origin y = {0};

	return origin_read(a, &x) && origin_read(b, &y) &&
		strcmp(x.scheme, y.scheme) == 0 &&
		strcasecmp(x.host, y.host) == 0 && strcmp(x.port, y.port) == 0;
}

void
http_show(const char *url, struct buf *out)
{
	CLEANUP(origin_fini)
	struct origin o = {0};
	CLEANUP(own_free)
	char *full = NULL;
	const char *end;

	if (!origin_read(url, &o)) {
		buf_str(out, "(no URL)");
		return;
	}
	full = xasprintf("%s://%s", o.scheme, o.host);
	text_clean(out, slice_of(full), TEXT_ONE_LINE);
	end = strcmp(o.scheme, "https") == 0 ? "443" : "80";
	if (strcmp(o.port, end) != 0)
		buf_printf(out, ":%s", o.port);
	text_clean(out, slice_of(o.path), TEXT_ONE_LINE);
}

static bool
is_here(const char *url)
{
	CLEANUP(origin_fini)
	struct origin o = {0};

	return origin_read(url, &o) && http_is_loopback(o.host);
}

/* Do our rules let this URL be asked? */
static int
check_url(const struct flight *f, struct err *e)
{
	const char *const *plain = f->h->o.plain_hosts;
	CLEANUP(origin_fini)
	struct origin o = {0};

	if (!origin_read(f->url, &o)) {
		if (f->hops)
			return err_code(e, ERR_POLICY, EPROTONOSUPPORT,
				"that is no URL of http or https");
		return err_set(e, ERR_INPUT,
			"'%.100s' is no URL of http or https", f->url);
	}
	if (strcmp(o.scheme, "https") == 0 || f->t->unix_socket)
		return 0;
	if (strcmp(o.scheme, "http") != 0)
		return err_code(e, ERR_POLICY, EPROTONOSUPPORT,
			"it leads to a URL of the scheme '%.20s'; http and "
			"https are allowed",
			o.scheme);
	if (http_is_loopback(o.host))
		return 0;
	for (; plain && *plain; plain++)
		if (http_host_is(*plain, o.host, o.port))
			return 0;
	return err_code(e, ERR_POLICY, EPROTONOSUPPORT,
		"http is not encrypted; of other machines https is asked, "
		"unless --plain-http names the host");
}

/* ---- what libcurl calls ---- */

/* Keep a header's value, the first when add is false. */
static void
keep(struct buf *out, struct slice value, bool add)
{
	if (!add)
		buf_clear(out);
	buf_slice(out, value);
	if (add)
		buf_char(out, '\n');
}

static void
read_header(struct flight *f, struct slice line)
{
	struct http_transfer *t = f->t;
	struct slice v;

	if ((v = http_header_value(line, "www-authenticate")).p)
		keep(&t->challenges, v, true);
	else if ((v = http_header_value(line, "content-type")).p)
		keep(&t->content_type, v, false);
	else if ((v = http_header_value(line, "etag")).p)
		keep(&t->etag, v, false);
	else if ((v = http_header_value(line, "last-modified")).p)
		keep(&t->last_modified, v, false);
	else if ((v = http_header_value(line, "docker-content-digest")).p)
		keep(&t->content_digest, v, false);
	else if ((v = http_header_value(line, "content-range")).p) {
		CLEANUP(own_free)
		char *text = xmemdup0(v.p, v.n);

		if (sscanf(text, "bytes %" SCNd64, &f->range_start) != 1)
			f->range_start = -1;
	}
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;
	struct slice line = {p, size * n};

	f->header_bytes += line.n;
	if (f->header_bytes > HTTP_HEADERS_MAX) {
		(void)!err_set(&f->err, ERR_POLICY,
			"the answer's headers are over %d bytes",
			HTTP_HEADERS_MAX);
		return 0;
	}
	/* A new answer: after "100 Continue", or what a proxy said. */
	if (slice_starts(line, "HTTP/")) {
		buf_clear(&f->t->challenges);
		buf_clear(&f->t->content_type);
		buf_clear(&f->t->content_digest);
		buf_clear(&f->t->etag);
		buf_clear(&f->t->last_modified);
		f->range_start = -1;
	}
	read_header(f, line);
	return line.n;
}

static int
too_large(const struct flight *f, struct err *e)
{
	const char *name = f->t->cap_name;

	return err_set(e, ERR_POLICY,
		"the body is larger than the limit of %" PRIu64 " bytes%s%s%s",
		f->t->cap, name ? " (--limit " : "", name ? name : "",
		name ? "=N raises it)" : "");
}

/*
 * The headers are here: where does the body go?  The server that was asked for
 * the rest may send all (200), or the rest (206), and nothing else.
 */
static int
judge_answer(struct flight *f, struct err *e)
{
	struct http_transfer *t = f->t;
	curl_off_t length = -1;

	if (f->is_judged)
		return 0;
	f->is_judged = true;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &t->status);
	f->is_kept_aside = t->status < 200 || t->status > 299;
	buf_clear(&t->body);
	if (f->is_kept_aside)
		return 0;
	if (t->status == 206 && f->range_start != (int64_t)f->from)
		return err_set(e, ERR_TRANSIENT,
			"the server sent another range than the one asked "
			"for");
	if (t->status != 206 && f->from > 0) {
		if (t->sink.restart(t->sink.arg, e) < 0)
			return -1;
		f->from = 0;
	}
	f->got = f->from;
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length > 0 && (uint64_t)length > t->cap - f->got)
		return too_large(f, e);
	return 0;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;
	struct http_transfer *t = f->t;
	size_t bytes = size * n;

	if (judge_answer(f, &f->err) < 0)
		return bytes + 1;
	if (f->is_kept_aside) {
		size_t room = HTTP_ERROR_BODY_MAX - t->body.n;

		buf_add(&t->body, p, bytes < room ? bytes : room);
		return bytes;
	}
	if (bytes > t->cap - f->got) {
		(void)!too_large(f, &f->err);
		return bytes + 1;
	}
	f->got += bytes;
	if (!t->sink.write)
		buf_add(&t->body, p, bytes);
	else if (t->sink.write(t->sink.arg, p, bytes, &f->err) < 0)
		return bytes + 1;
	return bytes;
}

/* ---- one try ---- */

static void
add_header(struct flight *f, const char *line)
{
	struct curl_slist *more = curl_slist_append(f->headers, line);

	if (more)
		f->headers = more;
}

static void
set_headers(struct flight *f)
{
	const struct http_transfer *t = f->t;
	CLEANUP(own_free)
	char *line = NULL;

	for (const char *const *h = t->headers; h && *h; h++)
		add_header(f, *h);
	if (t->authorization && !f->is_elsewhere) {
		line = xasprintf("Authorization: %s", t->authorization);
		add_header(f, line);
	}
	if (f->from > 0 && t->if_range) {
		CLEANUP(own_free)
		char *range = xasprintf("If-Range: %s", t->if_range);

		add_header(f, range);
	}
	curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
}

static void
set_rules(struct flight *f)
{
	const struct http_options *o = &f->h->o;
	CURL *c = f->easy;

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	/* Each hop is looked at before it is asked. */
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(
		c, CURLOPT_LOW_SPEED_TIME, (long)((o->stall_ms + 999) / 1000));
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "unblend");
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->tls_ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->tls_ca);
}

/* Begin a try of the current hop. */
static int
take_off(struct flight *f, struct err *e)
{
	struct http_transfer *t = f->t;
	CLEANUP(own_free)
	char *range = NULL;

	if (check_url(f, e) < 0)
		return -1;
	f->easy = curl_easy_init();
	if (!f->easy)
		return err_set(e, ERR_HOST, "libcurl does not start");
	f->is_judged = f->is_kept_aside = false;
	f->header_bytes = 0;
	f->range_start = f->retry_after_ms = -1;
	f->err = (struct err){0};
	f->from = t->sink.have ? t->sink.have(t->sink.arg) : 0;
	f->got = f->from;
	set_rules(f);
	set_headers(f);
	/* As podman and docker, and http is allowed because it stays here. */
	if (is_here(f->url))
		curl_easy_setopt(f->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(f->easy, CURLOPT_URL, f->url);
	curl_easy_setopt(f->easy, CURLOPT_PRIVATE, (void *)f);
	curl_easy_setopt(f->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, (void *)f);
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, (void *)f);
	if (t->form)
		curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, t->form);
	if (t->unix_socket)
		curl_easy_setopt(
			f->easy, CURLOPT_UNIX_SOCKET_PATH, t->unix_socket);
	if (t->use_netrc)
		curl_easy_setopt(
			f->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	if (f->from > 0) {
		range = xasprintf("%" PRIu64 "-", f->from);
		curl_easy_setopt(f->easy, CURLOPT_RANGE, range);
	}
	if (curl_multi_add_handle(f->h->multi, f->easy) != CURLM_OK)
		return err_set(e, ERR_HOST, "libcurl takes no transfer");
	return 0;
}

static void
end_with(struct flight *f, const struct err *e)
{
	struct http_transfer *t = f->t;

	if (e)
		t->err = *e;
	t->final_url = STEAL(f->url);
	t->is_done = true;
	forget(f);
}

/* Put "GET https://HOST/PATH" before what went wrong. */
static void
end_wrong(struct flight *f, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf where = {0};

	if (f->hops || !f->t->is_named) {
		http_show(f->url, &where);
		(void)!err_wrap(e, "%s%.100s%s",
			f->hops ? "redirected to " : "", buf_text(&where),
			where.n > 100 ? "..." : "");
	}
	end_with(f, e);
}

/* ---- after a try ---- */

static void
notice(const struct flight *f, const struct err *e, int64_t pause_ms)
{
	CLEANUP(buf_fini)
	struct buf line = {0};

	if (!f->h->o.notice)
		return;
	http_show(f->url, &line);
	buf_printf(&line, ": %s; again in %lld.%lld s", e->text,
		(long long)pause_ms / 1000, (long long)pause_ms % 1000 / 100);
	f->h->o.notice(f->h->o.arg, buf_text(&line));
}

/* Try again later, or give up. */
static void
again(struct flight *f, struct err *e)
{
	const struct http_options *o = &f->h->o;
	int64_t pause_ms = o->pause_ms;

	/* What brought something further starts the count anew. */
	if (f->is_judged && !f->is_kept_aside && f->got > f->from)
		f->tries = 0;
	f->tries++;
	f->tries_in_all++;
	if (f->tries >= o->tries || f->tries_in_all >= HTTP_TRIES_MAX) {
		struct err last = *e;

		(void)!err_set(e, ERR_TRANSIENT, "%s (tried %u times)",
			last.text, f->tries_in_all);
		end_wrong(f, e);
		return;
	}
	for (unsigned i = 1; i < f->tries && pause_ms < o->pause_max_ms; i++)
		pause_ms *= 2;
	if (f->retry_after_ms >= 0)
		pause_ms = f->retry_after_ms;
	if (pause_ms > o->pause_max_ms)
		pause_ms = o->pause_max_ms;
	notice(f, e, pause_ms);
	land(f);
	f->due_ms = clock_mono_ms() + pause_ms;
}

static void
follow(struct flight *f)
{
	CLEANUP(own_free)
	char *to = NULL;
	char *where = NULL;
	struct err e = {0};

	curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &where);
	to = where ? xstrdup(where) : NULL;
	if (!to || f->hops >= HTTP_HOPS_MAX) {
		(void)!err_set(&e, ERR_POLICY,
			to ? "it redirects more than %d times"
			   : "it redirects to nowhere",
			HTTP_HOPS_MAX);
		end_wrong(f, &e);
		return;
	}
	land(f);
	if (!is_same_origin(to, f->t->url))
		f->is_elsewhere = true;
	free(f->url);
	f->url = STEAL(to);
	f->hops++;
	if (take_off(f, &e) < 0)
		end_wrong(f, &e);
}

static void
ask_pause(struct flight *f)
{
	curl_off_t seconds = 0;

	if (curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &seconds) ==
			CURLE_OK &&
		seconds > 0)
		f->retry_after_ms = seconds > 1000000 ? INT64_C(1000000000)
						      : (int64_t)seconds * 1000;
}

/* There is a whole answer. */
static void
answered(struct flight *f)
{
	struct http_transfer *t = f->t;
	struct err e = {0};

	if (judge_answer(f, &e) < 0) {
		if (e.kind == ERR_TRANSIENT)
			again(f, &e);
		else
			end_wrong(f, &e);
	} else if (t->status >= 301 && t->status <= 308 && t->status != 304 &&
		t->status != 305 && t->status != 306) {
		follow(f);
	} else if (t->status == 416 && f->from > 0) {
		/* What is here is not the beginning of what is there. */
		(void)!err_set(&e, ERR_TRANSIENT,
			"the server has fewer bytes than are here");
		if (t->sink.restart(t->sink.arg, &e) < 0)
			end_wrong(f, &e);
		else
			again(f, &e);
	} else if (t->status == 429 || t->status == 408 || t->status >= 500) {
		ask_pause(f);
		(void)!err_set(
			&e, ERR_TRANSIENT, "the server answers %ld", t->status);
		again(f, &e);
	} else {
		end_with(f, NULL);
	}
}

/* There is none: what does libcurl say? */
static void
failed(struct flight *f, CURLcode code)
{
	struct err e = {0};

	if (f->err.kind != ERR_NONE) {
		e = f->err;
		if (e.kind == ERR_TRANSIENT)
			again(f, &e);
		else
			end_wrong(f, &e);
		return;
	}
	if (code == CURLE_PEER_FAILED_VERIFICATION) {
		(void)!err_code(&e, ERR_POLICY, EKEYREJECTED,
			"its certificate is not that of a CA that is trusted "
			"here, or not for this name (--tls-ca FILE adds a CA)");
		end_wrong(f, &e);
		return;
	}
	if (code == CURLE_SSL_CACERT_BADFILE) {
		(void)!err_set(&e, ERR_ABSENT,
			"the CA file %.100s cannot be read",
			f->h->o.tls_ca ? f->h->o.tls_ca : "of the system");
		end_wrong(f, &e);
		return;
	}
	(void)!err_set(&e, ERR_TRANSIENT, "%s", curl_easy_strerror(code));
	if (code == CURLE_SSL_CONNECT_ERROR && is_here(f->url)) {
		f->t->is_tls_refused = true;
		end_wrong(f, &e);
		return;
	}
	again(f, &e);
}

/* ---- the loop ---- */

void
http_start(struct http *h, struct http_transfer *t)
{
	struct flight *f = xcalloc(1, sizeof(*f));

	http_transfer_fini(t);
	f->h = h;
	f->t = t;
	f->url = xstrdup(t->url);
	f->next = h->flights;
	h->flights = f;
	h->n++;
	t->own = f;
}

void
http_cancel(struct http *h, struct http_transfer *t)
{
	(void)h;
	if (t->own)
		forget(t->own);
}

/* Begin what is due; the milliseconds until more is. */
static int64_t
begin_due(struct http *h, int64_t wait_ms)
{
	int64_t now_ms = clock_mono_ms();
	struct flight *next;

	for (struct flight *f = h->flights; f; f = next) {
		struct err e = {0};

		next = f->next;
		if (f->easy)
			continue;
		if (f->due_ms > now_ms) {
			if (f->due_ms - now_ms < wait_ms)
				wait_ms = f->due_ms - now_ms;
			continue;
		}
		wait_ms = 0;
		if (take_off(f, &e) < 0)
			end_wrong(f, &e);
	}
	return wait_ms;
}

static void
take_ended(struct http *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct flight *f = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
		if (m->data.result == CURLE_OK)
			answered(f);
		else
			failed(f, m->data.result);
	}
}

int
http_step(struct http *h, int64_t wait_ms, struct err *e)
{
	int running = 0;

	wait_ms = begin_due(h, wait_ms);
	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		return err_set(e, ERR_HOST, "libcurl fails");
	take_ended(h);
	if (h->o.stop && *h->o.stop)
		return err_set(e, ERR_HOST, "stopped");
	if (h->n == 0)
		return 0;
	/* A second at most, so that *stop is seen. */
	if (wait_ms > 0 &&
		curl_multi_poll(h->multi, NULL, 0,
			wait_ms < 1000 ? (int)wait_ms : 1000, NULL) != CURLM_OK)
		return err_set(e, ERR_HOST, "libcurl fails");
	return h->n > INT32_MAX ? INT32_MAX : (int)h->n;
}

int
http_get(struct http *h, struct http_transfer *t, struct err *e)
{
	http_start(h, t);
	while (!t->is_done)
		if (http_step(h, 1000, e) < 0) {
			http_cancel(h, t);
			return -1;
		}
	if (t->err.kind == ERR_NONE)
		return 0;
	*e = t->err;
	return -1;
}

void
http_transfer_fini(struct http_transfer *t)
{
	buf_fini(&t->body);
	buf_fini(&t->challenges);
	buf_fini(&t->content_type);
	buf_fini(&t->content_digest);
	buf_fini(&t->etag);
	buf_fini(&t->last_modified);
	free(t->final_url);
	t->final_url = NULL;
	t->err = (struct err){0};
	t->status = 0;
	t->is_done = t->is_tls_refused = false;
}
