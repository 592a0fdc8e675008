# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154
# Sourced by tests/bench/run: the reports of a large run.
: "${bench:?}"

# The site of 10,000 images after three runs, and all other reports; there is
# nothing that a person would do by hand instead.
site_all() {
	local images=10000 d=$bench/site opens='' before=$runs
	rm -rf "$d"
	mkdir -p "$d"
	tests/cases/many "$d/db" "$images" 3
	head_row "The reports of $images images, in the third of three runs"
	((runs < 3)) || runs=3
	measure 0 sh -c 'rm -rf "$3"; exec "$1" report -d "$2" -o "$3" --format html' report \
		"$UNBLEND" "$d/db" "$d/report"
	row "unblend report --format html       ($(du -sm --apparent-size "$d/report" | cut -f 1) MB, $(find "$d/report" -type f | wc -l) files)" \
		"$min" "$median" "$cpu" "$peak" ''
	[[ $(find "$d/report/images" -name '*.html' | wc -l) == "$images" ]] || die "not a page an image"
	if [[ -d build/npm/node_modules && -x /usr/bin/chromium ]]; then
		opens=$(tests/oracle/open-ms "$d/report/index.html")
		opens=$(calc "$opens / 1000")
	fi
	row "its front page in chromium         ($(($(stat -c %s "$d/report/index.html") / 1000)) KB)" \
		"${opens:-?}" "${opens:-?}" '' '' ''
	measure 0 sh -c 'rm -rf "$3"; exec "$1" report -d "$2" -o "$3" --format junit' report \
		"$UNBLEND" "$d/db" "$d/junit"
	row "unblend report --format junit      ($(size "$d/junit/junit.xml"))" \
		"$min" "$median" "$cpu" "$peak" ''
	runs=$before
	rm -rf "$d"
}
