/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UB_TESTS_UNIT_FAKE_STORE_H
#define UB_TESTS_UNIT_FAKE_STORE_H

#include <string.h>

#include "store/history.h"
#include "store/store.h"

/*
 * The reading side of store.h over tables in memory, for tests of what is made
 * of a run.  It takes the place of the real one at link time: include it in one
 * file of the test only.
 */
struct fake_sample {
	struct store_attempt a;
	const struct store_channel *channels; /* ended by a NULL name */
	const struct store_package *packages; /* likewise */
	const struct store_layer *layers;     /* ended by a NULL side */
	const struct forgiven *forgiven;      /* ended by a NULL what */
	const struct difference *differences; /* ended by a NULL path */
	const char *const *differing;         /* NULL-ended, as those below */
	const char *const *missing, *const *guessed, *const *notes;
	const char *const *commands, *const *built;
	const char *log;
	const struct store_judgement *past; /* ended by a run of 0 */
};

struct store {
	struct store_run run;
	struct fake_sample *samples;
	size_t n;
	const struct store_rate *rates; /* ended by a NULL collection */
	const struct store_use *packages, *channels; /* by a NULL name */
	/* reading the details of this sample fails; 0: none */
	int64_t broken;
};

static const struct fake_sample *
fake_find(struct store *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->samples[i].a.sample.id == id)
			return &s->samples[i];
	}
	return NULL;
}

int
store_read_begin(struct store *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

void
store_read_end(struct store *s)
{
	(void)s;
}

int
store_run_get(
	struct store *s, int64_t run, struct store_run *out, struct err *e)
{
	if (run != 0 && run != s->run.id)
		return err_set(
			e, ERR_ABSENT, "run %d: there is none", (int)run);
	*out = s->run;
	return 0;
}

int
store_attempts(struct store *s, int64_t run,
	int (*f)(void *arg, const struct store_attempt *a, struct err *e),
	void *arg, struct err *e)
{
	(void)run;
	for (size_t i = 0; i < s->n; i++) {
		if (f(arg, &s->samples[i].a, e) != 0)
			return -1;
	}
	return 0;
}

#define FAKE_LIST(function, type, member, last)                           \
	int function(struct store *s, int64_t sample,                     \
		int (*f)(void *arg, const struct type *x, struct err *e), \
		void *arg, struct err *e)                                 \
	{                                                                 \
		const struct type *x = fake_find(s, sample)->member;      \
                                                                          \
		if (s->broken == sample)                                  \
			return err_set(e, ERR_HOST, "disk on fire");      \
		for (; x && x->last; x++) {                               \
			if (f(arg, x, e) != 0)                            \
				return -1;                                \
		}                                                         \
		return 0;                                                 \
	}
FAKE_LIST(store_channels, store_channel, channels, name)
FAKE_LIST(store_packages, store_package, packages, name)
FAKE_LIST(store_layers, store_layer, layers, side)
FAKE_LIST(store_forgiven, forgiven, forgiven, what)
FAKE_LIST(store_differences, difference, differences, path)
#undef FAKE_LIST

int
store_texts(struct store *s, int64_t sample, const char *kind,
	int (*f)(void *arg, const char *text, struct err *e), void *arg,
	struct err *e)
{
	const struct fake_sample *x = fake_find(s, sample);
	const char *const *p = strcmp(kind, "missing") == 0 ? x->missing
		: strcmp(kind, "guessed") == 0              ? x->guessed
		: strcmp(kind, "note") == 0                 ? x->notes
		: strcmp(kind, "command") == 0              ? x->commands
		: strcmp(kind, "built-drv") == 0            ? x->built
		: strcmp(kind, "differing-package") == 0    ? x->differing
							    : NULL;

	for (; p && *p; p++) {
		if (f(arg, *p, e) != 0)
			return -1;
	}
	return 0;
}

int
store_history(struct store *s, const char *name, int64_t run, int64_t max,
	int (*f)(void *arg, const struct store_judgement *j, struct err *e),
	void *arg, struct err *e)
{
	(void)run;
	(void)max;
	for (size_t i = 0; i < s->n; i++) {
		const struct store_judgement *p = s->samples[i].past;

		if (strcmp(s->samples[i].a.sample.name, name) != 0)
			continue;
		for (; p && p->run; p++) {
			if (f(arg, p, e) != 0)
				return -1;
		}
	}
	return 0;
}

int
store_rates(struct store *s, int64_t run, int64_t max,
	int (*f)(void *arg, const struct store_rate *r, struct err *e),
	void *arg, struct err *e)
{
	(void)run;
	(void)max;
	for (const struct store_rate *p = s->rates; p && p->collection; p++) {
		if (f(arg, p, e) != 0)
			return -1;
	}
	return 0;
}

#define FAKE_USES(function, member)                                            \
	int function(struct store *s, int64_t run,                             \
		int (*f)(void *arg, const struct store_use *u, struct err *e), \
		void *arg, struct err *e)                                      \
	{                                                                      \
		(void)run;                                                     \
		for (const struct store_use *p = s->member; p && p->name;      \
			p++) {                                                 \
			if (f(arg, p, e) != 0)                                 \
				return -1;                                     \
		}                                                              \
		return 0;                                                      \
	}
FAKE_USES(store_package_uses, packages)
FAKE_USES(store_channel_uses, channels)
#undef FAKE_USES

int
store_log(struct store *s, int64_t sample, struct buf *out, struct err *e)
{
	const struct fake_sample *x = fake_find(s, sample);

	(void)e;
	if (x->log)
		buf_str(out, x->log);
	return 0;
}

#endif
