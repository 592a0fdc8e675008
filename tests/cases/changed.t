#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What has not changed is not tried again, what may pass is, and what is hopeless
# is not: with a fake Guix, whose calls are counted.
. tests/cases/tap.sh

fake=$T/fake out=$T/out.d
db=$out/unblend.db
mkdir "$T/cache"
tests/fake/make "$fake" --images 16 --recipes 8 --sets 2 || exit 1

# judge ARG...: a run; $T/events has what happened.
judge() {
	run tests/fake/enter "$fake" timeout -k 5 120 "$UNBLEND" run "$fake/fake.corpus" \
		--trust "$fake/fake.trust" --cache "$T/cache" -o "$out" -j 3 --json-events 3 "$@" \
		3>"$T/events"
}
sql() { sqlite3 -batch "$db" "$1"; }
verdicts() { sql "SELECT name || ' ' || verdict FROM judgement WHERE run_id = (SELECT max(id) FROM run) ORDER BY seq"; }
as_expected() { is "$(verdicts)" "$(cat "$fake/expected")" "$1"; }
calls() { find "$T/cache" -name calls -exec cat {} + | wc -l; }
events() { jq -r "select(.event == \"$1\") | .image" "$T/events" | sort; }
# tried: the images that the last run has an attempt on, by the last digits.
tried() {
	sql "SELECT substr(s.name, -2) FROM sample s JOIN attempt a ON a.sample_id = s.id
		WHERE s.run_id = (SELECT max(id) FROM run) ORDER BY 1" | paste -sd' '
}
all='01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16'
# one FILE: a file of its own, not a name of another's.
one() { cp "$1" "$T/one" && mv "$T/one" "$1"; }
for f in "$fake"/images/image-*; do one "$f"; done

judge -q --changed
is "$status" 1 "with --changed, too, what was never tried is tried"
as_expected "and judged"
before=$(calls)
judge --changed
is "$status" 1 "a run on an unchanged corpus ends as the one before"
as_expected "with the same verdicts"
is "$(tried)" "" "nothing is tried"
is "$(calls)" "$before" "Guix is not called"
is "$(events skip | wc -l)/$(events job-begin | wc -l)" 16/0 "no worker is started: 16 events say so"
like "$T/err" '^\[6/16\] different +image-000006: not tried, unchanged since run 1$' "it says what it did not try, and why"
is "$(sql 'SELECT count(*), count(DISTINCT of_sample_id) FROM skip')" "16|16" "the database too"
is "$(sql 'SELECT ended_s IS NOT NULL FROM run WHERE id = 2')" 1 "the run has ended"
like "$T/out" '^different +image-000006 +\(not tried: unchanged since run 1\) ' "the table says so"
is "$(jq '[.images[] | select(.of_run == 1)] | length' "$out/report.json")" 16 "the JSON report"
is "$(grep -c '^Not tried in this run: unchanged since run 1\.' "$out/junit.xml")" 16 "the JUnit report"
is "$(cat "$out"/images/*.html | grep -c 'Not tried in this run: unchanged since run 1\.')" 16 "the pages"
is "$(head -n 2 "$out/verdicts.csv" | awk -F, '{ print $NF }' | tr -d '\r' | paste -sd' ')" 'of_run 1' "and the CSV"

run "$UNBLEND" report -d "$db" --run 2 --format csv --attest -o "$T/attest"
is "$(find "$T/attest" -name 'image-000001*' | wc -l)" 1 "what was not rebuilt has no statement on how it was"
is "$(find "$T/attest" -name 'image-000001*' -exec jq '.predicate.unblend_verdict.run' {} +)" 1 \
	"and one on its verdict, which names the run"
run "$UNBLEND" bug -d "$db" --run 2 image-000006
like "$T/out" '^- Guix: .*1\.5\.0' "a bug report says by which Guix, though the run asked none"

one "$fake/images/image-000003.tar.gz"
judge -q --changed
is "$(tried)" 03 "an image file that was replaced is tried"
is "$(sql "SELECT group_concat(DISTINCT s.run_id) FROM skip k JOIN sample s ON s.id = k.of_sample_id
	JOIN sample n ON n.id = k.sample_id WHERE n.run_id = 3")" 1 "the others stand as they were judged"
judge -q --changed
is "$(tried)" "" "and not once more"
like "$out/junit.xml" '^Not tried in this run: unchanged since run 3\.' "its verdict is that of the later run"
touch -d '2001-01-01' "$T/stamp"
touch -r "$T/stamp" "$fake/images/image-000003.tar.gz"
judge -q --changed
is "$(tried)" 03 "one that was touched is tried"
printf x | dd of="$fake/images/image-000003.tar.gz" bs=1 seek=100 conv=notrunc 2>/dev/null
touch -r "$T/stamp" "$fake/images/image-000003.tar.gz"
judge -q --changed
is "$(tried)" 03 "one that was changed and given its old time is tried"
cp "$fake/images/fake-2.tar.gz" "$fake/images/image-000003.tar.gz"
judge -q --changed
as_expected "its verdict is that of what it is now"

cp "$fake/fake.corpus" "$T/corpus"
sed -i 's/(name "image-000005")/& (timeout 77)/; s/(name "image-000006")/& (tags x) (expect different)/' \
	"$fake/fake.corpus"
judge -q --changed
is "$(tried)" 05 "what the corpus says is looked at, but for what changes no verdict"
is "$(sql "SELECT is_accepted FROM judgement WHERE name = 'image-000006' ORDER BY run_id DESC LIMIT 1")" 1 \
	"which may accept the one that stands"
cp "$T/corpus" "$fake/fake.corpus"
judge -q --changed
is "$(tried)" 05 "and what it says no more"
judge -q --changed --timeout 77
is "$(tried)" "$all" "with another limit all are tried"
judge -q --changed --timeout 77
is "$(tried)" "" "once"
echo ';' >>"$fake/fake.trust"
judge -q --changed --timeout 77
is "$(tried)" "$all" "with another trust file all are tried"
touch "$fake/srv/bin/guix"
judge -q --changed --timeout 77 --only '*?1'
is "$(tried)" "01 11" "with another Guix they are tried, of those that are chosen"
judge -q --only '*?1'
is "$(tried)" "01 11" "without --changed all is tried"

# --- what may pass -----------------------------------------------------------------
rm -rf "$out" "$T/cache"/*
# failing TIMES: so many builds of packs say that there is no daemon.
failing() {
	cat >"$fake/srv/hook" <<-END
	case "\$verb \$drv" in build*-pack*)
		[ "\$(grep -c '^build.*-pack' "\$HOME/calls")" -gt $1 ] || {
			echo "guix build: error: failed to connect to \\\`/var/guix/daemon-socket/socket': Connection refused" >&2
			exit 1
		} ;;
	esac
	END
}
packs() { find "$T/cache" -name calls -exec cat {} + | grep -c '^build.*-pack'; }
failing 2
judge --only image-000001 --retries 2
is "$status/$(verdicts)" "0/image-000001 identical" "what may pass is tried again, and passes"
like "$T/err" '^image-000001: daemon; again in 2 s$' "after a pause"
like "$T/err" '^image-000001: daemon; again in 8 s$' "and a longer one"
is "$(events retry | wc -l)" 2 "which are events"
is "$(sql 'SELECT seq, class FROM trial')" "0|daemon
1|daemon" "each such end is kept"
is "$(packs)" 3 "and it was built three times"

rm -rf "$out" "$T/cache"/*
failing 1000
judge -q --only image-000001 --retries 1
is "$status/$(verdicts)" "3/image-000001 not-tried" "what does not pass is not-tried"
is "$(packs)" 2 "after as many retries as were asked for"
judge -q --changed --only image-000001 --retries 1
is "$(packs)/$(tried)" 3/01 "the next run tries it, though nothing has changed, and only once"
is "$(sql 'SELECT count(*) FROM trial')" 1 "since it is known how often that was in vain"
judge -q --changed --only image-000001 --retries 3
is "$(packs)/$(sql 'SELECT count(*) FROM trial')" 4/1 "or often enough"
rm "$fake/srv/hook"
judge -q --changed --only image-000001 --retries 0
is "$status/$(tried)" 0/01 "until it passes"
judge -q --changed --only image-000001
is "$(tried)" "" "and then stands"

judge -q --changed --only image-000002 --guix /nowhere/guix
judge -q --changed --only image-000002 --guix /nowhere/guix
is "$(verdicts)/$(tried)" "image-000002 not-tried/02" "not-tried never stands, whatever it was for"

judge -q --only image-000006
sql "UPDATE attempt SET verdict = 'same-inputs', class = 'not-examined' WHERE sample_id IN
	(SELECT id FROM sample WHERE name = 'image-000006')" >/dev/null
judge -q --changed --only image-000006
is "$(verdicts)/$(tried)" "image-000006 different/06" "nor what could not be examined"

# --- what is hopeless ----------------------------------------------------------------
judge -q --only image-000008
is "$status/$(verdicts)" "1/image-000008 unbuildable" "what does not build"
is "$(sql "SELECT count(*) FROM trial t JOIN sample s ON s.id = t.sample_id WHERE s.name = 'image-000008'")" 0 \
	"is not tried again in the run"
judge -q --changed --only image-000008
is "$status/$(tried)" 1/ "nor in another, with --changed, while all is the same"

# --- what is so once, and then not --------------------------------------------------------
other=$(sed 's/ .*//' "$fake/srv/drvs/$(basename "$(cat "$fake/srv/packs/5")")")
mine=$(sed 's/ .*//' "$fake/srv/drvs/$(basename "$(cat "$fake/srv/packs/0")")")
cp -p "$fake/store/${mine##*/}" "$T/mine"
for now in other mine; do
	case $now in
	other) cp --remove-destination "$fake/store/${other##*/}" "$fake/store/${mine##*/}" ;;
	mine) cp --remove-destination "$T/mine" "$fake/store/${mine##*/}" ;;
	esac
	judge -q --only image-000001
done
is "$(sql "SELECT group_concat(verdict, ' ') FROM (SELECT verdict FROM judgement
	WHERE name = 'image-000001' ORDER BY run_id DESC LIMIT 3)")" "identical different identical" \
	"the same image and recipe, identical, then not, then identical"
is "$(jq -c '[.images[0].flaky, .images[0].verdict]' "$out/report.json")" '[true,"identical"]' "is flaky"
judge -q --changed --only image-000001
is "$(jq -c '[.images[0].flaky, .images[0].of_run != null]' "$out/report.json")" '[true,true]' \
	"and stays so where it is not tried"
done_testing
