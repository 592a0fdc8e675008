/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/image.h"

/* null when it was not made. */
static void
tagged(struct jout *j, const char *key, const struct digest *d)
{
	static const struct digest none;
	char text[7 + DIGEST_HEX + 1] = "sha256:";

	digest_hex(d, text + 7);
	jout_str(j, key, digest_eq(d, &none) ? NULL : text);
}

/* null when none is made. */
static void
digest_or_null(struct jout *j, const char *key, const struct digest *d,
	const struct image *image)
{
	if (image->limits.is_provenance_only)
		jout_null(j, key);
	else
		jout_digest(j, key, d);
}

static void
layer_json(struct jout *j, const struct layer *layer)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "member", layer->name);
	tagged(j, "diff_id", &layer->diff_id);
	jout_str(j, "compression", compression_name(layer->compression));
	jout_int(j, "size", (int64_t)layer->size);
	jout_int(j, "entries", (int64_t)layer->entries);
	jout_bool(j, "is_read", !layer->is_unread && !layer->is_cut);
	jout_end(j, '}');
}

/* value is null where it is no text, or longer than is kept. */
static void
attribute_json(struct jout *j, const struct attribute *a)
{
	bool is_text = a->size == a->value.n && text_is_utf8(a->value) &&
		!memchr(a->value.p, '\0', a->value.n);

	jout_begin(j, NULL, '{');
	jout_str(j, "name", a->name);
	if (is_text)
		jout_slice(j, "value", a->value);
	else
		jout_null(j, "value");
	jout_int(j, "size", (int64_t)a->size);
	jout_digest(j, "sha256", &a->sha256);
	jout_end(j, '}');
}

static void
item_json(struct jout *j, const struct store_item *item,
	const struct image *image)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "name", item->name);
	jout_int(j, "bytes", (int64_t)item->bytes);
	digest_or_null(j, "digest", &item->digest, image);
	jout_end(j, '}');
}

void
image_json(const struct image *image, struct jout *j, const char *key)
{
	jout_begin(j, key, '{');
	jout_str(j, "source", image->source);
	digest_or_null(j, "sha256", &image->sha256, image);
	jout_bool(j, "provenance_only", image->limits.is_provenance_only);
	jout_int(j, "size", (int64_t)image->size);
	jout_str(j, "format", image->format);
	jout_str(j, "compression", compression_name(image->compression));
	if (image->config.p || image->n_attributes > 0)
		tagged(j, "config_digest", &image->config_digest);
	else
		jout_null(j, "config_digest");
	if (image->manifest_kind)
		tagged(j, "manifest_digest", &image->manifest_digest);
	else
		jout_null(j, "manifest_digest");
	jout_str(j, "manifest_kind", image->manifest_kind);
	jout_begin(j, "diff_ids", '[');
	for (size_t i = 0; i < image->n_layers; i++)
		tagged(j, NULL, &image->layers[i].diff_id);
	jout_end(j, ']');
	jout_begin(j, "repo_tags", '[');
	for (size_t i = 0; i < image->n_repo_tags; i++)
		jout_str(j, NULL, image->repo_tags[i]);
	jout_end(j, ']');
	jout_begin(j, "layers", '[');
	for (size_t i = 0; i < image->n_layers; i++)
		layer_json(j, &image->layers[i]);
	jout_end(j, ']');
	jout_begin(j, "attributes", '[');
	for (size_t i = 0; i < image->n_attributes; i++)
		attribute_json(j, &image->attributes[i]);
	jout_end(j, ']');
	jout_int(j, "entries", (int64_t)image->tree.n);
	jout_begin(j, "items", '[');
	for (size_t i = 0; i < image->n_items; i++)
		item_json(j, &image->items[i], image);
	jout_end(j, ']');
	jout_end(j, '}');
}
