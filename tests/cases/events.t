#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Progress: lines of JSON for programs, on a terminal and elsewhere; with a fake
# Guix, and images that are made here.
. tests/cases/tap.sh

tests/fake/make "$T/fake" --images 48 --recipes 16 --sets 2 || exit 1
# The first in another order of letters, and one that is no image.
sed -i 's/image-000001"/a \\"quoted\\" \\\\ näme"/; s/^)$/ (image (name "no image") (source "expected")))/' \
	"$T/fake/fake.corpus"
unblend() { # RUN OPTION...
	d=$T/$1
	shift
	tests/fake/enter "$T/fake" "$UNBLEND" run "$T/fake/fake.corpus" --trust "$T/fake/fake.trust" \
		--cache "$T/cache" -o "$d" -j 2 "$@"
}
sql() { sqlite3 -batch "$1/unblend.db" "$2"; }
judged='SELECT sample.name, verdict FROM attempt JOIN sample ON sample.id = sample_id ORDER BY 1'

# --- JSON ----------------------------------------------------------------------
run unblend json --quiet --json-events 3 3>"$T/events"
is "$status" 1 "a run that writes events"
is "$(cat "$T/err")" "" "and is quiet else"
ok "each line is an object of JSON" sh -c 'jq -e . "$1" >/dev/null' - "$T/events"
is "$(jq -s 'length' "$T/events")" "$(wc -l <"$T/events")" "one a line"
is "$(jq -c 'select(.event == "run-begin") | [.version, .run, .images, .done, .jobs]' "$T/events")" \
	"[1,1,49,0,2]" "the first tells the version, and how many images there are"
is "$(head -n 1 "$T/events" | jq -r .event) $(tail -n 1 "$T/events" | jq -r .event)" \
	"run-begin run-end" "and the last the end"
jq -r 'select(.event == "verdict") | .image + "|" + .verdict' "$T/events" | LC_ALL=C sort >"$T/told"
sql "$T/json" "$judged" | LC_ALL=C sort >"$T/kept"
same "$T/told" "$T/kept" "verdicts are those of the database, each told once"
like "$T/told" '^a "quoted" \\ näme\|identical$' "a name with quotes and a backslash as it is"
is "$(jq -s '[.[] | select(.event == "verdict") | .done] == [range(1; 50)]' "$T/events")" true \
	"and counted one by one"
is "$(jq -r 'select(.event == "job-begin") | .stage' "$T/events" | sort -u | tr '\n' ' ')" \
	"build compare lower read " "jobs of each stage have begun"
is "$(jq -s '[.[] | select(.event == "job-begin" and .stage == "read") | .images[]] | unique | length' "$T/events")" \
	49 "and every image was read"
is "$(jq -c 'select(.event == "job-begin" and .stage == "build") | .n' "$T/events" | sort -u)" 3 \
	"a build is for all images of its recipe"
is "$(jq -c 'select(.event == "run-end") | [.stopped, .done, .verdicts]' "$T/events")" \
	"[false,49,$(sql "$T/json" "SELECT json_group_object(verdict, n) FROM
		(SELECT verdict, count(*) AS n FROM attempt JOIN verdict v ON v.name = verdict
		GROUP BY verdict ORDER BY rank)")]" \
	"the end counts them"

# --- what is not tried, and what is tried again --------------------------------
run unblend json --quiet --changed --json-events 3 3>"$T/events.2"
is "$(jq -c 'select(.event == "skip") | [.of_run, .why]' "$T/events.2" | sort | uniq -c | sed 's/^ *//')" \
	'49 [1,"unchanged since run 1"]' "what has not changed is skipped, and why"
jq -r 'select(.event == "skip") | .image + "|" + .verdict' "$T/events.2" | LC_ALL=C sort >"$T/told"
same "$T/told" "$T/kept" "with the verdict that stands"
is "$(jq -c 'select(.event == "job-begin")' "$T/events.2")" "" "and no job begins"
# The daemon is not there, once.
cat >"$T/fake/srv/hook" <<'END2'
if [ "$verb" = build ] && [ ! -e "$HOME/failed" ]; then
	: >"$HOME/failed"
	echo "guix build: error: failed to connect to \`/var/guix/daemon-socket/socket': Connection refused" >&2
	exit 1
fi
END2
rm "$T"/cache/lanes/*/home/failed 2>/dev/null
run unblend again --quiet --json-events 3 3>"$T/events.3"
rm "$T/fake/srv/hook"
is "$(jq -c 'select(.event == "retry") | [.class, .after_ms]' "$T/events.3" | sort -u)" '["daemon",2000]' \
	"what may pass is tried again"
sql "$T/again" "$judged" | LC_ALL=C sort >"$T/kept.again"
same "$T/kept.again" "$T/kept" "and ends as it should"

# --- readers that do not read --------------------------------------------------
run unblend full --quiet --json-events 3 3>/dev/full
is "$status" 1 "events that cannot be written end nothing"
sql "$T/full" "$judged" | LC_ALL=C sort >"$T/kept.full"
same "$T/kept.full" "$T/kept" "and all images are judged"

mkfifo "$T/fifo"
head -n 1 "$T/fifo" >"$T/one" & # and is gone
run unblend gone --quiet --json-events 3 3>"$T/fifo"
is "$status $(jq -r .event "$T/one")" "1 run-begin" "nor does a reader that is gone"

# One that holds the other end open, and never reads: python3 keeps a pipe of one
# page, which a few events fill.
cat >"$T/stuck" <<'END2'
import fcntl, os, subprocess, sys
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096) # F_SETPIPE_SZ
os.dup2(w, 3)
sys.exit(subprocess.call(sys.argv[1:], pass_fds=[3], timeout=60))
END2
cat >"$T/stuck.sh" <<END2
exec tests/fake/enter "$T/fake" "$UNBLEND" run "$T/fake/fake.corpus" --trust "$T/fake/fake.trust" \
	--cache "$T/cache" -o "$T/stuck.d" -j 2 --quiet --json-events 3
END2
run python3 "$T/stuck" sh "$T/stuck.sh"
is "$status" 1 "nor one that never reads"
sql "$T/stuck.d" "$judged" | LC_ALL=C sort >"$T/kept.stuck"
same "$T/kept.stuck" "$T/kept" "and its run is whole"

# --- what is wrong -------------------------------------------------------------
run unblend wrong --json-events 9
is "$status" 2 "a descriptor that is not open"
like "$T/err" "json-events: descriptor 9 is not open for writing" "is named"
run unblend wrong --json-events 3 3</dev/null
is "$status" 2 "one that is open for reading alone"
run unblend wrong --json-events x
like "$T/err" "json-events takes a number" "one that is no number"

# --- no terminal: a line an event ----------------------------------------------
run unblend plain
is "$(grep -c '^\[[0-9]*/49\] ' "$T/err")" 49 "elsewhere than on a terminal there is a line for each verdict"
is "$(LC_ALL=C grep -c "$(printf '\033')" "$T/err")" 0 "and nothing that moves a cursor"

# --- a terminal ----------------------------------------------------------------
# tty COLUMNS: the run on a terminal of so many columns; what it printed.
cat >"$T/tty" <<'END2'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    out = os.open(os.devnull, os.O_WRONLY)
    os.dup2(out, 1)
    os.environ["TERM"] = sys.argv[2]
    os.execvp(sys.argv[3], sys.argv[3:])
while True:
    try:
        b = os.read(fd, 65536)
    except OSError:
        break
    if not b:
        break
    sys.stdout.buffer.write(b)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END2
cat >"$T/tty.sh" <<END2
exec tests/fake/enter "$T/fake" "$UNBLEND" run "$T/fake/fake.corpus" --trust "$T/fake/fake.trust" \
	--cache "$T/cache" -o "$T/tty.\$1" -j 2
END2
# Each pack takes a while, so that there is something to look at.
# shellcheck disable=SC2016 # the fake reads it
echo 'case $verb in build) sleep 0.3 ;; esac' >"$T/fake/srv/hook"
run timeout 120 python3 "$T/tty" 60 xterm sh "$T/tty.sh" 1
is "$status" 1 "a run on a terminal"
tr '\r' '\n' <"$T/out" | sed "s/$(printf '\033')\[[0-9]*[AJ]//g" >"$T/lines"
like "$T/lines" '^[0-9]+ of 49 done: .*[0-9]+ identical' "tells how many are done, by verdict"
like "$T/lines" '; about [0-9]+ (s|min) left' "and how long it may take"
like "$T/lines" '^  (lower|build|instance) +[0-9]+ s  image-0000[0-9]+ and [0-9]+ more$' \
	"and what runs, its stage and its age"
is "$(grep ' of 49 done\|^  ' "$T/lines" | grep -v '^\[' | awk 'length($0) > 59' | head -n 3)" "" \
	"within the columns that there are"
is "$(grep -c '^\[[0-9]*/49\] ' "$T/lines")" 49 "above it each verdict"
run timeout 120 python3 "$T/tty" 60 dumb sh "$T/tty.sh" 2
is "$(LC_ALL=C grep -c "$(printf '\033')" "$T/out")" 0 "a dumb terminal gets lines"
done_testing
