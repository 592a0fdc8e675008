/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/path.h"
#include "base/sexp.h"
#include "base/text.h"
#include "image/own.h"
#include "recipe/parts.h"
#include "recipe/recipe.h"

#define ITEM "0000000000000000000000000000000p-profile"
#define PROFILE "/gnu/store/" ITEM
#define C1 "1111111111111111111111111111111111111111"
#define C2 "2222222222222222222222222222222222222222"
#define C3 "3333333333333333333333333333333333333333"
#define SIGNER "AAAA BBBB CCCC DDDD EEEE  FFFF 0000 1111 2222 3333"
#define GUIX(commit)                                                         \
	"(repository (version 0) (url \"https://git.example.org/guix.git\")" \
	" (branch \"master\") (commit \"" commit "\") (name guix)"           \
	" (introduction (channel-introduction (version 0)"                   \
	" (commit \"" C2 "\") (signer \"" SIGNER "\"))))"
#define PROVENANCE "(provenance " GUIX(C1) ")"
#define ENTRY(name, version, output)                                        \
	"(\"" name "\" \"" version "\" \"" output "\" \"/gnu/store/x-" name \
	"-" version "\" (properties (" PROVENANCE ")))"
#define V4(entries) "(manifest (version 4) (packages (" entries ")))"

enum {
	ENTRIES_MAX = 16
};

/* An image made by hand; the strings are literals. */
struct fixture {
	struct image_own own;
	struct arena arena;
	struct tree_entry tree[ENTRIES_MAX];
	struct layer layers[ENTRIES_MAX];
	struct store_item items[ENTRIES_MAX];
	const char *tags[ENTRIES_MAX];
	struct provenance *p;
	struct recipe *r;
};

static void
set_config(struct fixture *f, const char *json)
{
	struct err e = {0};

	jdoc_free(f->own.image.config_doc);
	if (docker_config_parse(slice_of(json), &f->arena,
		    &f->own.image.config_doc, &f->own.config, &e) < 0)
		fail_msg("%s", e.text);
}

static void
set_manifest(struct fixture *f, const char *text)
{
	struct err e = {0};

	provenance_free(f->p);
	if (provenance_parse(PROFILE, slice_of(text), &f->p, &e) < 0 && !f->p)
		fail_msg("%s", e.text);
}

static void
begin(struct fixture *f, const char *manifest)
{
	*f = (struct fixture){0};
	f->own.image.compression = COMPRESSION_GZIP;
	f->own.image.tree.v = f->tree;
	f->own.image.layers = f->layers;
	f->layers[0].name = "abc/layer.tar";
	f->own.image.n_layers = 1;
	f->own.image.items = f->items;
	f->items[0].name = ITEM;
	f->own.image.n_items = 1;
	f->own.image.repo_tags = f->tags;
	memset(f->own.image.sha256.b, 0xab, sizeof(f->own.image.sha256.b));
	f->own.image.format = "docker-archive";
	set_config(f, "{\"architecture\":\"amd64\"}");
	if (manifest)
		set_manifest(f, manifest);
}

/* Paths are added in their order. */
static void
add(struct fixture *f, const char *path, enum tree_type type, const char *link)
{
	assert_true(f->own.image.tree.n < ENTRIES_MAX);
	f->tree[f->own.image.tree.n++] = (struct tree_entry){
		.path = path, .link = link, .type = (uint8_t)type};
}

static const struct recipe *
make(struct fixture *f, const struct recipe_override *o)
{
	struct err e = {0};

	recipe_free(f->r);
	if (recipe_make(&f->own.image, f->p, o, &f->r, &e) < 0)
		fail_msg("%s", e.text);
	return f->r;
}

static void
end(struct fixture *f)
{
	jdoc_free(f->own.image.config_doc);
	arena_fini(&f->arena);
	provenance_free(f->p);
	recipe_free(f->r);
}

static void
refused(struct fixture *f, const struct recipe_override *o, enum err_kind kind,
	const char *says)
{
	struct err e = {0};
	struct recipe *r = NULL;

	assert_int_equal(recipe_make(&f->own.image, f->p, o, &r, &e), -1);
	assert_int_equal(e.kind, kind);
	if (!strstr(e.text, says))
		fail_msg("\"%s\" does not say \"%s\"", e.text, says);
	recipe_free(r);
}

/* The words joined by spaces equal text. */
static void
words_are(const char *const *v, size_t n, const char *text)
{
	struct buf b = {0};

	for (size_t i = 0; i < n; i++) {
		assert_non_null(v[i]);
		buf_printf(&b, "%s%s", i ? " " : "", v[i]);
	}
	assert_null(v[n]);
	assert_string_equal(buf_text(&b), text);
	buf_fini(&b);
}

static void
reveals(struct fixture *f, const char *text)
{
	make(f, NULL);
	words_are(f->r->revealed, f->r->n_revealed, text);
}

static bool
says(const char *const *v, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++) {
		if (strstr(v[i], what))
			return true;
	}
	return false;
}

static void
plain_image_gives_files_and_options(void **state)
{
	struct fixture f;
	struct buf command = {0};

	(void)state;
	begin(&f,
		V4(ENTRY("b", "2.0", "out") ENTRY("a", "1", "doc")
				ENTRY("c", "", "out")));
	f.own.image.n_repo_tags = 1;
	f.tags[0] = "b-a-c:latest";
	make(&f, NULL);
	assert_string_equal(f.r->channels_scm,
		";; The channels that the image was made from, for\n"
		";; 'guix time-machine -C'.\n"
		"(list\n"
		" (channel\n"
		"  (name 'guix)\n"
		"  (url \"https://git.example.org/guix.git\")\n"
		"  (branch \"master\")\n"
		"  (commit \"" C1 "\")\n"
		"  (introduction\n"
		"   (make-channel-introduction\n"
		"    \"" C2 "\"\n"
		"    (openpgp-fingerprint\n"
		"     \"" SIGNER "\")))))\n");
	assert_non_null(strstr(f.r->manifest_scm,
		"\n(specifications->manifest\n"
		" (list \"b@2.0\"\n"
		"       \"a@1:doc\"\n"
		"       \"c\"))\n"));
	assert_true(says(f.r->guessed, f.r->n_guessed, "c: no version"));
	words_are(f.r->options, f.r->n_options,
		"--format=docker --system=x86_64-linux --save-provenance");
	words_are(f.r->revealed, f.r->n_revealed, "");
	assert_string_equal(f.r->profile, PROFILE);
	recipe_command(f.r, "c d.scm", "m.scm", &command);
	assert_string_equal(buf_text(&command),
		"guix time-machine -C 'c d.scm' -- pack --format=docker "
		"--system=x86_64-linux --save-provenance -m m.scm");
	buf_fini(&command);
	end(&f);
}

static void
compression_is_revealed_unless_it_is_the_default(void **state)
{
	static const struct {
		enum compression c;
		const char *option;
	} cases[] = {
		{COMPRESSION_GZIP, ""},
		{COMPRESSION_NONE, "--compression=none"},
		{COMPRESSION_XZ, "--compression=xz"},
		{COMPRESSION_ZSTD, "--compression=zstd"},
		{COMPRESSION_BZIP2, "--compression=bzip2"},
		{COMPRESSION_LZIP, "--compression=lzip"},
	};
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		f.own.image.compression = cases[i].c;
		reveals(&f, cases[i].option);
	}
	end(&f);
}

static void
links_to_the_profile_are_symlink_options(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	add(&f, "bin", TREE_LINK, PROFILE "/bin");
	add(&f, "etc/other", TREE_LINK, PROFILE "x/etc");
	add(&f, "gnu/store/" ITEM "/self", TREE_LINK, PROFILE "/bin");
	add(&f, "opt/a b", TREE_LINK, PROFILE "/");
	add(&f, "opt/c", TREE_LINK, PROFILE);
	add(&f, "opt/d", TREE_LINK, PROFILE "//bin");
	add(&f, "opt/e", TREE_LINK, "../bin");
	add(&f, "opt/f", TREE_LINK, PROFILE "/x=y");
	add(&f, "opt/g", TREE_FILE, NULL);
	reveals(&f,
		"--symlink=/bin=bin --symlink=/opt/a b= --symlink=/opt/c= "
		"--symlink=/opt/d=/bin");
	assert_true(says(f.r->guessed, f.r->n_guessed, "order of the 4"));
	assert_true(says(f.r->missing, f.r->n_missing, "/opt/f"));
	end(&f);
}

/* The member of the archive that an entry was. */
static void
add_at(struct fixture *f, uint32_t seq, const char *path, const char *link)
{
	add(f, path, TREE_LINK, link);
	f->tree[f->own.image.tree.n - 1].seq = seq;
}

static void
old_tarballs_keep_the_opposite_order_of_links(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	f.own.image.format = "tarball";
	add_at(&f, 7, "bin", PROFILE "/bin");
	add_at(&f, 9, "etc/a", PROFILE "/etc");
	add_at(&f, 8, "opt/b", PROFILE "/b");
	reveals(&f,
		"--symlink=/etc/a=etc --symlink=/opt/b=b --symlink=/bin=bin");
	assert_false(says(f.r->guessed, f.r->n_guessed, "order of the"));
	end(&f);

	/* Newer ones have the folder of the store, and sort. */
	begin(&f, V4(ENTRY("a", "1", "out")));
	f.own.image.format = "tarball";
	add_at(&f, 1, "bin", PROFILE "/bin");
	add(&f, "gnu", TREE_DIR, NULL);
	add_at(&f, 9, "opt/b", PROFILE "/b");
	reveals(&f, "--symlink=/bin=bin --symlink=/opt/b=b");
	assert_true(says(f.r->guessed, f.r->n_guessed, "order of the 2"));
	end(&f);
}

/* A space stands for each NUL. */
static void
options_are_limited(void **state)
{
	static const char always[] = "--format=docker --system=x86_64-linux "
				     "--save-provenance --symlink=/=bin ";
	char *path = xmalloc(OPTIONS_BYTES_MAX);
	size_t n = OPTIONS_BYTES_MAX - (sizeof(always) - 1);
	struct fixture f;

	(void)state;
	memset(path, 'x', n);
	path[n] = '\0';
	begin(&f, V4(ENTRY("a", "1", "out")));
	add(&f, path, TREE_LINK, PROFILE "/bin");
	make(&f, NULL);
	path[n] = 'x';
	path[n + 1] = '\0';
	refused(&f, NULL, ERR_POLICY, "at most 65536");
	end(&f);
	free(path);
}

static void
local_state_has_links_of_its_own(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	add(&f, "bin", TREE_LINK, PROFILE "/bin");
	add(&f, "var/guix/db/db.sqlite", TREE_FILE, NULL);
	add(&f, "var/guix/profiles/per-user/root/guix-profile", TREE_LINK,
		"guix-profile-1-link");
	add(&f, "var/guix/profiles/per-user/root/guix-profile-1-link",
		TREE_LINK, PROFILE);
	reveals(&f, "--symlink=/bin=bin --localstatedir");
	f.tree[3].path = "var/guix/profiles/per-user/root/current-guix-1-link";
	f.tree[2].path = "var/guix/profiles/per-user/root/current-guix";
	reveals(&f,
		"--symlink=/bin=bin --localstatedir "
		"--profile-name=current-guix");
	end(&f);
}

static void
entry_point_and_its_arguments_are_revealed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	set_config(&f,
		"{\"architecture\":\"amd64\",\"config\":{\"entrypoint\":"
		"[\"" PROFILE "/bin/a\",\"-x\",\"\"]}}");
	reveals(&f,
		"--entry-point=bin/a --entry-point-argument=-x "
		"--entry-point-argument=");
	set_config(&f,
		"{\"architecture\":\"amd64\",\"config\":{\"Entrypoint\":"
		"[\"" PROFILE "//bin/a\"]}}");
	reveals(&f, "--entry-point=/bin/a");
	set_config(&f,
		"{\"architecture\":\"amd64\",\"config\":{\"Entrypoint\":"
		"[\"/bin/sh\"]}}");
	reveals(&f, "");
	assert_true(says(f.r->missing, f.r->n_missing, "/bin/sh"));
	end(&f);
}

/* guix/scripts/pack.scm, manifest->friendly-name; guix/docker.scm,
 * canonicalize-repository-name: worked out by hand. */
static void
repository_is_named_as_guix_does(void **state)
{
	static const struct {
		const char *manifest, *name;
	} cases[] = {
		{V4(ENTRY("greeter", "1", "out") ENTRY("greeter", "1", "doc")),
			"greeter-greeter"},
		/* 39 characters stay, 40 do not */
		{V4(ENTRY("aaaaaaaaaaaaaaaaaaa", "1", "out")
				 ENTRY("bbbbbbbbbbbbbbbbbbb", "1", "out")),
			"aaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbbbbb"},
		{V4(ENTRY("aaaaaaaaaaaaaaaaaaa", "1", "out")
				 ENTRY("bbbbbbbbbbbbbbbbbbbb", "1", "out")),
			"aaaaaaaaaaaaaaaaaaa"},
		/* one package stays however long it is */
		{V4(ENTRY("a23456789a123456789a123456789a123456789a1", "1",
			 "out")),
			"a23456789a123456789a123456789a123456789a1"},
		{V4(ENTRY("__-G++", "1", "out")), "g.."},
		{V4(ENTRY("r", "1", "out")), "ra"},
		{V4(ENTRY("x\\xe9y-", "1", "out")), "x.y-"},
	};
	struct fixture f;
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(&f, cases[i].manifest);
		buf_clear(&b);
		infer_repository(f.p, &b);
		assert_string_equal(buf_text(&b), cases[i].name);
		end(&f);
	}
	buf_fini(&b);
}

static void
tag_is_revealed_when_it_is_not_the_packages_names(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("hello", "1", "out")));
	f.own.image.n_repo_tags = 1;
	f.tags[0] = "hello:latest";
	reveals(&f, "");
	f.tags[0] = "mine:latest";
	reveals(&f, "--image-tag=mine");
	/* Guix cannot have written these. */
	f.tags[0] = "mine:1.2";
	reveals(&f, "");
	assert_true(says(f.r->guessed, f.r->n_guessed, "mine:1.2"));
	f.tags[0] = "registry.example.org/mine:latest";
	reveals(&f, "");
	f.tags[0] = "mine:latest";
	f.tags[1] = "yours:latest";
	f.own.image.n_repo_tags = 2;
	reveals(&f, "");
	end(&f);
}

static void
layers_of_guix_are_max_layers_and_others_are_added(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	f.own.image.n_layers = 3;
	f.own.image.n_guix_layers = 3;
	f.own.image.n_items = 3;
	reveals(&f, "--max-layers=3");
	assert_false(says(f.r->guessed, f.r->n_guessed, "larger number"));
	assert_false(says(f.r->missing, f.r->n_missing, "was added"));
	f.own.image.n_items = 2;
	reveals(&f, "--max-layers=3");
	assert_true(says(f.r->guessed, f.r->n_guessed, "larger number"));
	f.own.image.n_guix_layers = 1;
	reveals(&f, "");
	assert_true(says(f.r->missing, f.r->n_missing, "2 of its 3 layers"));
	f.own.image.n_guix_layers = 0;
	reveals(&f, "");
	end(&f);
}

static void
architectures_are_systems(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	set_config(&f, "{\"architecture\":\"arm64\"}");
	make(&f, NULL);
	words_are(f.r->options, f.r->n_options,
		"--format=docker --system=aarch64-linux --save-provenance");
	assert_true(says(f.r->guessed, f.r->n_guessed, "--target"));
	set_config(&f, "{\"architecture\":\"sparc\"}");
	make(&f, NULL);
	words_are(f.r->options, f.r->n_options,
		"--format=docker --save-provenance");
	assert_true(says(f.r->missing, f.r->n_missing, "sparc"));
	end(&f);
}

static void
wrapped_packages_are_relocatable(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f,
		V4("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1R\""
		   " (properties (" PROVENANCE ")))"));
	reveals(&f, "--relocatable");
	f.items[1].name = "y-proot-static-5.1";
	f.own.image.n_items = 2;
	reveals(&f, "--relocatable --relocatable");
	end(&f);
	/* Its outputs are named as those of any package. */
	begin(&f,
		V4("(\"a\" \"1\" \"doc\" \"/gnu/store/x-a-1R-doc\""
		   " (properties (" PROVENANCE ")))"));
	reveals(&f, "--relocatable");
	end(&f);
	/* Not every name that ends in R was wrapped. */
	begin(&f, V4(ENTRY("a", "1R", "out")));
	reveals(&f, "");
	end(&f);
}

static void
transformations_are_applied_again(void **state)
{
	static const char t1[] = "(transformations"
				 " (with-source . \"a=https://x/a-2.tgz\")"
				 " (without-tests . \"a\"))";
	struct fixture f;
	char *text =
		xasprintf("(manifest (version 4) (packages ("
			  "(\"a\" \"2\" \"out\" \"p\" (properties (%s %s)))"
			  "(\"b\" \"1\" \"doc\" \"q\" (properties (%s"
			  " (transformations (with-input . \"x=\\\"y\\\"\")))))"
			  "(\"a\" \"2\" \"lib\" \"r\" (properties (%s %s)))"
			  "(\"c\" \"3\" \"out\" \"s\" (properties (%s))))))",
			PROVENANCE, t1, PROVENANCE, PROVENANCE, t1, PROVENANCE);

	(void)state;
	begin(&f, text);
	make(&f, NULL);
	assert_non_null(strstr(f.r->manifest_scm,
		"\n(use-modules (gnu packages) (guix profiles)\n"
		"             (guix transformations))\n"
		"\n"
		"(define transform1\n"
		"  (options->transformation\n"
		"   '((with-source . \"a=https://x/a-2.tgz\")\n"
		"     (without-tests . \"a\"))))\n"
		"\n"
		"(define transform2\n"
		"  (options->transformation\n"
		"   '((with-input . \"x=\\\"y\\\"\"))))\n"
		"\n"
		"(packages->manifest\n"
		" (list (transform1 (specification->package \"a\"))\n"
		"       (list (transform2 (specification->package \"b@1\")) "
		"\"doc\")\n"
		"       (list (transform1 (specification->package \"a\")) "
		"\"lib\")\n"
		"       (specification->package \"c@3\")))\n"));
	assert_true(says(f.r->guessed, f.r->n_guessed, "a@2: its version"));
	end(&f);
	free(text);
}

static void
what_transformations_lose_is_missing(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f,
		V4("(\"a\" \"2\" \"out\" \"p\" (properties (" PROVENANCE
		   " (transformations (with-patch . \"a=/home/me/x.patch\")"
		   "  (with-branch . \"b=main\")))))"));
	make(&f, NULL);
	assert_true(says(f.r->missing, f.r->n_missing, "local file"));
	assert_true(says(f.r->missing, f.r->n_missing, "b=main"));
	/* The branch is of another package. */
	assert_non_null(strstr(f.r->manifest_scm, "\"a@2\""));
	end(&f);
}

static void
first_commit_of_a_channel_is_used_and_the_other_said(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f,
		V4(ENTRY("a", "1", "out") "(\"b\" \"1\" \"out\" \"q\" (properties ((provenance " GUIX(
			C3) "))))"));
	assert_int_equal(f.p->n_channels, 2);
	make(&f, NULL);
	assert_int_equal(f.r->n_channels, 1);
	assert_string_equal(f.r->channels[0].commit, C1);
	assert_null(strstr(f.r->channels_scm, C3));
	assert_true(says(f.r->guessed, f.r->n_guessed, C3));
	end(&f);
}

/* What a file of Scheme says, read by the reader alone. */
static const struct sexp *
last_datum(struct arena *a, const char *text)
{
	struct err e = {0};
	const struct sexp *file = sexp_parse(a, slice_of(text), &e);

	if (!file)
		fail_msg("%s\n%s", e.text, text);
	return sexp_at(file, sexp_len(file) - 1);
}

static void
hostile_names_stay_data(void **state)
{
	static const char evil[] = "\"))(system \"touch x\\\n;#|";
	struct arena a = {0};
	struct fixture f;
	struct buf b = {0};
	const struct sexp *s;

	(void)state;
	buf_str(&b, "(manifest (version 4) (packages ((");
	assert_int_equal(text_scheme(&b, slice_of(evil)), 0);
	buf_str(&b,
		" \"1\" \"o)\\\"\" \"p\" (properties ((provenance "
		"(repository (version 0) (url \"file:///x\\\")(y\")"
		" (branch \"b\\\\\") (commit \"" C1 "\")"
		" (name #{a)\\x20;b}#))))))))");
	buf_str(&b, ")");
	begin(&f, buf_text(&b));
	make(&f, NULL);
	s = last_datum(&a, f.r->manifest_scm);
	assert_true(sexp_is(s, "specifications->manifest"));
	assert_int_equal(sexp_len(s), 2);
	assert_int_equal(sexp_len(sexp_at(s, 1)), 2);
	buf_clear(&b);
	buf_printf(&b, "%s@1:o)\"", evil);
	assert_true(slice_eq(sexp_str(sexp_at(sexp_at(s, 1), 1)), buf_get(&b)));
	s = last_datum(&a, f.r->channels_scm);
	assert_int_equal(sexp_len(s), 2);
	s = sexp_at(s, 1);
	assert_true(slice_is(
		sexp_str(sexp_at(sexp_assoc(s, "url"), 1)), "file:///x\")(y"));
	assert_true(
		sexp_is(sexp_at(sexp_assoc(s, "name"), 1), "string->symbol"));
	assert_true(slice_is(
		sexp_str(sexp_at(sexp_at(sexp_assoc(s, "name"), 1), 1)),
		"a) b"));
	buf_fini(&b);
	arena_fini(&a);
	end(&f);
}

/* A profile with one package of one channel; the arguments are inside strings
 * of Scheme. */
static void
begin_channel(struct fixture *f, const char *name, const char *url,
	const char *commit)
{
	char *text = xasprintf(
		"(manifest (version 4) (packages ((\"a\" \"1\" \"out\" \"p\""
		" (properties ((provenance (repository (version 0)"
		" (url \"%s\") (branch \"b\") (commit \"%s\")"
		" (name #{%s}#)))))))))",
		url, commit, name);

	begin(f, text);
	free(text);
}

static void
channels_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *name, *url, *commit, *says;
	} cases[] = {
		{"guix", "https://x", "--output=/etc/x", "not 40 hexadecimal"},
		{"guix", "https://x", "1111", "not 40 hexadecimal"},
		{"guix", "https://x",
			"111111111111111111111111111111111111111G",
			"not 40 hexadecimal"},
		{"guix", "https://x", C1 "1", "not 40 hexadecimal"},
		{"guix", "https://x",
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			"not 40 hexadecimal"},
		{"guix", "--upload-pack=x", C1, "looks like an option"},
		{"guix", "", C1, "is empty"},
		{"guix", "https://x\\n", C1, "control character"},
		{"-x", "https://x", C1, "looks like an option"},
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin_channel(&f, cases[i].name, cases[i].url, cases[i].commit);
		refused(&f, NULL, ERR_INPUT, cases[i].says);
		end(&f);
	}
}

static void
names_that_mean_something_else_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("", "1", "out")));
	refused(&f, NULL, ERR_INPUT, "without a name");
	end(&f);
	begin(&f, V4(ENTRY("a@b", "", "out")));
	refused(&f, NULL, ERR_INPUT, "has an @");
	end(&f);
	begin(&f, V4(ENTRY("a", "1@2", "out")));
	refused(&f, NULL, ERR_INPUT, "has an @");
	end(&f);
	begin(&f, V4(ENTRY("a", "1", "b:c")));
	refused(&f, NULL, ERR_INPUT, "output");
	end(&f);
	/* These are read as they were written. */
	begin(&f, V4(ENTRY("a:b", "1:2", "out") ENTRY("a@b", "1", "x")));
	make(&f, NULL);
	assert_non_null(strstr(f.r->manifest_scm,
		"(list \"a:b@1:2:out\"\n       \"a@b@1:x\"))"));
	end(&f);
}

static void
strange_transformations_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f,
		V4("(\"a\" \"2\" \"out\" \"p\" (properties (" PROVENANCE
		   " (transformations (#{a b}# . \"c\")))))"));
	refused(&f, NULL, ERR_INPUT, "transformation 'a b'");
	end(&f);
}

static void
without_channels_the_options_are_still_known(void **state)
{
	struct fixture f;
	struct err e = {0};

	(void)state;
	begin(&f, V4("(\"a\" \"1\" \"out\" \"/gnu/store/x-a-1\")"));
	f.own.image.compression = COMPRESSION_XZ;
	assert_int_equal(recipe_make(&f.own.image, f.p, NULL, &f.r, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_non_null(f.r);
	assert_string_equal(f.r->channels_scm, "");
	assert_non_null(strstr(f.r->manifest_scm, "\"a@1\""));
	words_are(f.r->revealed, f.r->n_revealed, "--compression=xz");
	/* No provenance was recorded: none must be recorded again. */
	words_are(f.r->options, f.r->n_options,
		"--format=docker --system=x86_64-linux --compression=xz");
	end(&f);
	begin(&f, NULL);
	refused(&f, NULL, ERR_ABSENT, "no channels");
	end(&f);
}

static void
corpus_gives_what_the_image_does_not(void **state)
{
	static const char *const options[] = {"-S", "/b=bin", "-Cxz", "-RR",
		"--max-layers", "7", "--no-grafts", "--entry-point=bin/a b",
		NULL};
	const struct recipe_override o = {
		.pack_options = options,
		.channels_scm =
			"(list (channel (name 'guix) (url \"https://x\")"
			" (commit \"" C1 "\") (introduction"
			" (make-channel-introduction \"" C2 "\""
			" (openpgp-fingerprint \"" SIGNER "\")))))",
		.manifest_scm = "(specifications->manifest '(\"a\"))",
	};
	struct fixture f;

	(void)state;
	begin(&f, NULL);
	make(&f, &o);
	words_are(f.r->options, f.r->n_options,
		"--format=docker --system=x86_64-linux --symlink=/b=bin "
		"--compression=xz --relocatable --relocatable --max-layers=7 "
		"--no-grafts --entry-point=bin/a b");
	assert_string_equal(f.r->manifest_scm, o.manifest_scm);
	assert_int_equal(f.r->n_channels, 1);
	assert_string_equal(f.r->channels[0].url, "https://x");
	assert_string_equal(f.r->channels[0].intro_signer, SIGNER);
	assert_null(f.r->profile);
	end(&f);
}

static void
channels_files_that_are_code_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"(cons (channel (name 'x)) %default-channels)", "plain"},
		{"(list) (list)", "plain"},
		{"(list (system \"x\"))", "line 1 column 7"},
		{"(list (channel (inherit x)))", "without running"},
		{"(list (channel (name guix)))", "no (name 'SYMBOL)"},
		{"(list (channel (name 'guix) (url (f))))", "(url"},
		{"(list (channel (name 'guix) (url \"u\")))", "url and commit"},
		{"(list (channel (name 'guix) (url \"u\") (commit \"-x\")))",
			"not 40"},
		{"(list (channel (name 'guix) (url \"u\") (commit \"" C1
		 "\") (introduction (f))))",
			"make-channel-introduction"},
		{"(list", "without end"},
	};
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refused(&f,
			&(struct recipe_override){
				.channels_scm = cases[i].text},
			ERR_INPUT, cases[i].says);
	end(&f);
}

static void
options_that_do_more_are_refused(void **state)
{
	static const char *const bad[][3] = {
		{"-e", "(system \"x\")"},
		{"--expression=x"},
		{"-L", "."},
		{"--load-path=."},
		{"-m", "x"},
		{"--manifest=x"},
		{"--file=x"},
		{"-r", "x"},
		{"--root=x"},
		{"--with-source=a=b"},
		{"--with-patch=a=b"},
		{"hello"},
		{"--"},
		{"-"},
		{"-f", "tarball"},
		{"--format=squashfs"},
		{"-S", "x"},
		{"-S", "a=b=c"},
		{"-S", "=b"},
		{"-S"},
		{"-C", "rar"},
		{"--max-layers=x"},
		{"--max-layers="},
		{"--localstatedir=x"},
		{"--system=--x"},
		{"--profile-name=x"},
		{"--symlin=a=b"},
		{"-RSx"},
		{"--substitute-urls=x"},
		{"--image-tag=\xff"},
	};
	struct fixture f;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(&f, &(struct recipe_override){.pack_options = bad[i]},
			ERR_POLICY, "pack option");
	end(&f);
}

static void
ids_depend_on_what_they_should(void **state)
{
	static const char *const options[] = {"-Cnone", NULL};
	struct fixture f;
	struct digest id, channels_id;

	(void)state;
	begin(&f, V4(ENTRY("a", "1", "out")));
	make(&f, NULL);
	id = f.r->id;
	channels_id = f.r->channels_id;
	/* Another image of the same recipe. */
	f.own.image.sha256.b[0] ^= 1;
	make(&f, NULL);
	assert_true(digest_eq(&id, &f.r->id));
	make(&f, &(struct recipe_override){.pack_options = options});
	assert_false(digest_eq(&id, &f.r->id));
	assert_true(digest_eq(&channels_id, &f.r->channels_id));
	end(&f);
	begin(&f, V4(ENTRY("b", "1", "out")));
	make(&f, NULL);
	assert_false(digest_eq(&id, &f.r->id));
	assert_true(digest_eq(&channels_id, &f.r->channels_id));
	end(&f);
	begin_channel(&f, "guix", "https://elsewhere", C1);
	make(&f, NULL);
	assert_false(digest_eq(&channels_id, &f.r->channels_id));
	end(&f);
}

static void
channels_without_names_are_traveled_to_twice(void **state)
{
	static const char manifest[] =
		"(manifest (version 3) (packages ((\"a\" \"1\" \"out\""
		" \"/gnu/store/x-a-1\" (propagated-inputs ()) (search-paths ())"
		" (properties (provenance (repository (version 0)"
		" (url \"https://git.example.org/guix.git\")"
		" (branch \"master\") (commit \"" C1 "\")%s)))))))";
	struct fixture f;
	struct buf text = {0};
	struct digest named, named_channels;
	char *s = xasprintf(manifest, " (name guix)");

	(void)state;
	begin(&f, s);
	make(&f, NULL);
	assert_false(f.r->is_unnamed);
	named = f.r->id;
	named_channels = f.r->channels_id;
	end(&f);
	free(s);

	s = xasprintf(manifest, "");
	begin(&f, s);
	make(&f, NULL);
	assert_true(f.r->is_unnamed);
	assert_true(digest_eq(&named_channels, &f.r->channels_id));
	assert_false(digest_eq(&named, &f.r->id));
	recipe_command(f.r, "c", "m", &text);
	assert_string_equal(buf_text(&text),
		"guix time-machine -C c -- time-machine -C c -- pack "
		"--format=docker --system=x86_64-linux --save-provenance -m m");
	assert_non_null(
		strstr(f.r->options_doubts, "note: time-machine twice"));
	end(&f);
	free(s);
	buf_fini(&text);
}

/* The script runs what it should: a guix on PATH that says what it was given
 * and where, and an image of the right sum. */
static void
script_compares_what_it_made(void **state)
{
	char dir[] = "/tmp/unblend-test-XXXXXX";
	struct fixture f;
	struct err e = {0};
	struct buf text = {0};
	char *out, *path, *command;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	out = path_join(dir, "a 'b");
	begin(&f, V4(ENTRY("a", "1", "out")));
	add(&f, "opt/$(touch x);'\"", TREE_LINK, PROFILE "/b\nc");
	f.own.image.sha256 = digest_of("image\n", 6);
	make(&f, NULL);
	assert_int_equal(recipe_write(f.r, out, &e), 0);
	path = path_join(out, "rebuild.sh");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	command = xasprintf(
		"cd %s && mkdir bin && printf '%%s\\n' '#!/bin/sh' "
		"'printf \"<%%s>\\n\" \"$@\" >%s/given' "
		"'ls >%s/where' 'echo image >%s/image' 'echo %s/image' "
		">bin/guix && chmod +x bin/guix && "
		"PATH=%s/bin:$PATH \"a 'b/rebuild.sh\" >said && "
		"grep -qx identical said && "
		"sed -i s/image/other/ bin/guix && echo x >other && "
		"! PATH=%s/bin:$PATH \"a 'b/rebuild.sh\" >said",
		dir, dir, dir, dir, dir, dir, dir);
	/* The shell is the machine's: only a script can be tried by one. */
	assert_int_equal(system(command), 0);
	free(path);
	path = path_join(dir, "given");
	assert_int_equal(path_read(path, 4096, &text, &e), 0);
	assert_string_equal(buf_text(&text),
		"<time-machine>\n<-C>\n<channels.scm>\n<-->\n<pack>\n"
		"<--format=docker>\n<--system=x86_64-linux>\n"
		"<--save-provenance>\n"
		"<--symlink=/opt/$(touch x);'\"=b\nc>\n"
		"<-m>\n<manifest.scm>\n");
	free(path);
	path = path_join(dir, "where");
	buf_clear(&text);
	assert_int_equal(path_read(path, 4096, &text, &e), 0);
	assert_string_equal(
		buf_text(&text), "channels.scm\nmanifest.scm\nrebuild.sh\n");
	assert_int_equal(path_remove(dir, &e), 0);
	free(path);
	free(out);
	free(command);
	buf_fini(&text);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_image_gives_files_and_options),
		cmocka_unit_test(
			compression_is_revealed_unless_it_is_the_default),
		cmocka_unit_test(links_to_the_profile_are_symlink_options),
		cmocka_unit_test(old_tarballs_keep_the_opposite_order_of_links),
		cmocka_unit_test(options_are_limited),
		cmocka_unit_test(local_state_has_links_of_its_own),
		cmocka_unit_test(entry_point_and_its_arguments_are_revealed),
		cmocka_unit_test(repository_is_named_as_guix_does),
		cmocka_unit_test(
			tag_is_revealed_when_it_is_not_the_packages_names),
		cmocka_unit_test(
			layers_of_guix_are_max_layers_and_others_are_added),
		cmocka_unit_test(architectures_are_systems),
		cmocka_unit_test(wrapped_packages_are_relocatable),
		cmocka_unit_test(transformations_are_applied_again),
		cmocka_unit_test(what_transformations_lose_is_missing),
		cmocka_unit_test(
			first_commit_of_a_channel_is_used_and_the_other_said),
		cmocka_unit_test(hostile_names_stay_data),
		cmocka_unit_test(channels_that_cannot_be_are_refused),
		cmocka_unit_test(names_that_mean_something_else_are_refused),
		cmocka_unit_test(strange_transformations_are_refused),
		cmocka_unit_test(without_channels_the_options_are_still_known),
		cmocka_unit_test(corpus_gives_what_the_image_does_not),
		cmocka_unit_test(channels_files_that_are_code_are_refused),
		cmocka_unit_test(options_that_do_more_are_refused),
		cmocka_unit_test(ids_depend_on_what_they_should),
		cmocka_unit_test(channels_without_names_are_traveled_to_twice),
		cmocka_unit_test(script_compares_what_it_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
