#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# What is left of rebuilds: nothing, or what --keep says; roots hold what was
# built as long as the run goes on, and no longer.
. tests/cases/tap.sh

images=$PWD/build/images
cat >"$T/three.corpus" <<END
(corpus (version 0)
 (image (name "../o d/d") (source "$images/hello.tar.gz"))
 (image (name "rpm") (source "$images/rpm.rpm"))
 (image (name "wanted") (source "$images/fails.tar.gz") (expect unbuildable))
 (image (name "fails") (source "$images/fails.tar.gz")))
END
cat >"$T/hangs.corpus" <<END
(corpus (version 0)
 (image (name "hello") (source "$images/hello.tar.gz"))
 (image (name "hangs") (source "$images/hangs.tar.gz") (silence 5)))
END

cat >"$T/inside" <<'END'
judge() {	# NAME CORPUS OPTION...
	name=$1 corpus=$2
	shift 2
	"$UNBLEND" run "$T/$corpus" -o "$T/$name" --cache "$T/cache" -q -j2 \
		--trust corpus/demo.trust "$@" >"$T/$name.out" 2>"$T/$name.err"
}
judge nothing three.corpus
judge failed three.corpus --keep failed
judge all three.corpus --keep all
built=$(sqlite3 "$T/all/unblend.db" "SELECT output FROM rebuild
	JOIN sample ON sample.id = sample_id WHERE name = 'rpm'")
sqlite3 "$T/all/unblend.db" "SELECT path FROM rebuild" >"$T/all.paths" 2>&1

judge roots hangs.corpus &
tries=0
until [ -L "$T"/roots/unblend.db.work/r-*/roots/output ] || [ "$tries" = 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
path=$(readlink "$T"/roots/unblend.db.work/r-*/roots/output)
guix gc -D "$path" >"$T/held" 2>&1
wait $!
guix gc -D "$path" >"$T/released" 2>&1
echo "$?" >>"$T/released"
[ -e "$path" ] || echo gone >>"$T/released"
END
run tests/world/enter env T="$T" UNBLEND="$UNBLEND" sh "$T/inside"
diag "$(cat "$T/out" "$T/err")"

not_ok "nothing is kept" [ -e "$T/nothing/kept" ]
not_ok "nor are folders of jobs" [ -e "$T/nothing/unblend.db.work" ]
is "$(ls "$T/failed/kept")" fails "failed are those that do not pass"
is "$(ls "$T/all/kept")" "%2E.%2Fo%20d%2Fd
fails
rpm
wanted" "all are all, and no name leads out of the folder"
is "$(ls "$T/failed/kept/fails")" "channels.scm
guix.log
manifest.scm" "the log and the recipe are kept of what was not built"
like "$T/failed/kept/fails/guix.log" 'the test suite wants three cores' \
	"the log of the build is in it"
is "$(ls "$T/all/kept/rpm")" "channels.scm
guix.log
hello-rpm-pack.rpm
manifest.scm" "and a copy of what was built"
is "$(sha256sum <"$T/all/kept/%2E.%2Fo%20d%2Fd/hello-docker-pack.tar.gz")" \
	"$(sha256sum <"$images/hello.tar.gz")" "byte for byte"
like "$T/held" 'still alive' "a root holds what was built during the run"
is "$(tail -n 2 "$T/released")" "0
gone" "and none after it"

run "$UNBLEND" run "$T/three.corpus" -o "$T/no" --keep some
is "$status" 2 "what is kept is one of three"
done_testing
