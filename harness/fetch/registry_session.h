/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_REGISTRY_SESSION_H
#define UB_FETCH_REGISTRY_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "fetch/fetch.h"
#include "fetch/http.h"
#include "fetch/ref.h"

/*
 * A conversation with one registry about one repository: where it is, over TLS
 * or not, and what opens it.
 */
struct session;

/* r and o outlive it. */
int session_open(const struct ref *r, const struct fetch_options *o,
	struct session **out, struct err *e) NODISCARD;
void session_close(struct session *s);
struct http *session_http(struct session *s);

/* "https://HOST/v2/NAME/WHAT/LAST"; the caller's to free. */
char *session_url(const struct session *s, const char *what, const char *last);
/*
 * The Authorization to send now, renewed where it is about to expire; NULL
 * when there is none yet.  The caller's to free.
 */
int
session_authorization(struct session *s, char **out, struct err *e) NODISCARD;
/*
 * The answer of t was 401: get what it asks for.  t was asked with the
 * authorization given, so that what was renewed meanwhile is not got again.
 */
int session_authorize(struct session *s, const struct http_transfer *t,
	struct err *e) NODISCARD;
/*
 * Set *e to what an answer other than 2xx means: of is "image" or "blob".
 * Returns -1.
 */
int session_refused(const struct session *s, const struct http_transfer *t,
	const char *of, struct err *e) NODISCARD;
enum {
	SESSION_REFUSED_MAX = 2 /* answers of 401 that one request survives:
				 * the first, and a token that ended */
};
/*
 * GET NAME/manifests/LAST; accept is a whole header.  https, and plain http
 * where a loopback address does not speak it.
 */
int session_get(struct session *s, const char *last, const char *accept,
	struct http_transfer *t, struct err *e) NODISCARD;

#endif
