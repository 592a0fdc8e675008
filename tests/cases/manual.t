#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The texts for people: every command and option is in the manual, every picture
# and file that README names is there.
. tests/cases/tap.sh

page=harness/cmd/unblend.1
missing=
for command in $("$UNBLEND" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	grep -q "^\.It Cm $command\$" $page || missing="$missing $command"
	"$UNBLEND" "$command" --help | sed -nE 's/^( {2}-[a-zA-Z], | {6})--([a-z-]+).*/\2/p' >"$T/options"
	while read -r option; do
		grep -qE -e "(Fl|,) (. , )?-$option( |\$)" $page || missing="$missing $command:--$option"
	done <"$T/options"
	cat "$T/options" >>"$T/all"
done
is "$missing" "" "each command has a section of the manual, each option a place in it"
ok "and they were found" test "$(sort -u "$T/all" | wc -l)" -gt 30

for text in README.md reports/README.md ci/README.md corpus/README.md CHANGELOG.md harness/CONTRIBUTING.md; do
	(cd "$(dirname $text)" && grep -o '](\([^):#]*\))' "$(basename $text)" | sed 's/](\(.*\))/\1/' |
		while read -r file; do [ -e "$file" ] || echo "$file"; done)
done >"$T/dead"
is "$(cat "$T/dead")" "" "what the texts link to is there"
# shellcheck disable=SC2013
for picture in $(sed -n 's/.*!\[.*\](\(.*\.png\)).*/\1/p' README.md); do
	# Width and height stand after the signature and IHDR.
	width=$(od -An -tu1 -j16 -N4 "$picture" | awk '{ print $3 * 256 + $4 }')
	is "$(head -c 4 "$picture" | tail -c 3) $width" "PNG 1280" "$picture is a picture of a page"
done
like CHANGELOG.md "^## $("$UNBLEND" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')" "the changes of this version are told"
done_testing
