/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/signals.h"

#include <sys/signalfd.h>

#include <unistd.h>

int
signals_open(struct signals *s, bool has_children, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (has_children)
		sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, &s->before) < 0)
		return err_sys(e, ERR_HOST, "cannot watch signals");
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd >= 0)
		return 0;
	(void)!err_sys(e, ERR_HOST, "cannot watch signals");
	sigprocmask(SIG_SETMASK, &s->before, NULL);
	return -1;
}

void
signals_close(struct signals *s)
{
	close(s->fd);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}

bool
signals_stop(const struct signals *s)
{
	struct signalfd_siginfo info;

	while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			return true;
	return false;
}
