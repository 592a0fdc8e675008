/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_FETCH_AUTH_H
#define UB_FETCH_AUTH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * The user's credentials for registries, where podman, skopeo and docker keep
 * them (containers-auth.json(5)), and the words in which a registry asks for
 * them (RFC 9110 section 11, distribution's spec/auth/token.md).
 */

/* What the environment says; strings are borrowed, NULL where unset. */
struct auth_env {
	const char
		*registry_auth_file; /* REGISTRY_AUTH_FILE: this file alone */
	const char *runtime_dir;     /* XDG_RUNTIME_DIR */
	const char *config_home;     /* XDG_CONFIG_HOME */
	const char *docker_config;   /* DOCKER_CONFIG, a folder */
	const char *home;            /* HOME */
	unsigned uid; /* of /run/containers/UID, where runtime_dir is unset */
};
/* That of this process. */
void auth_env_get(struct auth_env *env);

/* Ended by credentials_fini, which leaves no secret in memory. */
struct credentials {
	char *user;
	char *secret;
	bool is_token; /* the secret is an identity (refresh) token; no user */
	char *origin;  /* file or helper that it is from, for messages */
};
void credentials_fini(struct credentials *c);

/*
 * Look for credentials of HOST/REPOSITORY: in each file in turn, by its
 * credHelpers and credsStore (docker-credential-NAME is run), then by its
 * auths, the longest key that is a prefix of the name first.  Returns 1 when
 * found, 0 when there are none.  ERR_HOST when a file or helper is broken: the
 * text never holds a secret.
 */
int
auth_find(const struct auth_env *env, const char *host, const char *repository,
	struct credentials *out, struct err *e) NODISCARD;

/* One challenge of a WWW-Authenticate header. */
struct challenge {
	struct buf scheme; /* lower case: "basic", "bearer" */
	struct buf realm, service, scope;
};
void challenge_fini(struct challenge *c);
/*
 * Read a header's value from *at on, a challenge a call: 1 and *at moved behind
 * it, 0 at the end or where it is malformed.
 */
int challenge_next(struct slice *at, struct challenge *out);

/* Append "Basic BASE64(user:secret)". */
void auth_basic(const struct credentials *c, struct buf *out);

/* RFC 4648 section 4.  Decoding takes "=" or not at the end; false when it is
 * no base64, nothing is appended then. */
void base64_encode(struct slice s, struct buf *out);
bool base64_decode(struct slice s, struct buf *out);

#endif
