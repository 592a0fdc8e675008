/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/auth.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/child.h"
#include "base/jdoc.h"
#include "base/path.h"

enum {
	FILE_BYTES_MAX = 1 << 20,
	HELPER_OUT_MAX = 64 << 10,
	HELPER_MS = 60000
};

/* The key that docker login writes for Docker's own registry. */
#define DOCKER_KEY "https://index.docker.io/v1/"

void
auth_env_get(struct auth_env *env)
{
	*env = (struct auth_env){
		.registry_auth_file = getenv("REGISTRY_AUTH_FILE"),
		.runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.config_home = getenv("XDG_CONFIG_HOME"),
		.docker_config = getenv("DOCKER_CONFIG"),
		.home = getenv("HOME"),
		.uid = (unsigned)getuid(),
	};
}

static void
wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void
credentials_fini(struct credentials *c)
{
	wipe(c->user);
	wipe(c->secret);
	free(c->origin);
	*c = (struct credentials){0};
}

static void
wipe_buf(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}

/* A header cannot carry them: refused, so that none can be slipped in. */
static bool
has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
			return true;
	return false;
}

static int
broken(const char *origin, const char *what, struct err *e)
{
	return err_set(e, ERR_HOST, "credentials in %.120s: %s", origin, what);
}

static int
take(struct slice user, struct slice secret, bool is_token, const char *origin,
	struct credentials *out, struct err *e)
{
	if (has_control(user) || has_control(secret))
		return broken(origin, "a control character in them", e);
	*out = (struct credentials){
		.user = xmemdup0(user.p ? user.p : "", user.n),
		.secret = xmemdup0(secret.p ? secret.p : "", secret.n),
		.is_token = is_token,
		.origin = xstrdup(origin),
	};
	return 1;
}

/* ---- credential helpers ---- */

static int
stdin_of(const char *text, struct err *e)
{
	int fd = memfd_create("server", MFD_CLOEXEC);
	ssize_t n = (ssize_t)strlen(text);

	if (fd < 0 || write(fd, text, (size_t)n) != n ||
		lseek(fd, 0, SEEK_SET) < 0) {
		own_fd(&fd);
		return err_sys(e, ERR_HOST, "memfd");
	}
	return fd;
}

static bool
is_helper_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] ||
			!strchr("abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
				s.p[i]))
			return false;
	return s.n > 0 && s.n <= 64;
}

/* What it said: {"ServerURL", "Username", "Secret"}. */
static int
read_helper(const char *program, struct slice said, struct credentials *out,
	struct err *e)
{
	struct err ignored;
	CLEANUP(own_jdoc)
	struct jdoc *doc = jdoc_parse(said, &ignored);
	struct slice user = jdoc_str(jdoc_get(doc, "Username"));
	struct slice secret = jdoc_str(jdoc_get(doc, "Secret"));

	if (!doc || !secret.p)
		return broken(program, "it printed no JSON with a Secret", e);
	if (!user.n && !secret.n)
		return 0;
	return take(user, secret, slice_is(user, "<token>"), program, out, e);
}

/* docker-credential-helpers: `get', the server's name on stdin. */
static int
ask_helper(struct slice name, const char *server, const char *file,
	struct credentials *out, struct err *e)
{
	CLEANUP(own_free)
	char *program = NULL;
	CLEANUP(wipe_buf)
	struct buf said = {0};
	CLEANUP(buf_fini)
	struct buf how = {0};
	CLEANUP(own_fd)
	int in = -1;
	const char *argv[] = {NULL, "get", NULL};
	struct child_spec spec = {.argv = argv,
		.deadline_ms = HELPER_MS,
		.out_cap = HELPER_OUT_MAX};
	struct outcome end;

	if (!is_helper_name(name))
		return broken(file, "no name of a credential helper", e);
	program = xasprintf("docker-credential-%.*s", SLICE_ARG(name));
	argv[0] = program;
	in = stdin_of(server, e);
	if (in < 0)
		return -1;
	spec.stdin_fd = in;
	if (child_run(&spec, &said, NULL, NULL, &end, e) < 0) {
		e->kind = ERR_HOST;
		return err_wrap(e, "%s, which %.100s names", program, file);
	}
	if (end.end == CHILD_EXITED && end.code == 0)
		return read_helper(program, buf_get(&said), out, e);
	if (end.end == CHILD_EXITED &&
		strstr(buf_text(&said), "credentials not found"))
		return 0;
	child_describe(&end, &how);
	return err_set(e, ERR_HOST, "%s, which %.100s names: %s", program, file,
		buf_text(&how));
}

/* ---- a file ---- */

struct wanted {
	const char *host, *repository;
	const char *server; /* what helpers and docker's file call the host */
};

static bool
is_docker_io(struct slice host)
{
	return slice_is(host, "docker.io") ||
		slice_is(host, "index.docker.io") ||
		slice_is(host, "registry-1.docker.io");
}

/* The host of a key as docker writes it: "https://HOST/v1/". */
static struct slice
key_host(struct slice key)
{
	const char *end;

	if (slice_starts(key, "https://"))
		key = (struct slice){key.p + 8, key.n - 8};
	else if (slice_starts(key, "http://"))
		key = (struct slice){key.p + 7, key.n - 7};
	else
		return (struct slice){0};
	end = memchr(key.p, '/', key.n);
	return (struct slice){key.p, end ? (size_t)(end - key.p) : key.n};
}

struct search {
	const struct wanted *w;
	const struct jdoc *found;
};

static int
by_host(void *arg, struct slice key, const struct jdoc *value)
{
	struct search *s = arg;
	struct slice host = key_host(key), want = slice_of(s->w->host);

	if (!host.p && is_docker_io(key))
		host = key;
	if (!host.p ||
		(!slice_eq(host, want) &&
			!(is_docker_io(host) && is_docker_io(want))))
		return 0;
	s->found = value;
	return 1;
}

/* HOST/A/B, HOST/A, HOST, then the keys with a scheme. */
static const struct jdoc *
find_auth(const struct jdoc *auths, const struct wanted *w)
{
	CLEANUP(own_free)
	char *key = xasprintf("%s/%s", w->host, w->repository);
	struct search s = {.w = w};
	char *slash;

	for (;;) {
		const struct jdoc *found = jdoc_get(auths, key);

		if (found)
			return found;
		slash = strrchr(key, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	jdoc_each(auths, by_host, &s);
	return s.found;
}

static int
read_auth(const struct jdoc *entry, const char *file, struct credentials *out,
	struct err *e)
{
	struct slice token = jdoc_str(jdoc_get(entry, "identitytoken"));
	struct slice packed = jdoc_str(jdoc_get(entry, "auth"));
	CLEANUP(wipe_buf)
	struct buf plain = {0};
	const char *colon;
	size_t n;

	if (token.n)
		return take((struct slice){0}, token, true, file, out, e);
	if (!packed.n)
		return 0;
	if (!base64_decode(packed, &plain) ||
		!(colon = memchr(buf_text(&plain), ':', plain.n)))
		return broken(file,
			"an `auth' that is not base64 of "
			"USER:PASSWORD",
			e);
	/* Docker's old clients padded the password by NULs. */
	for (n = plain.n; n > 0 && plain.p[n - 1] == '\0';)
		n--;
	return take((struct slice){plain.p, (size_t)(colon - plain.p)},
		(struct slice){colon + 1,
			n > (size_t)(colon + 1 - plain.p)
				? n - (size_t)(colon + 1 - plain.p)
				: 0},
		false, file, out, e);
}

static int
find_in_file(const char *file, bool is_bare, const struct wanted *w,
	struct credentials *out, struct err *e)
{
	CLEANUP(wipe_buf)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct slice helper, store;
	const struct jdoc *auths;
	int found;

	if (path_read(file, FILE_BYTES_MAX, &text, e) < 0) {
		if (e->kind == ERR_ABSENT)
			return 0;
		e->kind = ERR_HOST;
		return -1;
	}
	/* What jdoc_parse says of a mistake may hold a secret. */
	doc = jdoc_parse(buf_get(&text), e);
	if (!doc)
		return broken(file, "the file is no JSON", e);
	helper = jdoc_str(jdoc_get(jdoc_get(doc, "credHelpers"), w->host));
	store = jdoc_str(jdoc_get(doc, "credsStore"));
	if (is_bare)
		helper = store = (struct slice){0};
	if (helper.n || store.n) {
		found = ask_helper(
			helper.n ? helper : store, w->server, file, out, e);
		if (found)
			return found;
	}
	auths = find_auth(is_bare ? doc : jdoc_get(doc, "auths"), w);
	return auths ? read_auth(auths, file, out, e) : 0;
}

/* ---- all files ---- */

enum {
	FILES_MAX = 5
};

/* The files in their order; the last may be ~/.dockercfg (is_bare). */
static size_t
list_files(const struct auth_env *env, char *files[FILES_MAX], bool *is_bare)
{
	size_t n = 0;

	*is_bare = false;
	if (env->registry_auth_file && env->registry_auth_file[0]) {
		files[n++] = xstrdup(env->registry_auth_file);
		return n;
	}
	if (env->runtime_dir && env->runtime_dir[0])
		files[n++] =
			path_join(env->runtime_dir, "containers/auth.json");
	else
		files[n++] =
			xasprintf("/run/containers/%u/auth.json", env->uid);
	if (env->config_home && env->config_home[0])
		files[n++] =
			path_join(env->config_home, "containers/auth.json");
	else if (env->home && env->home[0])
		files[n++] =
			path_join(env->home, ".config/containers/auth.json");
	if (env->docker_config && env->docker_config[0])
		files[n++] = path_join(env->docker_config, "config.json");
	else if (env->home && env->home[0])
		files[n++] = path_join(env->home, ".docker/config.json");
	if (env->home && env->home[0]) {
		files[n++] = path_join(env->home, ".dockercfg");
		*is_bare = true;
	}
	return n;
}

int
auth_find(const struct auth_env *env, const char *host, const char *repository,
	struct credentials *out, struct err *e)
{
	const struct wanted w = {host, repository,
		is_docker_io(slice_of(host)) ? DOCKER_KEY : host};
	char *files[FILES_MAX];
	bool is_bare;
	size_t n = list_files(env, files, &is_bare);
	int found = 0;

	*out = (struct credentials){0};
	for (size_t i = 0; i < n && found == 0; i++)
		found = find_in_file(
			files[i], is_bare && i + 1 == n, &w, out, e);
	for (size_t i = 0; i < n; i++)
		free(files[i]);
	return found;
}
