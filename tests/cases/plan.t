#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a run would do: told, and not done.
. tests/cases/tap.sh

fake=$T/fake out=$T/report
db=$out/unblend.db
mkdir "$T/tmp"
tests/fake/make "$fake" --images 20 --recipes 8 --sets 2 || exit 1
# Files of their own, not names of one.
for f in "$fake"/images/image-*; do
	cp "$f" "$T/one"
	mv "$T/one" "$f"
done
judge() {
	run tests/fake/enter "$fake" env TMPDIR="$T/tmp" timeout -k 5 120 "$UNBLEND" run "$fake/fake.corpus" \
		--trust "$fake/fake.trust" --cache "$T/cache" "$@"
}
told() { sed -n "s/^$1: //p" "$T/out"; }

judge --plan
is "$status" 0 "a plan needs no folder for reports"
is "$(cat "$T/err")" "" "and no complaint"
is "$(told images)/$(told unchanged)/$(told 'to be tried')" 20/0/20 "all is to be tried"
is "$(told 'to be rebuilt')" "20, as 8 recipes of 2 channel sets" "images of one recipe are one"
commits=$(git -C "$fake/srv/channel" log --format=%H | cut -c1-7 | sort | paste -sd' ')
is "$(sed -n 's/^channel set guix@\(.*\):$/\1/p' "$T/out" | sort | paste -sd' ')" "$commits" \
	"and recipes of one channel set are together"
is "$(grep -c '^  [23] images, time not known: image-' "$T/out")" 8 "each recipe has a line"
like "$T/out" '^  3 images, time not known: image-000003, image-000011, image-000019$' "with its images"
like "$T/out" '^expected: not known, since none was tried before, with 1 job$' "nothing is known of the time"
not_ok "nothing is in the cache" [ -e "$T/cache" ]
is "$(ls "$T/tmp")" "" "nothing is left of the reading"

judge -q -o "$out"
is "$status" 1 "after a run"
sqlite3 -batch "$db" "UPDATE attempt SET elapsed_ms = 600000; UPDATE attempt SET elapsed_ms = 3600000
	WHERE sample_id = 3" >/dev/null
sum=$(sqlite3 -batch "$db" .dump | sha256sum)
judge --plan -o "$out" -j 2
is "$(told unchanged)/$(told 'to be tried')" 20/20 "it is known what --changed would leave out"
like "$T/out" '^  image-000006: different in run 1$' "and which verdict would stand"
like "$T/out" '^  3 images, 60 min: image-000003, image-000011, image-000019$' "and how long a recipe took"
# 7 recipes of 10 minutes and one of 60, in two jobs.
is "$(told expected)" "65 min, with 2 jobs" "and how long all will take"
judge --plan -o "$out" -j 8
is "$(told expected)" "60 min, with 8 jobs" "which is no shorter than the longest"
is "$(sqlite3 -batch "$db" .dump | sha256sum)" "$sum" "the database is as it was"

touch "$fake/images/image-000001.tar.gz" "$fake/images/image-000009.tar.gz" "$fake/images/image-000004.tar.gz"
sed -i 's/^ (image (name "image-000002")/ (image (name "far") (source "docker:\/\/registry.example.org\/a:1"))\n&/' "$fake/fake.corpus"
printf 'no image\n' >"$fake/images/image-000020.tar.gz"
judge --plan --changed -d "$db"
is "$(told images)/$(told unchanged)/$(told 'to be tried')" 21/16/5 "with --changed some are not tried" ||
	diag "$(cat "$T/out")"
is "$(told 'known once they are fetched')/$(told 'judged by what is read of them')" 1/1 \
	"what is elsewhere is not fetched, and what is no image needs no rebuild"
is "$(told 'to be rebuilt')" "3, as 2 recipes of 2 channel sets" "the others are rebuilt" ||
	diag "$(cat "$T/out")"

sqlite3 "$db" 'PRAGMA user_version = 99'
judge --plan -o "$out"
is "$status" 2 "a database of a newer version is not read"
done_testing
