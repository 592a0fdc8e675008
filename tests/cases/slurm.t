#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A real Slurm of one node: a run as an array job finds what a run here finds; tasks
# that are killed, a node that is lost, this process killed or stopped: each part
# goes on where it was.  With the fake Guix; slurm-demo.t has the real one.
. tests/cases/tap.sh

sql() { sqlite3 -batch "$@"; }
verdicts() {
	sql "$1" "SELECT s.seq, s.name, a.verdict, a.class, a.cause FROM sample s
		JOIN attempt a ON a.sample_id = s.id
		WHERE run_id = (SELECT max(id) FROM run) ORDER BY s.seq"
}

ok "a fake Guix" tests/fake/make "$T/fake" --images 60 --recipes 15 --sets 3
tests/fake/enter "$T/fake" "$UNBLEND" run -q -j 2 "$T/fake/fake.corpus" --trust "$T/fake/fake.trust" \
	--cache "$T/cache" -o "$T/here" >"$T/out" 2>"$T/err"
is $? 1 "a run here"
verdicts "$T/here/unblend.db" >"$T/expected"
is "$(wc -l <"$T/expected")" 60 "has 60 verdicts"

# A name of a folder that a shell, or sbatch's own patterns, would take for more.
# shellcheck disable=SC2089
odd="$T/o'd \$(touch pwned) \"%a%j\" \\;&"
ln -s fake "$odd"
cat >"$T/inside" <<'END'
unblend() { # NAME ARGS...: in the folder $odd, its words to NAME.out and NAME.err
	name=$1
	shift
	(cd "$odd" && exec "$UNBLEND" run fake.corpus --trust fake.trust --cache "$T/cache" \
		--executor slurm -o "$odd/$name" "$@") >"$T/$name.out" 2>"$T/$name.err" </dev/null
}
until_is() { # TEXT CMD...: wait for it, not for ever
	want=$1 tries=0
	shift
	while [ "$("$@" 2>/dev/null)" != "$want" ] && [ $((tries += 1)) -lt 300 ]; do sleep 0.1; done
}
# running RUN [SHARD]: how many of its tasks run.
running() { squeue --noheader --array --states=running --name="$(name_of "$1")" --format=%K |
	grep -cx "${2-.*}"; }
states() { squeue --noheader --array --states=all --name="$(name_of "$1")" --format='%F %K %T' |
	sort | sed "s/^/$1 /"; }
# The name that Slurm knows the array of a run by.
name_of() { echo "unblend-$(sed 's/^[0-9]* //' "$odd/$1/unblend.db.slurm/study" | tr -d '\n' |
	sha256sum | cut -c1-12)"; }
hold() { echo '[ "$verb" != build ] || while [ -e /srv/fake/hold ]; do sleep 0.1; done' >"$T/fake/srv/hook"
	: >"$T/fake/srv/hold"; }
release() { rm -f "$T/fake/srv/hold"; }
pid_in() { tr -d '\n' <"$odd/$1"; }

unblend plain --shards 4 --slurm-options "--time=30 --comment=x"
echo "plain $?"
squeue --noheader --array --states=all --format='%F %K %T' | sed "s/^/task plain /"

# Three runs, all of whose tasks wait in the middle of it; and one whose tasks
# fail every time, its corpus being gone.
hold
unblend killed --shards 3 &
killed=$!
unblend left --shards 3 &
left=$!
unblend stopped --shards 3 &
stopped=$!
cp "$T/fake/fake.corpus" "$T/fake/brief.corpus"
(cd "$odd" && "$UNBLEND" run brief.corpus --trust fake.trust --cache "$T/cache" --executor slurm \
	--shards 2 -o "$odd/failed" >"$T/failed.out" 2>"$T/failed.err" </dev/null
echo "failed $?") &
failed=$!
until_is yes sh -c 'grep -q "^job " "$1" && echo yes' - "$T/failed.err"
rm "$T/fake/brief.corpus"
until_is 3 running killed
until_is 3 running left
until_is 3 running stopped
until_is yes sh -c '[ -s "$1" ] && echo yes' - "$odd/killed/unblend.db.slurm/shard-2.db.lock"

# A task is killed, this process is killed, and told to stop.
kill -9 "$(pid_in killed/unblend.db.slurm/shard-2.db.lock)"
kill -9 "$(pid_in left/unblend.db.lock)"
wait "$left"
echo "left $?"
unblend again --shards 3 -d "$odd/left/unblend.db"
echo "again $?"
kill -TERM "$(pid_in stopped/unblend.db.lock)"
wait "$stopped"
echo "stopped $?"
name=$(name_of stopped)
until_is "" squeue --noheader --states=running,completing --name="$name"
echo "running $(squeue --noheader --name="$name")"
unblend resumed --shards 3 -d "$odd/left/unblend.db" --resume &
resumed=$!
unblend on --shards 3 -d "$odd/stopped/unblend.db" --resume &
on=$!
until_is 1 running killed 2
states killed | sed 's/^/task /'
release
wait "$killed"
echo "killed $?"
wait "$resumed"
echo "resumed $?"
wait "$on"
echo "on $?"

unblend option --slurm-options=--no-such-option
echo "option $?"
wait "$failed"

# The node is lost, and comes back.
hold
unblend lost --shards 3 &
lost=$!
until_is 3 running lost
scontrol update nodename="$(hostname -s)" state=down reason=test
until_is 0 running lost
release
scontrol update nodename="$(hostname -s)" state=resume
wait "$lost"
echo "lost $?"
END

# shellcheck disable=SC2090
export T odd
run timeout 300 tests/fake/enter "$T/fake" tests/slurm/enter "$T/slurm" 12 sh "$T/inside"
is "$status" 0 "a Slurm of one node" || diag "$(tail -n 20 "$T/err")"
said() { sed -n "s/^$1 //p" "$T/out" | head -n 1; }
as_here() { # NAME DB WHAT
	is "$(said "$1")" 1 "$3: a run of it" || diag "$(tail -n 20 "$T/$1.err")"
	verdicts "$odd/$2/unblend.db" >"$T/$1.verdicts"
	same "$T/$1.verdicts" "$T/expected" "$3: the verdicts of the run here"
	not_ok "$3: its folder is gone" test -e "$odd/$2/unblend.db.slurm"
}

as_here plain plain "an array"
is "$(grep -c '^task plain 1 [1-4] \(FAILED\|COMPLETED\)' "$T/out")" 4 "four tasks ran, each with the exit status of its run"
is "$(sql "$odd/plain/unblend.db" "SELECT count(*), \"of\", sum(ended_s NOT NULL) FROM shard")" "4|4|4" \
	"the run has four shards"
is "$(sql "$odd/plain/unblend.db" "SELECT count(*), ended_s NOT NULL FROM run")" "1|1" "and is one, at its end"
is "$(jq '.images | length' "$odd/plain/report.json")" 60 "the reports have all images"
is "$(find "$T" "$odd/" -name pwned)" "" "nothing in a name was run"
as_here killed killed "a task killed"
like "$T/killed.err" '^shard 2 was lost \(job [0-9]+, (FAILED|NODE_FAIL|CANCELLED)\): again' "it is told"
is "$(sed -n 's/^task killed [0-9]* \([1-3]\) \([A-Z]*\)$/\1 \2/p' "$T/out" | sort | tr '\n' ' ')" \
	"1 RUNNING 2 FAILED 2 RUNNING 3 RUNNING " "and was submitted again, the others were not"
as_here lost lost "a node lost"
is "$(said left)" 137 "the submitter killed"
is "$(said again)" 2 "another does not begin anew"
like "$T/again.err" 'is still in the queue; --resume goes on' "and says why"
as_here resumed left "resumed"
unlike "$T/resumed.err" '^job ' "nothing was submitted again for that"
is "$(said stopped)" 3 "told to stop"
like "$T/stopped.err" '--resume goes on' "it says how to go on"
is "$(said running)" "" "and its tasks were cancelled"
as_here on stopped "going on"
is "$(said option)" 2 "an option that sbatch does not know"
like "$T/option.err" 'sbatch: .*no-such-option' "is told by sbatch's words"
is "$(said failed)" 3 "parts that fail every time"
like "$T/failed.err" 'shard 1 was lost 4 times .*: given up' "are given up"
like "$T/failed.err" 'brief.corpus' "with the end of what they said"
is "$(pgrep -f "$T/" | grep -vx $$ | while read -r pid; do
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -E 'slurm|munge|unblend run'
done)" "" "no process is left"

PATH=$T/bin run "$UNBLEND" run "$T/fake/fake.corpus" --executor slurm -o "$T/none"
is "$status" 2 "without Slurm"
like "$T/err" 'there is no sbatch here' "is a clear message"
for wrong in "--shards 0" "--executor pbs" "--shards 3" "--executor slurm --shard 1/3" \
	"--executor slurm --slurm-options job.sh" "--executor slurm --keep all" \
	"--executor slurm --changed" "--executor slurm --json-events 1"; do
	# shellcheck disable=SC2086
	run "$UNBLEND" run "$T/fake/fake.corpus" -o "$T/none" $wrong
	is "$status" 2 "$wrong is a mistake"
done
done_testing
