/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compare/config.h"
#include "compare_sample.h"

struct row {
	const char *image, *rebuilt, *differences;
};

static const struct row rows[] = {
	/* members in another order, white space */
	{"{\"os\":\"linux\",\"a\":[1,2]}", "{\"a\": [1, 2], \"os\": \"linux\"}",
		""},
	/* names without case in Go structs, null as good as absent */
	{"{\"config\":{\"env\":[\"A=1\"]},\"container_config\":null}",
		"{\"Config\":{\"Env\":[\"A=1\"],\"Cmd\":null}}", ""},
	/* false is not null: skopeo refuses it */
	{"{\"container_config\":null}", "{\"container_config\":false}",
		"container_config: null in the image, false in the rebuild\n"},
	{"{\"config\":{\"env\":[\"A=1\",\"B=2\"]}}",
		"{\"config\":{\"Env\":[\"A=0\",\"B=2\",\"C=\"]}}",
		"config.env[0]: \"A=1\" in the image, \"A=0\" in the rebuild\n"
		"config.env[2]: absent in the image, \"C=\" in the rebuild\n"},
	/* labels and ports are maps: case counts, and null is a value */
	{"{\"config\":{\"Labels\":{\"a.b\":\"1\",\"c\":null}}}",
		"{\"config\":{\"Labels\":{\"A.B\":\"1\"}}}",
		"config.Labels[\"a.b\"]: \"1\" in the image, absent in the "
		"rebuild\n"
		"config.Labels.c: null in the image, absent in the rebuild\n"
		"config.Labels[\"A.B\"]: absent in the image, \"1\" in the "
		"rebuild\n"},
	/* diff_ids follow from the layers, the type beside them does not */
	{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"1\"]}}",
		"{\"rootfs\":{\"type\":\"x\",\"diff_ids\":[\"2\",\"3\"]}}",
		"rootfs.type: \"layers\" in the image, \"x\" in the rebuild\n"},
	{"{\"diff_ids\":[\"1\"]}", "{\"diff_ids\":[\"2\"]}",
		"diff_ids[0]: \"1\" in the image, \"2\" in the rebuild\n"},
	/* two names of one member on a side: nothing goes unseen */
	{"{\"Env\":1}", "{\"ENV\":1,\"env\":2}",
		"env: 1 in the image, 2 in the rebuild\n"},
	{"{\"ENV\":1,\"env\":2}", "{\"Env\":1}",
		"env: 2 in the image, 1 in the rebuild\n"},
	/* one type for another, and what is below is shown in one line */
	{"{\"a\":{\"b\":[true,\"x\"],\"c\":{}}}", "{\"a\":[0.5,\"y\"]}",
		"a: {\"b\": [true, \"x\"], \"c\": {}} in the image, "
		"[a fraction, \"y\"] in the rebuild\n"},
	/* control characters are clean before they are kept */
	{"{\"a\":\"\\u001b[2J\\n\"}", "{\"a\":1}",
		"a: \"#x1B[2J\\n\" in the image, 1 in the rebuild\n"},
	/* what Go writes for nothing, where it writes structs */
	{"{\"parent\":\"\",\"config\":{\"Tty\":false,\"User\":\"\","
	 "\"OnBuild\":[],\"Labels\":{},\"StopTimeout\":0}}",
		"{\"config\":{}}", ""},
	{"{\"a\":false,\"b\":[],\"config\":{\"Labels\":{\"x\":\"\"}}}",
		"{\"config\":{\"Labels\":{\"y\":\"\"}}}",
		"a: false in the image, absent in the rebuild\n"
		"b: [] in the image, absent in the rebuild\n"
		"config.Labels.x: \"\" in the image, absent in the rebuild\n"
		"config.Labels.y: absent in the image, \"\" in the rebuild\n"},
	{"{\"config\":{\"Tty\":true}}", "{\"config\":{}}",
		"config.Tty: true in the image, absent in the rebuild\n"},
	/* remarks that are lost are counted elsewhere; those that differ, here */
	{"{\"comment\":\"x\",\"history\":[{}],\"os\":\"linux\"}",
		"{\"os\":\"linux\",\"docker_version\":\"1\"}", ""},
	{"{\"comment\":\"x\"}", "{\"comment\":\"y\"}",
		"comment: \"x\" in the image, \"y\" in the rebuild\n"},
	{"{\"config\":{\"comment\":\"x\"}}", "{\"config\":{}}",
		"config.comment: \"x\" in the image, absent in the rebuild\n"},
	{"[1]", "[1]  ", ""},
	{"[1]", "{}", "[1] in the image, {} in the rebuild\n"},
};

static void
compare_texts(const char *a, const char *b, struct comparison *c)
{
	struct image image = {.config = slice_of(a)};
	struct image rebuilt = {.config = slice_of(b)};
	CLEANUP(findings_fini)
	struct findings f = {.out = c};
	uint64_t allowed[ALLOWANCE_COUNT] = {0};
	struct err e;

	*c = (struct comparison){0};
	image.config_doc = jdoc_parse(image.config, &e);
	rebuilt.config_doc = jdoc_parse(rebuilt.config, &e);
	assert_non_null(image.config_doc);
	assert_non_null(rebuilt.config_doc);
	config_compare(&image, &rebuilt, &f, allowed);
	if (strstr(a, "history") || strstr(b, "history")) {
		assert_int_equal(allowed[ALLOWANCE_CONFIG_NOTES], 2);
		assert_int_equal(allowed[ALLOWANCE_CONFIG_HISTORY], 1);
	}
	assert_int_equal(f.config, c->total);
	jdoc_free(image.config_doc);
	jdoc_free(rebuilt.config_doc);
}

static void
each_member_that_differs_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_fini)
		struct buf lines = {0};
		struct comparison c;

		compare_texts(rows[i].image, rows[i].rebuilt, &c);
		for (size_t k = 0; k < c.n_differences; k++) {
			assert_string_equal(c.differences[k].kind, "config");
			assert_string_equal(c.differences[k].path, "");
			buf_printf(&lines, "%s\n", c.differences[k].detail);
		}
		assert_string_equal(buf_text(&lines), rows[i].differences);
		comparison_fini(&c);
	}
}

static void
nothing_differs_the_other_way_round_either(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct comparison c;

		compare_texts(rows[i].rebuilt, rows[i].image, &c);
		assert_int_equal(c.total == 0, rows[i].differences[0] == '\0');
		comparison_fini(&c);
	}
}

/* 160 bytes of a value are shown, one more is cut, and never a character. */
static void
long_values_are_cut(void **state)
{
	CLEANUP(buf_fini)
	struct buf fits = {0};
	CLEANUP(buf_fini)
	struct buf over = {0};
	struct comparison c;

	(void)state;
	buf_str(&fits, "\"");
	for (int i = 0; i < 79; i++)
		buf_str(&fits, "é");
	buf_slice(&over, buf_get(&fits));
	buf_str(&fits, "xy\"");
	buf_str(&over, "xé\"");
	compare_texts(buf_text(&fits), buf_text(&over), &c);
	assert_int_equal(c.n_differences, 1);
	assert_non_null(strstr(c.differences[0].detail, "éxy\" in the image"));
	assert_non_null(
		strstr(c.differences[0].detail, "éx\"… in the rebuild"));
	comparison_fini(&c);
}

static void
deep_and_wide_values_stay_small(void **state)
{
	CLEANUP(buf_fini)
	struct buf deep = {0};
	struct comparison c;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, "{\"a long name to fill the path\":[");
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, "1,");
	buf_str(&deep, "1");
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, "]}");
	compare_texts(buf_text(&deep), "{}", &c);
	assert_int_equal(c.total, 1);
	assert_true(strlen(c.differences[0].detail) < 600);
	comparison_fini(&c);

	{
		CLEANUP(buf_fini)
		struct buf other = {0};

		/* the last of the thousand numbers and one */
		buf_slice(&other, buf_get(&deep));
		*strstr(other.p, "1]") = '2';
		compare_texts(buf_text(&deep), buf_text(&other), &c);
	}
	assert_int_equal(c.total, 1);
	assert_non_null(strstr(
		c.differences[0].detail, ": 1 in the image, 2 in the rebuild"));
	assert_true(strlen(c.differences[0].detail) < 600);
	comparison_fini(&c);
}

static void
form_is_the_same_but_for_diff_ids(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} forms[] = {
		{"{\"d\":[\"sha256:%s\"]}", "{\"d\":[\"sha256:%s\"]}", true},
		{"{\"h\":\"x\",\"d\":[\"%s\"]}", "{\"h\":\"y\",\"d\":[\"%s\"]}",
			false},
		{"{\"d\":[\"sha256:%s\"]}", "{\"d\": [\"sha256:%s\"]}", false},
		{"{\"d\":[\"sha256:%s\"],\"env\":1}",
			"{\"d\":[\"sha256:%s\"],\"Env\":1}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct sample a, b;
		char hex[DIGEST_HEX + 1], text_a[256], text_b[256];
		const char *at;

		sample_init(&a, "image");
		sample_init(&b, "rebuilt");
		b.layers[0].diff_id = sample_digest("another");
		at = strstr(forms[i].a, "%s");
		digest_hex(&a.layers[0].diff_id, hex);
		(void)snprintf(text_a, sizeof(text_a), "%.*s%s%s",
			(int)(at - forms[i].a), forms[i].a, hex, at + 2);
		at = strstr(forms[i].b, "%s");
		digest_hex(&b.layers[0].diff_id, hex);
		(void)snprintf(text_b, sizeof(text_b), "%.*s%s%s",
			(int)(at - forms[i].b), forms[i].b, hex, at + 2);
		a.image.config = slice_of(text_a);
		b.image.config = slice_of(text_b);
		assert_int_equal(config_is_same_form(&a.image, &b.image),
			forms[i].is_same);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_that_differs_is_named),
		cmocka_unit_test(nothing_differs_the_other_way_round_either),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(deep_and_wide_values_stay_small),
		cmocka_unit_test(form_is_the_same_but_for_diff_ids),
	};

	return cmocka_run_group_tests_name("compare config", tests, NULL, NULL);
}
