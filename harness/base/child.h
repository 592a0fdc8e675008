/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_CHILD_H
#define UB_BASE_CHILD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cgroup.h"
#include "base/err.h"

/*
 * The only place that forks.  A child gets: its own process group, all signals
 * at their default and none blocked (bwrap 0.8 hangs when it inherits SIGCHLD
 * ignored), SIGKILL when its parent dies, /dev/null as stdin unless told
 * otherwise, and no descriptor but those named.
 */
struct child_spec {
	const char *const *argv; /* NULL-ended; argv[0] is looked up on PATH */
	const char *const *env;  /* "K=V", NULL-ended; NULL: ours */
	const char *dir;         /* working directory; NULL: ours */
	int stdin_fd;            /* 0 or less: /dev/null (0 is never passed) */
	int pass_fd;             /* stays open at the same number; <= 0: none */

	int64_t deadline_ms; /* from the start; 0: none */
	int64_t silence_ms;  /* without a byte of output; 0: none */
	int64_t grace_ms;    /* between SIGTERM and SIGKILL; 0: 2000 */

	/* 0 keeps nothing.  More than fits is no error: see the outcome. */
	size_t out_cap; /* bytes of stdout that are kept: the first */
	size_t log_cap; /* bytes of stderr that are kept: head and tail, with a
			 * line between that says how much is not there */
	int log_fd;     /* the first log_cap bytes of stderr are copied there as
		     * well; <= 0: not */

	uint64_t memory_max;  /* bytes, RLIMIT_AS; 0: none */
	uint64_t file_max;    /* bytes, RLIMIT_FSIZE; 0: none */
	uint64_t process_max; /* RLIMIT_NPROC; 0: none */
	uint64_t said_max;    /* bytes of stdout and stderr; 0: any number */
	uint64_t cpus;        /* runs on so many processors; 0: on any */
	const struct cgroup *group; /* it is put there; NULL: where we are */
	bool is_first_to_go;        /* where memory is short */

	/* Asked now and then, with what is known of the log so far; true ends
	 * it.  NULL: nobody is asked. */
	bool (*is_over)(void *arg, struct slice log);
	void *is_over_arg;
};

enum child_end {
	CHILD_EXITED,    /* code is its exit status */
	CHILD_SIGNALLED, /* code is the signal, and we did not send it */
	CHILD_DEADLINE,  /* over deadline_ms: ended by us */
	CHILD_SILENT,    /* over silence_ms: ended by us */
	CHILD_FLOOD,     /* over said_max: ended by us */
	CHILD_OVER,      /* ended by us since is_over said so */
	CHILD_STOPPED    /* ended by us since *stop was set */
};

struct outcome {
	enum child_end end;
	int code;
	int64_t limit_ms; /* that was passed: CHILD_DEADLINE, CHILD_SILENT */
	int64_t elapsed_ms;
	uint64_t said; /* bytes, kept or not */
	bool is_out_cut;
	bool is_log_cut;
};

/*
 * A running child, for those with a poll loop of their own.  out_fd and log_fd
 * are ours to poll for reading, -1 once at their end.
 */
struct child {
	pid_t pid;
	int out_fd, log_fd;
	struct buf out, log;
	struct outcome outcome; /* valid once child_step gave 1 */
	/* the rest is child.c's own */
	struct child_spec spec;
	int64_t started_ms, heard_ms, killed_ms, asked_ms, asking_ms;
	size_t out_seen, log_seen;
	bool is_stopping, is_reaped;
};

/* Fork and exec.  ERR_ABSENT when the program is not there (errno of the
 * exec), ERR_HOST when there is no process to be had. */
int child_start(const struct child_spec *spec, struct child *c,
	struct err *e) NODISCARD;
/*
 * Take what there is to read, look at the clocks, reap.  Returns 1 when the
 * child and its group are gone and both pipes are read (outcome is set), 0
 * when not yet.  Never blocks.
 */
int child_step(struct child *c);
/* Milliseconds until child_step should be called even without events. */
int child_wait_ms(const struct child *c);
/* Ask it to end: SIGTERM to the group now, SIGKILL after the grace. */
void child_stop(struct child *c);
/* Kill what runs, reap, close; nothing on a zeroed struct. */
void child_fini(struct child *c);

/*
 * Start, wait, and give what it said: out (stdout) and log (stderr, head and
 * tail within log_cap) may be NULL.  *stop (may be NULL), set by a signal
 * handler, ends it.  Returns 0 whenever there is an outcome, whatever it is.
 */
int child_run(const struct child_spec *spec, struct buf *out, struct buf *log,
	const volatile int *stop, struct outcome *outcome,
	struct err *e) NODISCARD;

/* "exited with 3", "killed by signal 9 (Killed)", "over its deadline of 5 s",
 * ...: one clause for a message. */
void child_describe(const struct outcome *o, struct buf *out);

#endif
