/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_HTTP_WORDS_H
#define UB_FETCH_HTTP_WORDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* The words of HTTP, as far as they need no library: all pure. */

/* Append s with all but letters, digits and "-._~" as %XX (RFC 3986). */
void http_escape(struct buf *out, const char *s);
/* May it be asked without TLS: "localhost", 127.0.0.0/8 and ::1? host may end
 * in :PORT. */
bool http_is_loopback(const char *host);
/* Does entry, "HOST:PORT" or "HOST", name that host and port? */
bool http_host_is(const char *entry, const char *host, const char *port);
/* The value of a header line of that name, without the space around it; p NULL
 * when it is another. */
struct slice http_header_value(struct slice line, const char *name);

#endif
