#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# Builds of the real daemon that hang, print, fork, eat memory or fill the disk
# without end, beside one that does not: each ended in time, by its own name, and
# nothing of it left, with cgroups and without; workers that die.
. tests/cases/tap.sh

PATH=$PATH:$(dirname "$UNBLEND")
export PATH

# An image without provenance is rebuilt by what the corpus gives: a package
# whose builder evaluates EXPRESSION.
package() {	# NAME EXPRESSION
	cat >"$T/$1.scm" <<-END
	(use-modules (guix packages) (guix gexp) (guix profiles) (gnu packages fixtures))
	(packages->manifest
	 (list (package (inherit hello) (name "$1") (version "1")
	                (arguments (list #:builder #~(begin $2))))))
	END
}
write='(call-with-output-file name (lambda (port)
	(let loop () (display (make-string 65536 #\x) port) (loop))))'
package hangs '(display "zzz\n") (force-output) (let loop () (sleep 600) (loop))'
package prints '(let loop () (display "once more, and once more, and once more\n") (loop))'
package forks '(let loop () (when (zero? (primitive-fork)) (sleep 600)) (loop))'
package eats '(let loop ((all (list))) (loop (cons (make-string 1000000 #\x) all)))'
package fills "(let ((name \"large\")) $write)"
package stores "(mkdir #\$output) (let ((name (string-append #\$output \"/large\"))) $write)"
echo '(specifications->manifest (list "hello"))' >"$T/fine.scm"
cp "${WORLD:-build/world}/srv/channels/g2.scm" "$T/channels.scm"
cp build/images/noprov.tar.gz "$T/image.tar.gz"
corpus() {	# FILE NAME...
	file=$1
	shift
	{
		echo '(corpus (version 0) (defaults (timeout 90) (silence 60))'
		for name; do
			printf ' (image (name "%s") (source "image.tar.gz") (channels "channels.scm")' "$name"
			[ "$name" != hangs ] || printf ' (silence %s)' "$silence"
			printf ' (manifest "%s.scm"))\n' "$name"
		done
		echo ')'
	} >"$T/$file"
}
silence=5
corpus all.corpus hangs prints forks eats fills stores fine
corpus few.corpus forks eats prints fine
corpus disk.corpus fills fine
corpus prints.corpus prints
silence=60
corpus hangs.corpus hangs fine
# Built where it gets three cores; new each time, or it would be in the store.
package "cores-$(date +%s)" '(unless (equal? (getenv "NIX_BUILD_CORES") "3") (exit 1))
	(mkdir #$output)'
mv "$T"/cores-*.scm "$T/cores.scm"
corpus cores.corpus cores
echo '(corpus (version 0) (image (name "wide") (source "wide.tar.zst"))
 (image (name "image") (source "image.tar.gz")))' >"$T/wide.corpus"
# A pack that is never the same.
echo "(corpus (version 0) (image (name \"rpm\") (source \"$PWD/build/images/rpm.rpm\")))" \
	>"$T/rpm.corpus"

cat >"$T/inside" <<'END'
# In the world: run NAME OPTION... leaves NAME.verdicts and what is left of it.
# The daemon of each job is the world's, by its own command line.
daemon() {
	for p in /proc/[0-9]*; do
		tr '\0' ' ' <"$p/cmdline" 2>/dev/null |
			grep -q 'guix-daemon --build-users-group' && echo "${p#/proc/}"
	done | head -n 1
}
pid=$(daemon 2>/dev/null)
command=$(tr '\0' ' ' <"/proc/$pid/cmdline")
GUIX=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^GUIX=//p')
export GUIX TMPDIR="$T/tmp"
mkdir "$TMPDIR"

processes() {	# what runs here
	for p in /proc/[0-9]*; do
		cat "$p/comm" 2>/dev/null
	done | grep -Evx 'sh|cat|diff|grep|sort' | sort
}
ours() {	# what builds of ours left in the store, which others build in too
	find /gnu/store -maxdepth 1 -name '*.chroot' |
		grep -E -e '-(hangs|prints|forks|eats|fills|stores)-1\.drv'
}
left() {	# NAME: of processes, mounts, groups and folders
	space=$(stat -Lc %i /proc/self/ns/pid)
	{
		processes >"$T/now"
		diff "$T/processes" "$T/now"
		diff "$T/mounts" /proc/self/mountinfo
		find /sys/fs/cgroup -name "unblend-$space-*"
		ls -A "$TMPDIR"
		ours
	} >"$T/$1.left" 2>/dev/null
}
judge() {	# NAME CORPUS OPTION...
	name=$1 corpus=$2
	shift 2
	unblend run "$T/$corpus" -o "$T/$name" --cache "$T/cache" -q \
		--trust corpus/demo.trust "$@" >"$T/$name.out" 2>"$T/$name.err"
	echo "$?" >"$T/$name.status"
	sqlite3 -batch -separator ' ' "$T/$name/unblend.db" \
		"SELECT name, verdict, coalesce(class, '-') FROM sample
		JOIN attempt ON sample.id = sample_id ORDER BY name" >"$T/$name.verdicts"
	left "$name"
}
processes >"$T/processes"
cp /proc/self/mountinfo "$T/mounts"
limits='--max-memory 400M --max-processes 150 --max-output 8M --max-disk 64M'

judge all all.corpus -j4 $limits --daemon "$command"

# A builder whose worker is killed in the middle.
strike() {	# NAME PROCESS: judge, and kill processes by their command line
	judge "$1" hangs.corpus -j2 --daemon "$command" &
	tries=0
	until grep -qs zzz "$T/$1"/unblend.db.work/r-*/guix.log || [ "$tries" = 300 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	for p in /proc/[0-9]*; do
		tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q "^[^ ]*unblend $2 " &&
			kill -KILL "${p#/proc/}"
	done 2>/dev/null
	wait
}
strike killed worker
# The daemon that was killed too could not clear the store: that is for gc.
guix gc -D $(ours) >"$T/gc" 2>&1
left killed

# All of it is killed: the next one ends what is left.
strike crash run
sed -i 's/ (silence 60)/ (silence 3)/' "$T/hangs.corpus"
judge crash hangs.corpus -j2 --daemon "$command"
guix gc -D $(ours) >"$T/gc" 2>&1
left crash

judge nodaemon prints.corpus --daemon 'ls /no/such/folder'

# A worker whose image wants more memory than it may have.
head -c 60M /dev/urandom >"$T/random"
tar -C "$T" -cf - random | zstd -q -1 --long=27 >"$T/wide.tar.zst"
judge wide wide.corpus --limit window=128M --max-memory 32M -j2

# The daemon of the machine: what it prints comes here all the same.
judge shared prints.corpus --max-output 8M
# It ends the build when its client is gone, which takes it a moment.
tries=0
until [ "$(processes)" = "$(cat "$T/processes")" ] || [ "$tries" = 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
left shared

# Built once more, to be compared: what the daemon keeps for that is not left.
builds=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^TMPDIR=//p')
judge rpm rpm.corpus
rm -rf "$T/rpm"
judge rpm rpm.corpus
sqlite3 -batch "$T/rpm/unblend.db" 'SELECT is_checked FROM rebuild' >"$T/rpm.checked"
ls -A "$builds" >"$T/rpm.builds"

judge nocores cores.corpus
judge cores cores.corpus --cpus 3

# The daemon in a group of its administrator's, where that can be made.
slice=/sys/fs/cgroup/pids$(sed -n 's/^[0-9]*:pids://p' /proc/self/cgroup)
if [ -w "$slice/cgroup.procs" ] && mkdir "$slice/unblend-test-$$"; then
	echo 321 >"$slice/unblend-test-$$/pids.max"
	echo "$pid" >"$slice/unblend-test-$$/cgroup.procs"
	unblend doctor --cache "$T/cache" >"$T/slice"
	echo "$pid" >"$slice/cgroup.procs"
	rmdir "$slice/unblend-test-$$"
else
	echo "processes by cgroup v1, 321 processes" >"$T/slice"
fi

# A disk that is small, without a limit of ours on it.
mkdir "$T/small"
mount -t tmpfs -o size=24m small "$T/small"
cp /proc/self/mountinfo "$T/mounts"
TMPDIR=$T/small
judge disk disk.corpus -j2 --retries 0 --daemon "$command"
TMPDIR=$T/tmp

# No cgroups.
umount -l /sys/fs/cgroup
cp /proc/self/mountinfo "$T/mounts"
judge rlimits few.corpus -j3 $limits --daemon "$command"
sed -i 's/ (silence 3)/ (silence 60)/' "$T/hangs.corpus"
strike killed-rlimits worker
guix gc -D $(ours) >"$T/gc" 2>&1
left killed-rlimits
judge tiny prints.corpus --max-memory 16M
unblend doctor --cache "$T/cache" >"$T/doctor"
END
run tests/world/enter env T="$T" sh "$T/inside"
diag "$(cat "$T/out" "$T/err")"

cat >"$T/expected" <<END
eats not-tried memory-limit
fills not-tried disk-limit
fine identical -
forks not-tried process-limit
hangs timeout silence
prints not-tried output-limit
stores not-tried disk-limit
END
same "$T/all.verdicts" "$T/expected" "each that has no end is ended by its own name"
is "$(cat "$T/all.left")" "" "nothing of them is left: process, mount, group, folder"
sql() { sqlite3 -batch "$T/$1/unblend.db" "$2"; }
is "$(sql all 'SELECT max(elapsed_ms) < 80000 FROM attempt')" 1 "each in time"
is "$(sql all "SELECT count(*) FROM rebuild JOIN sample ON sample.id = sample_id
	WHERE failed_drv LIKE '/gnu/store/%-' || name || '-1.drv'")" 6 \
	"and it is told what was being built"
is "$(sql all "SELECT count(*) FROM attempt WHERE class LIKE '%-limit'
	AND advice LIKE '%says nothing of the image%--max-%'")" 5 \
	"it is no fault of the image, and the advice names the option"

cat >"$T/expected" <<END
fine identical -
hangs not-tried worker
END
same "$T/killed.verdicts" "$T/expected" "a worker that is killed is one image's"
is "$(cat "$T/killed.left")" "" "its builder ends with it"
is "$(cat "$T/crash.left")" "" "after a run that was killed the next one ends what it left"
is "$(sort -u "$T/crash.verdicts")" "fine identical -
hangs timeout silence" "and judges all"
sql killed "SELECT cause FROM attempt WHERE class = 'worker'" >"$T/cause"
like "$T/cause" 'killed by signal 9 \(Killed\), in stage build' "how it ended is told"

is "$(cat "$T/nodaemon.verdicts")" "prints not-tried no-daemon" "a daemon that does not start"
sql nodaemon 'SELECT cause FROM attempt' >"$T/cause"
like "$T/cause" 'cannot access|unrecognized' "is told by its own words"
cat >"$T/expected" <<END
image no-provenance no-provenance
wide not-tried worker
END
same "$T/wide.verdicts" "$T/expected" "a worker that grows past its limit is one image's"
sql wide "SELECT cause FROM attempt WHERE class = 'worker'" >"$T/cause"
like "$T/cause" 'more memory than 33554432 bytes|out of memory' "and it is told what it wanted"

is "$(cat "$T/shared.verdicts")" "prints not-tried output-limit" \
	"what a build prints is limited with any daemon"
is "$(cat "$T/shared.left")" "" "which then ends it"

is "$(cat "$T/rpm.verdicts" "$T/rpm.checked")" "rpm same-contents -
1" "a pack that is there is built once more"
is "$(cat "$T/rpm.builds")" "" "and the folder that it was built in is removed"
is "$(cat "$T/cores.verdicts")" "cores different -" "builds get the cores of --cpus"
is "$(cat "$T/nocores.verdicts")" "cores unbuildable build-failed" "and of none else"
like "$T/slice" 'processes by cgroup v' "doctor says what limits jobs"
like "$T/slice" '321 processes' "and what builds are held to where their daemon is"
like "$T/doctor" 'memory by rlimits' "also without cgroups"

cat >"$T/expected" <<END
fills not-tried disk-full
fine identical -
END
same "$T/disk.verdicts" "$T/expected" "a full disk is the machine's fault"
is "$(cat "$T/disk.left")" "" "nothing is left on it"

cat >"$T/expected" <<END
eats not-tried memory-limit
fine identical -
forks not-tried process-limit
prints not-tried output-limit
END
same "$T/rlimits.verdicts" "$T/expected" "without cgroups rlimits hold"
is "$(cat "$T/rlimits.left")" "" "and leave nothing"
is "$(cat "$T/killed-rlimits.left")" "" "nor does the builder of a worker that is killed"
is "$(cat "$T/tiny.verdicts")" "prints not-tried worker" \
	"a worker that gets no memory is one image's not-tried"
sql tiny 'SELECT cause FROM attempt' >"$T/cause"
like "$T/cause" 'Its last words: .*(memory|failed to map)' "with its last words"
done_testing
