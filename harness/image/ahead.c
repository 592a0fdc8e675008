/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/ahead.h"

#include <pthread.h>
#include <signal.h>

#include "base/alloc.h"

enum {
	ALONE = 1 << 20, /* bytes before the thread begins */
	SLOTS = 4,
	SLOT = 1 << 18 /* bytes */
};

/* Slots used to used + full - 1, round about, are the reader's, the others the
 * thread's. */
struct ahead {
	struct layer_source from;
	uint64_t alone;   /* bytes given without a thread */
	bool has_started; /* or tried to */
	bool is_running, is_ended;
	bool is_held; /* the slot at used was given, and not yet freed */
	int end;      /* what from gave at last, for ever */
	pthread_t thread;
	pthread_mutex_t lock; /* on all below */
	pthread_cond_t changed;
	char *slots[SLOTS];
	size_t n[SLOTS]; /* bytes in each */
	size_t used, full;
	bool is_stopped; /* the reader wants no more */
	bool is_done;    /* the thread has no more */
	int result;      /* then: 0 or -1 ... */
	struct err e;    /* ... with this */
};

struct ahead *
ahead_new(struct layer_source from)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->from = from;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

/* A slot that is free, once there is one; SLOTS when no more are wanted. */
static size_t
free_slot(struct ahead *a)
{
	size_t i;

	pthread_mutex_lock(&a->lock);
	while (a->full == SLOTS && !a->is_stopped)
		pthread_cond_wait(&a->changed, &a->lock);
	i = a->is_stopped ? SLOTS : (a->used + a->full) % SLOTS;
	pthread_mutex_unlock(&a->lock);
	return i;
}

static void
hand_over(struct ahead *a, size_t i, size_t n)
{
	pthread_mutex_lock(&a->lock);
	a->n[i] = n;
	a->full++;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

static void *
run(void *arg)
{
	struct ahead *a = arg;
	struct slice part = {0};
	struct err e = {0};
	size_t i;
	int r = 1;

	while ((i = free_slot(a)) != SLOTS) {
		size_t n = 0;

		while (n < SLOT) {
			size_t some = part.n < SLOT - n ? part.n : SLOT - n;

			if (some == 0) {
				r = layer_pull(a->from, &part, &e);
				if (r <= 0)
					break;
				continue;
			}
			memcpy(a->slots[i] + n, part.p, some);
			n += some;
			part.p += some;
			part.n -= some;
		}
		if (n > 0)
			hand_over(a, i, n);
		if (r <= 0)
			break;
	}
	pthread_mutex_lock(&a->lock);
	a->is_done = true;
	a->result = r;
	a->e = e;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Without a thread, where the machine has none left, it only is slower. */
static void
start(struct ahead *a)
{
	sigset_t all, before;

	a->has_started = true;
	for (size_t i = 0; i < SLOTS; i++)
		a->slots[i] = xmalloc(SLOT);
	/* Signals are for the thread that was there before. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	a->is_running = pthread_create(&a->thread, NULL, run, a) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
stop(struct ahead *a)
{
	if (!a->is_running)
		return;
	pthread_mutex_lock(&a->lock);
	a->is_stopped = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	a->is_running = false;
}

/* From the thread: 1, or what it ended with. */
static int
take(struct ahead *a, struct slice *out)
{
	int r = 1;

	pthread_mutex_lock(&a->lock);
	if (a->is_held) {
		a->used = (a->used + 1) % SLOTS;
		a->full--;
		pthread_cond_signal(&a->changed);
	}
	while (a->full == 0 && !a->is_done)
		pthread_cond_wait(&a->changed, &a->lock);
	a->is_held = a->full > 0;
	if (a->is_held)
		*out = (struct slice){a->slots[a->used], a->n[a->used]};
	else
		r = a->result;
	pthread_mutex_unlock(&a->lock);
	return r;
}

static int
block(void *arg, struct slice *out, struct err *e)
{
	struct ahead *a = arg;
	int r;

	/* What was given last lives until now. */
	if (!a->has_started && a->alone >= ALONE)
		start(a);
	if (a->is_ended)
		r = a->end;
	else if (a->is_running)
		r = take(a, out);
	else
		r = layer_pull(a->from, out, &a->e);
	if (r > 0) {
		a->alone += out->n;
		return 1;
	}
	stop(a);
	a->is_ended = true;
	a->end = r;
	if (r < 0)
		*e = a->e;
	return r;
}

struct layer_source
ahead_source(struct ahead *a)
{
	return (struct layer_source){block, a};
}

void
ahead_free(struct ahead *a)
{
	if (!a)
		return;
	stop(a);
	for (size_t i = 0; i < SLOTS; i++)
		free(a->slots[i]);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free(a);
}
