#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The reports of a real database, without a rebuild: images that cannot be read
# or say nothing of their origin.  Judged by xmllint, npm's readers, jq and a
# browser.
. tests/cases/tap.sh

out=$T/out.d
echo 'no image' >"$T/text"
mkdir "$T/a"
printf '{"rootfs":{"type":"layers","diff_ids":[]},"config":{}}' >"$T/a/config.json"
printf '[{"Config":"config.json","RepoTags":["x:y"],"Layers":[]}]' >"$T/a/manifest.json"
tar -C "$T/a" -cf "$T/bare.tar" config.json manifest.json

# Names that a path, a URL, XML or a shell would take for its own.
cat >"$T/first.corpus" <<'END'
(corpus (version 0)
 (image (name "text") (source "text") (tags nightly))
 (image (name "a/../b <&\"'> ä") (source "text"))
 (image (name "bare") (source "docker-archive:bare.tar")))
END
cat >"$T/second.set.corpus" <<'END'
(corpus (version 0)
 (image (name "known") (source "text") (expect unreadable))
 (image (name "worse") (source "text") (expect identical)))
END

run "$UNBLEND" run -o "$out" -d "$T/db" "$T/first.corpus" "$T/second.set.corpus"
is "$status" 1 "a run that accepts not all"
xml=$out/junit.xml
ok "JUnit is valid" xmllint --noout --schema tests/schema/jenkins-junit-10.xsd "$xml"
of() { xmllint --xpath "string($1)" "$xml"; }
is "$(of 'count(//testcase)')" 5 "a testcase an image"
is "$(of 'count(//testsuite)')" 2 "a suite a collection"
is "$(of '/testsuites/testsuite[2]/@name')" second.set "named as the file"
is "$(of '//testcase[@name="text"]/error/@type')" unreadable "an unreadable image is an error"
is "$(of 'count(//testcase[@name="known"]/*[not(self::system-out)])')" 0 \
	"one that is expected to be passes"
is "$(of 'count(//testcase[@name="worse"]/error)')" 1 "one that should be better does not"
is "$(of '//testcase[@name="worse"]/@classname')" second_set.no-channels \
	"the class has one dot"
is "$(of "count(//testcase[starts-with(system-out, '[[ATTACHMENT|$out/images/')])")" 5 \
	"each begins with the attachment of its page"
missing=
for page in $(of '/' | sed -n 's/^ *\[\[ATTACHMENT|\(.*\)]]$/\1/p'); do
	[ -f "$page" ] || missing="$missing $page"
done
is "$missing" "" "every attachment is there"
is "$(find "$out/images" -name '*.html' | wc -l)" 5 "a page an image"

for judge in junit-count xunit-count; do
	if [ ! -d build/npm/node_modules ]; then
		skip 1 "npm's packages are not here"
		continue
	fi
	run tests/oracle/$judge "$xml"
	is "$(cat "$T/out")" \
		"tests=5 failures=$(of 'count(//failure)') errors=$(of 'count(//error)') skipped=$(of 'count(//skipped)')" \
		"$judge counts the same"
done

is "$(jq -r '.images[] | [.name, .verdict, .expected // "-", .regression] | @tsv' "$out/report.json")" \
	"$(printf '%s\n' "text	unreadable	-	false" \
		"a/../b <&\"'> ä	unreadable	-	false" \
		"bare	$(jq -r '.images[2].verdict' "$out/report.json")	-	false" \
		"known	unreadable	unreadable	false" \
		"worse	unreadable	identical	true")" \
	"report.json has names, verdicts and what was expected"

if [ -d build/npm/node_modules ] && { [ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-browser ]; }; then
	for width in 1280 400; do
		for page in index.html images/worse.html; do
			run tests/oracle/page-check "$out/$page" "$T/page.png" $width
			is "$status" 0 "$page is well at $width pixels" || diag "$(cat "$T/err")"
		done
	done
else
	skip 4 "no browser here"
fi

mv "$out" "$T/before"
run "$UNBLEND" report -d "$T/db" -o "$out"
is "$status" 0 "the reports again, from the database"
ok "are the same to the byte" diff -r "$T/before" "$out"

# A run with fewer images leaves no page of the others.
run "$UNBLEND" run -o "$out" -d "$T/db" --only text "$T/first.corpus"
is "$(cd "$out/images" && echo *.html)" text.html "pages of images that are gone go"
like "$out/junit.xml" '^In run 1: unreadable$' "and the last verdict is told"

rm -r "$out/images"
mkdir "$out/images"
echo mine >"$out/images/photo"
run "$UNBLEND" report -d "$T/db" -o "$out"
is "$status" 2 "a folder that no report has made is refused"
like "$T/err" "images: is there and was not made by a report" "and named"
is "$(cat "$out/images/photo")" mine "and left alone"
done_testing
