/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/words.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

enum {
	DIGEST_PART = 16 /* hex digits of it in the name of a file */
};

enum verdict_junit
report_outcome(const struct store_attempt *a)
{
	enum verdict_junit element;

	if (!a->is_judged)
		return JUNIT_ERROR;
	element = verdict_junit(a->verdict);
	if (element == JUNIT_PASS)
		return a->is_accepted ? JUNIT_PASS : JUNIT_FAILURE;
	if (element == JUNIT_SKIPPED)
		return a->is_regression ? JUNIT_FAILURE : JUNIT_SKIPPED;
	return a->is_accepted ? JUNIT_PASS : element;
}

const char *
report_verdict(const struct store_attempt *a)
{
	return a->is_judged ? verdict_name(a->verdict) : "unjudged";
}

const char *
report_sentence(const struct store_attempt *a)
{
	return a->is_judged ? verdict_sentence(a->verdict)
			    : "The run ended before this image was judged.";
}

const char *
report_standing(const struct store_attempt *a)
{
	if (!a->is_judged)
		return NULL;
	if (a->is_regression)
		return a->sample.expect
			? "A regression: the corpus expects better."
			: "A regression: an earlier run accepted it.";
	if (verdict_junit(a->verdict) == JUNIT_PASS)
		return a->is_accepted ? NULL
				      : "Below the verdict that this run "
					"accepts.";
	return a->is_accepted ? "Known: the corpus expects no better." : NULL;
}

void
report_unchanged(struct buf *out, const struct store_attempt *a)
{
	if (a->of_run > 0)
		buf_printf(out,
			"Not tried in this run: unchanged since run %" PRId64
			".",
			a->of_run);
}

void
report_since(struct buf *out, const struct store_attempt *a)
{
	if (!a->is_judged || a->is_accepted || !a->good_verdict)
		return;
	buf_printf(out, "Last good: run %" PRId64 " (", a->good_run);
	text_clean(out, slice_of(a->good_verdict), TEXT_ONE_LINE);
	buf_char(out, ')');
	if (a->since_run > 0)
		buf_printf(
			out, "; not accepted since run %" PRId64, a->since_run);
	buf_char(out, '.');
}

bool
report_turn(struct report_turns *t, bool is_accepted)
{
	if (t->runs < REPORT_FLAKY_RUNS) {
		t->runs++;
		t->turns += is_accepted != t->was;
		t->was = is_accepted;
	}
	return t->turns > 1;
}

enum report_shift
report_shift(const struct store_attempt *a)
{
	enum verdict was;

	if (!a->last_verdict || !verdict_parse(a->last_verdict, &was))
		return SHIFT_NEW;
	if (!a->is_judged || was == a->verdict)
		return SHIFT_SAME;
	return a->verdict < was ? SHIFT_BETTER : SHIFT_WORSE;
}

/* Is p[i] a byte at which a character begins? */
static bool
begins(const char *p, size_t i)
{
	return ((unsigned char)p[i] & 0xc0) != 0x80;
}

size_t
report_chars(const char *s)
{
	size_t n = 0;

	for (size_t i = 0; s[i]; i++)
		n += begins(s, i);
	return n;
}

void
report_short(struct buf *out, const char *cause, size_t max)
{
	CLEANUP(buf_fini)
	struct buf clean = {0};
	struct slice first = slice_of(cause ? cause : "");
	size_t chars = 0, cut = 0;

	for (size_t i = 0; i < first.n; i++) {
		if (first.p[i] == '\n')
			first.n = i;
		else if (first.p[i] == '.' && i + 1 < first.n &&
			first.p[i + 1] == ' ')
			first.n = i;
	}
	if (slice_ends(first, "."))
		first.n--;
	text_clean(&clean, first, TEXT_ONE_LINE);
	for (size_t i = 0; i < clean.n; i++) {
		if (!begins(clean.p, i))
			continue;
		/* The place of the last character allowed is the mark's. */
		if (++chars == max)
			cut = i;
		if (max && chars > max) {
			buf_add(out, clean.p, cut);
			buf_str(out, "…");
			return;
		}
	}
	buf_slice(out, buf_get(&clean));
}

static bool
is_plain(const char *name, size_t i)
{
	char c = name[i];

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '_' || c == '+' ||
		c == '@' || (c == '.' && i > 0);
}

void
report_file(struct buf *out, const char *name)
{
	size_t start = out->n;

	for (size_t i = 0; name[i]; i++) {
		if (is_plain(name, i))
			buf_char(out, name[i]);
		else
			buf_printf(out, "=%02X", (unsigned char)name[i]);
	}
	if (out->n == start)
		buf_char(out, '=');
	if (out->n - start > REPORT_FILE_MAX) {
		struct digest d = digest_of(name, strlen(name));
		char hex[DIGEST_HEX + 1];

		digest_hex(&d, hex);
		out->n = start + REPORT_FILE_MAX - DIGEST_PART - 2;
		buf_printf(out, "==%.*s", DIGEST_PART, hex);
	}
}

void
report_duration(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (ms < 1000)
		buf_printf(out, "%" PRId64 " ms", ms < 0 ? 0 : ms);
	else if (s < 60)
		buf_printf(
			out, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
	else if (s < 3600)
		buf_printf(
			out, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
	else
		buf_printf(out, "%" PRId64 " h %02" PRId64 " min", s / 3600,
			s / 60 % 60);
}

void
report_bytes(struct buf *out, int64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	int64_t tenths = bytes * 10;
	size_t unit = 0;

	if (bytes < 1024) {
		buf_printf(out, "%" PRId64 " bytes", bytes);
		return;
	}
	/* Whole numbers: a double's printing would follow the locale. */
	if (bytes > INT64_MAX / 20)
		tenths = INT64_MAX / 2;
	for (tenths /= 1024; tenths >= 10240 && unit + 1 < ARRAY_LEN(units);
		unit++)
		tenths /= 1024;
	buf_printf(out, "%" PRId64 ".%" PRId64 " %s", tenths / 10, tenths % 10,
		units[unit]);
}
