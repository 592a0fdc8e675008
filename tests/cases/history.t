#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The history of images over many runs, held against what SQLite makes of the
# same database.
. tests/cases/tap.sh

db=$T/db
ok "a database of 1000 images and 6 runs" tests/cases/many "$db" 1000 6
# A machine that failed in one of them says nothing; another image in run 3.
sqlite3 -batch "$db" "
	UPDATE attempt SET verdict = 'not-tried' WHERE sample_id =
		(SELECT id FROM sample WHERE name = 'image-000100' AND run_id = 2);
	UPDATE attempt SET image_id = 1 + 900 WHERE sample_id IN
		(SELECT id FROM sample WHERE name = 'image-000101' AND run_id >= 3);
	UPDATE attempt SET image_id = 1 + run_id FROM sample
		WHERE id = sample_id AND name = 'image-000700';
	UPDATE sample SET name = char(27) || '[31mred' WHERE name = 'image-000999';"

run "$UNBLEND" history -d "$db" --json
is "$status" 0 "the history of all" || diag "$(cat "$T/err")"
jq -r '.images[] | select(.name | startswith("image")) | [.name, .verdict, .accepted, .runs, .changes,
	.first.run, .last.run, .first_change.run, .last_change.run, .total_ms, .longest_ms]
	| map(tostring) | join("|")' "$T/out" >"$T/told"
sqlite3 -batch "$db" "
	WITH h AS (SELECT s.name, s.run_id, a.verdict, a.elapsed_ms, a.verdict <> lag(a.verdict)
		OVER (PARTITION BY s.name ORDER BY s.run_id) AS is_change
		FROM sample s JOIN attempt a ON a.sample_id = s.id WHERE a.verdict <> 'not-tried')
	SELECT h.name, (SELECT verdict FROM judgement j WHERE j.name = h.name ORDER BY run_id DESC LIMIT 1),
		(SELECT iif(is_accepted, 'true', 'false') FROM judgement j WHERE j.name = h.name
			ORDER BY run_id DESC LIMIT 1),
		count(*), count(*) FILTER (WHERE is_change), min(run_id), max(run_id),
		ifnull(min(run_id) FILTER (WHERE is_change), 'null'),
		ifnull(max(run_id) FILTER (WHERE is_change), 'null'), sum(elapsed_ms), max(elapsed_ms)
	FROM h WHERE name LIKE 'image%' GROUP BY name ORDER BY name" >"$T/asked"
same "$T/told" "$T/asked" "is what the database has"
is "$(wc -l <"$T/told")" 999 "of every image"
is "$(jq -r '[.images[] | select(.flaky) | .name] | join(" ")' "$T/out")" image-000200 \
	"one passes and fails by turns with the same image: flaky; one does so as another image"
is "$(jq -c '[.images[] | has("history")] | unique' "$T/out")" '[false]' "runs are not listed"

run "$UNBLEND" history -d "$db" --json image-000100 image-000200
jq -r '.images[] | .name as $name | .history[] | [$name, .run, .started, .verdict, .accepted,
	.elapsed_ms, .image_sha256, .recipe] | map(tostring) | join("|")' "$T/out" >"$T/told"
sqlite3 -batch "$db" "
	SELECT s.name, s.run_id, strftime('%Y-%m-%dT%H:%M:%SZ', a.started_s, 'unixepoch'), a.verdict,
		iif(j.is_accepted, 'true', 'false'), a.elapsed_ms, lower(hex(i.sha256)), lower(hex(c.digest))
	FROM sample s JOIN attempt a ON a.sample_id = s.id JOIN judgement j USING (sample_id)
	JOIN image i ON i.id = a.image_id JOIN recipe c ON c.id = a.recipe_id
	WHERE s.name IN ('image-000100', 'image-000200') ORDER BY 1, 2" >"$T/asked"
same "$T/told" "$T/asked" "of two names, every run as the database has it"
is "$(jq -c '[.images[0].history[] | .changed]' "$T/out")" '[false,false,false,false,false,true]' \
	"what was not tried is no change, nor the run after it"

run "$UNBLEND" history -d "$db" image-000100
is "$(head -n 1 "$T/out")" "image-000100: 5 runs, 1 change, it was in run 6; mean time 1.0 s" \
	"in words, counts first"
is "$(sed -n 's/^. run \([0-9]*\) *[^ ]*  \([a-z-]*\).*/\1 \2/p' "$T/out" | tr '\n' ,)" \
	"1 identical,2 not-tried,3 identical,4 identical,5 identical,6 different," "then a line a run"
like "$T/out" '^\* run 6 ' "a star where it changed"
run "$UNBLEND" history -d "$db" image-000200 image-000101
like "$T/out" '^image-000200: 6 runs, 5 changes, the first in run 2, the last in run 6; flaky; ' \
	"first and last change, and flaky"
is "$(grep -c 'other image' "$T/out")" 1 "another image is told, once"
like "$T/out" '^  run 3 .*  other image' "in the run that had it"
run "$UNBLEND" history -d "$db"
is "$(sed 1d "$T/out" | wc -l)" 1000 "the table of all has a line for each"
like "$T/out" '^same-contents +image-000200 +6 +5  run 6 .* flaky$' "with changes, and flaky ones"
unlike "$T/out" "$(printf '\033')" "no name reaches the terminal as it is"
run "$UNBLEND" history -d "$db" "$(printf '\033[31mred')"
is "$(head -n 1 "$T/out" | cut -d: -f1)" '#x1B[31mred' "nor when it is asked for"

run "$UNBLEND" history -d "$db" image-000100 nobody
is "$status" 2 "a name that no run has judged"
like "$T/err" "no run has judged an image 'nobody'" "is named"
run "$UNBLEND" history image-000100
is "$status" 2 "a database must be named"
run "$UNBLEND" history -d "$T/none" image-000100
is "$status" 2 "and be there"
done_testing
