#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# One set of words that break out of some form of text (tests/hostile/words), as
# names of images, packages, files, as texts and in logs: fed to every output, and
# read by the tools of each.
. tests/cases/tap.sh

db=$T/db
site=$T/site
words=tests/hostile/words
$words clean >"$T/words"
n=$(wc -l <"$T/words")

# What no output may hold: bytes that are no UTF-8, and characters that a terminal
# or XML takes for more than text.  Line ends and tabs are for those who write.
cat >"$T/clean" <<'END'
use Encode;
for my $file (@ARGV) {
	open my $f, '<:raw', $file or die "$file: $!\n";
	my $t = decode('UTF-8', do { local $/; <$f> } // '', Encode::FB_CROAK);
	$t =~ /([\x00-\x08\x0b-\x1f\x7f-\x9f\x{61c}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffe}\x{ffff}])/
		and die sprintf "%s: U+%04X\n", $file, ord $1;
}
END
clean_bytes() { perl "$T/clean" "$@"; }
js() { # [--strict] SCHEMA FILE: by ajv
	if [ -d build/npm/node_modules ]; then
		file=$2
		[ "$1" != --strict ] || file=$3
		ok "$(basename "$file") is as its schema says" tests/oracle/json-check "$@"
	else
		skip 1 "npm's packages are not here"
	fi
}

# ---- an image with such names: what looks at it ----
$words image "$T/a.tar" one
$words image "$T/b.tar" two
for command in "inspect $T/a.tar" "inspect --json $T/a.tar" "compare $T/a.tar $T/b.tar" \
	"compare --json $T/a.tar $T/b.tar" "inspect --sbom spdx $T/a.tar" "inspect --sbom cyclonedx $T/a.tar"; do
	# shellcheck disable=SC2086
	run "$UNBLEND" $command
	[ "${command%% *}" = compare ] || is "$status" 0 "${command%" $T"*} ends well"
	ok "${command%% /*} shows no such character" clean_bytes "$T/out" "$T/err"
	case $command in
	*--json*) cp "$T/out" "$T/${command%% *}.json" ;;
	*--sbom*) cp "$T/out" "$T/$(echo "$command" | cut -d' ' -f3).json" ;;
	esac
done
# Packages hold characters, not bytes: U+FFFD stands where the words have none.
grep -vE '\\x|#xF|^lines' "$T/words" | sed 's/#x09/\t/g' >"$T/packages"
with_packages() { jq -r "$1" "$2" | grep -cFxf "$T/packages"; }
lines=$(wc -l <"$T/packages")
is "$(with_packages '.packages[].name' "$T/inspect.json")" "$lines" "inspect --json has every package"
is "$(with_packages '.components[] | select(.type == "library").name' "$T/cyclonedx.json")" "$lines" "CycloneDX too"
is "$(with_packages '.packages[].name' "$T/spdx.json")" "$lines" "SPDX too"
js tests/schema/spdx-2.3-schema.json "$T/spdx.json"
js tests/schema/cyclonedx-bom-1.6.schema.json "$T/cyclonedx.json" -r tests/schema/cyclonedx-jsf-0.82.schema.json \
	-r tests/schema/cyclonedx-spdx.schema.json
js --strict reports/inspect.schema.json "$T/inspect.json"
js --strict reports/compare.schema.json "$T/compare.json" -r reports/report.schema.json
is "$(jq '.differences | length' "$T/compare.json")" "$n" "each file is a difference"

# ---- a database with such texts everywhere: what is made of it ----
ok "a database" tests/cases/many "$db" 40 2
$words sql >"$T/sql"
ok "with the words in it" sqlite3 -batch "$db" ".read $T/sql"
run "$UNBLEND" report -d "$db" -o "$site" --attest
is "$status" 0 "its reports" || diag "$(cat "$T/err")"
find "$site" -type f >"$T/files"
ok "no file of them holds such a character" xargs -d '\n' -a "$T/files" perl "$T/clean"
run xmllint --noout --huge --schema tests/schema/jenkins-junit-10.xsd "$site/junit.xml"
is "$status" 0 "JUnit is valid" || diag "$(head -n 3 "$T/err")"
xmllint --huge --xpath '//testcase/@name' "$site/junit.xml" |
	sed 's/^ name="//; s/"$//; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&#39;/'"'"'/g; s/&amp;/\&/g' |
	head -n "$n" >"$T/names"
same "$T/names" "$T/words" "its cases are named as the images"
# In texts alone Jenkins looks for them, and takes what it finds.
is "$(grep -v '^ *<[a-z ]' "$site/junit.xml" | grep '\[\[ATTACHMENT|' | grep -vc "\[\[ATTACHMENT|$site/[il][mo]")" 0 \
	"and no image's text is an attachment"
like "$site/junit.xml" '\[\(ATTACHMENT\|/etc/passwd' "which is shown otherwise"
if [ -d build/npm/node_modules ]; then
	run tests/oracle/junit-count "$site/junit.xml"
	like "$T/out" '^tests=40 ' "another reader finds all cases"
else
	skip 1 "npm's packages are not here"
fi

js reports/report.schema.json "$site/report.json"
is "$(find "$site/json" -name '*.json' -exec jq -c .name {} + | wc -l)" \
	40 "each image's JSON can be read"
# JSON has newlines, tabs and separators of lines; CR before LF goes.
jq -r '.images[].name' "$site/report.json" | head -n $((n + 2)) >"$T/names"
perl -CSD -pe 's/(#x0D)?#x0A/\n/g; s/#x09/\t/g; s/#x(202[89])/chr hex $1/ge' "$T/words" >"$T/words.json"
same "$T/names" "$T/words.json" "report.json has the same names"
is "$(find "$site/attestations" -name '*.json' -exec jq -r ._type {} + | sort -u)" \
	https://in-toto.io/Statement/v1 "the attestations can be read"

/usr/bin/python3 -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8", errors="strict")):
    if None in row: sys.exit("a row has more fields than the heading")
    print(row["name"])' "$site/verdicts.csv" | head -n "$n" >"$T/names"
sed "s/^[=+@-]/'&/" "$T/words" >"$T/words.csv"
same "$T/names" "$T/words.csv" "a reader of CSV has the same names, and none is a formula"

for seq in $(seq 1 "$n"); do
	sqlite3 -batch "$db" "SELECT writefile('$T/name', name) FROM sample WHERE run_id = 2 AND seq = $seq" >/dev/null
	perl -e 'local $/; open my $f, "<:raw", shift; my $name = <$f>; exec @ARGV, $name' "$T/name" \
		"$UNBLEND" bug -d "$db" >"$T/bug" 2>"$T/err" || echo "$seq: $(cat "$T/err")"
	clean_bytes "$T/bug" || echo "$seq"
done >"$T/bad" 2>&1
is "$(cat "$T/bad")" "" "the text of bug has no such character of any of them"

ok "the log's line of 10 MB is whole" test "$(find "$site/logs" -size +9M | wc -l)" = 1
ok "and cut on the page" test "$(find "$site/images" -size +3M | wc -l)" = 0
if [ -d build/npm/node_modules ] && { [ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-browser ]; }; then
	run tests/oracle/words-check "$site"
	is "$status" 0 "in a browser no word becomes a tag or a script" || diag "$(cat "$T/err")"
	same "$T/out" "$T/words" "and the titles of the pages are the words"
else
	skip 2 "no browser here"
fi
done_testing
