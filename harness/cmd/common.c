/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/common.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "rebuild/policy.h"

PRINTF_LIKE(1, 0)
static void
complain(const char *fmt, va_list ap)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};
	CLEANUP(own_free)
	char *text = xvasprintf(fmt, ap);

	text_clean(&clean, slice_of(text), TEXT_MANY_LINES);
	fprintf(stderr, "unblend: %s\n", buf_text(&clean));
}

void
common_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
}

int
common_fail(const struct err *e)
{
	common_complain("%s", e->text);
	switch (e->kind) {
	case ERR_INPUT:
	case ERR_ABSENT:
	case ERR_POLICY:
		return EXIT_WRONG;
	case ERR_NONE:
	case ERR_TRANSIENT:
	case ERR_HOST:
	case ERR_BUG:
	default:
		return EXIT_MACHINE;
	}
}

/* With all limits before the example, where there is --limit. */
static void
print_usage(const char *usage)
{
	const char *end = strstr(usage, "\nexample:");

	if (!end || !strstr(usage, "--limit NAME")) {
		fputs(usage, stdout);
		return;
	}
	printf("%.*s", (int)(end - usage), usage);
	if (strstr(usage, "--platform "))
		fputs("\nimages:\n"
		      "  FILE, pack:FILE, docker-archive:FILE[:REF], "
		      "oci-archive:FILE[:REF],\n"
		      "  oci:DIR[:REF], dir:DIR, rootfs:FILE, rootfs:DIR,\n"
		      "  docker://[HOST/]NAME[:TAG][@DIGEST], "
		      "docker-daemon:NAME[:TAG],\n"
		      "  https://HOST/FILE\n",
			stdout);
	puts("\nlimits:");
	limits_print(stdout);
	fputs(end, stdout);
}

int
common_option(
	int argc, char *argv[], const char *shorts, const struct option *longs)
{
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, shorts, longs, NULL);
	if (c == 'h') {
		print_usage(cmd_find(argv[0])->usage);
		exit(fflush(stdout) == 0 ? EXIT_ACCEPTED : EXIT_MACHINE);
	}
	if (c == '?' || c == ':')
		common_complain("%s: %s '%s'; unblend %s --help tells", argv[0],
			c == ':' ? "a value is missing after"
				 : "cannot take the option",
			argv[optind - 1], argv[0]);
	return c;
}

int
common_usage(const char *command, const char *fmt, ...)
{
	CLEANUP(own_free)
	char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	common_complain(
		"%s: %s; unblend %s --help tells", command, what, command);
	return EXIT_WRONG;
}

bool
common_number(const char *text, const char *option, int64_t max, int64_t *out)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n >= 1 &&
		n <= max) {
		*out = n;
		return true;
	}
	common_complain("%s takes a number from 1 to %lld, not '%s'", option,
		(long long)max, text);
	return false;
}

bool
common_verdict(const char *text, enum verdict *out)
{
	struct buf names = {0};

	if (verdict_parse(text, out))
		return true;
	for (int v = 0; v < VERDICT_COUNT; v++)
		buf_printf(&names, "%s%s", v ? ", " : "",
			verdict_name((enum verdict)v));
	common_complain(
		"'%s' is no verdict; those are: %s", text, buf_text(&names));
	buf_fini(&names);
	return false;
}

bool
common_limit(struct image_limits *limits, const char *text)
{
	struct err e = {0};

	if (limits_set(limits, text, &e) == 0)
		return true;
	common_complain("%s", e.text);
	return false;
}

/* Split at the first "=" that is followed by a URL. */
bool
common_mirror(struct words *pairs, const char *text)
{
	for (const char *at = strchr(text, '='); at; at = strchr(at + 1, '=')) {
		CLEANUP(own_free)
		char *from = NULL;

		if (at == text || !policy_url_ok(at + 1))
			continue;
		from = xmemdup0(text, (size_t)(at - text));
		words_add(pairs, from);
		words_add(pairs, at + 1);
		return true;
	}
	common_complain("--mirror takes URL=URL2 with https, http, git or "
			"file URLs, not '%s'",
		text);
	return false;
}

char *
common_cache(const char *named)
{
	const char *base = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (named)
		return path_absolute(named);
	if (base && base[0] == '/')
		return path_join(base, "unblend");
	if (!home || home[0] != '/') {
		user = getpwuid(getuid());
		home = user ? user->pw_dir : "/tmp";
	}
	return path_join(home, ".cache/unblend");
}

bool
common_has_colour(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}
