#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The offline Guix keeps its own promises: real, closed, and leaving nothing.
# needs: world
#
# With WORLD_SLOW=1 also: a world is made from the cache without any network.
. tests/cases/tap.sh

enter=tests/world/enter
world=$(realpath -m "${WORLD:-build/world}")

# machine: what must be the same after as before.
machine() {
	sha256sum /etc/passwd /etc/group /etc/shadow
	cut -d' ' -f4- /proc/self/mountinfo | sort
	ls -d /gnu /var/guix /var/log/guix /var/empty /srv/*
}

# living FILE: processes in the name space that FILE names.
living() {
	find /proc/[0-9]*/ns/pid -maxdepth 0 -printf '%l %p\n' 2>/dev/null | grep -F "$(cat "$1") "
}

# until_there FILE: wait until somebody wrote it.
until_there() {
	tap_tries=0
	until [ -s "$1" ] || [ "$tap_tries" -ge 600 ]; do
		sleep 0.1
		tap_tries=$((tap_tries + 1))
	done
}

machine >"$T/before" 2>/dev/null

# --- a command in it ---------------------------------------------------------
run "$enter" sh -c 'exit 7'
is "$status" 7 "the command's exit status is enter's"
run "$enter" sh -c 'kill -TERM $$'
is "$status" 143 "also when a signal ended it"
is "$(echo in | "$enter" sh -c 'cat; echo err >&2' 2>"$T/err"; cat "$T/err")" "in
err" "input, output and errors pass"
is "$("$enter" pwd)" "$PWD" "the folder stays"
is "$("$enter" sha256sum Makefile)" "$(sha256sum Makefile)" "files are this machine's"
run "$enter" env
like "$T/out" "^HOME=$world/home\$" "HOME is the world's"
unlike "$T/out" '^(GUIX|GUILE|WORLD)_' "and no variable of Guix, Guile or ours is set"
run "$enter" --home "$T" sh -c 'echo "$HOME"'
is "$(cat "$T/out")" "$T" "--home gives another"
run "$enter" --world "$T/none" true
is "$status" 125 "no world is an error"
like "$T/err" 'tests/world/make makes it' "with its remedy"

run "$enter" guix --version
like "$T/out" '^guix \(GNU Guix\) 1\.([5-9]|[1-9][0-9])' "guix is 1.5 or newer"
run "$enter" guix describe
like "$T/out" 'file:///srv/channels/guix' "and came from the world's channel"
run "$enter" guix gc --list-roots
is "$status" 0 "the daemon answers at once"
run "$enter" bwrap --unshare-all --ro-bind / / true
is "$status" 0 "bubblewrap works inside"

run "$enter" cat /proc/net/dev
is "$(grep -c : "$T/out") $(grep -c ' lo:\|^ *lo:' "$T/out")" "1 1" "there is no network but the loopback"
run "$enter" perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
	IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport) or die'
is "$status" 0 "which is up"
run "$enter" sh -c 'id -u worldbuild1'
not_ok "build users have ids that nobody has here" grep -q ":$(cat "$T/out"):" /etc/passwd /etc/group

# --- channels ----------------------------------------------------------------
tm() {
	run "$enter" guix time-machine -C "/srv/channels/$1.scm" -- describe -f channels
}
tm mallory
not_ok "a commit by a foreign signer is refused" [ "$status" = 0 ]
like "$T/err" 'could not authenticate commit' "for that reason"
tm unsigned
not_ok "a commit without signature is refused" [ "$status" = 0 ]
like "$T/err" 'lacks a signature' "for that reason"
tm gone
not_ok "a commit that is gone is not found" [ "$status" = 0 ]
like "$T/err" 'object not found' "for that reason"
tm a1
is "$status" 0 "and one by its owner is taken"

# --- building ----------------------------------------------------------------
echo '(specifications->manifest (list "choir" "greeter:doc"))' >"$T/m.scm"
cat >"$T/pack" <<'END'
set -eu
cd "$1"
pack() {
	guix time-machine -C /srv/channels/g2.scm -- \
		pack -f docker --save-provenance -m m.scm "$@" 2>>log
}
item=$(pack)
cp "$item" "$2"
echo "$item" >item
drv=$(pack -d)
[ -z "${3-}" ] || guix build --check "$drv" 2>>log
END
run "$enter" sh "$T/pack" "$T" one.tar.gz check
is "$status" 0 "an image is packed, and the same bit by bit when packed again"

item=$(cat "$T/item")
run "$enter" guix gc -D "$item"
is "$status" 0 "an image is forgotten"
run "$enter" --throwaway sh "$T/pack" "$T" other.tar.gz
is "$status" 0 "it is packed in a copy of the world"
is "$(cat "$T/item")" "$item" "as the same item"
not_ok "of which nothing stays" [ -e "$world/store/${item##*/}" ]
layer() {
	mkdir -p "$T/$1.d"
	tar -xzf "$T/$1.tar.gz" -C "$T/$1.d"
	cat "$T/$1.d"/*/layer.tar >"$T/$1.layer"
	tar -tvf "$T/$1.layer" >"$T/$1.list"
	sort "$T/$1.list" >"$T/$1.sorted"
}
layer one
layer other
same "$T/other.sorted" "$T/one.sorted" "it has the same files there"
not_ok "in another order" cmp -s "$T/other.list" "$T/one.list"

# --- side by side ------------------------------------------------------------
mkfifo "$T/go" "$T/came"
"$enter" sh -c 'guix build hello && echo came >"$0/came" && cat "$0/go" && guix build greeter' "$T" >"$T/first" 2>&1 &
first=$!
read -r _ <"$T/came"
run "$enter" guix build --no-grafts -e '(@ (gnu packages fixtures) hello-1)'
is "$status" 0 "a second user builds beside the first"
echo go >"$T/go"
ok "and the first goes on" wait "$first"

run "$enter" "$enter" guix --version
is "$status" 0 "one can enter from within"

# --- the end -----------------------------------------------------------------
for signal in TERM INT KILL; do
	rm -f "$T/ns"
	# A shell's background command ignores SIGINT; ours must not.
	env --default-signal=INT "$enter" sh -c '
		guix build sleepy >/dev/null 2>&1 &
		setsid sleep 1000 &
		readlink /proc/self/ns/pid >"$0/ns.part"
		mv "$0/ns.part" "$0/ns"
		wait' "$T" &
	pid=$!
	until_there "$T/ns"
	start=$(date +%s)
	kill -"$signal" "$pid"
	status=0
	wait "$pid" 2>/dev/null || status=$?
	took=$(($(date +%s) - start))
	case $signal in TERM) want=143 ;; INT) want=130 ;; KILL) want=137 ;; esac
	is "$status" "$want" "SIG$signal ends enter"
	# One that is killed cannot wait for the others; of one that is not, the
	# last may be a zombie yet.
	tap_tries=0
	while [ "$(living "$T/ns")" ] && [ "$tap_tries" -lt 50 ]; do
		sleep 0.1
		tap_tries=$((tap_tries + 1))
	done
	is "$(living "$T/ns")" "" "and all it started"
	ok "within seconds" [ "$took" -lt 5 ]
done
run "$enter" sh -c 'setsid sleep 1000 & readlink /proc/self/ns/pid'
cp "$T/out" "$T/ns"
is "$(living "$T/ns")" "" "nothing outlives the command"

run tests/world/make
is "$status" 0 "make does nothing where the world is made"
like "$T/err" 'is made$' "and says so"
run tests/world/author --list
ok "the author has images" [ "$(wc -l <"$T/out")" -gt 30 ]

if [ "${WORLD_SLOW-}" ]; then
	run unshare --net tests/world/make "$T/world"
	is "$status" 0 "another world is made from the cache, without network"
	run "$enter" --world "$T/world" guix describe
	is "$status" 0 "and works"
fi

machine >"$T/after" 2>/dev/null
same "$T/after" "$T/before" "users, mounts and folders of this machine are as before"
done_testing
