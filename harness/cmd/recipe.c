/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipe/recipe.h"

#include <string.h>

#include "base/aside.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/rebuilding.h"
#include "provenance/provenance.h"

enum {
	OPT_AS_GUIX = 256
};

/* What the command line says. */
struct request {
	const char *image, *output;
	bool is_as_guix, has_channels, has_manifest; /* of --as-guix: which */
	struct rebuilding rebuilding;
};

/* What there is of an image. */
struct known {
	struct image *image;
	struct provenance *p;
	struct recipe *r;
};

static void
known_fini(struct known *k)
{
	recipe_free(k->r);
	provenance_free(k->p);
	image_free(k->image);
}

static int
flushed(void)
{
	return fflush(stdout) == 0 ? EXIT_ACCEPTED : EXIT_MACHINE;
}

/* All of it on stdout, as one would copy it. */
static void
print(const struct recipe *r)
{
	CLEANUP(buf_fini)
	struct buf command = {0};
	CLEANUP(buf_fini)
	struct buf clean = {0};
	CLEANUP(buf_fini)
	struct buf text = {0};

	recipe_command(r, "channels.scm", "manifest.scm", &command);
	text_clean(&clean, buf_get(&command), TEXT_MANY_LINES);
	buf_str(&text, ";; channels.scm\n");
	recipe_text(r->channels_doubts, r->channels_scm, &text);
	buf_str(&text, "\n;; manifest.scm\n");
	recipe_text(r->manifest_doubts, r->manifest_scm, &text);
	buf_printf(&text, "\n;; command\n;; %s\n", buf_text(&clean));
	recipe_text(r->options_doubts, "", &text);
	fwrite(buf_text(&text), 1, text.n, stdout);
}

/* Our own recipe, exact as it can be. */
static int
exact(struct request *q, struct known *k, struct err *e)
{
	struct recipe_override override = {0};

	if (rebuilding_channels(&q->rebuilding, &override.channels_scm, e) < 0)
		return common_fail(e);
	if ((provenance_read(k->image, &k->p, e) < 0 &&
		    !(k->p && override.channels_scm)) ||
		recipe_make(k->image, k->p, &override, &k->r, e) < 0) {
		(void)!err_wrap(e, "%s", q->image);
		return common_fail(e);
	}
	if (!q->output) {
		print(k->r);
		return flushed();
	}
	if (recipe_write(k->r, q->output, e) < 0)
		return common_fail(e);
	printf("%s/rebuild.sh\n", q->output);
	return EXIT_ACCEPTED;
}

/*
 * How much of a version Guix writes depends on which versions it has: ask the
 * Guix of the image's own channels.
 */
static int
export_manifest(
	struct request *q, struct known *k, struct buf *out, struct err *e)
{
	struct recipe_override override = {0};
	struct rebuild rebuild = {0};
	const struct versions *versions;
	const char **names = NULL;
	int status = EXIT_ACCEPTED;

	if (rebuilding_open(&q->rebuilding, e) < 0 ||
		rebuilding_channels(&q->rebuilding, &override.channels_scm, e) <
			0)
		return common_fail(e);
	if (recipe_make(k->image, k->p, &override, &k->r, e) < 0) {
		(void)!err_wrap(e, "%s", q->image);
		return common_fail(e);
	}
	names = arena_alloc(
		&q->rebuilding.arena, k->p->n_packages * sizeof(const char *));
	for (size_t i = 0; i < k->p->n_packages; i++)
		names[i] = k->p->packages[i]->name;
	if (rebuild_versions(k->r, &q->rebuilding.o, names, k->p->n_packages,
		    &rebuild, &versions, e) < 0) {
		status = common_fail(e);
	} else if (rebuild.end != REBUILD_DONE) {
		common_complain("%s: a manifest as Guix writes it depends on "
				"which versions the Guix of its channels has, "
				"and that could not be asked:",
			q->image);
		status = rebuilding_fail(&rebuild);
	} else if (recipe_export_manifest(k->p, versions, out, e) < 0) {
		status = common_fail(e);
	}
	rebuild_fini(&rebuild);
	return status;
}

/* One of the two: to a file in q->output, or to stdout, headed where both go
 * there. */
static int
put(const struct request *q, const char *name, const struct buf *text,
	struct err *e)
{
	CLEANUP(own_free)
	char *path = NULL;

	if (q->output) {
		path = path_join(q->output, name);
		if (path_mkdirs(q->output, 0777, e) < 0 ||
			aside_write(path, buf_text(text), text->n, e) < 0)
			return common_fail(e);
		printf("%s\n", path);
		return EXIT_ACCEPTED;
	}
	if (q->has_channels && q->has_manifest)
		printf(";;; %s\n", name);
	fwrite(buf_text(text), 1, text->n, stdout);
	return EXIT_ACCEPTED;
}

/* As `guix package --export-channels' and --export-manifest print it. */
static int
as_guix(struct request *q, struct known *k, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf channels = {0};
	CLEANUP(buf_fini)
	struct buf manifest = {0};
	int status = EXIT_ACCEPTED;

	if (provenance_read(k->image, &k->p, e) < 0 && !k->p) {
		(void)!err_wrap(e, "%s", q->image);
		return common_fail(e);
	}
	if (q->has_channels && recipe_export_channels(k->p, &channels, e) < 0) {
		(void)!err_wrap(e, "%s", q->image);
		return common_fail(e);
	}
	if (q->has_manifest)
		status = export_manifest(q, k, &manifest, e);
	if (status == EXIT_ACCEPTED && q->has_channels)
		status = put(q, "channels.scm", &channels, e);
	if (status == EXIT_ACCEPTED && q->has_manifest)
		status = put(q, "manifest.scm", &manifest, e);
	return status == EXIT_ACCEPTED ? flushed() : status;
}

static bool
take_which(struct request *q, const char *which)
{
	q->is_as_guix = true;
	q->has_channels = !which || strcmp(which, "channels") == 0;
	q->has_manifest = !which || strcmp(which, "manifest") == 0;
	if (q->has_channels || q->has_manifest)
		return true;
	common_complain("--as-guix takes =channels, =manifest or nothing, not "
			"'%s'",
		which);
	return false;
}

static bool
take_options(struct request *q, int argc, char *argv[])
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"as-guix", optional_argument, NULL, OPT_AS_GUIX},
		REBUILDING_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = common_option(argc, argv, ":o:h", longs)) != -1) {
		bool is_good = c == 'o'    ? true
			: c == OPT_AS_GUIX ? take_which(q, optarg)
					   : rebuilding_take(&q->rebuilding, c);

		if (!is_good)
			return false;
		if (c == 'o')
			q->output = optarg;
	}
	return true;
}

int
cmd_recipe(int argc, char *argv[])
{
	struct request q = {0};
	CLEANUP(known_fini)
	struct known k = {0};
	struct err e = {0};
	int status = EXIT_WRONG;

	rebuilding_init(&q.rebuilding);
	if (!take_options(&q, argc, argv)) {
		status = EXIT_WRONG;
	} else if (argc - optind != 1) {
		status = common_usage(argv[0], "expected one image");
	} else {
		q.image = argv[optind];
		if (reading_image(
			    &q.rebuilding.reading, q.image, &k.image, &e) < 0)
			status = common_fail(&e);
		else
			status = q.is_as_guix ? as_guix(&q, &k, &e)
					      : exact(&q, &k, &e);
	}
	rebuilding_fini(&q.rebuilding);
	return status;
}
