/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "fetch/http.h"
#include "fetch/kept.h"

static const uint64_t web_bytes_max = UINT64_C(64) << 30;

/* One file on its way. */
struct download {
	const char *url;
	const struct digest *want;
	const struct fetch_options *o;
	struct blobs *b;
	struct blobs_put *put;
	struct http_transfer t;
	struct kept kept;
	bool must_restart; /* what is here cannot be gone on with */
	bool is_noted;     /* kept.part says what comes */
	bool was_resumed;
};

static void
download_fini(struct download *d)
{
	http_transfer_fini(&d->t);
	blobs_put_close(d->put);
	kept_fini(&d->kept);
}

/* --- what http.c asks ------------------------------------------------------ */

static uint64_t
on_have(void *arg)
{
	struct download *d = arg;
	uint64_t have = blobs_put_have(d->put);

	if (have && !d->want && !d->kept.part) {
		d->must_restart = true;
		return 0;
	}
	return have;
}

static int
on_restart(void *arg, struct err *e)
{
	struct download *d = arg;

	d->was_resumed = d->must_restart = d->is_noted = false;
	return blobs_put_restart(d->put, e);
}

/*
 * Write down what comes before its first byte: whoever is killed from now on
 * leaves a partial that can be told from one of a later version of the file.
 */
static int
note(struct download *d, struct err *e)
{
	const struct http_transfer *t = &d->t;

	d->is_noted = true;
	if (t->status != 200 || d->want)
		return 0;
	free(d->kept.part);
	/* A weak ETag says nothing of bytes (RFC 9110, section 13.1.5). */
	d->kept.part = slice_starts(buf_get(&t->etag), "W/")
		? NULL
		: kept_value(buf_get(&t->etag));
	if (!d->kept.part)
		d->kept.part = kept_value(buf_get(&t->last_modified));
	d->t.if_range = d->kept.part;
	if (!blobs_put_is_kept(d->put))
		return 0;
	return kept_write(d->b, d->url, &d->kept, e);
}

static int
on_write(void *arg, const void *p, size_t n, struct err *e)
{
	struct download *d = arg;

	if (d->must_restart && on_restart(d, e) < 0)
		return -1;
	if (!d->is_noted && note(d, e) < 0)
		return -1;
	return blobs_put_write(d->put, p, n, e);
}

/* --- asking ---------------------------------------------------------------- */

/* The headers of a conditional request, when the blob that came last is here.
 * *headers borrows from *lines. */
static int
set_condition(struct download *d, struct buf *line, const char *headers[2],
	struct err *e)
{
	int found = 0;

	if (d->want || !d->kept.has_sha256 ||
		(!d->kept.etag && !d->kept.modified))
		return 0;
	found = blobs_find(d->b, &d->kept.sha256, NULL, e);
	if (found <= 0)
		return found;
	if (d->kept.etag)
		buf_printf(line, "If-None-Match: %s", d->kept.etag);
	else
		buf_printf(line, "If-Modified-Since: %s", d->kept.modified);
	headers[0] = buf_text(line);
	return 0;
}

static int
refuse(const struct download *d, struct err *e)
{
	long status = d->t.status;

	switch (status) {
	case 404:
	case 410:
		return err_set(
			e, ERR_ABSENT, "there is no such file (%ld)", status);
	case 401:
	case 403:
		return err_code(e, ERR_ABSENT, EACCES,
			"the server gives it not to us "
			"(%ld)",
			status);
	default:
		return err_set(e, ERR_ABSENT, "the server answers %ld", status);
	}
}

/* All came: put it in place, and remember what it is. */
static int
finish(struct download *d, struct digest *got, struct err *e)
{
	if (d->must_restart && on_restart(d, e) < 0)
		return -1;
	if (blobs_put_commit(d->put, got, e) < 0)
		return -1;
	if (d->want)
		return 0;
	kept_fini(&d->kept);
	d->kept = (struct kept){.has_sha256 = true,
		.sha256 = *got,
		.etag = kept_value(buf_get(&d->t.etag)),
		.modified = kept_value(buf_get(&d->t.last_modified))};
	return kept_write(d->b, d->url, &d->kept, e);
}

static int
get(struct download *d, struct http *h, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf line = {0};
	CLEANUP(own_free)
	char *part = kept_part_name(d->url);
	const char *headers[2] = {NULL};

	kept_read(d->b, d->url, &d->kept);
	if (blobs_put_open(d->b, d->want, BLOBS_ANY, d->want ? NULL : part,
		    &d->put, e) < 0 ||
		set_condition(d, &line, headers, e) < 0)
		return -1;
	d->was_resumed = blobs_put_have(d->put) > 0;
	d->t = (struct http_transfer){.url = d->url,
		.is_named = true,
		.headers = headers,
		.if_range = d->want ? NULL : d->kept.part,
		.cap = d->o->total_bytes ? d->o->total_bytes : web_bytes_max,
		.cap_name = "file-bytes",
		.sink = {.write = on_write,
			.have = on_have,
			.restart = on_restart,
			.arg = d}};
	return http_get(h, &d->t, e);
}

static int
bring(struct download *d, struct http *h, struct digest *got, struct err *e)
{
	if (get(d, h, e) < 0)
		return -1;
	if (d->t.status == 304 && d->kept.has_sha256) {
		*got = d->kept.sha256;
		return 0;
	}
	if (d->t.status != 200 && d->t.status != 206)
		return refuse(d, e);
	return finish(d, got, e);
}

int
web_bring(const char *url, const struct digest *want,
	const struct fetch_options *o, struct blobs *b, struct digest *got,
	struct err *e)
{
	struct http_options how = {.tls_ca = o->tls_ca,
		.plain_hosts = o->plain_hosts,
		.stop = o->stop,
		.notice = o->notice,
		.arg = o->arg};
	CLEANUP(own_http)
	struct http *h = NULL;
	int result = want ? blobs_find(b, want, NULL, e) : 0;

	if (result > 0)
		*got = *want;
	if (result != 0)
		return result < 0 ? -1 : 0;
	if (http_open(&how, &h, e) < 0)
		return -1;
	/* Where an earlier run left the beginning of another file, that is gone
	 * after the first time. */
	for (int i = 0; i < 2; i++) {
		CLEANUP(download_fini)
		struct download d = {.url = url, .want = want, .o = o, .b = b};

		result = bring(&d, h, got, e);
		if (result == 0 || e->kind != ERR_INPUT || !want ||
			!d.was_resumed)
			break;
	}
	return result;
}
