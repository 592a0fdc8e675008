/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_WEB_H
#define UB_FETCH_WEB_H

#include "base/digest.h"
#include "base/err.h"
#include "fetch/blobs.h"
#include "fetch/fetch.h"

/*
 * Bring the file at an http or https URL into the blob folder; *got is its
 * digest, and b uses it from now.  Where want (NULL: any) is here already, nobody
 * is asked; otherwise the server is, by If-None-Match or If-Modified-Since where
 * a blob of that URL is here.  What an earlier run left of it is resumed when it
 * has a want or the server's validator shows that it is still the same file.
 *
 * Errors as fetch's, without the URL before them: ERR_ABSENT for 404, 410, 401
 * and 403, ERR_INPUT when it has not the digest wanted, ERR_POLICY beyond
 * o->total_bytes (0: 64 GiB) or when http.h forbids to ask.
 */
int web_bring(const char *url, const struct digest *want,
	const struct fetch_options *o, struct blobs *b, struct digest *got,
	struct err *e) NODISCARD;

#endif
