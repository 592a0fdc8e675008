/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/http_words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void
http_escape(struct buf *out, const char *s)
{
	for (; *s; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || strchr("-._~", *s))
			buf_char(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
}

bool
http_host_is(const char *entry, const char *host, const char *port)
{
	size_t n = strlen(host);

	return strncasecmp(entry, host, n) == 0 &&
		(entry[n] == '\0' ||
			(entry[n] == ':' && strcmp(entry + n + 1, port) == 0));
}

bool
http_is_loopback(const char *host)
{
	size_t n = strcspn(host, ":");
	unsigned part[4];
	char more;

	if (host[0] == '[')
		return strncmp(host, "[::1]", 5) == 0 &&
			(host[5] == '\0' || host[5] == ':');
	if (n == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	return sscanf(host, "%3u.%3u.%3u.%3u%c", &part[0], &part[1], &part[2],
		       &part[3], &more) >= 4 &&
		strspn(host, "0123456789.") == n && part[0] == 127;
}

struct slice
http_header_value(struct slice line, const char *name)
{
	size_t n = strlen(name);
	struct slice v;

	if (line.n <= n || strncasecmp(line.p, name, n) != 0 ||
		line.p[n] != ':')
		return (struct slice){0};
	v = (struct slice){line.p + n + 1, line.n - n - 1};
	while (v.n && strchr(" \t", v.p[0]))
		v = (struct slice){v.p + 1, v.n - 1};
	while (v.n && strchr(" \t\r\n", v.p[v.n - 1]))
		v.n--;
	return v;
}
