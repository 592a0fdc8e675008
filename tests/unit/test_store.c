/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>

#include "base/aside.h"
#include "store_sample.h"

#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define VERDICT_LINE(name)                                            \
	"{\"r\":\"verdict\",\"verdict\":\"" name "\",\"class\":null," \
	"\"cause\":null,\"advice\":null,\"started_s\":1,\"elapsed_ms\":2}\n"
#define SOURCE_LINE "{\"r\":\"source\",\"path\":\"/x\"}\n"
#define IMAGE_LINE(lines)                                          \
	"{\"r\":\"image\",\"sha256\":\"" D64 "\",\"bytes\":1,"     \
	"\"format\":\"docker-archive\",\"compression\":\"gzip\","  \
	"\"config_digest\":\"" D64 "\",\"tags\":[],\"entries\":1," \
	"\"items\":1,\"lines\":" lines "}\n"
#define ITEM_LINE(files)                                           \
	"{\"r\":\"item\",\"name\":\"a-b\",\"digest\":\"" D64 "\"," \
	"\"bytes\":1,\"files\":" files "}\n"
#define FILE_LINE                                                     \
	"{\"r\":\"file\",\"path\":\"x\",\"type\":\"f\",\"mode\":292," \
	"\"size\":1,\"sha256\":\"" D64 "\"}\n"
#define CHANNELS_LINE "{\"r\":\"channels\",\"v\":[]}\n"
#define REBUILT_LINE(digest)                                        \
	"{\"r\":\"rebuilt\",\"sha256\":\"" digest "\",\"bytes\":1," \
	"\"compression\":\"gzip\",\"config_digest\":\"" D64 "\"}\n"
#define COMPARISON_LINE(total) \
	"{\"r\":\"comparison\",\"total\":" total ",\"packages\":0}\n"
#define DIFFERENCE_LINE                                           \
	"{\"r\":\"difference\",\"path\":\"x\",\"kind\":\"mode\"," \
	"\"detail\":\"\"}\n"

/* ---- opening ---- */

static void
a_missing_database_is_made_or_absent(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;

	assert_int_equal(store_open(p->db, STORE_READ, &s, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_null(s);
	assert_false(path_exists(p->db));
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	assert_int_equal(store_run_get(s, 0, &run, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	store_close(STEAL(s));
	OK(store_open(p->db, STORE_READ, &s, &e));
	assert_int_equal(ask(p, "PRAGMA user_version"), 4);
	assert_int_equal(ask(p, "PRAGMA application_id"), 0x55424c44);
	assert_int_equal(ask(p,
				 "SELECT journal_mode = 'wal' FROM"
				 " pragma_journal_mode"),
		1);
	assert_int_equal(ask(p, "SELECT count(*) FROM verdict"), VERDICT_COUNT);
	assert_int_equal(ask(p,
				 "SELECT count(*) FROM pragma_table_list WHERE"
				 " type = 'table' AND NOT strict AND name NOT"
				 " LIKE 'sqlite_%'"),
		0);
}

static void
expect_refused(const struct place *p, enum err_kind kind, const char *text)
{
	for (int mode = STORE_WRITE; mode <= STORE_READ; mode++) {
		struct store *s = NULL;
		struct err e = {0};

		assert_int_equal(
			store_open(p->db, (enum store_mode)mode, &s, &e), -1);
		assert_null(s);
		assert_int_equal(e.kind, kind);
		assert_non_null(strstr(e.text, p->db));
		if (!strstr(e.text, text))
			fail_msg("\"%s\" has no \"%s\"", e.text, text);
	}
}

/* To be read alone, it is left as it is. */
static void
expect_older(const struct place *p)
{
	struct store *s = NULL;
	struct err e = {0};

	assert_int_equal(store_open(p->db, STORE_READ, &s, &e), -1);
	assert_int_equal(e.kind, ERR_POLICY);
	assert_non_null(strstr(e.text, "of version 1"));
}

static void
a_newer_database_is_refused(void **state)
{
	const struct place *p = *state;
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	store_close(s);
	ask(p, "PRAGMA user_version = 5");
	expect_refused(p, ERR_POLICY, "newer");
	assert_int_equal(ask(p, "PRAGMA user_version"), 5);
}

/* Version 1 had no depth of a rebuild, and no verdict same-recipe. */
static void
an_older_database_is_brought_up(void **state)
{
	static const char *const back[] = {
		"DROP VIEW judgement",
		"DROP TABLE skip",
		"DROP TABLE basis",
		"DROP TABLE trial",
		"DROP TABLE shard",
		"DROP TABLE excerpt",
		"DROP TABLE commit_date",
		"CREATE VIEW judgement AS SELECT 1",
		"ALTER TABLE rebuild DROP COLUMN depth",
		"ALTER TABLE rebuild DROP COLUMN examined",
		"ALTER TABLE rebuild DROP COLUMN unstable",
		"DELETE FROM verdict WHERE name = 'same-recipe'",
		"UPDATE verdict SET rank = rank - 1 WHERE rank > "
		"3",
		"INSERT INTO run (started_s, unblend_version, "
		"guix_version, host, kernel, store_fs, accept, "
		"corpora, depth) VALUES (1, '0', '', 'h', 'k', "
		"'f', 'same-inputs', '', 'pack')",
		"INSERT INTO sample (run_id, seq, name, "
		"collection, source, tags) VALUES (1, 1, 'n', "
		"'c', 's', '')",
		"INSERT INTO attempt (sample_id, verdict, "
		"started_s, elapsed_ms, differences, "
		"packages_differing) VALUES (1, 'same-inputs', 1, "
		"1, 1, 1)",
		"INSERT INTO rebuild (sample_id, ended, "
		"is_checked, is_stable, built, substituted, "
		"valid, downloaded, elapsed_ms) VALUES (1, "
		"'done', 0, 0, 1, 0, 0, 0, 1)",
		"PRAGMA user_version = 1",
	};
	const struct place *p = *state;
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	store_close(STEAL(s));
	for (size_t i = 0; i < ARRAY_LEN(back); i++)
		ask(p, back[i]);
	expect_older(p);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	store_close(STEAL(s));
	assert_int_equal(ask(p, "PRAGMA user_version"), 4);
	assert_int_equal(ask(p, "SELECT count(*) FROM verdict"), VERDICT_COUNT);
	assert_int_equal(ask(p,
				 "SELECT count(*) FROM sqlite_schema"
				 " WHERE name IN ('skip', 'basis', 'trial',"
				 " 'shard', 'excerpt', 'commit_date')"),
		6);
	assert_int_equal(
		ask(p, "SELECT rank FROM judgement"), VERDICT_SAME_INPUTS);
	assert_int_equal(ask(p, "SELECT is_accepted FROM judgement"), 1);
	assert_int_equal(
		ask(p, "SELECT depth = 'pack' AND examined = 0 FROM rebuild"),
		1);
	assert_int_equal(
		ask(p, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

static void
other_databases_and_files_are_refused(void **state)
{
	const struct place *p = *state;
	struct err e = {0};

	ask(p, "CREATE TABLE t (x)");
	expect_refused(p, ERR_HOST, "no database of unblend");
	assert_int_equal(ask(p, "SELECT count(*) FROM sqlite_schema"), 1);
	ask(p, "DROP TABLE t");
	ask(p, "PRAGMA application_id = 7");
	expect_refused(p, ERR_HOST, "0x00000007");
	OK(aside_write(p->db,
		"no database at all, but long enough to be"
		" read as one ..........................."
		".........................................",
		120, &e));
	expect_refused(p, ERR_HOST, "no database of unblend");
}

/* A creation that was cut leaves a file without anything in it. */
static void
an_empty_file_becomes_a_database(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};

	OK(aside_write(p->db, "", 0, &e));
	assert_int_equal(store_open(p->db, STORE_READ, &s, &e), -1);
	assert_int_equal(e.kind, ERR_HOST);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	assert_true(is_whole(p));
}

static void
a_second_writer_is_told_of_the_first(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *first = NULL;
	struct store *second = NULL;
	CLEANUP(own_free)
	char *other = path_join(p->folder, "other.db");
	CLEANUP(own_free)
	char *pid = xasprintf("(pid %ld)", (long)getpid());
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &first, &e));
	assert_int_equal(store_open(p->db, STORE_WRITE, &second, &e), -1);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, pid));
	assert_non_null(strstr(e.text, p->db));
	/* By another name it is the same file. */
	assert_int_equal(symlink(p->db, other), 0);
	assert_int_equal(store_open(other, STORE_WRITE, &second, &e), -1);
	assert_non_null(strstr(e.text, pid));
	OK(store_open(p->db, STORE_READ, &second, &e));
	store_close(STEAL(second));
	store_close(STEAL(first));
	OK(store_open(p->db, STORE_WRITE, &first, &e));
}

static void
a_reader_cannot_write(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run = run_sample();

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	store_close(STEAL(s));
	OK(store_open(p->db, STORE_READ, &s, &e));
	assert_int_equal(store_run_begin(s, &run, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
}

/* ---- runs and verdicts ---- */

static int
count_up(void *arg, const struct store_attempt *a, struct err *e)
{
	(void)a;
	(void)e;
	++*(int *)arg;
	return 0;
}

static void
a_report_sees_one_moment(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *writer = NULL;
	CLEANUP(own_store)
	struct store *reader = NULL;
	struct err e = {0};
	struct store_run run;
	struct store_sample more = {.seq = 2,
		.name = "b",
		.collection = "a",
		.source = "x",
		.tags = ""};
	int n = 0;

	OK(store_open(p->db, STORE_WRITE, &writer, &e));
	add_sample(writer, &run, "a", NULL);
	OK(store_open(p->db, STORE_READ, &reader, &e));
	OK(store_read_begin(reader, &e));
	OK(store_read_begin(reader, &e));
	store_read_end(reader);
	OK(store_sample_add(writer, run.id, &more, &e));
	OK(store_attempts(reader, run.id, count_up, &n, &e));
	assert_int_equal(n, 1);
	store_read_end(reader);
	OK(store_attempts(reader, run.id, count_up, &n, &e));
	assert_int_equal(n, 1 + 2);

	/* The writer too, which then does not write. */
	OK(store_read_begin(writer, &e));
	assert_int_equal(store_run_end(writer, run.id, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
	store_read_end(writer);
	OK(store_run_end(writer, run.id, &e));
	OK(store_run_get(reader, run.id, &run, &e));
	assert_true(run.ended_s > 1000);
	assert_string_equal(run.corpora, "a.corpus\nb.corpus");
}

static int
keep_attempt(void *arg, const struct store_attempt *a, struct err *e)
{
	struct store_attempt *out = arg;

	(void)e;
	*out = *a;
	/* Borrowed: only what the tests look at, in text that stays. */
	out->last_verdict = NULL;
	if (a->last_verdict) {
		enum verdict v;

		assert_true(verdict_parse(a->last_verdict, &v));
		out->last_verdict = verdict_name(v);
	}
	return 0;
}

static struct store_attempt
judge(struct store *s, const char *name, const char *expect,
	enum verdict verdict)
{
	struct store_attempt a = {0};
	struct store_run run;
	struct err e = {0};
	int64_t sample = add_sample(s, &run, name, expect);

	OK(store_attempt_failed(s, sample, verdict, "c", "Why.", 5, &e));
	OK(store_attempts(s, run.id, keep_attempt, &a, &e));
	assert_true(a.is_judged);
	assert_int_equal(a.verdict, verdict);
	return a;
}

static void
expect_decides_else_the_line_of_the_run(void **state)
{
	static const struct {
		const char *expect;
		enum verdict verdict;
		bool is_accepted, is_regression;
	} cases[] = {
		/* the line is same-contents */
		{NULL, VERDICT_IDENTICAL, true, false},
		{NULL, VERDICT_SAME_CONTENTS, true, false},
		{NULL, VERDICT_SAME_INPUTS, false, false},
		{"identical", VERDICT_IDENTICAL, true, false},
		{"identical", VERDICT_SAME_IMAGE, false, true},
		{"unbuildable", VERDICT_DIFFERENT, true, false},
		{"unbuildable", VERDICT_UNBUILDABLE, true, false},
		{"unbuildable", VERDICT_UNAVAILABLE, false, true},
		{"identical", VERDICT_NOT_TRIED, false, false},
		{"not-tried", VERDICT_NOT_TRIED, true, false},
	};
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		/* A name of its own: without a history. */
		char name[] = {(char)('a' + i), '\0'};
		struct store_attempt a =
			judge(s, name, cases[i].expect, cases[i].verdict);

		if (a.is_accepted != cases[i].is_accepted ||
			a.is_regression != cases[i].is_regression)
			fail_msg("case %zu: accepted %d regression %d", i,
				a.is_accepted, a.is_regression);
	}
}

static void
history_is_of_the_name_and_of_earlier_runs(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_attempt a;
	struct store_run run;
	int64_t first;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	a = judge(s, "a", NULL, VERDICT_SAME_IMAGE);
	assert_null(a.last_verdict);
	assert_int_equal(a.last_run, 0);
	OK(store_run_get(s, 0, &run, &e));
	first = run.id;
	a = judge(s, "b", NULL, VERDICT_DIFFERENT);
	assert_null(a.last_verdict);
	/* Neither a machine's failure nor what was not judged is history. */
	a = judge(s, "a", NULL, VERDICT_NOT_TRIED);
	assert_string_equal(a.last_verdict, "same-image");
	add_sample(s, &run, "a", NULL);
	a = judge(s, "a", NULL, VERDICT_IDENTICAL);
	assert_string_equal(a.last_verdict, "same-image");
	assert_int_equal(a.last_run, first);
	a = judge(s, "a", NULL, VERDICT_DIFFERENT);
	assert_string_equal(a.last_verdict, "identical");
	/* What came later does not change an old report. */
	OK(store_attempts(s, first, keep_attempt, &a, &e));
	assert_null(a.last_verdict);
}

static void
counts_are_of_verdicts(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;
	int64_t counts[VERDICT_COUNT], unjudged, unaccepted, sample;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "a", NULL);
	OK(store_attempt_failed(
		s, sample, VERDICT_TIMEOUT, NULL, "Why.", 1, &e));
	for (int i = 2; i <= 4; i++) {
		char name[] = {(char)('a' + i), '\0'};
		struct store_sample more = {.seq = i,
			.name = name,
			.collection = "a",
			.source = "x",
			.tags = ""};

		OK(store_sample_add(s, run.id, &more, &e));
		if (i < 4)
			OK(store_attempt_failed(s, more.id, VERDICT_IDENTICAL,
				NULL, NULL, 1, &e));
	}
	OK(store_counts(s, run.id, counts, &unjudged, &unaccepted, &e));
	assert_int_equal(counts[VERDICT_TIMEOUT], 1);
	assert_int_equal(counts[VERDICT_IDENTICAL], 2);
	assert_int_equal(counts[VERDICT_DIFFERENT], 0);
	assert_int_equal(unjudged, 1);
	assert_int_equal(unaccepted, 1);
}

static void
wrong_samples_are_refused(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;
	int64_t sample;
	struct store_sample same = {.seq = 2,
		.name = "a",
		.collection = "a",
		.source = "x",
		.tags = ""};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "a", NULL);
	assert_int_equal(store_sample_add(s, run.id, &same, &e), -1);
	same.name = "b";
	same.expect = "excellent";
	assert_int_equal(store_sample_add(s, run.id, &same, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	spool_write(p, VERDICT_LINE("timeout"));
	assert_int_equal(
		store_attempt_take(s, sample + 9, p->spool, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	assert_int_equal(store_attempt_take(s, sample, p->spool, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
	assert_int_equal(ask(p, "SELECT count(*) FROM attempt"), 1);
}

static void
a_batch_is_there_as_a_whole_or_not_at_all(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;
	int64_t sample;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	OK(store_batch_begin(s, &e));
	add_sample(s, &run, "a", NULL);
	assert_int_equal(ask(p, "SELECT count(*) FROM run"), 0);
	OK(store_batch_end(s, 0, &e));
	assert_int_equal(ask(p, "SELECT count(*) FROM sample"), 1);

	OK(store_batch_begin(s, &e));
	sample = add_sample(s, &run, "a", NULL);
	assert_int_equal(store_batch_end(s, -1, &e), -1);
	assert_int_equal(ask(p, "SELECT count(*) FROM run"), 1);

	/* Half an attempt does not stay for having been part of a batch. */
	spool_write(p, "{\"r\":\"text\",\"kind\":\"note\",\"text\":\"\"}\n");
	OK(store_batch_begin(s, &e));
	sample = add_sample(s, &run, "a", NULL);
	assert_int_equal(store_attempt_take(s, sample, p->spool, NULL, &e), -1);
	assert_int_equal(store_batch_end(s, 0, &e), -1);
	assert_int_equal(ask(p, "SELECT count(*) FROM run"), 1);
	assert_int_equal(rows(p), 0);
	add_sample(s, &run, "a", NULL);
	assert_int_equal(ask(p, "SELECT count(*) FROM run"), 2);
}

static void
text_is_cleaned_on_its_way_in(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;
	int64_t sample;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "a\x1b\n\xff", NULL);
	assert_int_equal(
		ask(p, "SELECT name = 'a#x1B#x0A\\xFF' FROM sample"), 1);
	/* A worker that does not clean is not believed to. */
	spool_write(p,
		"{\"r\":\"source\",\"path\":\"a\\u0000b\\u001b\"}\n"
		"{\"r\":\"text\",\"kind\":\"note\","
		"\"text\":\"a\\nb\\u202e\"}\n" VERDICT_LINE("timeout"));
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	assert_int_equal(ask(p,
				 "SELECT image_path = 'a#x00b#x1B'"
				 " FROM attempt"),
		1);
	assert_int_equal(ask(p,
				 "SELECT text = 'a' || char(10) || 'b#x202E'"
				 " FROM attempt_text"),
		1);
}

/* ---- spools ---- */

/* Give a spool to a sample that has no attempt: 0, or -1 with the database as
 * it was. */
static int
load(struct place *p, struct store *s, struct err *e)
{
	struct store_run run;
	int64_t before;

	if (p->sample == 0)
		p->sample = add_sample(s, &run, "a", NULL);
	before = rows(p);
	if (store_attempt_take(s, p->sample, p->spool, NULL, e) < 0) {
		assert_int_equal(rows(p), before);
		return -1;
	}
	p->sample = 0;
	return 0;
}

static void
malformed_spools_leave_nothing(void **state)
{
	static const struct {
		const char *spool, *says;
	} cases[] = {
		{"", "line 0: ends without a verdict"},
		{SOURCE_LINE, "line 1: ends without a verdict"},
		{"x\n", "line 1: line 1 column"},
		{"[]\n", "line 1: is no object"},
		{"{}\n", "no known kind"},
		{"{\"r\":1}\n", "no known kind"},
		{"{\"r\":\"file\"}\n", "no known kind"},
		{"{\"r\":\"source\"}\n", "has no \"path\""},
		{"{\"r\":\"source\",\"path\":1}\n", "of another type"},
		{"{\"r\":\"source\",\"path\":null}\n", "of another type"},
		{"{\"r\":\"source\",\"r\":\"source\"}\n", "duplicate"},
		{SOURCE_LINE SOURCE_LINE, "line 2: a second \"source\""},
		{SOURCE_LINE "{\"r\":\"verdict\"}", "line 2: is cut"},
		{IMAGE_LINE("0") VERDICT_LINE("timeout"), "too early"},
		{VERDICT_LINE("timeout") SOURCE_LINE, "after the verdict"},
		{VERDICT_LINE("timeout") VERDICT_LINE("timeout"),
			"after the verdict"},
		{VERDICT_LINE("perfect"), "no verdict"},
		{VERDICT_LINE("timeout") "x", "is cut"},
		{SOURCE_LINE IMAGE_LINE("1"), "1 more lines expected"},
		{SOURCE_LINE IMAGE_LINE("-1"), "\"lines\" is -1"},
		{SOURCE_LINE IMAGE_LINE("16777217"), "\"lines\" is 16777217"},
		{SOURCE_LINE IMAGE_LINE("1.5"), "of another type"},
		{SOURCE_LINE IMAGE_LINE("1") VERDICT_LINE("timeout"),
			"part of the image"},
		{SOURCE_LINE IMAGE_LINE("1") FILE_LINE, "part of the image"},
		{SOURCE_LINE IMAGE_LINE("1") ITEM_LINE("1") FILE_LINE,
			"\"files\" is 1, allowed is 0 to 0"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE("1") ITEM_LINE("0"),
			"\"file\" expected"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE("1") FILE_LINE,
			"ends without a verdict"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path\":\"x\",\"type\":\"f\","
			      "\"mode\":4096,\"size\":1,\"sha256\":\"" D64
			      "\"}\n",
			"\"mode\" is 4096, allowed is 0 to 4095"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path\":\"x\",\"type\":\"ff\","
			      "\"mode\":1}\n",
			"\"type\" is none of"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path\":\"x\",\"type\":\"\","
			      "\"mode\":1}\n",
			"\"type\" is none of"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path\":\"x\",\"type\":\"l\","
			      "\"mode\":1}\n",
			"has no \"link\""},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path\":\"x\",\"type\":\"f\","
			      "\"mode\":1,\"size\":1,\"sha256\":\"0\"}\n",
			"no SHA-256"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path_hex\":\"f\",\"type\":\"d\","
			      "\"mode\":1}\n",
			"no hex"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"path_hex\":\"fg\",\"type\":\"d\","
			      "\"mode\":1}\n",
			"no hex"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"type\":\"d\",\"mode\":1}\n",
			"has no \"path\""},
		{"{\"r\":\"provenance\",\"profile\":\"p\",\"found\":\"\","
		 "\"version\":4,\"packages\":0}\n" VERDICT_LINE("timeout"),
			"\"channels\" expected"},
		{"{\"r\":\"provenance\",\"profile\":\"p\",\"found\":\"\","
		 "\"version\":4,\"packages\":1}\n" CHANNELS_LINE
		 "{\"r\":\"package\",\"parent\":0,\"depth\":1}\n",
			"\"parent\" is 0"},
		{"{\"r\":\"provenance\",\"profile\":\"p\",\"found\":\"\","
		 "\"version\":4,\"packages\":0}\n"
		 "{\"r\":\"channels\",\"v\":[1]}\n",
			"has no \"name\""},
		{"{\"r\":\"recipe\"}\n" CHANNELS_LINE, "has no \""},
		{"{\"r\":\"command\",\"text\":\"\"}\n", "too early"},
		{"{\"r\":\"rebuild\",\"ended\":\"well\"}\n",
			"none of the ends"},
		{"{\"r\":\"text\",\"kind\":\"x\",\"text\":\"\"}\n",
			"none of the kinds"},
		{"{\"r\":\"log\"}\n", "has no \"text\""},
		{"{\"r\":\"rebuilt-layer\"}\n", "too early"},
		{COMPARISON_LINE("0") DIFFERENCE_LINE VERDICT_LINE("timeout"),
			"more differences than it found"},
		{COMPARISON_LINE("-1"), "\"total\" is -1"},
		{COMPARISON_LINE("0") SOURCE_LINE, "\"source\" comes too late"},
		{SOURCE_LINE IMAGE_LINE("0")
				REBUILT_LINE("1123456789abcdef0123456789abcdef"
					     "0123456789abcdef0123456789abcdef")
					VERDICT_LINE("identical"),
			"the digests are not"},
	};
	struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		spool_write(p, cases[i].spool);
		if (load(p, s, &e) == 0)
			fail_msg("case %zu was taken", i);
		if (e.kind != ERR_INPUT || !strstr(e.text, cases[i].says))
			fail_msg("case %zu: kind %d: %s, not \"%s\"", i, e.kind,
				e.text, cases[i].says);
	}
	/* The same parts, whole. */
	spool_write(p,
		SOURCE_LINE IMAGE_LINE("3") ITEM_LINE("1") FILE_LINE ITEM_LINE(
			"0") REBUILT_LINE(D64) COMPARISON_LINE("1")
			DIFFERENCE_LINE VERDICT_LINE("identical"));
	OK(load(p, s, &e));
	assert_true(is_whole(p));
}

static void
a_spool_that_is_no_file_is_refused(void **state)
{
	struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	CLEANUP(own_free)
	char *target = path_join(p->folder, "target");
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	assert_int_equal(load(p, s, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	OK(aside_write(target, VERDICT_LINE("timeout"),
		strlen(VERDICT_LINE("timeout")), &e));
	assert_int_equal(symlink(target, p->spool), 0);
	assert_int_equal(load(p, s, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(unlink(p->spool), 0);
	assert_int_equal(mkfifo(p->spool, 0600), 0);
	assert_int_equal(load(p, s, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(unlink(p->spool), 0);
	assert_int_equal(mkdir(p->spool, 0700), 0);
	assert_int_equal(load(p, s, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(rmdir(p->spool), 0);
	assert_int_equal(rename(target, p->spool), 0);
	OK(load(p, s, &e));
}

/* ---- limits, both sides ---- */

/* head, then middle n times, then tail. */
struct repeated {
	const char *head, *middle, *tail;
	int64_t max; /* so often it is taken, and not once more */
	const char *says;
};

static void
write_repeated(const struct place *p, const struct repeated *r, int64_t n)
{
	FILE *f = fopen(p->spool, "w");

	assert_non_null(f);
	fputs(r->head, f);
	for (int64_t i = 0; i < n; i++)
		fputs(r->middle, f);
	fputs(r->tail, f);
	assert_int_equal(fclose(f), 0);
}

static void
each_limit_is_kept_from_both_sides(void **state)
{
	static const char end[] = VERDICT_LINE("timeout");
	static const struct repeated cases[] = {
		{"{\"r\":\"source\",\"path\":\"", "x",
			"\"}\n" VERDICT_LINE("timeout"), RECORD_WORD_MAX,
			"over 16384 bytes"},
		{"{\"r\":\"text\",\"kind\":\"note\",\"text\":\"", "x",
			"\"}\n" VERDICT_LINE("timeout"), RECORD_TEXT_MAX,
			"over 1048576 bytes"},
		/* as it is when it is clean */
		{"{\"r\":\"source\",\"path\":\"", "\\u0001",
			"\"}\n" VERDICT_LINE("timeout"), RECORD_WORD_MAX / 4,
			"over 16384 bytes"},
		{"", "{\"r\":\"text\",\"kind\":\"note\",\"text\":\"\"}\n", end,
			RECORD_TEXTS_MAX, "over 20000 texts"},
		{COMPARISON_LINE("99999"), DIFFERENCE_LINE, end,
			COMPARE_DIFFERENCES_MAX, "more differences than"},
		{COMPARISON_LINE("2") DIFFERENCE_LINE, DIFFERENCE_LINE, end, 1,
			"more differences than"},
		{COMPARISON_LINE("0"),
			"{\"r\":\"forgiven\",\"what\":\"x\",\"count\":1}\n",
			end, RECORD_FORGIVEN_MAX, "over 64 kinds"},
		{REBUILT_LINE(D64),
			"{\"r\":\"rebuilt-layer\",\"diff_id\":\"" D64 "\","
			"\"bytes\":1,\"entries\":1,"
			"\"compression\":\"none\"}\n",
			end, RECORD_LAYERS_MAX, "over 1024 layers"},
		{SOURCE_LINE "{\"r\":\"image\",\"sha256\":\"" D64
			     "\",\"bytes\":1,"
			     "\"format\":\"f\",\"compression\":\"none\","
			     "\"config_digest\":\"" D64 "\",\"tags\":[\"\"",
			",\"\"",
			"],\"entries\":0,\"items\":0,\"lines\":0}\n" VERDICT_LINE(
				"timeout"),
			RECORD_TAGS_MAX - 1, "at most 64"},
		{SOURCE_LINE "{\"r\":\"image\",\"sha256\":\"" D64
			     "\",\"bytes\":1,"
			     "\"format\":\"f\",\"compression\":\"none\","
			     "\"config_digest\":\"" D64 "\",\"tags\":[],"
			     "\"entries\":0,\"items\":0,\"lines\":0,"
			     "\"config_hex\":\"",
			"00", "\"}\n" VERDICT_LINE("timeout"),
			RECORD_CONFIG_MAX, "at most 1048576"},
		{SOURCE_LINE IMAGE_LINE("2") ITEM_LINE(
			 "1") "{\"r\":\"file\",\"type\":\"d\",\"mode\":1,"
			      "\"path_hex\":\"",
			"01", "\"}\n" VERDICT_LINE("timeout"), RECORD_PATH_MAX,
			"at most 4096"},
		{"{\"r\":\"provenance\",\"profile\":\"p\",\"found\":\"\","
		 "\"version\":4,\"packages\":0}\n"
		 "{\"r\":\"channels\",\"v\":[{\"name\":\"n\",\"url\":\"u\"}",
			",{\"name\":\"n\",\"url\":\"u\"}",
			"]}\n" VERDICT_LINE("timeout"), RECORD_CHANNELS_MAX - 1,
			"at most 256"},
	};
	struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_repeated(p, &cases[i], cases[i].max);
		if (load(p, s, &e) < 0)
			fail_msg("case %zu: %s", i, e.text);
		write_repeated(p, &cases[i], cases[i].max + 1);
		if (load(p, s, &e) == 0)
			fail_msg("case %zu was taken over its limit", i);
		if (e.kind != ERR_INPUT || !strstr(e.text, cases[i].says))
			fail_msg("case %zu: kind %d: %s", i, e.kind, e.text);
	}
}

/* A line of n bytes that says nothing of note, and then the verdict. */
static void
write_long_line(const struct place *p, size_t n)
{
	static const char begin[] = "{\"r\":\"log\",\"text\":\"a\"",
			  end[] = "}\n";
	CLEANUP(own_free)
	char *line = xmalloc(n);
	FILE *f = fopen(p->spool, "w");

	assert_non_null(f);
	memset(line, ' ', n);
	memcpy(line, begin, sizeof(begin) - 1);
	memcpy(line + n - (sizeof(end) - 1), end, sizeof(end) - 1);
	fwrite(line, 1, n, f);
	fputs(VERDICT_LINE("timeout"), f);
	assert_int_equal(fclose(f), 0);
}

static void
long_lines_and_spools_are_refused(void **state)
{
	struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	write_long_line(p, RECORD_LINE_MAX);
	OK(load(p, s, &e));
	write_long_line(p, RECORD_LINE_MAX + 1);
	assert_int_equal(load(p, s, &e), -1);
	assert_non_null(strstr(e.text, "longer than 16777216"));
	/* All zeros, and most of it a hole: too long a line, not too large. */
	assert_int_equal(truncate(p->spool, RECORD_SPOOL_MAX), 0);
	assert_int_equal(load(p, s, &e), -1);
	assert_non_null(strstr(e.text, "longer than 16777216"));
	assert_int_equal(truncate(p->spool, RECORD_SPOOL_MAX + 1), 0);
	assert_int_equal(load(p, s, &e), -1);
	assert_non_null(strstr(e.text, "at most 2147483648"));
}

static void
a_log_has_a_limit(void **state)
{
	struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	CLEANUP(own_free)
	char *piece = xmalloc(RECORD_LINE_MAX / 2 + 1);
	struct err e = {0};

	memset(piece, 'x', RECORD_LINE_MAX / 2);
	piece[RECORD_LINE_MAX / 2] = '\0';
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	for (int over = 0; over <= 1; over++) {
		FILE *f = fopen(p->spool, "w");

		assert_non_null(f);
		for (int i = 0; i < RECORD_LOG_TEXT_MAX / (RECORD_LINE_MAX / 2);
			i++)
			fprintf(f, "{\"r\":\"log\",\"text\":\"%s\"}\n", piece);
		if (over)
			fputs("{\"r\":\"log\",\"text\":\"x\"}\n", f);
		fputs(VERDICT_LINE("timeout"), f);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(load(p, s, &e), -over);
	}
	assert_non_null(strstr(e.text, "over 67108864 bytes"));
}

/* ---- what a machine may do ---- */

enum {
	MANY_FILES = 20000
};

static void
write_large(const struct place *p)
{
	FILE *f = fopen(p->spool, "w");

	assert_non_null(f);
	fprintf(f, SOURCE_LINE IMAGE_LINE("%d") ITEM_LINE("%d"), MANY_FILES + 1,
		MANY_FILES);
	for (int i = 0; i < MANY_FILES; i++)
		fprintf(f,
			"{\"r\":\"file\",\"path\":\"share/file-%d\","
			"\"type\":\"f\",\"mode\":292,\"size\":%d,"
			"\"sha256\":\"" D64 "\"}\n",
			i, i);
	fputs(VERDICT_LINE("timeout"), f);
	assert_int_equal(fclose(f), 0);
}

/* Killed by the kernel when the log of the database has grown to n bytes. */
static void
load_and_die(const struct place *p, int64_t sample, rlim_t n)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = {0, 0}, small = {n, n};
		struct store *s = NULL;
		struct err e = {0};

		/* What SIGXFSZ does to it no process can take back. */
		signal(SIGXFSZ, SIG_DFL);
		if (setrlimit(RLIMIT_CORE, &none) < 0 ||
			setrlimit(RLIMIT_FSIZE, &small) < 0 ||
			store_open(p->db, STORE_WRITE, &s, &e) < 0 ||
			store_attempt_take(s, sample, p->spool, NULL, &e) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
}

/* Killed when part of the transaction is in the files already: the next one
 * that opens the database finds nothing of it. */
static void
a_kill_in_the_middle_leaves_nothing(void **state)
{
	const struct place *p = *state;
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;
	int64_t sample;

	write_large(p);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "a", NULL);
	store_close(STEAL(s));
	for (rlim_t n = 256 << 10; n <= 1 << 20; n *= 2) {
		load_and_die(p, sample, n);
		/* As a reader finds it, then as the next writer does. */
		OK(store_open(p->db, STORE_READ, &s, &e));
		store_close(STEAL(s));
		assert_int_equal(rows(p), 0);
		assert_true(is_whole(p));
	}
	/* Its lock went with it, and the sample is free to be tried again. */
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	store_close(s);
	assert_int_equal(ask(p, "SELECT count(*) FROM item_file"), MANY_FILES);
	assert_true(is_whole(p));
}

/* Archived results in a folder where nothing can be made (for root there is
 * no such folder, and they are read as ever). */
static void
a_folder_without_write_permission_can_be_read(void **state)
{
	const struct place *p = *state;
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	add_sample(s, &run, "a", NULL);
	store_close(STEAL(s));
	assert_int_equal(chmod(p->folder, 0555), 0);
	OK(store_open(p->db, STORE_READ, &s, &e));
	OK(store_run_get(s, 0, &run, &e));
	assert_string_equal(run.host, "machine");
	store_close(s);
	assert_int_equal(chmod(p->folder, 0755), 0);
}

/* No room for the file to grow stands for a disk that is full. */
static void
no_room_is_told_and_harms_nothing(void **state)
{
	const struct place *p = *state;
	struct rlimit was, small;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;
	int64_t sample;

	write_large(p);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "a", NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 1 << 20;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(store_attempt_take(s, sample, p->spool, NULL, &e), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, p->db));
	assert_int_equal(rows(p), 0);
	assert_true(is_whole(p));
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	assert_true(is_whole(p));
}

int
main(void)
{
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_missing_database_is_made_or_absent),
		IN_PLACE(a_newer_database_is_refused),
		IN_PLACE(an_older_database_is_brought_up),
		IN_PLACE(other_databases_and_files_are_refused),
		IN_PLACE(an_empty_file_becomes_a_database),
		IN_PLACE(a_second_writer_is_told_of_the_first),
		IN_PLACE(a_reader_cannot_write),
		IN_PLACE(a_report_sees_one_moment),
		IN_PLACE(expect_decides_else_the_line_of_the_run),
		IN_PLACE(history_is_of_the_name_and_of_earlier_runs),
		IN_PLACE(counts_are_of_verdicts),
		IN_PLACE(wrong_samples_are_refused),
		IN_PLACE(a_batch_is_there_as_a_whole_or_not_at_all),
		IN_PLACE(text_is_cleaned_on_its_way_in),
		IN_PLACE(malformed_spools_leave_nothing),
		IN_PLACE(a_spool_that_is_no_file_is_refused),
		IN_PLACE(each_limit_is_kept_from_both_sides),
		IN_PLACE(long_lines_and_spools_are_refused),
		IN_PLACE(a_log_has_a_limit),
		IN_PLACE(a_folder_without_write_permission_can_be_read),
		IN_PLACE(a_kill_in_the_middle_leaves_nothing),
		IN_PLACE(no_room_is_told_and_harms_nothing),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
