/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Append ": tail" to the n bytes in *e, as far as there is room. */
static void
append(struct err *e, int n, const char *tail)
{
	size_t at = n < 0 ? 0 : (size_t)n;

	if (at >= sizeof(e->text) - 1)
		return;
	at += (size_t)snprintf(e->text + at, sizeof(e->text) - at, "%s", ": ");
	for (; *tail && at < sizeof(e->text) - 1; tail++)
		e->text[at++] = *tail;
	if (at < sizeof(e->text))
		e->text[at] = '\0';
}

PRINTF_LIKE(4, 0)
static void
set(struct err *e, enum err_kind kind, int sys, const char *fmt, va_list ap)
{
	int n;

	e->kind = kind;
	e->sys = sys;
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	if (sys != 0)
		append(e, n, strerror(sys));
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_code(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, 0, fmt, ap);
	va_end(ap);
	e->sys = sys;
	return -1;
}

int
err_sys(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, saved, fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->text)];
	va_list ap;
	int n;

	memcpy(inner, e->text, sizeof(inner));
	va_start(ap, fmt);
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	append(e, n, inner);
	return -1;
}
