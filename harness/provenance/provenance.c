/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provenance/provenance.h"

#include "base/buf.h"

void
provenance_free(struct provenance *p)
{
	if (!p)
		return;
	arena_fini(&p->arena);
	free(p);
}

void
own_provenance(struct provenance **p)
{
	provenance_free(*p);
}

static const struct package *
owner_among(const struct package *const *v, size_t n, const char *item)
{
	static const char store[] = "/gnu/store/";

	for (size_t i = 0; i < n; i++) {
		const struct package *p = v[i], *below;

		if (strncmp(p->store_path, store, sizeof(store) - 1) == 0 &&
			strcmp(p->store_path + sizeof(store) - 1, item) == 0)
			return p;
		/* What is below a repeated one was searched before. */
		below = p->is_repeated
			? NULL
			: owner_among(p->propagated, p->n_propagated, item);
		if (below)
			return below;
	}
	return NULL;
}

const struct package *
provenance_owner(const struct provenance *p, const char *item)
{
	return owner_among(p->packages, p->n_packages, item);
}

char *
package_label(const struct package *p)
{
	struct buf b = {0};

	buf_str(&b, p->name);
	if (p->version[0])
		buf_printf(&b, "@%s", p->version);
	if (strcmp(p->output, "out") != 0)
		buf_printf(&b, ":%s", p->output);
	return buf_take(&b);
}

static void
channel_json(const struct channel *c, struct jout *j)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "name", c->name);
	jout_str(j, "url", c->url);
	jout_str(j, "branch", c->branch);
	jout_str(j, "commit", c->commit);
	if (c->intro_commit) {
		jout_begin(j, "introduction", '{');
		jout_str(j, "commit", c->intro_commit);
		jout_str(j, "signer", c->intro_signer);
		jout_end(j, '}');
	} else {
		jout_null(j, "introduction");
	}
	jout_end(j, '}');
}

static void
identity_json(const struct package *p, struct jout *j)
{
	jout_str(j, "name", p->name);
	jout_str(j, "version", p->version);
	jout_str(j, "output", p->output);
	jout_str(j, "store_path", p->store_path);
	jout_bool(j, "repeated", p->is_repeated);
}

/* All that is below p, flat and in the order of the manifest: chains of
 * propagated inputs are longer than JSON readers like to nest. */
static void
propagated_json(const struct package *p, struct jout *j)
{
	for (size_t i = 0; i < p->n_propagated; i++) {
		const struct package *x = p->propagated[i];

		jout_begin(j, NULL, '{');
		identity_json(x, j);
		jout_str(j, "propagated_by", p->store_path);
		jout_end(j, '}');
		if (!x->is_repeated)
			propagated_json(x, j);
	}
}

static void
search_path_json(const struct search_path *s, struct jout *j)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "variable", s->variable);
	jout_begin(j, "files", '[');
	for (size_t i = 0; i < s->n_files; i++)
		jout_str(j, NULL, s->files[i]);
	jout_end(j, ']');
	jout_str(j, "separator", s->separator);
	jout_str(j, "type", s->type);
	jout_str(j, "pattern", s->pattern);
	jout_end(j, '}');
}

static void
properties_json(
	const struct provenance *pr, const struct package *p, struct jout *j)
{
	jout_begin(j, "channels", '[');
	for (size_t i = 0; i < p->n_channels; i++) {
		jout_begin(j, NULL, '{');
		jout_str(j, "name", pr->channels[p->channels[i]].name);
		jout_str(j, "commit", pr->channels[p->channels[i]].commit);
		jout_end(j, '}');
	}
	jout_end(j, ']');
	jout_begin(j, "transformations", '[');
	for (size_t i = 0; i < p->n_transformations; i++) {
		jout_begin(j, NULL, '{');
		jout_str(j, "key", p->transformations[i].key);
		jout_str(j, "value", p->transformations[i].value);
		jout_end(j, '}');
	}
	jout_end(j, ']');
	jout_begin(j, "search_paths", '[');
	for (size_t i = 0; i < p->n_search_paths; i++)
		search_path_json(&p->search_paths[i], j);
	jout_end(j, ']');
	jout_begin(j, "other_properties", '[');
	for (size_t i = 0; i < p->n_other_properties; i++)
		jout_str(j, NULL, p->other_properties[i]);
	jout_end(j, ']');
}

void
provenance_json(const struct provenance *p, struct jout *j)
{
	jout_str(j, "profile", p->profile);
	jout_str(j, "profile_found", p->profile_found);
	jout_int(j, "manifest_version", p->manifest_version);
	jout_begin(j, "channels", '[');
	for (size_t i = 0; i < p->n_channels; i++)
		channel_json(&p->channels[i], j);
	jout_end(j, ']');
	jout_begin(j, "packages", '[');
	for (size_t i = 0; i < p->n_packages; i++) {
		jout_begin(j, NULL, '{');
		identity_json(p->packages[i], j);
		properties_json(p, p->packages[i], j);
		jout_begin(j, "propagated", '[');
		/* A repeated one's are listed where it stood first: said
		 * again each time, a small manifest could grow without end. */
		if (!p->packages[i]->is_repeated)
			propagated_json(p->packages[i], j);
		jout_end(j, ']');
		jout_end(j, '}');
	}
	jout_end(j, ']');
	jout_begin(j, "notes", '[');
	for (size_t i = 0; i < p->n_notes; i++)
		jout_str(j, NULL, p->notes[i]);
	jout_end(j, ']');
}
