/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipe/recipe.h"

#include "base/buf.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "provenance/provenance.h"

/* All of it on stdout, as one would copy it. */
static void
print(const struct recipe *r)
{
	CLEANUP(buf_fini)
	struct buf command = {0};
	CLEANUP(buf_fini)
	struct buf clean = {0};

	recipe_command(r, "channels.scm", "manifest.scm", &command);
	text_clean(&clean, buf_get(&command), TEXT_MANY_LINES);
	printf(";; channels.scm\n%s\n;; manifest.scm\n%s\n;; command\n;; %s\n",
		r->channels_scm, r->manifest_scm, buf_text(&clean));
	for (size_t i = 0; i < r->n_guessed; i++)
		printf(";; guessed: %s\n", r->guessed[i]);
	for (size_t i = 0; i < r->n_missing; i++)
		printf(";; missing: %s\n", r->missing[i]);
}

static int
recipe(const char *name, const char *output, struct err *e)
{
	CLEANUP(own_image)
	struct image *image = NULL;
	CLEANUP(own_provenance)
	struct provenance *p = NULL;
	CLEANUP(own_recipe)
	struct recipe *r = NULL;

	if (common_image(name, &image, e) < 0)
		return common_fail(e);
	if (provenance_read(image, &p, e) < 0 ||
		recipe_make(image, p, &(struct recipe_override){0}, &r, e) <
			0) {
		(void)!err_wrap(e, "%s", name);
		return common_fail(e);
	}
	if (!output) {
		print(r);
		return fflush(stdout) == 0 ? EXIT_ACCEPTED : EXIT_MACHINE;
	}
	if (recipe_write(r, output, e) < 0)
		return common_fail(e);
	printf("%s/rebuild.sh\n", output);
	return EXIT_ACCEPTED;
}

int
cmd_recipe(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *output = NULL;
	struct err e = {0};
	int c;

	while ((c = common_option(argc, argv, ":o:h", longs)) != -1) {
		if (c != 'o')
			return EXIT_WRONG;
		output = optarg;
	}
	if (argc - optind != 1)
		return common_usage(argv[0], "expected one image");
	return recipe(argv[optind], output, &e);
}
