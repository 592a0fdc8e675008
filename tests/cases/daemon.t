#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Images of a daemon that speaks Docker's API: the real dockerd, in namespaces of
# its own, and the service of the real podman.
. tests/cases/tap.sh
for program in jq curl; do
	command -v $program >/dev/null || skip_all "no $program"
done
[ "$(id -u)" = 0 ] || skip_all "daemons of images want root here"
HOME=$T/home XDG_CACHE_HOME=$T/cache
export HOME XDG_CACHE_HOME
mkdir -p "$HOME"
web=$XDG_CACHE_HOME/unblend/oci
unset DOCKER_HOST

# An image of two layers, as docker save makes it.
mkdir -p "$T/image/gnu/store/0-a"
diffs=
for i in 1 2; do
	seq "${i}000" >"$T/image/gnu/store/0-a/$i"
	tar --sort=name --mtime=@1 --owner=0 --group=0 -C "$T/image" -cf "$T/$i.tar" gnu
	diff=sha256:$(sha256sum <"$T/$i.tar" | cut -d' ' -f1)
	diffs="$diffs${diffs:+,}\"$diff\""
done
printf '{"architecture":"amd64","os":"linux","config":{"Env":["A=b"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
	"$diffs" >"$T/config.json"
config=$(sha256sum <"$T/config.json" | cut -d' ' -f1)
echo '[{"Config":"config.json","RepoTags":["lab/two-layers:v1"],"Layers":["1.tar","2.tar"]}]' >"$T/manifest.json"
tar -C "$T" -cf "$T/image.tar" manifest.json config.json 1.tar 2.tar

daemon_pid=
daemon_end() {
	[ "$daemon_pid" ] || return 0
	kill "$daemon_pid" 2>/dev/null
	wait "$daemon_pid" 2>/dev/null
	daemon_pid=
}
trap 'daemon_end; tap_end' EXIT

# daemon_start NAME CMD...: waits until $T/NAME.sock answers; it ends with the case.
daemon_start() {
	daemon_name=$1
	shift
	"$@" >"$T/$daemon_name.log" 2>&1 </dev/null &
	daemon_pid=$!
	for look in $(seq 200); do
		kill -0 "$daemon_pid" 2>/dev/null || break
		api "$daemon_name" _ping >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	daemon_end
	tail -n 5 "$T/$daemon_name.log" | sed 's/^/# /'
	return 1
}
api() { # NAME PATH [OPTION...]
	api_socket=$T/$1.sock api_path=$2
	shift 2
	curl -sS --fail --max-time 60 --unix-socket "$api_socket" "$@" "http://localhost/$api_path"
}
get() { run timeout 60 "$UNBLEND" inspect --json "$@"; }
field() { jq -c "$1" "$T/out"; }

# judge NAME SERVER: what holds for any daemon.
judge() {
	DOCKER_HOST=unix://$T/$1.sock
	export DOCKER_HOST
	rm -rf "$XDG_CACHE_HOME"
	ok "$2 loads an image" api "$1" images/load -o "$T/loaded" -H 'Content-Type: application/x-tar' \
		--data-binary "@$T/image.tar"
	get docker-daemon:lab/two-layers:v1
	is "$status" 0 "an image of $2 is read"
	is "$(field .image.diff_ids)" "[$diffs]" "with the layers that it was loaded from"
	is "$(field .image.config_digest)" "\"sha256:$config\"" "and its config"
	is "$(field .image.format)" '"docker-archive"' "as an archive"
	cp "$T/out" "$T/first"
	for blob in "$web"/blobs/sha256/*; do
		is "$(sha256sum <"$blob" | cut -d' ' -f1)" "${blob##*/}" "which is in the blob folder"
	done
	get docker-daemon:lab/two-layers:v1
	same "$T/out" "$T/first" "another time it is the same"
	is "$(find "$web/blobs" -type f | wc -l)" 1 "and not brought again"
	get "docker-daemon:sha256:$config"
	is "$(field .image.diff_ids)" "[$diffs]" "it is read by its ID, too"
	get docker-daemon:lab/absent:v1
	is "$status" 2 "an image that is not there is a wrong input"
	like "$T/err" '^unblend: docker-daemon:lab/absent:v1: the daemon has no such image: ' \
		"and is named"
	is "$(find "$web/part" -type f)" "" "nothing half stays"
}

if ! command -v dockerd >/dev/null; then
	skip 14 "no dockerd"
elif ! unshare -mn --propagation private true 2>/dev/null; then
	skip 14 "no namespaces for dockerd"
else
	echo '{}' >"$T/dockerd.json"
	ok "dockerd is started" daemon_start docker unshare -mn --propagation private \
		dockerd --data-root "$T/docker" --exec-root "$T/docker.exec" \
		--pidfile "$T/docker.pid" --host "unix://$T/docker.sock" \
		--config-file "$T/dockerd.json" --iptables=false --ip6tables=false \
		--bridge=none --storage-driver=vfs &&
		judge docker Docker
	daemon_end
fi

if ! command -v podman >/dev/null; then
	skip 14 "no podman"
else
	ok "podman's service is started" daemon_start podman \
		podman --root "$T/podman" --runroot "$T/podman.run" --storage-driver vfs \
		system service --time 0 "unix://$T/podman.sock" &&
		judge podman podman
	# Not every user is let in.
	chmod 755 "$T"
	mkdir -m 777 "$T/nobody"
	chmod 600 "$T/podman.sock"
	run setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_CACHE_HOME="$T/nobody" \
		"$UNBLEND" inspect docker-daemon:lab/two-layers:v1
	is "$status" 2 "a socket that lets us not in is a wrong input"
	like "$T/err" "podman.sock does not let this user in" "and is named"
	daemon_end
fi

DOCKER_HOST=unix://$T/nothing
get docker-daemon:x:1
is "$status" 2 "no daemon at all is a wrong input"
like "$T/err" "no daemon listens at $T/nothing \(DOCKER_HOST names another\)" "and is named"
for DOCKER_HOST in ssh://user@host tcp:// unix:relative tcp://a/b; do
	export DOCKER_HOST
	get docker-daemon:x:1
	is "$status" 2 "DOCKER_HOST=$DOCKER_HOST is not understood"
	like "$T/err" 'unix://PATH and tcp://HOST:PORT are understood' "which is told"
done
DOCKER_HOST=tcp://192.0.2.1:2375
get docker-daemon:x:1
is "$status" 2 "another machine is not asked without encryption"
like "$T/err" 'not encrypted' "which is told"
done_testing
