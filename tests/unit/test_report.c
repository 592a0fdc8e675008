/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/aside.h"
#include "base/jdoc.h"
#include "base/path.h"
#include "base/text.h"
#include "fake_store.h"
#include "report/deeper.h"
#include "report/page.h"
#include "report/report.h"
#include "report/words.h"

/* Every kind of byte that some output cannot hold or would take for its own. */
#define HOSTILE                                                                 \
	"\"'<img src=x onerror=alert(1)></script>&amp;&]]><!--%s%n\\\t\x1b[31m" \
	"\x80\xff\xc0\xaf\xed\xa0\x80\xef\xbf\xbe\xe2\x80\xae\x7f[[ATTACHMENT|x]]"

enum {
	FILE_MAX = 64 << 20
};

static const char schema[] = "tests/schema/jenkins-junit-10.xsd";
static const char ant_schema[] = "tests/schema/ant-junit.xsd";

static char *
read_all(const char *folder, const char *name)
{
	CLEANUP(own_free)
	char *path = path_join(folder, name);
	struct buf text = {0};
	struct err e;

	if (path_read(path, FILE_MAX, &text, &e) < 0)
		fail_msg("%s", e.text);
	return buf_take(&text);
}

static bool
has(const char *folder, const char *name)
{
	CLEANUP(own_free)
	char *path = path_join(folder, name);

	return path_exists(path);
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

static void
write_report(struct store *s, const char *folder)
{
	struct err e = {0};

	if (report_write(s, 0, folder, &e) < 0)
		fail_msg("%s", e.text);
}

/* The table for a terminal, as the caller's own string. */
static char *
print_report(struct store *s, int is_colour)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct err e = {0};

	if (report_text(s, 0, f, is_colour, &e) < 0)
		fail_msg("%s", e.text);
	fclose(f);
	return text;
}

/* ---- what there is to report ---- */

static const struct store_channel channels[] = {
	{"guix", "https://git.example.org/guix.git", "master",
		"1111111111111111111111111111111111111111",
		"2222222222222222222222222222222222222222", "AAAA BBBB",
		1000000000},
	{"lab", "file:///srv/lab", "main",
		"3333333333333333333333333333333333333333", NULL, NULL, -1},
	{0},
};
static const struct store_package packages[] = {
	{"hello", "2.12", "out", "/gnu/store/a-hello-2.12", 0, "guix",
		"with-input=a=b"},
	{"dep", "1.0", "lib", "/gnu/store/b-dep-1.0-lib", 1, "guix lab", ""},
	{0},
};
static const struct store_layer layers[] = {
	{"image", 1, "aaaa", 2048, 7},
	{"rebuilt", 1, "bbbb", 2048, 7},
	{0},
};
static const struct forgiven forgiven[] = {{"member order", 7}, {0}};
static const struct difference differences[] = {
	{.path = "gnu/store/a-hello-2.12/bin/hello",
		.store_item = "a-hello-2.12",
		.package = "hello 2.12",
		.kind = "contents",
		.detail = "40 bytes, both",
		.offset = 17},
	{.path = "gnu/store/a-hello-2.12/share",
		.store_item = "a-hello-2.12",
		.package = "hello 2.12",
		.kind = "mode",
		.detail = "mode 0555, rebuilt 0755",
		.offset = -1},
	{.path = "etc/motd",
		.store_item = NULL,
		.package = NULL,
		.kind = "only-in-image",
		.detail = NULL,
		.offset = -1},
	{.path = "",
		.store_item = NULL,
		.package = NULL,
		.kind = "config",
		.detail = "env differs",
		.offset = -1},
	{0},
};
static const char *const differing[] = {"hello 2.12", NULL};
static const char *const built[] = {"/gnu/store/p-pack.drv", NULL};

static const struct store_run a_run = {
	.id = 7,
	.started_s = 1700000000,
	.ended_s = 1700000100,
	.unblend_version = "0.1",
	.guix_version = "1.5.0",
	.host = "node",
	.kernel = "Linux 6.1 x86_64",
	.store_fs = "ext4",
	.accept = "same-contents",
	.corpora = "a.corpus\nb.c.corpus",
	.depth = "pack",
};

static struct fake_sample
sample(int64_t id, const char *collection, const char *name,
	enum verdict verdict, bool is_accepted)
{
	return (struct fake_sample){
		.a =
			{
				.sample = {.id = id,
					.seq = id,
					.name = name,
					.collection = collection,
					.source = "x.tar",
					.tags = ""},
				.is_judged = true,
				.verdict = verdict,
				.is_accepted = is_accepted,
				.started_s = 1700000000,
				.elapsed_ms = 1500,
			},
	};
}

static struct fake_sample
rebuilt_sample(int64_t id, const char *collection, const char *name,
	enum verdict verdict, bool is_accepted)
{
	struct fake_sample s =
		sample(id, collection, name, verdict, is_accepted);

	s.a.image_sha256 = "cccc";
	s.a.channel_set = "guix@1111111+lab@3333333";
	s.a.recipe_id = "dddd";
	s.a.channels_scm = "(list (channel))\n";
	s.a.manifest_scm = "(specifications->manifest '())\n";
	s.a.command = "guix time-machine -C channels.scm -- pack";
	s.a.rebuilt_sha256 = "eeee";
	s.a.built = 1;
	s.a.valid = 41;
	s.channels = channels;
	s.packages = packages;
	s.layers = layers;
	s.built = built;
	s.log = "building\nbuilt\n";
	return s;
}

/* Two collections; one of each outcome and more. */
static void
make_run(struct store *s, struct fake_sample room[8])
{
	*s = (struct store){.run = a_run, .samples = room, .n = 8};
	room[0] = rebuilt_sample(1, "a", "same", VERDICT_IDENTICAL, true);
	room[1] = rebuilt_sample(2, "a", "order", VERDICT_SAME_CONTENTS, true);
	room[1].forgiven = forgiven;
	room[1].a.last_verdict = "identical";
	room[1].a.last_run = 6;
	room[2] = rebuilt_sample(3, "a", "motd", VERDICT_DIFFERENT, false);
	room[2].a.cause = "1 file outside the store. It was added.";
	room[2].a.advice = "Ask its author.";
	room[2].differences = differences;
	room[2].differing = differing;
	room[2].a.differences = 30;
	room[3] = rebuilt_sample(4, "b.c", "gcc", VERDICT_UNBUILDABLE, true);
	room[3].a.sample.expect = "unbuildable";
	room[3].a.failed_drv = "/gnu/store/g-gcc.drv";
	room[3].a.failed_lines = "FAIL: it\n";
	room[4] = sample(5, "b.c", "bare", VERDICT_NO_PROVENANCE, false);
	room[5] = sample(6, "b.c", "cut", VERDICT_UNREADABLE, false);
	room[6] =
		rebuilt_sample(7, "b.c", "worse", VERDICT_SAME_CONTENTS, false);
	room[6].a.is_regression = true;
	room[6].a.sample.expect = "identical";
	room[7] = sample(8, "b.c", "never", VERDICT_IDENTICAL, false);
	room[7].a.is_judged = false;
}

static int
make_folder(void **state)
{
	char *folder = xstrdup("/tmp/unblend-report.XXXXXX");

	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int
remove_folder(void **state)
{
	struct err e;
	int status = path_remove(*state, &e);

	free(*state);
	return status;
}

/* ---- JUnit ---- */

static void
quiet(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

static void
expect_valid_junit(const char *xml, const char *xsd)
{
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(xsd);
	xmlSchemaPtr rules = xmlSchemaParse(parser);
	xmlDocPtr doc;
	xmlSchemaValidCtxtPtr valid;

	assert_non_null(rules);
	xmlSetGenericErrorFunc(NULL, quiet);
	/* No option: a parser's own limits hold. */
	doc = xmlReadMemory(xml, (int)strlen(xml), "junit.xml", NULL, 0);
	assert_non_null(doc);
	valid = xmlSchemaNewValidCtxt(rules);
	assert_int_equal(xmlSchemaValidateDoc(valid, doc), 0);
	xmlSchemaFreeValidCtxt(valid);
	xmlFreeDoc(doc);
	xmlSchemaFree(rules);
	xmlSchemaFreeParserCtxt(parser);
	xmlCleanupParser();
}

static void
junit_has_a_suite_a_collection_and_its_counts(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *xml = NULL;

	make_run(&s, room);
	write_report(&s, *state);
	xml = read_all(*state, "junit.xml");
	expect_valid_junit(xml, schema);
	assert_non_null(strstr(xml,
		"<testsuites name=\"unblend\" tests=\"8\" failures=\"2\" "
		"errors=\"2\" time=\"12.000\">"));
	assert_non_null(strstr(xml,
		"<testsuite name=\"a\" tests=\"3\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\" time=\"4.500\" "
		"timestamp=\"2023-11-14T22:13:20Z\" hostname=\"node\">"));
	assert_non_null(strstr(xml,
		"<testsuite name=\"b.c\" tests=\"5\" failures=\"1\" "
		"errors=\"2\" skipped=\"1\""));
	assert_int_equal(count(xml, "<testsuite "), 2);
	assert_int_equal(count(xml, "<testcase "), 8);
	assert_int_equal(count(xml, "<failure "), 2);
	assert_int_equal(count(xml, "<error "), 2);
	assert_int_equal(count(xml, "<skipped "), 1);
	/* A dot would be a level of Jenkins' tree: one, and no other. */
	assert_non_null(
		strstr(xml, "classname=\"b_c.guix@1111111+lab@3333333\""));
	assert_non_null(strstr(xml, "classname=\"b_c.no-channels\""));
}

static void
junit_says_verdict_cause_differences_advice(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *xml = NULL;
	char *at, *end;

	make_run(&s, room);
	write_report(&s, *state);
	xml = read_all(*state, "junit.xml");
	at = strstr(xml,
		"<failure type=\"different\" message=\"different: 1 file "
		"outside the store\">different: ");
	assert_non_null(at);
	end = strstr(at, "</failure>");
	*end = '\0';
	at = strstr(at, "\nCause:\n1 file outside the store. It was added.\n");
	assert_non_null(at);
	at = strstr(at, "\nPackages that differ: hello 2.12\n");
	assert_non_null(at);
	at = strstr(at, "\nDifferences: 30\n");
	assert_non_null(at);
	at = strstr(at,
		"  contents  gnu/store/a-hello-2.12/bin/hello: 40 bytes, both "
		"(first at byte 17)\n");
	assert_non_null(at);
	at = strstr(at,
		"  config  (the image): env differs\n"
		"  and 26 more\n");
	assert_non_null(at);
	assert_non_null(strstr(at, "\nWhat next:\nAsk its author.\n"));
}

static void
junit_puts_attachments_where_jenkins_keeps_them(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *xml = NULL;
	CLEANUP(own_free)
	char *expected = NULL;

	make_run(&s, room);
	write_report(&s, *state);
	xml = read_all(*state, "junit.xml");
	expected =
		xasprintf("<system-out>[[ATTACHMENT|%s/images/order.html]]\n"
			  "[[ATTACHMENT|%s/logs/order.log]]\nsame-contents: ",
			(char *)*state, (char *)*state);
	assert_non_null(strstr(xml, expected));
	/* An image that was never rebuilt has no log. */
	assert_non_null(strstr(xml, "images/bare.html]]\nno-provenance: "));
	assert_non_null(strstr(xml,
		"Forgiven by this verdict:\n"
		"  member order: 7\n"));
	assert_non_null(strstr(xml, "Known: the corpus expects no better."));
	assert_non_null(
		strstr(xml, "A regression: the corpus expects better."));
}

static void
junit_shows_twenty_differences(void **state)
{
	struct fake_sample one;
	struct store s = {.run = a_run, .samples = &one, .n = 1};
	static struct difference many[22];

	for (size_t n = 20; n <= 21; n++) {
		CLEANUP(own_free)
		char *xml = NULL;

		for (size_t i = 0; i < n; i++)
			many[i] = (struct difference){.path = "etc/x",
				.kind = "mode",
				.detail = "m",
				.offset = -1};
		one = rebuilt_sample(1, "a", "x", VERDICT_DIFFERENT, false);
		one.differences = many;
		one.a.differences = (int64_t)n;
		write_report(&s, *state);
		xml = read_all(*state, "junit.xml");
		assert_int_equal(count(xml, "  mode  etc/x: m\n"), 20);
		assert_int_equal(count(xml, "  and 1 more\n"), n - 20);
	}
}

static void
junit_for_strict_readers(void **state)
{
	struct fake_sample room[8];
	struct store s;
	struct err e = {0};
	const struct report_options o = {
		.folder = *state,
		.is_ant = true,
		.formats = report_format("junit"),
	};
	CLEANUP(own_free)
	char *xml = NULL;

	make_run(&s, room);
	assert_int_equal(report_make(&s, &o, &e), 0);
	assert_false(has(*state, "index.html"));
	assert_false(has(*state, "report.json"));
	xml = read_all(*state, "junit.xml");
	expect_valid_junit(xml, ant_schema);
	assert_int_equal(count(xml, "<testcase "), 8);
	assert_int_equal(count(xml, "<failure "), 2);
	assert_int_equal(count(xml, "<error "), 2);
	assert_int_equal(count(xml, "<skipped "), 1);
	assert_int_equal(report_format("text"), 0);
}

/* What passes and fails by turns, with the same image and recipe. */
static void
junit_tells_what_is_flaky(void **state)
{
	static const struct {
		/* F failed, P passed, O passed with another image; the last
		 * is this run */
		const char *past;
		size_t flaky, rerun;
	} rows[] = {
		{"PPP", 0, 0},
		{"FFP", 0, 0}, /* mended */
		{"PFF", 0, 0}, /* broken */
		{"PFP", 1, 0},
		{"FPF", 0, 1},
		{"PFPFPFPFP", 3, 0}, /* the last three */
		{"OFO", 0, 0},
		{"PFPPPPPPPPPP", 0, 0}, /* long ago */
		{"PPPPPPPPPPFP", 1, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_judgement past[16] = {0};
		size_t n = strlen(rows[i].past);
		bool passes = rows[i].past[n - 1] != 'F';
		struct fake_sample one = rebuilt_sample(1, "a", "x",
			passes ? VERDICT_IDENTICAL : VERDICT_UNBUILDABLE,
			passes);
		struct store s = {.run = a_run, .samples = &one, .n = 1};
		CLEANUP(own_free)
		char *xml = NULL;

		for (size_t k = 0; k < n; k++) {
			bool is_good = rows[i].past[k] != 'F';

			past[k] = (struct store_judgement){
				.run = (int64_t)k + 1,
				.verdict = is_good ? VERDICT_IDENTICAL
						   : VERDICT_UNBUILDABLE,
				.is_accepted = is_good,
				.image_sha256 = rows[i].past[k] == 'O' ? "0000"
								       : "cccc",
				.recipe_id = "dddd",
				.cause = "It broke. It did.",
			};
		}
		one.past = past;
		write_report(&s, *state);
		xml = read_all(*state, "junit.xml");
		expect_valid_junit(xml, schema);
		if (count(xml,
			    "<flakyFailure type=\"unbuildable\" message=\"run") !=
				rows[i].flaky ||
			count(xml,
				"<rerunFailure type=\"unbuildable\" message=\"run") !=
				rows[i].rerun)
			fail_msg("%s: %s", rows[i].past, xml);
	}
}

/* ---- JSON ---- */

static void
json_has_all_of_it(void **state)
{
	struct fake_sample room[8];
	struct store s;
	struct err e = {0};
	CLEANUP(own_free)
	char *text = NULL;
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	const struct jdoc *images, *motd;

	make_run(&s, room);
	write_report(&s, *state);
	text = read_all(*state, "report.json");
	doc = jdoc_parse(slice_of(text), &e);
	assert_non_null(doc);
	assert_int_equal(jdoc_int(jdoc_get(jdoc_get(doc, "run"), "id"), 0), 7);
	assert_true(slice_is(
		jdoc_str(jdoc_at(jdoc_get(jdoc_get(doc, "run"), "corpora"), 1)),
		"b.c.corpus"));
	images = jdoc_get(doc, "images");
	assert_int_equal(jdoc_len(images), 8);
	motd = jdoc_at(images, 2);
	assert_true(slice_is(jdoc_str(jdoc_get(motd, "verdict")), "different"));
	assert_int_equal(jdoc_len(jdoc_get(motd, "differences")), 4);
	assert_int_equal(jdoc_int(jdoc_get(motd, "difference_count"), 0), 30);
	assert_int_equal(
		jdoc_int(jdoc_get(jdoc_get(motd, "rebuilt"), "built"), 0), 1);
	assert_int_equal(
		jdoc_int(jdoc_get(jdoc_get(motd, "rebuilt"), "valid"), 0), 41);
	assert_int_equal(jdoc_len(jdoc_get(motd, "channels")), 2);
	assert_int_equal(
		jdoc_type(jdoc_get(jdoc_at(jdoc_get(motd, "channels"), 1),
			"introduction")),
		JDOC_NULL);
	assert_true(jdoc_bool(
		jdoc_get(jdoc_at(jdoc_get(motd, "packages"), 1), "propagated"),
		false));
	assert_int_equal(
		jdoc_type(jdoc_get(jdoc_at(images, 7), "verdict")), JDOC_NULL);
}

/* ---- pages ---- */

static void
pages_link_and_say_all(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *index = NULL;
	CLEANUP(own_free)
	char *page = NULL;
	CLEANUP(own_free)
	char *log = NULL;

	make_run(&s, room);
	write_report(&s, *state);
	index = read_all(*state, "index.html");
	assert_non_null(strstr(index, "3 of 8 images came out the same"));
	assert_non_null(strstr(index,
		"<b>5 not accepted</b>, "
		"<b>1 regression</b>"));
	assert_non_null(strstr(index, "href=\"images/motd.html\""));
	assert_non_null(strstr(index, "was identical in run 6"));
	assert_int_equal(count(index, "<tr data-v="), 8);
	page = read_all(*state, "images/motd.html");
	assert_non_null(
		strstr(page, "1 file outside the store. It was added."));
	assert_non_null(strstr(page, "Ask its author."));
	assert_non_null(strstr(page,
		"1111111111111111111111111111111111111111</code>"
		" <time class=\"sub\">2001-09-09</time></td>"));
	assert_int_equal(count(page, "<time class=\"sub\">"), 1);
	assert_non_null(strstr(page, "(specifications-&gt;manifest &#39;())"));
	assert_non_null(strstr(page,
		"<summary><code>gnu/store/a-hello-2.12/</code> "
		"<span class=\"sub\">hello 2.12</span> "
		"<span class=\"count\">2</span></summary>\n<ul>\n"
		"<li><details open><summary><code>bin/</code> "
		"<span class=\"count\">1</span></summary>\n<ul>\n"
		"<li><span class=\"kind\">contents</span> "
		"<code>hello</code>"));
	assert_non_null(strstr(page, "<code>etc/</code>"));
	assert_non_null(strstr(page, "26 more were counted alone"));
	log = read_all(*state, "logs/motd.log");
	assert_string_equal(log, "building\nbuilt\n");
	assert_false(has(*state, "logs/bare.log"));
}

static void
page_shows_first_differences(void **state)
{
	static struct difference many[PAGE_DIFFERENCES_MAX + 2];
	struct fake_sample one;
	struct store s = {.run = a_run, .samples = &one, .n = 1};

	for (size_t n = PAGE_DIFFERENCES_MAX; n <= PAGE_DIFFERENCES_MAX + 1;
		n++) {
		CLEANUP(own_free)
		char *page = NULL;

		for (size_t i = 0; i < n; i++)
			many[i] = (struct difference){.path = "etc/x",
				.kind = "mode",
				.detail = "m",
				.offset = -1};
		one = rebuilt_sample(1, "a", "x", VERDICT_DIFFERENT, false);
		one.differences = many;
		one.a.differences = (int64_t)n;
		write_report(&s, *state);
		page = read_all(*state, "images/x.html");
		assert_int_equal(
			count(page, "<code>x</code>"), PAGE_DIFFERENCES_MAX);
		assert_int_equal(count(page, "The first 500;"),
			n - PAGE_DIFFERENCES_MAX);
	}
}

/* A log is cut between characters, and the file beside the page is whole. */
static void
page_has_head_and_tail_of_a_log(void **state)
{
	struct fake_sample one =
		rebuilt_sample(1, "a", "x", VERDICT_IDENTICAL, true);
	struct store s = {.run = a_run, .samples = &one, .n = 1};
	CLEANUP(buf_fini)
	struct buf log = {0};
	CLEANUP(own_free)
	char *page = NULL;
	CLEANUP(own_free)
	char *file = NULL;

	buf_str(&log, "BEGIN ");
	while (log.n < 3 * PAGE_LOG_MAX)
		buf_str(&log, "ä€𝄞");
	buf_str(&log, " END");
	one.log = log.p;
	write_report(&s, *state);
	page = read_all(*state, "images/x.html");
	assert_true(strlen(page) < 2 * PAGE_LOG_MAX);
	assert_non_null(strstr(page, "BEGIN ä€𝄞"));
	assert_non_null(strstr(page, "ä€𝄞 END</pre>"));
	assert_non_null(strstr(page, "bytes are left out here."));
	assert_null(strstr(page, "\\x"));
	file = read_all(*state, "logs/x.log");
	assert_string_equal(file, log.p);
}

/* ---- hostile text ---- */

static void
expect_clean(const char *folder, const char *name)
{
	CLEANUP(own_free)
	char *text = read_all(folder, name);
	CLEANUP(buf_fini)
	struct buf again = {0};

	assert_true(text_is_utf8(slice_of(text)));
	text_clean(&again, slice_of(text), TEXT_MANY_LINES);
	assert_string_equal(buf_text(&again), text);
}

static void
hostile_text_stays_text(void **state)
{
	static const struct store_channel ch[] = {
		{HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE,
			INT64_C(253402300799)},
		{0}};
	static const struct store_package pa[] = {
		{HOSTILE, HOSTILE, HOSTILE, HOSTILE, 3, HOSTILE, HOSTILE}, {0}};
	static const struct store_layer la[] = {
		{HOSTILE, 1, HOSTILE, -1, -1}, {0}};
	static const struct forgiven fo[] = {{HOSTILE, UINT64_MAX}, {0}};
	static const struct difference di[] = {
		{.path = HOSTILE,
			.store_item = HOSTILE,
			.package = HOSTILE,
			.kind = HOSTILE,
			.detail = HOSTILE,
			.offset = INT64_MAX,
			.why = HOSTILE,
			.image_part = {HOSTILE, sizeof(HOSTILE) - 1},
			.rebuilt_part = {"x", 1},
			.part_at = INT64_MAX},
		{0}};
	static const char *const texts[] = {HOSTILE, NULL};
	struct fake_sample one = {
		.a = {.sample = {1, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE,
			      HOSTILE},
			true,
			VERDICT_DIFFERENT,
			false,
			true,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			INT64_MAX,
			INT64_MAX,
			HOSTILE,
			HOSTILE,
			INT64_MAX,
			HOSTILE,
			HOSTILE,
			-1,
			-1,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			HOSTILE,
			true,
			true,
			1,
			1,
			1,
			1,
			HOSTILE,
			HOSTILE,
			1,
			HOSTILE,
			1,
			1,
			1,
			1,
			HOSTILE,
			1},
		.channels = ch,
		.packages = pa,
		.layers = la,
		.forgiven = fo,
		.differences = di,
		.differing = texts,
		.missing = texts,
		.guessed = texts,
		.notes = texts,
		.commands = texts,
		.built = texts,
		.log = HOSTILE,
	};
	struct store s = {
		.run = {1, 1, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE,
			HOSTILE, HOSTILE, HOSTILE},
		.samples = &one,
		.n = 1,
	};
	CLEANUP(buf_fini)
	struct buf file = {0};
	CLEANUP(own_free)
	char *page_name = NULL;
	CLEANUP(own_free)
	char *xml = NULL;
	CLEANUP(own_free)
	char *index = NULL;
	CLEANUP(own_free)
	char *page = NULL;
	CLEANUP(own_free)
	char *json = NULL;
	CLEANUP(own_free)
	char *terminal = print_report(&s, 0);
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct err e = {0};

	write_report(&s, *state);
	report_file(&file, HOSTILE);
	page_name = xasprintf("images/%s.html", buf_text(&file));
	expect_clean(*state, "junit.xml");
	expect_clean(*state, "report.json");
	expect_clean(*state, "verdicts.csv");
	expect_clean(*state, "index.html");
	expect_clean(*state, page_name);
	xml = read_all(*state, "junit.xml");
	expect_valid_junit(xml, schema);
	/* Only ours are attachments: those of the page and the log. */
	*strstr(xml, "</system-out>") = '\0';
	assert_int_equal(
		count(strstr(xml, "<system-out>"), "[[ATTACHMENT|"), 2);
	json = read_all(*state, "report.json");
	doc = jdoc_parse(slice_of(json), &e);
	assert_non_null(doc);
	index = read_all(*state, "index.html");
	page = read_all(*state, page_name);
	assert_null(strstr(index, "<img"));
	assert_null(strstr(page, "<img"));
	assert_int_equal(count(index, "</script>"), 1);
	assert_int_equal(count(page, "</script>"), 1);
	assert_null(strchr(terminal, '\033'));
	assert_true(text_is_utf8(slice_of(terminal)));
}

static void
a_line_of_ten_megabytes_is_no_trouble(void **state)
{
	struct fake_sample one =
		rebuilt_sample(1, "a", "x", VERDICT_UNBUILDABLE, false);
	struct store s = {.run = a_run, .samples = &one, .n = 1};
	size_t n = 10 << 20;
	CLEANUP(own_free)
	char *line = xmalloc(n + 1);
	CLEANUP(own_free)
	char *xml = NULL;

	memset(line, '<', n);
	line[n] = '\0';
	one.log = one.a.cause = one.a.advice = line;
	one.a.failed_lines = one.a.failed_drv = line;
	one.a.command = one.a.channels_scm = one.a.image_path = line;
	write_report(&s, *state);
	xml = read_all(*state, "junit.xml");
	expect_valid_junit(xml, schema);
	assert_true(strlen(xml) < 8 * 4 * (64 << 10));
}

/* ---- the folder ---- */

static void
same_database_same_bytes(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *old = xasprintf("%s/old", (char *)*state);
	CLEANUP(own_free)
	char *new = xasprintf("%s/new", (char *)*state);
	CLEANUP(own_free)
	char *command = xasprintf("diff -r '%s' '%s'", old, new);

	make_run(&s, room);
	/* The folder's own name stands in the attachments. */
	write_report(&s, new);
	assert_int_equal(rename(new, old), 0);
	assert_int_equal(setenv("TZ", "Asia/Kolkata", 1), 0);
	write_report(&s, new);
	assert_int_equal(unsetenv("TZ"), 0);
	assert_int_equal(system(command), 0);
}

static void
pages_of_images_that_are_gone_go(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *mine = path_join(*state, "mine.txt");
	struct err e;

	make_run(&s, room);
	write_report(&s, *state);
	assert_int_equal(aside_write(mine, "x", 1, &e), 0);
	assert_true(has(*state, "images/motd.html"));
	s.n = 2;
	write_report(&s, *state);
	assert_false(has(*state, "images/motd.html"));
	assert_false(has(*state, "logs/motd.log"));
	assert_true(has(*state, "images/same.html"));
	assert_true(has(*state, "mine.txt"));
}

static void
a_folder_of_somebody_else_is_left_alone(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *images = path_join(*state, "images");
	CLEANUP(own_free)
	char *photo = path_join(images, "photo.jpg");
	struct err e = {0};

	make_run(&s, room);
	assert_int_equal(mkdir(images, 0777), 0);
	assert_int_equal(aside_write(photo, "x", 1, &e), 0);
	assert_int_equal(report_write(&s, 0, *state, &e), -1);
	assert_int_equal(e.kind, ERR_POLICY);
	assert_true(path_exists(photo));
	assert_int_equal(unlink(photo), 0);
	/* An empty one may go. */
	write_report(&s, *state);
}

static size_t
entries(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void
a_failure_leaves_the_earlier_report(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *before = NULL;
	CLEANUP(own_free)
	char *after = NULL;
	struct err e = {0};

	make_run(&s, room);
	write_report(&s, *state);
	before = read_all(*state, "index.html");
	assert_int_equal(entries(*state), 10);
	s.broken = 3;
	assert_int_equal(report_write(&s, 0, *state, &e), -1);
	assert_string_equal(e.text, "report of 'motd': disk on fire");
	after = read_all(*state, "index.html");
	assert_string_equal(before, after);
	assert_true(has(*state, "images/motd.html"));
	assert_int_equal(entries(*state), 10);
}

static void
a_run_that_is_not_there(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *folder = path_join(*state, "out");
	struct err e = {0};

	make_run(&s, room);
	assert_int_equal(report_write(&s, 3, folder, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_false(path_exists(folder));
}

static void
an_empty_run_has_a_report(void **state)
{
	struct store s = {.run = a_run};
	CLEANUP(own_free)
	char *xml = NULL;
	CLEANUP(own_free)
	char *text = print_report(&s, 0);

	write_report(&s, *state);
	xml = read_all(*state, "junit.xml");
	expect_valid_junit(xml, schema);
	assert_non_null(strstr(text, "0 images: none"));
}

/* ---- the terminal ---- */

static void
table_for_a_terminal(void **state)
{
	struct fake_sample room[8];
	struct store s;
	CLEANUP(own_free)
	char *plain = NULL;
	CLEANUP(own_free)
	char *coloured = NULL;

	(void)state;
	make_run(&s, room);
	plain = print_report(&s, 0);
	coloured = print_report(&s, 1);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(coloured, "\033[31mdifferent\033[0m"));
	assert_non_null(strstr(plain,
		"different         motd   "
		"1 file outside the store\n"));
	assert_non_null(
		strstr(plain, "same-contents     worse  regression: \n"));
	assert_non_null(strstr(plain,
		"8 images: 1 identical, 2 same-contents, 1 different, "
		"1 unbuildable, 1 no-provenance, 1 unreadable, 1 unjudged\n"));
	assert_non_null(strstr(plain,
		"5 of 8 did not reach same-contents, or what the corpus "
		"expects; 1 regression.\n"));
	s.n = 2;
	free(STEAL(plain));
	plain = print_report(&s, 0);
	assert_non_null(strstr(plain, "Every image reached same-contents"));
}

/* Ten minutes to read both images, however long it may look at them. */
static void
diffoscope_has_its_time_and_that_to_read(void **state)
{
	(void)state;
	assert_int_equal(deeper_deadline_s(0), 900);
	assert_int_equal(deeper_deadline_s(300), 900);
	assert_int_equal(deeper_deadline_s(2), 602);
}

int
main(void)
{
#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(junit_has_a_suite_a_collection_and_its_counts),
		IN_FOLDER(junit_says_verdict_cause_differences_advice),
		IN_FOLDER(junit_puts_attachments_where_jenkins_keeps_them),
		IN_FOLDER(junit_shows_twenty_differences),
		IN_FOLDER(junit_for_strict_readers),
		IN_FOLDER(junit_tells_what_is_flaky),
		IN_FOLDER(json_has_all_of_it),
		IN_FOLDER(pages_link_and_say_all),
		IN_FOLDER(page_shows_first_differences),
		IN_FOLDER(page_has_head_and_tail_of_a_log),
		IN_FOLDER(hostile_text_stays_text),
		IN_FOLDER(a_line_of_ten_megabytes_is_no_trouble),
		IN_FOLDER(same_database_same_bytes),
		IN_FOLDER(pages_of_images_that_are_gone_go),
		IN_FOLDER(a_folder_of_somebody_else_is_left_alone),
		IN_FOLDER(a_failure_leaves_the_earlier_report),
		IN_FOLDER(a_run_that_is_not_there),
		IN_FOLDER(an_empty_run_has_a_report),
		cmocka_unit_test(table_for_a_terminal),
		cmocka_unit_test(diffoscope_has_its_time_and_that_to_read),
	};
#undef IN_FOLDER

	return cmocka_run_group_tests(tests, NULL, NULL);
}
