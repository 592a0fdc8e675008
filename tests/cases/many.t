#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# JUnit files of a run of 100,000 images: as many testcases of each outcome as
# the database has, whoever reads them, and no memory that grows with the run.
. tests/cases/tap.sh

db=$T/db
images=100000
# Ten times slower and larger: the rest is the same.
is_asan=$(grep -c __asan_init "$UNBLEND")
[ "$is_asan" = 0 ] || images=2000
sql() { sqlite3 -batch "$db" "$1"; }

ok "a database of $images images and three runs" tests/cases/many "$db" $images 3
counts="tests=$images failures=$(sql "SELECT count(*) FROM judgement
	JOIN verdict v ON v.name = verdict WHERE run_id = 3 AND junit = 'failure' AND NOT is_accepted") \
errors=$(sql "SELECT count(*) FROM judgement JOIN verdict v ON v.name = verdict
	WHERE run_id = 3 AND junit = 'error' AND NOT is_accepted") \
skipped=$(sql "SELECT count(*) FROM judgement JOIN verdict v ON v.name = verdict
	WHERE run_id = 3 AND junit = 'skipped'")"

for profile in jenkins ant; do
	xml=$T/$profile/junit.xml
	run env time -f %M -o "$T/peak" "$UNBLEND" report -d "$db" -o "$T/$profile" \
		--format junit --junit-profile $profile
	is "$status" 0 "the profile $profile"
	if [ "$is_asan" = 0 ]; then
		peak=$(tail -n 1 "$T/peak")
		ok "made in less than 64 MB ($((peak >> 10)))" test "$peak" -lt 65536
	else
		skip 1 "AddressSanitizer counts its own memory"
	fi
	is "$(ls "$T/$profile")" junit.xml "is all that was asked for"
	xsd=jenkins-junit-10.xsd
	[ $profile = jenkins ] || xsd=ant-junit.xsd
	ok "valid by $xsd" xmllint --noout --stream --schema tests/schema/$xsd "$xml"
	run tests/oracle/python-count "$xml"
	is "$(cat "$T/out")" "$counts" "python3-junitparser counts as the database"
	run tests/oracle/java-count "$xml"
	is "$(cat "$T/out")" "dom4j $counts
surefire $counts" "dom4j and Surefire's parser too"
	for judge in junit-count xunit-count merge-count; do
		[ $profile = jenkins ] || [ $judge = junit-count ] || continue
		if [ ! -d build/npm/node_modules ]; then
			skip 1 "npm's packages are not here"
			continue
		fi
		run tests/oracle/$judge "$xml"
		is "$(cat "$T/out")" "$counts" "$judge too" || diag "$(tail -n 3 "$T/err")"
	done
done

# What changed between the runs, as tests/cases/many says.
xml=$T/jenkins/junit.xml
part=$((images / 500))
is "$(grep -c '<failure type="different" message="regression: ' "$xml")" $part \
	"what passed before and does not now is a regression"
is "$(grep -c '^Last good: run 2 (identical); not accepted since run 3\.$' "$xml")" $part \
	"and its last good run is named"
is "$(grep -o '"regressions" value="[0-9]*"' "$xml" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n }')" \
	$part "and counted in its suite"
is "$(grep -c '<flakyFailure type="unbuildable" message="run 2: ' "$xml")" $part \
	"what passes and fails by turns is flaky"
is "$(grep -c 'Known: the corpus expects no better' "$xml")" $((images / 50)) \
	"what is expected to differ is known, and passes"
done_testing
