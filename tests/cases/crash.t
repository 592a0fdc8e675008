#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# The real Guix: runs and its daemon are killed at random moments, and the runs
# resumed.  CRASH_WORLD=N kills so many, CRASH_DAEMONS=N daemons among them.
. tests/cases/tap.sh

kills=${CRASH_WORLD:-2} daemons=${CRASH_DAEMONS:-1}
images=$PWD/build/images
{
	echo '(corpus (version 0) (defaults (timeout 300))'
	for name in hello hello-1.0 hello-g1 symlinks tampered noprov truncated untrusted fails; do
		echo "(image (name \"$name\") (source \"$images/$name.tar.gz\"))"
	done
	echo ')'
} >"$T/some.corpus"
run tests/world/enter --throwaway env WARM=yes DAEMONS="$daemons" tests/cases/crash \
	"$T/report" "$kills" 4000 "$UNBLEND" run "$T/some.corpus" --trust corpus/demo.trust \
	--cache "$T/cache" -o "$T/report" -j 2 --retries 6
diag "$(cat "$T/out" "$T/err")"
number() { sed -n "s/^$1=//p" "$T/out"; }
is "$(number kills)/$(number daemons)" "$kills/$daemons" "killed, and resumed"
is "$(number damaged)/$(number survivors)/$(number unexpected)" 0/0/0 \
	"the database is whole each time, and no worker goes on"
is "$(number different)" 0 "in the end it is as that of a run that nobody disturbed" ||
	diag "$(tail -n 60 "$T/report.log")"
# In memory, names come in another order than where the images were packed.
is "$(sed -n 's/^attempt|1|[0-9]*|\([a-z-]*\)|.*/\1/p' "$T/report.same" | sed 's/^same-contents$/identical/' | paste -sd' ')" \
	"identical identical identical identical different no-provenance unreadable refused unbuildable" \
	"which has the verdicts that it should"
done_testing
