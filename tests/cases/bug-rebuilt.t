#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# Bug reports on images that the real Guix made again.
. tests/cases/tap.sh

# hello with 30 files added outside the store, well formed.
mkdir "$T/d"
tar -xzf build/images/hello.tar.gz -C "$T/d"
layer=$(cd "$T/d" && echo ./*/layer.tar)
old=$(sha256sum <"$T/d/$layer")
mkdir "$T/d/etc"
i=9
while [ "$i" -lt 39 ]; do
	i=$((i + 1))
	echo "$i" >"$T/d/etc/file$i"
done
tar --mtime=@1 --owner=0 --group=0 -C "$T/d" -rf "$T/d/$layer" etc
rm -r "$T/d/etc"
new=$(sha256sum <"$T/d/$layer")
sed -i "s/${old%% *}/${new%% *}/" "$T/d/config.json"
tar -C "$T/d" -czf "$T/more.tar.gz" .
cat >"$T/x.corpus" <<END
(corpus (version 0)
 (image (name "more") (source "more.tar.gz"))
 (image (name "fails") (source "$PWD/build/images/fails.tar.gz")))
END
run tests/world/enter "$UNBLEND" run -q -o "$T/report" --trust corpus/demo.trust \
	--mirror git://127.0.0.1/guix=file:///srv/channels/guix --cache "$T/cache" "$T/x.corpus"
is "$status" 1 "a run"

run "$UNBLEND" bug -d "$T/report/unblend.db" more
is "$status" 0 "bug"
is "$(head -n 1 "$T/out")" "# more: different" "the verdict"
like "$T/out" '^- Guix: [0-9a-f.]+' "the version of Guix"
like "$T/out" "^- file system of the store: [a-z0-9]+$" "the store's file system"
sed -n 's/^## Differences: \([0-9]*\)$/\1/p' "$T/out" >"$T/count"
is "$(sed -n '/^## Differences/,/^## All/p' "$T/out" | grep -c '^    etc.*only-in-image')" 20 "20 differences in short"
is "$(sed -n '/^## All/,$p' "$T/out" | grep -c '^    ')" "$(cat "$T/count")" "and then all of them"
is "$(sed -n '/^## All/,$p' "$T/out" | grep -c '^    etc/file.*only-in-image')" 30 "which are those that were made"

# The recipe in the text is the recipe.
"$UNBLEND" recipe --channels build/images/hello.channels.scm -o "$T/again" build/images/hello.tar.gz >"$T/null"
sed -n '/^manifest.scm:/,/^With these/s/^    //p' "$T/out" | grep -v '^$' >"$T/manifest"
grep -v '^$' "$T/again/manifest.scm" >"$T/expected"
same "$T/manifest" "$T/expected" "the manifest is in it"
like "$T/out" '^    guix time-machine -C .*channels\.scm -- pack .*-m .*manifest\.scm$' "and the command"

run "$UNBLEND" bug -d "$T/report/unblend.db" -o "$T/bug.md" more
is "$status" 0 "with -o"
is "$(cat "$T/out")" "$T/bug.md
$T/bug.md.differences" "the files are named"
like "$T/bug.md" 'in the file bug\.md\.differences\.$' "the text names what is attached"
is "$(wc -l <"$T/bug.md.differences")" "$(cat "$T/count")" "which has all of them"

run "$UNBLEND" bug -d "$T/report/unblend.db" fails
is "$(head -n 1 "$T/out")" "# fails: unbuildable" "one that cannot be built"
like "$T/out" '^- the first derivation that failed: /gnu/store/.*-picky-.*\.drv$' "the derivation that failed"
like "$T/out" '^Its last words:$' "and its log"
done_testing
