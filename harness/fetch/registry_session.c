/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/registry_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jdoc.h"
#include "base/text.h"
#include "fetch/auth.h"
#include "fetch/http_words.h"

enum {
	TOKEN_BODY_MAX = 1 << 20,
	TOKEN_S = 60,         /* what a token lives at least, and unless said */
	TOKEN_S_MAX = 3600,   /* longer is renewed all the same */
	TOKEN_SLACK_MS = 5000 /* before its end, it is renewed */
};

struct session {
	const struct ref *r;
	const struct fetch_options *o;
	struct http *http;
	char *base;    /* https://HOST[:PORT] */
	bool is_plain; /* or http */

	bool has_looked; /* for credentials */
	bool has_credentials;
	struct credentials credentials;

	char *authorization;              /* NULL: none yet */
	int64_t expires_ms;               /* 0: never */
	struct buf realm, service, scope; /* what the last token came from */
};

/* The machine that answers for docker.io has another name. */
static const char *
api_host(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? "registry-1.docker.io" : host;
}

static bool
is_named_plain(const struct session *s)
{
	const char *const *p = s->o->plain_hosts;
	const char *host = api_host(s->r->host);
	size_t n = strlen(host);

	for (; p && *p; p++) {
		size_t named = strlen(*p);

		if (strncmp(*p, host, named) == 0 &&
			(named == n || (named < n && host[named] == ':')))
			return true;
	}
	return false;
}

static void
set_base(struct session *s, bool plain)
{
	free(s->base);
	s->is_plain = plain;
	s->base = xasprintf(
		"http%s://%s", plain ? "" : "s", api_host(s->r->host));
}

int
session_open(const struct ref *r, const struct fetch_options *o,
	struct session **out, struct err *e)
{
	struct session *s = xcalloc(1, sizeof(*s));
	const struct http_options how = {
		.tls_ca = o->tls_ca,
		.plain_hosts = o->plain_hosts,
		.stop = o->stop,
		.notice = o->notice,
		.arg = o->arg,
	};

	*out = s;
	s->r = r;
	s->o = o;
	set_base(s, is_named_plain(s));
	return http_open(&how, &s->http, e);
}

static void
wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void
session_close(struct session *s)
{
	if (!s)
		return;
	http_close(s->http);
	credentials_fini(&s->credentials);
	wipe(&s->authorization);
	buf_fini(&s->realm);
	buf_fini(&s->service);
	buf_fini(&s->scope);
	free(s->base);
	free(s);
}

struct http *
session_http(struct session *s)
{
	return s->http;
}

char *
session_url(const struct session *s, const char *what, const char *last)
{
	return xasprintf("%s/v2/%s/%s/%s", s->base, s->r->path, what, last);
}

/* ---- what opens it ---- */

static int
look_for_credentials(struct session *s, struct err *e)
{
	struct auth_env env;
	int found;

	if (s->has_looked)
		return 0;
	auth_env_get(&env);
	found = auth_find(&env, s->r->host, s->r->path, &s->credentials, e);
	if (found < 0)
		return -1;
	s->has_looked = true;
	s->has_credentials = found == 1;
	return 0;
}

static int
not_opened(const struct session *s, struct err *e)
{
	if (s->has_credentials)
		return err_code(e, ERR_ABSENT, EACCES,
			"%s does not take the credentials of %.80s", s->r->host,
			s->credentials.origin);
	return err_code(e, ERR_ABSENT, EACCES,
		"%s wants credentials, and there are none: `podman login %s' "
		"or `docker login %s' keeps some",
		s->r->host, s->r->host, s->r->host);
}

static int
use_basic(struct session *s, struct err *e)
{
	struct buf text = {0};

	/* Sent once, and refused. */
	if (!s->has_credentials || s->credentials.is_token || s->authorization)
		return not_opened(s, e);
	auth_basic(&s->credentials, &text);
	s->authorization = buf_take(&text);
	s->expires_ms = 0;
	return 0;
}

/* {"token" or "access_token", "expires_in"}. */
static int
read_token(struct session *s, const struct http_transfer *t, struct err *e)
{
	struct err ignored;
	CLEANUP(own_jdoc)
	struct jdoc *doc = jdoc_parse(buf_get(&t->body), &ignored);
	struct slice token = jdoc_str(jdoc_get(doc, "token"));
	int64_t lives_s = jdoc_int(jdoc_get(doc, "expires_in"), TOKEN_S);

	if (!token.n)
		token = jdoc_str(jdoc_get(doc, "access_token"));
	for (size_t i = 0; i < token.n; i++)
		if ((unsigned char)token.p[i] <= ' ' ||
			(unsigned char)token.p[i] >= 127)
			token.n = 0;
	if (!token.n) {
		CLEANUP(buf_fini)
		struct buf where = {0};

		http_show(t->url, &where);
		return err_set(e, ERR_TRANSIENT,
			"%.120s gave no token that can be sent",
			buf_text(&where));
	}
	if (lives_s < TOKEN_S)
		lives_s = TOKEN_S;
	if (lives_s > TOKEN_S_MAX)
		lives_s = TOKEN_S_MAX;
	wipe(&s->authorization);
	s->authorization = xasprintf("Bearer %.*s", SLICE_ARG(token));
	s->expires_ms = clock_mono_ms() + lives_s * 1000 - TOKEN_SLACK_MS;
	return 0;
}

static void
add_parameter(struct buf *out, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	if (out->n && !strchr("?&", out->p[out->n - 1]))
		buf_char(out, '&');
	buf_printf(out, "%s=", name);
	http_escape(out, value);
}

/* service and scope, each scope by itself. */
static void
add_subject(const struct session *s, struct buf *out)
{
	CLEANUP(own_free)
	char *scopes = NULL;
	char *rest, *scope;

	add_parameter(out, "service", buf_text(&s->service));
	if (s->scope.n)
		scopes = xstrdup(buf_text(&s->scope));
	else
		scopes = xasprintf("repository:%s:pull", s->r->path);
	rest = scopes;
	while ((scope = strsep(&rest, " ")))
		add_parameter(out, "scope", scope);
}

/* By GET, with the password where there is one; by POST with what is called an
 * identity token (OAuth 2.0 refresh token). */
static int
get_token(struct session *s, struct err *e)
{
	CLEANUP(http_transfer_fini)
	struct http_transfer t = {.cap = TOKEN_BODY_MAX};
	CLEANUP(buf_fini)
	struct buf url = {0};
	CLEANUP(buf_fini)
	struct buf form = {0};
	CLEANUP(buf_fini)
	struct buf basic = {0};

	buf_slice(&url, buf_get(&s->realm));
	if (s->has_credentials && s->credentials.is_token) {
		add_parameter(&form, "grant_type", "refresh_token");
		add_parameter(&form, "client_id", "unblend");
		add_parameter(&form, "refresh_token", s->credentials.secret);
		add_parameter(&form, "service", buf_text(&s->service));
		add_parameter(&form, "scope", buf_text(&s->scope));
		t.form = buf_text(&form);
	} else {
		buf_char(&url, strchr(buf_text(&s->realm), '?') ? '&' : '?');
		add_subject(s, &url);
		if (s->has_credentials) {
			add_parameter(&url, "account", s->credentials.user);
			auth_basic(&s->credentials, &basic);
			t.authorization = buf_text(&basic);
		}
	}
	t.url = buf_text(&url);
	if (http_get(s->http, &t, e) < 0)
		return -1;
	if (t.status == 400 || t.status == 401 || t.status == 403)
		return not_opened(s, e);
	if (t.status != 200)
		return session_refused(s, &t, "token", e);
	return read_token(s, &t, e);
}

int
session_authorization(struct session *s, char **out, struct err *e)
{
	*out = NULL;
	if (s->authorization && s->expires_ms &&
		clock_mono_ms() >= s->expires_ms && get_token(s, e) < 0)
		return -1;
	if (s->authorization)
		*out = xstrdup(s->authorization);
	return 0;
}

/* Take what a Bearer challenge asks for. */
static void
remember(struct session *s, const struct challenge *c)
{
	buf_clear(&s->realm);
	buf_clear(&s->service);
	buf_clear(&s->scope);
	buf_slice(&s->realm, buf_get(&c->realm));
	buf_slice(&s->service, buf_get(&c->service));
	buf_slice(&s->scope, buf_get(&c->scope));
}

int
session_authorize(
	struct session *s, const struct http_transfer *t, struct err *e)
{
	struct slice at = buf_get(&t->challenges);
	bool has_basic = false, has_bearer = false;
	CLEANUP(buf_fini)
	struct buf others = {0};
	struct challenge c;

	/* Another transfer got a new one meanwhile. */
	if (s->authorization && t->authorization &&
		strcmp(s->authorization, t->authorization) != 0)
		return 0;
	if (look_for_credentials(s, e) < 0)
		return -1;
	while (challenge_next(&at, &c) == 1) {
		if (strcmp(buf_text(&c.scheme), "basic") == 0) {
			has_basic = true;
		} else if (strcmp(buf_text(&c.scheme), "bearer") == 0 &&
			c.realm.n && !has_bearer) {
			has_bearer = true;
			remember(s, &c);
		} else {
			buf_char(&others, ' ');
			text_clean(&others, buf_get(&c.scheme), TEXT_ONE_LINE);
		}
		challenge_fini(&c);
	}
	if (has_bearer)
		return get_token(s, e);
	if (has_basic)
		return use_basic(s, e);
	return err_code(e, ERR_ABSENT, EACCES,
		"%s wants credentials of no kind that is known here "
		"(Basic, Bearer):%.60s",
		s->r->host, others.n ? buf_text(&others) : " none named");
}

/* The first of {"errors": [{"code", "message"}]}. */
static void
add_message(const struct http_transfer *t, struct buf *out)
{
	struct err ignored;
	CLEANUP(own_jdoc)
	struct jdoc *doc = jdoc_parse(buf_get(&t->body), &ignored);
	const struct jdoc *first = jdoc_at(jdoc_get(doc, "errors"), 0);
	struct slice message = jdoc_str(jdoc_get(first, "message"));

	if (!message.n)
		return;
	if (message.n > 80)
		message.n = 80;
	buf_str(out, ": ");
	text_clean(out, message, TEXT_ONE_LINE);
}

int
session_refused(const struct session *s, const struct http_transfer *t,
	const char *of, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf said = {0};

	add_message(t, &said);
	if (t->status == 401)
		return not_opened(s, e);
	if (t->status == 403)
		return err_code(e, ERR_ABSENT, EACCES, "%s forbids this %s%s",
			s->r->host, of, buf_text(&said));
	if (t->status == 404)
		return err_set(e, ERR_ABSENT, "%s has no such %s%s", s->r->host,
			of, buf_text(&said));
	return err_set(e, ERR_TRANSIENT, "%s answers %ld on this %s%s",
		s->r->host, t->status, of, buf_text(&said));
}

/* ---- asking ---- */

int
session_get(struct session *s, const char *last, const char *accept,
	struct http_transfer *t, struct err *e)
{
	const char *const headers[] = {accept, NULL};
	unsigned refused = 0;

	for (;;) {
		CLEANUP(own_free)
		char *url = session_url(s, "manifests", last);
		CLEANUP(wipe)
		char *authorization = NULL;
		int result;

		if (session_authorization(s, &authorization, e) < 0)
			return -1;
		t->url = url;
		t->headers = headers;
		t->is_named = true;
		t->authorization = authorization;
		result = http_get(s->http, t, e);
		if (result == 0 && t->status == 401 &&
			refused++ < SESSION_REFUSED_MAX)
			result = session_authorize(s, t, e) < 0 ? -1 : 1;
		t->url = t->authorization = NULL;
		t->headers = NULL;
		if (result < 0 && t->is_tls_refused && !s->is_plain) {
			set_base(s, true);
			result = 1;
		}
		if (result <= 0)
			return result;
	}
}
