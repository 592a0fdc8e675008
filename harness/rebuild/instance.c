/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/attr.h"
#include "base/path.h"
#include "rebuild/guix.h"
#include "rebuild/mirror.h"
#include "rebuild/task.h"

enum {
	CACHES = 2,
	MANIFEST_BYTES = 1 << 20 /* of an instance's profile */
};

/* Where a Guix keeps instances of channels by their commits (guix/inferior.scm,
 * %inferior-cache-directory and %legacy-inferior-cache-directory). */
static char *
cache_path(const struct task *t, size_t i)
{
	return i == 0 ? xasprintf("%s/inferiors", t->profiles)
		      : xasprintf("%s/.cache/guix/inferiors", t->home);
}

/* The root of the lane's instance, and at the same time what remembers it. */
static char *
root_path(const struct task *t)
{
	return xasprintf("%s/roots/%s", t->home,
		t->recipe->is_unnamed ? "unnamed" : "instance");
}

static int
make_mirrors(struct task *t, struct err *e)
{
	CLEANUP(words_fini)
	struct words paths = {.arena = t->a};
	CLEANUP(buf_fini)
	struct buf config = {0};
	CLEANUP(own_free)
	char *file = xasprintf("%s/.gitconfig", t->home);
	const struct recipe *r = t->recipe;
	int64_t date_s = -1;
	struct mirror_options o = {
		.cache = t->cache,
		.redirects = t->o->mirrors,
		.until_ms = t->until_ms,
		.silence_ms = t->o->limits.silence_s * 1000,
		.log_cap = t->o->limits.log_bytes,
		.stop = t->o->stop,
		.log = &t->log,
		.ran = task_ran,
		.ran_arg = t,
		.date_s = &date_s,
	};

	t->out->n_dates = 0;
	t->out->dates =
		arena_alloc(t->a, (r->n_channels + 1) * sizeof(*t->out->dates));

	for (size_t i = 0; i < r->n_channels; i++) {
		struct diagnosis why;
		const char *path;
		int rc = mirror_get(&o, &r->channels[i], t->a, &path, &why, e);

		if (rc < 0)
			return task_end_host(t,
				e->kind == ERR_TRANSIENT        ? "lock"
					: e->kind == ERR_ABSENT ? "git"
								: "host",
				e);
		if (rc == 0)
			return task_end_diagnosed(t, &why);
		words_add(&paths, path);
		if (date_s >= 0)
			t->out->dates[t->out->n_dates++] = (struct commit_date){
				arena_copy(t->a, r->channels[i].commit,
					strlen(r->channels[i].commit)),
				date_s};
	}
	mirror_config(words_take(&paths), r->channels, r->n_channels, &config);
	if (aside_write(file, buf_text(&config), config.n, e) < 0)
		return task_end_host(t, "host", e);
	return 1;
}

/*
 * Call f for each link to the store in the caches of instances, with its
 * target.
 */
static void
each_instance(const struct task *t,
	void (*f)(struct buf *found, const char *link, const char *target),
	struct buf *found)
{
	for (size_t i = 0; i < CACHES; i++) {
		CLEANUP(own_free)
		char *path = cache_path(t, i);
		DIR *dir = opendir(path);
		struct dirent *d;

		while (dir && (d = readdir(dir))) {
			CLEANUP(own_free)
			char *link = xasprintf("%s/%s", path, d->d_name);
			char target[PATH_MAX];
			ssize_t n = readlink(link, target, sizeof(target) - 1);

			if (n <= 0)
				continue;
			target[n] = '\0';
			f(found, link, target);
		}
		if (dir)
			closedir(dir);
	}
}

/* Guix takes a link whose target is collected for an instance. */
static void
drop_dangling(struct buf *found, const char *link, const char *target)
{
	(void)found;
	if (!path_exists(target))
		unlink(link);
}

/* Each with a NUL after it. */
static void
note_instance(struct buf *found, const char *link, const char *target)
{
	(void)link;
	if (guix_is_store_path(slice_of(target)))
		buf_add(found, target, strlen(target) + 1);
}

static int
drop_instances(const struct task *t, struct err *e)
{
	for (size_t i = 0; i < CACHES; i++) {
		CLEANUP(own_free)
		char *path = cache_path(t, i);

		if (path_remove(path, e) < 0)
			return -1;
	}
	return 0;
}

/* Does it record names of channels? */
static bool
has_names(const struct channel *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].is_named)
			return true;
	return false;
}

/* True, and t->instance set, when the profile has the recipe's channels and a
 * guix to run; one of channels with names, only if any will do. */
static bool
use_profile(struct task *t, const char *profile, bool any)
{
	CLEANUP(own_free)
	char *guix = xasprintf("%s/bin/guix", profile);
	CLEANUP(own_free)
	char *manifest = xasprintf("%s/manifest", profile);
	CLEANUP(buf_fini)
	struct buf text = {0};
	CLEANUP(buf_fini)
	struct buf why = {0};
	struct channel *have;
	struct err e = {0};
	size_t n;

	if (access(guix, X_OK) < 0 ||
		path_read(manifest, MANIFEST_BYTES, &text, &e) < 0 ||
		guix_instance_parse(t->a, buf_get(&text), &have, &n, &e) < 0 ||
		!guix_channels_match(t->recipe->channels, t->recipe->n_channels,
			have, n, &why) ||
		(!any && t->recipe->is_unnamed && has_names(have, n)))
		return false;
	t->instance = task_keep(t, guix);
	return true;
}

/*
 * An instance that an earlier rebuild of the lane made, compared and rooted.
 * The lane is of these channels, to the letter, so Guix has authenticated them
 * with these introductions.
 */
bool
instance_find(struct task *t)
{
	CLEANUP(own_free)
	char *root = root_path(t);
	char profile[PATH_MAX];
	ssize_t n = readlink(root, profile, sizeof(profile) - 1);

	if (n <= 0)
		return false;
	profile[n] = '\0';
	return guix_is_store_path(slice_of(profile)) &&
		use_profile(t, profile, true);
}

/* Begin a command line for the Guix that time-machine leads to. */
static void
travel(struct task *t, bool twice, struct words *cmd)
{
	guix_time_machine(cmd, t->guix, t->channels, task_limits(t));
	if (twice)
		guix_travel(cmd, t->channels, task_limits(t));
}

/* 1 when the instance's channels are the recipe's, 0 when not, with why; -2
 * when the rebuild has ended.  That one cannot travel twice is no end. */
static int
describe(struct task *t, bool twice, struct buf *why, struct err *e)
{
	CLEANUP(words_fini)
	struct words cmd = {.arena = t->a};
	CLEANUP(buf_fini)
	struct buf out = {0};
	CLEANUP(buf_fini)
	struct buf log = {0};
	struct channel *have;
	size_t n;
	int code, rc;

	travel(t, twice, &cmd);
	words_add(&cmd, "describe");
	words_add(&cmd, "-f");
	words_add(&cmd, "channels");
	rc = task_command(
		t, words_take(&cmd), VOICE_QUIET, &out, &log, &code, e);
	if (rc <= 0)
		return rc < 0 ? -1 : -2;
	if (code != 0 && twice) {
		buf_str(why, "the Guix of these channels cannot travel");
		return 0;
	}
	if (code != 0) {
		if (task_diagnose(t, STEP_INSTANCE, buf_get(&log), e) < 0)
			return -1;
		return -2;
	}
	if (guix_channels_parse(t->a, buf_get(&out), &have, &n, e) < 0) {
		buf_printf(why, "guix describe: %s", e->text);
		return 0;
	}
	return guix_channels_match(
		t->recipe->channels, t->recipe->n_channels, have, n, why);
}

/* Set t->instance to the one in the caches that the recipe wants, or if any will
 * do, to one of its channels; its profile, NULL when there is none. */
static const char *
choose_instance(struct task *t, bool any)
{
	CLEANUP(buf_fini)
	struct buf found = {0};

	each_instance(t, note_instance, &found);
	for (int pass = 0; pass < (any ? 2 : 1); pass++)
		for (size_t i = 0; i < found.n; i += strlen(found.p + i) + 1)
			if (use_profile(t, found.p + i, pass == 1))
				return task_keep(t, found.p + i);
	return NULL;
}

/* The derivation that gave the instance, when the daemon knows it: 1, 0, -1. */
static int
find_deriver(
	struct task *t, const char *profile, const char **drv, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf out = {0};
	struct slice rest, line;
	int code, rc;

	*drv = NULL;
	rc = task_command(t,
		(const char *const[]){
			t->guix, "gc", "--derivers", profile, NULL},
		VOICE_QUIET, &out, NULL, &code, e);
	rest = buf_get(&out);
	while (rc > 0 && !*drv && guix_log_line(&rest, &line))
		if (guix_is_drv(line))
			*drv = arena_copy(t->a, line.p, line.n);
	return rc;
}

/*
 * The link in the cache is no root outside the sandbox, where that folder is
 * another: have one below HOME, whose path is the same on both sides.  `build
 * -r' makes it of a derivation only.  Without it, the next rebuild makes the
 * instance anew: no reason to fail.
 */
static int
root_instance(struct task *t, struct err *e)
{
	CLEANUP(own_free)
	char *root = root_path(t);
	const char *profile = choose_instance(t, true), *drv;
	int code, rc;

	unlink(root);
	if (!profile)
		return 1;
	rc = find_deriver(t, profile, &drv, e);
	if (rc <= 0 || !drv)
		return rc;
	return task_command(t,
		(const char *const[]){t->guix, "build", drv, "-r", root, NULL},
		VOICE_QUIET, NULL, NULL, &code, e);
}

/*
 * What a newer Guix makes of the channels records their names, and an image that
 * it packs has them; what the old Guix makes of the same channels has none.
 */
static int
travel_on(struct task *t, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf why = {0};
	int rc;

	if (!t->recipe->is_unnamed || choose_instance(t, false))
		return 1;
	rc = describe(t, true, &why, e);
	if (rc < 0)
		return rc == -2 ? 0 : -1;
	t->is_twice = rc > 0;
	if (t->is_twice)
		task_note(t,
			"The image records channels without names: the Guix of "
			"its channels has traveled to them once more, since "
			"what this machine's makes of them has names.");
	else
		task_note(t,
			"The image records channels without names, and the "
			"rebuilt one has names: %s.",
			buf_text(&why));
	return 1;
}

/*
 * What time-machine made the instance of: a clone of each channel, which is
 * large, and of which the mirror has all (guix/git.scm,
 * %repository-cache-directory).  An instance that is rooted needs none.
 */
static void
drop_clones(struct task *t)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/.cache/guix/checkouts", t->home);
	struct err e = {0};

	if (path_remove(path, &e) < 0)
		task_note(t, "Clones of channels stay: %s", e.text);
}

static int
get_instance(struct task *t, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf why = {0};
	int rc;

	each_instance(t, drop_dangling, NULL);
	for (int attempt = 0; attempt < 2; attempt++) {
		buf_clear(&why);
		rc = describe(t, false, &why, e);
		if (rc == -2)
			return 0;
		if (rc < 0)
			return -1;
		if (rc > 0) {
			rc = travel_on(t, e);
			return rc > 0 ? root_instance(t, e) : rc;
		}
		/* Guix knows instances by their commits alone: one made under
		 * another URL answers for ours. */
		if (drop_instances(t, e) < 0)
			return task_end_host(t, "host", e);
	}
	return task_end(t, REBUILD_NOT_TRIED, "instance-mismatch",
		buf_text(&why),
		"guix time-machine does not give the channels that it was "
		"asked for.");
}

static int
make_instance(struct task *t, struct err *e)
{
	CLEANUP(own_free)
	char *path = xasprintf("%s/lock", t->lane);
	/* Two at their first with one HOME destroy each other's checkouts.
	 * Once it is there, it is only read. */
	CLEANUP(own_fd)
	int lock = mirror_lock(path, t->until_ms, t->o->stop, e);
	int rc;

	if (lock < 0)
		return task_end_host(
			t, e->kind == ERR_TRANSIENT ? "lock" : "host", e);
	/* Another may have made it meanwhile. */
	if (instance_find(t))
		return 1;
	task_stage(t, "mirror");
	rc = make_mirrors(t, e);
	if (rc <= 0)
		return rc;
	task_stage(t, "instance");
	rc = get_instance(t, e);
	if (rc > 0 && instance_find(t))
		drop_clones(t);
	return rc;
}

int
instance_get(struct task *t, struct err *e)
{
	return instance_find(t) ? 1 : make_instance(t, e);
}

void
instance_command(struct task *t, struct words *cmd)
{
	if (t->instance)
		words_add(cmd, t->instance);
	else
		travel(t, t->is_twice, cmd);
}
