/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/job.h"

#include "base/aside.h"
#include "base/jdoc.h"
#include "base/jout.h"
#include "base/path.h"

static const char *const steps[] = {
	[JOB_READ] = "read",
	[JOB_LOWER] = "lower",
	[JOB_BUILD] = "build",
	[JOB_COMPARE] = "compare",
};

static void
put_strings(struct jout *j, const char *key, const char *const *v)
{
	if (!v) {
		jout_null(j, key);
		return;
	}
	jout_begin(j, key, '[');
	for (; *v; v++)
		jout_str(j, NULL, *v);
	jout_end(j, ']');
}

static void
put_image_limits(struct jout *j, const struct image_limits *l)
{
	const struct limit_row *row;

	jout_begin(j, "image_limits", '{');
	for (size_t i = 0; (row = limits_row(i)); i++)
		jout_int(j, row->name, (int64_t)limits_get(l, (enum limit)i));
	jout_end(j, '}');
}

static void
get_image_limits(const struct jdoc *doc, struct image_limits *l)
{
	const struct limit_row *row;

	for (size_t i = 0; (row = limits_row(i)); i++)
		limits_put(l, (enum limit)i,
			(uint64_t)jdoc_int(jdoc_get(doc, row->name), 0));
}

static void
put_limits(struct jout *j, const struct limits *l)
{
	jout_int(j, "deadline_s", l->deadline_s);
	jout_int(j, "silence_s", l->silence_s);
	jout_int(j, "log_bytes", (int64_t)l->log_bytes);
	jout_int(j, "output_bytes", (int64_t)l->output_bytes);
	jout_int(j, "said_bytes", (int64_t)l->said_bytes);
	jout_int(j, "memory_bytes", (int64_t)l->memory_bytes);
	jout_int(j, "processes", (int64_t)l->processes);
	jout_int(j, "cpus", (int64_t)l->cpus);
	jout_int(j, "disk_bytes", (int64_t)l->disk_bytes);
}

static uint64_t
get_number(const struct jdoc *doc, const char *key)
{
	return (uint64_t)jdoc_int(jdoc_get(doc, key), 0);
}

static void
get_limits(const struct jdoc *doc, struct limits *l)
{
	*l = (struct limits){
		.deadline_s = jdoc_int(jdoc_get(doc, "deadline_s"), 0),
		.silence_s = jdoc_int(jdoc_get(doc, "silence_s"), 0),
		.log_bytes = get_number(doc, "log_bytes"),
		.output_bytes = get_number(doc, "output_bytes"),
		.said_bytes = get_number(doc, "said_bytes"),
		.memory_bytes = get_number(doc, "memory_bytes"),
		.processes = get_number(doc, "processes"),
		.cpus = get_number(doc, "cpus"),
		.disk_bytes = get_number(doc, "disk_bytes"),
	};
}

int
job_write(const struct job *job, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(job->work, "job.json");
	CLEANUP(aside_drop)
	struct aside a = {0};
	struct jout j;

	if (aside_open(&a, path, e) < 0)
		return -1;
	a.is_brief = true;
	jout_open(&j, a.f, 1);
	jout_begin(&j, NULL, '{');
	jout_str(&j, "step", steps[job->step]);
	jout_str(&j, "name", job->name);
	jout_str(&j, "image", job->image);
	jout_str(&j, "source", job->source);
	jout_str(&j, "folder", job->folder);
	jout_str(&j, "platform", job->platform);
	jout_str(&j, "tls_ca", job->tls_ca);
	put_strings(&j, "plain_hosts", job->plain_hosts);
	jout_int(&j, "cache_bytes", (int64_t)job->cache_bytes);
	jout_str(&j, "cache", job->cache);
	jout_str(&j, "trust", job->trust);
	jout_str(&j, "guix", job->guix);
	jout_str(&j, "channels", job->channels);
	jout_str(&j, "manifest", job->manifest);
	put_strings(&j, "pack_options", job->pack_options);
	put_strings(&j, "mirrors", job->mirrors);
	if (job->has_sha256)
		jout_digest(&j, "sha256", &job->sha256);
	jout_str(&j, "depth", depth_name(job->depth));
	put_strings(&j, "folders", job->folders);
	put_strings(&j, "results", job->results);
	jout_str(&j, "daemon", job->daemon);
	jout_str(&j, "kept", job->kept);
	jout_str(&j, "accept", job->accept);
	put_limits(&j, &job->limits);
	put_image_limits(&j, &job->image_limits);
	jout_end(&j, '}');
	if (jout_close(&j, e) < 0)
		return -1;
	return aside_publish(&a, e);
}

static bool
get_step(const struct jdoc *doc, enum job_step *out)
{
	struct slice name = jdoc_str(jdoc_get(doc, "step"));

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (slice_is(name, steps[i])) {
			*out = (enum job_step)i;
			return true;
		}
	return false;
}

/* All jobs of a run work in one folder. */
static const char *
shared_beside(const char *work, struct arena *a)
{
	CLEANUP(own_free)
	char *folder = path_dir(work);
	CLEANUP(own_free)
	char *path = path_join(folder, "shared");

	return arena_copy(a, path, strlen(path));
}

int
job_read(const char *work, struct arena *a, struct job *out, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(work, "job.json");
	const char *depth;
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(own_jdoc)
	struct jdoc *doc = NULL;

	if (path_read(path, JOB_FILE_MAX, &text, e) < 0)
		return -1;
	doc = jdoc_parse(buf_get(&text), e);
	if (!doc)
		return err_wrap(e, "%s", path);
	*out = (struct job){
		.name = jdoc_copy(doc, "name", a),
		.image = jdoc_copy(doc, "image", a),
		.source = jdoc_copy(doc, "source", a),
		.folder = jdoc_copy(doc, "folder", a),
		.platform = jdoc_copy(doc, "platform", a),
		.tls_ca = jdoc_copy(doc, "tls_ca", a),
		.plain_hosts = jdoc_copies(doc, "plain_hosts", a, NULL),
		.work = arena_copy(a, work, strlen(work)),
		.shared = shared_beside(work, a),
		.cache = jdoc_copy(doc, "cache", a),
		.trust = jdoc_copy(doc, "trust", a),
		.guix = jdoc_copy(doc, "guix", a),
		.daemon = jdoc_copy(doc, "daemon", a),
		.kept = jdoc_copy(doc, "kept", a),
		.accept = jdoc_copy(doc, "accept", a),
		.channels = jdoc_copy(doc, "channels", a),
		.manifest = jdoc_copy(doc, "manifest", a),
		.pack_options = jdoc_copies(doc, "pack_options", a, NULL),
		.mirrors = jdoc_copies(doc, "mirrors", a, NULL),
	};
	out->cache_bytes = (uint64_t)jdoc_int(jdoc_get(doc, "cache_bytes"), 0);
	depth = jdoc_copy(doc, "depth", a);
	out->folders = jdoc_copies(doc, "folders", a, NULL);
	out->results = jdoc_copies(doc, "results", a, NULL);
	out->has_sha256 =
		digest_parse(jdoc_str(jdoc_get(doc, "sha256")), &out->sha256);
	get_limits(doc, &out->limits);
	get_image_limits(jdoc_get(doc, "image_limits"), &out->image_limits);
	if (!get_step(doc, &out->step) || !out->name || !out->image ||
		!out->cache || !depth ||
		!depth_parse(depth, &out->depth, NULL) ||
		(out->step == JOB_COMPARE && (!out->folders || !out->results)))
		return err_set(e, ERR_BUG, "%s: not a whole job", path);
	return 0;
}
