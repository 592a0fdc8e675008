/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sched/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum image_state {
	IMAGE_ABSENT, /* not of this plan, or judged */
	IMAGE_UNREAD,
	IMAGE_READING,
	IMAGE_WAITS, /* for its group */
	IMAGE_COMPARING
};

struct image_plan {
	uint32_t next;  /* of its group */
	uint32_t group; /* PLAN_END: none yet */
	uint32_t expected_s;
	uint8_t state;
	bool is_alone;
	bool is_small; /* to be read with others */
	bool is_first; /* of those that are being read by one job */
};

enum group_state {
	GROUP_WAITS, /* to be lowered */
	GROUP_LOWERING,
	GROUP_READY, /* to be built */
	GROUP_BUILDING,
	GROUP_BUILT
};

struct group {
	struct digest key;
	uint32_t lane;
	uint32_t next;        /* of its lane, while it waits */
	uint32_t first, last; /* images, not judged */
	uint32_t n;           /* of them */
	uint32_t expected_s;
	uint8_t state;
	bool is_listed; /* among those to be compared */
	bool is_quick;
};

struct lane {
	struct digest key;
	uint32_t first, last; /* groups that wait */
	uint32_t n_waiting, n_lowering;
	uint32_t n_all; /* that waited when the first of them was taken */
};

/* What may go better later. */
struct later {
	int64_t at_ms;
	uint32_t index;
	bool is_group;
};

struct list {
	uint32_t *v;
	size_t n, cap, from; /* from: those before are taken */
};

struct plan {
	unsigned slots;
	struct image_plan *images;
	size_t n_images, n_ahead;
	size_t n_reading; /* jobs */
	struct list unread;
	bool is_sorted;
	struct group *groups;
	size_t n_groups, cap_groups;
	uint32_t *table; /* of groups by key: index and 1, 0: free */
	size_t table_size;
	struct lane *lanes;
	size_t n_lanes, cap_lanes;
	struct list ready, comparable;
	struct later *later;
	size_t n_later, cap_later;
};

struct plan *
plan_new(size_t n, unsigned slots)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	p->slots = slots ? slots : 1;
	p->n_images = n;
	p->images = xcalloc(n + 1, sizeof(*p->images));
	for (size_t i = 0; i < n; i++)
		p->images[i].next = p->images[i].group = PLAN_END;
	return p;
}

void
plan_free(struct plan *p)
{
	if (!p)
		return;
	free(p->images);
	free(p->unread.v);
	free(p->groups);
	free(p->table);
	free(p->lanes);
	free(p->ready.v);
	free(p->comparable.v);
	free(p->later);
	free(p);
}

static void
list_add(struct list *l, uint32_t x)
{
	if (l->n == l->cap && l->from > l->n / 2) {
		memmove(l->v, l->v + l->from, (l->n - l->from) * sizeof(*l->v));
		l->n -= l->from;
		l->from = 0;
	}
	VEC_GROW(l->v, l->n, l->cap);
	l->v[l->n++] = x;
}

static bool
is_empty(const struct list *l)
{
	return l->from == l->n;
}

static uint32_t
to_seconds(int64_t ms)
{
	return ms <= 0                    ? 0
		: ms / 1000 >= UINT32_MAX ? UINT32_MAX - 1
					  : (uint32_t)(ms / 1000) + 1;
}

void
plan_expect(struct plan *p, uint32_t image, int64_t expected_ms)
{
	p->images[image].expected_s = to_seconds(expected_ms);
}

void
plan_add(struct plan *p, uint32_t image, int64_t expected_ms)
{
	plan_expect(p, image, expected_ms);
	p->images[image].state = IMAGE_UNREAD;
	list_add(&p->unread, image);
	p->is_sorted = false;
}

void
plan_small(struct plan *p, uint32_t image)
{
	p->images[image].is_small = true;
}

/* ---- groups ---- */

static size_t
slot_of(const struct plan *p, const struct digest *key)
{
	size_t at;

	memcpy(&at, key->b, sizeof(at));
	at &= p->table_size - 1;
	while (p->table[at] &&
		!digest_eq(&p->groups[p->table[at] - 1].key, key))
		at = (at + 1) & (p->table_size - 1);
	return at;
}

static void
grow_table(struct plan *p)
{
	if (p->n_groups * 2 < p->table_size)
		return;
	free(p->table);
	p->table_size = p->table_size ? p->table_size * 2 : 64;
	p->table = xcalloc(p->table_size, sizeof(*p->table));
	for (size_t i = 0; i < p->n_groups; i++)
		p->table[slot_of(p, &p->groups[i].key)] = (uint32_t)i + 1;
}

static uint32_t
lane_of(struct plan *p, const struct digest *key)
{
	for (size_t i = 0; i < p->n_lanes; i++)
		if (digest_eq(&p->lanes[i].key, key))
			return (uint32_t)i;
	VEC_GROW(p->lanes, p->n_lanes, p->cap_lanes);
	p->lanes[p->n_lanes] =
		(struct lane){.key = *key, .first = PLAN_END, .last = PLAN_END};
	return (uint32_t)p->n_lanes++;
}

static void
put_to_lane(struct plan *p, uint32_t group)
{
	struct group *g = &p->groups[group];
	struct lane *lane = &p->lanes[g->lane];

	g->state = GROUP_WAITS;
	g->next = PLAN_END;
	if (lane->first == PLAN_END)
		lane->first = group;
	else
		p->groups[lane->last].next = group;
	lane->last = group;
	lane->n_waiting++;
}

static uint32_t
take_from_lane(struct plan *p, uint32_t lane)
{
	struct lane *l = &p->lanes[lane];
	uint32_t group = l->first;

	l->first = p->groups[group].next;
	if (l->first == PLAN_END)
		l->last = PLAN_END;
	l->n_waiting--;
	return group;
}

static uint32_t
group_of(struct plan *p, const struct digest *key, const struct digest *lane)
{
	size_t at;

	grow_table(p);
	at = slot_of(p, key);
	if (p->table[at])
		return p->table[at] - 1;
	VEC_GROW(p->groups, p->n_groups, p->cap_groups);
	p->groups[p->n_groups] = (struct group){.key = *key,
		.lane = lane_of(p, lane),
		.first = PLAN_END,
		.last = PLAN_END};
	p->table[at] = (uint32_t)p->n_groups + 1;
	put_to_lane(p, (uint32_t)p->n_groups);
	return (uint32_t)p->n_groups++;
}

static void
list_for_comparison(struct plan *p, uint32_t group)
{
	if (p->groups[group].is_listed)
		return;
	p->groups[group].is_listed = true;
	list_add(&p->comparable, group);
}

static void
end_reading(struct plan *p, uint32_t image)
{
	if (p->images[image].state == IMAGE_READING &&
		p->images[image].is_first)
		p->n_reading--;
}

static void
append(struct plan *p, struct group *g, uint32_t image)
{
	p->images[image].state = IMAGE_WAITS;
	p->images[image].next = PLAN_END;
	if (g->first == PLAN_END)
		g->first = image;
	else
		p->images[g->last].next = image;
	g->last = image;
	g->n++;
}

uint32_t
plan_waits(struct plan *p, uint32_t image, const struct digest *key,
	const struct digest *lane)
{
	uint32_t group = group_of(p, key, lane);
	struct group *g = &p->groups[group];
	struct image_plan *m = &p->images[image];

	end_reading(p, image);
	m->group = group;
	append(p, g, image);
	p->n_ahead++;
	if (m->expected_s > g->expected_s)
		g->expected_s = m->expected_s;
	if (g->state == GROUP_BUILT)
		list_for_comparison(p, group);
	return group;
}

void
plan_judged(struct plan *p, uint32_t image)
{
	end_reading(p, image);
	if (p->images[image].group != PLAN_END)
		p->n_ahead--;
	p->images[image].state = IMAGE_ABSENT;
}

void
plan_compare_alone(struct plan *p, uint32_t image)
{
	uint32_t group = p->images[image].group;

	p->images[image].is_alone = true;
	append(p, &p->groups[group], image);
	list_for_comparison(p, group);
}

static void
add_later(struct plan *p, bool is_group, uint32_t index, int64_t at_ms)
{
	VEC_GROW(p->later, p->n_later, p->cap_later);
	p->later[p->n_later++] = (struct later){at_ms, index, is_group};
}

void
plan_read_alone(struct plan *p, uint32_t image)
{
	end_reading(p, image);
	p->images[image].is_small = false;
	p->images[image].state = IMAGE_UNREAD;
	list_add(&p->unread, image);
}

void
plan_read_again(struct plan *p, uint32_t image, int64_t at_ms)
{
	end_reading(p, image);
	p->images[image].is_small = false;
	p->images[image].state = IMAGE_ABSENT;
	add_later(p, false, image, at_ms);
}

void
plan_build_again(struct plan *p, uint32_t group, int64_t at_ms)
{
	add_later(p, true, group, at_ms);
}

/* Whatever state it was in: what an earlier process left is known at once. */
static void
end_lowering(struct plan *p, uint32_t group)
{
	struct group *g = &p->groups[group];
	struct lane *l = &p->lanes[g->lane];
	uint32_t before = PLAN_END;

	if (g->state == GROUP_LOWERING)
		l->n_lowering--;
	if (g->state != GROUP_WAITS)
		return;
	for (uint32_t at = l->first; at != group; at = p->groups[at].next)
		before = at;
	if (before == PLAN_END)
		l->first = g->next;
	else
		p->groups[before].next = g->next;
	if (l->last == group)
		l->last = before;
	l->n_waiting--;
}

void
plan_lowered(struct plan *p, uint32_t group)
{
	struct group *g = &p->groups[group];

	end_lowering(p, group);
	g->state = GROUP_READY;
	list_add(&p->ready, group);
}

void
plan_built(struct plan *p, uint32_t group)
{
	struct group *g = &p->groups[group];

	end_lowering(p, group);
	g->state = GROUP_BUILT;
	if (g->first != PLAN_END)
		list_for_comparison(p, group);
}

void
plan_quick(struct plan *p, uint32_t group)
{
	p->groups[group].is_quick = true;
}

/* ---- choosing ---- */

static int
longer_first(const void *a, const void *b, void *arg)
{
	const struct plan *p = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint32_t ex = p->images[x].expected_s, ey = p->images[y].expected_s;

	if (ex != ey)
		return ex > ey ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void
sort_unread(struct plan *p)
{
	if (p->is_sorted)
		return;
	if (p->unread.v)
		qsort_r(p->unread.v + p->unread.from,
			p->unread.n - p->unread.from, sizeof(*p->unread.v),
			longer_first, p);
	p->is_sorted = true;
}

/* Take up what may be tried again by now. */
static void
wake(struct plan *p, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_later; i++) {
		const struct later *l = &p->later[i];

		if (l->at_ms > now_ms) {
			p->later[kept++] = *l;
		} else if (l->is_group) {
			p->groups[l->index].state = GROUP_READY;
			list_add(&p->ready, l->index);
		} else {
			p->images[l->index].state = IMAGE_UNREAD;
			list_add(&p->unread, l->index);
		}
	}
	p->n_later = kept;
}

int64_t
plan_until(const struct plan *p)
{
	int64_t at = -1;

	for (size_t i = 0; i < p->n_later; i++)
		if (at < 0 || p->later[i].at_ms < at)
			at = p->later[i].at_ms;
	return at;
}

/* The first of the groups to be compared has as many images as another. */
static struct group *
most_to_compare(struct plan *p)
{
	uint32_t *v = p->comparable.v + p->comparable.from;
	size_t n = p->comparable.n - p->comparable.from, best = 0;
	uint32_t group;

	for (size_t i = 1; i < n; i++)
		if (p->groups[v[i]].n > p->groups[v[best]].n)
			best = i;
	group = v[best];
	/* Those of equal number stay in their order. */
	memmove(v + 1, v, best * sizeof(*v));
	v[0] = group;
	return &p->groups[group];
}

/* Some images of the first group to be compared. */
static void
take_to_compare(struct plan *p, size_t most, struct plan_job *out)
{
	uint32_t group = p->comparable.v[p->comparable.from];
	struct group *g = &p->groups[group];

	while (out->n < most && g->first != PLAN_END) {
		uint32_t image = g->first;

		if (p->images[image].is_alone && out->n > 0)
			break;
		g->first = p->images[image].next;
		g->n--;
		p->images[image].state = IMAGE_COMPARING;
		out->items[out->n++] = image;
		if (p->images[image].is_alone)
			break;
	}
	if (g->first == PLAN_END) {
		g->last = PLAN_END;
		g->is_listed = false;
		p->comparable.from++;
	}
}

static bool
is_next_quick(const struct plan *p)
{
	const struct group *g;

	if (is_empty(&p->comparable))
		return false;
	g = &p->groups[p->comparable.v[p->comparable.from]];
	return g->is_quick && !p->images[g->first].is_alone;
}

/* Of small images, only as many as are worth a worker, unless any will do. */
static bool
compare_next(struct plan *p, bool any, struct plan_job *out)
{
	struct group *g;
	size_t most;
	bool is_small;

	if (is_empty(&p->comparable))
		return false;
	g = most_to_compare(p);
	is_small = g->is_quick || p->images[g->first].is_small;
	if (!any && is_small && g->n < PLAN_COMPARE_MAX)
		return false;
	out->kind = PLAN_COMPARE;
	/* One share a slot, so that none is left with all of them. */
	most = is_small ? g->n : (g->n + p->slots - 1) / p->slots;
	if (most > PLAN_COMPARE_MAX)
		most = PLAN_COMPARE_MAX;
	is_small = is_next_quick(p);
	take_to_compare(p, most, out);
	while (is_small && out->n < PLAN_COMPARE_MAX && is_next_quick(p))
		take_to_compare(p, PLAN_COMPARE_MAX, out);
	return true;
}

static bool
read_next(struct plan *p, struct plan_job *out)
{
	struct list *l = &p->unread;
	size_t most;

	if (is_empty(l))
		return false;
	/* Some for each slot, as long as there are as many. */
	most = (l->n - l->from + p->slots - 1) / p->slots;
	if (most > PLAN_READ_MAX)
		most = PLAN_READ_MAX;
	p->n_reading++;
	out->kind = PLAN_READ;
	do {
		uint32_t image = l->v[l->from++];
		struct image_plan *m = &p->images[image];

		m->state = IMAGE_READING;
		m->is_first = out->n == 0;
		out->items[out->n++] = image;
		if (!m->is_small)
			break;
	} while (out->n < most && !is_empty(l) &&
		p->images[l->v[l->from]].is_small);
	return true;
}

/* No more recipes will come that could be lowered with those that wait. */
static bool
is_closed(const struct plan *p)
{
	return p->n_reading == 0 &&
		(is_empty(&p->unread) || p->n_ahead >= PLAN_AHEAD);
}

static int64_t
lane_expects(const struct plan *p, const struct lane *l)
{
	int64_t sum = 0;

	for (uint32_t g = l->first; g != PLAN_END; g = p->groups[g].next)
		sum += p->groups[g].expected_s;
	return sum;
}

/* How many of a lane's groups one job takes: all, unless there are more slots than
 * lanes. */
static size_t
lower_share(const struct plan *p, const struct lane *lane)
{
	size_t n = 0, share;

	for (size_t i = 0; i < p->n_lanes; i++)
		n += p->lanes[i].n_waiting > 0 || p->lanes[i].n_lowering > 0;
	share = (lane->n_all * n + p->slots - 1) / p->slots;
	if (share < PLAN_LOWER_WORTH)
		share = PLAN_LOWER_WORTH;
	return share < PLAN_ITEMS_MAX ? share : PLAN_ITEMS_MAX;
}

static bool
lower_next(struct plan *p, struct plan_job *out)
{
	bool closed = is_closed(p);
	uint32_t best = PLAN_END;
	int64_t most = -1;
	size_t share;

	for (size_t i = 0; i < p->n_lanes; i++) {
		const struct lane *l = &p->lanes[i];
		int64_t expects;

		if (l->n_waiting == 0 ||
			(!closed &&
				(l->n_lowering > 0 ||
					l->n_waiting < PLAN_LOWER_ENOUGH)))
			continue;
		expects = lane_expects(p, l);
		if (expects <= most)
			continue;
		most = expects;
		best = (uint32_t)i;
	}
	if (best == PLAN_END)
		return false;
	if (p->lanes[best].n_waiting == 1) {
		/* Whoever builds it lowers it too. */
		uint32_t group = take_from_lane(p, best);

		p->groups[group].state = GROUP_BUILDING;
		out->kind = PLAN_BUILD;
		out->items[out->n++] = group;
		return true;
	}
	out->kind = PLAN_LOWER;
	if (p->lanes[best].n_lowering == 0)
		p->lanes[best].n_all = p->lanes[best].n_waiting;
	share = closed ? lower_share(p, &p->lanes[best]) : PLAN_ITEMS_MAX;
	while (out->n < share && p->lanes[best].n_waiting > 0) {
		uint32_t group = take_from_lane(p, best);

		p->groups[group].state = GROUP_LOWERING;
		out->items[out->n++] = group;
	}
	p->lanes[best].n_lowering += (uint32_t)out->n;
	return true;
}

static bool
build_next(struct plan *p, struct plan_job *out)
{
	struct list *l = &p->ready;
	size_t best = l->from;

	if (is_empty(l))
		return false;
	for (size_t i = l->from + 1; i < l->n; i++)
		if (p->groups[l->v[i]].expected_s >
			p->groups[l->v[best]].expected_s)
			best = i;
	out->kind = PLAN_BUILD;
	out->items[out->n++] = l->v[best];
	p->groups[l->v[best]].state = GROUP_BUILDING;
	/* Those of equal length stay in their order. */
	memmove(l->v + l->from + 1, l->v + l->from,
		(best - l->from) * sizeof(*l->v));
	l->from++;
	return true;
}

void
plan_next(struct plan *p, int64_t now_ms, struct plan_job *out)
{
	/* Reading waits for disks and networks, building for processors: half
	 * of the slots read as long as there is something to read. */
	bool reads =
		p->n_reading < (p->slots + 1) / 2 && p->n_ahead < PLAN_AHEAD;

	out->kind = PLAN_NONE;
	out->n = 0;
	wake(p, now_ms);
	sort_unread(p);
	if (compare_next(p, false, out) || (reads && read_next(p, out)) ||
		lower_next(p, out) || build_next(p, out) ||
		compare_next(p, true, out))
		return;
	if (p->n_ahead < PLAN_AHEAD)
		read_next(p, out);
}

/* ---- asking ---- */

uint32_t
plan_group(const struct plan *p, uint32_t image)
{
	return p->images[image].group;
}

uint32_t
plan_members(const struct plan *p, uint32_t group, uint32_t after)
{
	return after == PLAN_END ? p->groups[group].first
				 : p->images[after].next;
}

uint32_t
plan_lane(const struct plan *p, uint32_t group)
{
	return p->groups[group].lane;
}

const struct digest *
plan_key(const struct plan *p, uint32_t group)
{
	return &p->groups[group].key;
}

struct plan_count
plan_count(const struct plan *p)
{
	struct plan_count c = {.groups = p->n_groups, .lanes = p->n_lanes};

	for (size_t i = 0; i < p->n_images; i++) {
		const struct image_plan *m = &p->images[i];

		if (m->state == IMAGE_ABSENT)
			continue;
		c.left_ms += (int64_t)m->expected_s * 1000;
		c.unknown += m->expected_s == 0;
	}
	return c;
}
