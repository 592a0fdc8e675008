/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipe/variants.h"

#include <string.h>

#include "base/buf.h"
#include "recipe/parts.h"

enum {
	GRAFTS = 1,
	WRAPPER = 2,
	TARGET = 4,
	CHANGES = 8, /* sets of them */

	LINKS_MAX = 64 /* -S options whose order is looked at */
};

static const char no_grafts[] = "--no-grafts";
static const char relocatable[] = "--relocatable";
static const char link_option[] = "--symlink=";
static const char system_option[] = "--system=";

/* Where `guix pack --target' leads to an image of the same architecture. */
static const char *const targets[][2] = {
	{"aarch64-linux", "aarch64-linux-gnu"},
	{"armhf-linux", "arm-linux-gnueabihf"},
	{"i686-linux", "i686-linux-gnu"},
	{"powerpc64le-linux", "powerpc64le-linux-gnu"},
	{"riscv64-linux", "riscv64-linux-gnu"},
};

/* One recipe in the making of its variants. */
struct maker {
	const struct recipe *r;
	struct arena *a;
	struct variant *v;
	size_t n;
	size_t links[LINKS_MAX]; /* which options are -S */
	size_t n_links;
};

static size_t
count(const struct recipe *r, const char *option)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_options; i++)
		n += strcmp(r->options[i], option) == 0;
	return n;
}

/* "--target=..." of the system in the options, NULL when there is none. */
static const char *
target_of(const struct recipe *r)
{
	for (size_t i = 0; i < r->n_options; i++) {
		const char *o = r->options[i];

		if (!slice_starts(slice_of(o), system_option))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(targets); k++)
			if (strcmp(o + strlen(system_option), targets[k][0]) ==
				0)
				return targets[k][1];
	}
	return NULL;
}

static bool
can_change(const struct recipe *r, unsigned change)
{
	if (change == WRAPPER)
		return count(r, relocatable) > 0;
	if (change == TARGET)
		return target_of(r) != NULL;
	return true;
}

static void
say(struct buf *label, const char *text)
{
	buf_printf(label, "%s%s", label->n ? ", " : "", text);
}

/* The options with those changes; the -S among them in the order of places. */
static void
make_options(const struct maker *m, unsigned changes, const size_t *places,
	struct words *out, struct buf *label)
{
	const struct recipe *r = m->r;
	const char *target = target_of(r);
	size_t n_wrapped = count(r, relocatable), links = 0;
	bool has_no_grafts = count(r, no_grafts) > 0;

	for (size_t i = 0; i < r->n_options; i++) {
		const char *o = r->options[i];

		if (changes & GRAFTS && strcmp(o, no_grafts) == 0)
			continue;
		if (changes & WRAPPER && strcmp(o, relocatable) == 0)
			continue;
		if (changes & TARGET &&
			slice_starts(slice_of(o), system_option)) {
			CLEANUP(own_free)
			char *word = xasprintf("--target=%s", target);

			words_add(out, word);
			say(label, word);
			continue;
		}
		if (links < m->n_links && i == m->links[links])
			o = r->options[m->links[places[links++]]];
		words_add(out, o);
	}
	if (changes & WRAPPER) {
		words_add(out, relocatable);
		if (n_wrapped == 1)
			words_add(out, relocatable);
		say(label, n_wrapped == 1 ? "-RR, not -R" : "-R, not -RR");
	}
	if (changes & GRAFTS) {
		if (!has_no_grafts)
			words_add(out, no_grafts);
		say(label, has_no_grafts ? "grafts" : no_grafts);
	}
}

static void
say_order(const struct maker *m, const size_t *places, struct buf *label)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (places[i] != i) {
			say(label, "the --symlink options in another order");
			buf_printf(label, ", %s first",
				m->r->options[m->links[places[0]]] +
					strlen(link_option));
			return;
		}
}

static void
add(struct maker *m, unsigned changes, const size_t *places)
{
	CLEANUP(words_fini)
	struct words options = {.arena = m->a};
	CLEANUP(buf_fini)
	struct buf label = {0};
	struct variant *v;

	if (m->n == VARIANTS_MAX)
		return;
	for (unsigned c = 1; c < CHANGES; c <<= 1)
		if (changes & c && !can_change(m->r, c))
			return;
	make_options(m, changes, places, &options, &label);
	say_order(m, places, &label);
	v = &m->v[m->n++];
	v->label = arena_copy(m->a, buf_text(&label), label.n);
	v->overrules = changes & GRAFTS ? "grafts are on"
		: changes & WRAPPER     ? "-R"
		: changes & TARGET      ? "--system="
					: NULL;
	v->n_options = options.n;
	v->options = words_take(&options);
}

/* Every order of the places from at on but the one they are in. */
static void
permute(struct maker *m, unsigned changes, size_t *places, size_t at)
{
	bool is_same = true;

	for (size_t i = 0; i < m->n_links; i++)
		is_same = is_same && places[i] == i;
	if (at == m->n_links) {
		if (!is_same)
			add(m, changes, places);
		return;
	}
	for (size_t i = at; i < m->n_links; i++) {
		size_t place = places[i];

		places[i] = places[at];
		places[at] = place;
		permute(m, changes, places, at + 1);
		places[at] = places[i];
		places[i] = place;
	}
}

static void
add_orders(struct maker *m, unsigned changes)
{
	size_t places[LINKS_MAX];

	for (size_t i = 0; i < m->n_links; i++)
		places[i] = m->n_links <= VARIANTS_LINKS_ALL
			? i
			: m->n_links - 1 - i;
	if (m->n_links > VARIANTS_LINKS_ALL)
		add(m, changes, places);
	else if (m->n_links > 1)
		permute(m, changes, places, 0);
}

size_t
recipe_variants(
	const struct recipe *r, struct arena *a, const struct variant **out)
{
	struct maker m = {.r = r, .a = a};
	size_t places[LINKS_MAX];

	m.v = arena_alloc(a, VARIANTS_MAX * sizeof(*m.v));
	for (size_t i = 0; i < r->n_options && m.n_links < LINKS_MAX; i++)
		if (slice_starts(slice_of(r->options[i]), link_option)) {
			places[m.n_links] = m.n_links;
			m.links[m.n_links++] = i;
		}
	for (unsigned changes = 1; changes < CHANGES; changes++)
		add(&m, changes, places);
	add_orders(&m, 0);
	add_orders(&m, GRAFTS);
	*out = m.v;
	return m.n;
}

void
recipe_take(struct recipe *r, const struct variant *v)
{
	CLEANUP(words_fini)
	struct words options = {.arena = &r->arena};
	CLEANUP(words_fini)
	struct words guessed = {.arena = &r->arena};

	for (size_t i = 0; i < v->n_options; i++)
		words_add(&options, v->options[i]);
	for (size_t i = 0; i < r->n_guessed; i++)
		if (!v->overrules ||
			!slice_starts(slice_of(r->guessed[i]), v->overrules))
			words_add(&guessed, r->guessed[i]);
	words_say(&guessed,
		"%s: no image records this; it was taken since it alone leads "
		"to what the image holds",
		v->label);
	r->n_options = options.n;
	r->options = words_take(&options);
	r->n_guessed = guessed.n;
	r->guessed = words_take(&guessed);
	r->id = recipe_id(r);
}
