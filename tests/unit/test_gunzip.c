/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/digest.h"
#include "image/gunzip.h"
#include "shell.h"

/* Bytes in memory, given in blocks of at most step, each of which is gone when
 * the next one is pulled. */
struct memory {
	const char *p;
	size_t n, step;
	char *last;
};

static int
give(void *arg, struct slice *out, struct err *e)
{
	struct memory *m = arg;
	size_t n = m->n < m->step ? m->n : m->step;

	(void)e;
	free(m->last);
	m->last = malloc(n + 1);
	memcpy(m->last, m->p, n);
	*out = (struct slice){m->last, n};
	m->p += n;
	m->n -= n;
	return n > 0;
}

/* To the end: 0, with the digest of what came, or -1. */
static int
drain(struct layer_source from, struct digest *out, struct err *e)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	struct slice part;
	int r;

	while ((r = layer_pull(from, &part, e)) > 0) {
		assert_true(part.n > 0);
		digest_add(sum, part.p, part.n);
	}
	*out = digest_end(sum);
	/* and again when asked again */
	if (r == 0)
		assert_int_equal(layer_pull(from, &part, e), 0);
	return r;
}

static int
gunzip(struct memory m, struct digest *out, struct err *e)
{
	struct gunzip *g = gunzip_new((struct layer_source){give, &m});
	int r = drain(gunzip_source(g), out, e);

	if (r == 0)
		assert_int_equal(m.n, 0);
	gunzip_free(g);
	free(m.last);
	return r;
}

/*
 * Each row makes the file "x" of "plain", "small" and their gzips.  Whether it
 * is sound is for gzip -t to say: status 2 is what it only warns of, and to us
 * bytes that nobody looks at are an error.
 */
static const struct {
	const char *script, *text; /* text: NULL when it is sound */
} cases[] = {
	{"cp plain.gz x", NULL},
	{"gzip -1nc plain >x", NULL},
	{"gzip -Nc plain >x", NULL},
	{"gzip -c </dev/null >x", NULL},
	{"cat small.gz plain.gz small.gz >x", NULL},
	{"{ gzip -c </dev/null; cat small.gz; gzip -c </dev/null; } >x", NULL},
	{"for i in 1 2 3 4 5 6 7 8 9; do cat small.gz; done >x", NULL},
	{"cat plain.gz - >x </dev/null; head -c 700 /dev/zero >>x", NULL},
	{"pack TextFlag 1 Name name Comment text ExtraField \"[ab=>q(x)x9000]\"",
		NULL},
	{"pack Level 0", NULL},
	{"pack Strategy 2", NULL},
	{"pack Strategy 4", NULL},
	/* a header with its own checksum, zlib's of what is before it */
	{"{ printf '\\037\\213\\010\\002\\0\\0\\0\\0\\002\\003' >h; cat h; "
	 "gzip -c h | tail -c 8 | head -c 2; tail -c +11 plain.gz; } >x",
		NULL},
	{"{ printf '\\037\\213\\010\\002\\0\\0\\0\\0\\002\\003zz'; "
	 "tail -c +11 plain.gz; } >x",
		"checksum"},
	{"flip plain.gz -5 1", "checksum"},
	{"flip plain.gz -8 128", "checksum"},
	{"flip plain.gz -1 1", "length"},
	{"flip plain.gz -4 1", "length"},
	{"flip small.gz -1 1; cat x plain.gz >y; mv y x", "length"},
	{"flip plain.gz 3 32", "flags"},
	{"flip plain.gz 3 128", "flags"},
	{"flip plain.gz 2 1", "method"},
	{"flip small.gz 10 6", "truncated or damaged"},
	{"head -c -1 plain.gz >x", "too early"},
	{"head -c -8 plain.gz >x", "too early"},
	{"head -c -9 plain.gz >x", "too early"},
	{"head -c 3000 plain.gz >x", "too early"},
	{"head -c 9 plain.gz >x", "in a header"},
	{"{ cat small.gz; head -c 2 plain.gz; } >x", "in a header"},
	{"{ cat small.gz; head -c -1 plain.gz; } >x", "too early"},
	{"{ cat small.gz; echo y; } >x", "something follows"},
	{"{ cat small.gz; printf '\\0\\0'; cat small.gz; } >x",
		"something follows"},
};

static const char helpers[] =
	/* pack NAME VALUE...: x is "plain", with these fields */
	"pack() { f=; while [ $# -gt 0 ]; do case $2 in *[!a-z]*) v=$2;; "
	"*) v=\"'$2'\";; esac; f=\"$f -$1=>$v,\"; shift 2; done; "
	"perl -MIO::Compress::Gzip=gzip -e "
	"\"gzip('plain'=>'x', -Strict=>0, $f) or die\"; }; "
	/* flip FILE PLACE BITS: x is FILE with these bits changed */
	"flip() { perl -e 'local $/; open F, $ARGV[0]; $_ = <F>; "
	"substr($_, $ARGV[1], 1) ^= chr $ARGV[2]; print' \"$@\" >x; }; ";

static int
make_files(void **state)
{
	*state = shell_folder();
	return *state &&
			shell(*state,
				"seq 20000 >s; head -c 100000 /dev/urandom >r; "
				"cat s r s r s >plain; head -c 500 s >small; "
				"gzip -9nc plain >plain.gz; gzip -nc small >small.gz")
		? 0
		: -1;
}

static int
drop_files(void **state)
{
	shell_drop(*state);
	return 0;
}

static void
gzip_judges_as_we_do(void **state)
{
	static const size_t steps[] = {1, 2, 3, 5, 8, 100, 4096, 1 << 26};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(own_free)
		char *script = xasprintf(
			"%s %s; s=0; gzip -t <x 2>said || s=$?; echo $s >status; "
			"gzip -dcq <x 2>/dev/null | sha256sum >sum",
			helpers, cases[i].script);
		CLEANUP(own_free)
		char *bytes = NULL;
		CLEANUP(own_free)
		char *status = NULL;
		CLEANUP(own_free)
		char *sum = NULL;
		size_t n, ignored;
		struct digest told;

		if (!shell(dir, script))
			fail_msg("cannot make: %s", cases[i].script);
		bytes = shell_read(dir, "x", &n);
		status = shell_read(dir, "status", &ignored);
		sum = shell_read(dir, "sum", &ignored);
		assert_true(digest_parse((struct slice){sum, 64}, &told));
		if ((status[0] == '0') != (cases[i].text == NULL))
			fail_msg("gzip -t gives %.1s: %s", status,
				cases[i].script);
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			struct err e = {0};
			struct digest is;
			int r = gunzip(
				(struct memory){
					.p = bytes, .n = n, .step = steps[k]},
				&is, &e);

			if (r != (cases[i].text ? -1 : 0) ||
				(r == 0 && !digest_eq(&is, &told)) ||
				(r < 0 && !strstr(e.text, cases[i].text)))
				fail_msg("by %zu bytes %d %s: %s", steps[k], r,
					e.text, cases[i].script);
			if (r < 0)
				assert_int_equal(e.kind, ERR_INPUT);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_judges_as_we_do),
	};

	return cmocka_run_group_tests_name(
		"gunzip", tests, make_files, drop_files);
}
