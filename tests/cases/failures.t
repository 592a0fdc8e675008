#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# needs: world
# Failures of the real Guix, made on the spot in a copy of the world, each with
# its class: how the rebuild ends, whether trying again can help, what to do, the
# first derivation that failed, and the lines that decide.
. tests/cases/tap.sh

PATH=$PATH:$(dirname "$UNBLEND")	# classify is beside it
export PATH
ok "what tells a class is built" [ -x "$(dirname "$UNBLEND")/classify" ]

# package NAME EXPRESSION...: $T/NAME.scm, whose builder evaluates them.
package() {
	name=$1
	shift
	cat >"$T/$name.scm" <<-END
	(use-modules (guix packages) (guix gexp) (guix modules) (gnu packages fixtures))
	(package
	  (inherit hello) (name "$name") (version "1")
	  (arguments
	   (list #:modules (source-module-closure '((guix build gnu-build-system)))
	         #:builder #~(begin $*))))
	END
}

# phase EXPRESSION: gnu-build-system with one phase, check, that evaluates it.
phase() {
	echo '(use-modules (guix build gnu-build-system))
	(gnu-build #:source #f #:outputs (list (cons "out" #$output)) #:inputs (list)
	           #:phases (list (cons (quote check) (lambda _ '"$1"'))))'
}

package greedy '(call-with-output-file "large"
	(lambda (port)
	  (let loop ((i 0))
	    (when (< i 4096) (display (make-string 4096 #\x) port) (loop (+ i 1))))))'
package hungry "(setrlimit 'as 300000000 300000000)
	(let loop ((all '())) (loop (cons (make-string 10000000 #\\x) all)))"
package untested "$(phase '(display "FAIL: 1 of 3\n") (error "see above")')"
package outdated "$(phase '(when (> (current-time) 1600000000)
	(error "certificate has expired"))')"
# Two that need it: the first to fail is its fault.
package needy '(display #$(primitive-load "'"$T"'/untested.scm"))'
cat >"$T/changed.scm" <<'END'
(use-modules (guix gexp) (guix store) (rnrs bytevectors))
(lambda ()
  (gexp->derivation "ledger-1.0.tar"
    #~(call-with-output-file #$output (lambda (port) (display "changed\n" port)))
    #:hash (make-bytevector 32 7) #:hash-algo 'sha256))
END
echo '(specifications->manifest (list "hello" "nosuch"))' >"$T/nosuch-manifest.scm"
echo '(specifications->manifest (list "hello@9.9"))' >"$T/noversion-manifest.scm"

cat >"$T/inside" <<'END'
# In the copy: try NAME STEP CMD... leaves NAME.class, what is made of its failure.
cd "$T"
try() {
	name=$1 step=$2
	shift 2
	if "$@" >"$name.out" 2>"$name.err" </dev/null; then
		echo "it did not fail" >"$name.class"
	else
		classify "$step" <"$name.err" >"$name.class"
	fi
}

# started LOG TEXT: wait until TEXT is in LOG.
started() {
	tries=0
	until grep -qs "$2" "$1" || [ "$tries" -ge 600 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}

fixture() { echo "(@ (gnu packages fixtures) $1)"; }
tm() { guix time-machine -C "$1" -- describe; }

try build-failed build guix build -e "$(fixture broken)"
try tests-failed build guix build -f needy.scm
try time-bomb build guix build -f outdated.scm
try out-of-memory build guix build -f hungry.scm
try hash-mismatch build guix build -e '(primitive-load "changed.scm")'
try source-gone build guix build -e "$(fixture lantern)"
try silence build guix build --max-silent-time=2 -e "$(fixture sleepy)"
try deadline build guix build --timeout=2 -e "$(fixture chatty)"
try unknown-package lower guix pack -d -m nosuch-manifest.scm
try unknown-version lower guix pack -d -m noversion-manifest.scm
try unsigned instance tm /srv/channels/unsigned.scm
try mallory instance tm /srv/channels/mallory.scm
try commit-missing instance tm /srv/channels/gone.scm
# Another commit, too: an instance of the same ones would do, from wherever it came.
sed -e 's|file:///srv/channels/alice|file:///srv/channels/nobody|' \
	-e "s|(commit \"$(sed -n '/alice/,$ s/^ *(commit "\(.*\)").*/\1/p' /srv/channels/a1.scm)\")|(commit \"0123456789abcdef0123456789abcdef01234567\")|" \
	/srv/channels/a1.scm >nobody.scm
try channel-unreachable instance tm nobody.scm
try channel-broken instance tm /srv/channels/broken.scm

# The profile's lock is another's.
perl -e '
	use Fcntl;
	open(my $f, ">", "profile.lock") or die;
	my $lock = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);
	fcntl($f, F_SETLK, $lock) or die "fcntl: $!";
	open(my $ready, ">", "locked"); print $ready "yes\n"; close $ready;
	sleep 600' &
locker=$!
started locked yes
try lock lower guix package -p "$T/profile" -i hello
kill "$locker"

# A builder that somebody kills, as the kernel does.
guix build -e "$(fixture sleepy)" >/dev/null 2>killed.err &
started killed.err zzz
for p in /proc/[0-9]*; do
	tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q 'sleepy-1-builder' || continue
	kill -KILL "${p#/proc/}"
done
wait $!
classify build <killed.err >killed.class

# A small disk where the daemon builds.
daemon=$(for p in /proc/[0-9]*; do
	tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q 'guix-daemon --build-users-group' || continue
	echo "${p#/proc/}"
done | head -n 1)
builds=$(tr '\0' '\n' <"/proc/$daemon/environ" | sed -n 's/^TMPDIR=//p')
mount -t tmpfs -o size=2m small "$builds"
try disk-full build guix build -f greedy.scm

# The daemon goes in the middle; then there is none.
umount "$builds"
guix build -e "$(fixture chatty)" >/dev/null 2>daemon-gone.err &
started daemon-gone.err 'still here'
for p in /proc/[0-9]*; do
	tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q 'guix-daemon ' || continue
	kill -KILL "${p#/proc/}"
done
wait $!
classify build <daemon-gone.err >daemon-gone.class
try daemon-absent lower guix build hello
END
run tests/world/enter --throwaway env T="$T" sh "$T/inside"
diag "$(cat "$T/err")"

# class NAME CLASS END RETRY DERIVATION WORDS...: what was made of it; WORDS, an
# ERE, is in the decisive lines.
class() {
	read -r got_class got_end got_retry got_drv <"$T/$1.class"
	is "$got_class $got_end $got_retry ${got_drv#/gnu/store/*-}" "$2 $3 $4 $5" "$1"
	tail -n +4 "$T/$1.class" >"$T/lines"
	like "$T/lines" "$6" "$1: the lines that decide are shown"
	not_ok "$1: there is advice" [ "$(sed -n 2p "$T/$1.class")" = - ]
}
class build-failed build-failed unbuildable no-retry broken-0.drv 'about to fail'
class tests-failed tests-failed unbuildable no-retry untested-1.drv '^FAIL: 1 of 3'
class time-bomb time-bomb unbuildable no-retry outdated-1.drv 'certificate has expired'
class out-of-memory out-of-memory not-tried retry hungry-1.drv 'Out of Memory'
class hash-mismatch hash-mismatch unavailable no-retry ledger-1.0.tar.drv 'actual hash: '
class source-gone source-gone unavailable no-retry lantern-1.0.tar.drv '.'
class silence silence timeout no-retry sleepy-1.drv '^zzz'
class deadline deadline timeout no-retry chatty-1.drv 'still here: '
class unknown-package unknown-package unbuildable no-retry - 'nosuch: unknown package'
class unknown-version unknown-package unbuildable no-retry - 'hello.*9\.9'
class unsigned authentication refused no-retry - 'lacks a signature'
class mallory authentication refused no-retry - 'could not authenticate commit'
class commit-missing commit-missing unavailable no-retry - 'object not found'
class channel-unreachable channel-unreachable unavailable retry - 'nobody'
class channel-broken channel-broken unbuildable no-retry alice.drv '.'
class lock lock not-tried retry - 'is locked by another process'
class killed killed not-tried retry sleepy-1.drv '^zzz'
class disk-full disk-full not-tried retry greedy-1.drv 'No space left on device'
class daemon-gone daemon not-tried retry - '.'
class daemon-absent daemon not-tried retry - 'failed to connect'
done_testing
