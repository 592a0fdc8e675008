/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/words.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/rebuilding.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"

enum {
	MANIFEST_BYTES = 64 << 20, /* of a profile's manifest */
	OPT_PACK = 256             /* options of guix pack from here on */
};

/* What the command line says. */
struct request {
	const char *image, *format, *output;
	struct words options; /* of guix pack */
	bool is_relocatable;
	struct rebuilding rebuilding;
};

/* Those after REBUILDING_OPTIONS are handed on as they are. */
static const struct option longs[] = {
	{"format", required_argument, NULL, 'f'},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	REBUILDING_OPTIONS,
	{"compression", required_argument, NULL, 'C'},
	{"symlink", required_argument, NULL, 'S'},
	{"relocatable", no_argument, NULL, 'R'},
	{"entry-point-argument", required_argument, NULL, 'A'},
	{"entry-point", required_argument, NULL, OPT_PACK},
	{"image-tag", required_argument, NULL, OPT_PACK + 1},
	{"max-layers", required_argument, NULL, OPT_PACK + 2},
	{"localstatedir", no_argument, NULL, OPT_PACK + 3},
	{"profile-name", required_argument, NULL, OPT_PACK + 4},
	{"no-grafts", no_argument, NULL, OPT_PACK + 5},
	{0},
};

static void
hand_on(struct request *q, int c)
{
	CLEANUP(own_free)
	char *word = NULL;
	const struct option *o = longs;

	while (o->val != c)
		o++;
	word = xasprintf("--%s%s%s", o->name, o->has_arg ? "=" : "",
		o->has_arg ? optarg : "");
	words_add(&q->options, word);
	q->is_relocatable |= c == 'R';
}

static bool
take_options(struct request *q, int argc, char *argv[])
{
	int c;

	while ((c = common_option(argc, argv, ":f:o:hC:S:RA:", longs)) != -1) {
		if (c == 'f')
			q->format = optarg;
		else if (c == 'o')
			q->output = optarg;
		else if (c == '?' || c == ':')
			return false;
		else if (c >= REBUILDING_TRUST) {
			if (!rebuilding_take(&q->rebuilding, c))
				return false;
		} else {
			hand_on(q, c);
		}
	}
	return true;
}

static int
copy(const char *from, const char *to, struct err *e)
{
	CLEANUP(aside_drop)
	struct aside a = {0};
	CLEANUP(own_fd)
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	char bytes[1 << 16];
	ssize_t n;

	if (fd < 0)
		return err_sys(e, ERR_HOST, "%s", from);
	if (aside_open(&a, to, e) < 0)
		return -1;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)n, a.f);
	if (n < 0)
		return err_sys(e, ERR_HOST, "%s", from);
	return aside_publish(&a, e);
}

/* How many packages at the top level have the same store path in both. */
static size_t
count_same(const struct provenance *a, const struct provenance *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_packages && i < b->n_packages; i++)
		n += strcmp(a->packages[i]->store_path,
			     b->packages[i]->store_path) == 0;
	return n;
}

/* Are the packages those of the image?  Gives the exit status. */
static int
tell_packages(const struct provenance *p, const struct rebuild *rebuild,
	bool is_relocatable)
{
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_provenance)
	struct provenance *made = NULL;
	CLEANUP(own_free)
	char *file = NULL;
	struct err e = {0};
	size_t same;

	if (!rebuild->profile) {
		common_complain("Guix does not say which profile it packed");
		return EXIT_NOT;
	}
	if (strcmp(rebuild->profile, p->profile) == 0) {
		printf("the same store paths as in the image: %s and all that "
		       "is below it\n",
			p->profile);
		return EXIT_ACCEPTED;
	}
	file = path_join(rebuild->profile, "manifest");
	if (path_read(file, MANIFEST_BYTES, &text, &e) == 0)
		(void)!provenance_parse(
			rebuild->profile, buf_get(&text), &made, &e);
	same = made ? count_same(p, made) : 0;
	if (made && same == p->n_packages && same == made->n_packages) {
		printf("the same store paths of all %zu packages as in the "
		       "image; the profile around them is %s, and there %s\n",
			same, rebuild->profile, p->profile);
		return EXIT_ACCEPTED;
	}
	printf("%zu of the %zu packages have the same store path as in the "
	       "image%s\n",
		same, p->n_packages,
		is_relocatable ? "; with -R each is a wrapper around the "
				 "package"
			       : "");
	return is_relocatable ? EXIT_ACCEPTED : EXIT_NOT;
}

static int
finish(const struct request *q, const struct provenance *p,
	const struct rebuild *rebuild, struct err *e)
{
	const char *made = rebuild->output;

	/* What is valid already is built once more, and if that differs, it is
	 * not in the store. */
	if (q->output && copy(made, q->output, e) < 0)
		return common_fail(e);
	if (!q->output && strncmp(made, "/gnu/store/", 11) != 0) {
		common_complain("the store holds this pack with other bytes "
				"than it was built with just now; -o FILE "
				"keeps the new one");
		return EXIT_NOT;
	}
	printf("%s\n", q->output ? q->output : made);
	return tell_packages(p, rebuild, q->is_relocatable);
}

static int
repack(struct request *q, struct err *e)
{
	CLEANUP(own_image)
	struct image *image = NULL;
	CLEANUP(own_provenance)
	struct provenance *p = NULL;
	CLEANUP(own_recipe)
	struct recipe *r = NULL;
	struct rebuild rebuild = {0};
	struct recipe_repack o = {.format = q->format};
	int status;

	o.options = words_take(&q->options);
	if (reading_image(&q->rebuilding.reading, q->image, &image, e) < 0 ||
		rebuilding_channels(&q->rebuilding, &o.channels_scm, e) < 0)
		return common_fail(e);
	if ((provenance_read(image, &p, e) < 0 && !(p && o.channels_scm)) ||
		recipe_repack(image, p, &o, &r, e) < 0) {
		(void)!err_wrap(e, "%s", q->image);
		return common_fail(e);
	}
	for (size_t i = 0; i < r->n_options; i++)
		q->is_relocatable |=
			strcmp(r->options[i], "--relocatable") == 0;
	/* Wrappers make another profile, and so does squashfs, where its links
	 * are relative (guix/scripts/pack.scm): none of the variants, which
	 * lead to the image's, is meant. */
	q->rebuilding.o.is_fixed = q->is_relocatable ||
		strcmp(r->format, "squashfs") == 0 ||
		strcmp(image->format, "squashfs") == 0;
	q->rebuilding.o.depth = DEPTH_PACK;
	if (rebuilding_open(&q->rebuilding, e) < 0)
		return common_fail(e);
	if (rebuild_run(r, &q->rebuilding.o, &rebuild, e) < 0)
		status = common_fail(e);
	else if (rebuild.end != REBUILD_DONE)
		status = rebuilding_fail(&rebuild);
	else
		status = finish(q, p, &rebuild, e);
	rebuild_fini(&rebuild);
	return fflush(stdout) == 0 ? status : EXIT_MACHINE;
}

int
cmd_repack(int argc, char *argv[])
{
	struct request q = {0};
	struct err e = {0};
	int status = EXIT_WRONG;

	rebuilding_init(&q.rebuilding);
	q.options.arena = &q.rebuilding.arena;
	if (!take_options(&q, argc, argv)) {
		status = EXIT_WRONG;
	} else if (argc - optind != 1 || !q.format) {
		status = common_usage(
			argv[0], "expected -f FORMAT and one image");
	} else {
		q.image = argv[optind];
		status = repack(&q, &e);
	}
	words_fini(&q.options);
	rebuilding_fini(&q.rebuilding);
	return status;
}
