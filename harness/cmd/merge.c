/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/merge.h"

#include <sys/stat.h>

#include <inttypes.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/common.h"

/* All that is to be read is there, and none of it is what is written: before
 * anything is made. */
static bool
are_others(const char *into, int n, char *from[])
{
	struct stat is, st;
	bool is_there = stat(into, &is) == 0;

	for (int i = 0; i < n; i++) {
		if (stat(from[i], &st) < 0) {
			common_complain(
				"%s: there is no such database", from[i]);
			return false;
		}
		if (is_there && st.st_dev == is.st_dev &&
			st.st_ino == is.st_ino) {
			common_complain(
				"%s: cannot be merged into itself", from[i]);
			return false;
		}
	}
	return true;
}

static void
print_count(const char *from, const struct merge_count *c)
{
	const char *comma = ": ";

	printf("%s: %" PRId64 " run%s", from, c->runs, c->runs == 1 ? "" : "s");
	if (c->added) {
		printf("%s%" PRId64 " taken over", comma, c->added);
		comma = ", ";
	}
	if (c->joined) {
		printf("%s%" PRId64 " joined to its study", comma, c->joined);
		comma = ", ";
	}
	if (c->known)
		printf("%s%" PRId64 " there already", comma, c->known);
	printf("; %" PRId64 " image%s\n", c->samples,
		c->samples == 1 ? "" : "s");
	if (c->left) {
		fflush(stdout);
		common_complain("%s: run %" PRId64 " has not ended and is left "
				"out; `unblend run --resume' goes on with it",
			from, c->left);
	}
}

static int
take_all(struct store *into, int n, char *from[], struct merge_count *counts,
	struct err *e)
{
	int result = 0;

	if (store_batch_begin(into, e) < 0)
		return -1;
	for (int i = 0; i < n && result == 0; i++)
		result = merge_file(into, from[i], &counts[i], e);
	return store_batch_end(into, result, e);
}

static int
tell_state(struct store *into, const char *path, int64_t run, struct err *e)
{
	struct merge_state state;

	if (run == 0)
		return 0;
	if (merge_state(into, run, &state, e) < 0)
		return -1;
	if (state.of > state.has)
		printf("%s: run %" PRId64 " has %" PRId64 " of %" PRId64
		       " shards, and lacks %s%s\n",
			path, run, state.has, state.of, state.missing,
			state.of - state.has > 10 ? ", ..." : "");
	else if (state.of && state.absent)
		printf("%s: run %" PRId64 " has all of %" PRId64
		       " shards, but %" PRId64 " image%s in none of them\n",
			path, run, state.of, state.absent,
			state.absent == 1 ? " is" : "s are");
	else if (state.of)
		printf("%s: run %" PRId64 " has all of %" PRId64 " shards\n",
			path, run, state.of);
	return 0;
}

/* What became of each, and how far the newest run of them is. */
static int
tell(struct store *into, const char *path, int n, char *from[],
	const struct merge_count *counts, struct err *e)
{
	int64_t newest = 0;

	for (int i = 0; i < n; i++) {
		print_count(from[i], &counts[i]);
		if (counts[i].newest > newest)
			newest = counts[i].newest;
	}
	if (tell_state(into, path, newest, e) < 0)
		return -1;
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_sys(e, ERR_HOST, "cannot print what was merged");
	return 0;
}

static int
merge(const char *path, int n, char *from[], struct err *e)
{
	CLEANUP(own_store)
	struct store *into = NULL;
	CLEANUP(own_free)
	struct merge_count *counts = xcalloc((size_t)n, sizeof(*counts));

	if (store_open(path, STORE_WRITE, &into, e) < 0 ||
		take_all(into, n, from, counts, e) < 0)
		return -1;
	return tell(into, path, n, from, counts, e);
}

int
cmd_merge(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct err e = {0};
	int n;

	if (common_option(argc, argv, ":h", longs) != -1)
		return EXIT_WRONG;
	n = argc - optind - 1;
	if (n < 1)
		return common_usage(argv[0], "expected INTO and FROM...");
	if (!are_others(argv[optind], n, argv + optind + 1))
		return EXIT_WRONG;
	if (merge(argv[optind], n, argv + optind + 1, &e) < 0)
		return common_fail(&e);
	return EXIT_ACCEPTED;
}
