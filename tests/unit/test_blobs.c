/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "fetch/blobs.h"

/* FIPS 180-2, appendix B.1: the SHA-256 of "abc". */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
/* printf one | sha256sum, and so on */
#define ONE "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
#define TWO "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"

struct folder {
	char dir[32];
	struct blobs *b;
};

static struct digest
digest(const char *hex)
{
	struct digest d;

	assert_true(digest_parse(slice_of(hex), &d));
	return d;
}

static struct blobs *
must_open(const char *dir, uint64_t limit)
{
	struct blobs *b = NULL;
	struct err e = {0};

	if (blobs_open(dir, limit, &b, &e) < 0)
		fail_msg("%s", e.text);
	return b;
}

static int
setup(void **state)
{
	struct folder *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test_blobs.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->b = must_open(f->dir, BLOBS_ANY);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct folder *f = *state;
	struct err e = {0};

	blobs_close(f->b);
	if (path_remove(f->dir, &e) < 0)
		fail_msg("%s", e.text);
	free(f);
	return 0;
}

static void
reopen(struct folder *f, uint64_t limit)
{
	blobs_close(f->b);
	f->b = must_open(f->dir, limit);
}

static struct blobs_put *
begin(struct blobs *b, const char *hex, uint64_t size)
{
	struct digest want = digest(hex ? hex : ABC);
	struct blobs_put *put = NULL;
	struct err e = {0};

	if (blobs_put_open(b, hex ? &want : NULL, size, NULL, &put, &e) < 0)
		fail_msg("%s", e.text);
	return put;
}

static void
must_write(struct blobs_put *put, const char *text)
{
	struct err e = {0};

	if (blobs_put_write(put, text, strlen(text), &e) < 0)
		fail_msg("%s", e.text);
}

static void
add(struct blobs *b, const char *text)
{
	struct err e = {0};

	if (blobs_add(b, text, strlen(text), NULL, &e) < 0)
		fail_msg("%s", e.text);
}

/* Without a use of it: by another process's eyes. */
static bool
is_there(const struct folder *f, const char *below)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/oci/%s", f->dir, below);

	return path_exists(path);
}

static int
find(struct blobs *b, const char *hex, uint64_t *size)
{
	struct digest d = digest(hex);
	struct err e = {0};
	int found = blobs_find(b, &d, size, &e);

	if (found < 0)
		fail_msg("%s", e.text);
	return found;
}

static void
age(const struct folder *f, const char *below, time_t seconds)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/oci/%s", f->dir, below);
	struct timespec t[2] = {{.tv_sec = time(NULL) - seconds}};

	t[1] = t[0];
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

struct told {
	int n[BLOBS_DAMAGED + 1];
	struct buf names;
};

static void
count(void *arg, const struct blobs_entry *entry, enum blobs_fate fate)
{
	struct told *told = arg;

	told->n[fate]++;
	buf_printf(&told->names, "%s ", entry->name);
}

static void
blob_is_found_under_its_digest(void **state)
{
	struct folder *f = *state;
	struct digest abc = digest(ABC);
	struct buf text = {0};
	struct err e = {0};
	uint64_t size = 0;
	struct stat st;
	char *path;

	assert_int_equal(find(f->b, ABC, NULL), 0);
	add(f->b, "abc");
	assert_int_equal(find(f->b, ABC, &size), 1);
	assert_int_equal(size, 3);
	path = blobs_path(f->b, &abc);
	assert_string_equal(path + strlen(f->dir), "/oci/blobs/sha256/" ABC);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(blobs_folder(f->b), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(blobs_read(f->b, &abc, 3, &text, &e), 0);
	assert_string_equal(buf_text(&text), "abc");
	assert_int_equal(blobs_read(f->b, &abc, 2, &text, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_true(is_there(f, "oci-layout"));
	assert_true(is_there(f, "index.json"));
	buf_fini(&text);
	free(path);
}

static void
changed_blob_is_not_read(void **state)
{
	struct folder *f = *state;
	struct digest abc = digest(ABC);
	char *path = blobs_path(f->b, &abc);
	struct buf text = {0};
	struct err e = {0};
	FILE *file;

	add(f->b, "abc");
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("abd", file);
	fclose(file);
	assert_int_equal(blobs_read(f->b, &abc, 3, &text, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	buf_fini(&text);
	free(path);
}

static void
other_digest_or_size_is_refused(void **state)
{
	struct folder *f = *state;
	struct blobs_put *put = begin(f->b, ABC, BLOBS_ANY);
	struct err e = {0};

	must_write(put, "abd");
	assert_int_equal(blobs_put_commit(put, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_non_null(strstr(e.text, "expected sha256:" ABC));
	blobs_put_close(put);
	assert_false(is_there(f, "blobs/sha256/" ABC));
	assert_false(is_there(f, "part/" ABC));

	/* Too short: what came is kept for later. */
	put = begin(f->b, ABC, 3);
	must_write(put, "ab");
	assert_int_equal(blobs_put_commit(put, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSIENT);
	blobs_put_close(put);
	assert_true(is_there(f, "part/" ABC));

	/* Too long: the byte beyond is not even written. */
	put = begin(f->b, ABC, 3);
	must_write(put, "c");
	assert_int_equal(blobs_put_write(put, "d", 1, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(blobs_put_have(put), 3);
	blobs_put_close(put);
}

static void
partial_is_resumed_by_a_later_run(void **state)
{
	struct folder *f = *state;
	struct blobs_put *put = begin(f->b, ABC, 3);
	struct digest got;
	struct err e = {0};

	must_write(put, "ab");
	blobs_put_close(put);
	reopen(f, BLOBS_ANY);
	put = begin(f->b, ABC, 3);
	assert_int_equal(blobs_put_have(put), 2);
	must_write(put, "c");
	assert_int_equal(blobs_put_commit(put, &got, &e), 0);
	blobs_put_close(put);
	assert_int_equal(find(f->b, ABC, NULL), 1);
	assert_false(is_there(f, "part/" ABC));

	/* Where the server starts anew, so do we. */
	put = begin(f->b, ONE, 3);
	must_write(put, "tw");
	assert_int_equal(blobs_put_restart(put, &e), 0);
	assert_int_equal(blobs_put_have(put), 0);
	must_write(put, "one");
	assert_int_equal(blobs_put_commit(put, NULL, &e), 0);
	blobs_put_close(put);
	assert_int_equal(find(f->b, ONE, NULL), 1);
}

static void
named_partial_is_resumed_and_nameless_one_is_not_kept(void **state)
{
	struct folder *f = *state;
	struct blobs_put *put = NULL;
	struct digest got, two = digest(TWO);
	struct err e = {0};
	struct told told = {0};

	assert_int_equal(
		blobs_put_open(f->b, NULL, BLOBS_ANY, "url-1", &put, &e), 0);
	must_write(put, "t");
	blobs_put_close(put);
	assert_int_equal(
		blobs_put_open(f->b, NULL, BLOBS_ANY, "url-1", &put, &e), 0);
	assert_int_equal(blobs_put_have(put), 1);
	must_write(put, "wo");
	assert_int_equal(blobs_put_commit(put, &got, &e), 0);
	assert_true(digest_eq(&got, &two));
	blobs_put_close(put);

	put = begin(f->b, NULL, BLOBS_ANY);
	must_write(put, "t");
	blobs_put_close(put);
	reopen(f, BLOBS_ANY);
	assert_int_equal(blobs_gc(f->b, 0, true, count, &told, &e), 0);
	assert_string_equal(buf_text(&told.names), TWO " ");
	buf_fini(&told.names);
	/* A name that leaves the folder is a mistake of ours. */
	assert_int_equal(
		blobs_put_open(f->b, NULL, BLOBS_ANY, "../x", &put, &e), -1);
	assert_int_equal(e.kind, ERR_BUG);
}

static void
two_puts_of_one_blob_both_succeed(void **state)
{
	struct folder *f = *state;
	struct blobs *other = must_open(f->dir, BLOBS_ANY);
	struct blobs_put *a = begin(f->b, ABC, 3), *b = begin(other, ABC, 3),
			 *c = begin(f->b, ABC, 3);
	struct err e = {0};

	must_write(a, "ab");
	must_write(b, "abc");
	must_write(c, "abc");
	assert_int_equal(blobs_put_commit(b, NULL, &e), 0);
	must_write(a, "c");
	assert_int_equal(blobs_put_commit(a, NULL, &e), 0);
	assert_int_equal(blobs_put_commit(c, NULL, &e), 0);
	blobs_put_close(a);
	blobs_put_close(b);
	blobs_put_close(c);
	assert_int_equal(find(f->b, ABC, NULL), 1);
	blobs_close(other);
}

/* --- what goes ------------------------------------------------------------- */

static void
least_recently_used_goes_first(void **state)
{
	struct folder *f = *state;

	add(f->b, "one");
	add(f->b, "two");
	add(f->b, "abc");
	age(f, "blobs/sha256/" TWO, 30);
	age(f, "blobs/sha256/" ONE, 20);
	age(f, "blobs/sha256/" ABC, 10);
	/* Used again: now it is the newest. */
	reopen(f, BLOBS_ANY);
	assert_int_equal(find(f->b, TWO, NULL), 1);
	reopen(f, 9);
	add(f->b, "4");
	assert_false(is_there(f, "blobs/sha256/" ONE));
	assert_true(is_there(f, "blobs/sha256/" TWO));
	assert_true(is_there(f, "blobs/sha256/" ABC));
}

static void
what_is_in_use_stays(void **state)
{
	struct folder *f = *state;
	struct blobs *user = must_open(f->dir, BLOBS_ANY);
	struct err e = {0};

	add(f->b, "one");
	add(f->b, "two");
	reopen(f, BLOBS_ANY);
	assert_int_equal(find(user, ONE, NULL), 1);
	assert_int_equal(blobs_gc(f->b, 0, false, NULL, NULL, &e), 0);
	assert_true(is_there(f, "blobs/sha256/" ONE));
	assert_false(is_there(f, "blobs/sha256/" TWO));
	/* By one's own use, too; and beyond the limit until its end. */
	blobs_close(user);
	reopen(f, 2);
	assert_int_equal(find(f->b, ONE, NULL), 1);
	add(f->b, "abc");
	assert_true(is_there(f, "blobs/sha256/" ONE));
	assert_true(is_there(f, "blobs/sha256/" ABC));
	reopen(f, BLOBS_ANY);
	assert_false(is_there(f, "blobs/sha256/" ONE));
	assert_false(is_there(f, "blobs/sha256/" ABC));
}

static void
room_is_made_before_the_bytes_come(void **state)
{
	struct folder *f = *state;
	struct blobs_put *put;

	add(f->b, "one");
	reopen(f, 5);
	put = begin(f->b, ABC, 3);
	assert_false(is_there(f, "blobs/sha256/" ONE));
	blobs_put_close(put);
}

static void
old_partials_go_unless_written(void **state)
{
	struct folder *f = *state;
	struct blobs_put *put = begin(f->b, ABC, 3);
	struct told told = {0};
	struct err e = {0};

	must_write(put, "ab");
	blobs_put_close(put);
	assert_int_equal(blobs_gc(f->b, BLOBS_ANY, false, NULL, NULL, &e), 0);
	assert_true(is_there(f, "part/" ABC));
	age(f, "part/" ABC, BLOBS_PART_AGE_S + 10);
	put = begin(f->b, ABC, 3);
	assert_int_equal(blobs_gc(f->b, 0, false, count, &told, &e), 0);
	assert_int_equal(told.n[BLOBS_IN_USE], 1);
	assert_true(is_there(f, "part/" ABC));
	blobs_put_close(put);
	assert_int_equal(blobs_gc(f->b, BLOBS_ANY, true, count, &told, &e), 0);
	assert_int_equal(told.n[BLOBS_GOES], 1);
	assert_true(is_there(f, "part/" ABC));
	assert_int_equal(blobs_gc(f->b, BLOBS_ANY, false, NULL, NULL, &e), 0);
	assert_false(is_there(f, "part/" ABC));
	buf_fini(&told.names);
}

static void
damaged_blob_is_named_and_moved_away(void **state)
{
	struct folder *f = *state;
	struct digest abc = digest(ABC);
	char *path = blobs_path(f->b, &abc);
	struct told told = {0};
	struct err e = {0};
	FILE *file;

	add(f->b, "abc");
	add(f->b, "one");
	assert_int_equal(blobs_verify(f->b, count, &told, &e), 0);
	assert_int_equal(told.n[BLOBS_GOOD], 2);
	assert_string_equal(buf_text(&told.names), ONE " " ABC " ");
	file = fopen(path, "r+");
	assert_non_null(file);
	fputs("X", file);
	fclose(file);
	memset(told.n, 0, sizeof(told.n));
	assert_int_equal(blobs_verify(f->b, count, &told, &e), 0);
	assert_int_equal(told.n[BLOBS_GOOD], 1);
	assert_int_equal(told.n[BLOBS_DAMAGED], 1);
	assert_int_equal(find(f->b, ABC, NULL), 0);
	assert_true(is_there(f, "bad/" ABC));
	add(f->b, "abc");
	assert_int_equal(find(f->b, ABC, NULL), 1);
	assert_int_equal(blobs_gc(f->b, BLOBS_ANY, false, NULL, NULL, &e), 0);
	assert_false(is_there(f, "bad/" ABC));
	buf_fini(&told.names);
	free(path);
}

/* --- other processes ------------------------------------------------------- */

/* A child that does f and then says so on the pipe and waits to be killed. */
static pid_t
child(void (*f)(const char *dir), const char *dir)
{
	int said[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		f(dir);
		if (write(said[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(said[1]);
	assert_int_equal(read(said[0], &c, 1), 1);
	close(said[0]);
	return pid;
}

static void
end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
put_half(const char *dir)
{
	struct blobs *b = must_open(dir, BLOBS_ANY);

	must_write(begin(b, ABC, 3), "ab");
	must_write(begin(b, NULL, BLOBS_ANY), "half");
}

static void
killed_put_leaves_a_good_folder(void **state)
{
	struct folder *f = *state;
	struct told told = {0};
	struct err e = {0};
	pid_t pid = child(put_half, f->dir);
	struct blobs_put *put;

	/* While it lives, its partials are nobody else's. */
	assert_int_equal(blobs_gc(f->b, 0, false, count, &told, &e), 0);
	assert_int_equal(told.n[BLOBS_IN_USE], 2);
	assert_int_equal(told.n[BLOBS_GOES], 0);
	end(pid);
	assert_int_equal(find(f->b, ABC, NULL), 0);
	/* What can be resumed is, what cannot goes. */
	memset(told.n, 0, sizeof(told.n));
	assert_int_equal(blobs_gc(f->b, BLOBS_ANY, false, count, &told, &e), 0);
	assert_int_equal(told.n[BLOBS_GOES], 1);
	assert_int_equal(told.n[BLOBS_STAYS], 1);
	put = begin(f->b, ABC, 3);
	assert_int_equal(blobs_put_have(put), 2);
	must_write(put, "c");
	assert_int_equal(blobs_put_commit(put, NULL, &e), 0);
	blobs_put_close(put);
	assert_int_equal(find(f->b, ABC, NULL), 1);
	buf_fini(&told.names);
}

static void
use_one(const char *dir)
{
	assert_int_equal(find(must_open(dir, BLOBS_ANY), ONE, NULL), 1);
}

static void
use_ends_with_its_process(void **state)
{
	struct folder *f = *state;
	struct err e = {0};
	pid_t pid;

	add(f->b, "one");
	reopen(f, BLOBS_ANY);
	pid = child(use_one, f->dir);
	assert_int_equal(blobs_gc(f->b, 0, false, NULL, NULL, &e), 0);
	assert_true(is_there(f, "blobs/sha256/" ONE));
	end(pid);
	assert_int_equal(blobs_gc(f->b, 0, false, NULL, NULL, &e), 0);
	assert_false(is_there(f, "blobs/sha256/" ONE));
}

/* Put, find, read and remove the same few blobs; exit status 1 on a surprise. */
static void
jostle(const char *dir, unsigned seed)
{
	struct blobs *b = must_open(dir, 40);
	struct err e = {0};

	for (int i = 0; i < 300; i++) {
		CLEANUP(buf_fini)
		struct buf text = {0}, back = {0};
		struct digest d;
		uint64_t size;

		seed = seed * 1103515245 + 12345;
		buf_printf(&text, "blob %u", (seed >> 16) % 8);
		if (i % 16 == 0) {
			blobs_close(b);
			b = must_open(dir, 40);
		}
		d = digest_of(text.p, text.n);
		if (blobs_find(b, &d, &size, &e) == 0) {
			struct blobs_put *put = NULL;

			if (blobs_put_open(b, &d, text.n, NULL, &put, &e) < 0)
				_exit(2);
			if (blobs_put_restart(put, &e) < 0 ||
				blobs_put_write(put, text.p, text.n, &e) < 0 ||
				blobs_put_commit(put, NULL, &e) < 0)
				_exit(3);
			blobs_put_close(put);
		}
		/* In use by us: whatever the others do, it is here. */
		if (blobs_read(b, &d, text.n, &back, &e) < 0 ||
			!slice_eq(buf_get(&back), buf_get(&text)))
			_exit(4);
		if (i % 7 == 0 && blobs_gc(b, 0, false, NULL, NULL, &e) < 0)
			_exit(5);
	}
	blobs_close(b);
	_exit(0);
}

static void
processes_do_not_disturb_each_other(void **state)
{
	struct folder *f = *state;
	pid_t pids[4];
	int status;

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			jostle(f->dir, (unsigned)i + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(blob_is_found_under_its_digest),
		T(changed_blob_is_not_read),
		T(other_digest_or_size_is_refused),
		T(partial_is_resumed_by_a_later_run),
		T(named_partial_is_resumed_and_nameless_one_is_not_kept),
		T(two_puts_of_one_blob_both_succeed),
		T(least_recently_used_goes_first),
		T(what_is_in_use_stays),
		T(room_is_made_before_the_bytes_come),
		T(old_partials_go_unless_written),
		T(damaged_blob_is_named_and_moved_away),
		T(killed_put_leaves_a_good_folder),
		T(use_ends_with_its_process),
		T(processes_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
