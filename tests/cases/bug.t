#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Bug reports on images that were not rebuilt; bug-rebuilt.t has the others.
. tests/cases/tap.sh

esc=$(printf '\033')
mkdir "$T/a" "$T/a/layer" "$T/out.d"
item=gnu/store/00000000000000000000000000000000-profile
mkdir -p "$T/a/layer/$item"
# A manifest without provenance, a name in it that a terminal would obey.
printf '(manifest (version 4) (packages (("hello" "1" "out" "/gnu/store/x-hello-1") ("\\x1b[31mred" "2" "doc" "/gnu/store/x-red-2"))))' \
	>"$T/a/layer/$item/manifest"
tar -C "$T/a/layer" -cf "$T/a/layer.tar" gnu
sum=$(sha256sum <"$T/a/layer.tar")
printf '{"architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"config":{}}' \
	"${sum%% *}" >"$T/a/config.json"
printf '[{"Config":"config.json","RepoTags":["x:y"],"Layers":["layer.tar"]}]' >"$T/a/manifest.json"
tar -C "$T/a" -cf "$T/bare.tar" config.json manifest.json layer.tar
echo 'no image' >"$T/text"
cat >"$T/x.corpus" <<'END'
(corpus (version 0)
 (image (name "text") (source "text"))
 (image (name "bare") (source "bare.tar")))
END
run "$UNBLEND" run -q -o "$T/out.d" -d "$T/db" "$T/x.corpus"
is "$status" 1 "a run"

run "$UNBLEND" bug -d "$T/db" bare
is "$status" 0 "bug"
is "$(head -n 1 "$T/out")" "# bare: no-provenance" "begins with name and verdict"
like "$T/out" '^Nothing in the image says how to rebuild it\.$' "the verdict is said in words"
like "$T/out" "^- its sha256: $(sha256sum <"$T/bare.tar" | cut -d' ' -f1)$" "the image's digest"
like "$T/out" "^- kernel: Linux $(uname -r) $(uname -m)$" "the machine's kernel"
like "$T/out" '^    hello@1:out /gnu/store/x-hello-1$' "the packages"
like "$T/out" '^    #x1B\[31mred@2:doc' "what a terminal would obey is shown"
unlike "$T/out" "$esc" "and not sent to it"
like "$T/out" '^- not known: none of the 2 packages' "what is not known"
unlike "$T/out" '^## (Differences|To repeat it|What was done)' "nothing of what was not done"

run "$UNBLEND" bug -d "$T/db" -o "$T/bug.md" text
is "$status" 0 "into a file"
is "$(cat "$T/out")" "$T/bug.md" "which is named"
is "$(head -n 1 "$T/bug.md")" "# text: unreadable" "and holds the report"
not_ok "nothing is attached where there is nothing more" test -e "$T/bug.md.differences"
is "$(find "$T" -name 'bug.md*' | wc -l)" 1 "and nothing else stays"

run "$UNBLEND" bug -d "$T/db" nonsense
is "$status" 2 "no such image"
like "$T/err" "run 1 has no image named 'nonsense'" "is said"
run "$UNBLEND" bug -d "$T/db" --run 7 text
is "$status" 2 "no such run"
run "$UNBLEND" bug text
is "$status" 2 "-d is needed"
done_testing
