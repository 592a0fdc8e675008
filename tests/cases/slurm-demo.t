#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: both worlds
# The demo's corpus as an array job of a real Slurm, by the real Guix: the verdicts
# of a run here, which demo.t holds; a task that is killed in the middle of it is
# submitted again.
. tests/cases/tap.sh

sed -n '/^cat >"$T\/expected"/,/^END/p' tests/cases/demo.t | sed '1d; $d' >"$T/expected"
out=$T/o db=$T/o/unblend.db
cat >"$T/inside" <<END
"$UNBLEND" run corpus/demo.corpus --trust corpus/demo.trust -o "$out" --cache "$T/cache" \
	--mirror git://127.0.0.1/guix=file:///srv/channels/guix \
	--executor slurm --shards 3 >"$T/said" 2>"$T/told" &
# When a part has its first verdicts, it is killed.
tries=0
while [ "\$(sqlite3 "$db.slurm/shard-2.db" 'SELECT count(*) > 1 FROM attempt' 2>/dev/null)" != 1 ] &&
	[ \$((tries += 1)) -lt 600 ]; do sleep 0.2; done
kill -9 "\$(cat "$db.slurm/shard-2.db.lock")"
wait \$!
echo "\$?" >"$T/status"
squeue --noheader --array --states=all --format='%K %T' | sort >"$T/tasks"
END
run timeout 900 tests/world/enter tests/world/with-registry build/forms/registry \
	tests/slurm/enter "$T/slurm" 3 sh "$T/inside"
is "$status" 0 "a Slurm of one node, in the offline world" || diag "$(tail -n 20 "$T/err")"
is "$(cat "$T/status")" 1 "the demo runs as an array" || diag "$(tail -n 20 "$T/told")"
sqlite3 "$db" 'SELECT name || " " || verdict FROM sample JOIN attempt ON sample.id = sample_id
	ORDER BY name COLLATE BINARY' >"$T/verdicts"
same "$T/verdicts" "$T/expected" "every verdict is that of a run here"
is "$(sqlite3 "$db" 'SELECT count(*), max(ended_s NOT NULL) FROM run')" "1|1" "in one run, at its end"
like "$T/told" '^shard 2 was lost .*: again' "the part that was killed was lost"
is "$(grep -c '^2 ' "$T/tasks")" 2 "and submitted again"
is "$(sqlite3 "$db" "SELECT count(*) FROM (SELECT 1 FROM sample s JOIN attempt a ON a.sample_id = s.id
	JOIN recipe r ON r.id = recipe_id GROUP BY r.digest HAVING count(DISTINCT s.run_id) > 1)")" 0 \
	"no recipe is in two runs"
is "$(sqlite3 "$db" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok "the database is whole"
not_ok "the folder of the parts is gone" test -e "$db.slurm"
done_testing
