/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/doctor.h"

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/child.h"
#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/rebuild.h"
#include "rebuild/task.h"

enum {
	ASK_MS = 30 * 1000,   /* for a program to say its version */
	DAEMON_MS = 5 * 1000, /* for the daemon to say hello */
	OUTPUT_BYTES = 16384
};

/* Free bytes below which a rebuild of ordinary size is likely to fail. */
static const uint64_t store_bytes = UINT64_C(4) << 30;
static const uint64_t cache_bytes = UINT64_C(1) << 30;

#define DAEMON_SOCKET SANDBOX_STATE "/daemon-socket/socket"

/* Who is told. */
struct doctor {
	const struct rebuild_options *o;
	void (*f)(void *arg, const char *name, bool ok, const char *found,
		const char *remedy);
	void *arg;
};

static void
tell(const struct doctor *d, const char *name, bool ok, const char *found,
	const char *remedy)
{
	d->f(d->arg, name, ok, found, ok ? NULL : remedy);
}

/* Run a program and take the first line it prints; false when it fails. */
static bool
first_line(const char *const *argv, struct arena *a, const char **line)
{
	CLEANUP(buf_fini)
	struct buf out = {0};
	struct child_spec spec = {
		.argv = argv, .deadline_ms = ASK_MS, .out_cap = OUTPUT_BYTES};
	struct outcome o;
	struct err e = {0};

	*line = "it is not there";
	if (child_run(&spec, &out, NULL, NULL, &o, &e) < 0)
		return false;
	*line = classify_last_lines(a,
		(struct slice){buf_text(&out), strcspn(buf_text(&out), "\n")},
		1);
	if (!*line)
		*line = "it prints nothing";
	return o.end == CHILD_EXITED && o.code == 0;
}

static void
check_guix(const struct doctor *d, struct arena *a)
{
	CLEANUP(own_free)
	char *guix = task_find_guix(d->o->guix);
	const char *line = "there is no guix on PATH";
	bool ok = false;

	if (guix)
		ok = first_line((const char *const[]){guix, "--version", NULL},
			a, &line);
	tell(d, "guix", ok && guix_version(a, slice_of(line)), line,
		"Install GNU Guix: https://guix.gnu.org/manual/en/html_node/"
		"Installation.html");
}

/*
 * The daemon greets whoever greets it (guix/store.scm, open-connection):
 * connecting alone proves nothing where systemd listens in its place.
 */
static bool
greet(int fd)
{
	static const unsigned char hello[8] = {'c', 'x', 'i', 'n'};
	static const unsigned char answer[8] = {'o', 'i', 'x', 'd'};
	unsigned char got[8];
	size_t n = 0;

	if (send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello))
		return false;
	while (n < sizeof(got)) {
		struct pollfd p = {fd, POLLIN, 0};
		ssize_t more;

		if (poll(&p, 1, DAEMON_MS) <= 0)
			return false;
		more = read(fd, got + n, sizeof(got) - n);
		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	return memcmp(got, answer, sizeof(got)) == 0;
}

static void
check_daemon(const struct doctor *d)
{
	const char *path = getenv("GUIX_DAEMON_SOCKET");
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	CLEANUP(own_fd)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLEANUP(buf_fini)
	struct buf found = {0};
	CLEANUP(buf_fini)
	struct buf builds = {0};
	bool ok = false;

	if (!path || !*path)
		path = DAEMON_SOCKET;
	if (strncmp(path, "file://", 7) == 0)
		path += 7;
	if (*path != '/' || strlen(path) >= sizeof(at.sun_path)) {
		buf_printf(&found, "%s: this is no socket file", path);
	} else {
		memcpy(at.sun_path, path, strlen(path) + 1);
		if (fd < 0 ||
			connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
			buf_printf(&found, "%s: %s", path, strerror(errno));
		} else {
			ok = greet(fd);
			doctor_builds(fd, &builds);
			buf_printf(&found, "%s: %s", path,
				ok ? "it answers" : "it does not answer");
		}
	}
	tell(d, "daemon", ok, buf_text(&found),
		"Start guix-daemon: systemctl start guix-daemon, or as root "
		"guix-daemon --build-users-group=guixbuild");
	if (ok)
		tell(d, "builds", true, buf_text(&builds), NULL);
}

static void
check_limits(const struct doctor *d)
{
	CLEANUP(buf_fini)
	struct buf found = {0};

	doctor_limits(&found);
	tell(d, "limits", true, buf_text(&found), NULL);
}

/* What `cmd' in a sandbox that shows all and hides nothing says. */
static bool
in_sandbox(const char *const *cmd, struct buf *out, struct arena *a,
	const char **found)
{
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct sandbox s = {.dir = "/"};
	struct child_spec spec = {.deadline_ms = ASK_MS,
		.out_cap = OUTPUT_BYTES,
		.log_cap = OUTPUT_BYTES};
	struct outcome o;
	struct err e = {0};
	bool has_run;
	int code;

	s.env[s.n_env++] = "PATH";
	s.env[s.n_env++] = "/usr/bin:/bin:/run/current-system/profile/bin";
	if (sandbox_run(&s, cmd, spec, out, &log, NULL, &o, &has_run, &code,
		    &e) < 0) {
		*found = arena_copy(a, e.text, strlen(e.text));
		return false;
	}
	*found = classify_last_lines(a, buf_get(&log), 1);
	if (has_run && code == 0)
		*found = "it runs programs";
	else if (!*found)
		*found = "it does not run a program";
	return has_run && code == 0;
}

static void
check_sandbox(const struct doctor *d, struct arena *a)
{
	CLEANUP(buf_fini)
	struct buf out = {0};
	const char *found;
	bool ok = in_sandbox(
		(const char *const[]){"true", NULL}, &out, a, &found);
	unsigned n = 0;

	tell(d, "bwrap", ok, found,
		geteuid() == 0
			? "Install bubblewrap; in a container, allow it to "
			  "make namespaces."
			: "Install bubblewrap, and allow user namespaces: "
			  "sysctl kernel.unprivileged_userns_clone=1 "
			  "user.max_user_namespaces=10000 (or AppArmor's "
			  "profile for bwrap).");
	if (!ok)
		return;
	buf_clear(&out);
	ok = in_sandbox(
		(const char *const[]){"cat", "/proc/self/net/dev", NULL}, &out,
		a, &found);
	/* Two lines of titles, then "  lo: ...". */
	for (const char *p = buf_text(&out); (p = strchr(p, ':')); p++)
		n++;
	tell(d, "no network", ok && n == 1,
		!ok              ? found
			: n == 1 ? "the sandbox has the loopback alone"
				 : "the sandbox sees network interfaces",
		"The kernel must have network namespaces (CONFIG_NET_NS).");
}

static void
check_git(const struct doctor *d, struct arena *a)
{
	const char *line;
	bool ok = first_line(
		(const char *const[]){"git", "--version", NULL}, a, &line);

	tell(d, "git", ok, line, "Install git.");
}

static void
check_disk(const struct doctor *d, const char *name, const char *path,
	uint64_t least)
{
	CLEANUP(own_free)
	char *at = xstrdup(path);
	CLEANUP(buf_fini)
	struct buf found = {0};
	struct statvfs v;
	uint64_t free_bytes;

	/* A cache that is not there yet will be on the disk of its parent. */
	while (!path_exists(at) && strcmp(at, "/") != 0 &&
		strcmp(at, ".") != 0) {
		char *up = path_dir(at);

		free(at);
		at = up;
	}
	if (statvfs(at, &v) < 0) {
		buf_printf(&found, "%s: %s", path, strerror(errno));
		tell(d, name, false, buf_text(&found), NULL);
		return;
	}
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	buf_printf(&found, "%s: %" PRIu64 " MiB free, %" PRIu64 " asked for",
		path, free_bytes >> 20, least >> 20);
	tell(d, name, free_bytes >= least, buf_text(&found),
		"Free space: guix gc -F 10G, or another --cache.");
}

int
rebuild_doctor(const struct rebuild_options *o,
	void (*f)(void *arg, const char *name, bool ok, const char *found,
		const char *remedy),
	void *arg, struct err *e)
{
	CLEANUP(arena_fini)
	struct arena a = {0};
	struct doctor d = {o, f, arg};

	(void)e;
	check_guix(&d, &a);
	check_daemon(&d);
	check_sandbox(&d, &a);
	check_git(&d, &a);
	check_limits(&d);
	check_disk(&d, "store", "/gnu/store", store_bytes);
	if (o->cache)
		check_disk(&d, "cache", o->cache, cache_bytes);
	return 0;
}
