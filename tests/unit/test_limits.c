/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every limit: its name, its value, and both sides of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "image/image.h"
#include "provenance/provenance.h"
#include "shell.h"

/*
 * For each row of limits.def an image, and the least value that lets it be
 * read, and its provenance too where that is asked; 0 where what is counted is
 * the program's own business: then only that there is such a value.
 */
static const struct side {
	const char *limit, *image;
	uint64_t enough;
	bool has_provenance;
} sides[] = {
	{"file-bytes", "plain.tar", 10240, false},
	{"unpacked", "plain.tar", 10240, false},
	{"layer-bytes", "plain.tar", 10240, false},
	/* 83896320 bytes of a tar, packed into 100000 */
	{"ratio", "zeros.tar.gz", 839, false},
	{"window", "noise.tar.xz", 0, false},
	{"layers", "two.tar", 2, false},
	{"members", "two.tar", 4, false},
	{"entries", "plain.tar", 3, false},
	{"names", "plain.tar", 0, false},
	{"density", "long.tar.gz", 0, false},
	/* gnu/store/ITEM/ */
	{"path-bytes", "plain.tar", 31, false},
	{"link-depth", "linked.tar", 3, false},
	{"json-bytes", "two.tar", 173, false},
	/* lists, objects and what is in them: [{..., [..., ...]}] */
	{"json-values", "two.tar", 6, false},
	{"kept-bytes", "profile.tar", 38, true},
	{"kept-total", "profile.tar", 38, false},
	/* four lists, four atoms */
	{"data", "profile.tar", 8, true},
};

/* %s: the folder of the tests. */
static const char script[] =
	"item=gnu/store/aaaaaaaaaaaaaaaaaaaa; mkdir -p p/$item; "
	"tar -C p -b20 -cf plain.tar gnu; "
	"mkdir -p z/gnu/store; head -c 83886080 /dev/zero >z/gnu/store/f; "
	"tar -C z -b20 -cf - gnu | gzip -9n >z.gz; "
	"{ cat z.gz; head -c $((100000 - $(wc -c <z.gz))) /dev/zero; } "
	">zeros.tar.gz; rm -r z z.gz; "
	"mkdir -p n/gnu/store; perl -e 'srand 1; "
	"print pack \"L\", rand 4294967296 for 1 .. 1500000' >n/gnu/store/f; "
	"tar -C n -cf - gnu | xz --lzma2=preset=0,dict=4MiB >noise.tar.xz; "
	"mkdir a b; echo 1 >a/f; echo 2 >b/f; "
	"tar -C a -cf 1.tar f; tar -C b -cf 2.tar f; "
	"printf '{\"rootfs\":{\"diff_ids\":[\"sha256:%%s\",\"sha256:%%s\"]}}' "
	"$(sha256sum 1.tar 2.tar | cut -c1-64) >config.json; "
	"m='[{\"Config\":\"config.json\",\"Layers\":[\"%%s\",\"2.tar\"]}]'; "
	"printf \"$m\" 1.tar >manifest.json; "
	"tar -cf two.tar 1.tar 2.tar config.json manifest.json; "
	"printf \"$m\" l3 >manifest.json; "
	"ln -s 1.tar l1; ln -s l1 l2; ln -s l2 l3; "
	"tar -cf linked.tar 1.tar 2.tar l1 l2 l3 config.json manifest.json; "
	"mkdir -p q/gnu/store/x-profile; "
	"printf '(manifest (version 4) (packages ()))  ' "
	">q/gnu/store/x-profile/manifest; tar -C q -cf profile.tar gnu; "
	"perl -e 'require \"%s/tests/hostile/lib.pl\"; "
	"print gz(tar(map { pax(\"path=gnu/store/$_\" . \"x\" x 4000), "
	"member(\"x\", \"\") } 1 .. 9000))' >long.tar.gz";

static int
make(void **state)
{
	char *dir = shell_folder();
	char *here = getcwd(NULL, 0);
	char *text = xasprintf(script, here);
	bool is_made = dir && shell(dir, text);

	free(text);
	free(here);
	*state = dir;
	return is_made ? 0 : -1;
}

static int
drop(void **state)
{
	shell_drop(*state);
	return 0;
}

static int
row_of(const char *name)
{
	const struct limit_row *row;

	for (int i = 0; (row = limits_row((size_t)i)); i++)
		if (strcmp(row->name, name) == 0)
			return i;
	fail_msg("no limit '%s'", name);
	return -1;
}

/* Can it be read within this value, given as the command line gives it? */
static bool
is_read(const char *dir, const struct side *s, uint64_t value, struct err *e)
{
	struct image_limits limits = image_limits_default;
	CLEANUP(own_free)
	char *path = xasprintf("%s/%s", dir, s->image);
	CLEANUP(own_free)
	char *option =
		xasprintf("%s=%llu", s->limit, (unsigned long long)value);
	CLEANUP(own_image)
	struct image *image = NULL;
	CLEANUP(own_provenance)
	struct provenance *p = NULL;

	*e = (struct err){0};
	if (limits_set(&limits, option, e) < 0)
		fail_msg("%s", e->text);
	if (image_read(path, &limits, &image, e) < 0)
		return false;
	/* That the manifest names no channels is no matter of limits. */
	return !s->has_provenance || provenance_read(image, &p, e) == 0 ||
		e->kind != ERR_POLICY;
}

/* One below what is enough: refused, saying by what and how to go on. */
static void
check_refusal(const struct side *s, uint64_t value, const struct err *e)
{
	CLEANUP(own_free)
	char *says = xasprintf("(limit %s is %llu: --limit %s=N raises it)",
		s->limit, (unsigned long long)value, s->limit);

	if (e->kind != ERR_POLICY || !strstr(e->text, says))
		fail_msg("%s=%llu: kind %d, '%s'", s->limit,
			(unsigned long long)value, e->kind, e->text);
}

static void
each_limit_holds_on_both_sides(void **state)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		const struct side *s = &sides[i];
		uint64_t low = s->enough ? s->enough - 1 : 1;
		uint64_t high = s->enough ? s->enough : 2;

		while (!s->enough && !is_read(*state, s, high, &e)) {
			check_refusal(s, high, &e);
			low = high;
			high *= 2;
		}
		while (high - low > 1) {
			uint64_t mid = low + (high - low) / 2;

			if (is_read(*state, s, mid, &e))
				high = mid;
			else
				low = mid;
		}
		if (!is_read(*state, s, high, &e))
			fail_msg("%s=%llu: %s", s->limit,
				(unsigned long long)high, e.text);
		if (is_read(*state, s, low, &e))
			fail_msg("%s=%llu: read all the same", s->limit,
				(unsigned long long)low);
		check_refusal(s, low, &e);
	}
}

static void
each_limit_has_a_test(void **state)
{
	const struct limit_row *row;

	(void)state;
	for (size_t i = 0; (row = limits_row(i)); i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(sides) &&
			strcmp(sides[k].limit, row->name) != 0)
			k++;
		if (k == ARRAY_LEN(sides))
			fail_msg("limit %s is not tested", row->name);
	}
}

static void
values_are_numbers_with_a_suffix(void **state)
{
	static const struct {
		const char *text, *name;
		uint64_t value; /* 0: refused */
	} cases[] = {
		{"entries=7", "entries", 7},
		{"entries=2K", "entries", 2000},
		{"entries=3M", "entries", 3000000},
		{"json-bytes=2K", "json-bytes", 2048},
		{"file-bytes=1T", "file-bytes", UINT64_C(1) << 40},
		{"unpacked=18446744073709551615", "unpacked", UINT64_MAX},
		{"path-bytes=65535", "path-bytes", 65535},
		{"path-bytes=65536", "path-bytes", 0},
		{"path-bytes=64K", "path-bytes", 0},
		{"entries=4294967295", "entries", UINT32_MAX},
		{"entries=4294967296", "entries", 0},
		{"unpacked=18446744073709551616", "unpacked", 0},
		{"unpacked=99999999999999999999", "unpacked", 0},
		{"unpacked=20000000T", "unpacked", 0},
		{"entries=0", "entries", 0},
		{"entries=-1", "entries", 0},
		{"entries=1KB", "entries", 0},
		{"entries=k", "entries", 0},
		{"entries=", "entries", 0},
		{"entries", "entries", 0},
		{"entrie=1", "entries", 0},
		{"entries2=1", "entries", 0},
		{"=1", "entries", 0},
		{"", "entries", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct image_limits l = image_limits_default;
		enum limit which = (enum limit)row_of(cases[i].name);
		uint64_t before = limits_get(&l, which);
		struct err e = {0};
		int r = limits_set(&l, cases[i].text, &e);

		if (r != (cases[i].value ? 0 : -1))
			fail_msg("'%s' gives %d", cases[i].text, r);
		if (limits_get(&l, which) !=
			(cases[i].value ? cases[i].value : before))
			fail_msg("'%s' is taken for %llu", cases[i].text,
				(unsigned long long)limits_get(&l, which));
		assert_int_equal(e.kind, r < 0 ? ERR_POLICY : ERR_NONE);
	}
}

/* What --help says is what holds. */
static void
defaults_are_as_they_are_told(void **state)
{
	const struct limit_row *row;

	(void)state;
	for (size_t i = 0; (row = limits_row(i)); i++) {
		struct image_limits l = {0};
		CLEANUP(own_free)
		char *text = xasprintf("%s=%s", row->name, row->standard);
		struct err e = {0};

		if (limits_set(&l, text, &e) < 0)
			fail_msg("%s", e.text);
		if (limits_get(&l, (enum limit)i) !=
			limits_get(&image_limits_default, (enum limit)i))
			fail_msg("%s is not the default", text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_holds_on_both_sides),
		cmocka_unit_test(each_limit_has_a_test),
		cmocka_unit_test(values_are_numbers_with_a_suffix),
		cmocka_unit_test(defaults_are_as_they_are_told),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
