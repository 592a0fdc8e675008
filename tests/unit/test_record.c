/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/aside.h"
#include "store_sample.h"

/* Digest that is n in every byte: its hex is easy to say. */
static struct digest
all(int n)
{
	struct digest d;

	memset(d.b, n, sizeof(d.b));
	return d;
}

static const char hex_11[] = "1111111111111111111111111111111111111111111111"
			     "111111111111111111";
static const char hex_22[] = "2222222222222222222222222222222222222222222222"
			     "222222222222222222";

/* An image with two items and three paths outside, one in odd bytes. */
struct sample_image {
	struct image image;
	struct layer layers[2];
	struct tree_entry entries[7];
	struct store_item items[2];
	const char *tags[1];
};

static void
sample_image(struct sample_image *s)
{
	*s = (struct sample_image){
		.layers = {{.name = "l0",
				   .diff_id = all(0xaa),
				   .compression = COMPRESSION_GZIP,
				   .size = 100,
				   .entries = 4},
			{.name = "l1",
				.diff_id = all(0xbb),
				.size = 50,
				.entries = 3}},
		.entries =
			{
				{.path = "", .type = TREE_DIR, .mode = 0755},
				{.path = "etc/\xff\n",
					.type = TREE_FILE,
					.mode = 0644,
					.size = 3,
					.sha256 = all(0x33),
					.mtime = -5,
					.uid = 7,
					.uname = "u",
					.xattrs = "user.a=00\n"},
				{.path = "gnu/store/aaa-one",
					.type = TREE_DIR,
					.mode = 0555},
				{.path = "gnu/store/aaa-one/bin",
					.type = TREE_LINK,
					.mode = 0777,
					.link = "to\x01"},
				{.path = "gnu/store/aaa-one/x",
					.type = TREE_FILE,
					.mode = 0444,
					.size = 12,
					.sha256 = all(0x44)},
				{.path = "gnu/store/bbb-two",
					.type = TREE_FILE,
					.mode = 0444,
					.size = 1,
					.sha256 = all(0x55)},
				{.path = "null",
					.type = TREE_CHAR,
					.mode = 0666,
					.dev_major = 1,
					.dev_minor = 3,
					.layer = 1},
			},
		.items = {{.name = "aaa-one",
				  .begin = 2,
				  .end = 5,
				  .digest = all(0x66),
				  .bytes = 12},
			{.name = "bbb-two",
				.begin = 5,
				.end = 6,
				.digest = all(0x77),
				.bytes = 1}},
		.tags = {"one:latest"},
	};
	s->image = (struct image){
		.format = "docker-archive",
		.path = "/images/a.tar.gz",
		.source = "/images/a.tar.gz",
		.sha256 = all(0x11),
		.size = 1234,
		.compression = COMPRESSION_GZIP,
		.config = {"{}\n", 3},
		.config_digest = all(0x22),
		.repo_tags = s->tags,
		.n_repo_tags = 1,
		.layers = s->layers,
		.n_layers = 2,
		.tree = {s->entries, 7},
		.items = s->items,
		.n_items = 2,
	};
}

static const struct channel channels[] = {
	{.name = "guix",
		.url = "https://git.example.org/guix.git",
		.branch = "master",
		.commit = "523bbfeb0000000000000000000000000000000f",
		.intro_commit = "9edb3f66fd807b096b48283debdcddccfea34bad",
		.intro_signer = "BBB0 2DDF",
		.is_named = true},
	{.name = "alice", .url = "https://x", .commit = "efb454e"},
};

static const struct package glibc = {.name = "glibc",
	.version = "2.39",
	.output = "out",
	.store_path = "/gnu/store/ccc-glibc-2.39"};
static const struct package *const needs[] = {&glibc};
static const size_t both[] = {0, 1};
static const struct transformation changes[] = {
	{"with-source", "a=b"}, {"tune", "x"}};
static const char *const others[] = {"(x . 1)"};
static const struct package hello = {.name = "hello",
	.version = "2.12",
	.output = "bin",
	.store_path = "/gnu/store/aaa-one",
	.propagated = needs,
	.n_propagated = 1,
	.channels = both,
	.n_channels = 2,
	.transformations = changes,
	.n_transformations = 2,
	.other_properties = others,
	.n_other_properties = 1};
/* Repeated, and it would go on for ever. */
static const struct package *const itself[1];
static const struct package again = {.name = "again",
	.version = "1",
	.output = "out",
	.store_path = "/gnu/store/ddd",
	.propagated = itself,
	.n_propagated = 1,
	.is_repeated = true};
static const struct package *const itself[1] = {&again};
static const struct package *const top[] = {&hello, &again};
static const char *const missing[] = {"whether grafts were on"};
static const char *const notes[] = {"first of two profiles"};
static const struct provenance provenance = {
	.profile = "/gnu/store/eee-profile",
	.profile_found = "the only one",
	.manifest_version = 4,
	.packages = top,
	.n_packages = 2,
	.channels = channels,
	.n_channels = 2,
	.missing = missing,
	.n_missing = 1,
	.notes = notes,
	.n_notes = 1,
};

static const char *const options[] = {"--format=docker", "--symlink=/a b=c"};
static const char *const guessed[] = {"-RR or -R"};

static struct recipe
sample_recipe(void)
{
	return (struct recipe){
		.channels_scm = "(list\n (channel))\n",
		.manifest_scm = "(specifications->manifest\n '())\n",
		.format = "docker",
		.options = options,
		.n_options = 2,
		.guessed = guessed,
		.n_guessed = 1,
		.profile = "/gnu/store/eee-profile",
		.channels = channels,
		.n_channels = 2,
		.id = all(0x88),
		.channels_id = all(0x99),
	};
}

static int
take_attempt(void *arg, const struct store_attempt *a, struct err *e)
{
	int *n = arg;

	(void)e;
	++*n;
	assert_true(a->is_judged);
	assert_int_equal(a->verdict, VERDICT_SAME_INPUTS);
	assert_false(a->is_accepted);
	assert_false(a->is_regression);
	assert_string_equal(a->cause, "hello differs.");
	assert_string_equal(a->advice, "Look.");
	assert_string_equal(a->class_, "contents");
	assert_int_equal(a->started_s, 77);
	assert_int_equal(a->elapsed_ms, 88);
	assert_string_equal(a->sample.name, "one");
	assert_string_equal(a->sample.tags, "nightly paper");
	assert_string_equal(a->image_sha256, hex_11);
	assert_string_equal(a->image_path, "/images/a.tar.gz");
	assert_int_equal(a->image_bytes, 1234);
	assert_string_equal(a->compression, "gzip");
	assert_string_equal(a->config_digest, hex_22);
	assert_int_equal(a->image_entries, 7);
	assert_int_equal(a->image_items, 2);
	assert_string_equal(a->profile, "/gnu/store/eee-profile");
	assert_string_equal(a->channel_set, "guix@523bbfe+alice@efb454e");
	assert_memory_equal(a->recipe_id, "888888", 6);
	assert_string_equal(a->channels_scm, "(list\n (channel))\n");
	assert_string_equal(
		a->manifest_scm, "(specifications->manifest\n '())\n");
	assert_string_equal(
		a->pack_options, "--format=docker '--symlink=/a b=c'");
	assert_string_equal(a->command, "guix time-machine");
	assert_string_equal(a->drv, "/gnu/store/p.drv");
	assert_string_equal(a->output, "/gnu/store/p");
	assert_string_equal(a->rebuilt_sha256, hex_22);
	assert_true(a->is_checked);
	assert_false(a->is_stable);
	assert_int_equal(a->built, 1);
	assert_int_equal(a->substituted, 2);
	assert_int_equal(a->valid, 3);
	assert_int_equal(a->downloaded, 4);
	assert_null(a->failed_drv);
	assert_int_equal(a->rebuild_ms, 9);
	assert_string_equal(a->depth, "packages");
	assert_int_equal(a->examined, 6);
	assert_int_equal(a->unstable, 5);
	assert_int_equal(a->differences, 3);
	assert_int_equal(a->packages_differing, 1);
	assert_null(a->last_verdict);
	return 0;
}

static int
take_channel(void *arg, const struct store_channel *c, struct err *e)
{
	int *n = arg;

	(void)e;
	if (++*n == 1) {
		assert_string_equal(c->name, "guix");
		assert_string_equal(c->branch, "master");
		assert_string_equal(c->intro_signer, "BBB0 2DDF");
		assert_string_equal(c->commit, channels[0].commit);
		assert_int_equal(c->date_s, 1000000000);
	} else {
		assert_string_equal(c->name, "alice");
		assert_null(c->branch);
		assert_null(c->intro_commit);
		assert_int_equal(c->date_s, -1);
	}
	return 0;
}

static int
take_package(void *arg, const struct store_package *p, struct err *e)
{
	static const struct {
		const char *name, *version, *output, *channels, *changes;
		int depth;
	} expected[] = {
		{"hello", "2.12", "bin", "guix alice",
			"with-source=a=b\ntune=x", 0},
		{"glibc", "2.39", "out", "", "", 1},
		{"again", "1", "out", "", "", 0},
	};
	int *n = arg;

	(void)e;
	assert_true(*n < 3);
	assert_string_equal(p->name, expected[*n].name);
	assert_string_equal(p->version, expected[*n].version);
	assert_string_equal(p->output, expected[*n].output);
	assert_string_equal(p->channels, expected[*n].channels);
	assert_string_equal(p->transformations, expected[*n].changes);
	assert_int_equal(p->depth, expected[*n].depth);
	++*n;
	return 0;
}

static int
take_layer(void *arg, const struct store_layer *l, struct err *e)
{
	static const char *const sides[] = {
		"image", "image", "rebuilt", "rebuilt"};
	int *n = arg;

	(void)e;
	assert_true(*n < 4);
	assert_string_equal(l->side, sides[*n]);
	assert_int_equal(l->position, *n % 2);
	assert_memory_equal(l->diff_id, *n % 2 ? "bbbb" : "aaaa", 4);
	assert_int_equal(l->bytes, *n % 2 ? 50 : 100);
	++*n;
	return 0;
}

static int
take_forgiven(void *arg, const struct forgiven *g, struct err *e)
{
	int *n = arg;

	(void)e;
	++*n;
	assert_string_equal(g->what, "member order");
	assert_int_equal(g->count, 5);
	return 0;
}

static int
take_difference(void *arg, const struct difference *d, struct err *e)
{
	int *n = arg;

	(void)e;
	if (++*n == 1) {
		assert_string_equal(d->path, "gnu/store/aaa-one/#x1B");
		assert_string_equal(d->store_item, "aaa-one");
		assert_string_equal(d->package, "hello@2.12");
		assert_string_equal(d->kind, "contents");
		assert_int_equal(d->offset, 42);
		assert_string_equal(d->why, "only time-stamp");
		assert_int_equal(d->part_at, 32);
		assert_int_equal(d->image_part.n, 3);
		assert_memory_equal(d->image_part.p, "a\0\xff", 3);
		assert_true(slice_is(d->rebuilt_part, "b"));
	} else {
		assert_null(d->store_item);
		assert_null(d->package);
		assert_int_equal(d->offset, -1);
		assert_null(d->why);
		assert_null(d->image_part.p);
	}
	return 0;
}

static int
take_text(void *arg, const char *text, struct err *e)
{
	(void)e;
	buf_printf(arg, "[%s]", text);
	return 0;
}

static void
expect_texts(
	struct store *s, int64_t sample, const char *kind, const char *expected)
{
	CLEANUP(buf_fini)
	struct buf b = {0};
	struct err e = {0};

	OK(store_texts(s, sample, kind, take_text, &b, &e));
	assert_string_equal(buf_text(&b), expected);
}

static void
record_all(const struct place *p, const char *log_path)
{
	static const char *const drvs[] = {"/gnu/store/1.drv"};
	static const char *const commands[] = {"guix pack -d", "guix build"};
	static struct forgiven forgiven[] = {{"member order", 5}};
	static struct difference differences[] = {
		{.path = "gnu/store/aaa-one/\x1b",
			.store_item = "aaa-one",
			.package = "hello@2.12",
			.kind = "contents",
			.detail = "byte 01, rebuilt 02",
			.offset = 42,
			.why = "only time-stamp",
			.image_part = {"a\0\xff", 3},
			.rebuilt_part = {"b", 1},
			.part_at = 32},
		{.path = "etc/x",
			.store_item = NULL,
			.package = NULL,
			.kind = "mode",
			.detail = "mode 0555, rebuilt 0755",
			.offset = -1},
	};
	static const char *const labels[] = {"hello@2.12"};
	struct commit_date dates[] = {{channels[0].commit, 1000000000}};
	struct sample_image image, rebuilt;
	struct recipe recipe = sample_recipe();
	struct rebuild rebuild = {
		.end = REBUILD_DONE,
		.drv = "/gnu/store/p.drv",
		.output = "/gnu/store/p",
		.guix_version = "1.5.0",
		.is_checked = true,
		.built = 1,
		.substituted = 2,
		.valid = 3,
		.downloaded = 4,
		.dates = dates,
		.n_dates = 1,
		.built_drvs = drvs,
		.n_built_drvs = 1,
		.log_path = log_path,
		.commands = commands,
		.n_commands = 2,
		.elapsed_ms = 9,
		.depth = DEPTH_PACKAGES,
		.examined = 6,
		.unstable = 5,
	};
	struct comparison comparison = {
		.forgiven = forgiven,
		.n_forgiven = 1,
		.differences = differences,
		.n_differences = 2,
		.total = 3,
		.packages = labels,
		.n_packages = 1,
	};
	struct record r;
	struct err e = {0};

	sample_image(&image);
	sample_image(&rebuilt);
	rebuilt.image.sha256 = all(0x22);
	OK(record_open(&r, p->spool, &e));
	record_image(&r, &image.image);
	record_provenance(&r, &provenance);
	record_recipe(&r, &recipe, "guix time-machine");
	record_rebuild(&r, &rebuild);
	record_comparison(&r, &rebuilt.image, &comparison);
	OK(record_verdict(&r, VERDICT_SAME_INPUTS, "contents", "hello differs.",
		"Look.", 77, 88, &e));
	record_drop(&r);
}

static void
what_is_recorded_is_read_back(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	CLEANUP(own_free)
	char *log = path_join(p->folder, "log");
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct err e = {0};
	struct store_run run;
	int64_t sample;
	int n = 0;

	OK(aside_write(log, "line\r\n\x1b[31mred \xc3\xa4\n", 18, &e));
	record_all(p, log);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "one", NULL);
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));

	OK(store_attempts(s, run.id, take_attempt, &n, &e));
	assert_int_equal(n, 1);
	n = 0;
	OK(store_channels(s, sample, take_channel, &n, &e));
	assert_int_equal(n, 2);
	n = 0;
	OK(store_packages(s, sample, take_package, &n, &e));
	assert_int_equal(n, 3);
	n = 0;
	OK(store_layers(s, sample, take_layer, &n, &e));
	assert_int_equal(n, 4);
	n = 0;
	OK(store_forgiven(s, sample, take_forgiven, &n, &e));
	assert_int_equal(n, 1);
	n = 0;
	OK(store_differences(s, sample, take_difference, &n, &e));
	assert_int_equal(n, 2);
	expect_texts(s, sample, "missing", "[whether grafts were on]");
	expect_texts(s, sample, "guessed", "[-RR or -R]");
	expect_texts(s, sample, "note", "[first of two profiles]");
	expect_texts(s, sample, "command", "[guix pack -d][guix build]");
	expect_texts(s, sample, "built-drv", "[/gnu/store/1.drv]");
	expect_texts(s, sample, "differing-package", "[hello@2.12]");
	OK(store_log(s, sample, &text, &e));
	assert_string_equal(buf_text(&text), "line\n#x1B[31mred \xc3\xa4\n");
	OK(store_run_get(s, 0, &run, &e));
	assert_string_equal(run.guix_version, "1.5.0");
	assert_true(is_whole(p));
}

/* The bytes of odd paths are kept exactly, beside text that can be shown. */
static void
odd_paths_keep_their_bytes(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct err e = {0};
	struct store_run run;

	record_all(p, NULL);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	OK(store_attempt_take(
		s, add_sample(s, &run, "one", NULL), p->spool, NULL, &e));
	assert_int_equal(
		ask(p,
			"SELECT count(*) FROM image_file WHERE seq = 1"
			" AND path = 'etc/\\xFF#x0A' AND raw_path = x'6574632fff0a'"
			" AND mtime_s = -5 AND uid = 7 AND uname = 'u' AND size = 3"
			" AND xattrs = 'user.a=00' || char(10)"),
		1);
	assert_int_equal(
		ask(p,
			"SELECT count(*) FROM item_file JOIN item ON id = item_id"
			" WHERE name = 'aaa-one' AND path = 'bin' AND type = 'l'"
			" AND raw_path IS NULL AND link = 'to#x01'"
			" AND raw_link = x'746f01' AND size IS NULL"),
		1);
	assert_int_equal(
		ask(p,
			"SELECT count(*) FROM item_file JOIN item ON id = item_id"
			" WHERE name = 'bbb-two' AND path = '' AND type = 'f'"
			" AND hex(sha256) LIKE '5555%55'"),
		1);
}

/* What a second image shares is stored once, and only what it really shares:
 * an item of the same name and digest with other files is another. */
static void
equal_parts_are_stored_once(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct sample_image image;
	struct err e = {0};
	struct store_run run;
	struct record r;
	int64_t before;

	record_all(p, NULL);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	OK(store_attempt_take(
		s, add_sample(s, &run, "one", NULL), p->spool, NULL, &e));
	assert_int_equal(ask(p, "SELECT count(*) FROM item"), 2);
	assert_int_equal(ask(p, "SELECT count(*) FROM channel_set"), 1);
	before = rows(p);
	OK(store_attempt_take(
		s, add_sample(s, &run, "one", NULL), p->spool, NULL, &e));
	/* attempt, rebuild, rebuilt and its 2 layers, 7 texts, 1 forgiven,
	 * 2 differences */
	assert_int_equal(rows(p) - before, 15);
	assert_int_equal(
		ask(p, "SELECT count(DISTINCT image_id) FROM attempt"), 1);

	/* A lie about one file of aaa-one. */
	sample_image(&image);
	image.entries[4].mode = 0755;
	OK(record_open(&r, p->spool, &e));
	record_image(&r, &image.image);
	OK(record_verdict(
		&r, VERDICT_NO_PROVENANCE, NULL, NULL, NULL, 1, 1, &e));
	OK(store_attempt_take(
		s, add_sample(s, &run, "two", NULL), p->spool, NULL, &e));
	assert_int_equal(ask(p, "SELECT count(*) FROM image"), 2);
	assert_int_equal(ask(p, "SELECT count(*) FROM item"), 3);
	assert_int_equal(
		ask(p, "SELECT count(*) FROM item WHERE name = 'bbb-two'"), 1);
	assert_true(is_whole(p));
}

/* Pieces of a log end between characters, and come back as one text. */
static void
long_logs_come_back_whole(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	CLEANUP(own_free)
	char *path = path_join(p->folder, "log");
	CLEANUP(buf_fini)
	struct buf log = {0}, text = {0};
	struct err e = {0};
	struct store_run run;
	int64_t sample;

	/* Characters of two bytes without a newline, at odd and even offsets;
	 * then lines. */
	for (int i = 0; i < 100000; i++)
		buf_str(&log, "\xc3\xa4");
	buf_char(&log, 'x');
	for (int i = 0; i < 100000; i++)
		buf_str(&log, "\xe2\x82\xac");
	for (int i = 0; i < 100000; i++)
		buf_printf(&log, "line %d\n", i);
	buf_str(&log, "no newline");
	OK(aside_write(path, log.p, log.n, &e));
	record_all(p, path);
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "one", NULL);
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	OK(store_log(s, sample, &text, &e));
	assert_int_equal(text.n, log.n);
	assert_memory_equal(text.p, log.p, log.n);
	assert_true(ask(p, "SELECT length(packed) * 4 < bytes FROM log") == 1);
}

static void
a_log_that_is_gone_is_said(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	CLEANUP(buf_fini)
	struct buf text = {0};
	struct err e = {0};
	struct store_run run;
	int64_t sample;

	record_all(p, "/nonexistent/log");
	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "one", NULL);
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	OK(store_log(s, sample, &text, &e));
	assert_string_equal(buf_text(&text),
		"the log cannot be read: No such file or directory");
}

/* The writer stays within what the reader takes, whatever it is given. */
static void
long_texts_are_cut_and_say_so(void **state)
{
	const struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	CLEANUP(own_free)
	char *big = xmalloc(RECORD_TEXT_MAX + 2);
	struct err e = {0};
	struct store_run run;
	struct recipe recipe = sample_recipe();
	struct record r;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	memset(big, '"', RECORD_TEXT_MAX + 1);
	big[RECORD_TEXT_MAX] = '\0';
	recipe.channels_scm = big;
	OK(record_open(&r, p->spool, &e));
	record_recipe(&r, &recipe, "x");
	OK(record_verdict(&r, VERDICT_TIMEOUT, NULL, NULL, NULL, 1, 1, &e));
	OK(store_attempt_take(
		s, add_sample(s, &run, "one", NULL), p->spool, NULL, &e));
	assert_int_equal(
		ask(p, "SELECT length(channels_scm) FROM recipe WHERE id = 1"),
		RECORD_TEXT_MAX);

	big[RECORD_TEXT_MAX] = '\xff';
	big[RECORD_TEXT_MAX + 1] = '\0';
	recipe.manifest_scm = big;
	OK(record_open(&r, p->spool, &e));
	record_recipe(&r, &recipe, big);
	OK(record_verdict(&r, VERDICT_TIMEOUT, big, big, big, 1, 1, &e));
	OK(store_attempt_take(
		s, add_sample(s, &run, "one", NULL), p->spool, NULL, &e));
	assert_int_equal(
		ask(p,
			"SELECT channels_scm LIKE '%\"\n[68 more bytes are left"
			" out]' FROM recipe WHERE id = 2"),
		1);
	assert_int_equal(
		ask(p, "SELECT max(length(class)) <= 16384 FROM attempt"), 1);
}

/* A disk that is full when the spool is written is found at the end. */
static void
a_spool_that_cannot_be_written_is_told(void **state)
{
	struct sample_image image;
	struct record r;
	struct err e = {0};

	(void)state;
	sample_image(&image);
	OK(record_open(&r, "/dev/full", &e));
	record_image(&r, &image.image);
	assert_int_equal(
		record_verdict(&r, VERDICT_TIMEOUT, NULL, NULL, NULL, 1, 1, &e),
		-1);
	assert_int_equal(e.kind, ERR_HOST);
}

/* A worker leaves its spool to another one. */
static void
another_process_goes_on_with_a_spool(void **state)
{
	struct place *p = *state;
	CLEANUP(own_store)
	struct store *s = NULL;
	struct record r = {0};
	struct err e = {0};
	struct store_run run = {0};
	int64_t sample;

	OK(store_open(p->db, STORE_WRITE, &s, &e));
	sample = add_sample(s, &run, "one", NULL);
	OK(record_open(&r, p->spool, &e));
	record_notes(&r, (const char *const[]){"one"}, 1);
	OK(record_pause(&r, &e));
	assert_null(r.f);
	assert_int_equal(store_attempt_take(s, sample, p->spool, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	OK(record_resume(&r, p->spool, &e));
	record_notes(&r, (const char *const[]){"two"}, 1);
	OK(record_verdict(&r, VERDICT_SAME_RECIPE, NULL, "c", NULL, 1, 2, &e));
	OK(store_attempt_take(s, sample, p->spool, NULL, &e));
	assert_int_equal(ask(p,
				 "SELECT count(*) FROM attempt_text WHERE"
				 " kind = 'note'"),
		2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_recorded_is_read_back,
			place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			odd_paths_keep_their_bytes, place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			equal_parts_are_stored_once, place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			long_logs_come_back_whole, place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			a_log_that_is_gone_is_said, place_make, place_remove),
		cmocka_unit_test_setup_teardown(long_texts_are_cut_and_say_so,
			place_make, place_remove),
		cmocka_unit_test_setup_teardown(
			another_process_goes_on_with_a_spool, place_make,
			place_remove),
		cmocka_unit_test(a_spool_that_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
