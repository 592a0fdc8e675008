/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_CMD_CMD_H
#define UB_CMD_CMD_H

#include <stddef.h>

/* Exit statuses of the program. */
enum {
	EXIT_ACCEPTED = 0, /* every image accepted */
	EXIT_NOT = 1,      /* some image not */
	EXIT_WRONG = 2,    /* the command, the corpus or an input is wrong */
	EXIT_MACHINE = 3   /* this machine failed us */
};

#define CMD_VERSION "0.1.0"

/* One command: argv[0] is its name; the result is an exit status. */
struct command {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *summary; /* NULL: not listed */
	const char *usage;   /* what `unblend NAME --help' prints */
};

int cmd_run(int argc, char *argv[]);
int cmd_inspect(int argc, char *argv[]);
int cmd_pull(int argc, char *argv[]);
int cmd_recipe(int argc, char *argv[]);
int cmd_repack(int argc, char *argv[]);
int cmd_compare(int argc, char *argv[]);
int cmd_report(int argc, char *argv[]);
int cmd_bug(int argc, char *argv[]);
int cmd_history(int argc, char *argv[]);
int cmd_merge(int argc, char *argv[]);
int cmd_corpus(int argc, char *argv[]);
int cmd_doctor(int argc, char *argv[]);
int cmd_gc(int argc, char *argv[]);
int cmd_worker(int argc, char *argv[]);
int cmd_keys(int argc, char *argv[]);

/* The command of that name, NULL when there is none. */
const struct command *cmd_find(const char *name);
/* Every command that is listed, in order; NULL after the last. */
const struct command *cmd_at(size_t i);

#endif
