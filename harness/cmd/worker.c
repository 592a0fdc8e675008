/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "sched/job.h"

/* A signal handler can reach nothing else. */
static volatile int is_stopping;

static void
stop(int number)
{
	(void)number;
	is_stopping = 1;
}

int
cmd_worker(int argc, char *argv[])
{
	struct sigaction action = {.sa_handler = stop};
	struct err e = {0};
	int status;

	if (argc != 2)
		return EXIT_WRONG;
	sigaction(SIGTERM, &action, NULL);
	status = worker_run(argv[1], &is_stopping, &e);
	if (status == WORKER_FAILED)
		common_complain("%s", e.text);
	return status;
}
