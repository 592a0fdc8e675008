/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/path.h"
#include "rebuild/sandbox.h"

static bool
reads(const char *json, int *code)
{
	return sandbox_exit_code((struct slice){json, strlen(json)}, code);
}

static void
exit_code_is_read_only_where_it_is(void **state)
{
	int code = -7;

	(void)state;
	assert_true(reads("{ \"child-pid\": 5, \"net-namespace\": 1 }\n"
			  "{ \"exit-code\": 0 }\n",
		&code));
	assert_int_equal(code, 0);
	assert_true(reads("{\"exit-code\":137}", &code));
	assert_int_equal(code, 137);
	/* Setup failed: this is all that it says. */
	assert_false(reads("{ \"child-pid\": 5 }\n", &code));
	assert_false(reads("", &code));
	assert_false(reads("{\"exit-code\": \"0\"}\n", &code));
	assert_false(reads("{\"x\": {\"exit-code\": 0}}\n", &code));
	assert_false(reads("{\"exit-code\": ", &code));
}

/* Where in argv the words are, in this order; -1. */
static int
find(const char *const *argv, const char *a, const char *b, const char *c)
{
	for (int i = 0; argv[i]; i++)
		if (strcmp(argv[i], a) == 0 && argv[i + 1] &&
			strcmp(argv[i + 1], b) == 0 &&
			(!c || (argv[i + 2] && strcmp(argv[i + 2], c) == 0)))
			return i;
	return -1;
}

static void
command_line_hides_before_it_shows(void **state)
{
	struct arena a = {0};
	struct words w = {.arena = &a};
	struct sandbox s = {.hidden = {"/tmp"},
		.n_hidden = 1,
		.binds = {{"/tmp/home", NULL, true}, {"/b", "/from", false}},
		.n_binds = 2,
		.dir = "/tmp/home",
		.env = {"HOME", "/tmp/home"},
		.n_env = 2};
	const char *const cmd[] = {"guix", "--version", NULL};
	const char *const *argv;
	int hide, show, end, env, clear;

	(void)state;
	sandbox_argv(&s, 9, cmd, &w);
	argv = words_take(&w);
	assert_string_equal(argv[0], "bwrap");
	assert_true(find(argv, "bwrap", "--unshare-all", NULL) >= 0);
	assert_true(find(argv, "--cap-drop", "ALL", NULL) >= 0);
	assert_true(find(argv, "--ro-bind", "/", "/") >= 0);
	assert_true(find(argv, "--json-status-fd", "9", NULL) >= 0);
	hide = find(argv, "--tmpfs", "/tmp", NULL);
	show = find(argv, "--bind", "/tmp/home", "/tmp/home");
	env = find(argv, "--setenv", "HOME", "/tmp/home");
	end = find(argv, "--", "guix", "--version");
	assert_true(find(argv, "--ro-bind", "/", "/") < hide);
	assert_true(hide < show);
	assert_true(find(argv, "--ro-bind", "/from", "/b") > hide);
	for (clear = 0; strcmp(argv[clear], "--clearenv") != 0; clear++)
		;
	assert_true(clear < env);
	assert_true(env < end);
	assert_null(argv[end + 3]);
	arena_fini(&a);
}

/* --- with the real bwrap --------------------------------------------------- */

struct result {
	struct buf out, log;
	struct outcome outcome;
	bool has_run;
	int code;
};

static void
run(const struct sandbox *s, const char *script, struct result *r)
{
	const char *cmd[] = {"/bin/sh", "-c", script, NULL};
	struct child_spec spec = {
		.deadline_ms = 20000, .out_cap = 65536, .log_cap = 65536};
	struct err e = {0};

	*r = (struct result){0};
	if (sandbox_run(s, cmd, spec, &r->out, &r->log, NULL, &r->outcome,
		    &r->has_run, &r->code, &e) < 0)
		fail_msg("%s", e.text);
}

static void
end(struct result *r)
{
	buf_fini(&r->out);
	buf_fini(&r->log);
}

static void
payload_status_is_told_from_the_sandbox_status(void **state)
{
	struct sandbox s = {.dir = "/"};
	struct result r;

	(void)state;
	run(&s, "exit 1", &r);
	assert_true(r.has_run);
	assert_int_equal(r.code, 1);
	end(&r);
	run(&s, "kill -KILL $$", &r);
	assert_true(r.has_run);
	assert_int_equal(r.code, 128 + SIGKILL);
	end(&r);
	/* Also exit status 1, but nothing was run. */
	s.binds[s.n_binds++] =
		(struct sandbox_bind){"/tmp", "/no/such/folder", false};
	run(&s, "exit 0", &r);
	assert_false(r.has_run);
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_non_null(strstr(buf_text(&r.log), "/no/such/folder"));
	end(&r);
}

static void
inherited_ignored_sigchld_does_not_hang_bwrap(void **state)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, old;
	struct sandbox s = {.dir = "/"};
	struct result r;

	(void)state;
	sigaction(SIGCHLD, &ign, &old);
	run(&s, "exit 42", &r);
	sigaction(SIGCHLD, &old, NULL);
	assert_int_equal(r.outcome.end, CHILD_EXITED);
	assert_true(r.has_run);
	assert_int_equal(r.code, 42);
	end(&r);
}

/* No network, nothing writable but what was said, no caps, no variables, no
 * descriptors of ours. */
static void
sandbox_holds(void **state)
{
	char dir[] = "/tmp/test_sandbox.XXXXXX";
	struct sandbox s = {.hidden = {"/tmp"}, .n_hidden = 1};
	struct result r;
	char *rw, *ro, *script;
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	rw = xasprintf("%s/rw", dir);
	ro = xasprintf("%s/ro", dir);
	assert_int_equal(mkdir(rw, 0755) | mkdir(ro, 0755), 0);
	s.dir = rw;
	s.binds[s.n_binds++] = (struct sandbox_bind){rw, NULL, true};
	s.binds[s.n_binds++] = (struct sandbox_bind){ro, NULL, false};
	s.env[s.n_env++] = "PATH";
	s.env[s.n_env++] = "/usr/bin:/bin";
	setenv("SECRET_OF_OURS", "x", 1);
	script = xasprintf("touch here && echo rw\n"
			   "touch %s/x 2>/dev/null || echo ro\n"
			   "touch /etc/x /usr/x /x 2>/dev/null || echo system\n"
			   "ls -A %s | tr '\\n' ' '; echo\n"
			   "grep -c : /proc/self/net/dev\n"
			   "echo \"secret=$SECRET_OF_OURS\"\n"
			   "grep CapEff /proc/self/status | tr -d '\\t'\n"
			   "i=0; while [ $i -lt 256 ]; do\n"
			   "[ ! -e /proc/$$/fd/$i ] || printf '%%s ' $i\n"
			   "i=$((i + 1)); done; echo\n",
		ro, dir);
	run(&s, script, &r);
	unsetenv("SECRET_OF_OURS");
	assert_true(r.has_run);
	assert_int_equal(r.code, 0);
	/* Of dir, the sandbox sees only what was bound into it. */
	assert_string_equal(buf_text(&r.out),
		"rw\nro\nsystem\nro rw \n1\nsecret=\n"
		"CapEff:0000000000000000\n0 1 2 \n");
	end(&r);
	free(script);
	script = xasprintf("%s/here", rw);
	assert_true(path_exists(script));
	assert_int_equal(path_remove(dir, &e), 0);
	free(script);
	free(rw);
	free(ro);
}

/* Does any process of this machine have this as its second word? */
static bool
is_running(const char *word)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	bool found = false;

	assert_non_null(proc);
	while (!found && (d = readdir(proc))) {
		char path[300], text[64] = "";
		size_t n = 0, first;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", d->d_name);
		f = fopen(path, "r");
		if (f) {
			n = fread(text, 1, sizeof(text) - 1, f);
			fclose(f);
		}
		first = strlen(text) + 1;
		found = first < n && strcmp(text + first, word) == 0;
	}
	closedir(proc);
	return found;
}

static void
deadline_ends_all_inside(void **state)
{
	struct sandbox s = {.dir = "/"};
	/* A sleep of as many seconds as nobody else's. */
	char *nap = xasprintf("%d", 10000000 + (int)getpid());
	char *script = xasprintf("trap '' TERM; setsid sleep %s & echo; "
				 "while :; do sleep 1; done",
		nap);
	const char *cmd[] = {"/bin/sh", "-c", script, NULL};
	struct child_spec spec = {.deadline_ms = 1000, .out_cap = 10};
	struct result r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(sandbox_run(&s, cmd, spec, &r.out, NULL, NULL,
				 &r.outcome, &r.has_run, &r.code, &e),
		0);
	assert_int_equal(r.outcome.end, CHILD_DEADLINE);
	assert_string_equal(buf_text(&r.out), "\n");
	/* The kernel may take a moment to end a name space. */
	for (int i = 0; is_running(nap); i++) {
		assert_true(i < 200);
		usleep(20000);
	}
	free(script);
	free(nap);
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_code_is_read_only_where_it_is),
		cmocka_unit_test(command_line_hides_before_it_shows),
		cmocka_unit_test(
			payload_status_is_told_from_the_sandbox_status),
		cmocka_unit_test(inherited_ignored_sigchld_does_not_hang_bwrap),
		cmocka_unit_test(sandbox_holds),
		cmocka_unit_test(deadline_ends_all_inside),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
