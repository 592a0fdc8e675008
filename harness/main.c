/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/common.h"

static void
help(FILE *f)
{
	const struct command *c;

	fputs("unblend: does a container image made by GNU Guix come out the "
	      "same again?\n\nusage: unblend COMMAND [OPTION...] "
	      "[ARGUMENT...]\n\n",
		f);
	for (size_t i = 0; (c = cmd_at(i)); i++)
		fprintf(f, "  %-9s %s\n", c->name, c->summary);
	fputs("\nunblend COMMAND --help tells more.\n", f);
}

int
main(int argc, char *argv[])
{
	const struct command *command;

	/* Names in archives are bytes; UTF-8 ones must convert anywhere. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc < 2) {
		help(stderr);
		return EXIT_WRONG;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("unblend " CMD_VERSION);
		return EXIT_ACCEPTED;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		return EXIT_ACCEPTED;
	}
	command = cmd_find(argv[1]);
	if (!command) {
		common_complain(
			"no command '%s'; unblend --help lists them", argv[1]);
		return EXIT_WRONG;
	}
	return command->run(argc - 1, argv + 1);
}
