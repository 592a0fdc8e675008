#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# What stays of the Guix of each set of channels, and how it goes.
. tests/cases/tap.sh

images=$PWD/build/images cache=$T/cache
cat >"$T/x.corpus" <<END
(corpus (version 0)
 (image (name "hello") (source "$images/hello.tar.gz"))
 (image (name "hello-g1") (source "$images/hello-g1.tar.gz")))
END
rebuild() {
	run tests/world/enter "$UNBLEND" run -q -o "$T/report" --trust corpus/demo.trust \
		--cache "$cache" "$T/x.corpus"
}
lanes() { find "$cache/lanes" -mindepth 1 -maxdepth 1 | wc -l; }
rebuild
is "$status" 0 "two images, of two sets of channels"
is "$(lanes) $(find "$cache"/lanes/*/home/roots -type l | wc -l)" "2 2" "each has a root for its Guix"
is "$(find "$cache/lanes" -name .git)" "" "no clone of a channel stays beside the mirrors"

run "$UNBLEND" gc --cache "$cache"
is "$status $(lanes)" "0 2" "gc leaves what was used"
like "$T/out" '^Guix of channels, removed: 0, stays: 2$' "and says so"
old=$(find "$cache/lanes" -mindepth 1 -maxdepth 1 | head -n 1)
touch -d '31 days ago' "$old/used"
run flock --shared "$old/used" "$UNBLEND" gc --cache "$cache"
is "$status $(lanes)" "0 2" "what was not used for a month stays while it is in use"
like "$T/out" '^in use, else they would go: 1$' "which is told"
run "$UNBLEND" gc --cache "$cache" --dry-run
like "$T/out" '^Guix of channels, would go: 1, stays: 1$' "else it would go"
ok "but is there" test -d "$old"
run "$UNBLEND" gc --cache "$cache"
is "$status $(lanes)" "0 1" "and goes"
not_ok "with its root" test -e "$old"

rebuild
is "$status $(lanes)" "0 2" "it is made anew when it is wanted"
touch -d '31 days ago' "$old/used"
rebuild
is "$(find "$old/used" -mtime -1 | wc -l)" 1 "a rebuild that finds it uses it"
run "$UNBLEND" gc --cache "$cache" --all
is "$status $(lanes)" "0 0" "gc --all leaves none"
done_testing
