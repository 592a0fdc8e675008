# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
#
# For cases: Debian's docker-registry on loopback, and the fake one beside it.
# Sourced after tap.sh; what was started ends with the case.

# A program whose pid is told to this shell ends with it.
registry_pids=
registry_end() {
	for registry_pid in $registry_pids; do
		kill "$registry_pid" 2>/dev/null
	done
	registry_pids=
	tap_end
}
trap registry_end EXIT

# registry_user: who runs this has kept no words for registries, and fetched nothing.
registry_user() {
	HOME=$T/home XDG_CACHE_HOME=$T/home/.cache XDG_RUNTIME_DIR=$T/run TMPDIR=$T/tmp
	export HOME XDG_CACHE_HOME XDG_RUNTIME_DIR TMPDIR
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$TMPDIR"
}

# registry_wait FILE: until FILE is there, up to 20 s.
registry_wait() {
	registry_tries=0
	until [ -s "$1" ]; do
		registry_tries=$((registry_tries + 1))
		[ "$registry_tries" -lt 200 ] || return 1
		sleep 0.1
	done
}

# registry_start NAME [htpasswd FILE] [tls CERT KEY] [data FOLDER]: $host is
# 127.0.0.1:PORT then, $T/NAME.log what it says, a line for each request.
registry_start() {
	registry_name=$1 registry_data=$T/$1.data
	shift
	registry_auth='' registry_tls=''
	while [ $# -gt 0 ]; do
		case $1 in
		htpasswd)
			registry_auth="auth: {htpasswd: {realm: test, path: $2}}"
			shift 2
			;;
		tls)
			registry_tls=", tls: {certificate: $2, key: $3}"
			shift 3
			;;
		data)
			registry_data=$2
			shift 2
			;;
		esac
	done
	cat >"$T/$registry_name.yml" <<-END
		version: 0.1
		log: {accesslog: {disabled: false}}
		storage: {filesystem: {rootdirectory: $registry_data}}
		http: {addr: '127.0.0.1:0', secret: test$registry_tls}
		$registry_auth
	END
	: >"$T/$registry_name.log"
	docker-registry serve "$T/$registry_name.yml" >"$T/$registry_name.log" 2>&1 &
	registry_pids="$registry_pids $!"
	registry_tries=0
	until host=$(sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$T/$registry_name.log") &&
		[ "$host" ]; do
		registry_tries=$((registry_tries + 1))
		[ "$registry_tries" -lt 200 ] || return 1
		sleep 0.1
	done
}

# registry_fake LAYOUT: $fake is 127.0.0.1:PORT, $T/fake.log has a line for each
# request.
registry_fake() {
	tests/registry/fake-registry "$1" "$T/fake.log" "$T/fake.ports" \
		2>"$T/fake.err" &
	registry_pids="$registry_pids $!"
	registry_wait "$T/fake.ports" || return 1
	read -r fake _ <"$T/fake.ports"
	fake=127.0.0.1:$fake
}

# registry_asked FILE ERE: how many requests of docker-registry's log match.
registry_asked() {
	grep -c -E "\"(GET|HEAD) [^\"]*$2" "$1"
}
