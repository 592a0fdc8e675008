#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# The main job: the demo's corpus, rebuilt by the real Guix and judged rightly.
# What unblend says is held against sha256sum, sqlite3, jq, xmllint, the
# daemon's own logs and npm's readers of JUnit.
. tests/cases/tap.sh

world=${WORLD:-build/world}
images=build/images
report=$T/report
db=$report/unblend.db

cat >"$T/expected" <<END
big identical
bzip2 identical
choir identical
deb identical
deep nondeterministic
dice nondeterministic
entrypoint identical
fails unbuildable
form-derived different
form-dir same-image
form-export same-contents
form-folder same-contents
form-oci same-image
form-oci-archive same-image
form-oci-other same-image
form-registry same-image
form-registry-oci same-image
form-saved same-image
form-skopeo same-image
git-url identical
grafted identical
hangs timeout
hello identical
hello-1.0 identical
hello-g1 identical
layered identical
localstate identical
loose unbuildable
lzip identical
multi identical
nested identical
none identical
noprov no-provenance
odd identical
other-fs same-contents
quoting identical
rabbit-old identical
repeat identical
rpm same-contents
shell identical
squashfs identical
symlinks identical
tagged identical
tampered different
tarball identical
transformed identical
truncated unreadable
two-channels identical
ungrafted identical
unreachable-commit unavailable
untrusted refused
vanish unavailable
xz identical
zstd identical
END

sql() { sqlite3 -batch "$db" "$@"; }

: >"$T/before"
OUT=$report run ci/demo
is "$status" 0 "the demo runs"
is "$(tail -n 1 "$T/out")" "report: $report/index.html" "and ends with the report's path"
sql 'SELECT name || " " || verdict FROM sample JOIN attempt ON sample.id = sample_id
	ORDER BY name COLLATE BINARY' >"$T/verdicts"
same "$T/verdicts" "$T/expected" "every verdict is right"
is "$(sql 'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok "the database is whole"

# Identical means: these bytes, built in this run.  NAME OUTPUT DRV SOURCE lines.
sql -separator ' ' "SELECT name, output, drv, source FROM sample
	JOIN attempt ON sample.id = attempt.sample_id
	JOIN rebuild ON sample.id = rebuild.sample_id
	WHERE verdict = 'identical'" >"$T/identical"
tests/world/enter sh -c 'cut -d" " -f2 "$1" | xargs sha256sum' sh "$T/identical" |
	cut -d' ' -f1 >"$T/rebuilt"
sed 's|.*/||' "$T/identical" | (cd "$images" && xargs sha256sum) |
	cut -d' ' -f1 >"$T/original"
same "$T/rebuilt" "$T/original" "sha256sum of each rebuilt file is that of its image"
is "$(wc -l <"$T/rebuilt")" "$(grep -c ' identical$' "$T/expected")" "of all of them"
old=
while read -r name _ drv _; do
	item=${drv#/gnu/store/}
	log=$world/log/guix/drvs/$(printf '%.2s' "$item")/${item#??}.gz
	[ -n "$(find "$log" -newer "$T/before")" ] || old="$old $name"
done <"$T/identical"
is "$old" "" "the daemon's log of each pack's build is of this run"
is "$(sql "SELECT count(*) FROM rebuild WHERE ended = 'done' AND built = 0")" 0 \
	"no rebuild without a build"

# The recorded URL is in the image that was rebuilt from a mirror.
is "$(sql "SELECT url FROM sample JOIN attempt ON sample.id = sample_id
	JOIN provenance ON provenance.id = provenance_id
	JOIN channel USING (channel_set_id) WHERE sample.name = 'git-url'")" \
	git://127.0.0.1/guix "the dead URL is recorded"

# Commits have their dates.
sql 'SELECT "commit" || " " || time_s FROM commit_date ORDER BY 1' >"$T/dates"
cut -d' ' -f1 "$T/dates" | while read -r commit; do
	# shellcheck disable=SC2016
	tests/world/enter sh -c 'for d in /srv/channels/*; do git -C "$d" log -1 --format="%H %ct" "$1" -- 2>/dev/null && break; done' \
		sh "$commit"
done >"$T/git.dates"
same "$T/dates" "$T/git.dates" "as git tells them"
ok "all that were mirrored" test "$(wc -l <"$T/dates")" -ge 4

# Differences are named.
is "$(sql "SELECT path || ' ' || kind FROM difference JOIN sample ON sample.id = sample_id
	WHERE name = 'tampered'")" "etc/motd only-in-image" "the added file is named"
is "$(sql "SELECT DISTINCT why FROM excerpt JOIN sample ON sample.id = sample_id
	WHERE name = 'dice'")" "only seconds number" "what differs in a file is named, which has a time and random numbers"
is "$(sql "SELECT DISTINCT package FROM difference JOIN sample ON sample.id = sample_id
	WHERE name = 'dice'")" "dice@6" "the package that differs is named"
is "$(sql "SELECT cause FROM attempt JOIN sample ON sample.id = sample_id
	WHERE name = 'dice'")" "Does not build the same twice here: dice@6." "and is why"
is "$(sql "SELECT cause FROM attempt JOIN sample ON sample.id = sample_id
	WHERE name = 'form-derived'")" \
	"Its first layer is the rebuild's, so the part that Guix packed is equal; 1 layer is on it: 2 paths added, 0 changed, 0 removed; the first of them: /etc, /etc/motd." \
	"of an image made of a packed one, what is equal and what was added"
like "$report/images/deep.html" 'dice-6 \(needed by croupier@1\)' \
	"the page of deep names what differs, and whose it is"
like "$report/images/ungrafted.html" 'Taken: --no-grafts' "that of ungrafted what was tried"
item=$(sql "SELECT store_item || '/share/dice' FROM difference JOIN sample
	ON sample.id = sample_id WHERE name = 'dice' AND kind IN ('contents', 'size')")
offset=$(sql "SELECT offset FROM difference JOIN sample
	ON sample.id = sample_id WHERE name = 'dice' AND kind IN ('contents', 'size')")
output=$(sql "SELECT output FROM rebuild JOIN sample ON sample.id = sample_id
	WHERE name = 'dice'")
tests/world/enter cat "$output" >"$T/dice.tar.gz"
for side in "$images/dice.tar.gz" "$T/dice.tar.gz"; do
	layer=$(tar -tzf "$side" | grep 'layer\.tar$')
	tar -xzOf "$side" "$layer" | tar -xO "gnu/store/$item" >"$T/side.$(basename "$(dirname "$side")")"
done
is "$(cmp "$T/side.images" "$T/side.$(basename "$T")" | sed 's/.*byte \([0-9]*\),.*/\1/')" \
	"$((offset + 1))" "cmp finds the first difference at the same byte"

# The reports say what the database says.
total=$(sql 'SELECT count(*) FROM sample')
is "$total" "$(wc -l <"$T/expected")" "every image of the corpus is there"
like "$report/index.html" '</html>' "the page is whole"
count() { sql "SELECT count(*) FROM attempt JOIN verdict ON name = verdict WHERE junit = '$1'"; }
ok "JUnit is valid" xmllint --noout --schema tests/schema/jenkins-junit-10.xsd "$report/junit.xml"
for kind in failure error skipped; do
	is "$(xmllint --xpath "count(//testcase[$kind])" "$report/junit.xml")" "$(count "$kind")" \
		"as many testcases with $kind as in the database"
done
is "$(jq -r '.images[] | .name + " " + .verdict' "$report/report.json" | LC_ALL=C sort)" \
	"$(LC_ALL=C sort "$T/expected")" "report.json has the verdicts"
counts="tests=$total failures=$(count failure) errors=$(count error) skipped=$(count skipped)"
is "$(tests/oracle/python-count "$report/junit.xml")" "$counts" "python3-junitparser counts the same"
is "$(tests/oracle/java-count "$report/junit.xml")" "dom4j $counts
surefire $counts" "dom4j and Surefire's parser too"
run "$UNBLEND" report -d "$db" -o "$T/ant" --format junit --junit-profile ant
ok "the profile ant is valid by Ant's schema" xmllint --noout --schema tests/schema/ant-junit.xsd "$T/ant/junit.xml"
for judge in junit-count xunit-count merge-count; do
	if [ ! -d build/npm/node_modules ]; then
		skip 1 "npm's packages are not here"
		continue
	fi
	run tests/oracle/$judge "$report/junit.xml"
	like "$T/out" "^$counts\$" "$judge counts the same"
done
if [ -d build/npm/node_modules ]; then
	ok "report.json is as its schema says" tests/oracle/json-check reports/report.schema.json "$report/report.json"
else
	skip 1 "npm's packages are not here"
fi
if [ -d build/npm/node_modules ] && { [ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-browser ]; }; then
	run tests/oracle/site-check "$report" "$T/pictures"
	is "$status" 0 "a browser uses the site from disk, axe finds nothing serious" || diag "$(cat "$T/err")"
	is "$(grep -c '^unfolded 1$' "$T/out")" 5 "and unfolds what differs"
else
	skip 2 "no browser here"
fi

# Again from the database: the same bytes, all of them.
mkdir "$T/first"
cp -R "$report"/*.html "$report"/*.xml "$report"/*.json "$report/images" "$report/logs" "$T/first"
run "$UNBLEND" report -d "$db" -o "$report"
is "$status" 0 "report writes again"
mkdir "$T/again"
cp -R "$report"/*.html "$report"/*.xml "$report"/*.json "$report/images" "$report/logs" "$T/again"
ok "the same bytes" diff -r "$T/first" "$T/again"
is "$(find "$T/again/images" -name '*.html' | wc -l)" "$total" "a page an image"
done_testing
