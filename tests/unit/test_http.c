/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a server may take, by one on loopback that keeps us waiting. */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "fetch/http.h"
#include "fetch/http_words.h"

static const char body[] = "0123456789";

enum {
	STALL_MS = 2000
};

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The whole request, which is small. */
static void
hear(int fd, char request[static 4096])
{
	size_t n = 0;

	request[0] = '\0';
	while (!strstr(request, "\r\n\r\n") && n < 4095) {
		ssize_t got = read(fd, request + n, 4095 - n);

		if (got <= 0)
			_exit(1);
		n += (size_t)got;
		request[n] = '\0';
	}
}

/* Three bytes, and then nothing more; but what comes for the rest gets it. */
static void
stall(int fd, const char *request)
{
	if (!strstr(request, "Range: bytes=3-")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012");
		return;
	}
	say(fd,
		"HTTP/1.1 206 Partial Content\r\nContent-Length: 7\r\n"
		"Content-Range: bytes 3-9/10\r\n\r\n3456789");
}

/* Nothing at all, ever. */
static void
silence(int fd, const char *request)
{
	(void)fd;
	(void)request;
}

/* A byte now and then: more slowly in all than a stall may last. */
static void
drip(int fd, const char *request)
{
	const struct timespec pause = {.tv_nsec = 450000000};

	(void)request;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	for (size_t i = 0; i < sizeof(body) - 1; i++) {
		nanosleep(&pause, NULL);
		assert_int_equal(write(fd, &body[i], 1), 1);
	}
}

/* Answers each connection so, and leaves it open; *port is where. */
static pid_t
serve(void (*answer)(int fd, const char *request), int *port)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	pid_t pid;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
	*port = ntohs(at.sin_port);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char request[4096];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			hear(fd, request);
			answer(fd, request);
		}
	}
	close(listener);
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- where the bytes go ---- */

static int
sink_write(void *arg, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(arg, p, n);
	return 0;
}

static uint64_t
sink_have(void *arg)
{
	return ((struct buf *)arg)->n;
}

static int
sink_restart(void *arg, struct err *e)
{
	(void)e;
	buf_clear(arg);
	return 0;
}

/* Ask such a server; what came goes to got, how long it took to *ms. */
static int
ask(void (*answer)(int fd, const char *request), struct buf *got, int64_t *ms,
	struct err *e)
{
	CLEANUP(own_free)
	char *url = NULL;
	CLEANUP(own_http)
	struct http *h = NULL;
	const struct http_options o = {
		.stall_ms = STALL_MS, .pause_ms = 10, .tries = 2};
	struct http_transfer t = {
		.cap = 100, .sink = {sink_write, sink_have, sink_restart, got}};
	int port = 0, result;
	pid_t server = serve(answer, &port);
	int64_t began = clock_mono_ms();

	url = xasprintf("http://127.0.0.1:%d/x", port);
	t.url = url;
	assert_int_equal(http_open(&o, &h, e), 0);
	result = http_get(h, &t, e);
	*ms = clock_mono_ms() - began;
	http_transfer_fini(&t);
	end(server);
	return result;
}

static void
a_server_that_stalls_is_asked_for_the_rest(void **state)
{
	CLEANUP(buf_fini)
	struct buf got = {0};
	struct err e = {0};
	int64_t ms;

	(void)state;
	assert_int_equal(ask(stall, &got, &ms, &e), 0);
	assert_string_equal(buf_text(&got), body);
	assert_true(ms >= STALL_MS);
}

static void
a_silent_server_is_given_up(void **state)
{
	CLEANUP(buf_fini)
	struct buf got = {0};
	struct err e = {0};
	int64_t ms;

	(void)state;
	assert_int_equal(ask(silence, &got, &ms, &e), -1);
	assert_int_equal(e.kind, ERR_TRANSIENT);
	assert_non_null(strstr(e.text, "Timeout was reached (tried 2 times)"));
	assert_true(ms >= 2 * STALL_MS);
}

static void
a_slow_server_may_take_longer_than_a_stall(void **state)
{
	CLEANUP(buf_fini)
	struct buf got = {0};
	struct err e = {0};
	int64_t ms;

	(void)state;
	if (ask(drip, &got, &ms, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&got), body);
	assert_true(ms > STALL_MS);
}

static void
only_this_machine_is_asked_without_encryption(void **state)
{
	static const struct {
		const char *host;
		bool is_here;
	} rows[] = {
		{"localhost", true},
		{"LOCALHOST:5000", true},
		{"127.0.0.1", true},
		{"127.255.1.2:80", true},
		{"[::1]", true},
		{"[::1]:5000", true},
		{"localhost.example.org", false},
		{"127.0.0.1.example.org", false},
		{"127.0.0", false},
		{"128.0.0.1", false},
		{"1270.0.0.1", false},
		{"[::1", false},
		{"[::2]", false},
		{"[::1].example.org", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (http_is_loopback(rows[i].host) != rows[i].is_here)
			fail_msg("'%s'", rows[i].host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_stalls_is_asked_for_the_rest),
		cmocka_unit_test(a_silent_server_is_given_up),
		cmocka_unit_test(a_slow_server_may_take_longer_than_a_stall),
		cmocka_unit_test(only_this_machine_is_asked_without_encryption),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
