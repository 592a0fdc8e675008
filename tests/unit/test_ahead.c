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
#include "image/ahead.h"
#include "image/image.h"
#include "shell.h"

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

/* Numbers in blocks of changing length, in memory that is used again. */
struct numbers {
	uint32_t next;
	uint64_t left; /* bytes to come, then ... */
	int result;    /* ... this */
	char block[70000];
};

static int
count(void *arg, struct slice *out, struct err *e)
{
	struct numbers *c = arg;
	size_t n = c->next * 7919 % sizeof(c->block) + 1;

	if (n > c->left)
		n = (size_t)c->left;
	if (n == 0)
		return c->result < 0 ? err_set(e, ERR_INPUT, "as it was told")
				     : 0;
	for (size_t i = 0; i < n; i++)
		c->block[i] = (char)(c->next * 31 + i);
	c->next++;
	c->left -= n;
	*out = (struct slice){c->block, n};
	return 1;
}

static void
what_runs_ahead_comes_out_as_it_is(void **state)
{
	static const uint64_t sizes[] = {0, 1, (1 << 20) - 1, 1 << 20,
		(1 << 20) + 1, (1 << 20) + (1 << 18), 5000000, 20000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (int result = -1; result <= 0; result++) {
			struct numbers *a = calloc(1, sizeof(*a));
			struct numbers *b = calloc(1, sizeof(*b));
			struct ahead *ahead;
			struct err direct = {0}, e = {0};
			struct digest x, y;

			a->left = b->left = sizes[i];
			a->result = b->result = result;
			ahead = ahead_new((struct layer_source){count, b});
			assert_int_equal(drain((struct layer_source){count, a},
						 &x, &direct),
				result);
			assert_int_equal(
				drain(ahead_source(ahead), &y, &e), result);
			assert_true(digest_eq(&x, &y));
			assert_string_equal(e.text, direct.text);
			ahead_free(ahead);
			free(a);
			free(b);
		}
}

static void
what_runs_ahead_can_be_left(void **state)
{
	(void)state;
	for (size_t blocks = 0; blocks < 60; blocks += 3) {
		struct numbers *from = calloc(1, sizeof(*from));
		struct ahead *ahead =
			ahead_new((struct layer_source){count, from});
		struct slice part;
		struct err e = {0};
		uint32_t at;

		from->left = UINT64_MAX;
		for (size_t i = 0; i < blocks; i++)
			assert_int_equal(
				layer_pull(ahead_source(ahead), &part, &e), 1);
		ahead_free(ahead);
		/* Nobody pulls any more: the source is the caller's again. */
		at = from->next;
		assert_int_equal(count(from, &part, &e), 1);
		assert_int_equal(from->next, at + 1);
		free(from);
	}
}

/*
 * Images with a layer large enough for a thread: of random bytes, so that what
 * is changed in them matters, in gzip as a whole, in gzip in a plain archive,
 * and twice in gzip.
 */
static int
make_images(void **state)
{
	*state = shell_folder();
	return *state &&
			shell(*state,
				"mkdir m t; head -c 6000000 /dev/urandom >t/r; "
				"seq 300000 >t/s; tar -cf layer.tar -C t .; "
				"id=$(sha256sum <layer.tar | cut -c1-64); "
				"echo $id >id; cd m; "
				"printf '{\"rootfs\":{\"type\":\"layers\","
				"\"diff_ids\":[\"sha256:%s\"]}}' $id >c.json; "
				"printf '[{\"Config\":\"c.json\",\"RepoTags\":[],"
				"\"Layers\":[\"l\"]}]' >manifest.json; "
				"cp ../layer.tar l; "
				"tar -cf - l c.json manifest.json | gzip -1n >../whole; "
				"gzip -1nc ../layer.tar >l; "
				"tar -cf ../inner l c.json manifest.json; "
				"gzip -1nc ../inner >../both")
		? 0
		: -1;
}

static int
drop_images(void **state)
{
	shell_drop(*state);
	return 0;
}

/* Read dir/name: the layer's digest, or a failure. */
static int
read_image(const char *dir, const char *name, char hex[DIGEST_HEX + 1],
	struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(own_image)
	struct image *image = NULL;
	int r;

	*e = (struct err){0};
	r = image_read(path, &image_limits_default, &image, e);
	if (r == 0)
		digest_hex(&image->layers[0].diff_id, hex);
	return r;
}

static const char *const images[] = {"whole", "inner", "both"};

static void
large_layers_have_their_digest(void **state)
{
	const char *dir = *state;
	CLEANUP(own_free)
	char *id = NULL;
	size_t n;

	id = shell_read(dir, "id", &n);
	for (size_t i = 0; i < ARRAY_LEN(images); i++) {
		char hex[DIGEST_HEX + 1];
		struct err e;

		if (read_image(dir, images[i], hex, &e) < 0)
			fail_msg("%s", e.text);
		assert_memory_equal(hex, id, DIGEST_HEX);
	}
}

/* How far a thread was ahead when something failed must not be seen. */
static void
what_is_damaged_fails_the_same_each_time(void **state)
{
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_LEN(images); i++)
		for (size_t at = 0; at < 16; at++) {
			CLEANUP(own_free)
			char *script = NULL;
			char hex[DIGEST_HEX + 1];
			struct err first, again;

			script = at % 2 == 0
				? xasprintf(
					  "n=$(wc -c <%s); "
					  "head -c $((n * %zu / 8 + 11)) %s >x",
					  images[i], at / 2, images[i])
				: xasprintf(
					  "n=$(wc -c <%s); cp %s x; "
					  "printf xyz | dd of=x bs=1 conv=notrunc "
					  "seek=$((n * %zu / 8 + 11)) status=none",
					  images[i], images[i], at / 2);
			assert_true(shell(dir, script));
			assert_int_equal(read_image(dir, "x", hex, &first), -1);
			assert_int_equal(first.kind, ERR_INPUT);
			for (int k = 0; k < 3; k++) {
				assert_int_equal(
					read_image(dir, "x", hex, &again), -1);
				assert_string_equal(again.text, first.text);
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runs_ahead_comes_out_as_it_is),
		cmocka_unit_test(what_runs_ahead_can_be_left),
		cmocka_unit_test(large_layers_have_their_digest),
		cmocka_unit_test(what_is_damaged_fails_the_same_each_time),
	};

	return cmocka_run_group_tests_name(
		"ahead", tests, make_images, drop_images);
}
