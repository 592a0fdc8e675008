/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/alloc.h"
#include "base/aside.h"
#include "base/clock.h"
#include "base/jout.h"
#include "base/path.h"
#include "report/folder.h"
#include "report/page.h"
#include "report/sink.h"
#include "report/words.h"

/*
 * report.json: all that the store knows of a run but the logs; and
 * json/NAME.json, the same of one image.  reports/report.schema.json tells what
 * they hold; whoever takes something away from that raises the version.
 */
enum {
	JSON_VERSION = 1
};

struct json {
	struct aside file;
	struct jout out;
	struct folder images;
};

static void
put_time(struct jout *j, const char *key, int64_t wall_s)
{
	char when[CLOCK_ISO];

	if (wall_s == 0) {
		jout_null(j, key);
		return;
	}
	clock_iso(wall_s, when);
	jout_str(j, key, when);
}

static void
put_lines(struct jout *j, const char *key, const char *text, char separator)
{
	jout_begin(j, key, '[');
	for (const char *p = text; p && *p;) {
		const char *end = strchr(p, separator);
		size_t n = end ? (size_t)(end - p) : strlen(p);

		if (n)
			jout_slice(j, NULL, (struct slice){p, n});
		p += n + (end != NULL);
	}
	jout_end(j, ']');
}

static void
put_run(struct jout *j, const struct report *r)
{
	jout_begin(j, "run", '{');
	jout_int(j, "id", r->run.id);
	put_time(j, "started", r->run.started_s);
	put_time(j, "ended", r->run.ended_s);
	jout_str(j, "unblend_version", r->run.unblend_version);
	jout_str(j, "guix_version", r->run.guix_version);
	jout_str(j, "host", r->run.host);
	jout_str(j, "kernel", r->run.kernel);
	jout_str(j, "store_filesystem", r->run.store_fs);
	jout_str(j, "accept", r->run.accept);
	jout_str(j, "depth", r->run.depth);
	put_lines(j, "corpora", r->run.corpora, '\n');
	jout_end(j, '}');
}

static void
put_counts(struct jout *j, const struct report *r)
{
	jout_begin(j, "counts", '{');
	jout_int(j, "images", r->total);
	jout_int(j, "unaccepted", r->unaccepted);
	jout_int(j, "regressions", r->regressions);
	jout_int(j, "unjudged", r->unjudged);
	jout_begin(j, "verdicts", '{');
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		jout_int(j, verdict_name(v), r->counts[v]);
	jout_end(j, '}');
	jout_end(j, '}');
}

static int
json_begin(const struct report *r, void **state, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(r->folder, "report.json");
	CLEANUP(own_free)
	char *images = path_join(r->folder, "json");
	struct json *j = xcalloc(1, sizeof(*j));

	*state = j;
	if (folder_open(&j->images, images, e) < 0 ||
		aside_open(&j->file, path, e) < 0)
		return -1;
	jout_open(&j->out, j->file.f, 1);
	jout_begin(&j->out, NULL, '{');
	jout_int(&j->out, "version", JSON_VERSION);
	put_run(&j->out, r);
	put_counts(&j->out, r);
	jout_begin(&j->out, "images", '[');
	return 0;
}

static void
put_date(struct jout *j, int64_t date_s)
{
	char when[CLOCK_ISO];

	clock_iso(date_s, when);
	jout_str(j, "date", when);
}

static int
put_channel(void *arg, const struct store_channel *c, struct err *e)
{
	struct jout *j = arg;

	(void)e;
	jout_begin(j, NULL, '{');
	jout_str(j, "name", c->name);
	jout_str(j, "url", c->url);
	jout_str(j, "branch", c->branch);
	jout_str(j, "commit", c->commit);
	if (c->date_s >= 0)
		put_date(j, c->date_s);
	else
		jout_null(j, "date");
	if (c->intro_commit) {
		jout_begin(j, "introduction", '{');
		jout_str(j, "commit", c->intro_commit);
		jout_str(j, "signer", c->intro_signer);
		jout_end(j, '}');
	} else {
		jout_null(j, "introduction");
	}
	jout_end(j, '}');
	return 0;
}

static int
put_package(void *arg, const struct store_package *p, struct err *e)
{
	struct jout *j = arg;

	(void)e;
	jout_begin(j, NULL, '{');
	jout_str(j, "name", p->name);
	jout_str(j, "version", p->version);
	jout_str(j, "output", p->output);
	jout_str(j, "store_path", p->store_path);
	put_lines(j, "channels", p->channels, ' ');
	put_lines(j, "transformations", p->transformations, '\n');
	jout_bool(j, "propagated", p->depth > 0);
	jout_int(j, "depth", p->depth);
	jout_end(j, '}');
	return 0;
}

static int
put_layer(void *arg, const struct store_layer *l, struct err *e)
{
	struct jout *j = arg;

	(void)e;
	jout_begin(j, NULL, '{');
	jout_str(j, "side", l->side);
	jout_int(j, "position", l->position);
	jout_str(j, "diff_id", l->diff_id);
	jout_int(j, "bytes", l->bytes);
	jout_int(j, "entries", l->entries);
	jout_end(j, '}');
	return 0;
}

static int
put_forgiven(void *arg, const struct forgiven *g, struct err *e)
{
	struct jout *j = arg;

	(void)e;
	jout_begin(j, NULL, '{');
	jout_str(j, "what", g->what);
	jout_int(j, "count", (int64_t)g->count);
	jout_end(j, '}');
	return 0;
}

static int
put_difference(void *arg, const struct difference *d, struct err *e)
{
	(void)e;
	difference_json(d, arg);
	return 0;
}

static int
put_text(void *arg, const char *text, struct err *e)
{
	(void)e;
	jout_str(arg, NULL, text);
	return 0;
}

static int
put_texts(struct jout *j, const char *key, const struct report *r, int64_t id,
	const char *kind, struct err *e)
{
	jout_begin(j, key, '[');
	if (store_texts(r->store, id, kind, put_text, j, e) < 0)
		return -1;
	jout_end(j, ']');
	return 0;
}

static void
put_verdict(
	struct jout *j, const struct report *r, const struct store_attempt *a)
{
	jout_str(j, "name", a->sample.name);
	jout_str(j, "collection", a->sample.collection);
	jout_str(j, "source", a->sample.source);
	put_lines(j, "tags", a->sample.tags, ' ');
	jout_str(j, "verdict", a->is_judged ? verdict_name(a->verdict) : NULL);
	jout_str(j, "expected", a->sample.expect);
	jout_bool(j, "accepted", a->is_judged && a->is_accepted);
	jout_bool(j, "regression", a->is_judged && a->is_regression);
	jout_str(j, "class", a->class_);
	jout_str(j, "cause", a->cause);
	jout_str(j, "advice", a->advice);
	if (a->last_verdict) {
		jout_begin(j, "last", '{');
		jout_int(j, "run", a->last_run);
		jout_str(j, "verdict", a->last_verdict);
		jout_end(j, '}');
	} else {
		jout_null(j, "last");
	}
	if (a->good_verdict) {
		jout_begin(j, "good", '{');
		jout_int(j, "run", a->good_run);
		jout_str(j, "verdict", a->good_verdict);
		jout_end(j, '}');
	} else {
		jout_null(j, "good");
	}
	if (a->is_judged && !a->is_accepted && a->since_run > 0)
		jout_int(j, "since", a->since_run);
	else
		jout_null(j, "since");
	if (a->of_run > 0)
		jout_int(j, "of_run", a->of_run);
	else
		jout_null(j, "of_run");
	jout_bool(j, "flaky", r->is_flaky);
	put_time(j, "started", a->started_s);
	jout_int(j, "elapsed_ms", a->elapsed_ms);
	jout_str(j, "file", buf_text(&r->file));
}

static int
put_image(struct jout *j, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	jout_begin(j, "image", '{');
	jout_str(j, "sha256", a->image_sha256);
	jout_str(j, "path", a->image_path);
	jout_int(j, "bytes", a->image_bytes);
	jout_str(j, "compression", a->compression);
	jout_str(j, "config_digest", a->config_digest);
	jout_int(j, "entries", a->image_entries);
	jout_int(j, "store_items", a->image_items);
	jout_str(j, "profile", a->profile);
	jout_end(j, '}');
	jout_str(j, "channel_set", a->channel_set);
	jout_begin(j, "channels", '[');
	if (store_channels(r->store, a->sample.id, put_channel, j, e) < 0)
		return -1;
	jout_end(j, ']');
	jout_begin(j, "packages", '[');
	if (store_packages(r->store, a->sample.id, put_package, j, e) < 0)
		return -1;
	jout_end(j, ']');
	return put_texts(j, "missing", r, a->sample.id, "missing", e);
}

static int
put_recipe(struct jout *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	if (!a->recipe_id) {
		jout_null(j, "recipe");
		return 0;
	}
	jout_begin(j, "recipe", '{');
	jout_str(j, "id", a->recipe_id);
	jout_str(j, "channels_scm", a->channels_scm);
	jout_str(j, "manifest_scm", a->manifest_scm);
	jout_str(j, "pack_options", a->pack_options);
	jout_str(j, "command", a->command);
	if (put_texts(j, "guessed", r, a->sample.id, "guessed", e) < 0)
		return -1;
	jout_end(j, '}');
	return 0;
}

static int
put_rebuilt(struct jout *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	jout_begin(j, "rebuilt", '{');
	jout_int(j, "built", a->built);
	jout_int(j, "substituted", a->substituted);
	jout_int(j, "valid", a->valid);
	jout_int(j, "downloaded", a->downloaded);
	jout_str(j, "depth", a->depth);
	jout_int(j, "examined", a->examined);
	jout_int(j, "unstable", a->unstable);
	jout_bool(j, "checked", a->is_checked);
	jout_bool(j, "stable", a->is_checked && a->is_stable);
	jout_str(j, "derivation", a->drv);
	jout_str(j, "output", a->output);
	jout_str(j, "sha256", a->rebuilt_sha256);
	jout_str(j, "failed_derivation", a->failed_drv);
	jout_str(j, "failed_lines", a->failed_lines);
	jout_int(j, "elapsed_ms", a->rebuild_ms);
	if (put_texts(j, "built_derivations", r, a->sample.id, "built-drv", e) <
			0 ||
		put_texts(j, "commands", r, a->sample.id, "command", e) < 0)
		return -1;
	jout_end(j, '}');
	return 0;
}

static int
put_comparison(struct jout *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	int64_t id = a->sample.id;

	jout_begin(j, "layers", '[');
	if (store_layers(r->store, id, put_layer, j, e) < 0)
		return -1;
	jout_end(j, ']');
	jout_begin(j, "forgiven", '[');
	if (store_forgiven(r->store, id, put_forgiven, j, e) < 0)
		return -1;
	jout_end(j, ']');
	if (put_texts(j, "differing_packages", r, id, "differing-package", e) <
		0)
		return -1;
	jout_int(j, "difference_count", a->differences);
	jout_begin(j, "differences", '[');
	if (store_differences(r->store, id, put_difference, j, e) < 0)
		return -1;
	jout_end(j, ']');
	return put_texts(j, "notes", r, id, "note", e);
}

static int
put_sample(struct jout *j, const char *key, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	jout_begin(j, key, '{');
	put_verdict(j, r, a);
	if (put_image(j, r, a, e) < 0 || put_recipe(j, r, a, e) < 0 ||
		put_rebuilt(j, r, a, e) < 0 || put_comparison(j, r, a, e) < 0)
		return -1;
	jout_end(j, '}');
	return 0;
}

static int
write_one(const struct json *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *path =
		xasprintf("%s/%s.json", j->images.temp, buf_text(&r->file));
	FILE *f = page_open(path, e);
	struct jout out;

	if (!f)
		return -1;
	jout_open(&out, f, 1);
	jout_begin(&out, NULL, '{');
	jout_int(&out, "version", JSON_VERSION);
	put_run(&out, r);
	if (put_sample(&out, "image", r, a, e) < 0) {
		fclose(f);
		return -1;
	}
	jout_end(&out, '}');
	/* What was lost is known to the file too. */
	fputc('\n', f);
	return page_close(f, path, e);
}

static int
json_sample(void *state, const struct report *r, const struct store_attempt *a,
	struct err *e)
{
	struct json *j = state;

	if (put_sample(&j->out, NULL, r, a, e) < 0)
		return -1;
	return write_one(j, r, a, e);
}

static int
json_end(void *state, const struct report *r, bool is_whole, struct err *e)
{
	struct json *j = state;
	int status = 0;

	(void)r;
	if (is_whole) {
		jout_end(&j->out, ']');
		jout_end(&j->out, '}');
		status = jout_close(&j->out, e);
		if (status == 0)
			status = folder_publish(&j->images, e);
		if (status == 0)
			status = aside_publish(&j->file, e);
	}
	folder_drop(&j->images);
	aside_drop(&j->file);
	free(j);
	return status;
}

const struct report_sink report_json = {
	.name = "json",
	.begin = json_begin,
	.sample = json_sample,
	.end = json_end,
};
