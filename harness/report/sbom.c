/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/sbom.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jout.h"

/*
 * The schemas: CycloneDX/specification, schema/bom-1.6.schema.json;
 * spdx/spdx-spec, schemas/spdx-schema.json of 2.3.  There is no package URL type
 * for Guix (purl-spec names it as a candidate only): pkg:generic it is.
 */

/* Something with a store path. */
struct part {
	char *path;               /* "/gnu/store/HASH-NAME" */
	const struct package *p;  /* NULL: not in the manifest */
	const struct digest *sum; /* over its files; NULL: not in the image */
	char *name, *version;     /* version "": none known */
	size_t asked;             /* number of the last that needs it, from 1 */
};

struct bill {
	const struct sbom *s;
	struct jout j;
	struct part *v; /* by path */
	size_t n, cap;
	char uuid[37]; /* of the document */
};

static void
bill_fini(struct bill *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].path);
		free(b->v[i].name);
		free(b->v[i].version);
	}
	free(b->v);
}

/* ---- what there is ---- */

static void
add_package(struct bill *b, const struct package *p)
{
	if (!p->is_repeated) {
		VEC_GROW(b->v, b->n, b->cap);
		b->v[b->n++] = (struct part){
			.path = xstrdup(p->store_path),
			.p = p,
			.name = xstrdup(p->name),
			.version = xstrdup(p->version),
		};
	}
	for (size_t i = 0; i < p->n_propagated; i++)
		add_package(b, p->propagated[i]);
}

/*
 * "HASH-NAME-VERSION": the version begins at the last dash before a digit, as
 * in Guix's package-name->name+version (guix/build/utils.scm, with "-").
 */
static void
add_item(struct bill *b, const struct store_item *item)
{
	const char *dash = strchr(item->name, '-');
	const char *name = dash ? dash + 1 : item->name;
	const char *version = NULL;

	for (const char *p = name; (p = strchr(p, '-')); p++) {
		if (p != name && p[1] >= '0' && p[1] <= '9')
			version = p;
	}
	VEC_GROW(b->v, b->n, b->cap);
	b->v[b->n++] = (struct part){
		.path = xasprintf("/gnu/store/%s", item->name),
		.sum = &item->digest,
		.name = version ? xmemdup0(name, (size_t)(version - name))
				: xstrdup(name),
		.version = xstrdup(version ? version + 1 : ""),
	};
}

/* By path; of one path what the manifest has before what the image has. */
static int
by_path(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int c = strcmp(x->path, y->path);

	return c ? c : (x->p == NULL) - (y->p == NULL);
}

static void
gather(struct bill *b)
{
	const struct sbom *s = b->s;
	size_t n = 0;

	for (size_t i = 0; s->provenance && i < s->provenance->n_packages; i++)
		add_package(b, s->provenance->packages[i]);
	for (size_t i = 0; i < s->image->n_items; i++)
		add_item(b, &s->image->items[i]);
	if (b->n > 0)
		qsort(b->v, b->n, sizeof(*b->v), by_path);
	for (size_t i = 0; i < b->n; i++) {
		struct part *last = n > 0 ? &b->v[n - 1] : NULL;

		if (!last || strcmp(last->path, b->v[i].path) != 0) {
			b->v[n++] = b->v[i];
			continue;
		}
		if (!last->sum)
			last->sum = b->v[i].sum;
		free(b->v[i].path);
		free(b->v[i].name);
		free(b->v[i].version);
	}
	b->n = n;
}

/* The number of the part with that path; b->n when there is none. */
static size_t
find(const struct bill *b, const char *path)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(b->v[mid].path, path);

		if (c == 0)
			return mid;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return b->n;
}

/* A UUID of version 8 (RFC 9562, 5.8) of the image's digest. */
static void
name_document(struct bill *b)
{
	struct digest d = b->s->image->sha256;
	size_t at = 0;

	d.b[6] = (uint8_t)((d.b[6] & 0x0f) | 0x80);
	d.b[8] = (uint8_t)((d.b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			b->uuid[at++] = '-';
		snprintf(b->uuid + at, 3, "%02x", d.b[i]);
		at += 2;
	}
}

/* ---- words of both forms ---- */

/* Percent-encoded but for what purl-spec leaves (PURL-SPECIFICATION.rst,
 * "Character encoding"). */
static void
encode(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || strchr(".-_~", *s))
			buf_char(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

static void
put_purl(struct jout *j, const char *key, const struct part *part)
{
	CLEANUP(buf_fini)
	struct buf purl = {0};

	buf_str(&purl, "pkg:generic/");
	encode(&purl, part->name);
	if (part->version[0]) {
		buf_char(&purl, '@');
		encode(&purl, part->version);
	}
	jout_str(j, key, buf_text(&purl));
}

static const struct channel *
channel_of(const struct bill *b, const struct package *p, size_t i)
{
	return &b->s->provenance->channels[p->channels[i]];
}

/* What the image is called: its first tag, else its file's name. */
static const char *
image_name(const struct image *image)
{
	const char *slash;

	if (image->n_repo_tags > 0)
		return image->repo_tags[0];
	slash = strrchr(image->path, '/');
	return slash && slash[1] ? slash + 1 : image->path;
}

/* ---- CycloneDX ---- */

static void
put_property(struct jout *j, const char *name, const char *value)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "name", name);
	jout_str(j, "value", value);
	jout_end(j, '}');
}

static void
put_sha256(struct jout *j, const struct digest *d)
{
	jout_begin(j, "hashes", '[');
	jout_begin(j, NULL, '{');
	jout_str(j, "alg", "SHA-256");
	jout_digest(j, "content", d);
	jout_end(j, '}');
	jout_end(j, ']');
}

static void
put_properties(struct bill *b, const struct part *part)
{
	struct jout *j = &b->j;
	char hex[DIGEST_HEX + 1];

	jout_begin(j, "properties", '[');
	put_property(j, "guix:store-path", part->path);
	if (part->sum) {
		digest_hex(part->sum, hex);
		put_property(j, "unblend:files-sha256", hex);
	}
	if (part->p) {
		put_property(j, "guix:output", part->p->output);
		for (size_t i = 0; i < part->p->n_channels; i++) {
			const struct channel *c = channel_of(b, part->p, i);

			put_property(j, "guix:channel", c->name);
			put_property(j, "guix:channel-url", c->url);
			put_property(j, "guix:channel-commit",
				c->commit ? c->commit : "");
		}
		for (size_t i = 0; i < part->p->n_transformations; i++) {
			const struct transformation *t =
				&part->p->transformations[i];
			CLEANUP(own_free)
			char *text = xasprintf("%s=%s", t->key, t->value);

			put_property(j, "guix:transformation", text);
		}
	}
	jout_end(j, ']');
}

static void
put_component(struct bill *b, const struct part *part)
{
	struct jout *j = &b->j;

	jout_begin(j, NULL, '{');
	jout_str(j, "type", part->p ? "library" : "file");
	jout_str(j, "bom-ref", part->path);
	jout_str(j, "name", part->name);
	if (part->version[0])
		jout_str(j, "version", part->version);
	if (part->p)
		put_purl(j, "purl", part);
	put_properties(b, part);
	jout_end(j, '}');
}

static void
put_dependencies(struct bill *b)
{
	struct jout *j = &b->j;

	jout_begin(j, "dependencies", '[');
	jout_begin(j, NULL, '{');
	jout_str(j, "ref", "image");
	jout_begin(j, "dependsOn", '[');
	for (size_t i = 0; i < b->n; i++)
		jout_str(j, NULL, b->v[i].path);
	jout_end(j, ']');
	jout_end(j, '}');
	for (size_t i = 0; i < b->n; i++) {
		const struct package *p = b->v[i].p;

		if (!p || p->n_propagated == 0)
			continue;
		jout_begin(j, NULL, '{');
		jout_str(j, "ref", b->v[i].path);
		jout_begin(j, "dependsOn", '[');
		/* An item once, which the schema asks for. */
		for (size_t k = 0; k < p->n_propagated; k++) {
			size_t at = find(b, p->propagated[k]->store_path);

			if (at == b->n || b->v[at].asked == i + 1)
				continue;
			b->v[at].asked = i + 1;
			jout_str(j, NULL, b->v[at].path);
		}
		jout_end(j, ']');
		jout_end(j, '}');
	}
	jout_end(j, ']');
}

static void
put_cyclonedx(struct bill *b)
{
	struct jout *j = &b->j;
	CLEANUP(own_free)
	char *serial = xasprintf("urn:uuid:%s", b->uuid);

	jout_str(j, "bomFormat", "CycloneDX");
	jout_str(j, "specVersion", "1.6");
	jout_str(j, "serialNumber", serial);
	jout_int(j, "version", 1);
	jout_begin(j, "metadata", '{');
	jout_begin(j, "tools", '{');
	jout_begin(j, "components", '[');
	jout_begin(j, NULL, '{');
	jout_str(j, "type", "application");
	jout_str(j, "name", "unblend");
	jout_str(j, "version", b->s->tool_version);
	jout_end(j, '}');
	jout_end(j, ']');
	jout_end(j, '}');
	jout_begin(j, "component", '{');
	jout_str(j, "type", "container");
	jout_str(j, "bom-ref", "image");
	jout_str(j, "name", image_name(b->s->image));
	put_sha256(j, &b->s->image->sha256);
	jout_begin(j, "properties", '[');
	put_property(j, "unblend:format", b->s->image->format);
	if (b->s->provenance)
		put_property(j, "guix:profile", b->s->provenance->profile);
	jout_end(j, ']');
	jout_end(j, '}');
	jout_end(j, '}');
	jout_begin(j, "components", '[');
	for (size_t i = 0; i < b->n; i++)
		put_component(b, &b->v[i]);
	jout_end(j, ']');
	put_dependencies(b);
}

/* ---- SPDX ---- */

static void
put_relation(struct jout *j, const char *a, const char *type, const char *b)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "spdxElementId", a);
	jout_str(j, "relationshipType", type);
	jout_str(j, "relatedSpdxElement", b);
	jout_end(j, '}');
}

/* Identifiers have letters, digits, "." and "-" alone: a number will do. */
static void
part_id(char id[40], size_t i)
{
	snprintf(id, 40, "SPDXRef-item-%zu", i + 1);
}

static void
put_external(struct jout *j, const struct part *part)
{
	jout_begin(j, "externalRefs", '[');
	jout_begin(j, NULL, '{');
	jout_str(j, "referenceCategory", "PACKAGE-MANAGER");
	jout_str(j, "referenceType", "purl");
	put_purl(j, "referenceLocator", part);
	jout_end(j, '}');
	jout_end(j, ']');
}

static void
put_source(struct bill *b, const struct package *p)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	for (size_t i = 0; i < p->n_channels; i++) {
		const struct channel *c = channel_of(b, p, i);

		buf_printf(&text, "%schannel %s %s commit %s", i ? "; " : "",
			c->name, c->url, c->commit ? c->commit : "unknown");
	}
	if (text.n > 0)
		jout_str(&b->j, "sourceInfo", buf_text(&text));
}

static void
put_spdx_part(struct bill *b, size_t i)
{
	const struct part *part = &b->v[i];
	struct jout *j = &b->j;
	char id[40];

	part_id(id, i);
	jout_begin(j, NULL, '{');
	jout_str(j, "SPDXID", id);
	jout_str(j, "name", part->name);
	if (part->version[0])
		jout_str(j, "versionInfo", part->version);
	jout_str(j, "downloadLocation", "NOASSERTION");
	jout_bool(j, "filesAnalyzed", false);
	jout_str(j, "packageFileName", part->path);
	if (part->p) {
		put_source(b, part->p);
		put_external(j, part);
	}
	jout_end(j, '}');
}

static void
put_spdx_image(struct bill *b)
{
	struct jout *j = &b->j;

	jout_begin(j, NULL, '{');
	jout_str(j, "SPDXID", "SPDXRef-image");
	jout_str(j, "name", image_name(b->s->image));
	jout_str(j, "downloadLocation", "NOASSERTION");
	jout_bool(j, "filesAnalyzed", false);
	jout_str(j, "primaryPackagePurpose", "CONTAINER");
	jout_begin(j, "checksums", '[');
	jout_begin(j, NULL, '{');
	jout_str(j, "algorithm", "SHA256");
	jout_digest(j, "checksumValue", &b->s->image->sha256);
	jout_end(j, '}');
	jout_end(j, ']');
	jout_end(j, '}');
}

static void
put_relations(struct bill *b)
{
	struct jout *j = &b->j;
	char id[40], other[40];

	jout_begin(j, "relationships", '[');
	put_relation(j, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image");
	for (size_t i = 0; i < b->n; i++) {
		const struct package *p = b->v[i].p;

		part_id(id, i);
		put_relation(j, "SPDXRef-image", "CONTAINS", id);
		for (size_t k = 0; p && k < p->n_propagated; k++) {
			size_t at = find(b, p->propagated[k]->store_path);

			part_id(other, at);
			if (at < b->n)
				put_relation(j, id, "DEPENDS_ON", other);
		}
	}
	jout_end(j, ']');
}

static void
put_spdx(struct bill *b)
{
	struct jout *j = &b->j;
	CLEANUP(own_free)
	char *space = xasprintf("urn:uuid:%s", b->uuid);
	CLEANUP(own_free)
	char *tool = xasprintf("Tool: unblend-%s", b->s->tool_version);
	char when[CLOCK_ISO];

	clock_iso(b->s->created_s, when);
	jout_str(j, "spdxVersion", "SPDX-2.3");
	jout_str(j, "dataLicense", "CC0-1.0");
	jout_str(j, "SPDXID", "SPDXRef-DOCUMENT");
	jout_str(j, "name", image_name(b->s->image));
	jout_str(j, "documentNamespace", space);
	jout_begin(j, "creationInfo", '{');
	jout_str(j, "created", when);
	jout_begin(j, "creators", '[');
	jout_str(j, NULL, tool);
	jout_end(j, ']');
	jout_end(j, '}');
	jout_begin(j, "packages", '[');
	put_spdx_image(b);
	for (size_t i = 0; i < b->n; i++)
		put_spdx_part(b, i);
	jout_end(j, ']');
	put_relations(b);
}

int
sbom_write(const struct sbom *s, FILE *out, struct err *e)
{
	CLEANUP(bill_fini)
	struct bill b = {.s = s};

	gather(&b);
	name_document(&b);
	jout_open(&b.j, out, 2);
	jout_begin(&b.j, NULL, '{');
	if (s->form == SBOM_SPDX)
		put_spdx(&b);
	else
		put_cyclonedx(&b);
	jout_end(&b.j, '}');
	return jout_close(&b.j, e);
}
