#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that is nearly full: no job begins until there is room again, and where
# nobody makes room the run ends, to be resumed.
. tests/cases/tap.sh

echo 'no image' >"$T/a.tar"
cp "$T/a.tar" "$T/b.tar"
echo '(corpus (version 0) (image (name "a") (source "a.tar")) (image (name "b") (source "b.tar")))' \
	>"$T/two.corpus"

cat >"$T/inside" <<'END'
mkdir "$T/disk"
mount -t tmpfs -o size=8m none "$T/disk" || exit 99
head -c 6m /dev/zero >"$T/disk/ballast" || exit 98
unblend() { "$UNBLEND" run "$T/two.corpus" -o "$T/report" --cache "$T/disk" "$@"; }
unblend --low-water 4M --json-events 3 3>"$T/events" >"$T/out.1" 2>"$T/err.1" &
tries=0
until grep -q paused "$T/err.1" || [ "$tries" = 200 ]; do
	sleep 0.05
	tries=$((tries + 1))
done
sqlite3 -batch "$T/report/unblend.db" 'SELECT count(*) FROM attempt' >"$T/judged.1"
rm "$T/disk/ballast"
wait $!
echo "$?" >"$T/status.1"

head -c 6m /dev/zero >"$T/disk/ballast"
unblend --low-water 4M --silence 1 >"$T/out.2" 2>"$T/err.2"
echo "$?" >"$T/status.2"
unblend --low-water 1M --silence 1 --resume >"$T/out.3" 2>"$T/err.3"
echo "$?" >"$T/status.3"
END
run unshare -rm env T="$T" UNBLEND="$UNBLEND" sh "$T/inside"
is "$status" 0 "a disk of 8 MB is made"
is "$(cat "$T/judged.1")" 0 "nothing is begun below the mark"
like "$T/err.1" "paused: $T/disk has 2 MiB free, --low-water asks for 4" "which is said"
like "$T/err.1" 'there is room again' "and when it is over"
is "$(cat "$T/status.1")" 1 "then all are judged"
is "$(grep -c unreadable "$T/out.1")" 3 "rightly"
is "$(jq -r 'select(.event == "pause") | .path' "$T/events")" "$T/disk" \
	"programs are told where"
is "$(jq -r 'select(.event == "go-on") | .event' "$T/events")" go-on "and when it goes on"
is "$(cat "$T/status.2")" 3 "where nobody makes room the run ends"
like "$T/err.2" 'nobody makes room' "and says so"
like "$T/err.2" '2 of 2 images have no verdict' "without a verdict on an image"
is "$(cat "$T/status.3")" 1 "it is resumed when there is room"
is "$(grep -c unreadable "$T/out.3")" 3 "with all verdicts"

# Whoever started it may have others, which are none of its business.
run sh -c 'sleep 600 & echo $! >"$0/pid"; exec "$@"' "$T" \
	"$UNBLEND" run "$T/two.corpus" -o "$T/exec" --cache "$T/cache"
is "$status" 1 "it runs where its process has children already"
ok "and leaves them alone" kill "$(cat "$T/pid")"

run "$UNBLEND" run "$T/two.corpus" -o "$T/no" --low-water much
is "$status" 2 "a mark is a size"
done_testing
