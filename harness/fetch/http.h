/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_HTTP_H
#define UB_FETCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * HTTP and HTTPS by libcurl: GET and POST of any number of transfers at the
 * same time in one process, each tried again where that may help and resumed
 * where it was.  No limit on the time of a whole transfer, but on the time
 * without progress.  TLS certificates are verified; plain http is for this
 * machine's own addresses, unix sockets and hosts that the user named.
 * Redirects are followed within those rules, at most HTTP_HOPS_MAX, and
 * credentials never go to another host, port or scheme than that of the
 * transfer's URL.  Proxies are those of the environment, as curl(1) takes them, but
 * for this machine's own addresses.
 */
struct http;

/* {0} is what most want; 0 takes what is written here. */
struct http_options {
	const char *tls_ca; /* PEM file of further CAs; NULL: the system's */
	/* HOST or HOST:PORT that may be asked over plain http, NULL-ended */
	const char *const *plain_hosts;
	int64_t connect_ms; /* to be connected: 30 s */
	int64_t stall_ms;   /* without a byte: 60 s (whole seconds) */
	int64_t pause_ms;   /* before the second try, doubled each time: 500 */
	int64_t pause_max_ms; /* also of what Retry-After asks: 60 s */
	unsigned tries;       /* without a new byte between them: 6 */
	/* set by a signal handler, ends all; NULL: nothing does */
	const volatile int *stop;
	/* told in one line of each failure that is tried again; may be NULL */
	void (*notice)(void *arg, const char *line);
	void *arg; /* of notice */
};

enum {
	HTTP_HOPS_MAX = 10,
	HTTP_TRIES_MAX = 200, /* in all, however much progress they make */
	HTTP_HEADERS_MAX = 256 << 10,
	HTTP_ERROR_BODY_MAX = 64 << 10 /* kept of an answer other than 2xx */
};

/* ERR_HOST when libcurl cannot be had.  o is copied, what it points to is
 * borrowed until http_close. */
int http_open(const struct http_options *o, struct http **out,
	struct err *e) NODISCARD;
/* Ends all transfers that are under way, too.  NULL is fine. */
void http_close(struct http *h);
/* CLEANUP(own_http) struct http *h = NULL; */
void own_http(struct http **h);

/*
 * Where the body of a 2xx answer goes.  Each returns 0, or -1 with *e set,
 * which ends the transfer with that error, untried again.
 */
struct http_sink {
	int (*write)(void *arg, const void *p, size_t n, struct err *e);
	/*
	 * For what can be resumed; both NULL: never is.  have: bytes that are
	 * there already, asked before each try.  restart: forget them, since
	 * the server sends from the beginning.
	 */
	uint64_t (*have)(void *arg);
	int (*restart)(void *arg, struct err *e);
	void *arg;
};

/* One transfer: what is asked, and then what came.  Ended by http_transfer_fini
 * (which leaves what is asked alone: that is borrowed). */
struct http_transfer {
	/* asked */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
	const char *authorization;  /* value of that header; NULL: none */
	const char *form;           /* POST this urlencoded form; NULL: GET */
	const char *unix_socket;    /* connect there; NULL: to the URL's host */
	/* validator for a resumed body that has no digest: a strong ETag or a
	 * Last-Modified, sent as If-Range; NULL: none */
	const char *if_range;
	bool is_named;  /* the caller says what it is: errors begin without the
			* URL, unless it was redirected */
	bool use_netrc; /* ~/.netrc may have a password for the host */
	uint64_t cap;   /* bytes of the whole body; more is ERR_POLICY */
	const char *cap_name;  /* as --limit names that; NULL: it does not */
	struct http_sink sink; /* write NULL: the body is kept in body */

	/* came, valid once is_done */
	bool is_done;
	/*
	 * ERR_NONE when there was an answer, whatever its status.
	 * ERR_TRANSIENT: no answer, or 429 or 5xx, after all tries;
	 * ERR_POLICY: a limit, a forbidden redirect, a certificate that is not
	 * trusted; ERR_HOST: stopped; or the sink's own error.
	 */
	struct err err;
	long status;           /* 200, 404, ...; 0 when there was no answer */
	struct buf body;       /* as sink says; of a failure, its beginning */
	struct buf challenges; /* each WWW-Authenticate, a line each */
	struct buf content_type, etag, last_modified;
	char *final_url;           /* after redirects */
	struct buf content_digest; /* Docker-Content-Digest */
	/* a loopback address that https was spoken to does not speak it */
	bool is_tls_refused;

	void *own; /* http.c's */
};

/*
 * Begin a transfer; it moves in http_step only.  t stays where it is until it
 * is_done or http_cancel.
 */
void http_start(struct http *h, struct http_transfer *t);
/*
 * Move what was started, for at most wait_ms when nothing happens.  Returns the
 * number of transfers that are not done; -1 with ERR_HOST when stopped.
 */
int http_step(struct http *h, int64_t wait_ms, struct err *e) NODISCARD;
/* End one without waiting for it; what its sink has stays. */
void http_cancel(struct http *h, struct http_transfer *t);
/* Start it and wait until it is_done; -1 and *e when t->err is set. */
int http_get(struct http *h, struct http_transfer *t, struct err *e) NODISCARD;
/* Drop what came; t can be started again. */
void http_transfer_fini(struct http_transfer *t);

/* "https://HOST/PATH" of a URL, without what may be secret; for messages. */
void http_show(const char *url, struct buf *out);

#endif
