/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_REPORT_REPORT_H
#define UB_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store/store.h"

/* How to write the reports; {0} but for the folder is a good choice. */
struct report_options {
	int64_t run;          /* 0: the newest */
	const char *folder;   /* made when absent */
	bool is_ant;          /* junit.xml for readers of Ant's schema alone */
	bool is_attested;     /* in-toto statements too, and */
	const char *sign_key; /* signed with this key: a file of ssh-keygen or
			       * minisign; NULL: not signed */
	bool is_deeper;       /* diffoscope on what differs, in a sandbox */
	int64_t deeper_s;     /* that long for each image; 0: 300 */
	unsigned formats;     /* bits of report_format; 0: all */
};

/* The bit of "junit", "html", "json", "csv", "attest" (which needs
 * is_attested too); 0 when there is no such format. */
unsigned report_format(const char *name);

/*
 * Write every report of a run: junit.xml, verdicts.csv, report.json,
 * index.html with pages beside it.  Made from the database alone: the same
 * database and options give the same bytes.  Each file appears whole or not at
 * all.
 */
int report_make(struct store *s, const struct report_options *o,
	struct err *e) NODISCARD;
/* report_make with no option. */
int report_write(struct store *s, int64_t run, const char *folder,
	struct err *e) NODISCARD;

/* The table of verdicts and the counts, for a terminal; colour when asked. */
int report_text(struct store *s, int64_t run, FILE *out, int is_colour,
	struct err *e) NODISCARD;

/* A bug report: on which image of which run, and where to. */
struct report_bug {
	int64_t run;      /* 0: the newest */
	const char *name; /* of the image in its corpus */
	FILE *out;
	/* Where all differences go that the text has no room for, and what the
	 * text calls that file; attached NULL: they follow in the text. */
	FILE *list;
	const char *attached;
};
/*
 * Write a text ready to send, from the database alone: what was compared, the
 * verdict, the machine, the recipe, commands, differences.  ERR_ABSENT when the
 * run has no image of that name.  The caller looks for errors of the files.
 */
int report_bug(
	struct store *s, const struct report_bug *o, struct err *e) NODISCARD;

#endif
