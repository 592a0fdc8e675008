#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line: help, exit statuses, complaints.
. tests/cases/tap.sh

run "$UNBLEND"
is "$status" 2 "no command is wrong"
like "$T/err" 'usage: unblend COMMAND' "and tells the usage"

run "$UNBLEND" --version
is "$status" 0 "--version"
like "$T/out" '^unblend [0-9]+\.[0-9]+\.[0-9]+$' "prints one line"

for command in run inspect recipe repack compare report bug corpus gc doctor; do
	run "$UNBLEND" "$command" --help
	is "$status" 0 "$command --help"
	like "$T/out" '^example: unblend ' "has an example"
done

# Limits: the manual has what the program has.
for command in run inspect recipe repack compare; do
	"$UNBLEND" "$command" --help >"$T/help"
	sed -n '/^limits:/,/^$/s/^ \{8\}\([a-z-]*\) *\([0-9A-Z]*\) .*/\1 \2/p' "$T/help" >"$T/limits"
	sed -n 's/^\.It Cm \([a-z-]*\) Pq \([0-9]*[KMGT]*\)$/\1 \2/p' harness/cmd/unblend.1 >"$T/manual"
	same "$T/limits" "$T/manual" "$command --help and the manual tell of the same limits"
done
ok "which are more than a dozen" test "$(wc -l <"$T/limits")" -gt 12
run "$UNBLEND" gc --help
unlike "$T/out" '^limits:' "a command that reads no image has none"
run "$UNBLEND" inspect --limit colour=1 x
is "$status" 2 "a limit that there is not is wrong"
like "$T/err" "there is no limit 'colour'" "and is named"
run "$UNBLEND" inspect --limit entries=many x
is "$status" 2 "a limit takes a number"
like "$T/err" 'entries= takes a number from 1' "and says so"

run "$UNBLEND" nonsense
is "$status" 2 "an unknown command is wrong"
run "$UNBLEND" inspect --nonsense x
is "$status" 2 "an unknown option is wrong"
like "$T/err" "cannot take the option '--nonsense'" "and is named"
run "$UNBLEND" run -o
is "$status" 2 "an option without its value is wrong"
run "$UNBLEND" run x.corpus
is "$status" 2 "run needs -o"
run "$UNBLEND" run -o "$T/r" --accept good x.corpus
is "$status" 2 "--accept needs a verdict"
like "$T/err" 'those are: identical, same-image, ' "and lists them"
run "$UNBLEND" run -o "$T/r" -j 0 x.corpus
is "$status" 2 "-j needs a number from 1"

run "$UNBLEND" inspect "$T/absent.tar"
is "$status" 2 "a file that is not there is wrong"
like "$T/err" 'absent\.tar' "and is named"
run "$UNBLEND" inspect nonsense:x
is "$status" 2 "a transport that is not known is wrong"
echo 'no image' >"$T/text"
run "$UNBLEND" inspect "$T/text"
is "$status" 2 "a file that is no image is wrong"

printf '(corpus (version 0)\n (image (name "a")\n  (source "x") (colour red)))\n' >"$T/bad.corpus"
run "$UNBLEND" corpus check "$T/bad.corpus"
is "$status" 2 "a corpus with a mistake is wrong"
is "$(head -n 1 "$T/err")" "$T/bad.corpus:3:16: unknown field 'colour' in image" \
	"the mistake has file, line and column"
run "$UNBLEND" run -o "$T/r" "$T/bad.corpus"
is "$status" 2 "run refuses it"
not_ok "and makes no report" test -e "$T/r/index.html"

printf '(corpus (version 0)\n (image (name "a") (source "docker-archive:x") (tags t u)))\n' >"$T/good.corpus"
run "$UNBLEND" corpus check "$T/good.corpus"
is "$status" 0 "a corpus without mistakes"
run "$UNBLEND" corpus list "$T/good.corpus"
is "$(cat "$T/out")" "$(printf 'good\ta\tdocker-archive:x\tt u')" "is listed"

run "$UNBLEND" report -d "$T/absent.db" -o "$T/r"
is "$status" 2 "a database that is not there is a wrong input"
like "$T/err" 'absent\.db' "is named"
done_testing
