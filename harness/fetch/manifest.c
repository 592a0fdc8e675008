/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/manifest.h"

#include <sys/utsname.h>

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/jdoc.h"
#include "base/text.h"

enum {
	SHOWN_MAX = 120 /* bytes of a list in an error */
};

static const char ref_name[] = "org.opencontainers.image.ref.name";
static const char containerd_name[] = "io.containerd.image.name";
static const char reference_type[] = "vnd.docker.reference.type";

/* What uname calls a machine, and what Go does. */
static const struct {
	const char *machine;
	struct platform platform;
} machines[] = {
	{"x86_64", {"linux", "amd64", ""}},
	{"i386", {"linux", "386", ""}},
	{"i486", {"linux", "386", ""}},
	{"i586", {"linux", "386", ""}},
	{"i686", {"linux", "386", ""}},
	{"aarch64", {"linux", "arm64", ""}},
	{"armv6l", {"linux", "arm", "v6"}},
	{"armv7l", {"linux", "arm", "v7"}},
	{"armv8l", {"linux", "arm", "v7"}},
	{"mips64", {"linux", "mips64le", ""}},
	{"ppc64le", {"linux", "ppc64le", ""}},
	{"riscv64", {"linux", "riscv64", ""}},
	{"s390x", {"linux", "s390x", ""}},
};

struct platform
platform_here(void)
{
	struct utsname name;

	if (uname(&name) == 0)
		for (size_t i = 0; i < ARRAY_LEN(machines); i++)
			if (strcmp(machines[i].machine, name.machine) == 0)
				return machines[i].platform;
	return (struct platform){"linux", "", ""};
}

static bool
is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-",
			    s.p[i]) ||
			s.p[i] == '\0')
			return false;
	return s.n > 0;
}

int
platform_parse(const char *text, struct arena *arena, struct platform *out,
	struct err *e)
{
	const char **parts[] = {&out->os, &out->architecture, &out->variant};
	struct slice rest = slice_of(text);
	size_t n = 0;
	bool is_right = true;

	*out = (struct platform){"", "", ""};
	while (is_right && rest.p) {
		const char *slash = memchr(rest.p, '/', rest.n);
		struct slice part = rest;

		if (slash)
			part.n = (size_t)(slash - rest.p);
		is_right = n < ARRAY_LEN(parts) && is_word(part);
		if (is_right)
			*parts[n++] = arena_copy(arena, part.p, part.n);
		rest = slash ? slice_of(slash + 1) : (struct slice){0};
	}
	if (!is_right || n < 2)
		return err_set(e, ERR_INPUT,
			"'%.60s' is no platform; one is written "
			"OS/ARCHITECTURE[/VARIANT], as linux/amd64",
			text);
	return 0;
}

/* A string without NULs; "" for anything else. */
static const char *
text_of(const struct jdoc *v, struct arena *arena)
{
	struct slice s = jdoc_str(v);

	if (jdoc_type(v) != JDOC_STRING || s.n == 0 || memchr(s.p, '\0', s.n))
		return "";
	return arena_copy(arena, s.p, s.n);
}

static const char *
name_of(const struct jdoc *v, struct arena *arena)
{
	const char *name = text_of(v, arena);

	return name[0] ? name : NULL;
}

static int
parse_descriptor(const struct jdoc *v, struct arena *arena,
	struct descriptor *out, struct err *e)
{
	const struct jdoc *platform = jdoc_get(v, "platform");
	const struct jdoc *notes = jdoc_get(v, "annotations");
	struct slice digest = jdoc_str(jdoc_get(v, "digest"));
	int64_t size = jdoc_int(jdoc_get(v, "size"), -1);

	if (jdoc_type(v) != JDOC_OBJECT)
		return err_set(e, ERR_INPUT, "is no object");
	if (!slice_starts(digest, "sha256:") ||
		!digest_parse(digest, &out->digest)) {
		CLEANUP(own_free)
		char *shown = text_clean_new((struct slice){
			digest.p, digest.n < 80 ? digest.n : 80});

		return err_set(e, ERR_INPUT,
			"its digest is '%s', not sha256: and 64 digits", shown);
	}
	if (size < 0)
		return err_set(e, ERR_INPUT, "its size is no number of bytes");
	out->size = (uint64_t)size;
	out->media_type = text_of(jdoc_get(v, "mediaType"), arena);
	out->platform = (struct platform){
		text_of(jdoc_get(platform, "os"), arena),
		text_of(jdoc_get(platform, "architecture"), arena),
		text_of(jdoc_get(platform, "variant"), arena),
	};
	out->names[0] = name_of(jdoc_get(notes, ref_name), arena);
	out->names[1] = name_of(jdoc_get(notes, containerd_name), arena);
	out->is_attestation = jdoc_get(notes, reference_type) != NULL;
	return 0;
}

static int
parse_list(const struct jdoc *v, const char *what, struct arena *arena,
	struct descriptor **out, size_t *n, struct err *e)
{
	*n = jdoc_len(v);
	if (jdoc_type(v) != JDOC_ARRAY)
		return err_set(e, ERR_INPUT, "its %s are no array", what);
	*out = arena_alloc(arena, *n * sizeof(**out));
	for (size_t i = 0; i < *n; i++)
		if (parse_descriptor(jdoc_at(v, i), arena, &(*out)[i], e) < 0)
			return err_wrap(e, "element %zu of %s", i + 1, what);
	return 0;
}

static bool
is_of_docker(const char *media_type)
{
	return slice_starts(slice_of(media_type), "application/vnd.docker.");
}

static int
parse_image(const struct jdoc *doc, uint32_t layers_max, struct arena *arena,
	struct manifest *out, struct err *e)
{
	const struct jdoc *layers = jdoc_get(doc, "layers");

	if (jdoc_len(layers) > layers_max)
		return err_set(e, ERR_POLICY,
			"has %zu layers (limit layers is %u: --limit layers=N raises it)",
			jdoc_len(layers), layers_max);
	if (parse_descriptor(jdoc_get(doc, "config"), arena, &out->config, e) <
		0)
		return err_wrap(e, "config");
	if (parse_list(layers, "layers", arena, &out->layers, &out->n_layers,
		    e) < 0)
		return -1;
	if (is_of_docker(out->config.media_type))
		out->is_docker = true;
	return 0;
}

static int
parse(const struct jdoc *doc, uint32_t layers_max, struct arena *arena,
	struct manifest *out, struct err *e)
{
	const struct jdoc *images = jdoc_get(doc, "manifests");
	bool is_image = jdoc_get(doc, "layers") || jdoc_get(doc, "config");

	if (jdoc_type(doc) != JDOC_OBJECT)
		return err_set(e, ERR_INPUT, "is no object");
	if (jdoc_get(doc, "fsLayers") ||
		jdoc_int(jdoc_get(doc, "schemaVersion"), 0) == 1)
		return err_set(e, ERR_INPUT,
			"is of schema version 1, which is not read");
	/* One that is taken for either by different programs would be two
	 * images of one digest (CVE-2021-41190). */
	if (images && is_image)
		return err_set(
			e, ERR_INPUT, "is both an image and a list of images");
	if (!images && !is_image)
		return err_set(e, ERR_INPUT,
			"is neither an image nor a list of images");
	out->is_docker =
		is_of_docker(text_of(jdoc_get(doc, "mediaType"), arena));
	out->is_index = !is_image;
	if (is_image)
		return parse_image(doc, layers_max, arena, out, e);
	return parse_list(
		images, "manifests", arena, &out->images, &out->n_images, e);
}

int
manifest_parse(struct slice text, uint32_t layers_max, struct arena *arena,
	struct manifest *out, struct err *e)
{
	CLEANUP(own_jdoc)
	struct jdoc *doc = jdoc_parse(text, e);

	*out = (struct manifest){0};
	return doc ? parse(doc, layers_max, arena, out, e) : -1;
}

static bool
is_for(const struct platform *is, const struct platform *wanted)
{
	return strcmp(is->os, wanted->os) == 0 &&
		strcmp(is->architecture, wanted->architecture) == 0 &&
		(wanted->variant[0] == '\0' ||
			strcmp(is->variant, wanted->variant) == 0);
}

static void
put_platform(struct buf *out, const struct platform *p)
{
	struct buf raw = {0};

	if (p->os[0] == '\0' && p->architecture[0] == '\0')
		buf_str(&raw, "one of no platform");
	else
		buf_printf(&raw, "%s/%s%s%s", p->os, p->architecture,
			p->variant[0] ? "/" : "", p->variant);
	if (raw.n > SHOWN_MAX)
		raw.n = SHOWN_MAX;
	text_clean(out, buf_get(&raw), TEXT_ONE_LINE);
	buf_fini(&raw);
}

static int
is_absent(const struct manifest *index, const struct platform *wanted,
	struct err *e)
{
	CLEANUP(buf_fini)
	struct buf there = {0};
	CLEANUP(buf_fini)
	struct buf asked = {0};

	put_platform(&asked, wanted);
	for (size_t i = 0; i < index->n_images; i++) {
		if (index->images[i].is_attestation)
			continue;
		buf_str(&there, there.n ? ", " : "there are ");
		if (there.n > SHOWN_MAX) {
			buf_str(&there, "more");
			break;
		}
		put_platform(&there, &index->images[i].platform);
	}
	return err_set(e, ERR_ABSENT, "has no image for %s; %s",
		buf_text(&asked), there.n ? buf_text(&there) : "it is empty");
}

int
manifest_choose(const struct manifest *index, const struct platform *wanted,
	const struct descriptor **out, struct err *e)
{
	struct platform here = platform_here();
	const struct platform *p = wanted ? wanted : &here;
	const struct descriptor *only = NULL;
	struct platform any = *p;
	size_t n = 0;

	for (size_t i = 0; i < index->n_images; i++) {
		const struct descriptor *d = &index->images[i];

		if (d->is_attestation)
			continue;
		only = d;
		n++;
		if (is_for(&d->platform, p)) {
			*out = d;
			return 0;
		}
	}
	/* The variant is this machine's own: another one may do as well. */
	any.variant = "";
	for (size_t i = 0; !wanted && i < index->n_images; i++)
		if (!index->images[i].is_attestation &&
			is_for(&index->images[i].platform, &any)) {
			*out = &index->images[i];
			return 0;
		}
	if (!wanted && n == 1) {
		*out = only;
		return 0;
	}
	return is_absent(index, p, e);
}
