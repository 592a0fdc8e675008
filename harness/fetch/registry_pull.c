/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/registry_pull.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fetch/http.h"

/* A blob on its way. */
struct pulled {
	const struct descriptor *d;
	struct blobs_put *put;
	struct http_transfer t;
	char *url, *authorization;
	uint64_t some; /* bytes that are enough; 0: only all are */
	unsigned refused;
	bool is_resumed; /* begun upon what an earlier run left */
	bool is_started;
};

struct pull {
	struct session *s;
	struct blobs *b;
	const struct descriptor *v;
	size_t n, next;
	uint64_t some; /* of each */
	struct pulled at[PULL_AT_ONCE];
};

/* ---- where the bytes go ---- */

static bool
has_some(const struct pulled *x)
{
	return x->some > 0 && x->put && blobs_put_have(x->put) >= x->some;
}

static int
sink_write(void *arg, const void *p, size_t n, struct err *e)
{
	const struct pulled *x = arg;

	if (blobs_put_write(x->put, p, n, e) < 0)
		return -1;
	return has_some(x) ? err_set(e, ERR_POLICY, "no more is wanted") : 0;
}

static uint64_t
sink_have(void *arg)
{
	return blobs_put_have(((struct pulled *)arg)->put);
}

static int
sink_restart(void *arg, struct err *e)
{
	return blobs_put_restart(((struct pulled *)arg)->put, e);
}

/* ---- one blob ---- */

static void
drop(struct pull *p, struct pulled *x)
{
	if (x->is_started)
		http_cancel(session_http(p->s), &x->t);
	http_transfer_fini(&x->t);
	blobs_put_close(x->put);
	free(x->url);
	if (x->authorization)
		explicit_bzero(x->authorization, strlen(x->authorization));
	free(x->authorization);
	*x = (struct pulled){0};
}

/* Say which blob it was. */
static int
wrap(const struct pulled *x, struct err *e)
{
	char hex[DIGEST_HEX + 1];

	digest_hex(&x->d->digest, hex);
	return err_wrap(e, "blob sha256:%.16s...", hex);
}

static int
ask(struct pull *p, struct pulled *x, struct err *e)
{
	free(x->authorization);
	x->authorization = NULL;
	if (session_authorization(p->s, &x->authorization, e) < 0)
		return -1;
	x->t.url = x->url;
	x->t.authorization = x->authorization;
	x->t.is_named = true;
	x->t.cap = BLOBS_ANY;
	x->t.sink = (struct http_sink){sink_write, sink_have, sink_restart, x};
	x->is_started = true;
	http_start(session_http(p->s), &x->t);
	return 0;
}

static int
open_put(struct pull *p, struct pulled *x, struct err *e)
{
	return blobs_put_open(
		p->b, &x->d->digest, x->d->size, NULL, &x->put, e);
}

static int
commit(struct pull *p, struct pulled *x, struct err *e)
{
	if (blobs_put_commit(x->put, NULL, e) == 0) {
		drop(p, x);
		return 0;
	}
	/* What was left here may have been damaged: once more, all of it. */
	if (e->kind != ERR_INPUT || !x->is_resumed)
		return -1;
	x->is_resumed = false;
	blobs_put_close(STEAL(x->put));
	return open_put(p, x, e) < 0 ? -1 : ask(p, x, e);
}

/* Begin the next blob that is not here; 0 when there is none. */
static int
begin(struct pull *p, struct pulled *x, struct err *e)
{
	while (p->next < p->n) {
		const struct descriptor *d = &p->v[p->next++];
		char hex[DIGEST_HEX + 1], name[DIGEST_HEX + 8];
		int found = blobs_find(p->b, &d->digest, NULL, e);

		for (size_t i = 0; i < PULL_AT_ONCE && found == 0; i++)
			if (p->at[i].d &&
				digest_eq(&p->at[i].d->digest, &d->digest))
				found = 1;
		if (found < 0)
			return -1;
		if (found)
			continue;
		digest_hex(&d->digest, hex);
		snprintf(name, sizeof(name), "sha256:%s", hex);
		x->d = d;
		x->some = p->some;
		if (open_put(p, x, e) < 0)
			return -1;
		x->is_resumed = blobs_put_have(x->put) > 0;
		x->url = session_url(p->s, "blobs", name);
		if (blobs_put_have(x->put) == d->size) {
			if (commit(p, x, e) < 0)
				return -1;
			if (!x->d)
				continue;
			return 1;
		}
		return ask(p, x, e) < 0 ? -1 : 1;
	}
	return 0;
}

/* A transfer is done. */
static int
finish(struct pull *p, struct pulled *x, struct err *e)
{
	if (x->t.err.kind != ERR_NONE) {
		*e = x->t.err;
		return -1;
	}
	if (x->t.status == 401 && x->refused++ < SESSION_REFUSED_MAX)
		return session_authorize(p->s, &x->t, e) < 0 ? -1
							     : ask(p, x, e);
	if (x->t.status < 200 || x->t.status > 299)
		return session_refused(p->s, &x->t, "blob", e);
	return commit(p, x, e);
}

static int
step(struct pull *p, struct err *e)
{
	for (size_t i = 0; i < PULL_AT_ONCE; i++) {
		struct pulled *x = &p->at[i];

		if (x->d && x->t.is_done && !has_some(x) && finish(p, x, e) < 0)
			return wrap(x, e);
		if (!x->d && begin(p, x, e) < 0)
			return x->d ? wrap(x, e) : -1;
		if (has_some(x))
			return 0;
	}
	for (size_t i = 0; i < PULL_AT_ONCE; i++)
		if (p->at[i].d)
			return http_step(session_http(p->s), 1000, e) < 0 ? -1
									  : 1;
	return p->next < p->n ? 1 : 0;
}

static int
pull(struct pull *p, struct err *e)
{
	int result;

	while ((result = step(p, e)) > 0) {
	}
	for (size_t i = 0; i < PULL_AT_ONCE; i++)
		if (p->at[i].d)
			drop(p, &p->at[i]);
	return result;
}

int
registry_pull(struct session *s, struct blobs *b, const struct descriptor *v,
	size_t n, struct err *e)
{
	struct pull p = {.s = s, .b = b, .v = v, .n = n};

	return pull(&p, e);
}

int
registry_pull_some(struct session *s, struct blobs *b,
	const struct descriptor *d, uint64_t n, struct err *e)
{
	struct pull p = {.s = s, .b = b, .v = d, .n = 1, .some = n};

	return pull(&p, e);
}
