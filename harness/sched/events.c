/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"

struct events {
	int fd;                  /* -1: its reader is gone */
	struct sigaction before; /* what SIGPIPE did */
	struct buf waiting;
	size_t from;  /* those before are written */
	int64_t lost; /* lines since the last that was kept */
	/* the one that is being made */
	struct jout out;
	FILE *f;
	char *text;
	size_t n;
};

struct events *
events_open(int fd)
{
	struct events *v;

	if (fd <= 0)
		return NULL;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	v = xcalloc(1, sizeof(*v));
	v->fd = fd;
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN},
		&v->before);
	return v;
}

struct jout *
events_begin(struct events *v, const char *event)
{
	if (!v || v->fd < 0)
		return NULL;
	v->f = open_memstream(&v->text, &v->n);
	if (!v->f)
		return NULL;
	jout_open(&v->out, v->f, -1);
	jout_begin(&v->out, NULL, '{');
	jout_str(&v->out, "event", event);
	jout_int(&v->out, "time", clock_wall_s());
	return &v->out;
}

void
events_end(struct events *v)
{
	struct err e = {0};

	if (!v || !v->f)
		return;
	jout_end(&v->out, '}');
	(void)!jout_close(&v->out, &e);
	fclose(STEAL(v->f));
	if (v->waiting.n - v->from + v->n > EVENTS_WAITING) {
		v->lost++;
	} else {
		if (v->lost > 0)
			buf_printf(&v->waiting,
				"{\"event\":\"lost\",\"time\":%lld,\"lines\":"
				"%lld}\n",
				(long long)clock_wall_s(), (long long)v->lost);
		v->lost = 0;
		buf_add(&v->waiting, v->text, v->n);
	}
	free(STEAL(v->text));
	events_push(v);
}

int
events_fd(const struct events *v)
{
	return v && v->fd >= 0 && v->from < v->waiting.n ? v->fd : -1;
}

/* May so many bytes be written without waiting?  A pipe that can be written to
 * has room for PIPE_BUF (pipe(7)); that it is set non-blocking would be felt by
 * all that have it open. */
static bool
is_free(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLERR));
}

void
events_push(struct events *v)
{
	while (events_fd(v) >= 0 && is_free(v->fd)) {
		size_t left = v->waiting.n - v->from;
		ssize_t n = write(v->fd, v->waiting.p + v->from,
			left < PIPE_BUF ? left : PIPE_BUF);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		if (n <= 0) {
			v->fd = -1;
			return;
		}
		v->from += (size_t)n;
	}
	if (!v || v->from < v->waiting.n / 2)
		return;
	/* Each byte is moved as seldom as it was written. */
	memmove(v->waiting.p, v->waiting.p + v->from, v->waiting.n - v->from);
	v->waiting.n -= v->from;
	v->from = 0;
}

void
events_close(struct events *v)
{
	int64_t until = clock_mono_ms() + EVENTS_LAST_WAIT_MS;

	if (!v)
		return;
	for (events_push(v); events_fd(v) >= 0; events_push(v)) {
		struct pollfd p = {.fd = v->fd, .events = POLLOUT};
		int64_t left = until - clock_mono_ms();

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
	}
	sigaction(SIGPIPE, &v->before, NULL);
	buf_fini(&v->waiting);
	free(v->text);
	free(v);
}
