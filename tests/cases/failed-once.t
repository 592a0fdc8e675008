#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# The real Guix: what a package that does not build is to three images of a run.
. tests/cases/tap.sh

images=$PWD/build/images
cat >"$T/x.corpus" <<END
(corpus (version 0)
 (image (name "fails") (source "$images/fails.tar.gz"))
 (image (name "fails-bin") (source "$images/fails.tar.gz")
  (pack-options "--save-provenance" "--symlink=/bin=bin"))
 (image (name "hello") (source "$images/hello.tar.gz")))
END
run tests/world/enter "$UNBLEND" run -q -j 1 -o "$T/report" --trust corpus/demo.trust \
	--cache "$T/cache" "$T/x.corpus"
is "$status" 1 "a run"
sql() { sqlite3 "$T/report/unblend.db" "$1"; }
is "$(sql "SELECT sample.name, verdict FROM attempt JOIN sample ON sample.id = sample_id ORDER BY 1" | paste -sd' ')" \
	"fails|unbuildable fails-bin|unbuildable hello|identical" "two images need what does not build"
is "$(sql "SELECT count(DISTINCT drv) || ' ' || count(DISTINCT failed_drv) FROM rebuild WHERE ended = 'unbuildable'")" \
	"2 1" "by two packs, for one derivation"
# Each pack: what Guix was asked to build, and what it would build.
asked() {
	sql "SELECT count(*) FROM attempt_text JOIN rebuild USING (sample_id)
		WHERE ended = 'unbuildable' AND kind = 'command' AND text LIKE '% build %.drv%' AND text $1 LIKE '%--dry-run%'"
}
is "$(asked NOT) $(asked '')" "1 1" "which was built once"
is "$(sql "SELECT count(DISTINCT failed_lines) || ' ' || count(DISTINCT class) FROM rebuild WHERE ended = 'unbuildable'")" \
	"1 1" "the other says why by the same log"
is "$(sql "SELECT name FROM attempt_text JOIN sample ON sample.id = sample_id WHERE kind = 'note' AND text LIKE
	(SELECT failed_drv FROM rebuild WHERE ended = 'unbuildable') || ' was not built once more: it failed in this run, %'")" \
	fails-bin "and that it was not tried again"
done_testing
