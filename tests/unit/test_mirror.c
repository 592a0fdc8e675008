/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/path.h"
#include "rebuild/mirror.h"

static void
places_are_asked_in_order(void **state)
{
	static const char *const redirects[] = {"https://a.example/",
		"https://short.example/", "https://a.example/long/",
		"file:///long/", "https://b.example/", "ssh://no/", NULL};
	struct arena a = {0};
	const char *const *p;

	(void)state;
	/* The longest prefix, a shorter one, then the URL itself. */
	p = mirror_places(redirects, "https://a.example/long/x.git", &a);
	assert_string_equal(p[0], "file:///long/x.git");
	assert_string_equal(p[1], "https://short.example/long/x.git");
	assert_string_equal(p[2], "https://a.example/long/x.git");
	assert_null(p[3]);
	p = mirror_places(redirects, "https://a.example/y", &a);
	assert_string_equal(p[0], "https://short.example/y");
	/* A place that policy forbids is none. */
	p = mirror_places(redirects, "https://b.example/y", &a);
	assert_string_equal(p[0], "https://b.example/y");
	assert_null(p[1]);
	p = mirror_places(
		NULL, "https://git.savannah.gnu.org/git/guix.git", &a);
	assert_string_equal(p[0], "https://git.savannah.gnu.org/git/guix.git");
	assert_string_equal(p[1], "https://codeberg.org/guix/guix.git");
	assert_string_equal(p[2], "https://git.guix.gnu.org/guix.git");
	assert_string_equal(p[3], "https://github.com/guix-mirror/guix.git");
	assert_null(p[4]);
	/* Where it is no more is asked all the same, and only once. */
	p = mirror_places(NULL, "git://git.savannah.gnu.org/guix.git", &a);
	assert_string_equal(p[0], "git://git.savannah.gnu.org/guix.git");
	assert_string_equal(p[3], "https://git.savannah.gnu.org/git/guix.git");
	assert_null(p[5]);
	p = mirror_places(NULL, "https://codeberg.org/guix/other.git", &a);
	assert_null(p[1]);
	arena_fini(&a);
}

/* Read back by git itself. */
static void
configuration_says_what_was_meant(void **state)
{
	char dir[] = "/tmp/test_mirror.XXXXXX";
	const char *const paths[] = {"/c a/\"x\"#[1].git"};
	struct channel c = {.url = "https://a.example/x;#y\\z"};
	struct buf text = {0}, out = {0};
	struct outcome o;
	struct err e = {0};
	char *file;
	const char *argv[] = {
		"git", "config", "-z", "--file", NULL, "--list", NULL};
	struct child_spec spec = {.argv = argv, .out_cap = 4096};
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	file = xasprintf("%s/config", dir);
	argv[4] = file;
	mirror_config(paths, &c, 1, &text);
	f = fopen(file, "w");
	assert_non_null(f);
	fwrite(text.p, 1, text.n, f);
	fclose(f);
	assert_int_equal(child_run(&spec, &out, NULL, NULL, &o, &e), 0);
	assert_int_equal(o.code, 0);
	/* KEY newline VALUE NUL */
	assert_string_equal(buf_text(&out),
		"url.file:///c%20a/%22x%22%23%5B1%5D.git.insteadof\n"
		"https://a.example/x;#y\\z");
	assert_string_equal(out.p + strlen(out.p) + 1,
		"safe.directory\n/c a/\"x\"#[1].git");
	assert_int_equal(path_remove(dir, &e), 0);
	free(file);
	buf_fini(&text);
	buf_fini(&out);
}

/* --- with the real git ----------------------------------------------------- */

struct place {
	char dir[32];
	char *origin, *url, *cache;
	char *first, *second; /* commits */
	struct arena a;
	struct buf log;
	int n_fetches;
};

/* What a script prints; dir is its $1. */
static char *
shell(const char *script, const char *dir)
{
	const char *argv[] = {"sh", "-ec", script, "sh", dir, NULL};
	struct child_spec spec = {
		.argv = argv, .out_cap = 4096, .log_cap = 4096};
	struct buf out = {0}, log = {0};
	struct outcome o;
	struct err e = {0};

	if (child_run(&spec, &out, &log, NULL, &o, &e) < 0 || o.code != 0)
		fail_msg("%s: %s", script, buf_text(&log));
	buf_fini(&log);
	if (out.n && out.p[out.n - 1] == '\n')
		out.p[--out.n] = '\0';
	return buf_take(&out);
}

#define GIT                                                                      \
	"export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1; cd \"$1/origin\"; g() " \
	"{ git -c user.name=n -c user.email=e \"$@\"; }; "

static int
setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/test_mirror.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->origin = xasprintf("%s/origin", p->dir);
	p->url = xasprintf("file://%s", p->origin);
	p->cache = xasprintf("%s/cache", p->dir);
	free(shell("mkdir \"$1/origin\"", p->dir));
	free(shell("mkdir \"$1/cache\"", p->dir));
	free(shell(GIT "git init -q -b trunk .; echo 1 >f; g add f; g commit "
		       "-q -m one; git branch keyring",
		p->dir));
	p->first = shell(GIT "git rev-parse HEAD", p->dir);
	free(shell(GIT "echo 2 >f; g commit -q -a -m two", p->dir));
	p->second = shell(GIT "git rev-parse HEAD", p->dir);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	struct err e = {0};

	if (path_remove(p->dir, &e) < 0)
		return -1;
	free(p->origin);
	free(p->url);
	free(p->cache);
	free(p->first);
	free(p->second);
	arena_fini(&p->a);
	buf_fini(&p->log);
	free(p);
	return 0;
}

static void
count(void *arg, const char *const *argv)
{
	struct place *p = arg;

	(void)argv;
	p->n_fetches++;
}

static int
get(struct place *p, const char *const *redirects, const char *url,
	const char *commit, const char *intro, const char **path,
	struct diagnosis *why)
{
	struct mirror_options o = {.cache = p->cache,
		.redirects = redirects,
		.until_ms = clock_mono_ms() + 60000,
		.silence_ms = 60000,
		.log_cap = 65536,
		.log = &p->log,
		.ran = count,
		.ran_arg = p};
	struct channel c = {.name = "c",
		.url = url,
		.commit = commit,
		.intro_commit = intro};
	struct err e = {0};
	int rc = mirror_get(&o, &c, &p->a, path, why, &e);

	if (rc < 0)
		fail_msg("%s", e.text);
	return rc;
}

static void
fetched_once_and_kept(void **state)
{
	struct place *p = *state;
	struct diagnosis why;
	const char *path;
	char *got, *clone;

	assert_int_equal(
		get(p, NULL, p->url, p->second, p->first, &path, &why), 1);
	assert_int_equal(p->n_fetches, 1);
	assert_int_equal(get(p, NULL, p->url, p->first, NULL, &path, &why), 1);
	assert_int_equal(p->n_fetches, 1);

	/* The author rewrites history and forgets the second commit. */
	free(shell(GIT
		"git reset -q --hard HEAD~1; echo 3 >f; g commit -q -a "
		"-m three; git reflog expire --expire=now --all; "
		"git gc -q --prune=now; ! git cat-file -e @{1} 2>/dev/null",
		p->dir));
	got = shell(GIT "git rev-parse HEAD", p->dir);
	assert_int_equal(get(p, NULL, p->url, got, NULL, &path, &why), 1);
	assert_int_equal(p->n_fetches, 2);
	assert_int_equal(get(p, NULL, p->url, p->second, NULL, &path, &why), 1);
	assert_int_equal(p->n_fetches, 2);
	free(got);

	/* A client's clone of the mirror, with nothing but its branches, has
	 * it, and the keyring. */
	clone = xasprintf("cd %s; git clone -q --mirror %s clone 2>/dev/null; "
			  "cd clone; git cat-file -t %s; "
			  "git rev-parse keyring",
		p->dir, path, p->second);
	got = shell(clone, p->dir);
	assert_true(strncmp(got, "commit\n", 7) == 0);
	assert_string_equal(got + 7, p->first);
	free(clone);
	free(got);
}

static void
commit_that_is_nowhere_is_told_from_a_place_that_is(void **state)
{
	static const char nowhere[] =
		"0123456789abcdef0123456789abcdef01234567";
	struct place *p = *state;
	struct diagnosis why;
	const char *path;
	char *gone = xasprintf("file://%s/nothing", p->dir);

	assert_int_equal(get(p, NULL, p->url, nowhere, NULL, &path, &why), 0);
	assert_int_equal(why.end, REBUILD_UNAVAILABLE);
	assert_string_equal(why.class_, "commit-missing");
	assert_non_null(strstr(why.cause, nowhere));
	assert_non_null(strstr(why.cause, p->url));
	/* An introduction that is not there is one that cannot be checked. */
	assert_int_equal(
		get(p, NULL, p->url, p->second, nowhere, &path, &why), 0);
	assert_string_equal(why.class_, "commit-missing");

	assert_int_equal(get(p, NULL, gone, p->second, NULL, &path, &why), 0);
	assert_int_equal(why.end, REBUILD_UNAVAILABLE);
	assert_string_equal(why.class_, "channel-unreachable");
	assert_non_null(strstr(why.cause, gone));
	free(gone);
}

/* One place is dead, one has not the commit: both are named, with an answer of
 * their own. */
static void
all_places_that_were_asked_are_told(void **state)
{
	static const char nowhere[] =
		"0123456789abcdef0123456789abcdef01234567";
	struct place *p = *state;
	char *dead = xasprintf("file://%s/nothing", p->dir);
	const char *redirects[] = {"https://gone.invalid/x", p->url,
		"https://gone.invalid/", dead, NULL};
	char *second = xasprintf("%sx (", dead);
	char *first = xasprintf("%s (it does not have it)", p->url);
	struct diagnosis why;
	const char *path;

	assert_int_equal(get(p, redirects, "https://gone.invalid/x", nowhere,
				 NULL, &path, &why),
		0);
	assert_string_equal(why.class_, "commit-missing");
	assert_non_null(strstr(why.cause, first));
	assert_non_null(strstr(why.cause, second));
	assert_non_null(strstr(why.cause, "; https://gone.invalid/x ("));
	assert_non_null(strstr(why.cause, "does not appear to be a git"));
	free(dead);
	free(first);
	free(second);
}

/* What git may see and do, told by one that is not git. */
static void
git_is_shut_in(void **state)
{
	struct place *p = *state;
	char *was = xstrdup(getenv("PATH"));
	char *path = xasprintf("%s/bin:%s", p->dir, was);
	char *said, *want;
	struct diagnosis why;
	const char *mirror;

	free(shell("mkdir \"$1/bin\" \"$1/cache/mirrors\" \"$1/secret\"; "
		   "echo x >\"$1/secret/x\"; "
		   "cat >\"$1/bin/git\" <<'END'\n"
		   "#!/bin/sh\n"
		   "while [ \"$1\" != --git-dir ]; do shift; done\n"
		   "cd \"$2\" || exit\n"
		   "case $3 in fetch) ;; init) exit ;; *) exit 1 ;; esac\n"
		   "{ ls -A /gnu/store /root /home /var/guix\n"
		   "ls -A ../../../secret\n"
		   "touch ../beside ../../../bin/x /etc/unblend-x /tmp/x &&\n"
		   "\techo written\n"
		   "grep -c : /proc/net/dev; } >said 2>/dev/null\n"
		   "exit 1\n"
		   "END\n"
		   "chmod +x \"$1/bin/git\"",
		p->dir));
	setenv("PATH", path, 1);
	(void)get(p, NULL, p->url, p->second, NULL, &mirror, &why);
	setenv("PATH", was, 1);
	said = shell("grep -v ':$' \"$1\"/cache/mirrors/*.git/said | "
		     "grep -v '^$'",
		p->dir);
	/* Nothing is seen, and it has the network that we have. */
	want = shell("grep -c : /proc/net/dev", p->dir);
	assert_string_equal(said, want);
	free(said);
	free(want);
	free(was);
	free(path);
}

static void
moved_channel_is_fetched_from_its_new_place(void **state)
{
	struct place *p = *state;
	char *to = xasprintf("file://%s/", p->dir);
	const char *redirects[] = {"https://gone.invalid/", to, NULL};
	struct diagnosis why;
	const char *path;
	char *want;

	assert_int_equal(get(p, redirects, "https://gone.invalid/origin",
				 p->second, NULL, &path, &why),
		1);
	/* Named for the URL that the image has. */
	want = mirror_path(p->cache, "https://gone.invalid/origin");
	assert_string_equal(path, want);
	free(want);
	free(to);
}

/* What is in the fetched repository, and in our own HOME, has no say. */
static void
no_hook_and_no_configuration_is_followed(void **state)
{
	struct place *p = *state;
	struct diagnosis why;
	const char *path;
	char *home = xasprintf("%s/home", p->dir);
	char *was = xstrdup(getenv("HOME") ? getenv("HOME") : "/");

	free(shell("mkdir \"$1/home\"", p->dir));
	free(shell("printf '[protocol]\\n\\tallow = never\\n[core]\\n\\t"
		   "fsmonitor = touch /tmp/x\\n' >\"$1/home/.gitconfig\"",
		p->dir));
	setenv("HOME", home, 1);
	setenv("GIT_DIR", "/nonexistent", 1);
	setenv("GIT_CONFIG_COUNT", "x", 1);
	assert_int_equal(get(p, NULL, p->url, p->second, NULL, &path, &why), 1);
	unsetenv("GIT_DIR");
	unsetenv("GIT_CONFIG_COUNT");
	setenv("HOME", was, 1);
	free(home);
	free(was);
}

static void
lock_is_waited_for_in_vain_only_until(void **state)
{
	struct place *p = *state;
	char *path = xasprintf("%s/lock", p->dir);
	struct err e = {0};
	int64_t begin = clock_mono_ms();
	volatile int stop = 1;
	int fd = mirror_lock(path, begin + 1000, NULL, &e);

	assert_true(fd >= 0);
	assert_int_equal(mirror_lock(path, begin + 150, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSIENT);
	assert_true(clock_mono_ms() - begin >= 150);
	assert_int_equal(mirror_lock(path, begin + 60000, &stop, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSIENT);
	close(fd);
	fd = mirror_lock(path, begin, NULL, &e);
	assert_true(fd >= 0);
	close(fd);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_asked_in_order),
		cmocka_unit_test(configuration_says_what_was_meant),
		cmocka_unit_test_setup_teardown(
			fetched_once_and_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			commit_that_is_nowhere_is_told_from_a_place_that_is,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			all_places_that_were_asked_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			git_is_shut_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
			moved_channel_is_fetched_from_its_new_place, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			no_hook_and_no_configuration_is_followed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			lock_is_waited_for_in_vain_only_until, setup, teardown),
	};

	return cmocka_run_group_tests_name("mirror", tests, NULL, NULL);
}
