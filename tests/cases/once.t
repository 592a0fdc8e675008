#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a run has built, or built once more, it does not build again for another
# image or recipe; with a fake Guix, which keeps a list of what it was asked.
. tests/cases/tap.sh

tests/fake/make "$T/fake" --images 80 --recipes 8 --sets 2 --altered || exit 1
# The same images as others keep them: what is asked of Guix for these is other
# words, and leads to the same.
for n in 1 2 4 8; do
	sed -i 's/^)$/ (image (name "fixed-'$n'") (source "images\/image-00000'$n'.tar.gz") (pack-options "--save-provenance"))\n)/' \
		"$T/fake/fake.corpus"
	sed -n "s/^image-00000$n /fixed-$n /p" "$T/fake/expected" >>"$T/more"
done
cat "$T/more" >>"$T/fake/expected"
failing=$(basename "$(grep -l ' fails$' "$T"/fake/srv/drvs/*)")
unblend() { # JOBS
	tests/fake/enter "$T/fake" "$UNBLEND" run "$T/fake/fake.corpus" --trust "$T/fake/fake.trust" \
		--cache "$T/cache.$1" -o "$T/$1" -j "$1" --quiet
	result=$?
	cat "$T/cache.$1"/lanes/*/home/calls >"$T/calls"
	return "$result"
}
# Packs that were built, each as often as it was.
packs() { sed -n 's/^build \(.*-docker-pack[^ ]*\.drv\).*/\1/p' "$T/calls" | sort; }

for jobs in 1 4; do
	run unblend $jobs
	is "$status" 1 "a run of $jobs jobs"
	sqlite3 -separator ' ' "$T/$jobs/unblend.db" "SELECT sample.name, verdict FROM attempt
		JOIN sample ON sample.id = sample_id ORDER BY 1" >"$T/verdicts"
	sort "$T/fake/expected" >"$T/expected"
	same "$T/verdicts" "$T/expected" "has the verdicts that it should"
	is "$(grep -c ' altered$' "$T/verdicts")" 11 "eleven images hold a file that was changed"
	is "$(sed -n 's/^examine //p' "$T/calls" | sort | uniq -c | sed 's/ *\([0-9]*\) .*-\(fake-[0-9]*\).*/\1 \2/')" \
		"1 fake-3" "for which the package is built once more, once"
	# Of what is there already, the second holds it and builds nothing.
	is "$(sed -n 's/^build \(.*-docker-pack[^ ]*\.drv\) check$/\1/p' "$T/calls" | sort | uniq -d)" "" \
		"no pack is built twice"
	is "$(packs | uniq | wc -l)" 8 "and each is built"
	is "$(packs | grep -c "$failing")" 1 "also the one that fails, once"
	is "$(sqlite3 "$T/$jobs/unblend.db" "SELECT count(*) FROM rebuild WHERE built > 0 AND is_checked")" \
		"$(grep -vc ' unbuildable$' "$T/expected")" "all images say what was built for them"
done
# Where nothing is built, one worker is enough for all that is left.
tests/fake/enter "$T/fake" "$UNBLEND" run "$T/fake/fake.corpus" --trust "$T/fake/fake.trust" --depth recipe \
	--cache "$T/cache.1" -o "$T/recipe" -j 2 --quiet --json-events 3 3>"$T/events" >/dev/null
is "$(sqlite3 "$T/recipe/unblend.db" "SELECT verdict, count(*) FROM attempt GROUP BY 1")" "same-recipe|84" \
	"of depth recipe, all lead to the profile that the image holds"
workers=$(jq -s '[.[] | select(.stage == "compare")] | length' "$T/events")
ok "and few workers say so ($workers)" test "$workers" -lt 20
done_testing
