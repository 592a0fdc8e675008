/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rebuild/bound.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/orphans.h"
#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/task.h"

enum {
	START_MS = 30 * 1000, /* for a daemon to answer */
	LOOK_MS = 10,         /* whether it does */
	END_MS = 5 * 1000,    /* for it to end */
	DAEMON_WORDS = 64,
	DAEMON_LOG = 16 << 10,
	SETTLE_MS = 1500, /* for who is hit by a limit to say so itself */
	UNDER_WAY = 64    /* builds at a time that are looked for */
};

#define BUILDS "unblend-builds-"
#define BUILDS_LINK "builds"

/* ---- a daemon of the task's own ---- */

static bool
answers(const struct task *t)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	CLEANUP(own_fd)
	int dir = open(t->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(own_fd)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* The name of a socket is short, that of a folder need not be. */
	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/socket",
		dir);
	return dir >= 0 && fd >= 0 &&
		connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

/* "PROGRAM OPTION ...", without quoting, and where to listen. */
static const char *const *
daemon_command(struct task *t)
{
	CLEANUP(words_fini)
	struct words argv = {.arena = t->a};
	CLEANUP(own_free)
	char *listen = xasprintf("--listen=%s", t->bound.socket);

	for (const char *p = t->o->daemon; *p && argv.n < DAEMON_WORDS;) {
		size_t n = strcspn(p, " ");

		if (n)
			words_add(&argv, arena_copy(t->a, p, n));
		p += n + strspn(p + n, " ");
	}
	words_add(&argv, listen);
	return words_take(&argv);
}

/* Our environment, but for where it builds. */
static const char *const *
daemon_environment(struct task *t)
{
	CLEANUP(words_fini)
	struct words env = {.arena = t->a};
	CLEANUP(own_free)
	char *tmp = xasprintf("TMPDIR=%s", t->bound.builds);

	for (char **p = environ; *p; p++)
		if (strncmp(*p, "TMPDIR=", 7) != 0)
			words_add(&env, *p);
	words_add(&env, tmp);
	return words_take(&env);
}

/*
 * Where builds are, as with any guix-daemon: below TMPDIR, which is not where
 * our database is.  A link in work tells where, for bound_sweep.
 */
static int
make_builds(struct task *t, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	CLEANUP(own_free)
	char *path =
		xasprintf("%s/" BUILDS "XXXXXX", tmp && *tmp ? tmp : "/tmp");
	CLEANUP(own_free)
	char *link = path_join(t->work, BUILDS_LINK);

	bound_sweep(t->work);
	if (!mkdtemp(path))
		return err_sys(e, ERR_HOST, "%s", path);
	t->bound.builds = task_keep(t, path);
	if (symlink(path, link) < 0)
		return err_sys(e, ERR_HOST, "%s", link);
	return 0;
}

static int
no_daemon(struct task *t, const char *why)
{
	return task_end(t, REBUILD_NOT_TRIED, "no-daemon",
		task_text(t, "The guix-daemon of --daemon: %s", why),
		"Try by hand, as root, what --daemon names.");
}

static int
start_daemon(struct task *t, struct err *e)
{
	struct bound *b = &t->bound;
	struct child_spec spec = {
		.log_cap = DAEMON_LOG, .is_first_to_go = true};
	int64_t until = clock_mono_ms() + START_MS;

	b->socket = task_text(t, "%s/socket", t->work);
	unlink(b->socket);
	if (make_builds(t, e) < 0)
		return task_end_host(t, "host", e);
	orphans_adopt();
	spec.argv = daemon_command(t);
	spec.env = daemon_environment(t);
	if (child_start(&spec, &b->daemon, e) < 0)
		return no_daemon(t, e->text);
	b->has_daemon = true;
	while (!answers(t)) {
		if (child_step(&b->daemon)) {
			const char *said = classify_last_lines(
				t->a, buf_get(&b->daemon.log), 3);

			return no_daemon(t, said ? said : "it ended");
		}
		if (clock_mono_ms() > until || (t->o->stop && *t->o->stop))
			return no_daemon(t, "it does not answer");
		poll(NULL, 0, LOOK_MS);
	}
	return 1;
}

int
bound_open(struct task *t, struct err *e)
{
	struct bound *b = &t->bound;

	cgroup_mine("", &b->group);
	cgroup_read(&b->group, &b->before);
	return t->o->daemon ? start_daemon(t, e) : 1;
}

void
bound_close(struct task *t)
{
	struct bound *b = &t->bound;
	int64_t until = clock_mono_ms() + END_MS;

	if (b->has_daemon) {
		/* Its clients are gone: what it has for them is ended by it,
		 * and put in order, if it has the time. */
		while (orphans_has_child(b->daemon.pid) &&
			!child_step(&b->daemon) && clock_mono_ms() < until)
			poll(NULL, 0, LOOK_MS);
		child_stop(&b->daemon);
		while (!child_step(&b->daemon) && clock_mono_ms() < until)
			poll(NULL, 0, child_wait_ms(&b->daemon));
	}
	child_fini(&b->daemon);
	b->has_daemon = false;
	if (b->builds) {
		orphans_end(NULL, 0);
		bound_sweep(t->work);
		unlink(b->socket);
	}
	cgroup_fini(&b->group);
}

void
bound_sweep(const char *work)
{
	CLEANUP(own_free)
	char *link = path_join(work, BUILDS_LINK);
	char path[PATH_MAX];
	struct err e = {0};
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	const char *base;

	if (n <= 0)
		return;
	path[n] = '\0';
	base = strrchr(path, '/');
	/* A builder that is being killed may still write there: then the link
	 * stays for whoever sweeps next. */
	if (base && strncmp(base + 1, BUILDS, strlen(BUILDS)) == 0 &&
		path_remove(path, &e) == 0)
		unlink(link);
}

/* ---- what is used ---- */

/* Bytes on disk of all below path, as far as it can be looked at; more than cap
 * is not counted. */
static uint64_t
used_bytes(const char *path, uint64_t cap)
{
	/* fts changes neither the list nor the strings in it. */
	char *const paths[] = {(char *)(uintptr_t)path, NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	uint64_t used = 0;
	FTSENT *f;

	while (fts && used <= cap && (f = fts_read(fts)))
		if (f->fts_info != FTS_DP && f->fts_statp &&
			(f->fts_info == FTS_F || f->fts_info == FTS_D))
			used += (uint64_t)f->fts_statp->st_blocks * 512;
	if (fts)
		fts_close(fts);
	return used;
}

/* The store items under way: a builder's own store is in DRV.chroot. */
static size_t
under_way(struct arena *a, struct slice log, const char *found[UNDER_WAY])
{
	static const char begun[] = "building " GUIX_STORE;
	static const char done[] = "successfully built " GUIX_STORE;
	struct slice line;
	size_t n = 0;

	while (guix_log_line(&log, &line)) {
		bool is_begun = slice_starts(line, begun);
		const char *drv, *end;
		size_t k = 0;

		if (!is_begun && !slice_starts(line, done))
			continue;
		drv = memchr(line.p, '/', line.n);
		end = memmem(line.p, line.n, ".drv", 4);
		if (!end ||
			!guix_is_drv(
				(struct slice){drv, (size_t)(end + 4 - drv)}))
			continue;
		drv = arena_copy(a, drv, (size_t)(end + 4 - drv));
		while (k < n && strcmp(found[k], drv) != 0)
			k++;
		if (k == n && is_begun && n < UNDER_WAY)
			found[n++] = drv;
		else if (k < n && !is_begun)
			found[k] = found[--n];
	}
	return n;
}

const char *
bound_under_way(struct arena *a, struct slice log)
{
	const char *found[UNDER_WAY];
	size_t n = under_way(a, log, found);

	return n ? found[n - 1] : NULL;
}

static bool
is_disk_passed(const struct task *t, struct slice log)
{
	CLEANUP(arena_fini)
	struct arena a = {0};
	uint64_t cap = t->o->limits.disk_bytes, used;
	const char *found[UNDER_WAY];
	size_t n;

	if (!cap || !t->bound.builds)
		return false;
	used = used_bytes(t->bound.builds, cap);
	n = under_way(&a, log, found);
	for (size_t i = 0; i < n && used <= cap; i++) {
		CLEANUP(own_free)
		char *store = xasprintf("%s.chroot", found[i]);

		used += used_bytes(store, cap);
	}
	return used > cap;
}

/* Which limit was passed since the task began. */
static enum bound_limit
look(const struct task *t)
{
	const struct limits *l = &t->o->limits;
	const struct bound *b = &t->bound;
	struct cgroup_events now;

	cgroup_read(&b->group, &now);
	/* Without a limit of ours it was the machine's memory. */
	if (l->memory_bytes && now.killed > b->before.killed)
		return BOUND_MEMORY;
	if (l->processes && now.refused > b->before.refused)
		return BOUND_PROCESSES;
	return BOUND_NONE;
}

/* Where there is no group, only those that were refused something know. */
static enum bound_limit
look_at_class(const struct task *t, const char *class_)
{
	const struct limits *l = &t->o->limits;
	const struct cgroup *g = &t->bound.group;

	if (!t->o->daemon || !class_)
		return BOUND_NONE;
	if (l->memory_bytes && !cgroup_can(g, CGROUP_MEMORY) &&
		strcmp(class_, "out-of-memory") == 0)
		return BOUND_MEMORY;
	if (l->processes && !cgroup_can(g, CGROUP_PROCESSES) &&
		strcmp(class_, "out-of-processes") == 0)
		return BOUND_PROCESSES;
	return BOUND_NONE;
}

static bool
is_over(void *arg, struct slice log)
{
	struct task *t = arg;
	struct bound *b = &t->bound;

	/* What it says must be read, or it would wait for us. */
	if (b->has_daemon && child_step(&b->daemon))
		b->has_daemon = false;
	if (!b->passed) {
		b->passed = look(t);
		b->passed_ms = clock_mono_ms();
	}
	if (b->passed)
		return clock_mono_ms() - b->passed_ms >= SETTLE_MS;
	if (is_disk_passed(t, log))
		b->passed = BOUND_DISK;
	return b->passed != BOUND_NONE;
}

void
bound_command(struct task *t, struct child_spec *spec)
{
	const struct limits *l = &t->o->limits;
	const struct bound *b = &t->bound;

	if (l->said_bytes)
		spec->said_max =
			l->said_bytes > b->said ? l->said_bytes - b->said : 1;
	spec->is_over = is_over;
	spec->is_over_arg = t;
}

/* ---- what it means ---- */

static void
print_bytes(struct buf *out, uint64_t bytes)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	if (bytes < 1024 || bytes % 1024) {
		buf_printf(out, "%" PRIu64 " bytes", bytes);
		return;
	}
	for (bytes /= 1024; bytes % 1024 == 0 && unit + 2 < sizeof(units);
		bytes /= 1024)
		unit++;
	buf_printf(out, "%" PRIu64 " %ciB", bytes, units[unit]);
}

static void
end_passed(struct task *t, enum bound_limit limit, const char *drv,
	struct slice log)
{
	static const struct {
		const char *class_, *what, *option;
	} words[] = {
		[BOUND_MEMORY] = {"memory-limit", "needed more memory than",
			"--max-memory"},
		[BOUND_PROCESSES] = {"process-limit", "wanted more than",
			"--max-processes"},
		[BOUND_DISK] = {"disk-limit", "took more of the disk than",
			"--max-disk"},
		[BOUND_OUTPUT] = {"output-limit", "printed more than",
			"--max-output"},
	};
	const struct limits *l = &t->o->limits;
	CLEANUP(buf_fini)
	struct buf cause = {0};
	const char *lines = classify_last_lines(t->a, log, CLASSIFY_LINES);

	if (!drv)
		drv = bound_under_way(t->a, log);
	buf_printf(&cause, "The rebuild was ended, since it %s ",
		words[limit].what);
	if (limit == BOUND_PROCESSES)
		buf_printf(&cause, "%" PRIu64 " processes", l->processes);
	else
		print_bytes(&cause,
			limit == BOUND_MEMORY         ? l->memory_bytes
				: limit == BOUND_DISK ? l->disk_bytes
						      : l->said_bytes);
	buf_str(&cause, ", the limit of a job");
	if (drv)
		buf_printf(&cause, "; it was building %s", drv);
	buf_char(&cause, '.');
	if (drv)
		t->out->failed_drv = drv;
	if (!t->out->failed_lines)
		t->out->failed_lines = lines;
	task_end(t, REBUILD_NOT_TRIED, words[limit].class_, buf_text(&cause),
		task_text(t,
			"The limit is this machine's, so it says nothing of "
			"the image: give it more by %s.",
			words[limit].option));
}

bool
bound_is_passed(
	struct task *t, const char *class_, const char *drv, struct slice log)
{
	enum bound_limit passed = t->bound.passed;

	if (!passed)
		passed = look(t);
	if (!passed)
		passed = look_at_class(t, class_);
	if (passed)
		end_passed(t, passed, drv, log);
	return passed != BOUND_NONE;
}

int
bound_end_flood(struct task *t, struct slice log)
{
	end_passed(t, BOUND_OUTPUT, NULL, log);
	return 0;
}
