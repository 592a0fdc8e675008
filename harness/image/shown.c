/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/shown.h"

#include "base/attr.h"
#include "base/text.h"

struct shown
shown_of(struct slice name)
{
	static const char gap[] = "...";
	CLEANUP(own_free)
	char *clean = text_clean_new(name);
	struct shown s = {{0}};
	size_t n = strlen(clean);
	size_t head, tail;

	if (n < sizeof(s.text)) {
		memcpy(s.text, clean, n);
		return s;
	}
	/* Not through the middle of a character: UTF-8 goes on with 10xxxxxx. */
	head = 48;
	while (head > 0 && (clean[head] & 0xc0) == 0x80)
		head--;
	tail = n - 44;
	while (tail < n && (clean[tail] & 0xc0) == 0x80)
		tail++;
	memcpy(s.text, clean, head);
	memcpy(s.text + head, gap, sizeof(gap) - 1);
	memcpy(s.text + head + sizeof(gap) - 1, clean + tail, n - tail);
	return s;
}
