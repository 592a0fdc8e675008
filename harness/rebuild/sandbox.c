/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/sandbox.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/jdoc.h"
#include "base/path.h"

enum {
	STATUS_BYTES = 4096 /* of all that bwrap says of itself */
};

static void
add_all(struct words *w, const char *const *words)
{
	while (*words)
		words_add(w, *words++);
}

void
sandbox_argv(const struct sandbox *s, int status_fd, const char *const *cmd,
	struct words *argv)
{
	static const char *const begin[] = {"bwrap", "--unshare-all",
		"--die-with-parent", "--new-session", "--cap-drop", "ALL",
		"--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
		NULL};
	char fd[16];

	add_all(argv, begin);
	if (s->has_network)
		words_add(argv, "--share-net");
	for (size_t i = 0; i < s->n_hidden; i++) {
		words_add(argv, "--tmpfs");
		words_add(argv, s->hidden[i]);
	}
	for (size_t i = 0; i < s->n_binds; i++) {
		const struct sandbox_bind *b = &s->binds[i];

		words_add(argv, b->is_rw ? "--bind" : "--ro-bind");
		words_add(argv, b->from ? b->from : b->path);
		words_add(argv, b->path);
	}
	if (!s->keeps_env)
		words_add(argv, "--clearenv");
	for (size_t i = 0; !s->keeps_env && i + 1 < s->n_env; i += 2) {
		words_add(argv, "--setenv");
		words_add(argv, s->env[i]);
		words_add(argv, s->env[i + 1]);
	}
	if (s->dir) {
		words_add(argv, "--chdir");
		words_add(argv, s->dir);
	}
	if (status_fd > 0) {
		snprintf(fd, sizeof(fd), "%d", status_fd);
		words_add(argv, "--json-status-fd");
		words_add(argv, fd);
	}
	words_add(argv, "--");
	add_all(argv, cmd);
}

bool
sandbox_exit_code(struct slice json, int *code)
{
	/* One object a line: {"child-pid": N, ...}, then {"exit-code": N}. */
	while (json.n) {
		const char *end = memchr(json.p, '\n', json.n);
		size_t n = end ? (size_t)(end - json.p) : json.n;
		CLEANUP(own_jdoc)
		struct jdoc *v = NULL;
		struct err e = {0};

		v = jdoc_parse((struct slice){json.p, n}, &e);
		if (jdoc_type(jdoc_get(v, "exit-code")) == JDOC_INT) {
			*code = (int)jdoc_int(jdoc_get(v, "exit-code"), -1);
			return true;
		}
		n += end != NULL;
		json = (struct slice){json.p + n, json.n - n};
	}
	return false;
}

/* path is dir or below it. */
static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

static bool
is_hidden(const struct sandbox *s, const char *path)
{
	for (size_t i = 0; i < s->n_hidden; i++)
		if (is_below(path, s->hidden[i]))
			return true;
	return false;
}

/* An empty folder instead of this one, unless one of those that must be seen
 * (NULL-ended) is below it. */
static void
hide_unless(struct sandbox *s, const char *path, const char *const *seen)
{
	char real[PATH_MAX];
	struct stat st;

	if (!path || !realpath(path, real) || stat(real, &st) < 0 ||
		!S_ISDIR(st.st_mode) || is_hidden(s, real) ||
		s->n_hidden == SANDBOX_HIDDEN)
		return;
	for (; *seen; seen++)
		if (is_below(*seen, real))
			return;
	s->hidden[s->n_hidden++] = arena_copy(&s->arena, real, strlen(real));
}

static void
hide(struct sandbox *s, const char *path)
{
	static const char *const seen[] = {
		"/gnu/store", SANDBOX_STATE, "/usr", NULL};

	hide_unless(s, path, seen);
}

static void
show(struct sandbox *s, const char *path, const char *from, bool is_rw)
{
	if (s->n_binds < SANDBOX_BINDS)
		s->binds[s->n_binds++] =
			(struct sandbox_bind){path, from, is_rw};
}

static void
set(struct sandbox *s, const char *name, const char *value)
{
	if (!value || s->n_env + 2 > ARRAY_LEN(s->env))
		return;
	s->env[s->n_env++] = name;
	s->env[s->n_env++] = value;
}

static const char *
own_text(struct sandbox *s, char *text)
{
	const char *copy = arena_copy(&s->arena, text, strlen(text));

	free(text);
	return copy;
}

/* The user's name as Guix finds it (guix/config.scm, %profile-directory): we
 * set USER to it, so that there is only one way. */
static const char *
user_name(struct sandbox *s)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *name = pw ? pw->pw_name : getenv("USER");

	if (!name || !*name || strchr(name, '/'))
		name = "unblend";
	return arena_copy(&s->arena, name, strlen(name));
}

/* Names of sockets are short, and those of our folders need not be. */
static void
show_own_socket(struct sandbox *s, const char *socket)
{
	static const char seen[] = "/tmp/guix-daemon/socket";

	set(s, "GUIX_DAEMON_SOCKET", seen);
	show(s, seen, socket, false);
}

/* The daemon's socket must be seen; a network there is none. */
static int
show_socket(struct sandbox *s, struct err *e)
{
	const char *socket = getenv("GUIX_DAEMON_SOCKET");
	const char *path = socket;

	if (!socket || !*socket)
		return 0;
	if (strncmp(socket, "file://", 7) == 0)
		path = socket + 7;
	if (*path != '/')
		return err_set(e, ERR_HOST,
			"GUIX_DAEMON_SOCKET is %s: the sandbox has no network, "
			"only a socket file can be used",
			socket);
	if (!path_exists(path))
		return err_set(e, ERR_HOST,
			"%s: GUIX_DAEMON_SOCKET names no socket that is there",
			path);
	set(s, "GUIX_DAEMON_SOCKET", socket);
	if (is_hidden(s, path))
		show(s, path, NULL, false);
	return 0;
}

static void
set_environment(
	struct sandbox *s, const struct sandbox_places *p, const char *user)
{
	const char *path = getenv("PATH");
	char *dir = path_dir(p->guix);

	set(s, "PATH",
		own_text(s,
			xasprintf(
				"%s:%s", dir, path ? path : "/usr/bin:/bin")));
	free(dir);
	set(s, "HOME", p->home);
	set(s, "USER", user);
	set(s, "LOGNAME", user);
	set(s, "LC_ALL", "C.UTF-8");
	set(s, "TERM", "dumb");
	set(s, "GUIX_LOCPATH", getenv("GUIX_LOCPATH"));
	set(s, "GUIX_EXTENSIONS_PATH", getenv("GUIX_EXTENSIONS_PATH"));
}

int
sandbox_plan(struct sandbox *s, const struct sandbox_places *p, struct err *e)
{
	static const char *const folders[] = {"/tmp", "/var/tmp", "/run",
		"/home", "/root", "/media", "/mnt", SANDBOX_PROFILES};
	const char *user;

	*s = (struct sandbox){.dir = p->home};
	user = user_name(s);
	if (!path_exists(SANDBOX_PROFILES))
		return err_set(e, ERR_HOST,
			SANDBOX_PROFILES ": there is no such folder; the Guix "
					 "daemon makes it");
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		hide(s, folders[i]);
	hide(s, getenv("HOME"));
	/* On Guix System: where the programs and locales of PATH are. */
	if (path_exists("/run/current-system"))
		show(s, "/run/current-system", NULL, false);
	if (p->socket)
		show_own_socket(s, p->socket);
	else if (show_socket(s, e) < 0)
		return -1;
	show(s, p->mirrors, NULL, false);
	show(s, p->home, NULL, true);
	show(s, p->work, NULL, false);
	show(s, p->roots, NULL, true);
	show(s, own_text(s, xasprintf(SANDBOX_PROFILES "/%s", user)),
		p->profiles, true);
	set_environment(s, p, user);
	return 0;
}

/* Read-only what is there, and is hidden. */
static void
show_hidden(struct sandbox *s, const char *path)
{
	char real[PATH_MAX];

	if (path && realpath(path, real) && is_hidden(s, real))
		show(s, arena_copy(&s->arena, real, strlen(real)), NULL, false);
}

void
sandbox_plan_git(struct sandbox *s, const char *git, const char *mirror,
	const char *const *readable, bool has_network)
{
	static const char *const folders[] = {
		"/tmp", "/var/tmp", "/run", "/home", "/root", "/media", "/mnt"};
	static const char *const guix[] = {"/gnu/store", "/var/guix"};
	/* How names of hosts are found; a Guix System's programs. */
	static const char *const names[] = {"/etc/resolv.conf", "/run/nscd",
		"/run/systemd/resolve", "/run/current-system"};
	const char *const seen[] = {"/usr", "/etc", NULL};
	char *dir = path_dir(git);

	*s = (struct sandbox){
		.dir = mirror, .has_network = has_network, .keeps_env = true};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		hide_unless(s, folders[i], seen);
	hide_unless(s, getenv("HOME"), seen);
	for (size_t i = 0; i < ARRAY_LEN(guix); i++)
		if (!is_below(git, "/gnu/store"))
			hide_unless(s, guix[i], seen);
	for (size_t i = 0; has_network && i < ARRAY_LEN(names); i++)
		show_hidden(s, names[i]);
	show_hidden(s, dir);
	free(dir);
	for (; *readable; readable++)
		show_hidden(s, *readable);
	show(s, mirror, NULL, true);
}

void
sandbox_fini(struct sandbox *s)
{
	arena_fini(&s->arena);
	*s = (struct sandbox){0};
}

int
sandbox_run(const struct sandbox *s, const char *const *cmd,
	struct child_spec spec, struct buf *out, struct buf *log,
	const volatile int *stop, struct outcome *outcome, bool *has_run,
	int *code, struct err *e)
{
	CLEANUP(arena_fini)
	struct arena arena = {0};
	CLEANUP(words_fini)
	struct words argv = {.arena = &arena};
	char said[STATUS_BYTES];
	ssize_t n;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, ERR_HOST, "cannot make a pipe");
	sandbox_argv(s, fds[1], cmd, &argv);
	spec.argv = words_take(&argv);
	spec.pass_fd = fds[1];
	rc = child_run(&spec, out, log, stop, outcome, e);
	close(fds[1]);
	/* What it has said is in the pipe: less than one holds. */
	n = rc < 0 ? 0 : read(fds[0], said, sizeof(said));
	close(fds[0]);
	if (rc < 0)
		return -1;
	*has_run = sandbox_exit_code(
		(struct slice){said, n > 0 ? (size_t)n : 0}, code);
	return 0;
}
