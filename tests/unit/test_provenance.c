/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/path.h"
#include "image/own.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"

#define A "0000000000000000000000000000000a-profile"
#define B "0000000000000000000000000000000b-profile"
#define C "0000000000000000000000000000000c-hello-1"
#define MANIFEST(name)                                                \
	"(manifest (version 4) (packages ((\"" name                   \
	"\" \"1\" \"out\" \"p\" (properties ((provenance (repository" \
	" (version 0) (url \"u\") (branch \"b\") (commit \"c\")"      \
	" (name guix)))))))))"

enum {
	ENTRIES_MAX = 16
};

/* An image made by hand, with profiles A (package "a") and B ("b"). */
struct fixture {
	struct image_own own;
	struct tree_entry tree[ENTRIES_MAX];
	struct store_item items[ENTRIES_MAX];
	const char *env[4], *entry_point[1];
};

/* Paths are added in their order; manifest is the contents of a file. */
static void
add(struct fixture *f, const char *path, const char *link, const char *manifest)
{
	struct tree *t = &f->own.image.tree;

	assert_true(t->n < ENTRIES_MAX);
	f->tree[t->n++] = (struct tree_entry){
		.path = path,
		.link = link,
		.type = link ? TREE_LINK : TREE_FILE,
		.data = slice_of(manifest),
	};
}

/* The item begins at the next entry, and the one before ends there. */
static void
add_item(struct fixture *f, const char *name)
{
	struct image *image = &f->own.image;

	if (image->n_items)
		f->items[image->n_items - 1].end = image->tree.n;
	f->items[image->n_items++] =
		(struct store_item){.name = name, .begin = image->tree.n};
}

static void
end_items(struct fixture *f)
{
	f->items[f->own.image.n_items - 1].end = f->own.image.tree.n;
}

static void
begin(struct fixture *f)
{
	*f = (struct fixture){.own.image.limits = image_limits_default};
	f->own.image.tree.v = f->tree;
	f->own.image.items = f->items;
	f->own.config.env = f->env;
	f->own.config.entrypoint = f->entry_point;
	f->own.config.architecture = "amd64";
}

static void
begin_two(struct fixture *f)
{
	begin(f);
	add_item(f, A);
	add(f, "gnu/store/" A "/manifest", NULL, MANIFEST("a"));
	add_item(f, B);
	add(f, "gnu/store/" B "/manifest", NULL, MANIFEST("b"));
	add_item(f, C);
	add(f, "gnu/store/" C "/bin/hello", NULL, NULL);
	end_items(f);
}

static void
chooses(struct fixture *f, const char *profile, const char *why)
{
	struct provenance *p = NULL;
	struct err e = {0};

	if (provenance_read(&f->own.image, &p, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(p->profile, profile);
	assert_string_equal(p->profile_found, why);
	assert_string_equal(p->packages[0]->name,
		strcmp(profile, "/gnu/store/" A) == 0 ? "a" : "b");
	provenance_free(p);
}

static void
refuses(struct fixture *f, enum err_kind kind, const char *says)
{
	struct provenance *p = NULL;
	struct err e = {0};

	assert_int_equal(provenance_read(&f->own.image, &p, &e), -1);
	assert_null(p);
	assert_int_equal(e.kind, kind);
	if (!strstr(e.text, says))
		fail_msg("\"%s\" does not say \"%s\"", e.text, says);
}

static void
environment_names_the_profile(void **state)
{
	struct fixture f;

	(void)state;
	begin_two(&f);
	f.env[0] = "HOME=/";
	f.env[1] = "X_PATH=/usr/bin:/gnu/store/" B "/bin";
	f.own.config.n_env = 2;
	chooses(&f, "/gnu/store/" B,
		"named by X_PATH in the config's environment");
	/* A name that only begins like it is another. */
	f.env[1] = "X_PATH=/gnu/store/" B "x/bin";
	refuses(&f, ERR_ABSENT, "2 profiles");
}

static void
entry_point_names_the_profile(void **state)
{
	struct fixture f;

	(void)state;
	begin_two(&f);
	f.entry_point[0] = "/gnu/store/" A "/bin/a";
	f.own.config.n_entrypoint = 1;
	chooses(&f, "/gnu/store/" A, "named by the config's entry point");
}

static void
link_outside_the_store_leads_to_the_profile(void **state)
{
	struct fixture f;

	(void)state;
	begin_two(&f);
	add(&f, "opt/x/bin", "../../gnu/store/" B "/bin", NULL);
	chooses(&f, "/gnu/store/" B, "the link /opt/x/bin leads into it");
}

/* A link to the nested one does not outweigh the environment; where the
 * environment names both, the next evidence decides. */
static void
stronger_evidence_comes_first(void **state)
{
	struct fixture f;

	(void)state;
	begin_two(&f);
	add(&f, "opt/x", "/gnu/store/" B "/bin", NULL);
	f.env[0] = "PATH=/gnu/store/" A "/bin";
	f.own.config.n_env = 1;
	chooses(&f, "/gnu/store/" A,
		"named by PATH in the config's environment");
	f.env[0] = "PATH=/gnu/store/" A "/bin:/gnu/store/" B "/bin";
	chooses(&f, "/gnu/store/" B, "the link /opt/x leads into it");
}

static void
profile_inside_another_item_is_not_taken(void **state)
{
	struct fixture f;

	(void)state;
	begin_two(&f);
	f.tree[2].link = "/gnu/store/" B "/bin";
	f.tree[2].type = TREE_LINK;
	chooses(&f, "/gnu/store/" A,
		"the only profile that no other store item leads into");
	/* A profile's links into itself say nothing. */
	f.tree[2].path = "gnu/store/" B "/self";
	f.items[1].end = 3;
	f.items[2].begin = f.items[2].end = 3;
	refuses(&f, ERR_ABSENT, A ", " B);
}

static void
only_profile_is_taken(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_item(&f, B);
	add(&f, "gnu/store/" B "/manifest", NULL, MANIFEST("b"));
	/* No profile: its file of that name says something else. */
	add_item(&f, C);
	add(&f, "gnu/store/" C "/manifest", NULL, "{\"manifest\": 1}");
	end_items(&f);
	chooses(&f, "/gnu/store/" B, "the only profile of the image");
}

static void
item_of_any_name_with_a_manifest_is_a_profile(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_item(&f, C);
	add(&f, "gnu/store/" C "/manifest", NULL, MANIFEST("b"));
	end_items(&f);
	chooses(&f, "/gnu/store/" C, "the only profile of the image");
}

static void
image_without_profile_is_said_to_be_so(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	refuses(&f, ERR_ABSENT, "no profile");
	add_item(&f, C);
	add(&f, "gnu/store/" C "/bin/x", NULL, NULL);
	end_items(&f);
	refuses(&f, ERR_ABSENT, "no profile");
}

/* The one that was packed cannot be read; another one must not answer. */
static void
another_profile_does_not_stand_in(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_item(&f, A);
	add(&f, "gnu/store/" A "/manifest", NULL, NULL);
	add_item(&f, B);
	add(&f, "gnu/store/" B "/manifest", NULL, MANIFEST("b"));
	end_items(&f);
	f.env[0] = "PATH=/gnu/store/" A "/bin";
	f.own.config.n_env = 1;
	refuses(&f, ERR_ABSENT, "/gnu/store/" A ", has no manifest");
}

static void
malformed_manifest_says_where(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_item(&f, A);
	add(&f, "gnu/store/" A "/manifest", NULL, "(manifest\n (version 4)");
	end_items(&f);
	refuses(&f, ERR_INPUT, "/gnu/store/" A "/manifest: line 2");
}

/* What follows reads images that the real Guix packed, with the options typed
 * for each, from a folder that UNBLEND_SHARED names. */

/* "-C none" and "-S /bin=bin" as the long words of a recipe. */
static char *
long_options(const char *typed)
{
	char *copy = xstrdup(typed), *save = NULL;
	struct buf b = {0};

	for (char *w = strtok_r(copy, " \n", &save); w;
		w = strtok_r(NULL, " \n", &save)) {
		if (b.n && b.p[b.n - 1] != '=')
			buf_char(&b, ' ');
		if (strcmp(w, "-C") == 0)
			buf_str(&b, "--compression=");
		else if (strcmp(w, "-S") == 0)
			buf_str(&b, "--symlink=");
		else
			buf_str(&b, w);
	}
	free(copy);
	return buf_take(&b);
}

static char *
archive_in(const char *dir)
{
	struct dirent *entry;
	char *found = NULL;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (strstr(entry->d_name, "docker-pack.tar")) {
			free(found);
			found = path_join(dir, entry->d_name);
		}
	}
	closedir(d);
	return found;
}

static void
check_image(const char *dir, const char *archive)
{
	struct image *image = NULL;
	struct provenance *p = NULL;
	struct recipe *r = NULL;
	struct buf typed = {0}, revealed = {0};
	struct err e = {0};
	char *path = path_join(dir, "pack-options"), *wanted;

	if (image_read(archive, &image_limits_default, &image, &e) < 0 ||
		provenance_read(image, &p, &e) < 0 ||
		recipe_make(image, p, NULL, &r, &e) < 0 ||
		path_read(path, 4096, &typed, &e) < 0)
		fail_msg("%s: %s", dir, e.text);
	for (size_t i = 0; i < r->n_revealed; i++)
		buf_printf(&revealed, "%s%s", i ? " " : "", r->revealed[i]);
	wanted = long_options(buf_text(&typed));
	assert_string_equal(buf_text(&revealed), wanted);
	assert_int_equal(r->n_missing, 0);
	assert_int_equal(p->n_missing, 0);
	free(wanted);
	free(path);
	buf_fini(&typed);
	buf_fini(&revealed);
	recipe_free(r);
	provenance_free(p);
	image_free(image);
}

static void
options_equal_those_that_were_typed(void **state)
{
	const char *shared = getenv("UNBLEND_SHARED");
	struct dirent *entry;
	char *path;
	int n = 0;
	DIR *d;

	(void)state;
	if (!shared)
		skip();
	path = path_join(shared, "samples/images");
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d))) {
		char *dir = path_join(path, entry->d_name), *archive;

		if (entry->d_name[0] != '.') {
			archive = archive_in(dir);
			assert_non_null(archive);
			check_image(dir, archive);
			free(archive);
			n++;
		}
		free(dir);
	}
	closedir(d);
	free(path);
	assert_true(n >= 19);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(environment_names_the_profile),
		cmocka_unit_test(entry_point_names_the_profile),
		cmocka_unit_test(link_outside_the_store_leads_to_the_profile),
		cmocka_unit_test(stronger_evidence_comes_first),
		cmocka_unit_test(profile_inside_another_item_is_not_taken),
		cmocka_unit_test(only_profile_is_taken),
		cmocka_unit_test(item_of_any_name_with_a_manifest_is_a_profile),
		cmocka_unit_test(image_without_profile_is_said_to_be_so),
		cmocka_unit_test(another_profile_does_not_stand_in),
		cmocka_unit_test(malformed_manifest_says_where),
		cmocka_unit_test(options_equal_those_that_were_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
