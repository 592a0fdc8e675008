#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# A channel that is no longer where its image says is rebuilt from where it is
# now, with the old URL inside; a commit that is nowhere names all places.
. tests/cases/tap.sh

images=$PWD/build/images
db=$T/report/unblend.db
sql() { sqlite3 -batch "$db" "$@"; }

cat >"$T/m.corpus" <<END
(corpus (version 0)
 (defaults (timeout 600))
 (image (name "moved") (source "$images/git-url.tar.gz"))
 (image (name "nowhere") (source "$images/unreachable-commit.tar.gz")))
END
# A place that is dead too; where it is; and one that is something else.
cat >"$T/mirrors" <<END
(mirrors
 (version 0)
 (mirror (from "git://127.0.0.1/guix") (to "file:///srv/channels/none"))
 (mirror (from "git://127.0.0.1/") (to "file:///srv/channels/"))
 (mirror (from "file:///srv/channels/alice") (to "file:///srv/channels/guix"))
 (mirror (from "file:///srv/channels/ali") (to "file:///srv/channels/nobody/ma")))
END

echo '(mirrors (version 0) (miror))' >"$T/wrong"
run "$UNBLEND" run "$T/m.corpus" -o "$T/none" --mirrors "$T/wrong"
is "$status" 2 "a mistake in a mirrors file ends a run before it begins"
like "$T/err" "$T/wrong:1:22: unknown field" "and has a place"
not_ok "nothing is made" [ -e "$T/none" ]

run tests/world/enter "$UNBLEND" run "$T/m.corpus" -o "$T/report" --cache "$T/cache" \
	--trust corpus/demo.trust --mirrors "$T/mirrors"
is "$status" 1 "the run has an image that does not pass"
is "$(sql 'SELECT name || " " || verdict FROM sample JOIN attempt ON sample.id = sample_id
	ORDER BY name')" "moved identical
nowhere unavailable" "the channel is found where it is; a commit that is nowhere is not"

# The very file is as the image; and it has the URL that is dead.
output=$(sql "SELECT output FROM rebuild JOIN sample ON sample.id = sample_id
	WHERE name = 'moved'")
tests/world/enter cat "$output" >"$T/rebuilt.tar.gz"
same "$T/rebuilt.tar.gz" "$images/git-url.tar.gz" "the rebuilt file is that of its author"
mkdir "$T/rebuilt"
tar -xzf "$T/rebuilt.tar.gz" -C "$T/rebuilt"
cat "$T"/rebuilt/*/layer.tar >"$T/layer"
tar -xOf "$T/layer" --wildcards '*-profile/manifest' >"$T/manifest"
like "$T/manifest" 'git://127\.0\.0\.1/guix' "the dead URL is in it"
unlike "$T/manifest" 'file:///' "and none of where it came from"

cause=$(sql "SELECT cause FROM attempt JOIN sample ON sample.id = sample_id
	WHERE name = 'nowhere'")
echo "$cause" >"$T/cause"
commit=$(grep -A6 "(name 'alice)" "$images/unreachable-commit.channels.scm" |
	grep -o '[0-9a-f]\{40\}' | head -n 1)
like "$T/cause" "Commit $commit of channel 'alice'" "the commit that is nowhere is named"
like "$T/cause" 'file:///srv/channels/guix \(it does not have it\);' "and who has not got it"
like "$T/cause" 'file:///srv/channels/nobody/mace \(fatal: .*does not appear to be a git' \
	"who is not there, with the answer"
like "$T/cause" 'file:///srv/channels/alice \(it does not have it\)\.$' "and the recorded place"
like "$T/cause" 'guix .*nobody.*/alice \(' "in the order they were asked"
is "$(sql "SELECT class FROM attempt JOIN sample ON sample.id = sample_id
	WHERE name = 'nowhere'")" commit-missing "as what it is"
done_testing
