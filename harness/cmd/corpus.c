/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/corpora.h"

static bool
source_ok(const char *source, struct buf *why)
{
	struct err e = {0};
	struct ref ref = {0};
	int result = ref_parse(source, NULL, &ref, &e);

	ref_fini(&ref);
	if (result < 0)
		buf_str(why, e.text);
	return result == 0;
}

static bool
verdict_ok(const char *name, struct buf *why)
{
	enum verdict verdict;

	if (verdict_parse(name, &verdict))
		return true;
	buf_printf(why, "'%s' is no verdict:", name);
	for (int v = 0; v < VERDICT_COUNT; v++)
		buf_printf(why, " %s", verdict_name((enum verdict)v));
	return false;
}

bool
corpora_load(int n, char *const files[], struct corpus *out)
{
	static const struct corpus_checks checks = {
		.source = source_ok, .verdict = verdict_ok};
	const char **names = xcalloc((size_t)n, sizeof(*names));
	CLEANUP(buf_fini)
	struct buf mistakes = {0};
	struct err e = {0};
	int result;

	for (int i = 0; i < n; i++)
		names[i] = files[i];
	result = corpus_load(names, (size_t)n, &checks, out, &mistakes, &e);
	free(names);
	if (result < 0) {
		fputs(buf_text(&mistakes), stderr);
		common_complain("%s", e.text);
	}
	return result == 0;
}

static void
list(const struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->n; i++) {
		const struct sample *s = &corpus->v[i];

		printf("%s\t%s\t%s\t", s->collection, s->name, s->source);
		for (size_t t = 0; s->tags && s->tags[t]; t++)
			printf("%s%s", t ? " " : "", s->tags[t]);
		putchar('\n');
	}
}

int
cmd_corpus(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'}, {0}};
	struct corpus corpus = {0};
	const char *verb;
	bool is_ok;

	if (common_option(argc, argv, ":h", longs) != -1)
		return EXIT_WRONG;
	verb = optind < argc ? argv[optind] : "";
	if (strcmp(verb, "check") != 0 && strcmp(verb, "list") != 0)
		return common_usage(argv[0], "expected check or list");
	if (argc - optind < 2)
		return common_usage(argv[0], "no corpus is named");
	is_ok = corpora_load(argc - optind - 1, argv + optind + 1, &corpus);
	if (is_ok && strcmp(verb, "list") == 0)
		list(&corpus);
	else if (is_ok)
		printf("%zu image%s, no mistakes\n", corpus.n,
			corpus.n == 1 ? "" : "s");
	corpus_fini(&corpus);
	return is_ok ? EXIT_ACCEPTED : EXIT_WRONG;
}
