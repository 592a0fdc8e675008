#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The folder of what was fetched: gc keeps it small, doctor --verify finds what
# the disk has changed.
. tests/cases/tap.sh

cache=$T/cache
oci=$cache/oci
mkdir -p "$oci/blobs/sha256" "$oci/part" "$oci/bad"

# blob TEXT DAYS: a blob of that text, last used so many days ago; $blob is its name.
blob() {
	blob=$(printf '%s' "$1" | sha256sum | cut -d' ' -f1)
	printf '%s' "$1" >"$oci/blobs/sha256/$blob"
	touch -d "$2 days ago" "$oci/blobs/sha256/$blob"
}
blob oldest 3 && old=$blob
blob middle 2 && middle=$blob
blob newest 1 && new=$blob
there() { [ -e "$oci/blobs/sha256/$1" ]; }

run "$UNBLEND" gc --cache "$cache" --limit 12 --dry-run
is "$status" 0 "gc --dry-run"
like "$T/out" "^would go sha256:$old  6 bytes, last used " "names what would go"
like "$T/out" '^would go: 1, 6 bytes$' "and counts it"
ok "but leaves it" there "$old"
run "$UNBLEND" gc --cache "$cache" --limit 12
is "$status" 0 "gc --limit"
like "$T/out" "^removed sha256:$old  6 bytes, last used $(date -u -d '3 days ago' +%Y-%m-)" \
	"the least recently used goes first"
is "$(tail -n 2 "$T/out")" "$(printf 'removed: 1, 6 bytes\nstays: 2, 12 bytes')" \
	"what went and what stays is counted in bytes"
not_ok "what went is gone" there "$old"
ok "the rest is there" there "$middle"

echo half >"$oci/part/$old"
echo half >"$oci/part/$middle"
echo half >"$oci/part/new.abcdef"
touch -d '8 days ago' "$oci/part/$old" "$oci/part/$middle"
run flock "$oci/part/$middle" "$UNBLEND" gc --cache "$cache"
like "$T/out" "^in use part/$middle " "a partial that is being written stays"
like "$T/out" "^removed part/$old " "an old one goes"
like "$T/out" "^removed part/new.abcdef " "one that cannot be resumed, too"
is "$(ls "$oci/part")" "$middle" "only that one is left"
ok "blobs below the limit stay" there "$new"

run "$UNBLEND" doctor --verify --cache "$cache"
is "$status" 0 "doctor --verify of a good folder"
like "$T/out" '^2 blobs of 12 bytes were hashed\.$' "hashes every blob"
printf 'Newest' >"$oci/blobs/sha256/$new"
run "$UNBLEND" doctor --verify --cache "$cache"
is "$status" 3 "of one with a damaged blob"
like "$T/out" "^BAD  sha256:$new  6 bytes$" "names it"
not_ok "it is not read again" there "$new"
ok "but there to look at" test -e "$oci/bad/$new"
ok "the others stay" there "$middle"
run "$UNBLEND" doctor --verify --cache "$cache"
is "$status" 0 "after that the folder is good"

run "$UNBLEND" gc --cache "$cache" --all
is "$status" 0 "gc --all"
is "$(find "$oci/blobs/sha256" "$oci/bad" "$oci/part" -mindepth 1 | wc -l)" 0 "leaves nothing"

for limit in 12X '' -1 1.5G 99999999999999999999 99999999999T; do
	run "$UNBLEND" gc --cache "$cache" --limit "$limit"
	is "$status" 2 "'$limit' is no size"
done
for limit in 0 1 20K 1T none; do
	run "$UNBLEND" gc --cache "$cache" --limit "$limit"
	is "$status" 0 "'$limit' is one"
done
run "$UNBLEND" gc --cache "$cache" --limit 1G --all
is "$status" 2 "--all and --limit contradict each other"
run "$UNBLEND" gc --cache "$cache" x
is "$status" 2 "gc takes no argument"

: >"$T/file"
run "$UNBLEND" gc --cache "$T/file"
is "$status" 3 "a folder that cannot be made is the machine's failure"
like "$T/err" 'the blob folder: .*file: is no folder' "and is named"
done_testing
