/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/child.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
	GRACE_MS = 2000, /* child_spec.grace_ms when 0 */
	LOOK_MS = 100,   /* a child that left its pipes to others is seen so */
	ASK_MS = 500,    /* whether it is over a limit, at most so often, */
	ASK_SHARE = 20,  /* and at most this part of all time */
	REAP_MS = 5,     /* both pipes closed: it is about to end */
	READ_BYTES = 1 << 16,
	READS_MAX = 32 /* a pipe a step: a flood must not starve the rest */
};

/* What the forked process could not do, told through a pipe. */
struct report {
	enum {
		STEP_SIGNALS,
		STEP_FDS,
		STEP_LIMITS,
		STEP_DIR,
		STEP_EXEC,
		STEP_ORPHAN
	} step;
	int sys;
};

static void
limit(int resource, uint64_t max, bool *is_ok)
{
	struct rlimit r;

	if (!max)
		return;
	/* What we have ourselves may be less, and cannot be made more. */
	if (getrlimit(resource, &r) < 0) {
		*is_ok = false;
		return;
	}
	if (r.rlim_max > max)
		r.rlim_max = max;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(resource, &r) < 0)
		*is_ok = false;
}

/*
 * The signals of the new process: every disposition at its default.  exec
 * resets handlers only; ignored ones are inherited, and an ignored SIGCHLD
 * makes bwrap 0.8 wait for ever.
 */
static bool
reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP &&
			sigaction(sig, &dfl, NULL) < 0 && errno != EINVAL)
			return false;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/*
 * On n of the processors that we may run on, from one on that differs from
 * process to process.  It is no limit where there are no more.
 */
static bool
take_processors(uint64_t n)
{
	cpu_set_t have, take;
	int count, at;

	if (!n || sched_getaffinity(0, sizeof(have), &have) < 0)
		return true;
	count = CPU_COUNT(&have);
	if (n >= (uint64_t)count)
		return true;
	CPU_ZERO(&take);
	at = (int)((uint64_t)getpid() * n % (uint64_t)count);
	for (int i = 0, seen = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &have) &&
			(uint64_t)((seen++ - at + count) % count) < n)
			CPU_SET(i, &take);
	return sched_setaffinity(0, sizeof(take), &take) == 0;
}

static void
go_first(void)
{
	static const char much[] = "500";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* A wish: it runs without, too. */
	if (fd >= 0 && write(fd, much, sizeof(much) - 1) > 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

/* 0, 1 and 2 are set, all others are closed by exec but pass_fd. */
static bool
arrange_fds(const struct child_spec *s, int in, int out, int log)
{
	/* Out of the way first: a parent may have started without 0, 1, 2. */
	if ((in = fcntl(in, F_DUPFD_CLOEXEC, 3)) < 0 ||
		(out = fcntl(out, F_DUPFD_CLOEXEC, 3)) < 0 ||
		(log = fcntl(log, F_DUPFD_CLOEXEC, 3)) < 0 || dup2(in, 0) < 0 ||
		dup2(out, 1) < 0 || dup2(log, 2) < 0)
		return false;
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	return s->pass_fd <= 2 || fcntl(s->pass_fd, F_SETFD, 0) == 0;
}

static _Noreturn void
fail(int fd, struct report r)
{
	r.sys = errno;
	/* Nobody is left to be told where this fails. */
	if (write(fd, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

/* The forked process: becomes the program or ends. */
static _Noreturn void
become(const struct child_spec *s, pid_t parent, int in, int out, int log,
	int report)
{
	bool is_ok = true;

	setpgid(0, 0);
	if ((report = fcntl(report, F_DUPFD_CLOEXEC, 3)) < 0)
		_exit(127);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		fail(report, (struct report){STEP_ORPHAN, 0});
	if (!reset_signals())
		fail(report, (struct report){STEP_SIGNALS, 0});
	if (!arrange_fds(s, in, out, log))
		fail(report, (struct report){STEP_FDS, 0});
	limit(RLIMIT_AS, s->memory_max, &is_ok);
	limit(RLIMIT_FSIZE, s->file_max, &is_ok);
	limit(RLIMIT_NPROC, s->process_max, &is_ok);
	if (s->is_first_to_go)
		go_first();
	if (!is_ok || (s->group && !cgroup_enter(s->group)) ||
		!take_processors(s->cpus))
		fail(report, (struct report){STEP_LIMITS, 0});
	if (s->dir && chdir(s->dir) < 0)
		fail(report, (struct report){STEP_DIR, 0});
	/* exec does not change the strings: C's types cannot say so. */
	if (s->env)
		execvpe(s->argv[0], (char *const *)(uintptr_t)s->argv,
			(char *const *)(uintptr_t)s->env);
	else
		execvp(s->argv[0], (char *const *)(uintptr_t)s->argv);
	fail(report, (struct report){STEP_EXEC, 0});
}

static int
start_failed(const struct child_spec *s, struct report r, struct err *e)
{
	errno = r.sys;
	switch (r.step) {
	case STEP_EXEC:
		if (r.sys == ENOENT || r.sys == EACCES || r.sys == ENOTDIR)
			return err_sys(
				e, ERR_ABSENT, "%s: cannot be run", s->argv[0]);
		return err_sys(e, ERR_HOST, "%s: cannot be run", s->argv[0]);
	case STEP_DIR:
		return err_sys(e, ERR_HOST, "%s: cannot enter the folder %s",
			s->argv[0], s->dir);
	case STEP_LIMITS:
		return err_sys(
			e, ERR_HOST, "%s: cannot set its limits", s->argv[0]);
	case STEP_SIGNALS:
	case STEP_FDS:
	case STEP_ORPHAN:
		break;
	}
	return err_sys(e, ERR_HOST, "%s: cannot be started", s->argv[0]);
}

static void
close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		own_fd(&fds[i]);
}

static int
forked(const struct child_spec *spec, const int fds[7], pid_t *pid)
{
	sigset_t all, old;
	pid_t parent = getpid();

	/* No handler of ours may run in the new process. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	*pid = fork();
	if (*pid == 0)
		become(spec, parent, fds[0], fds[2], fds[4], fds[6]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return *pid < 0 ? -1 : 0;
}

int
child_start(const struct child_spec *spec, struct child *c, struct err *e)
{
	/* in, out r/w, log r/w, report r/w */
	int fds[7] = {-1, -1, -1, -1, -1, -1, -1};
	struct sigaction chld;
	struct report r;
	ssize_t got;
	int sys;

	*c = (struct child){.spec = *spec, .out_fd = -1, .log_fd = -1};
	/* Inherited so by some parents: then no status would ever be told. */
	if (sigaction(SIGCHLD, NULL, &chld) == 0 &&
		(chld.sa_handler == SIG_IGN || chld.sa_flags & SA_NOCLDWAIT)) {
		chld = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(SIGCHLD, &chld, NULL);
	}
	fds[0] = spec->stdin_fd > 0 ? fcntl(spec->stdin_fd, F_DUPFD_CLOEXEC, 3)
				    : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fds[0] < 0 || pipe2(fds + 1, O_CLOEXEC) < 0 ||
		pipe2(fds + 3, O_CLOEXEC) < 0 ||
		pipe2(fds + 5, O_CLOEXEC) < 0 ||
		fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ||
		fcntl(fds[3], F_SETFL, O_NONBLOCK) < 0 ||
		forked(spec, fds, &c->pid) < 0) {
		sys = errno;
		close_all(fds, ARRAY_LEN(fds));
		c->pid = 0;
		errno = sys;
		return err_sys(
			e, ERR_HOST, "%s: cannot start a process", *spec->argv);
	}
	setpgid(c->pid, c->pid);
	own_fd(&fds[0]);
	own_fd(&fds[2]);
	own_fd(&fds[4]);
	own_fd(&fds[6]);
	do
		got = read(fds[5], &r, sizeof(r));
	while (got < 0 && errno == EINTR);
	own_fd(&fds[5]);
	c->out_fd = fds[1];
	c->log_fd = fds[3];
	if (got == (ssize_t)sizeof(r)) {
		child_fini(c);
		return start_failed(spec, r, e);
	}
	c->started_ms = c->heard_ms = clock_mono_ms();
	return 0;
}

static void
keep_out(struct child *c, const char *p, size_t n)
{
	size_t room =
		c->spec.out_cap > c->out.n ? c->spec.out_cap - c->out.n : 0;

	if (n > room)
		c->outcome.is_out_cut = true;
	buf_add(&c->out, p, n < room ? n : room);
	c->out_seen += n;
}

/*
 * Of the log, the first half of log_cap stays, and what follows is a window
 * over the last bytes; it is moved only when half of log_cap has gathered
 * behind it, so that each byte is moved at most once or twice.
 */
static void
trim_log(struct child *c, size_t slack)
{
	size_t head = c->spec.log_cap / 2, tail = c->spec.log_cap - head;

	if (c->log.n <= c->spec.log_cap + slack)
		return;
	memmove(c->log.p + head, c->log.p + c->log.n - tail, tail);
	c->log.n = c->spec.log_cap;
	c->log.p[c->log.n] = '\0';
	c->outcome.is_log_cut = true;
}

static void
keep_log(struct child *c, const char *p, size_t n)
{
	size_t room = c->spec.log_cap > c->log_seen
		? c->spec.log_cap - c->log_seen
		: 0;

	if (room > n)
		room = n;
	/* A copy for people: the log itself is in memory. */
	for (size_t put = 0; c->spec.log_fd > 0 && put < room;) {
		ssize_t n_put = write(c->spec.log_fd, p + put, room - put);

		if (n_put <= 0)
			break;
		put += (size_t)n_put;
	}
	if (!c->spec.log_cap) {
		c->outcome.is_log_cut = true;
		return;
	}
	buf_add(&c->log, p, n);
	c->log_seen += n;
	trim_log(c, c->spec.log_cap / 2 + READ_BYTES);
}

/* Say, where head and tail meet, how much is not there. */
static void
finish_log(struct child *c)
{
	CLEANUP(buf_fini)
	struct buf whole = {0};
	size_t head = c->spec.log_cap / 2;

	trim_log(c, 0);
	if (!c->outcome.is_log_cut || !c->spec.log_cap)
		return;
	buf_add(&whole, c->log.p, head);
	buf_printf(&whole, "\n[%zu bytes left out]\n",
		c->log_seen - c->spec.log_cap);
	buf_add(&whole, c->log.p + head, c->log.n - head);
	buf_fini(&c->log);
	c->log = whole;
	whole = (struct buf){0};
}

/* Returns true when the pipe is at its end (and closed). */
static bool
drain(struct child *c, int *fd,
	void (*keep)(struct child *c, const char *p, size_t n))
{
	char bytes[READ_BYTES];

	for (int i = 0; i < READS_MAX && *fd >= 0; i++) {
		ssize_t n = read(*fd, bytes, sizeof(bytes));

		if (n > 0) {
			keep(c, bytes, (size_t)n);
			c->outcome.said += (uint64_t)n;
			c->heard_ms = clock_mono_ms();
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && errno == EAGAIN) {
			return false;
		} else {
			close(*fd);
			*fd = -1;
		}
	}
	return *fd < 0;
}

static int64_t
grace_ms(const struct child *c)
{
	return c->spec.grace_ms ? c->spec.grace_ms : GRACE_MS;
}

static void
ask_to_end(struct child *c, enum child_end why, int64_t limit_ms)
{
	if (c->is_stopping || c->is_reaped || c->pid <= 0)
		return;
	c->is_stopping = true;
	c->killed_ms = clock_mono_ms();
	c->outcome.end = why;
	c->outcome.limit_ms = limit_ms;
	kill(-c->pid, SIGTERM);
}

void
child_stop(struct child *c)
{
	ask_to_end(c, CHILD_STOPPED, 0);
}

static void
note_status(struct child *c, int status)
{
	if (c->is_stopping)
		return;
	if (WIFEXITED(status)) {
		c->outcome.end = CHILD_EXITED;
		c->outcome.code = WEXITSTATUS(status);
	} else {
		c->outcome.end = CHILD_SIGNALLED;
		c->outcome.code = WTERMSIG(status);
	}
}

/* When the leader has ended, end its group and take the leader's status. */
static void
reap(struct child *c)
{
	siginfo_t info = {0};
	int status = 0;

	/* Not taken yet: while it is a zombie, its number, and so that of the
	 * group, cannot be given to another process. */
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) <
			0 ||
		info.si_pid != c->pid)
		return;
	kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->is_reaped = true;
	c->outcome.elapsed_ms = clock_mono_ms() - c->started_ms;
	note_status(c, status);
	/* From here on: how long others may hold the pipes. */
	c->killed_ms = clock_mono_ms();
}

/* Whoever is asked may need time for the answer. */
static bool
is_over(struct child *c, int64_t now)
{
	const struct child_spec *s = &c->spec;
	int64_t share = c->asking_ms * ASK_SHARE;
	bool is;

	if (!s->is_over ||
		now - c->asked_ms < (share > ASK_MS ? share : ASK_MS))
		return false;
	is = s->is_over(s->is_over_arg, buf_get(&c->log));
	c->asked_ms = clock_mono_ms();
	c->asking_ms = c->asked_ms - now;
	return is;
}

static void
watch_clocks(struct child *c, int64_t now)
{
	const struct child_spec *s = &c->spec;

	if (c->is_stopping) {
		if (now - c->killed_ms >= grace_ms(c))
			kill(-c->pid, SIGKILL);
		return;
	}
	if (s->deadline_ms && now - c->started_ms >= s->deadline_ms)
		ask_to_end(c, CHILD_DEADLINE, s->deadline_ms);
	else if (s->silence_ms && now - c->heard_ms >= s->silence_ms)
		ask_to_end(c, CHILD_SILENT, s->silence_ms);
	else if (s->said_max && c->outcome.said > s->said_max)
		ask_to_end(c, CHILD_FLOOD, 0);
	else if (is_over(c, now))
		ask_to_end(c, CHILD_OVER, 0);
}

int
child_step(struct child *c)
{
	bool is_read;

	if (c->pid <= 0)
		return 1;
	/* In this order: what is in a pipe at its end is all there will be, and
	 * what was said counts before silence does. */
	if (!c->is_reaped)
		reap(c);
	is_read = drain(c, &c->out_fd, keep_out);
	is_read = drain(c, &c->log_fd, keep_log) && is_read;
	if (!c->is_reaped) {
		watch_clocks(c, clock_mono_ms());
		return 0;
	}
	/* One that left the group may keep the pipes open for ever. */
	if (!is_read && clock_mono_ms() - c->killed_ms < grace_ms(c))
		return 0;
	own_fd(&c->out_fd);
	own_fd(&c->log_fd);
	c->out_fd = c->log_fd = -1;
	c->pid = 0;
	finish_log(c);
	return 1;
}

static void
sooner(int64_t *wait, int64_t at, int64_t now)
{
	int64_t left = at > now ? at - now : 0;

	if (left < *wait)
		*wait = left;
}

int
child_wait_ms(const struct child *c)
{
	const struct child_spec *s = &c->spec;
	int64_t now = clock_mono_ms(), wait = LOOK_MS;

	if (c->pid <= 0)
		return 0;
	if (c->is_reaped || (c->out_fd < 0 && c->log_fd < 0))
		return REAP_MS;
	if (c->is_stopping) {
		sooner(&wait, c->killed_ms + grace_ms(c), now);
		return wait ? (int)wait : REAP_MS;
	}
	if (s->deadline_ms)
		sooner(&wait, c->started_ms + s->deadline_ms, now);
	if (s->silence_ms)
		sooner(&wait, c->heard_ms + s->silence_ms, now);
	return (int)wait;
}

void
child_fini(struct child *c)
{
	if (c->pid > 0 && !c->is_reaped) {
		kill(-c->pid, SIGKILL);
		/* Before its setpgid, the group is not there yet. */
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (c->out_fd > 0)
		close(c->out_fd);
	if (c->log_fd > 0)
		close(c->log_fd);
	buf_fini(&c->out);
	buf_fini(&c->log);
	*c = (struct child){0};
}

int
child_run(const struct child_spec *spec, struct buf *out, struct buf *log,
	const volatile int *stop, struct outcome *outcome, struct err *e)
{
	CLEANUP(child_fini)
	struct child c = {0};

	if (child_start(spec, &c, e) < 0)
		return -1;
	while (!child_step(&c)) {
		/* poll passes over what is closed: its number is negative. */
		struct pollfd fds[] = {
			{c.out_fd, POLLIN, 0}, {c.log_fd, POLLIN, 0}};

		if (stop && *stop)
			child_stop(&c);
		poll(fds, ARRAY_LEN(fds), child_wait_ms(&c));
	}
	*outcome = c.outcome;
	if (out)
		buf_add(out, buf_text(&c.out), c.out.n);
	if (log)
		buf_add(log, buf_text(&c.log), c.log.n);
	return 0;
}

static void
print_s(struct buf *out, int64_t ms)
{
	if (ms % 1000)
		buf_printf(out, "%lld.%03d s", (long long)(ms / 1000),
			(int)(ms % 1000));
	else
		buf_printf(out, "%lld s", (long long)(ms / 1000));
}

void
child_describe(const struct outcome *o, struct buf *out)
{
	switch (o->end) {
	case CHILD_EXITED:
		buf_printf(out, "exited with %d", o->code);
		break;
	case CHILD_SIGNALLED:
		buf_printf(out, "killed by signal %d (%s)", o->code,
			strsignal(o->code));
		break;
	case CHILD_DEADLINE:
		buf_str(out, "over its deadline of ");
		print_s(out, o->limit_ms);
		break;
	case CHILD_SILENT:
		buf_str(out, "silent for more than ");
		print_s(out, o->limit_ms);
		break;
	case CHILD_FLOOD:
		buf_str(out, "ended, since it printed too much");
		break;
	case CHILD_OVER:
		buf_str(out, "ended, since it was over a limit");
		break;
	case CHILD_STOPPED:
		buf_str(out, "stopped");
		break;
	}
}
