/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/reading.h"
#include "provenance/provenance.h"
#include "recipe/recipe.h"
#include "report/sbom.h"

enum {
	OPT_JSON = 256,
	OPT_SBOM,
	OPT_PROVENANCE_ONLY
};

/* What one image tells; provenance and recipe are NULL where it does not. */
struct findings {
	const char *source;
	struct reading reading;
	struct image *image;
	struct provenance *provenance;
	struct recipe *recipe;
	const char *why; /* there is no recipe; NULL when there is */
	enum sbom_form form;
};

static int
print_json(const struct findings *f, struct err *e)
{
	struct jout j;

	jout_open(&j, stdout, 2);
	jout_begin(&j, NULL, '{');
	image_json(f->image, &j, "image");
	if (f->provenance)
		provenance_json(f->provenance, &j);
	if (f->recipe)
		recipe_json(f->recipe, f->provenance, &j);
	jout_str(&j, "problem", f->why);
	jout_end(&j, '}');
	return jout_close(&j, e);
}

/* SOURCE_DATE_EPOCH where it is set (reproducible-builds.org), else now. */
static int64_t
made_s(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	int64_t s = 0;

	if (text && common_number(text, "SOURCE_DATE_EPOCH", UINT32_MAX, &s))
		return s;
	return clock_wall_s();
}

static int
print_sbom(const struct findings *f, struct err *e)
{
	const struct sbom s = {
		.form = f->form,
		.image = f->image,
		.provenance = f->provenance,
		.tool_version = CMD_VERSION,
		.created_s = f->form == SBOM_SPDX ? made_s() : 0,
	};

	return sbom_write(&s, stdout, e);
}

/* "cyclonedx" or "spdx"; a complaint otherwise. */
static bool
set_form(struct findings *f, const char *name)
{
	f->form = strcmp(name, "spdx") == 0 ? SBOM_SPDX : SBOM_CYCLONEDX;
	if (f->form == SBOM_SPDX || strcmp(name, "cyclonedx") == 0)
		return true;
	common_complain("--sbom: '%s' is neither cyclonedx nor spdx", name);
	return false;
}

/* One line of cleaned text under a heading. */
static void
line(const char *heading, const char *text)
{
	CLEANUP(own_free)
	char *clean = text_clean_new(slice_of(text));

	printf("%-12s %s\n", heading, clean);
}

static void
print_package(const struct package *p, int depth)
{
	CLEANUP(own_free)
	char *label = package_label(p);
	CLEANUP(own_free)
	char *clean = text_clean_new(slice_of(label));
	CLEANUP(own_free)
	char *path = text_clean_new(slice_of(p->store_path));

	printf("  %*s%-*s %s\n", 2 * depth, "", 30 - 2 * depth, clean, path);
	for (size_t i = 0; i < p->n_propagated; i++)
		print_package(p->propagated[i], depth + 1);
}

static void
print_image(const struct image *image)
{
	bool has_digests = !image->limits.is_provenance_only;
	size_t n_unread = 0;
	char hex[DIGEST_HEX + 1];

	digest_hex(&image->sha256, hex);
	line("image", image->source);
	printf("%-12s %s, %s, %" PRIu64 " bytes\n", "format", image->format,
		compression_name(image->compression), image->size);
	line("sha256", has_digests ? hex : "not computed: --provenance-only");
	digest_hex(&image->config_digest, hex);
	if (has_digests && (image->config.p || image->n_attributes > 0))
		line("config", hex);
	for (size_t i = 0; has_digests && i < image->n_layers; i++) {
		digest_hex(&image->layers[i].diff_id, hex);
		line("layer", hex);
	}
	for (size_t i = 0; i < image->n_layers; i++)
		n_unread += image->layers[i].is_unread;
	printf("%-12s %zu paths, %zu store items", "holds", image->tree.n,
		image->n_items);
	if (n_unread > 0)
		printf(", in the %zu of its %zu layers that were read",
			image->n_layers - n_unread, image->n_layers);
	else if (image->n_layers == 1 && image->layers[0].is_cut)
		fputs(", up to the manifest: its layer was fetched no further",
			stdout);
	putchar('\n');
}

static void
print_provenance(const struct provenance *p)
{
	line("profile", p->profile);
	line("", p->profile_found);
	for (size_t i = 0; i < p->n_channels; i++) {
		const struct channel *c = &p->channels[i];

		line("channel", c->name);
		line("  url", c->url);
		line("  commit", c->commit);
		if (c->intro_signer)
			line("  signer", c->intro_signer);
	}
	puts("packages");
	for (size_t i = 0; i < p->n_packages; i++)
		print_package(p->packages[i], 0);
}

static void
print_recipe(const struct recipe *r)
{
	CLEANUP(buf_fini)
	struct buf command = {0};

	recipe_command(r, "channels.scm", "manifest.scm", &command);
	line("command", buf_text(&command));
	for (size_t i = 0; i < r->n_guessed; i++)
		line("guessed", r->guessed[i]);
	for (size_t i = 0; i < r->n_missing; i++)
		line("missing", r->missing[i]);
}

static int
print_text(const struct findings *f, struct err *e)
{
	print_image(f->image);
	if (f->provenance) {
		print_provenance(f->provenance);
		for (size_t i = 0; i < f->provenance->n_notes; i++)
			line("note", f->provenance->notes[i]);
		for (size_t i = 0; i < f->provenance->n_missing; i++)
			line("missing", f->provenance->missing[i]);
	}
	if (f->recipe)
		print_recipe(f->recipe);
	if (f->why)
		line("problem", f->why);
	if (fflush(stdout) != 0)
		return err_sys(e, ERR_HOST, "cannot write");
	return 0;
}

/* Failures that are findings on the image, not faults of this machine. */
static bool
is_finding(const struct err *e)
{
	return e->kind == ERR_ABSENT || e->kind == ERR_INPUT ||
		e->kind == ERR_POLICY;
}

/*
 * An image that cannot be rebuilt can still be looked at: why it cannot is
 * part of what is printed, with what it reveals all the same, and 0 is
 * returned.
 */
static int
find(struct findings *f, struct err *e)
{
	struct err later = {0};

	if (reading_image(&f->reading, f->source, &f->image, e) < 0)
		return -1;
	if (provenance_read(f->image, &f->provenance, e) < 0) {
		if (!is_finding(e))
			return -1;
		f->why = e->text;
	}
	if (recipe_make(f->image, f->provenance, &(struct recipe_override){0},
		    &f->recipe, &later) < 0) {
		if (!is_finding(&later)) {
			*e = later;
			return -1;
		}
		if (!f->why)
			*e = later;
		f->why = e->text;
	}
	return 0;
}

static void
findings_fini(struct findings *f)
{
	recipe_free(f->recipe);
	provenance_free(f->provenance);
	image_free(f->image);
	reading_fini(&f->reading);
}

int
cmd_inspect(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"sbom", required_argument, NULL, OPT_SBOM},
		{"provenance-only", no_argument, NULL, OPT_PROVENANCE_ONLY},
		READING_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	CLEANUP(findings_fini)
	struct findings f = {0};
	struct err found = {0}, e = {0};
	int (*print)(const struct findings *found, struct err *err) =
		print_text;
	int c, status = EXIT_ACCEPTED;

	reading_init(&f.reading);
	while ((c = common_option(argc, argv, ":h", longs)) != -1) {
		if (c == OPT_JSON)
			print = print_json;
		else if (c == OPT_SBOM) {
			if (!set_form(&f, optarg))
				return EXIT_WRONG;
			print = print_sbom;
		} else if (c == OPT_PROVENANCE_ONLY)
			f.reading.limits.is_provenance_only = true;
		else if (!reading_take(&f.reading, c))
			return EXIT_WRONG;
	}
	if (argc - optind != 1)
		return common_usage(argv[0], "expected one image");
	if (print == print_sbom && f.reading.limits.is_provenance_only)
		return common_usage(argv[0],
			"--sbom tells digests, and --provenance-only makes none");
	f.source = argv[optind];
	if (find(&f, &found) < 0)
		status = common_fail(&found);
	else if (print(&f, &e) < 0)
		status = common_fail(&e);
	return status;
}
