#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A run that ends before its end, by whatever it is, goes on where it was: with a
# fake Guix, so that it takes seconds.  CRASH_KILLS=N kills it more often.
. tests/cases/tap.sh

fake=$T/fake out=$T/report
db=$out/unblend.db
kills=${CRASH_KILLS:-8}
mkdir "$T/cache"
tests/fake/make "$fake" --images 24 --recipes 8 --sets 2 || exit 1

# given ARG...: the run.
given() {
	echo "$UNBLEND" run "$fake/fake.corpus" --trust "$fake/fake.trust" \
		--cache "$T/cache" -o "$out" "$@"
}
inside() { tests/fake/enter "$fake" "$@"; }
# shellcheck disable=SC2046 # words, without spaces
judge() { run inside timeout -k 5 120 $(given "$@"); }
sql() { sqlite3 -batch "$db" "$1"; }
whole() { is "$(sql 'PRAGMA integrity_check')" ok "$1"; }
verdicts() { sql "SELECT name || ' ' || verdict FROM judgement WHERE run_id = (SELECT max(id) FROM run) ORDER BY seq"; }
as_expected() { is "$(verdicts)" "$(cat "$fake/expected")" "$1"; }
count() { find "$T/cache" -name calls -exec cat {} + | grep -c "^$1"; }
number() { sed -n "s/^$1=//p" "$T/crash"; }

# begin ARG...: it runs in the background, as $pid, until a build has begun.
# shellcheck disable=SC2046
begin() {
	find "$T/cache" -name 'begun*' -delete
	inside env --default-signal=INT sh -c "echo \$\$ >$T/pid; exec \"\$@\"" sh \
		$(given "$@") >"$T/said" 2>&1 </dev/null &
	job=$!
	await begun
	pid=$(cat "$T/pid")
}
begun() { [ -n "$(find "$T/cache" -name begun)" ]; }
told() { grep -Eq -e "$1" "$T/said"; }
# await CMD...: until it succeeds.
await() {
	tries=0
	until "$@" || [ "$tries" -ge 300 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}
# ended: how it did, and that none of it is left.
ended() {
	status=0
	wait "$job" || status=$?
	nobody "no worker and no Guix is left"
}
# A bwrap that is killed while it starts may leave one behind that waits for it, and
# runs nothing: it does not count.
nobody() {
	ours="^[^ ]*(unblend|sh) .*($fake|$out)"
	tries=0
	while pgrep -f "$ours" >/dev/null && [ "$tries" -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	is "$(pgrep -fa "$ours")" "" "$1"
}
# builds COMMANDS: what the build of a pack does before it answers.
builds() {
	printf 'case "$verb $drv" in build*-pack*) >"$HOME/begun"; %s ;; esac\n' "$1" >"$fake/srv/hook"
}
# kill_at_third: a run of which a lane's third pack is being built.
kill_at_third() {
	cat >"$fake/srv/hook" <<-'END'
	case "$verb $drv" in build*-pack*)
		[ "$(grep -c "^build.*-pack" "$HOME/calls")" -lt 3 ] || { : >"$HOME/begun"; sleep 600; } ;;
	esac
	END
	begin
	kill -KILL "$pid"
	ended
	rm -f "$fake/srv/hook"
}
packs='build .*-pack'

# --- killed, at random ----------------------------------------------------------
# shellcheck disable=SC2046
inside tests/cases/crash "$out" "$kills" 700 $(given -j 3) >"$T/crash" 2>&1
diag "$(cat "$T/crash")"
is "$(number kills)" "$kills" "killed $kills times, and resumed"
is "$(number damaged)/$(number survivors)/$(number unexpected)" 0/0/0 \
	"the database is whole each time, and no worker goes on"
is "$(number different)" 0 "in the end it is as that of a run that nobody disturbed" ||
	diag "$(tail -n 30 "$out.log")"
like "$out.same" '^attempt\|1\|24\|unbuildable\|' "which has a verdict on each image"
most=$((8 * ($(number ends) + 1) + 3 * kills))
ok "what was built is not built again, but for what was under way" \
	[ "$(count "$packs")" -le "$most" ]

# --- killed, with a build under way -------------------------------------------------
rm -rf "$out" "$T/cache"/*
builds 'sleep 600'
begin
# Of a writer that is there yet.
judge
is "$status" 3 "another run with the same database does not begin"
like "$T/err" "^unblend: another unblend run \(pid $pid\) writes to $db\$" "and says why"
run "$UNBLEND" report -d "$db" -o "$T/early"
is "$status" 0 "a report can be made of it"
is "$(jq -r '[.images[] | select(.verdict == null)] | length' "$T/early/report.json")" 24 \
	"and says that nothing is judged yet"
kill -KILL "$pid"
ended
whole "the database of a killed run is whole"
is "$(sql 'SELECT count(*), count(ended_s) FROM run')" "1|0" "and its run has not ended"

# What is not the same is told, and nothing is done.
differs() { # ERE ARG...
	ere=$1
	shift
	judge --resume "$@"
	is "$status" 2 "a run of other options is not resumed: $*"
	like "$T/err" "^unblend: run 1 cannot be resumed, for $ere; without --resume a run of its own begins\$" \
		"and it says what is not the same"
}
differs 'it accepts same-contents, and this identical' --accept identical
differs 'its depth is pack, and not recipe' --depth recipe --accept same-contents
differs "it had 'timeout 3600', this has 'timeout 5'" --timeout 5
differs "it had 'no more mirrors', this has 'mirror https://a.example.org/=https://b.example.org/'" \
	--mirror https://a.example.org/=https://b.example.org/
differs "it had 'limit layers 4096', this has 'limit layers 12'" --limit layers=12
differs "it has 'image-000001' \(images/image-000001.tar.gz\), where this has 'image-000010' \(.*" \
	--only '*1?'
differs "it has 'image-000010', and this has not" --only '*0?'
cp "$fake/fake.corpus" "$T/kept"
sed -i 's/(source "images\/image-000003/(timeout 77) &/' "$fake/fake.corpus"
differs "what the corpus says of 'image-000003' has changed since"
cp "$T/kept" "$fake/fake.corpus"
rm -f "$fake/srv/hook"

before=$(count "$packs")
judge --resume -j 3
is "$status" 1 "it is resumed, with another number of jobs"
as_expected "and judges all"
is "$(sql 'SELECT count(*), count(ended_s) FROM run')" "1|1" "as one run, which has ended"
is "$(count "$packs")" $((before + 8)) "and each recipe built once more, but for the one that was lost"
is "$(sql 'SELECT count(*) FROM attempt')" 24 "each image was tried once"
whole "the database is whole"
not_ok "and nothing of its jobs is left" [ -e "$db.work" ]
rm -rf "$out/index.html"
judge --resume
is "$status" 1 "one that has ended is not resumed"
like "$T/err" '^unblend: run 1 had ended: nothing to resume$' "which is told"
ok "and its reports are written again" [ -s "$out/index.html" ]
is "$(sql 'SELECT count(*) FROM run')" 1 "and no run begins"
sed -i 's/image-000024"/image-000025"/' "$fake/fake.corpus"
judge --resume
is "$status" 2 "nor does one for another corpus"
cp "$T/kept" "$fake/fake.corpus"

# --- the machine went down ----------------------------------------------------------
rm -rf "$out"
kill_at_third
echo 00000000-0000-0000-0000-000000000000 >"$db.work/boot"
# Blocks of files that were never written: none of it may be believed.
for f in "$db".work/*/spool "$db".work/*/rebuilt "$db".work/*/request; do
	[ ! -e "$f" ] || : >"$f"
done
judge --resume
is "$status" 1 "what another start of the machine left is not gone on with"
as_expected "and all is judged"

# --- told to end ------------------------------------------------------------------
rm -rf "$out" "$T/cache"/*
builds 'sleep 1'
begin -j 2
kill -INT "$pid"
ended
is "$status" 3 "SIGINT ends a run"
like "$T/said" '^unblend: no new jobs; once more to end those that run$' "which says what it does"
like "$T/said" '^unblend: stopped: [0-9]+ of 24 images have no verdict; --resume goes on with them$' \
	"and what it has not done"
ok "the reports are written" [ -s "$out/junit.xml" ]
ok "what ran was finished" [ "$(find "$db".work -name rebuilt | wc -l)" -gt 0 ]
ok "and nothing else was begun" [ "$(count "$packs")" -le 2 ]
whole "the database is whole"
rm -f "$fake/srv/hook"
judge --resume -j 2
is "$status/$(count "$packs")" 1/8 "resumed, it builds what was not built, and nothing twice"
as_expected "and judges all"

# --- killed, with some judged -------------------------------------------------------
rm -rf "$out" "$T/cache"/*
echo 'no image' >"$fake/images/text"
sed -i 's/^ (image (name "image-000001").*/&\n (image (name "text-1") (source "images\/text"))\n (image (name "text-2") (source "images\/text"))/' \
	"$fake/fake.corpus"
kill_at_third
sql 'SELECT * FROM attempt ORDER BY sample_id' >"$T/judged"
ok "some were judged when it was killed ($(wc -l <"$T/judged"))" [ -s "$T/judged" ]
judge --resume --json-events 3 3>"$T/events"
is "$(verdicts)" "$(sed '1a text-1 unreadable\ntext-2 unreadable' "$fake/expected")" "resumed, it judges the others"
is "$(jq -r 'select(.event == "run-begin") | .done' "$T/events")" "$(wc -l <"$T/judged")" "which it tells"
is "$(sql "SELECT * FROM attempt ORDER BY sample_id" | grep -cxFf "$T/judged")" "$(wc -l <"$T/judged")" \
	"and what was judged is as it was"
is "$(jq -r 'select(.event == "verdict") | .image' "$T/events" | sort -u | wc -l)" $((26 - $(wc -l <"$T/judged"))) \
	"none of it was tried again"
cp "$T/kept" "$fake/fake.corpus"

rm -rf "$out"
builds 'sleep 600'
begin
kill -TERM "$pid"
await told 'no new jobs'
kill -INT "$pid"
await told 'ending'
started=$(date +%s)
ended
is "$status" 3 "a second signal ends what runs"
ok "soon" [ $(($(date +%s) - started)) -le 15 ]
ok "the reports are written" [ -s "$out/junit.xml" ]
whole "the database is whole"
is "$(sql 'SELECT count(*) FROM attempt')" 0 "no verdict was made of what was ended"
rm -f "$fake/srv/hook"
judge --resume
is "$status" 1 "and is resumed"
as_expected "to its end"

# --- no space, no such version -------------------------------------------------------
rm -rf "$out"
mkdir "$out"
cat >"$T/small" <<END
mount -t tmpfs -o size=1m none "$out" && tests/fake/enter "$fake" $(given -q)
echo "ended \$?" >>"$T/told"
sqlite3 -batch "$db" 'PRAGMA integrity_check' >>"$T/told" 2>&1
mount -o remount,size=64m "$out" && tests/fake/enter "$fake" $(given -q --resume) >/dev/null
echo "ended \$?" >>"$T/told"
cp "$db" "$T/was-small.db"
END
run unshare -rm sh "$T/small"
is "$(paste -sd' ' "$T/told")" "ended 3 ok ended 1" "a disk that is full ends a run, whose database is whole, and which goes on later" ||
	diag "$(tail -n 5 "$T/err")"
like "$T/err" '^unblend: .*([Nn]o space left|not enough space)' "it says what was full"
is "$(sqlite3 "$T/was-small.db" "SELECT name || ' ' || verdict FROM judgement WHERE verdict <> 'not-tried' ORDER BY seq" |
	grep -vxFc -f "$fake/expected")" 0 "no verdict is wrong for that"

sqlite3 "$T/was-small.db" 'PRAGMA user_version = 99' >/dev/null
sha256sum "$T/was-small.db" >"$T/sum"
judge --resume -d "$T/was-small.db"
is "$status" 2 "a database of a newer version is not written to"
like "$T/err" 'was-small.db: is of version 99, made by a newer unblend; this one knows up to version [0-9]+$' \
	"and it says so"
ok "nor changed" sha256sum --quiet -c "$T/sum"

# --- from nothing ------------------------------------------------------------------
rm -rf "$out"
judge --resume -q --only image-000001
is "$status/$(sql 'SELECT count(*) FROM judgement')" 0/1 "where there is no run to resume, one begins"
done_testing
