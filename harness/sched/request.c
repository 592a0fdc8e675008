/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/request.h"

#include <string.h>

#include "base/aside.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"
#include "rebuild/guix.h"

/* The lane's digest, on a line of its own before the JSON. */
static void
put_lane(FILE *f, const struct recipe *r)
{
	CLEANUP(own_digest)
	struct digest_sum *sum = digest_new();
	char hex[DIGEST_HEX + 1];
	struct digest d;

	digest_add(sum, r->is_unnamed ? "u" : "n", 1);
	digest_add(sum, r->channels_scm, strlen(r->channels_scm));
	d = digest_end(sum);
	digest_hex(&d, hex);
	fprintf(f, "%s\n", hex);
}

static void
put_channel(struct jout *j, const struct channel *c)
{
	jout_begin(j, NULL, '{');
	jout_str(j, "name", c->name);
	jout_str(j, "url", c->url);
	jout_str(j, "branch", c->branch);
	jout_str(j, "commit", c->commit);
	jout_str(j, "intro_commit", c->intro_commit);
	jout_str(j, "intro_signer", c->intro_signer);
	jout_bool(j, "is_named", c->is_named);
	jout_end(j, '}');
}

/* The image file's name, where it says what the recipe must lead to. */
static const char *
store_name(const char *name)
{
	CLEANUP(own_free)
	char *path = xasprintf(GUIX_STORE "%s", name ? name : "");

	return guix_is_store_path(slice_of(path)) ? name : NULL;
}

int
request_write(const struct job *job, const struct recipe *r,
	const char *image_name, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(job->work, "request");
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (aside_open(&a, path, e) < 0)
		return -1;
	a.is_brief = true;
	put_lane(a.f, r);
	jout_open(&j, a.f, 1);
	jout_begin(&j, NULL, '{');
	jout_str(&j, "channels_scm", r->channels_scm);
	jout_str(&j, "manifest_scm", r->manifest_scm);
	jout_str(&j, "format", r->format);
	jout_str(&j, "profile", r->profile);
	jout_bool(&j, "unnamed", r->is_unnamed);
	jout_begin(&j, "options", '[');
	for (size_t i = 0; i < r->n_options; i++)
		jout_str(&j, NULL, r->options[i]);
	jout_end(&j, ']');
	jout_begin(&j, "channels", '[');
	for (size_t i = 0; i < r->n_channels; i++)
		put_channel(&j, &r->channels[i]);
	jout_end(&j, ']');
	jout_str(&j, "image_name", store_name(image_name));
	jout_str(&j, "depth", depth_name(job->depth));
	jout_bool(&j, "fixed", job->pack_options != NULL);
	jout_int(&j, "deadline_s", job->limits.deadline_s);
	jout_int(&j, "silence_s", job->limits.silence_s);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

static void
get_channels(struct arena *a, const struct jdoc *list, struct recipe *r)
{
	size_t n = jdoc_len(list);
	struct channel *v = arena_alloc(a, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		const struct jdoc *c = jdoc_at(list, i);

		v[i] = (struct channel){
			.name = jdoc_copy(c, "name", a),
			.url = jdoc_copy(c, "url", a),
			.branch = jdoc_copy(c, "branch", a),
			.commit = jdoc_copy(c, "commit", a),
			.intro_commit = jdoc_copy(c, "intro_commit", a),
			.intro_signer = jdoc_copy(c, "intro_signer", a),
			.is_named = jdoc_bool(jdoc_get(c, "is_named"), false),
		};
	}
	r->channels = v;
	r->n_channels = n;
}

int
request_read(
	const char *work, struct arena *a, struct request *out, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(work, "request");
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;
	struct recipe *r = &out->recipe;
	struct slice json;
	const char *depth;

	*out = (struct request){.limits = limits_default};
	if (path_read(path, REQUEST_MAX, &text, e) < 0)
		return -1;
	json = buf_get(&text);
	if (json.n > DIGEST_HEX) {
		json.p += DIGEST_HEX;
		json.n -= DIGEST_HEX;
	}
	doc = jdoc_parse(json, e);
	if (!doc)
		return err_wrap(e, "%s", path);
	r->channels_scm = jdoc_copy(doc, "channels_scm", a);
	r->manifest_scm = jdoc_copy(doc, "manifest_scm", a);
	r->format = jdoc_copy(doc, "format", a);
	r->profile = jdoc_copy(doc, "profile", a);
	r->is_unnamed = jdoc_bool(jdoc_get(doc, "unnamed"), false);
	get_channels(a, jdoc_get(doc, "channels"), r);
	r->options = jdoc_copies(doc, "options", a, &r->n_options);
	out->image_name = jdoc_copy(doc, "image_name", a);
	out->is_fixed = jdoc_bool(jdoc_get(doc, "fixed"), false);
	out->limits.deadline_s = jdoc_int(jdoc_get(doc, "deadline_s"), 0);
	out->limits.silence_s = jdoc_int(jdoc_get(doc, "silence_s"), 0);
	depth = jdoc_copy(doc, "depth", a);
	if (!r->channels_scm || !r->manifest_scm || !depth ||
		!depth_parse(depth, &out->depth, NULL))
		return err_set(e, ERR_INPUT, "%s: not a whole request", path);
	r->channels_id = digest_of(r->channels_scm, strlen(r->channels_scm));
	return 0;
}

int
request_key(const char *work, struct request_key *out, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(work, "request");
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (path_read(path, REQUEST_MAX, &text, e) < 0)
		return -1;
	out->key = digest_of(text.p, text.n);
	if (text.n < DIGEST_HEX ||
		!digest_parse((struct slice){text.p, DIGEST_HEX}, &out->lane))
		return err_set(e, ERR_INPUT, "%s: names no lane", path);
	return 0;
}

bool
request_is_near(const struct request *a, const struct request *b)
{
	return a->recipe.is_unnamed == b->recipe.is_unnamed &&
		(a->depth == DEPTH_RECIPE) == (b->depth == DEPTH_RECIPE) &&
		strcmp(a->recipe.channels_scm, b->recipe.channels_scm) == 0;
}
