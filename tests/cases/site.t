#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The site of a run of some hundred images after two others: a browser uses it
# as a person does, and its pages say what the database says.
. tests/cases/tap.sh

db=$T/db
site=$T/site
sql() { sqlite3 -batch "$db" "$1"; }

ok "a database" tests/cases/many "$db" 1010 3
run "$UNBLEND" report -d "$db" -o "$site"
is "$status" 0 "its reports"
ok "the front page is small" test "$(wc -c <"$site/index.html")" -lt 300000
is "$(grep -c '<tr data-v=' "$site/index.html")" 200 "and shows 200 images"
is "$(grep -h '<tr data-v=' "$site/index.html" "$site"/table/*.html |
	sed 's/.*">\(image-[0-9]*\)<\/a>.*/\1/' | sort | uniq | wc -l)" 1010 \
	"with the pages of the table all are there"
is "$(grep -c '^\["image-' "$site/table/rows.js")" 1010 "and in what the filter reads"

# Regressions, as tests/cases/many says: images 100 and 600.
is "$(sed -n '/id="regressions"/,/<\/section>/s/.*">\(image-[0-9]*\)<.*last good: \([^<]*\)<.*/\1 \2/p' "$site/index.html")" \
	"image-000100 identical in run 2
image-000600 identical in run 2" "regressions are named with the last good run"
is "$(jq -r '.images[] | select(.regression) | [.name, .good.run, .good.verdict, .since] | @tsv' "$site/report.json")" \
	"$(printf 'image-000100\t2\tidentical\t3\nimage-000600\t2\tidentical\t3')" "in JSON too"
is "$(sqlite3 -batch :memory: ".import --csv $site/verdicts.csv v" \
	"SELECT name || ' ' || good_run FROM v WHERE regression = 'TRUE'")" \
	"image-000100 2
image-000600 2" "and in CSV"
like "$site/images/image-000100.html" 'Last good: run 2 \(identical\); not accepted since run 3\.' \
	"and on its page"
is "$(grep -o '<rect class="v-[a-z-]*" x="[0-9]*" [^>]*><title>[^<]*' "$site/images/image-000100.html" |
	sed 's/.*<title>//')" "run 1: identical
run 2: identical
run 3: different" "whose strip has each run"
like "$site/images/image-000200.html" '<b>Flaky</b>' "a flaky image says so"

# What differs, as a tree, with the bytes and the reason.
page=$site/images/image-000107.html
is "$(sed -n '/id="differences"/,/<\/section>/s/.*<summary><code>\([^<]*\)<\/code> <span class="count">\([0-9]*\).*/\1 \2/p' "$page")" \
	"etc/ 3
gnu/store/x-y/share/doc/ 2" "differences stand by folder"
is "$(grep -o '<b>Differs:</b> [^<]*' "$page" | sort | uniq -c | sed 's/^ *//')" "2 <b>Differs:</b> only time stamps." \
	"with the reason that is known"
is "$(sed -n '/Bytes from byte 0 on/,/<\/details>/s/^.*<figcaption>\([^<]*\).*<pre tabindex="0">\(.*\)/\1: \2/p' "$page")" \
	"Image: 00000000  7f 45 4c 46 00 01 02 <mark>03</mark>                          .ELF...<mark>.</mark>
Rebuild: 00000000  7f 45 4c 46 00 01 02 <mark>ff</mark>                          .ELF...<mark>.</mark>" "bytes that differ are marked"
like "$page" '^.*<figcaption>Rebuild</figcaption><pre tabindex="0">built <mark>Wed Nov 25 15</mark>:00:00 UTC 2026$' "in texts too"

# The picture says in words what it shows.
is "$(grep -o 'aria-label="papers over[^"]*"' "$site/index.html")" \
	"aria-label=\"papers over 3 runs: $(sql "SELECT sum(rank <= 2) || ' of ' || count(*)
		FROM judgement JOIN sample s ON s.id = sample_id WHERE s.run_id = 3
		AND collection = 'papers'") came out the same in run 3, $(sql "SELECT sum(rank <= 2) || ' of ' || count(*)
		FROM judgement JOIN sample s ON s.id = sample_id WHERE s.run_id = 2
		AND collection = 'papers'") in the run before\"" "the history of a collection"

# A package: those that hold it, those that fail because of it.
package='package-000'
uses() {
	sql "SELECT DISTINCT s.name FROM sample s JOIN attempt a ON a.sample_id = s.id
		JOIN package p USING (provenance_id) WHERE run_id = 3 AND p.name = '$package' $1 ORDER BY 1"
}
page=$site/packages/$package.html
is "$(grep -o 'href="../images/image-[0-9]*' "$page" | sed 's/.*\///' | sort)" "$(uses '')" \
	"the page of a package has the images that hold it"
is "$(grep 'because of it</span>' "$page" | grep -o 'image-[0-9]*<' | tr -d '<' | sort)" \
	"$(uses "AND EXISTS (SELECT 1 FROM attempt_text t WHERE t.sample_id = s.id
		AND text = p.name || '@' || p.version)")" "and tells which fail because of it"
is "$(sed -n 's/.*="'$package'.html">.*"Images" class="num">\([0-9]*\)<.*/\1/p' "$site/packages/index.html")" \
	"$(uses '' | wc -l)" "their list counts them"
is "$(grep -c '<h2 id="part-' "$site/channels/guix.html")" 11 "the page of a channel has its commits"
is "$(grep -o '<time class="sub">[^<]*' "$site/channels/guix.html" | sed 's/.*>//' | sort)" \
	"$(sql "SELECT date(time_s, 'unixepoch') FROM commit_date ORDER BY 1")" "with their dates, where they are known"
is "$(sed -n 's/.*data-l="Commit"><code>[^<]*<\/code> <time class="sub">\([^<]*\).*/\1/p' "$site/images/image-000107.html")" \
	"$(sql "SELECT date(time_s, 'unixepoch') FROM commit_date JOIN channel USING (\"commit\") WHERE channel_set_id = 2")" \
	"as on the page of an image"
dead=$(cd "$site" && grep -oh 'href="[^"#]*\.\(html\|log\|json\|csv\|xml\)' index.html | sed 's/href="//' |
	sort -u | while read -r file; do [ -f "$file" ] || echo "$file"; done
	cd images && grep -oh 'href="\.\./[^"#]*' ./*.html | sed 's/href="//' | sort -u |
	while read -r file; do [ -f "$file" ] || echo "$file"; done)
is "$dead" "" "every link leads somewhere"

if [ -d build/npm/node_modules ]; then
	ok "report.json is as its schema says, which has all its members" tests/oracle/json-check --strict \
		reports/report.schema.json "$site/report.json"
	ok "that of each image too" tests/oracle/json-check reports/image.schema.json \
		-r reports/report.schema.json "$site"/json/*.json
	jq '.images[7].recipe.id = null' "$site/report.json" >"$T/bad.json"
	not_ok "the schema refuses another" tests/oracle/json-check \
		reports/report.schema.json "$T/bad.json" 2>/dev/null
	jq '.images[7].news = 1' "$site/report.json" >"$T/bad.json"
	not_ok "and strictly, one with more" tests/oracle/json-check --strict \
		reports/report.schema.json "$T/bad.json" 2>/dev/null
else
	skip 4 "npm's packages are not here"
fi
is "$(find "$site/json" -name "*.json" | wc -l)" 1010 "a file an image"

cp -r "$site" "$T/first"
run "$UNBLEND" report -d "$db" -o "$site"
ok "again, it is the same to the byte" diff -r "$T/first" "$site"
# Elsewhere: another name of the machine, time zone, language, home, hour.
run env -i PATH=/usr/bin:/bin TZ=Asia/Kathmandu LC_ALL=de_DE.UTF-8 LANG=tr_TR HOME=/nonexistent USER=other \
	SOURCE_DATE_EPOCH=1 bwrap --dev-bind / / --unshare-uts --hostname elsewhere --unshare-net \
	"$UNBLEND" report -d "$db" -o "$site"
is "$status" 0 "on another machine" || diag "$(cat "$T/err")"
ok "too" diff -r "$T/first" "$site"

if [ -d build/npm/node_modules ] && { [ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-browser ]; }; then
	run tests/oracle/site-check "$site" "$T/pictures"
	is "$status" 0 "a browser uses it, axe finds nothing serious" || diag "$(cat "$T/err")"
	is "$(grep -c '^filtered image-001009$' "$T/out")" 4 "the filter finds what is on another page"
	like "$T/out" '^sorted image-000000 image-001009$' "sorting is over all"
	like "$T/out" "^chip identical $(sql "SELECT count(*) FROM judgement
		WHERE run_id = 3 AND verdict = 'identical'")$" "a verdict is a filter"
	is "$(grep -c '^copied 37$' "$T/out")" 4 "a recipe is copied"
	is "$(grep -c '^unfolded 3$' "$T/out")" 5 "what differs unfolds, without scripts too"
	like "$T/out" '^without_scripts 200$' "without scripts there is a first page"
	like "$T/out" '^next_page image-000200$' "and a next"
else
	skip 8 "no browser here"
fi
done_testing
