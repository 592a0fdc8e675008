/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/jout.h"
#include "base/path.h"
#include "report/folder.h"
#include "report/page.h"
#include "report/sink.h"
#include "report/words.h"

/*
 * attestations/: in-toto statements (in-toto/attestation, spec/v1), two an
 * image.  NAME.provenance.json says how the rebuilt file was made (SLSA
 * provenance v1), NAME.verdict.json what came of the comparison (test-result
 * v0.1), also where it failed.  With a key each has a signature beside it, made
 * by ssh-keygen or minisign.
 */

enum {
	SIGN_BATCH = 64,       /* files for one call of the signer */
	SIGN_MS = 120 * 1000,  /* for it */
	KEY_MAX = 64 << 10,    /* bytes of a key file */
	SIGNER_SAYS_MAX = 2000 /* bytes of its complaint */
};

struct attest {
	struct folder folder;
	char **files; /* written, in the folder's place until published */
	size_t n, cap;
};

static int
attest_begin(const struct report *r, void **state, struct err *e)
{
	CLEANUP(own_free)
	char *path = path_join(r->folder, "attestations");
	struct attest *t;

	if (!r->is_attested)
		return 0;
	t = xcalloc(1, sizeof(*t));
	*state = t;
	return folder_open(&t->folder, path, e);
}

/* ---- statements ---- */

static void
put_time(struct jout *j, const char *key, int64_t wall_s)
{
	char when[CLOCK_ISO];

	clock_iso(wall_s, when);
	jout_str(j, key, when);
}

static void
put_sha256(struct jout *j, const char *hex)
{
	jout_begin(j, "digest", '{');
	jout_str(j, "sha256", hex);
	jout_end(j, '}');
}

static void
begin_statement(struct jout *j, FILE *f, const char *subject, const char *hex,
	const char *type)
{
	jout_open(j, f, 1);
	jout_begin(j, NULL, '{');
	jout_str(j, "_type", "https://in-toto.io/Statement/v1");
	jout_begin(j, "subject", '[');
	jout_begin(j, NULL, '{');
	jout_str(j, "name", subject);
	put_sha256(j, hex);
	jout_end(j, '}');
	jout_end(j, ']');
	jout_str(j, "predicateType", type);
	jout_begin(j, "predicate", '{');
}

static int
put_channel(void *arg, const struct store_channel *c, struct err *e)
{
	struct jout *j = arg;
	CLEANUP(own_free)
	char *uri = xasprintf("git+%s", c->url);

	(void)e;
	if (!c->commit)
		return 0;
	jout_begin(j, NULL, '{');
	jout_str(j, "name", c->name);
	jout_str(j, "uri", uri);
	jout_begin(j, "digest", '{');
	jout_str(j, "gitCommit", c->commit);
	jout_end(j, '}');
	jout_end(j, '}');
	return 0;
}

static void
put_builder(struct jout *j, const struct report *r)
{
	CLEANUP(buf_fini)
	struct buf id = {0};

	buf_str(&id, "urn:unblend:host:");
	report_file(&id, r->run.host);
	jout_begin(j, "builder", '{');
	jout_str(j, "id", buf_text(&id));
	jout_begin(j, "version", '{');
	jout_str(j, "unblend", r->run.unblend_version);
	jout_str(j, "guix", r->run.guix_version);
	jout_end(j, '}');
	jout_end(j, '}');
}

/* https://slsa.dev/spec/v1.0/provenance */
static int
put_provenance(struct jout *j, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	CLEANUP(own_free)
	char *id = xasprintf(
		"run %" PRId64 ", image %" PRId64, r->run.id, a->sample.seq);

	jout_begin(j, "buildDefinition", '{');
	jout_str(j, "buildType", "urn:unblend:guix-pack:v1");
	jout_begin(j, "externalParameters", '{');
	jout_str(j, "channels.scm", a->channels_scm);
	jout_str(j, "manifest.scm", a->manifest_scm);
	jout_str(j, "options", a->pack_options);
	jout_end(j, '}');
	jout_begin(j, "internalParameters", '{');
	jout_str(j, "depth", a->depth);
	jout_str(j, "derivation", a->drv);
	jout_int(j, "built", a->built);
	jout_int(j, "substituted", a->substituted);
	jout_int(j, "valid", a->valid);
	jout_end(j, '}');
	jout_begin(j, "resolvedDependencies", '[');
	if (store_channels(r->store, a->sample.id, put_channel, j, e) < 0)
		return -1;
	jout_end(j, ']');
	jout_end(j, '}');
	jout_begin(j, "runDetails", '{');
	put_builder(j, r);
	jout_begin(j, "metadata", '{');
	jout_str(j, "invocationId", id);
	put_time(j, "startedOn", a->started_s);
	put_time(j, "finishedOn", a->started_s + a->elapsed_ms / 1000);
	jout_end(j, '}');
	jout_end(j, '}');
	return 0;
}

static void
put_input(struct jout *j, const char *name, const char *text)
{
	struct digest d;
	char hex[DIGEST_HEX + 1];

	if (!text)
		return;
	d = digest_of(text, strlen(text));
	digest_hex(&d, hex);
	jout_begin(j, NULL, '{');
	jout_str(j, "name", name);
	put_sha256(j, hex);
	jout_end(j, '}');
}

/* The levels of equality that the image has, or has not. */
static void
put_levels(struct jout *j, const char *key, const struct store_attempt *a,
	bool is_reached)
{
	jout_begin(j, key, '[');
	for (enum verdict v = 0; v <= VERDICT_SAME_CONTENTS; v++) {
		if (verdict_reaches(a->verdict, v) == is_reached)
			jout_str(j, NULL, verdict_name(v));
	}
	jout_end(j, ']');
}

/* in-toto/attestation, spec/predicates/test-result.md; what begins with
 * "unblend_" is ours, as its rule for extension fields has it. */
static void
put_verdict(
	struct jout *j, const struct report *r, const struct store_attempt *a)
{
	const char *result = "FAILED";

	if (a->is_accepted)
		result = verdict_junit(a->verdict) == JUNIT_PASS ? "PASSED"
								 : "WARNED";
	jout_str(j, "result", result);
	jout_begin(j, "configuration", '[');
	put_input(j, "channels.scm", a->channels_scm);
	put_input(j, "manifest.scm", a->manifest_scm);
	put_input(j, "options", a->pack_options);
	jout_end(j, ']');
	put_levels(j, "passedTests", a, true);
	put_levels(j, "failedTests", a, false);
	jout_begin(j, "unblend_verdict", '{');
	jout_str(j, "verdict", verdict_name(a->verdict));
	jout_str(j, "sentence", verdict_sentence(a->verdict));
	jout_str(j, "accepted_at_least",
		a->sample.expect ? a->sample.expect : r->run.accept);
	jout_str(j, "cause", a->cause);
	jout_str(j, "depth", a->depth);
	jout_str(j, "rebuilt_sha256", a->rebuilt_sha256);
	jout_int(j, "run", a->of_run > 0 ? a->of_run : r->run.id);
	put_time(j, "started", a->started_s);
	jout_end(j, '}');
}

static FILE *
open_statement(struct attest *t, const struct report *r, const char *kind,
	struct err *e)
{
	char *path = xasprintf(
		"%s/%s.%s.json", t->folder.temp, buf_text(&r->file), kind);

	VEC_GROW(t->files, t->n, t->cap);
	t->files[t->n++] = path;
	return page_open(path, e);
}

static int
end_statement(struct attest *t, struct jout *j, FILE *f, struct err *e)
{
	jout_end(j, '}');
	jout_end(j, '}');
	fputc('\n', f);
	return page_close(f, t->files[t->n - 1], e);
}

static int
write_provenance(struct attest *t, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	const char *name = a->output ? strrchr(a->output, '/') : NULL;
	FILE *f = open_statement(t, r, "provenance", e);
	struct jout j;

	if (!f)
		return -1;
	begin_statement(&j, f, name ? name + 1 : a->sample.name,
		a->rebuilt_sha256, "https://slsa.dev/provenance/v1");
	if (put_provenance(&j, r, a, e) < 0) {
		fclose(f);
		return -1;
	}
	return end_statement(t, &j, f, e);
}

static int
write_verdict(struct attest *t, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	FILE *f = open_statement(t, r, "verdict", e);
	struct jout j;

	if (!f)
		return -1;
	begin_statement(&j, f, a->sample.name, a->image_sha256,
		"https://in-toto.io/attestation/test-result/v0.1");
	put_verdict(&j, r, a);
	return end_statement(t, &j, f, e);
}

/* A statement is about a digest: of a file that could not be read there is
 * none, and of a machine that failed there is nothing to say. */
static int
attest_sample(void *state, const struct report *r,
	const struct store_attempt *a, struct err *e)
{
	struct attest *t = state;

	if (!a->is_judged || !a->image_sha256 ||
		a->verdict == VERDICT_NOT_TRIED)
		return 0;
	/* How it was rebuilt is for the run to say that did it. */
	if (a->of_run == 0 && a->recipe_id && a->rebuilt_sha256 &&
		write_provenance(t, r, a, e) < 0)
		return -1;
	return write_verdict(t, r, a, e);
}

/* ---- signatures ---- */

/* minisign's keys say so in their first line. */
static int
is_minisign(const char *key, bool *out, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf text = {0};

	if (path_read(key, KEY_MAX, &text, e) < 0)
		return -1;
	*out = slice_starts(buf_get(&text), "untrusted comment:");
	return 0;
}

static int
sign(const char *const *argv, const char *key, struct err *e)
{
	const struct child_spec spec = {
		.argv = argv,
		.deadline_ms = SIGN_MS,
		.out_cap = SIGNER_SAYS_MAX,
		.log_cap = SIGNER_SAYS_MAX,
	};
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	CLEANUP(buf_fini)
	struct buf how = {0};
	struct outcome end;

	if (child_run(&spec, &out, &log, NULL, &end, e) < 0)
		return err_wrap(e, "signing");
	if (end.end == CHILD_EXITED && end.code == 0)
		return 0;
	child_describe(&end, &how);
	return err_set(e, ERR_POLICY, "%s: %s %s: %s", key, argv[0],
		buf_text(&how), buf_text(&log));
}

static int
sign_all(const struct attest *t, const struct report *r, struct err *e)
{
	CLEANUP(own_free)
	char *comment = xasprintf("unblend run %" PRId64, r->run.id);
	const char *const ssh[] = {"ssh-keygen", "-q", "-Y", "sign", "-f",
		r->sign_key, "-n", "unblend", NULL};
	/* Without a time of its own, the same statement has the same signature. */
	const char *const mini[] = {
		"minisign", "-S", "-s", r->sign_key, "-t", comment, "-m", NULL};
	const char *argv[SIGN_BATCH + 16];
	bool is_mini = false;

	if (is_minisign(r->sign_key, &is_mini, e) < 0)
		return -1;
	for (size_t done = 0; done < t->n;) {
		size_t n = 0;

		for (const char *const *p = is_mini ? mini : ssh; *p; p++)
			argv[n++] = *p;
		for (size_t i = 0; i < SIGN_BATCH && done < t->n; i++)
			argv[n++] = t->files[done++];
		argv[n] = NULL;
		if (sign(argv, r->sign_key, e) < 0)
			return -1;
	}
	return 0;
}

static int
attest_end(void *state, const struct report *r, bool is_whole, struct err *e)
{
	struct attest *t = state;
	int status = 0;

	if (is_whole && r->sign_key)
		status = sign_all(t, r, e);
	if (is_whole && status == 0)
		status = folder_publish(&t->folder, e);
	folder_drop(&t->folder);
	for (size_t i = 0; i < t->n; i++)
		free(t->files[i]);
	free(t->files);
	free(t);
	return status;
}

const struct report_sink report_attest = {
	.name = "attest",
	.begin = attest_begin,
	.sample = attest_sample,
	.end = attest_end,
};
