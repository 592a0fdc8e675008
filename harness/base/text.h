/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_BASE_TEXT_H
#define UB_BASE_TEXT_H

#include "base/buf.h"
#include "base/slice.h"

enum text_lines {
	TEXT_ONE_LINE,  /* newline and tab are made visible too: names, paths */
	TEXT_MANY_LINES /* newline and tab stay: logs */
};

/*
 * Append s to out as text that every output can hold: valid UTF-8 of the
 * characters that XML 1.0 (section 2.2) allows.  A control character, DEL, a
 * noncharacter or a bidirectional override becomes "#xHH" (as pytest writes
 * them); a byte that is not UTF-8 becomes "\xHH".  CR before LF is dropped.
 * Every text from an image, a registry or a log goes through here once, before
 * it reaches a terminal, an XML, HTML or JSON writer.
 */
void text_clean(struct buf *out, struct slice s, enum text_lines lines);

/* text_clean to a string of the caller's own (one line). */
char *text_clean_new(struct slice s);

/* True when s is well-formed UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(struct slice s);

/* Append s with & < > " ' escaped, for XML and HTML text and attributes. */
void text_xml(struct buf *out, struct slice s);

/*
 * Append s as a Scheme string literal, quotes included, as Guile's `write'
 * prints it and its reader reads it back, neither being told otherwise: what
 * shows stays, the rest becomes \n, \xHH, \uHHHH, ....  Returns -1 where the
 * bytes are not UTF-8, which no Scheme string can hold; nothing is appended
 * then.
 */
int text_scheme(struct buf *out, struct slice s) NODISCARD;

/*
 * Append s as one word of a POSIX shell: bare when it holds nothing that the
 * shell sees, else within single quotes.  NUL cannot be passed: the caller has
 * refused it.
 */
void text_shell(struct buf *out, struct slice s);

/*
 * Shell-style pattern: * and ? only, over the whole of name.  For --only.
 */
bool text_glob(const char *pattern, const char *name);

#endif
