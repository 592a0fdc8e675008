# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154
# Sourced by tests/bench/run: 1,000 images, none of which has changed.
: "${bench:?}"

changed_all() {
	local d=$bench/changed fake=$bench/changed/fake db=$bench/changed/report/unblend.db first
	local given=("$UNBLEND" run "$fake/fake.corpus" --trust "$fake/fake.trust"
		--cache "$d/cache" -o "$d/report" -j 2 -q)
	rm -rf "$d"
	mkdir -p "$d"
	tests/fake/make "$fake" --images 1000 --recipes 40 --sets 4 --plain
	head_row "A night in which nothing has changed: 1,000 images  ($runs runs, fake Guix)"
	tests/fake/enter "$fake" time -f %e -o "$d/time" "${given[@]}" >/dev/null
	first=$(tail -n 1 "$d/time")
	row "unblend run, of all of them, once" "$first" "$first" '' '' ''
	measure 0 tests/fake/enter "$fake" "${given[@]}" --changed
	[[ $(sqlite3 "$db" "SELECT count(*) FROM judgement j JOIN skip k USING (sample_id)
		WHERE run_id = (SELECT max(id) FROM run) AND verdict = 'identical'") == 1000 ]] ||
		die "not all verdicts stand"
	row "unblend run --changed, with its reports" "$min" "$median" "$cpu" "$peak" ''
	measure 0 tests/fake/enter "$fake" "${given[@]}" --changed --plan
	[[ $(sed -n 's/^to be tried: //p' "$bench/tmp/out") == 0 ]] || die "the plan is another"
	row "unblend run --changed --plan" "$min" "$median" "$cpu" "$peak" ''
	rm -rf "$d"
}
