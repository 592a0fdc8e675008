/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/digest.h"
#include "image/pax.h"
#include "image/tar.h"
#include "shell.h"

/* Bytes in memory, given in blocks of at most step. */
struct memory {
	const char *p;
	size_t n, step;
};

static int
give(void *arg, struct slice *out, struct err *e)
{
	struct memory *m = arg;
	size_t n = m->n < m->step ? m->n : m->step;

	(void)e;
	*out = (struct slice){m->p, n};
	m->p += n;
	m->n -= n;
	return n > 0;
}

/* As `tar -tv --full-time --numeric-owner' with blanks squeezed. */
static void
print_member(const struct tar_member *m, struct buf *out)
{
	static const char bits[] = "rwxrwxrwx";
	char mode[11] = "-", when[32], ns[16];
	time_t t = (time_t)m->mtime;
	struct tm tm;

	mode[0] = "-hlcbdp"[m->type];
	for (size_t i = 0; i < 9; i++)
		mode[1 + i] = m->mode >> (8 - i) & 1 ? bits[i] : '-';
	if (m->mode & 04000)
		mode[3] = m->mode & 0100 ? 's' : 'S';
	if (m->mode & 02000)
		mode[6] = m->mode & 0010 ? 's' : 'S';
	if (m->mode & 01000)
		mode[9] = m->mode & 0001 ? 't' : 'T';
	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(ns, sizeof(ns), ".%09u", m->mtime_ns);
	for (size_t n = strlen(ns);
		n > 0 && (ns[n - 1] == '0' || ns[n - 1] == '.');)
		ns[--n] = '\0';
	buf_printf(out, "%s %u/%u ", mode, m->uid, m->gid);
	if (m->type == TAR_CHAR || m->type == TAR_BLOCK)
		buf_printf(out, "%u,%u", m->dev_major, m->dev_minor);
	else
		buf_printf(out, "%llu", (unsigned long long)m->size);
	buf_printf(out, " %s%s ", when, ns);
	buf_slice(out, m->path);
	if (m->type == TAR_LINK)
		buf_str(out, " -> ");
	if (m->type == TAR_HARD_LINK)
		buf_str(out, " link to ");
	if (m->type == TAR_LINK || m->type == TAR_HARD_LINK)
		buf_slice(out, m->link);
	buf_char(out, '\n');
}

/* All members into list, the digest of each file's contents into sums. */
static int
read_all(struct memory m, struct buf *list, struct buf *sums, struct err *e)
{
	CLEANUP(own_tar)
	struct tar *tar = NULL;
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	const struct tar_member *member;
	int r;

	tar = tar_new((struct layer_source){give, &m}, NULL);
	while ((r = tar_next(tar, &member, e)) > 0) {
		struct slice part;
		struct digest d;
		char hex[DIGEST_HEX + 1];
		uint64_t n = 0;

		print_member(member, list);
		while ((r = layer_pull(tar_contents(tar), &part, e)) > 0) {
			digest_add(sum, part.p, part.n);
			n += part.n;
		}
		if (r < 0)
			return -1;
		assert_int_equal(n, member->size);
		d = digest_end(sum);
		digest_hex(&d, hex);
		if (member->type == TAR_FILE)
			buf_printf(sums, "%s\n", hex);
	}
	return r < 0 ? -1 : tar_finish(tar, true, e);
}

static void
check_against_tar(const char *dir, const char *name)
{
	static const size_t steps[] = {1, 7, 512, 1000, 1 << 20};
	char script[512];
	size_t n, n_list, n_sums;
	char *bytes, *list, *sums;

	snprintf(script, sizeof(script),
		"tar -tvf %s --full-time --numeric-owner "
		"--quoting-style=literal | tr -s ' ' >list; "
		"tar -xf %s --to-command=\"sha256sum | cut -c1-64\" >sums",
		name, name);
	assert_true(shell(dir, script));
	bytes = shell_read(dir, name, &n);
	list = shell_read(dir, "list", &n_list);
	sums = shell_read(dir, "sums", &n_sums);
	assert_true(n_list > 0);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		CLEANUP(buf_fini)
		struct buf our_list = {0};
		CLEANUP(buf_fini)
		struct buf our_sums = {0};
		struct err e = {0};

		if (read_all((struct memory){bytes, n, steps[i]}, &our_list,
			    &our_sums, &e) < 0)
			fail_msg("%s: %s", name, e.text);
		assert_string_equal(buf_text(&our_list), list);
		assert_string_equal(buf_text(&our_sums), sums);
	}
	free(bytes);
	free(list);
	free(sums);
}

static int
make_files(void **state)
{
	char *dir = shell_folder();

	*state = dir;
	return dir &&
			shell(dir,
				"mkdir d; cd d; mkdir -p a/b 'sp ace' sticky; "
				"chmod 1777 sticky; "
				"head -c 1000 /dev/zero | tr '\\0' x >a/f; "
				"head -c 512 /dev/zero >a/block; : >a/empty; "
				"printf hello >'sp ace/h'; chmod 4711 'sp ace/h'; "
				"chmod 2555 a/empty; chmod 000 a/block; chmod 0600 a/block; "
				"ln a/f a/g; ln -s ../up a/link; mkfifo a/fifo; "
				"mknod a/null c 1 3 2>/dev/null || :; "
				"touch -d '2001-02-03 04:05:06' a/f; "
				"touch -h -d '1970-01-01 00:00:01' a/link; "
				"touch -d '2030-01-01 00:00:00' a/fifo")
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
every_format_reads_as_tar_lists_it(void **state)
{
	static const char *const formats[] = {
		"v7", "ustar", "oldgnu", "gnu", "posix"};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		char script[256];

		/* V7 has neither fifos nor devices. */
		snprintf(script, sizeof(script),
			"tar --format=%s %s -cf %s.tar -C d . ", formats[i],
			i == 0 ? "--exclude=fifo --exclude=null" : "",
			formats[i]);
		assert_true(shell(dir, script));
		snprintf(script, sizeof(script), "%s.tar", formats[i]);
		check_against_tar(dir, script);
	}
}

static void
names_are_the_bytes_they_are(void **state)
{
	const char *dir = *state;

	/* Latin-1, decomposed and composed UTF-8, an invalid sequence; 100 and
	 * 101 bytes, 255 in one part, more than a ustar prefix holds. */
	assert_true(shell(dir,
		"mkdir n; cd n; l=$(printf '%0100d' 0); "
		": >\"$l\"; : >\"1$l\"; ln -s \"$l$l\" long-link; "
		": >\"$(printf '%0255d' 0)\"; "
		": >\"$(printf 'latin-\\351')\"; "
		": >\"$(printf 'nfd-e\\314\\201')\"; "
		": >\"$(printf 'nfc-\\303\\251')\"; "
		": >\"$(printf 'bad-\\300\\257\\377')\"; "
		"ln -s \"$(printf '\\351')\" \"$(printf 'to-\\351')\"; "
		": >\"$(printf 'new\\nline')\"; "
		"mkdir -p \"$l/$l\" 2>/dev/null || mkdir -p \"2$l/$l/$l\"; "
		"cd ..; tar --format=gnu -cf ng.tar n; "
		"tar --format=posix -cf np.tar n"));
	check_against_tar(dir, "ng.tar");
	check_against_tar(dir, "np.tar");
}

/* No fraction before 1970: GNU tar 1.34 writes -1.75 and lists it as -0.25. */
static void
numbers_beyond_octal_and_before_1970(void **state)
{
	const char *dir = *state;

	assert_true(shell(dir,
		"mkdir t; touch -d '1960-01-02 03:04:05' t/old; "
		"touch -d '2400-01-01 00:00:00' t/late; "
		"touch -d '2001-01-01 00:00:00.123456789' t/fine; "
		"for f in gnu posix; do tar --owner=x:5000000 "
		"--group=y:4294967295 --format=$f -cf t-$f.tar t; done"));
	check_against_tar(dir, "t-gnu.tar");
	check_against_tar(dir, "t-posix.tar");
}

static void
sparse_files_have_their_holes(void **state)
{
	const char *dir = *state;

	/* Four pieces fit in a header, 25 in that and one more block. */
	assert_true(shell(dir,
		"mkdir s; cd s; "
		"for n in 0 1 4 5 30; do i=0; : >p$n; "
		"while [ $i -lt $n ]; do i=$((i+1)); printf \"piece $i\" | "
		"dd of=p$n bs=1 seek=$((i*40960)) conv=notrunc 2>/dev/null; "
		"done; truncate -s 2000000 p$n; done; cd ..; "
		"tar -S --format=gnu -cf sg.tar s; "
		"for v in 0.0 0.1 1.0; do "
		"tar -S --format=posix --sparse-version=$v -cf s$v.tar s; "
		"done; test $(stat -c %s sg.tar) -lt 1000000"));
	check_against_tar(dir, "sg.tar");
	check_against_tar(dir, "s0.0.tar");
	check_against_tar(dir, "s0.1.tar");
	check_against_tar(dir, "s1.0.tar");
}

/* A hole costs as much as bytes do. */
static void
holes_are_paid_for(void **state)
{
	const char *dir = *state;
	size_t n;
	char *bytes;

	assert_true(shell(dir,
		"mkdir h; truncate -s 1000000 h/f; "
		"tar -S --format=posix -cf h.tar h"));
	bytes = shell_read(dir, "h.tar", &n);
	for (int is_short = 0; is_short <= 1; is_short++) {
		struct memory m = {bytes, n, n};
		struct layer_budget budget = {
			.unpacked = 1000000 - (uint64_t)is_short,
			.ratio = 1,
			.packed = n,
		};
		struct tar *tar =
			tar_new((struct layer_source){give, &m}, &budget);
		const struct tar_member *member;
		struct err e = {0};
		int r;

		while ((r = tar_next(tar, &member, &e)) > 0)
			;
		assert_int_equal(r, -is_short);
		assert_int_equal(e.kind, is_short ? ERR_POLICY : ERR_NONE);
		tar_free(tar);
	}
	free(bytes);
}

#define BYTES(s)                   \
	{                          \
		(s), sizeof(s) - 1 \
	}

/* Extended headers as they are: each must be told from the right form. */
static const struct record_case {
	struct slice body;
	const char *is; /* xattrs, or part of the error */
	enum err_kind kind;
} malformed[] =
	{
		{BYTES("12 path=a/b\n"), "", ERR_NONE},
		{BYTES(""), "", ERR_NONE},
		{BYTES("11 path=a/b\n"), "malformed", ERR_INPUT},
		{BYTES("13 path=a/b\n"), "malformed", ERR_INPUT},
		{BYTES("12 path=a/b"), "malformed", ERR_INPUT},
		{BYTES("12 path=a/b\n\n"), "malformed", ERR_INPUT},
		{BYTES("12\tpath=a/b\n"), "malformed", ERR_INPUT},
		{BYTES("8 path\n"), "malformed", ERR_INPUT},
		{BYTES("6 =ab\n"), "malformed", ERR_INPUT},
		{BYTES("path=a/b\n"), "malformed", ERR_INPUT},
		{BYTES("99999999999999999999 path=a\n"), "malformed",
			ERR_INPUT},
		{BYTES("0 path=a\n"), "malformed", ERR_INPUT},
		{BYTES("2 path=a\n"), "malformed", ERR_INPUT},
		{BYTES("12"), "malformed", ERR_INPUT},
},
  records[] = {
	  {BYTES("SCHILY.xattr.user.b=hello\n"), "user.b=68656c6c6f0a\n",
		  ERR_NONE},
	  {BYTES("SCHILY.xattr.b=\0\377"), "b=00ff\n", ERR_NONE},
	  {BYTES("SCHILY.xattr.a\n% x=y"), "a%0a%25%20x=79\n", ERR_NONE},
	  {BYTES("SCHILY.acl.access=u"), "SCHILY.acl.access=75\n", ERR_NONE},
	  {BYTES("path=a\0b"), "bad 'path'", ERR_INPUT},
	  {BYTES("linkpath=a\0b"), "bad 'linkpath'", ERR_INPUT},
	  {BYTES("uname=a\0b"), "bad 'uname'", ERR_INPUT},
	  {BYTES("gname=a\0b"), "bad 'gname'", ERR_INPUT},
	  {BYTES("size=-1"), "bad 'size'", ERR_INPUT},
	  {BYTES("size=1 "), "bad 'size'", ERR_INPUT},
	  {BYTES("size="), "", ERR_NONE},
	  {BYTES("size=1000000000000000000"), "", ERR_NONE},
	  {BYTES("size=99999999999999999999"), "bad 'size'", ERR_INPUT},
	  {BYTES("uid=4294967296"), "bad 'uid'", ERR_INPUT},
	  {BYTES("uid=4294967295"), "", ERR_NONE},
	  {BYTES("gid=x"), "bad 'gid'", ERR_INPUT},
	  {BYTES("mtime=1x"), "bad 'mtime'", ERR_INPUT},
	  {BYTES("mtime=1.x"), "bad 'mtime'", ERR_INPUT},
	  {BYTES("mtime=-"), "bad 'mtime'", ERR_INPUT},
	  {BYTES("comment=hello"), "", ERR_NONE},
	  {BYTES("GNU.sparse.map=0,1"), "", ERR_NONE},
	  {BYTES("GNU.sparse.map=0,1,2"), "bad 'GNU.sparse.map'", ERR_INPUT},
	  {BYTES("GNU.sparse.map=,,,,,"), "bad 'GNU.sparse.map'", ERR_INPUT},
	  {BYTES("GNU.sparse.map=0;1"), "bad 'GNU.sparse.map'", ERR_INPUT},
	  {BYTES("GNU.sparse.numbytes=1"), "bad 'GNU.sparse.numbytes'",
		  ERR_INPUT},
	  {BYTES("GNU.sparse.what=1"), "bad 'GNU.sparse.what'", ERR_INPUT},
};

static void
check_records(struct slice body, const struct record_case *c)
{
	CLEANUP(buf_fini)
	struct buf is = {0};
	struct pax pax = {0};
	struct err e = {0};
	int r = pax_parse(&pax, body, &e);

	if (r == 0)
		pax_print_xattrs(&pax, &is);
	else
		buf_str(&is, e.text);
	if (e.kind != c->kind || (r == 0) != (e.kind == ERR_NONE) ||
		(r == 0 ? strcmp(buf_text(&is), c->is) != 0
			: !strstr(buf_text(&is), c->is)))
		fail_msg("%.*s: kind %d, '%s'", (int)body.n, body.p, e.kind,
			buf_text(&is));
	pax_fini(&pax);
}

/* Append "LENGTH KEY=VALUE\n", as POSIX has it: LENGTH counts itself. */
static void
add_record(struct buf *out, struct slice record)
{
	size_t n = record.n + 3;

	while (n != record.n + 2 + (size_t)snprintf(NULL, 0, "%zu", n))
		n++;
	buf_printf(out, "%zu ", n);
	buf_slice(out, record);
	buf_char(out, '\n');
}

static void
records_of_extended_headers(void **state)
{
	CLEANUP(buf_fini)
	struct buf two = {0};
	struct record_case sorted = {.is = "a=33\nb=31\n", .kind = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		check_records(malformed[i].body, &malformed[i]);
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		CLEANUP(buf_fini)
		struct buf body = {0};

		add_record(&body, records[i].body);
		check_records(buf_get(&body), &records[i]);
	}
	/* Sorted, and the later of two of a name. */
	add_record(&two, slice_of("SCHILY.xattr.b=1"));
	add_record(&two, slice_of("SCHILY.xattr.a=2"));
	add_record(&two, slice_of("SCHILY.xattr.a=3"));
	check_records(buf_get(&two), &sorted);
}

static void
seconds_of_extended_headers(void **state)
{
	static const struct {
		const char *record;
		int64_t s;
		uint32_t ns;
	} cases[] = {
		{"mtime=1", 1, 0},
		{"mtime=1.5", 1, 500000000},
		{"mtime=-1.5", -2, 500000000},
		{"mtime=-1", -1, 0},
		{"mtime=-0.25", -1, 750000000},
		{"mtime=1.0000000019", 1, 1},
		{"mtime=1.", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_fini)
		struct buf body = {0};
		struct pax pax = {0};
		struct err e = {0};

		add_record(&body, slice_of(cases[i].record));
		if (pax_parse(&pax, buf_get(&body), &e) < 0)
			fail_msg("%s: %s", cases[i].record, e.text);
		assert_int_equal(pax.mtime, cases[i].s);
		assert_int_equal(pax.mtime_ns, cases[i].ns);
		pax_fini(&pax);
	}
}

/* The limits on what one header may say, on both sides. */
static void
limits_of_one_header(void **state)
{
	(void)state;
	for (size_t extra = 0; extra <= 1; extra++) {
		CLEANUP(buf_fini)
		struct buf spans = {0};
		CLEANUP(buf_fini)
		struct buf xattrs = {0};
		struct pax pax = {0};
		struct err e = {0};
		enum err_kind kind = extra ? ERR_POLICY : ERR_NONE;

		for (size_t i = 0; i < PAX_SPANS_MAX + extra; i++)
			add_record(&spans, slice_of("GNU.sparse.offset=1"));
		assert_int_equal(
			pax_parse(&pax, buf_get(&spans), &e), -(int)extra);
		assert_int_equal(e.kind, kind);
		for (size_t i = 0; i < PAX_XATTRS_MAX + extra; i++) {
			char record[32];

			snprintf(
				record, sizeof(record), "SCHILY.xattr.%zu=", i);
			add_record(&xattrs, slice_of(record));
		}
		e = (struct err){0};
		assert_int_equal(
			pax_parse(&pax, buf_get(&xattrs), &e), -(int)extra);
		assert_int_equal(e.kind, kind);
		pax_fini(&pax);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_reads_as_tar_lists_it),
		cmocka_unit_test(names_are_the_bytes_they_are),
		cmocka_unit_test(numbers_beyond_octal_and_before_1970),
		cmocka_unit_test(sparse_files_have_their_holes),
		cmocka_unit_test(holes_are_paid_for),
		cmocka_unit_test(records_of_extended_headers),
		cmocka_unit_test(seconds_of_extended_headers),
		cmocka_unit_test(limits_of_one_header),
	};

	return cmocka_run_group_tests_name(
		"tar", tests, make_files, drop_files);
}
