/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/attr.h"
#include "compare/compare.h"

static const struct {
	const char *name, *sentence;
	enum verdict_junit junit;
} verdicts[] = {
#define VERDICT(symbol, name, junit, sentence) \
	[VERDICT_##symbol] = {name, sentence, JUNIT_##junit},
#include "compare/verdict.def"
#undef VERDICT
};

const char *
verdict_name(enum verdict v)
{
	return verdicts[v].name;
}

const char *
verdict_sentence(enum verdict v)
{
	return verdicts[v].sentence;
}

enum verdict_junit
verdict_junit(enum verdict v)
{
	return verdicts[v].junit;
}

bool
verdict_parse(const char *name, enum verdict *out)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		if (strcmp(verdicts[i].name, name) == 0) {
			*out = (enum verdict)i;
			return true;
		}
	}
	return false;
}

bool
verdict_reaches(enum verdict v, enum verdict line)
{
	return v <= line;
}
