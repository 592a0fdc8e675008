/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/path.h"
#include "sched/shard.h"
#include "sched/slurm.h"
#include "shell.h"

enum {
	IMAGES = 1000,
	SHARDS = 7
};

static struct digest
key(int n)
{
	return digest_of(&n, sizeof(n));
}

/* ---- dividing ---- */

static void
a_key_is_always_of_the_same_shard(void **state)
{
	int64_t n[SHARDS + 1] = {0};

	(void)state;
	for (int i = 0; i < IMAGES; i++) {
		struct digest k = key(i);
		uint32_t of = shard_of(&k, SHARDS);

		assert_in_range(of, 1, SHARDS);
		assert_int_equal(shard_of(&k, SHARDS), of);
		assert_int_equal(shard_of(&k, 1), 1);
		n[of]++;
	}
	/* None is much longer than another. */
	for (int i = 1; i <= SHARDS; i++)
		assert_in_range(n[i], IMAGES / SHARDS / 2, IMAGES / SHARDS * 2);
}

static void
balanced_shards_take_as_long_as_each_other(void **state)
{
	struct digest keys[IMAGES];
	int64_t expected_ms[IMAGES], load[SHARDS + 1] = {0};
	uint32_t of[IMAGES], of_key[IMAGES / 10] = {0};

	(void)state;
	/* A hundred keys, the ninth of which takes a hundred times as long. */
	for (int i = 0; i < IMAGES; i++) {
		keys[i] = key(i % 100);
		expected_ms[i] = i % 100 == 9 ? 100000 : 1000;
	}
	shard_balance(keys, expected_ms, IMAGES, SHARDS, of);
	for (int i = 0; i < IMAGES; i++) {
		assert_in_range(of[i], 1, SHARDS);
		/* Those of a key are together. */
		if (of_key[i % 100])
			assert_int_equal(of[i], of_key[i % 100]);
		of_key[i % 100] = of[i];
		load[of[i]] += expected_ms[i];
	}
	for (uint32_t i = 1; i <= SHARDS; i++)
		if (i != of[9])
			assert_in_range(load[i], 160000, 170000);
	assert_int_equal(load[of[9]], 1000000);
}

static void
a_shard_is_empty_where_there_are_fewer_keys(void **state)
{
	struct digest keys[3] = {key(1), key(2), key(1)};
	const int64_t expected_ms[3] = {0, 0, 0};
	uint32_t of[3];

	(void)state;
	shard_balance(keys, expected_ms, 3, SHARDS, of);
	assert_int_equal(of[0], of[2]);
	assert_int_not_equal(of[0], of[1]);
	assert_in_range(of[0], 1, 2);
	assert_in_range(of[1], 1, 2);
	shard_balance(keys, expected_ms, 0, SHARDS, of);
}

static void
a_plan_is_of_its_study_alone(void **state)
{
	char *folder = shell_folder();
	char *path = path_join(folder, "plan");
	struct digest study = key(1), other = key(2);
	const uint32_t of[3] = {2, 1, 3};
	uint32_t got[3] = {0};
	struct err e = {0};
	static const char *const bad[] = {
		"", "unblend shards 00\n1\n2\n3\n", "1\n2\n3\n"};

	(void)state;
	assert_int_equal(shard_plan_write(path, &study, of, 3, &e), 0);
	assert_int_equal(shard_plan_read(path, &study, 3, got, 3, &e), 0);
	assert_memory_equal(got, of, sizeof(of));
	assert_int_equal(shard_plan_read(path, &other, 3, got, 3, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	/* More or fewer images, or shards. */
	assert_int_equal(shard_plan_read(path, &study, 3, got, 2, &e), -1);
	assert_int_equal(shard_plan_read(path, &study, 2, got, 3, &e), -1);
	assert_int_equal(shard_plan_write(path, &study, of, 2, &e), 0);
	assert_int_equal(shard_plan_read(path, &study, 3, got, 3, &e), -1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(
			aside_write(path, bad[i], strlen(bad[i]), &e), 0);
		assert_int_equal(
			shard_plan_read(path, &study, 3, got, 3, &e), -1);
		assert_int_equal(e.kind, ERR_INPUT);
	}
	free(path);
	shell_drop(folder);
}

/* ---- Slurm ---- */

/* What words a shell makes of the script's line. */
static void
every_word_of_a_script_is_one(void **state)
{
	static const char *const words[] = {"--only=a b",
		"--trust=$(id)`id`'\"\\", "--", "~/*.corpus", "-n", "", "#x",
		NULL};
	const struct sched_options run = {.shards = 3, .study = "it's $HOME"};
	const struct slurm_options o = {
		.run = &run, .words = words, .folder = "/a'b $c"};
	char *folder = shell_folder();
	char *path = path_join(folder, "script");
	CLEANUP(buf_fini)
	struct buf script = {0};
	CLEANUP(buf_fini)
	struct buf got = {0};
	CLEANUP(own_free)
	char *out = path_join(folder, "out");
	struct err e = {0};
	static const char expected[] =
		"run\n--shard=2/3\n--shard-plan=/a'b $c/plan\n"
		"--study=it's $HOME\n--database=/a'b $c/shard-2.db\n"
		"--output=/a'b $c/report-2\n--resume\n--quiet\n--only=a b\n"
		"--trust=$(id)`id`'\"\\\n--\n~/*.corpus\n-n\n\n#x\n";

	(void)state;
	assert_int_equal(slurm_script(&script, "./print all", &o, &e), 0);
	assert_int_equal(aside_write(path, buf_text(&script), script.n, &e), 0);
	/* Its log is where its folder is, which is not there: put it here. */
	assert_true(shell(folder,
		"printf '%s\\n' '#!/bin/sh' "
		"'for w; do printf \"%s\\n\" \"$w\"; done' >'print all'; "
		"chmod +x 'print all'; "
		"sed -i 's=>>.*=>out=' script; "
		"SLURM_ARRAY_TASK_ID=2 sh ./script"));
	assert_int_equal(path_read(out, 4096, &got, &e), 0);
	assert_string_equal(buf_text(&got), expected);
	free(path);
	shell_drop(folder);
}

static void
a_word_with_a_newline_is_refused(void **state)
{
	static const char *const words[] = {"--", "a\n#SBATCH --x", NULL};
	const struct sched_options run = {.shards = 3, .study = "s"};
	const struct slurm_options o = {
		.run = &run, .words = words, .folder = "/f"};
	CLEANUP(buf_fini)
	struct buf script = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(slurm_script(&script, "unblend", &o, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
}

static void
lines_of_squeue_are_read(void **state)
{
	static const char *const none[] = {"", "12", "12 3", "12 3 ",
		"a 3 RUNNING", "12 a RUNNING", "12 1-4 PENDING",
		"12 N/A RUNNING",
		"slurm_load_jobs error: Invalid job id specified"};
	struct slurm_task t;

	(void)state;
	assert_true(slurm_parse_task(slice_of("4711 12 RUNNING"), &t));
	assert_int_equal(t.job, 4711);
	assert_int_equal(t.shard, 12);
	assert_true(slice_is(t.state, "RUNNING"));
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(slurm_parse_task(slice_of(none[i]), &t));
	assert_true(slurm_is_over(slice_of("NODE_FAIL")));
	assert_true(slurm_is_over(slice_of("COMPLETED")));
	assert_false(slurm_is_over(slice_of("COMPLETING")));
	assert_false(slurm_is_over(slice_of("PENDING")));
	assert_false(slurm_is_over(slice_of("REQUEUE_HOLD")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_always_of_the_same_shard),
		cmocka_unit_test(balanced_shards_take_as_long_as_each_other),
		cmocka_unit_test(a_shard_is_empty_where_there_are_fewer_keys),
		cmocka_unit_test(a_plan_is_of_its_study_alone),
		cmocka_unit_test(every_word_of_a_script_is_one),
		cmocka_unit_test(a_word_with_a_newline_is_refused),
		cmocka_unit_test(lines_of_squeue_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
